// Checks of prices, discounts and conversions when they are made.
// Nothing is rated here.
#include "domain/rating/price.hpp"

#include <algorithm>
#include <numeric>

namespace accrue::rating {

namespace {

tl::unexpected<refusal> wrong(std::string field, std::string text) {
  return refuse(errc::validation, std::move(text), std::move(field));
}

result<void> not_negative(const decimal& value, const char* field) {
  if (value.is_negative())
    return wrong(field, "A price cannot be negative; give a discount instead.");
  return {};
}

result<void> check(const commitments& c) {
  if (c.minimum && c.minimum->is_negative())
    return wrong("commitments.minimum_amount", "A minimum cannot be negative.");
  if (c.maximum && c.maximum->is_negative())
    return wrong("commitments.maximum_amount", "A maximum cannot be negative.");
  const bool both = c.minimum && c.maximum && !c.minimum->is_zero() && !c.maximum->is_zero();
  if (both && *c.minimum > *c.maximum)
    return wrong("commitments.minimum_amount", "The minimum must not be above the maximum.");
  return {};
}

result<void> check(flat_price& p) { return not_negative(p.amount, "amount"); }

result<void> check(unit_price& p) {
  return not_negative(p.amount, "amount").and_then([&] { return check(p.commitments); });
}

result<void> check(package_price& p) {
  if (p.size <= decimal())
    return wrong("quantity_per_package", "A package holds more than 0 units.");
  return not_negative(p.amount, "amount").and_then([&] { return check(p.commitments); });
}

result<void> check(dynamic_price& p) {
  return not_negative(p.multiplier, "multiplier").and_then([&] { return check(p.commitments); });
}

bool below(const tier& a, const tier& b) {
  if (!a.up_to || !b.up_to)
    return a.up_to.has_value() && !b.up_to;
  return *a.up_to < *b.up_to;
}

result<void> check(const tier& t, const std::string& place) {
  if (!t.flat && !t.unit)
    return wrong(place, "Each tier has a flat price, a unit price, or both.");
  if (t.up_to && *t.up_to <= decimal())
    return wrong(place + ".up_to_amount", "A tier's upper bound is above 0.");
  if (t.flat && t.flat->is_negative())
    return wrong(place + ".flat_price", "A price cannot be negative; give a discount instead.");
  if (t.unit && t.unit->is_negative())
    return wrong(place + ".unit_price", "A price cannot be negative; give a discount instead.");
  return {};
}

/// Checks the tiers and puts them in order.
result<void> check(tiered_price& p) {
  const auto place = [](std::size_t i) { return "tiers[" + std::to_string(i) + "]"; };
  for (std::size_t i = 0; i < p.tiers.size(); ++i)
    if (auto fine = check(p.tiers[i], place(i)); !fine)
      return fine;
  const auto open = std::ranges::count_if(p.tiers, [](const tier& t) { return !t.up_to; });
  if (open != 1)
    return wrong("tiers", "Exactly one tier is open-ended: leave out the bound of the last one.");
  std::vector<std::size_t> order(
      p.tiers.size()); // the sort is stable: of two, the second is at fault
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return below(p.tiers[a], p.tiers[b]);
  });
  const auto same = std::ranges::adjacent_find(
      order, {}, [&](std::size_t i) -> const auto& { return p.tiers[i].up_to; });
  if (same != order.end())
    return wrong(place(*std::next(same)) + ".up_to_amount",
                 "Two tiers have the same upper bound; give each its own.");
  std::vector<tier> sorted;
  sorted.reserve(order.size());
  for (const auto i : order)
    sorted.push_back(p.tiers[i]);
  p.tiers = std::move(sorted);
  p.first_listed = static_cast<std::size_t>(std::ranges::find(order, 0U) - order.begin());
  return check(p.commitments);
}

} // namespace

result<price> price::make(any terms) {
  if (auto fine = std::visit([](auto& t) { return check(t); }, terms); !fine)
    return tl::unexpected(fine.error());
  return price(std::move(terms));
}

const commitments* price::commitments() const noexcept {
  return std::visit(
      [](const auto& t) -> const rating::commitments* {
        if constexpr (requires { t.commitments; })
          return &t.commitments;
        else
          return nullptr;
      },
      terms_);
}

bool price::may_be_split() const noexcept {
  const auto* tiered = std::get_if<tiered_price>(&terms_);
  return !is_flat() && (tiered == nullptr || tiered->mode == tier_mode::graduated);
}

payment_term price::term() const noexcept {
  const auto* flat = std::get_if<flat_price>(&terms_);
  return flat != nullptr ? flat->term : payment_term::in_arrears;
}

std::string_view type_name(const price& p) noexcept {
  constexpr std::string_view names[] = {"flat", "unit", "tiered", "package", "dynamic"};
  return names[p.terms().index()];
}

result<tariff>
tariff::make(rating::price p, rating::discounts d, std::optional<unit_conversion> c) {
  if (d.percentage &&
      (d.percentage->percentage.is_negative() || d.percentage->percentage > decimal(100)))
    return wrong("discounts.percentage", "A discount is 0 to 100 percent.");
  if (d.usage && p.is_flat())
    return wrong("discounts.usage", "A flat price has no usage to discount.");
  if (d.usage && d.usage->quantity.is_negative())
    return wrong("discounts.usage", "A quantity that is free of charge cannot be negative.");
  if (!c)
    return tariff(std::move(p), std::move(d), std::move(c));
  if (c->factor <= decimal() || c->precision < 0 || c->precision > decimal::scale_max)
    return wrong(std::string(reason::invalid_unit_config),
                 "A conversion has a factor above 0 and rounds to 0 to 18 digits.");
  if (std::holds_alternative<package_price>(p.terms()) ||
      std::holds_alternative<dynamic_price>(p.terms()))
    return wrong(std::string(reason::unit_config_unsupported_price),
                 "Only unit and tiered prices convert quantities.");
  return tariff(std::move(p), std::move(d), std::move(c));
}

refusal in_rate_card(refusal no) {
  if (no.subject == reason::invalid_unit_config ||
      no.subject == reason::unit_config_unsupported_price)
    no = {no.code, "unit_config", no.subject + ": " + no.text};
  return no;
}

} // namespace accrue::rating
