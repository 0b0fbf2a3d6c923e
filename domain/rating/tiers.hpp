// Where a quantity falls among tiers. What a tier costs becomes lines in line.cpp.
#pragma once

#include "domain/rating/quantity.hpp"

#include <algorithm>
#include <cstddef>

namespace accrue::rating {

/// A piece of one tier that a graduated price walks through: quantities in (from, to].
struct stretch {
  const rating::tier* tier = nullptr;
  std::size_t place = 0; ///< of the tier, from 0
  decimal from;
  decimal to;
  bool enters = false; ///< it begins its tier, which costs the flat price once
  bool billed = false; ///< it lies behind what was used before

  /// errc: overflow.
  [[nodiscard]] result<decimal> quantity() const { return subtract(to, from); }
};

/// Visits, in order, the pieces that make up [0, before + quantity], cut where the line begins.
/// `visit(const stretch&)` returns result<void>. Without any usage the tier listed first is entered
/// over an empty piece. errc: overflow, and what `visit` refuses. Source: invoicing.md 2.4.
template <class Visit>
[[nodiscard]] result<void> walk(const tiered_price& p, const measured& m, const Visit& visit) {
  const auto& from = m.undivided.before;
  const auto end = add(from, m.undivided.quantity);
  if (!end)
    return tl::unexpected(end.error());
  if (end->is_zero())
    return visit(stretch{&p.tiers[p.first_listed], 0, {}, {}, true, true});
  stretch piece;
  for (std::size_t place = 0; piece.to < *end; ++place) {
    const auto& tier = p.tiers[place];
    auto upper = *end;
    if (tier.up_to) {
      const auto bound = m.scaled(*tier.up_to);
      if (!bound)
        return tl::unexpected(bound.error());
      upper = std::min(*bound, upper);
    }
    piece = {&tier, place, piece.to, upper, true, piece.to >= from};
    if (piece.from < from && from < upper) {
      piece.to = from;
      if (auto seen = visit(piece); !seen)
        return seen;
      piece = {&tier, place, from, upper, false, true};
    }
    if (auto seen = visit(piece); !seen)
      return seen;
  }
  return {};
}

/// The tier whose price holds for all of a quantity: the first that reaches it. errc: overflow.
[[nodiscard]] result<std::size_t> volume_tier(const tiered_price& p, const measured& m);

} // namespace accrue::rating
