// When a queue stands, and how long it may be. See admission.hpp.
#include "actors/admission.hpp"

namespace accrue {
void admission::next_interval() noexcept {
  using seconds = std::chrono::duration<double>;
  const auto rate = static_cast<double>(answered_) / seconds(now_ - since_).count();
  const auto in_target = rate * seconds(std::min<clock::duration>(longest_wait_, longest_commit) +
                                        options_.queue_target)
                                    .count();
  // Not std::clamp: an operator may set the limit below the lowest mark.
  mark_ = std::min(std::max(static_cast<std::size_t>(in_target), mark_min), options_.in_flight_max);
  shedding_ = lowest_ > mark_ || (shedding_ && pressed_);
  since_ = now_;
  answered_ = 0;
  told_ = 0;
  longest_wait_ = {};
  lowest_ = in_flight_;
  pressed_ = false;
}

} // namespace accrue
