// Random catalogs that hold together, with every kind of price, discount and conversion in them.
// One seed, one series.
#pragma once

#include "domain/catalog/plan.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace accrue::testing {

class random_catalog {
public:
  explicit random_catalog(std::uint64_t seed) : engine_(seed) {}

  product::catalog catalog() {
    currency_ = std::vector<accrue::currency>{{840, 2}, {392, 0}, {414, 3}, {927, 4}}[below(4)];
    merging_ = coin();
    product::listing l;
    const auto metered = 1 + below(4);
    for (std::size_t i = 0; i < metered; ++i) {
      const auto key = "used" + std::to_string(i);
      l.meters.push_back({key, product::aggregation(1 + below(7)), coin() ? "hour" : ""});
      l.features.push_back({key, key, false});
    }
    l.features.push_back({"extra", "", coin()});
    for (auto left = below(3); left > 0; --left)
      l.add_ons.push_back(add_on("addon" + std::to_string(left)));
    const auto versions = 1 + below(3);
    for (std::size_t v = 1; v <= versions; ++v)
      l.plans.push_back(plan(static_cast<std::uint32_t>(v), metered, l.add_ons));
    return product::catalog::make(std::move(l)).value();
  }

  std::size_t below(std::size_t end) { return static_cast<std::size_t>(engine_() % end); }
  bool coin() { return below(2) == 0; }
  /// Up to five digits, some of them after the point.
  decimal number(std::int64_t from = 0) {
    return decimal::make(from + static_cast<std::int64_t>(below(100'000)),
                         static_cast<int>(below(5)))
        .value();
  }

private:
  std::optional<decimal> maybe() { return coin() ? std::optional(number()) : std::nullopt; }

  rating::commitments commitments() {
    rating::commitments c{maybe(), maybe()};
    if (c.minimum && c.maximum && *c.minimum > *c.maximum)
      std::swap(c.minimum, c.maximum);
    if (c.maximum && c.maximum->is_zero())
      c.maximum.reset();
    return c;
  }

  rating::price metered_price() {
    const auto kind = below(4);
    if (kind == 0)
      return rating::price::make(rating::unit_price{number(), commitments()}).value();
    if (kind == 1)
      return rating::price::make(rating::package_price{number(), number(1), commitments()}).value();
    if (kind == 2)
      return rating::price::make(rating::dynamic_price{number(), commitments()}).value();
    rating::tiered_price p{
        coin() ? rating::tier_mode::graduated : rating::tier_mode::volume, {}, commitments()};
    const auto bounded = static_cast<std::int64_t>(below(4));
    for (std::int64_t n = 1; n <= bounded; ++n)
      p.tiers.push_back({decimal(10 * n), maybe(), number()});
    p.tiers.insert(p.tiers.begin() + static_cast<std::ptrdiff_t>(below(p.tiers.size() + 1)),
                   rating::tier{std::nullopt, number(), maybe()});
    return rating::price::make(std::move(p)).value();
  }

  rating::tariff metered_tariff() {
    auto p = metered_price();
    rating::discounts d;
    if (coin())
      d.percentage = {decimal(static_cast<std::int64_t>(below(101))), coin() ? "p" : ""};
    if (coin())
      d.usage = {number(), coin() ? "u" : ""};
    const bool converts = std::holds_alternative<rating::unit_price>(p.terms()) ||
                          std::holds_alternative<rating::tiered_price>(p.terms());
    std::optional<rating::unit_conversion> c;
    if (converts && coin())
      c = rating::unit_conversion{rating::unit_conversion::operation(1 + below(2)),
                                  number(1),
                                  rating::unit_conversion::rounding_mode(1 + below(4)),
                                  static_cast<int>(below(4)),
                                  coin() ? "thousands" : ""};
    return rating::tariff::make(std::move(p), std::move(d), std::move(c)).value();
  }

  product::rate_card fee(std::string key) {
    product::rate_card c;
    c.key = std::move(key);
    if (coin())
      c.name = "Fee of " + c.key;
    const auto term = merging_ || coin() ? payment_term::in_advance : payment_term::in_arrears;
    if (below(8) != 0)
      c.tariff =
          rating::tariff::make(rating::price::make(rating::flat_price{number(), term}).value())
              .value();
    if (merging_ || coin())
      c.cadence = product::cadence();
    return c;
  }

  product::rate_card usage(std::string key) {
    product::rate_card c;
    c.key = c.feature = std::move(key);
    c.type = product::card_type::usage_based;
    c.tariff = metered_tariff();
    c.cadence = product::cadence();
    if (coin())
      c.included = number();
    return c;
  }

  product::add_on add_on(std::string key) {
    product::add_on a;
    a.key = std::move(key);
    a.currency = currency_;
    a.multiple = coin();
    auto more = fee(merging_ && coin() ? "base" : "fee of " + a.key);
    more.cadence = product::cadence();
    a.rate_cards.push_back(std::move(more));
    if (coin()) {
      auto included = usage("used0");
      included.tariff.reset();
      included.included = number();
      a.rate_cards.push_back(std::move(included));
    }
    return a;
  }

  product::plan
  plan(std::uint32_t version, std::size_t metered, const std::vector<product::add_on>& add_ons) {
    product::plan p;
    p.key = "plan";
    p.version = version;
    p.currency = currency_;
    p.prorate = coin();
    p.mode = coin() ? settlement_mode::credit_then_invoice : settlement_mode::invoice_only;
    const auto month = [](std::uint32_t n) { return instant{n * 30LL * 86'400 * ns_per_second}; };
    p.effective_from = month(version);
    p.effective_to = month(version + 1);
    for (const auto phases = 1 + below(2); p.phases.size() < phases;) {
      auto& phase = p.phases.emplace_back();
      phase.key = "phase" + std::to_string(p.phases.size());
      if (p.phases.size() < phases)
        phase.duration = product::cadence();
      phase.rate_cards.push_back(fee("base"));
      for (std::size_t i = 0; i < metered; ++i)
        phase.rate_cards.push_back(usage("used" + std::to_string(i)));
    }
    for (const auto& a : add_ons)
      p.add_ons.push_back(a.key);
    return p;
  }

  std::mt19937_64 engine_;
  accrue::currency currency_;
  bool merging_ = false; ///< add-ons' fees may have the key of the plan's
};

} // namespace accrue::testing
