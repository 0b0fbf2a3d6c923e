// A load run on one thread: a closed loop, whose connections send the next request when one is answered,
// or an open one, whose requests are due at a rate and wait for no answer.
// What is sent is plan.hpp's; how the figures are shown is report.hpp's.
#pragma once

#include "apps/load/histogram.hpp"
#include "apps/load/plan.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace accrue::load {

enum class ended : std::uint8_t { duration, count, interrupted, connection_lost };

/// How often a code came, how fast while it was measured, and one example of what was said with it.
struct refusals {
  std::uint64_t count = 0;
  histogram latency;
  std::string example;
};

/// Figures of an interval or a whole run. Latencies are in nanoseconds, up to the moment the answer is
/// read: in a closed loop from the moment the request is handed to the socket, in an open loop from
/// the moment it was due, whether or not it could be sent then.
struct figures {
  double seconds = 0;
  double cpu_seconds = 0;    ///< of this program
  std::uint64_t offered = 0; ///< commands that were due; 0 in a closed loop
  std::uint64_t acknowledged = 0;
  std::uint64_t refused = 0;
  histogram latency; ///< of the acknowledged

  void add(const figures& other) noexcept {
    seconds += other.seconds;
    cpu_seconds += other.cpu_seconds;
    offered += other.offered;
    acknowledged += other.acknowledged;
    refused += other.refused;
    latency.add(other.latency);
  }
};

/// A run's whole outcome. A closed loop counts in an interval what was answered in it, an open loop
/// what was due in it, also when its answer came later: dropping the slowest would flatter.
struct outcome {
  load::ended ended = ended::duration;
  std::string lost; ///< what happened to the connection
  figures measured; ///< all intervals together
  std::vector<figures> intervals;
  std::uint64_t acknowledged = 0; ///< all, warm-up included
  std::uint64_t unanswered = 0;   ///< sent, and nothing heard of
  std::uint64_t unsent = 0;       ///< of an open loop: commands that were due and never in flight
  std::map<errc, refusals> by_code;
  // Of a run that sends again what an earlier one sent.
  std::uint64_t equal = 0;     ///< answered with the sequence of the record
  std::uint64_t different = 0; ///< answered otherwise: must not happen
  std::uint64_t unrecorded = 0;
};

/// One run. Blocks in `run`.
class driver {
public:
  /// `earlier` and `record_to` may be null and must outlive the driver. The progress is told each
  /// second, with what the second brought and since when it runs.
  driver(const plan& p,
         const record* earlier,
         std::FILE* record_to,
         std::function<void(double elapsed, bool warming, const figures&)> progress);
  ~driver();
  driver(const driver&) = delete;
  driver& operator=(const driver&) = delete;

  /// errc: storage_unavailable where nobody answers; validation where the server's limits are lower
  /// than what shall be in flight.
  [[nodiscard]] client::outcome<load::outcome> run();

private:
  class link;
  using clock = std::chrono::steady_clock;

  void link_ready();
  void start();
  void tick();
  void rotate();
  void start_measuring();
  void end_interval();
  void stop(load::ended why);
  void close_intervals(clock::time_point at);
  void send_due();
  void wait_until_due();
  void link_idle();
  void lose(std::string what);
  void fail(client::failure why);
  void finish();
  void write_record();

  /// From when a command counts as waiting, and when its answer was read.
  struct span {
    clock::time_point from;
    clock::time_point to;
    [[nodiscard]] std::uint64_t ns() const noexcept;
  };
  [[nodiscard]] bool is_open_loop() const noexcept { return plan_.rate.has_value(); }
  [[nodiscard]] bool is_timed() const noexcept { return !plan_.count && earlier_ == nullptr; }
  [[nodiscard]] figures* interval_of(clock::time_point when) noexcept;
  [[nodiscard]] figures* interval_of(const span& it) noexcept;
  void acknowledged(std::uint32_t connection,
                    std::uint64_t counter,
                    std::uint64_t sequence,
                    const span& waited);
  void refused(errc code, std::string_view payload, const span& waited);

  const plan& plan_;
  const record* earlier_;
  std::FILE* record_to_;
  std::function<void(double, bool, const figures&)> progress_;

  boost::asio::io_context io_{1};
  boost::asio::steady_timer second_{io_};
  boost::asio::steady_timer end_{io_};
  boost::asio::steady_timer due_{io_};
  boost::asio::signal_set signals_{io_};
  std::vector<std::string> customers_; ///< references, by number
  std::vector<std::unique_ptr<link>> links_;

  load::outcome outcome_;
  std::optional<client::failure> failed_;
  figures second_figures_; ///< since the last progress
  clock::time_point second_began_;
  clock::time_point started_;
  clock::time_point measured_from_;
  double cpu_before_ = 0;
  arrivals arrivals_;
  clock::time_point next_due_;
  std::uint32_t next_link_ = 0; ///< whose turn it is in an open loop
  std::uint32_t ready_ = 0;
  bool running_ = false;
  bool measuring_ = false;
  bool stopping_ = false;
  bool finished_ = false;
  std::string recorded_; ///< lines not written yet
  std::string id_;
};

} // namespace accrue::load
