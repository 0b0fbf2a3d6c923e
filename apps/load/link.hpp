// One connection of a load run: requests in flight in numbered slots, one write a wake-up.
// When it may send and what the answers mean for the run is the driver's.
#pragma once

#include "accrue/v1/frame.pb.h"
#include "apps/load/answer.hpp"
#include "apps/load/driver.hpp"
#include "protocol/frame.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <deque>

namespace accrue::load {

class driver::link {
public:
  link(driver& owner, std::uint32_t number);

  /// Blocks until it is connected; the hello goes out with `io_` running.
  [[nodiscard]] client::outcome<void> connect(const client::endpoint& where);
  /// Sends as much as may be in flight.
  void go();
  /// Of an open loop: a request is due; `go` sends it as soon as one more may be in flight.
  void due(clock::time_point when) { backlog_.push_back(when); }
  void close();

  [[nodiscard]] bool is_idle() const noexcept { return commands_in_flight_ == 0; }
  [[nodiscard]] bool is_open() const noexcept { return socket_.is_open(); }
  [[nodiscard]] std::uint64_t in_flight() const noexcept { return commands_in_flight_; }
  [[nodiscard]] std::size_t requests_unsent() const noexcept { return backlog_.size(); }

private:
  struct slot {
    std::uint64_t request_id = 0;
    std::uint64_t counter = 0; ///< of the request's first command
    std::uint32_t waiting = 0; ///< commands without an answer
    clock::time_point from;    ///< sent, or due in an open loop
  };

  void read();
  void on_frame(std::string_view payload, clock::time_point now);
  void on_other_frame(std::string_view payload, clock::time_point now);
  void take(const answer& a, std::string_view payload, clock::time_point now);
  void fill(clock::time_point now);
  void put_request(std::size_t place, clock::time_point from);
  void flush();
  void lost(std::string what);

  driver& owner_;
  std::uint32_t number_;
  boost::asio::ip::tcp::socket socket_;
  wire::frame_reader reader_{std::size_t{64} << 20};
  std::string out_;     ///< being made
  std::string writing_; ///< what the socket did not take at once
  v1::Frame frame_;     ///< one request, written over each time
  std::vector<slot> slots_;
  std::vector<std::size_t> free_;
  std::deque<clock::time_point> backlog_; ///< due and not sent
  std::uint64_t next_counter_;
  std::uint64_t end_counter_; ///< never sent
  std::uint64_t requests_ = 0;
  std::uint64_t commands_in_flight_ = 0;
  bool welcomed_ = false;
  bool is_writing_ = false;
};

} // namespace accrue::load
