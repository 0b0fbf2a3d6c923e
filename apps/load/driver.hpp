// The closed loop: connections that send the next request when one is answered, on one thread.
// What is sent is plan.hpp's; how the figures are shown is report.hpp's.
#pragma once

#include "apps/load/histogram.hpp"
#include "apps/load/plan.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace accrue::load {

enum class ended : std::uint8_t { duration, count, interrupted, connection_lost };

/// How often a code came, and one example of what was said with it.
struct refusals {
  std::uint64_t count = 0;
  std::string example;
};

/// Figures of an interval or a whole run. Latencies are in nanoseconds, from the moment a request is
/// handed to the socket to the moment its answer is read.
struct figures {
  double seconds = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t refused = 0;
  histogram latency; ///< of the acknowledged
};

/// A run's whole outcome. `measured` is without the warm-up and without what came after the end.
struct outcome {
  load::ended ended = ended::duration;
  std::string lost; ///< what happened to the connection
  figures measured;
  double cpu_seconds = 0;         ///< of this program, while it measured
  std::uint64_t acknowledged = 0; ///< all, warm-up included
  std::uint64_t unanswered = 0;   ///< sent, and nothing heard of
  std::array<refusals, 256> by_code;
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
  void stop(load::ended why);
  void link_idle();
  void lose(std::string what);
  void fail(client::failure why);
  void finish();
  void write_record();

  void acknowledged(std::uint32_t connection,
                    std::uint64_t counter,
                    std::uint64_t sequence,
                    std::uint64_t latency_ns);
  void refused(errc code, std::string_view payload);

  const plan& plan_;
  const record* earlier_;
  std::FILE* record_to_;
  std::function<void(double, bool, const figures&)> progress_;

  boost::asio::io_context io_{1};
  boost::asio::steady_timer second_{io_};
  boost::asio::steady_timer end_{io_};
  boost::asio::signal_set signals_{io_};
  std::vector<std::string> customers_; ///< references, by number
  std::vector<std::unique_ptr<link>> links_;

  load::outcome outcome_;
  std::optional<client::failure> failed_;
  figures interval_;
  clock::time_point started_;
  clock::time_point interval_began_;
  double cpu_before_ = 0;
  std::uint32_t ready_ = 0;
  bool running_ = false;
  bool measuring_ = false;
  bool stopping_ = false;
  bool finished_ = false;
  std::string recorded_; ///< lines not written yet
  std::string id_;
};

} // namespace accrue::load
