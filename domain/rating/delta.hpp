// What changes when a period is rated again: the difference between what it comes to now and what was
// billed of it. This is how corrections are rated, and how a charge is billed in runs (D30).
#pragma once

#include "domain/rating/line.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace accrue::rating {

/// A detailed line that was billed, under the number it is stored with.
struct billed_line {
  detailed_line line;
  std::uint64_t id = 0;
};

/// A line of the difference. Its quantity and its amounts may be negative.
struct delta_line {
  detailed_line line;
  /// The billed line that is taken back, because nothing is charged at its price any more.
  std::optional<std::uint64_t> reverses;

  friend bool operator==(const delta_line&, const delta_line&) = default;
};

/// `now` less all that was billed before, credits left out on both sides. Lines of the same reference,
/// term and price are subtracted from each other; a price that is new stands whole, one that is gone
/// is reversed, behind the others. Lines that come to nothing are left out. The amounts of `billed` and of the
/// difference always sum to those of `now`: only cumulative amounts were rounded. errc: overflow.
/// Source: charges.md 10.2.
[[nodiscard]] result<std::vector<delta_line>> difference(std::span<const detailed_line> now,
                                                         std::span<const billed_line> billed);

} // namespace accrue::rating
