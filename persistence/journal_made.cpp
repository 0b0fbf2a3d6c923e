// Reading what cannot be filled in field by field, because it is checked when it is made. What stands in the
// journal was, and is not judged again.
#include "persistence/journal_fields.hpp"

namespace accrue::journal {

std::optional<rating::tax_rate> read_made(field_reader& r, std::type_identity<rating::tax_rate>) {
  std::string name;
  decimal fraction;
  r(name, fraction);
  if (r.failed())
    return std::nullopt;
  return rating::tax_rate::restored(std::move(name), fraction);
}

std::optional<rating::tax> read_made(field_reader& r, std::type_identity<rating::tax>) {
  auto rate = read_made(r, std::type_identity<rating::tax_rate>());
  int128 base = 0;
  int128 amount = 0;
  r(base, amount);
  if (!rate || r.failed())
    return std::nullopt;
  return rating::tax{std::move(*rate), base, amount};
}

std::optional<rating::tariff> read_made(field_reader& r, std::type_identity<rating::tariff>) {
  rating::price::any terms;
  rating::discounts discounts;
  std::optional<rating::unit_conversion> conversion;
  r(terms, discounts, conversion);
  if (const auto* tiered = std::get_if<rating::tiered_price>(&terms);
      tiered != nullptr && tiered->first_listed >= tiered->tiers.size())
    r.fail("no tiered price");
  if (r.failed())
    return std::nullopt;
  return rating::tariff::restored(
      rating::price::restored(std::move(terms)), std::move(discounts), std::move(conversion));
}

} // namespace accrue::journal
