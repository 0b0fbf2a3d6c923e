// Lookup and definition of units of account.
#include "domain/catalog.hpp"

#include <algorithm>

namespace accrue {

result<currency> catalog::find_currency(std::string_view code) const {
  if (code.size() == 3)
    return find_iso_currency(code);
  const auto it = std::ranges::find(credit_units, code, &credit_unit::code);
  if (it == credit_units.end())
    return refuse(errc::validation, "no such currency or credit unit", std::string(code));
  return it->currency;
}

std::string_view catalog::code(accrue::currency c) const noexcept {
  if (!c.is_credit_unit())
    return iso_code(c);
  const auto place = c.number() - currency::credit_unit_base;
  return place < credit_units.size() ? std::string_view(credit_units[place].code)
                                     : std::string_view();
}

result<catalog> catalog::with_credit_unit(std::string_view code, std::uint8_t exponent) const {
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  if (code.size() < 4 || code.size() > 24 || !std::ranges::all_of(code, allowed))
    return refuse(
        errc::validation, "a credit unit's code is 4 to 24 of A-Z 0-9 _ -", std::string(code));
  if (exponent > 9)
    return refuse(errc::validation, "a credit unit has at most 9 decimals", std::string(code));
  if (std::ranges::find(credit_units, code, &credit_unit::code) != credit_units.end())
    return refuse(errc::conflict, "this credit unit is defined already", std::string(code));
  auto next = *this;
  const auto number = currency::credit_unit_base + static_cast<std::uint32_t>(credit_units.size());
  next.credit_units.push_back({std::string(code), currency(number, exponent)});
  return next;
}

} // namespace accrue
