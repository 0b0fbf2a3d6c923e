// Who may come in: the one rule that bounds what is in flight, as plain counts.
// No socket, no thread, and the time is an argument. See docs/decisions/0008-admission.md.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace accrue {

struct admission_options {
  /// Commands of all connections without an answer, at most: what a burst or a pause of the store may pile up.
  std::size_t in_flight_max = 8192;
  /// How long those in flight may wait, beside the time that the store takes for a commit, once they queue
  /// for longer than a burst does.
  std::chrono::milliseconds queue_target{2};
};

/// Bounds the commands in flight by what is answered in `queue_target` and one commit, at the rate measured, and
/// shares them out. What a commit takes is told by the answers, which come together: it is the longest time
/// between two of them.
///
/// A burst may fill `in_flight_max`. Where the queue has stood above its mark for a whole interval it is
/// overload and no burst: from then on only the mark's worth is let in, until an interval passes without a
/// refusal. Whoever holds commands in flight may have as many as are still free, so one flood takes half at most,
/// n floods leave one part of n + 1 free, and who asks gently finds room.
class admission {
public:
  using clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds interval{100};
  /// What takes longer is no commit but a store that stands still, and no reason to let more in.
  static constexpr std::chrono::seconds longest_commit{1};
  /// The mark is never below: what keeps a lane's batches full, also one that has just stood still.
  static constexpr std::size_t mark_min = 1024;

  explicit admission(admission_options options) : options_(options) {}

  /// Commands that may be in flight now.
  [[nodiscard]] std::size_t limit() const noexcept {
    return shedding_ ? mark_ : options_.in_flight_max;
  }
  /// Whether one who has `held` commands in flight (a connection, a customer) may have one more. Who has none
  /// is no part of the queue, and let in while there is any room at all.
  [[nodiscard]] bool admits(std::size_t held) const noexcept {
    const auto bound = held == 0 ? options_.in_flight_max : limit();
    return in_flight_ < bound && held < bound - in_flight_;
  }
  /// An operator's question, which also has to get through when all is full.
  [[nodiscard]] bool admits_operator(std::size_t held) const noexcept {
    return held < operator_held_max || admits(held);
  }
  void admitted() noexcept {
    if (in_flight_++ == 0)
      waiting_since_ = now_;
  }
  void answered() noexcept {
    --in_flight_;
    ++answered_;
    lowest_ = std::min(lowest_, in_flight_);
  }
  void refused() noexcept { pressed_ = true; }
  /// Tells the time, before commands are admitted and after they are answered.
  void at(clock::time_point now) noexcept {
    now_ = now;
    if (answered_ != told_) {
      told_ = answered_;
      longest_wait_ = std::max(longest_wait_, now - waiting_since_);
      waiting_since_ = now;
    }
    // An interval lasts until something was answered: a commit that takes longer is still one commit.
    if (const auto passed = now - since_;
        passed >= interval && (answered_ != 0 || in_flight_ == 0 || passed >= longest_commit))
      next_interval();
  }

  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
  /// Whether the queue stands, and is being kept at its mark.
  [[nodiscard]] bool shedding() const noexcept { return shedding_; }

private:
  static constexpr std::size_t operator_held_max = 8;
  void next_interval() noexcept;

  admission_options options_;
  std::size_t in_flight_ = 0;
  bool shedding_ = false;
  std::size_t mark_ = mark_min;
  clock::time_point now_;
  clock::time_point
      waiting_since_; ///< of those in flight: since the last answer, or since there are any
  // Of the present interval.
  clock::time_point since_;
  std::size_t answered_ = 0;
  std::size_t told_ = 0;            ///< of `answered_`, when the time was last told
  clock::duration longest_wait_{0}; ///< for an answer
  std::size_t lowest_ = 0;          ///< in flight
  bool pressed_ = false;            ///< somebody was refused
};

} // namespace accrue
