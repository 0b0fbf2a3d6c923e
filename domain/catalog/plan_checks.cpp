// What makes a catalog hold together; each fault is told with its place.
#include "domain/catalog/plan.hpp"

#include <algorithm>
#include <array>

namespace accrue::product {

namespace {

constexpr std::size_t key_max = 128;

tl::unexpected<refusal> wrong(std::string place, std::string text) {
  return refuse(errc::validation, std::move(text), std::move(place));
}

std::string element(std::string_view list, std::size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]";
}

template <class T>
const T* find(const std::vector<T>& all, std::string_view key) {
  const auto at = std::ranges::find(all, key, &T::key);
  return at == all.end() ? nullptr : &*at;
}

result<void> check_key(const std::string& key, const std::string& place) {
  if (key.empty() || key.size() > key_max)
    return wrong(place + ".key", "A key has 1 to 128 bytes.");
  return {};
}

/// Keys are there and each stands once.
template <class T>
result<void> check_keys(const std::vector<T>& all, const std::string& list) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto place = element(list, i);
    if (auto fine = check_key(all[i].key, place); !fine)
      return fine;
    if (find(all, all[i].key) != &all[i])
      return wrong(place + ".key", "'" + all[i].key + "' stands here twice.");
  }
  return {};
}

class card_check {
public:
  card_check(const listing& all, accrue::currency currency, const std::optional<cadence>& billing)
      : all_(all), currency_(currency), billing_(billing) {}

  [[nodiscard]] result<void> operator()(const rate_card& c, const std::string& place) const {
    return check_feature(c, place).and_then([&] { return check_cadence(c, place); }).and_then([&] {
      return c.tariff ? check_price(c, place) : check_free(c, place);
    });
  }

private:
  [[nodiscard]] result<void> check_feature(const rate_card& c, const std::string& place) const {
    if (c.feature.empty())
      return {};
    const auto* f = find(all_.features, c.feature);
    if (f == nullptr)
      return wrong(place + ".feature", "There is no feature '" + c.feature + "'.");
    if (f->archived)
      return wrong(place + ".feature", "The feature '" + c.feature + "' is archived.");
    if (c.feature != c.key)
      return wrong(place + ".key", "A rate card with a feature has the feature's key.");
    return {};
  }

  [[nodiscard]] result<void> check_cadence(const rate_card& c, const std::string& place) const {
    if (c.type == card_type::usage_based && !c.cadence)
      return wrong(place + ".cadence", "What is billed by usage needs a cadence.");
    if (c.cadence && billing_ && !c.cadence->aligned_with(*billing_))
      return wrong(place + ".cadence",
                   "The cadence neither goes into the plan's nor the plan's into it.");
    return {};
  }

  /// Of an add-on, a card without a price may add to what the plan's card of its key includes.
  [[nodiscard]] result<void> check_free(const rate_card& c, const std::string& place) const {
    if (billing_ && !c.included.is_zero())
      return wrong(place + ".included", "Without a price all of it is included.");
    if (c.included.is_negative())
      return wrong(place + ".included", "An included quantity cannot be negative.");
    return {};
  }

  [[nodiscard]] result<void> check_price(const rate_card& c, const std::string& place) const {
    const bool flat = c.tariff->price().is_flat();
    if (flat != (c.type == card_type::flat_fee))
      return wrong(place + ".price",
                   flat ? "A flat price belongs to a flat_fee card."
                        : "A flat_fee card has a flat price.");
    if (c.included.is_negative())
      return wrong(place + ".included", "An included quantity cannot be negative.");
    if (flat && !c.included.is_zero())
      return wrong(place + ".included", "A flat fee includes no quantity.");
    if (flat && c.tariff->conversion())
      return wrong(place + ".unit_config", "Only unit and tiered prices convert quantities.");
    if (currency_.is_credit_unit())
      return wrong(place + ".price", "Nothing in a credit unit reaches an invoice.");
    return flat ? result<void>() : check_metered(c, place);
  }

  [[nodiscard]] result<void> check_metered(const rate_card& c, const std::string& place) const {
    const auto* f = find(all_.features, c.feature);
    if (f == nullptr || f->meter.empty())
      return wrong(place + ".feature", "A price by usage needs a feature with a meter.");
    return {};
  }

  const listing& all_;
  accrue::currency currency_;
  const std::optional<cadence>& billing_;
};

result<void> check_cards(const std::vector<rate_card>& cards,
                         const std::string& place,
                         const card_check& check) {
  const auto list = place + ".rate_cards";
  if (cards.empty())
    return wrong(list, "There must be at least one rate card.");
  if (auto fine = check_keys(cards, list); !fine)
    return fine;
  for (std::size_t i = 0; i < cards.size(); ++i)
    if (auto fine = check(cards[i], element(list, i)); !fine)
      return fine;
  return {};
}

result<void> check_features(const listing& l) {
  for (std::size_t i = 0; i < l.features.size(); ++i)
    if (const auto& meter = l.features[i].meter; !meter.empty() && !find(l.meters, meter))
      return wrong(element("features", i) + ".meter", "There is no meter '" + meter + "'.");
  return {};
}

result<void> check_add_on(const listing& l, const add_on& a, const std::string& place) {
  // All that recurs and costs something recurs at the same cadence.
  std::optional<cadence> common;
  for (std::size_t i = 0; i < a.rate_cards.size(); ++i) {
    const auto& c = a.rate_cards[i];
    const auto card = element(place + ".rate_cards", i);
    if (a.multiple && c.tariff && !c.tariff->price().is_flat())
      return wrong(card + ".price", "What can be taken several times has flat prices only.");
    if (!c.tariff || !c.cadence)
      continue;
    if (common && *common != *c.cadence)
      return wrong(card + ".cadence", "All prices of an add-on have one cadence.");
    common = c.cadence;
  }
  return check_cards(a.rate_cards, place, card_check(l, a.currency, {}));
}

result<void> check_phases(const listing& l, const plan& p, const std::string& place) {
  const auto list = place + ".phases";
  if (p.phases.empty())
    return wrong(list, "A plan has at least one phase.");
  if (auto fine = check_keys(p.phases, list); !fine)
    return fine;
  const std::optional billing(p.billing_cadence);
  for (std::size_t i = 0; i < p.phases.size(); ++i) {
    const auto where = element(list, i);
    const bool last = i + 1 == p.phases.size();
    if (p.phases[i].duration.has_value() == last)
      return wrong(where + ".duration",
                   last ? "The last phase goes on to the end: it has no duration."
                        : "Each phase but the last has a duration.");
    if (auto fine = check_cards(p.phases[i].rate_cards, where, card_check(l, p.currency, billing));
        !fine)
      return fine;
  }
  return {};
}

/// Whether one of the plan's cards has the key of a card that has a metered price itself: both would
/// charge the same usage.
bool charges_twice(const plan& p, const rate_card& c) {
  return c.tariff && c.type == card_type::usage_based &&
         std::ranges::any_of(
             p.phases, [&](const phase& ph) { return find(ph.rate_cards, c.key) != nullptr; });
}

/// Add-ons that a plan names exist, in its currency, and recur in step with it.
result<void> check_assignments(const listing& l, const plan& p, const std::string& place) {
  for (std::size_t i = 0; i < p.add_ons.size(); ++i) {
    const auto where = element(place + ".add_ons", i);
    const auto* a = find(l.add_ons, p.add_ons[i]);
    if (a == nullptr)
      return wrong(where, "There is no add-on '" + p.add_ons[i] + "'.");
    if (a->currency != p.currency)
      return wrong(where, "The add-on is in another currency than the plan.");
    for (const auto& c : a->rate_cards) {
      if (c.cadence && !c.cadence->aligned_with(p.billing_cadence))
        return wrong(where, "The add-on's cadence is not aligned with the plan's.");
      if (charges_twice(p, c))
        return wrong(where, "Plan and add-on both have a metered price for '" + c.key + "'.");
    }
  }
  return {};
}

result<void> check_plan(const listing& l, std::size_t index) {
  constexpr std::array<std::string_view, 8> cadences{
      "P1W", "P2W", "P4W", "P1M", "P3M", "P6M", "P12M", "P1Y"};
  const auto& p = l.plans[index];
  const auto place = element("plans", index);
  if (auto fine = check_key(p.key, place); !fine)
    return fine;
  for (std::size_t i = 0; i < index; ++i)
    if (l.plans[i].key == p.key && l.plans[i].version == p.version)
      return wrong(place + ".version", "This version of '" + p.key + "' stands here twice.");
  const auto same_draft = [&](const plan& other) {
    return other.key == p.key && !other.effective_from;
  };
  if (!p.effective_from && std::ranges::count_if(l.plans, same_draft) > 1)
    return wrong(place + ".effective_from", "A plan has at most one draft.");
  if (p.version == 0)
    return wrong(place + ".version", "Versions begin at 1.");
  if (std::ranges::find(cadences, p.billing_cadence.to_string()) == cadences.end())
    return wrong(place + ".billing_cadence",
                 "A plan is billed each P1W, P2W, P4W, P1M, P3M, P6M, P12M or P1Y.");
  if (p.effective_to && (!p.effective_from || *p.effective_to <= *p.effective_from))
    return wrong(place + ".effective_to", "A plan ends later than it begins.");
  return check_phases(l, p, place).and_then([&] { return check_assignments(l, p, place); });
}

} // namespace

result<catalog> catalog::make(listing l) {
  auto fine = check_keys(l.meters, "meters")
                  .and_then([&] { return check_keys(l.features, "features"); })
                  .and_then([&] { return check_features(l); })
                  .and_then([&] { return check_keys(l.add_ons, "add_ons"); });
  for (std::size_t i = 0; fine && i < l.add_ons.size(); ++i)
    fine = check_add_on(l, l.add_ons[i], element("add_ons", i));
  for (std::size_t i = 0; fine && i < l.plans.size(); ++i)
    fine = check_plan(l, i);
  if (!fine)
    return tl::unexpected(fine.error());
  return catalog(std::move(l));
}

} // namespace accrue::product
