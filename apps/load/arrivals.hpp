// When the requests of an open loop are due: a rate and nothing else decides it, never an answer.
// Sending them is driver.hpp's.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace accrue::load {

enum class spacing : std::uint8_t {
  poisson, ///< as from many users who do not know of each other
  even,
};

/// The pauses between requests, the same for the same seed.
class arrivals {
public:
  arrivals(double per_second, spacing how, std::uint64_t seed)
      : mean_ns_(1e9 / per_second), how_(how), random_(seed) {}

  [[nodiscard]] std::chrono::nanoseconds pause() {
    due_ns_ += how_ == spacing::even ? mean_ns_ : mean_ns_ * exponential_(random_);
    const auto whole = static_cast<std::int64_t>(due_ns_);
    due_ns_ -= static_cast<double>(whole); // what is left over belongs to the next one
    return std::chrono::nanoseconds(whole);
  }

private:
  double mean_ns_;
  spacing how_;
  double due_ns_ = 0;
  std::mt19937_64 random_;
  std::exponential_distribution<double> exponential_{1.0};
};

} // namespace accrue::load
