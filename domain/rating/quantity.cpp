// Conversion of units, quantities free of charge, packages.
#include "domain/rating/quantity.hpp"

#include "domain/money.hpp"

#include <algorithm>

namespace accrue::rating {

namespace {

/// Digits after the point of a quotient that is shown.
constexpr int shown_scale = 16;

rounding mode_of(unit_conversion::rounding_mode m) {
  switch (m) {
  case unit_conversion::rounding_mode::ceiling:
    return rounding::ceiling;
  case unit_conversion::rounding_mode::floor:
    return rounding::floor;
  case unit_conversion::rounding_mode::none:
  case unit_conversion::rounding_mode::half_up:
    break;
  }
  return rounding::half_away;
}

result<decimal> converted(const decimal& quantity, const unit_conversion& c) {
  using enum unit_conversion::operation;
  if (c.op == divide)
    return accrue::divide(quantity, c.factor, c.precision, mode_of(c.rounding));
  auto product = accrue::multiply(quantity, c.factor);
  if (!product || c.rounding == unit_conversion::rounding_mode::none)
    return product;
  return accrue::divide(*product, decimal(1), c.precision, mode_of(c.rounding));
}

} // namespace

result<decimal> measured::scaled(const decimal& quantity) const {
  return divisor ? multiply(quantity, *divisor) : quantity;
}

result<decimal> measured::shown(const decimal& quantity) const {
  return divisor ? divide(quantity, *divisor, shown_scale, rounding::half_away) : quantity;
}

result<measured> convert(const usage& metered, const std::optional<unit_conversion>& c) {
  if (!c)
    return measured{metered};
  if (c->op == unit_conversion::operation::divide &&
      c->rounding == unit_conversion::rounding_mode::none)
    return measured{metered, c->factor};
  auto quantity = converted(metered.quantity, *c);
  if (!quantity)
    return tl::unexpected(quantity.error());
  auto before = converted(metered.before, *c);
  if (!before)
    return tl::unexpected(before.error());
  return measured{{*quantity, *before}};
}

result<std::optional<discounted_usage>> take_discount(measured& m, const decimal& free) {
  const auto available = m.scaled(free);
  if (!available)
    return tl::unexpected(available.error());
  auto& [quantity, before] = m.undivided;
  const auto from_before = std::min(*available, before);
  const auto rest = subtract(*available, from_before);
  if (!rest)
    return tl::unexpected(rest.error());
  const auto from_line = std::min(*rest, quantity);
  const auto before_left = subtract(before, from_before);
  const auto quantity_left = subtract(quantity, from_line);
  const auto shown_line = m.shown(from_line);
  const auto shown_before = m.shown(from_before);
  if (!before_left || !quantity_left || !shown_line || !shown_before)
    return refuse(errc::overflow, "The quantity free of charge has too many digits.");
  before = *before_left;
  quantity = *quantity_left;
  if (from_line.is_zero())
    return std::nullopt;
  return discounted_usage{*shown_line, *shown_before};
}

result<decimal> packages_begun(const decimal& quantity, const decimal& size) {
  return divide(quantity, size, 0, rounding::ceiling);
}

} // namespace accrue::rating
