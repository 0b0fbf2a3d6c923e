// Arithmetic of the reference model: minor units, rounding, shares, and which feature may use what. Its own,
// so that the engine's is checked and not repeated.
#pragma once

#include "domain/commands.hpp"
#include "domain/decimal.hpp"
#include "domain/money.hpp"
#include "domain/time.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace accrue::histories {

inline constexpr int128 amount_limit = int128{1} << 100;

inline int128 ten_to(int n) {
  int128 p = 1;
  for (; n > 0; --n)
    p *= 10;
  return p;
}

/// A quotient, half away from zero (D1).
inline int128 rounded(int128 numerator, int128 divisor) {
  const auto magnitude = numerator < 0 ? -numerator : numerator;
  const auto quotient = (magnitude + divisor / 2) / divisor;
  return numerator < 0 ? -quotient : quotient;
}

/// Whole minor units: exact, or rounded (D2).
inline std::optional<int128> minor_units(const decimal& d, currency c, bool rounds) {
  const int digits = c.exponent() - d.scale();
  if (digits >= 0)
    return d.coefficient() * ten_to(digits);
  if (!rounds)
    return std::nullopt;
  return rounded(d.coefficient(), ten_to(-digits));
}

/// Largest remainder, ties to the earlier (D10). `total` is not above the sum of the weights.
inline std::vector<int128> shares(int128 total, const std::vector<int128>& weights) {
  int128 all = 0;
  for (const auto w : weights)
    all += w;
  std::vector<int128> parts;
  std::vector<std::size_t> order(weights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  auto rest = total;
  for (const auto w : weights) {
    parts.push_back(all == 0 ? 0 : total * w / all);
    rest -= parts.back();
  }
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return total * weights[a] % all > total * weights[b] % all;
  });
  for (std::size_t n = 0; rest > 0; ++n, --rest)
    ++parts[order[n]];
  return parts;
}

inline std::vector<std::string> sorted(const std::vector<std::string>& features) {
  std::set<std::string> once(features.begin(), features.end());
  return {once.begin(), once.end()};
}

/// Whether credit of these features may be used for this one, or by what has none.
inline bool pays(const std::vector<std::string>& features, std::string_view feature) {
  return features.empty() || std::ranges::find(features, feature) != features.end();
}

/// balances.md 1.5.
inline bool in_view(const std::vector<std::string>& features,
                    const command::feature_filter& filter) {
  if (filter.view == command::feature_view::all)
    return true;
  return filter.view == command::feature_view::unrestricted ? features.empty()
                                                            : pays(features, filter.feature);
}

inline instant whole_seconds(instant t) {
  auto seconds = t.ns / ns_per_second;
  if (t.ns % ns_per_second < 0)
    --seconds;
  return {seconds * ns_per_second};
}

} // namespace accrue::histories
