// Quantities on their way from the meter to the price: converted, then freed of what costs nothing.
// What they cost is in line.hpp.
#pragma once

#include "domain/rating/price.hpp"

#include <optional>

namespace accrue::rating {

/// What was metered. Neither is ever negative: a correction is the difference of two ratings (D30).
struct usage {
  decimal quantity; ///< within the line's period
  decimal before;   ///< within the full period, before the line's

  friend bool operator==(const usage&, const usage&) = default;
};

/// Quantities to be priced, each of them still to be divided by `divisor` where there is one. The
/// division of a conversion that does not round is left to the end, so that the amount is rounded
/// once (D2).
struct measured {
  usage undivided;
  std::optional<decimal> divisor = {}; ///< a whole number above 1

  /// A bound, package or discount in the same terms. errc: overflow.
  [[nodiscard]] result<decimal> scaled(const decimal& quantity) const;
  /// The quotient as people read it: exact, or with 16 digits after the point. errc: overflow.
  [[nodiscard]] result<decimal> shown(const decimal& quantity) const;
};

/// Line and earlier quantity are converted, and rounded, each for itself. errc: overflow.
[[nodiscard]] result<measured> convert(const usage& metered,
                                       const std::optional<unit_conversion>& c);

/// What a usage discount took from a line.
struct discounted_usage {
  decimal quantity; ///< from the line
  decimal before;   ///< used up before it

  friend bool operator==(const discounted_usage&, const discounted_usage&) = default;
};

/// Takes what is free of charge off the earlier quantity first, then off the line's. Empty when
/// nothing is left for the line. errc: overflow.
[[nodiscard]] result<std::optional<discounted_usage>> take_discount(measured& m,
                                                                    const decimal& free);

/// How many packages are begun by a quantity. size > 0. errc: overflow.
[[nodiscard]] result<decimal> packages_begun(const decimal& quantity, const decimal& size);

} // namespace accrue::rating
