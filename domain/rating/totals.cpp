// Adding totals; the tax of an invoice.
#include "domain/rating/totals.hpp"

#include "domain/rating/amount.hpp"

#include <utility>

namespace accrue::rating {

totals& totals::operator+=(const totals& other) noexcept {
  amount += other.amount;
  charges += other.charges;
  discounts += other.discounts;
  taxes_inclusive += other.taxes_inclusive;
  taxes_exclusive += other.taxes_exclusive;
  credits += other.credits;
  return *this;
}

result<tax_rate> tax_rate::make(std::string name, decimal fraction) {
  if (fraction.is_negative() || fraction > decimal(1))
    return refuse(
        errc::validation, "A tax rate is a fraction from 0 to 1: 0.1 is 10 %.", "tax_rate");
  if (name.empty())
    return refuse(errc::validation, "A tax has a name that stands on the invoice.", "tax_name");
  return tax_rate(std::move(name), fraction);
}

result<std::optional<tax>>
tax_on(const totals& lines, const std::optional<tax_rate>& rate, currency c) {
  const int128 base = lines.total() - lines.taxes_exclusive;
  if (!rate || base <= 0)
    return std::nullopt;
  return fraction_of(base, rate->fraction(), c).map([&](int128 amount) {
    return std::optional<tax>(tax{*rate, base, amount});
  });
}

totals with_tax(totals lines, const std::optional<tax>& t) noexcept {
  if (t)
    lines.taxes_exclusive += t->amount;
  return lines;
}

} // namespace accrue::rating
