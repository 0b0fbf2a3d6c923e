// The watching thread. See cluster_watch.hpp.
#include "apps/accrued/cluster_watch.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace accrue {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto look_every = 50ms;
constexpr auto first_pause = 100ms;
constexpr auto longest_pause = 5000ms;
constexpr auto runs_well_after = 60s; ///< so long after a start its end is a new story
constexpr unsigned tries_that_pass = 10;

} // namespace

cluster_watch::cluster_watch(embedded_cluster cluster)
    : cluster_(std::move(cluster)),
      status_(fmt::format("running as process {}", cluster_.server_pid())),
      thread_([this](const std::stop_token& stopping) { run(stopping); }) {}

cluster_watch::~cluster_watch() { (void)stop(); }

std::string cluster_watch::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void cluster_watch::tell(std::string status) {
  const std::lock_guard lock(mutex_);
  status_ = std::move(status);
}

void cluster_watch::kill_backend(pid_t backend) {
  const std::lock_guard lock(mutex_);
  to_kill_ = backend;
  changed_.notify_all();
}

result<void> cluster_watch::stop() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  return cluster_.stop();
}

// What it was asked to kill, or 0 after the time to look again.
pid_t cluster_watch::next_to_kill(const std::stop_token& stopping) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stopping, look_every, [this] { return to_kill_ != 0; });
  return std::exchange(to_kill_, 0);
}

void cluster_watch::run(const std::stop_token& stopping) {
  while (!stopping.stop_requested()) {
    if (const pid_t doomed = next_to_kill(stopping); doomed != 0) {
      spdlog::warn("PostgreSQL's process {} hangs and holds up a lane: it is killed", doomed);
      cluster_.kill_backend(doomed);
    }
    const auto since = clock::now() - tried_at_;
    if (cluster_.is_running()) {
      if (tries_ != 0 && since >= runs_well_after) {
        tries_ = 0;
        pause_ = {};
      }
    } else if (since >= pause_ && !stopping.stop_requested()) {
      start_again(stopping);
    }
  }
}

void cluster_watch::start_again(const std::stop_token& stopping) {
  if (why_.empty())
    why_ = tries_ == 0 ? "it ended by itself" : "it ended soon after its start";
  spdlog::error("PostgreSQL is not running: {}. Try {} to start it", why_, ++tries_);
  tell(fmt::format("{}, try {} to start it: {}",
                   tries_ > tries_that_pass ? "does not start" : "away",
                   tries_,
                   why_.substr(0, why_.find('\n'))));
  pause_ = std::clamp(pause_ * 2, first_pause, longest_pause);
  const auto started = cluster_.start_again(stopping);
  tried_at_ = clock::now();
  why_ = started ? std::string() : started.error().text;
  if (!started)
    return;
  ++restarts_;
  spdlog::warn("PostgreSQL runs again, as process {}", cluster_.server_pid());
  tell(fmt::format(
      "running as process {}, started again {} times", cluster_.server_pid(), restarts_));
}

} // namespace accrue
