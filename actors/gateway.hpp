// Where sockets meet actors: accepts connections, cuts frames, stamps commands, and takes replies back.
// Flow control and limits, no business rule. One thread: the io_context's.
#pragma once

#include "actors/admission.hpp"
#include "actors/context.hpp"
#include "actors/precedence.hpp"
#include "protocol/frame.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace accrue {

struct gateway_options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 7117;
  std::size_t connections_max = 4096;
  /// Connections above it that are still told why at the same time; the others are just closed.
  static constexpr std::size_t farewells_max = 64;
  wire::limits limits;         ///< of one connection
  admission_options admission; ///< of all connections together
  std::size_t unsent_pause =
      256 << 10; ///< bytes of replies at which a connection is not read any more
  std::size_t unsent_max = 16 << 20; ///< and at which it is cut
  std::size_t buffers_max =
      256 << 20; ///< bytes held for all connections; above, the largest one goes
  std::chrono::milliseconds hello_timeout{5000};
  std::chrono::milliseconds frame_timeout{
      30000};                             ///< for a frame to be whole, and for a write to move
  std::chrono::milliseconds linger{1000}; ///< for a client to read the last answers and close
  std::int64_t deadline_ns = 30 * ns_per_second; ///< of commands that bring none
  std::string server_name = "accrued";
};

class gateway_session;

class gateway final : public reply_sink, public route_table {
public:
  gateway(boost::asio::io_context& io, time_source& time, gateway_options options);
  ~gateway() override;

  /// Binds; errc: conflict where the address is taken, validation where it is none.
  [[nodiscard]] result<void> listen();
  /// The bound port (for port 0).
  [[nodiscard]] std::uint16_t port() const;
  /// Starts to accept, for this engine.
  void serve(engine_context& context);
  /// Stops accepting and reading, waits until what is in flight is answered (at most `patience`), sends what
  /// is left, closes, and calls `done(answered, cut)`: connections and commands that were left without an answer.
  void drain(std::chrono::milliseconds patience,
             std::function<void(std::size_t, std::size_t)> done);

  /// Lets go of all actors. After the io_context has stopped.
  void forget_actors() noexcept { routes_.clear(); }

  // reply_sink
  void deliver(reply_address to, std::string_view frame) override;
  void
  refuse(reply_address to, std::uint64_t request, std::uint32_t index, const refusal& why) override;
  // route_table
  void opened(const activate& who, customer_actor to) override;
  void close(std::vector<activate> who, directory_actor answer_to) override;

  [[nodiscard]] const gateway_options& options() const noexcept { return options_; }
  [[nodiscard]] std::size_t connections() const noexcept { return live_; }
  [[nodiscard]] std::size_t in_flight() const noexcept { return admission_.in_flight(); }

private:
  friend class gateway_session;
  using clock = std::chrono::steady_clock;
  // Stays taken after its session has gone until the engine has answered all that it sent.
  struct slot {
    std::shared_ptr<gateway_session> session;
    std::uint32_t generation = 0;
    bool dirty = false;        ///< has answers to send
    std::size_t in_flight = 0; ///< commands the engine has not answered
  };
  /// What a customer has in flight, from all connections. Stays taken until it has a route no more and
  /// nothing in flight.
  struct account {
    std::size_t in_flight = 0;
    bool routed = false;
  };
  struct route {
    customer_actor to;
    std::uint32_t life = 0;
    std::uint32_t account = no_account;
    bool used = true;
    std::vector<std::shared_ptr<const envelope>> pending; ///< until `to` is there
  };
  using routes = std::unordered_map<std::string, route>;

  void accept();
  void accepted(boost::asio::ip::tcp::socket socket);
  void watch();
  /// Tells admission the time. While commands are refused this thread goes before those who work on the others.
  void at(clock::time_point now);
  /// A session has something to read; it gets its turn.
  void readable(std::shared_ptr<gateway_session> who);
  void read_some();
  /// Sends a command on; false: the customer has too much in flight.
  bool forward(engine_context::namespace_entry& space,
               const std::string& customer,
               std::shared_ptr<envelope> e);
  [[nodiscard]] route& route_to(routes& all, const std::string& customer);
  /// A command of this session and customer is with the engine, until it is `answered`.
  void count(reply_address from);
  void answered(reply_address to);
  void release_slot(std::uint32_t slot);
  void release_account(std::uint32_t account);
  /// Keeps what is held for all connections within its bound.
  void spare_memory();
  void close_routes(const std::vector<activate>& who, const directory_actor& answer_to);
  void append(reply_address to, std::string_view frame);
  void flush();
  void mark_dirty(std::uint32_t slot);
  void gone(std::uint32_t slot);
  [[nodiscard]] instant stamp();
  void check_drained();

  boost::asio::io_context& io_;
  time_source& time_;
  gateway_options options_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer watch_;
  boost::asio::steady_timer accept_pause_;
  boost::asio::steady_timer drain_timer_;
  engine_context* context_ = nullptr;
  std::vector<slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t live_ = 0;
  admission admission_;
  precedence precedence_; ///< of the io thread, while commands are refused
  bool told_of_precedence_ = false;
  std::vector<account> accounts_;
  std::vector<std::uint32_t> free_accounts_;
  std::unordered_map<std::uint32_t, routes> routes_;      ///< by namespace
  std::deque<std::shared_ptr<gateway_session>> readable_; ///< in order of their turns
  bool reading_ = false;
  std::size_t held_bytes_ = 0; ///< in the buffers of all sessions
  std::vector<std::uint32_t> dirty_;
  bool flushing_ = false;
  bool draining_ = false;
  instant last_stamp_;
  std::function<void(std::size_t, std::size_t)> drained_;

  // Replies from other threads.
  struct posted {
    reply_address to;
    extent frame;
  };
  std::mutex mutex_;
  std::string posted_bytes_;
  std::vector<posted> posted_;
};

} // namespace accrue
