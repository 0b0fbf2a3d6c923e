// Latencies in buckets whose width grows with them: exact to 1 in 128, a fixed size, cheap to add to.
// Nothing is averaged here; a percentile is the upper end of its bucket.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace accrue::load {

class histogram {
public:
  void add(std::uint64_t value) noexcept {
    ++buckets_[place(value)];
    ++count_;
    max_ = std::max(max_, value);
  }
  void add(const histogram& other) noexcept {
    for (std::size_t i = 0; i < buckets_.size(); ++i)
      buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    max_ = std::max(max_, other.max_);
  }
  void clear() noexcept {
    std::ranges::fill(buckets_, 0);
    count_ = max_ = 0;
  }

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t max() const noexcept { return max_; }
  /// The value that this part of all, 0 to 1, does not exceed; 0 where there are none.
  [[nodiscard]] std::uint64_t at(double part) const noexcept {
    const auto rank = static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen >= std::max<std::uint64_t>(rank, 1))
        return std::min(upper_end(i), max_);
    }
    return max_;
  }

private:
  static constexpr unsigned bits = 7; ///< buckets in each doubling: 2^7

  /// Below 2^(bits+1) each value has its bucket; above, its leading bits choose it.
  static std::size_t place(std::uint64_t value) noexcept {
    const auto length = static_cast<unsigned>(std::bit_width(value));
    if (length <= bits + 1)
      return value;
    const unsigned shift = length - bits - 1;
    return (std::size_t{shift} << bits) + (value >> shift);
  }
  static std::uint64_t upper_end(std::size_t bucket) noexcept {
    if (bucket < (std::size_t{2} << bits))
      return bucket;
    const std::size_t shift = (bucket >> bits) - 1;
    const std::uint64_t leading = bucket - (shift << bits);
    return ((leading + 1) << shift) - 1;
  }

  std::vector<std::uint64_t> buckets_ = std::vector<std::uint64_t>((66 - bits) << bits);
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

} // namespace accrue::load
