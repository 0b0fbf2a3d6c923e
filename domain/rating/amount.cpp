// Prices times quantities, percentages and fractions of amounts, as whole minor units.
#include "domain/rating/amount.hpp"

#include <algorithm>

namespace accrue::rating {

namespace {

result<int128> within_limit(const result<money>& m) {
  if (!m)
    return tl::unexpected(m.error());
  if (m->minor > amount_max || m->minor < -amount_max)
    return refuse(errc::overflow, "The amount of a line is too large.");
  return m->minor;
}

} // namespace

result<int128> amount_of(const decimal& per_unit,
                         const decimal& quantity,
                         const std::optional<decimal>& divisor,
                         currency c) {
  if (!divisor)
    return within_limit(rounded_product(per_unit, quantity, c));
  const int shift = c.exponent() + divisor->scale() - per_unit.scale() - quantity.scale();
  const auto numerator = checked_mul(per_unit.coefficient(), power_of_ten(std::max(shift, 0)));
  const auto denominator = checked_mul(divisor->coefficient(), power_of_ten(std::max(-shift, 0)));
  if (!numerator || !denominator)
    return refuse(errc::overflow, "The price of a converted quantity has too many digits.");
  return within_limit(multiply_ratio({*numerator, c}, quantity.coefficient(), *denominator));
}

result<int128> amount_of(const decimal& value, currency c) {
  return within_limit(rounded_money(value, c));
}

result<int128> percentage_of(int128 amount, const decimal& percentage, currency c) {
  const int128 hundred = 100 * power_of_ten(percentage.scale());
  return within_limit(multiply_ratio({amount, c}, percentage.coefficient(), hundred));
}

result<int128> fraction_of(int128 amount, const decimal& fraction, currency c) {
  return within_limit(multiply({amount, c}, fraction, c));
}

} // namespace accrue::rating
