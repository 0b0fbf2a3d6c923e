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

/// A factor as a whole number over a power of ten, so that what is multiplied keeps its scale.
struct ratio {
  decimal times = decimal(1);
  decimal over = decimal(1);
};

ratio ratio_of(const unit_conversion& c) {
  const auto whole = decimal::make(c.factor.coefficient(), 0).value();
  const auto parts = decimal::make(power_of_ten(c.factor.scale()), 0).value();
  return c.op == unit_conversion::operation::multiply ? ratio{whole, parts} : ratio{parts, whole};
}

/// Divided at once where that is exact.
measured undivided(const usage& u, const decimal& over) {
  if (over == decimal(1))
    return measured{u};
  const auto exact = [&](const decimal& d) -> std::optional<decimal> {
    const auto quotient = divide(d, over, decimal::scale_max, rounding::floor);
    const auto back = quotient.and_then([&](const decimal& q) { return multiply(q, over); });
    return back == d ? std::optional(*quotient) : std::nullopt;
  };
  const auto quantity = exact(u.quantity);
  const auto before = exact(u.before);
  return quantity && before ? measured{{*quantity, *before}} : measured{u, over};
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
  const auto [times, over] = ratio_of(*c);
  const auto quantity = multiply(metered.quantity, times);
  const auto before = multiply(metered.before, times);
  if (!quantity || !before)
    return tl::unexpected((quantity ? before : quantity).error());
  if (c->rounding == unit_conversion::rounding_mode::none)
    return undivided({*quantity, *before}, over);
  const auto rounded = [&, by = over](const decimal& d) {
    return divide(d, by, c->precision, mode_of(c->rounding));
  };
  const auto quantity_rounded = rounded(*quantity);
  const auto before_rounded = rounded(*before);
  if (!quantity_rounded || !before_rounded)
    return tl::unexpected((quantity_rounded ? before_rounded : quantity_rounded).error());
  return measured{{*quantity_rounded, *before_rounded}};
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
