// Where sockets meet actors: accepts connections, cuts frames, stamps commands, and takes replies back.
// Flow control and limits, no business rule. One thread: the io_context's.
#pragma once

#include "actors/context.hpp"
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
  wire::limits limits;               ///< of one connection
  std::size_t in_flight_max = 65536; ///< commands of all connections without an answer
  std::size_t unsent_pause =
      1 << 20; ///< bytes of replies at which a connection is not read any more
  std::size_t unsent_max = 16 << 20; ///< and at which it is cut
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

  [[nodiscard]] std::size_t connections() const noexcept { return live_; }
  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }

private:
  friend class gateway_session;
  struct slot {
    std::shared_ptr<gateway_session> session;
    std::uint32_t generation = 0;
    bool dirty = false; ///< has answers to send
  };
  struct route {
    customer_actor to;
    std::uint32_t life = 0;
    bool used = true;
    std::vector<std::shared_ptr<const envelope>> pending; ///< until `to` is there
  };
  using routes = std::unordered_map<std::string, route>;

  void accept();
  void watch();
  /// Sends a command on; false: a queue is full.
  bool forward(engine_context::namespace_entry& space,
               const std::string& customer,
               std::shared_ptr<const envelope> e);
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
  boost::asio::steady_timer drain_timer_;
  engine_context* context_ = nullptr;
  std::vector<slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t live_ = 0;
  std::size_t in_flight_ = 0;
  std::unordered_map<std::uint32_t, routes> routes_; ///< by namespace
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
