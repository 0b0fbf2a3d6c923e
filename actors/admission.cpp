// When a queue stands, and how long it may be. See admission.hpp.
#include "actors/admission.hpp"

namespace accrue {

void admission::next_interval(clock::time_point now) noexcept {
  using std::chrono::nanoseconds;
  const auto passed = std::max<std::int64_t>(nanoseconds(now - since_).count(), 1);
  // Counts below 2^32 and a target below 2^31 ns: the product fits.
  const auto answers = static_cast<std::int64_t>(std::min<std::size_t>(answered_, UINT32_MAX));
  const auto in_target = answers * nanoseconds(options_.queue_target).count() / passed;
  mark_ = std::min(std::max(static_cast<std::size_t>(in_target), mark_min), options_.in_flight_max);
  shedding_ = lowest_ > mark_ || (shedding_ && pressed_);
  since_ = now;
  answered_ = 0;
  lowest_ = in_flight_;
  pressed_ = false;
}

} // namespace accrue
