// The connection that reads: answers in order, a bounded number under way, over to a new connection
// when it is lost. Which statements there are is up to the store.
#pragma once

#include "domain/result.hpp"
#include "persistence/pg.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace accrue {

struct pg_reader_options {
  std::string conninfo{};
  std::vector<pg::statement> statements{};
  std::size_t client_reads_max = 4096;      ///< under way at once, of those that clients cause
  std::chrono::milliseconds timeout{5000};  ///< of a read, its second try included
  std::chrono::milliseconds patience{2000}; ///< without any answer so long: new reads are refused
};

/// Who is to blame for a read. Those of the engine are few by themselves (a page a shard) and are
/// never refused because there are too many.
enum class read_cause : std::uint8_t { client, engine };

/// A read is one pipeline and sees one moment. It is sent a second time where the connection was lost
/// under it, so it must be one that may run twice. Refusals: `overloaded` above the limit,
/// `storage_unavailable` while the database is away or hangs, and at the timeout.
class pg_reader {
public:
  /// The prepared statements of a pipeline with their parameters.
  using statements = std::vector<std::pair<const char*, std::shared_ptr<const pg::parameters>>>;
  using answered = std::function<void(result<std::vector<pg::result>>)>;

  pg_reader(boost::asio::io_context& io, pg_reader_options options);

  /// Connects, and again whenever the connection is lost, until `stop`. On the io thread or before it
  /// runs, both.
  void start();
  void stop();
  /// Answers on the io thread. From any thread.
  void read(read_cause cause, statements what, answered done);

private:
  using clock = std::chrono::steady_clock;
  enum class mode : std::uint8_t { connecting, open, away, stopped };
  struct request {
    statements what;
    answered done;
    clock::time_point deadline;
    bool counted; ///< against the limit
    bool again;   ///< it was sent before
  };

  void connect();
  void connect_after_pause();
  void connected(const pg::outcome<void>& ok);
  void lost();
  void take(request r);
  void send(request r);
  void finish(request& r, result<std::vector<pg::result>> answer);

  boost::asio::io_context& io_;
  pg_reader_options options_;
  pg::connection connection_;
  boost::asio::steady_timer pause_;
  mode mode_ = mode::connecting;
  clock::time_point connected_at_{};
  bool failed_before_ = false;  ///< the last attempt to connect
  std::deque<request> waiting_; ///< for the connection that is being made
  std::size_t sent_ = 0;        ///< and not answered
  std::optional<clock::time_point> unanswered_since_;
  std::atomic<std::size_t> counted_{0};
};

} // namespace accrue
