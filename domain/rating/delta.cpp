// Subtracting rated lines from each other.
#include "domain/rating/delta.hpp"

#include <algorithm>

namespace accrue::rating {

namespace {

/// Whether both have the same reference, term and price. The reference of a volume price is the same
/// in all its tiers.
bool same_price(const detailed_line& a, const detailed_line& b) {
  const bool tier_told =
      a.what == component::graduated_usage || a.what == component::graduated_flat;
  return a.what == b.what && (!tier_told || a.tier == b.tier) && a.term == b.term &&
         a.per_unit == b.per_unit;
}

/// `sum` less `line`, without credits; a discount that either has, the difference has too.
result<void> take_off(detailed_line& sum, const detailed_line& line) {
  const auto quantity = subtract(sum.quantity, line.quantity);
  if (!quantity)
    return tl::unexpected(quantity.error());
  const auto less = [](std::optional<int128>& a, const std::optional<int128>& b) {
    if (b)
      a = a.value_or(0) - *b;
  };
  sum.quantity = *quantity;
  sum.amount -= line.amount;
  less(sum.percentage_discount, line.percentage_discount);
  less(sum.maximum_discount, line.maximum_discount);
  return {};
}

bool is_nothing(const delta_line& d) {
  return d.line.amount == 0 && d.line.percentage_discount.value_or(0) == 0 &&
         d.line.maximum_discount.value_or(0) == 0;
}

} // namespace

result<std::vector<delta_line>> difference(std::span<const detailed_line> now,
                                           std::span<const billed_line> billed) {
  std::vector<delta_line> out;
  for (const auto& line : now) {
    out.push_back({line, {}});
    out.back().line.credits = 0;
  }
  for (const auto& [line, id] : billed) {
    auto at = std::ranges::find_if(
        out, [&like = line](const delta_line& d) { return same_price(d.line, like); });
    if (at == out.end()) {
      auto none = line;
      none.quantity = {};
      none.amount = 0;
      none.percentage_discount.reset();
      none.maximum_discount.reset();
      none.credits = 0;
      at = out.insert(out.end(), {none, id});
    }
    if (auto taken = take_off(at->line, line); !taken)
      return tl::unexpected(taken.error());
  }
  std::erase_if(out, is_nothing);
  return out;
}

} // namespace accrue::rating
