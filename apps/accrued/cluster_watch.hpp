// Keeps the private PostgreSQL running while the server runs: a thread that starts it again when it
// has died. What its end means for units under way is the lanes' business.
#pragma once

#include "persistence/embedded_cluster.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace accrue {

/// Owns a running cluster. The thread looks 20 times a second, starts a dead server again at once and,
/// where that fails or the server dies again soon, after pauses that double from 0.1 to 5 seconds,
/// for as long as it takes. Every step is logged.
class cluster_watch {
public:
  explicit cluster_watch(embedded_cluster cluster);
  ~cluster_watch();
  cluster_watch(const cluster_watch&) = delete;
  cluster_watch& operator=(const cluster_watch&) = delete;

  /// One line about the server for an operator. From any thread.
  [[nodiscard]] std::string status() const;
  /// Has the thread kill a backend that no request can end. From any thread, at once.
  void kill_backend(pid_t backend);
  /// Ends the thread, an attempt to start included, then the server. Waits. Idempotent.
  result<void> stop();

private:
  void run(const std::stop_token& stopping);
  void start_again(const std::stop_token& stopping);
  void tell(std::string status);
  [[nodiscard]] pid_t next_to_kill(const std::stop_token& stopping);

  embedded_cluster cluster_; ///< the thread's while it runs
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::string status_;
  pid_t to_kill_ = 0;

  // The thread's own.
  unsigned restarts_ = 0;
  unsigned tries_ = 0; ///< since the server last ran for a while
  std::chrono::steady_clock::time_point tried_at_{};
  std::chrono::milliseconds pause_{0};
  std::string why_;

  std::jthread thread_; ///< last: everything is there when it begins
};

} // namespace accrue
