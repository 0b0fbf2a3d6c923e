// One connection: hello first, then requests in, answers out. Used on the io thread only.
#pragma once

#include "actors/gateway.hpp"

namespace accrue {

class gateway_session : public std::enable_shared_from_this<gateway_session> {
public:
  gateway_session(gateway& owner, boost::asio::ip::tcp::socket socket, reply_address me);

  void start();
  /// Reads once and takes what came; then waits for more, or for its next turn.
  void take_turn();
  void append(std::string_view frame) { out_.append(frame); }
  /// Sends what was appended, unless a write is under way.
  void send();
  /// One of its commands was answered; false when nobody waits any more.
  [[nodiscard]] bool answered() noexcept {
    if (in_flight_ == 0)
      return false;
    --in_flight_;
    return true;
  }
  /// Says why, then closes when it is sent.
  void say_goodbye(const refusal& why);
  /// Closes at once.
  void cut();
  /// Checks its timeouts.
  void watch(std::chrono::steady_clock::time_point now);
  /// No more requests are taken; when all that were are answered it says goodbye and closes.
  void drain();

  /// Bytes in its buffers, as last told to its owner.
  [[nodiscard]] std::size_t held_bytes() const noexcept { return held_; }

private:
  using clock = std::chrono::steady_clock;
  /// Waits until there is something to read, unless its replies are not read.
  void wait_readable();
  void take(std::size_t count);
  /// Reads and forgets: a socket closed with unread bytes resets, and takes the last answers with it.
  void discard();
  /// All is sent: the client reads to the end and closes; who does not is cut by `watch`.
  void finish();
  /// Writes what the socket takes; the rest when it takes more.
  void write();
  void tell_held();
  /// Refuses a whole request unread, where the connection can have nothing more in flight.
  bool refuse_unread(std::string_view payload);
  /// False: the connection is over.
  bool frame(std::string_view payload);
  bool greet(const wire::hello& h);
  void dispatch(const wire::request& r);
  void dispatch(std::uint64_t request, std::uint32_t index, const wire::call& c);
  void refuse(std::uint64_t request, std::uint32_t index, const refusal& why);
  [[nodiscard]] std::size_t unsent() const noexcept {
    return out_.size() + sending_.size() - sent_;
  }
  [[nodiscard]] bool must_pause() const noexcept;

  gateway& owner_;
  boost::asio::ip::tcp::socket socket_;
  reply_address me_;
  wire::frame_reader reader_;
  engine_context::namespace_entry* space_ = nullptr; ///< set by the hello
  std::string client_name_;                          ///< as the hello says
  std::string out_;                                  ///< to be sent next
  std::string sending_;                              ///< being sent
  std::size_t sent_ = 0;                             ///< of it
  std::size_t held_ = 0;
  std::size_t in_flight_ = 0; ///< commands whose answers the client waits for
  bool reading_ = false;      ///< waits to read, or for its turn
  bool closing_ = false;      ///< after what is to be sent
  bool draining_ = false;     ///< owes the client a goodbye
  bool closed_ = false;
  instant stamp_;
  clock::time_point started_ = clock::now();
  clock::time_point partial_since_ = clock::time_point::max();
  clock::time_point sending_since_ = clock::time_point::max();
  clock::time_point finished_since_ = clock::time_point::max();
};

} // namespace accrue
