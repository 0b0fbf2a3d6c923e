// Names, references and reasons of rated lines.
#include "domain/rating/texts.hpp"

#include "domain/rating/amount.hpp"

namespace accrue::rating {

std::string name_of(const detailed_line& d, std::string_view line_name) {
  std::string text(line_name);
  switch (d.what) {
  case component::flat:
    return text;
  case component::unit_usage:
  case component::usage:
    return text += ": usage in period";
  case component::volume_flat:
  case component::graduated_flat:
    text += ": flat price for tier ";
    break;
  case component::volume_usage:
    text += ": unit price for tier ";
    break;
  case component::graduated_usage:
    text += ": usage price for tier ";
    break;
  case component::minimum_spend:
    return text += ": minimum spend";
  }
  return text += std::to_string(d.tier);
}

std::string child_reference(const detailed_line& d) {
  switch (d.what) {
  case component::flat:
    return "flat-price";
  case component::unit_usage:
    return "unit-price-usage";
  case component::usage:
    return "usage";
  case component::volume_flat:
    return "volume-flat-price";
  case component::volume_usage:
    return "volume-tiered-price";
  case component::graduated_usage:
    return "graduated-tiered-" + std::to_string(d.tier) + "-price-usage";
  case component::graduated_flat:
    return "graduated-tiered-" + std::to_string(d.tier) + "-flat-price";
  case component::minimum_spend:
    return "min-spend";
  }
  return {};
}

std::string child_reference(const delta_line& d) {
  auto text = child_reference(d.line);
  if (d.reverses)
    text += "#correction:detailed_line_id=" + std::to_string(*d.reverses);
  return text;
}

std::string_view category_of(const detailed_line& d) noexcept {
  return d.is_commitment() ? "commitment" : "regular";
}

period period_of(const detailed_line& d, const line& l) noexcept {
  return d.is_commitment() ? l.full_period() : l.period;
}

std::string discount_reference(std::string_view correlation_id) {
  return "rateCardDiscount/correlationID=" + std::string(correlation_id);
}

result<std::string> maximum_description(const decimal& maximum, currency c) {
  const auto amount = amount_of(maximum, c);
  if (!amount)
    return tl::unexpected(amount.error());
  return to_decimal({*amount, c}).map([](const decimal& shown) {
    return "Maximum spend discount for charges over " + shown.to_string();
  });
}

} // namespace accrue::rating
