// Builders for tests of rating: prices and lines by their texts, and rated lines as one text each.
// What is expected stands in the tests.
#pragma once

#include "domain/rating/line.hpp"
#include "domain/rating/texts.hpp"
#include "tests/domain/support.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace accrue::testing {

/// 840, 392 and 414 of ISO 4217, the contract unit of Uruguay, and a credit unit.
inline const std::vector<currency> of_each_exponent{
    {392, 0}, {840, 2}, {414, 3}, {927, 4}, {1000, 9}};

inline std::optional<decimal> maybe(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(dec(text));
}

/// "" stands for none.
inline rating::tier tier(std::string_view up_to, std::string_view flat, std::string_view unit) {
  return {maybe(up_to), maybe(flat), maybe(unit)};
}

inline rating::commitments between(std::string_view minimum, std::string_view maximum) {
  return {maybe(minimum), maybe(maximum)};
}

inline rating::price made(rating::price::any terms) {
  return rating::price::make(std::move(terms)).value();
}

inline rating::price per_unit(std::string_view amount, rating::commitments c = {}) {
  return made(rating::unit_price{dec(amount), std::move(c)});
}

inline rating::price
tiered(rating::tier_mode mode, std::vector<rating::tier> tiers, rating::commitments c = {}) {
  return made(rating::tiered_price{mode, std::move(tiers), std::move(c)});
}

inline rating::price graduated(std::vector<rating::tier> tiers, rating::commitments c = {}) {
  return tiered(rating::tier_mode::graduated, std::move(tiers), std::move(c));
}

inline rating::price volume(std::vector<rating::tier> tiers, rating::commitments c = {}) {
  return tiered(rating::tier_mode::volume, std::move(tiers), std::move(c));
}

inline rating::tariff
agreed(rating::price p, rating::discounts d = {}, std::optional<rating::unit_conversion> c = {}) {
  return rating::tariff::make(std::move(p), std::move(d), c).value();
}

inline rating::discounts percent_off(std::string_view percentage) {
  return {rating::percentage_discount{dec(percentage), "p"}, {}};
}

inline rating::discounts free_units(std::string_view quantity) {
  return {{}, rating::usage_discount{dec(quantity), "u"}};
}

/// January 2026, not split.
inline rating::line january(std::string_view quantity, currency c = usd) {
  rating::line l;
  l.period = from_to("2026-01-01", "2026-02-01");
  l.currency = c;
  l.usage.quantity = dec(quantity);
  return l;
}

/// A part of January.
inline rating::line part_of_january(std::string_view from,
                                    std::string_view to,
                                    std::string_view quantity,
                                    std::string_view before) {
  auto l = january(quantity);
  l.split_of = l.period;
  l.period = from_to(from, to);
  l.usage.before = dec(before);
  return l;
}

/// "unit-price-usage 5 x 10 = 50.00", then what was taken off: " -20.00% -5.00max -3.00credit".
inline std::string text_of(const rating::detailed_line& d, currency c) {
  const auto amount = [&](int128 minor) { return to_string(money{minor, c}); };
  auto text = rating::child_reference(d) + " " + d.quantity.to_string() + " x " +
              d.per_unit.to_string() + " = " + amount(d.amount);
  if (d.percentage_discount)
    text += " -" + amount(*d.percentage_discount) + "%";
  if (d.maximum_discount)
    text += " -" + amount(*d.maximum_discount) + "max";
  if (d.credits != 0)
    text += " -" + amount(d.credits) + "credit";
  return text;
}

inline lines rated(const rating::tariff& t, const rating::line& l, const rating::options& o = {}) {
  const auto out = rating::rate(t, l, o);
  if (!out)
    return {std::string(to_string(out.error().code)) + " " + out.error().subject};
  lines texts;
  for (const auto& d : out->lines)
    texts.push_back(text_of(d, l.currency));
  return texts;
}

inline std::string total(const rating::tariff& t, const rating::line& l) {
  return to_string(money{rating::rate(t, l).value().totals.total(), l.currency});
}

} // namespace accrue::testing
