// What makes a catalog hold together; each fault is told with its place.
// What may follow on what is in succession.cpp.
#include "domain/catalog/listing_index.hpp"
#include "domain/ids.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <tuple>

namespace accrue::product {

namespace {

tl::unexpected<refusal> wrong(std::string place, std::string text) {
  return refuse(errc::validation, std::move(text), std::move(place));
}

result<void> check_key(const std::string& key, const std::string& place) {
  if (auto fine = check_reference(key, "A key"); !fine)
    return wrong(place + ".key", std::move(fine.error().text));
  return {};
}

/// What people read: a name, a unit. May be missing.
result<void> check_text(const std::string& text, const std::string& place) {
  if (text.empty())
    return {};
  if (auto fine = check_reference(text, "This text"); !fine)
    return wrong(place, std::move(fine.error().text));
  return {};
}

/// Keys are there, each stands once, and names can be read.
template <class T>
result<void> check_keys(const std::vector<T>& all, const std::string& list) {
  const auto places = index_of(all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto place = element(list, i);
    if (auto fine = check_key(all[i].key, place); !fine)
      return fine;
    if (find(places, all[i].key) != &all[i])
      return wrong(place + ".key", "'" + all[i].key + "' stands here twice.");
    if constexpr (requires { all[i].name; })
      if (auto fine = check_text(all[i].name, place + ".name"); !fine)
        return fine;
  }
  return {};
}

result<void> check_count(std::size_t count, std::size_t most, const std::string& place) {
  if (count > most)
    return wrong(place, "There may be " + std::to_string(most) + " at most.");
  return {};
}

class card_check {
public:
  card_check(const listing_index& all,
             accrue::currency currency,
             const std::optional<cadence>& billing)
      : all_(all), currency_(currency), billing_(billing) {}

  [[nodiscard]] result<void> operator()(const rate_card& c, const std::string& place) const {
    return check_feature(c, place)
        .and_then([&] { return check_cadence(c, place); })
        .and_then([&] { return c.tariff ? check_price(c, place) : check_free(c, place); })
        .and_then([&] { return c.tariff ? check_texts(*c.tariff, place) : result<void>(); });
  }

private:
  [[nodiscard]] result<void> check_feature(const rate_card& c, const std::string& place) const {
    if (c.feature.empty())
      return {};
    const auto* f = find(all_.features, c.feature);
    if (f == nullptr)
      return wrong(place + ".feature", "There is no feature '" + c.feature + "'.");
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

  [[nodiscard]] static result<void> check_texts(const rating::tariff& t, const std::string& place) {
    const auto& percentage = t.discounts().percentage;
    const auto& usage = t.discounts().usage;
    const auto id = [&](const std::string& text, const char* discount) {
      return check_text(text, place + ".discounts." + discount + ".correlation_id");
    };
    return (percentage ? id(percentage->correlation_id, "percentage") : result<void>())
        .and_then([&] { return usage ? id(usage->correlation_id, "usage") : result<void>(); })
        .and_then([&] {
          return t.conversion()
                     ? check_text(t.conversion()->display_unit, place + ".unit_config.display_unit")
                     : result<void>();
        });
  }

  [[nodiscard]] result<void> check_metered(const rate_card& c, const std::string& place) const {
    const auto* f = find(all_.features, c.feature);
    if (f == nullptr || f->meter.empty())
      return wrong(place + ".feature", "A price by usage needs a feature with a meter.");
    return {};
  }

  const listing_index& all_;
  accrue::currency currency_;
  const std::optional<cadence>& billing_;
};

result<void> check_cards(const std::vector<rate_card>& cards,
                         const std::string& place,
                         const card_check& check) {
  const auto list = place + ".rate_cards";
  if (cards.empty())
    return wrong(list, "There must be at least one rate card.");
  if (auto fine = check_count(cards.size(), rate_cards_max, list).and_then([&] {
        return check_keys(cards, list);
      });
      !fine)
    return fine;
  for (std::size_t i = 0; i < cards.size(); ++i)
    if (auto fine = check(cards[i], element(list, i)); !fine)
      return fine;
  return {};
}

result<void> check_units(const listing& l) {
  for (std::size_t i = 0; i < l.meters.size(); ++i)
    if (auto fine = check_text(l.meters[i].unit, element("meters", i) + ".unit"); !fine)
      return fine;
  return {};
}

result<void> check_features(const listing& l, const listing_index& k) {
  for (std::size_t i = 0; i < l.features.size(); ++i)
    if (const auto& meter = l.features[i].meter; !meter.empty() && !find(k.meters, meter))
      return wrong(element("features", i) + ".meter", "There is no meter '" + meter + "'.");
  return {};
}

result<void> check_add_on(const listing_index& k, const add_on& a, const std::string& place) {
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
  return check_cards(a.rate_cards, place, card_check(k, a.currency, {}));
}

result<void> check_phases(const listing_index& k, const plan& p, const std::string& place) {
  const auto list = place + ".phases";
  if (p.phases.empty())
    return wrong(list, "A plan has at least one phase.");
  if (auto fine = check_count(p.phases.size(), phases_max, list).and_then([&] {
        return check_keys(p.phases, list);
      });
      !fine)
    return fine;
  const std::optional billing(p.billing_cadence);
  for (std::size_t i = 0; i < p.phases.size(); ++i) {
    const auto where = element(list, i);
    const bool last = i + 1 == p.phases.size();
    if (p.phases[i].duration.has_value() == last)
      return wrong(where + ".duration",
                   last ? "The last phase goes on to the end: it has no duration."
                        : "Each phase but the last has a duration.");
    if (auto fine = check_cards(p.phases[i].rate_cards, where, card_check(k, p.currency, billing));
        !fine)
      return fine;
  }
  return {};
}

/// Why an add-on's card cannot be merged into the plan's card of its key; empty where it can. Flat fees add
/// up, what is included adds up, and a card without a price takes the other's. Source: invoicing.md 1.9.
std::string_view unmergeable(const rate_card& of_plan, const rate_card& of_add_on) {
  if (of_plan.tariff && !of_add_on.tariff && of_plan.tariff->price().is_flat() &&
      !of_add_on.included.is_zero())
    return "a flat fee includes no quantity";
  if (of_plan.cadence != of_add_on.cadence)
    return "the cadences differ";
  if (!of_plan.tariff || !of_add_on.tariff)
    return {};
  const auto& [mine, theirs] = std::tie(*of_plan.tariff, *of_add_on.tariff);
  if (mine.price().is_flat() != theirs.price().is_flat())
    return "one has a flat price, the other a metered one";
  if (!mine.price().is_flat())
    return "both have a metered price";
  if (mine.price().term() != theirs.price().term())
    return "the payment terms differ";
  if (of_plan.feature != of_add_on.feature)
    return "the features differ";
  if (mine.discounts().percentage && theirs.discounts().percentage)
    return "both have a percentage discount";
  return {};
}

/// Add-ons that a plan names exist, in its currency, recur in step with it, and fit its cards.
result<void> check_assignments(const listing_index& k, const plan& p, const std::string& place) {
  const auto list = place + ".add_ons";
  if (auto fine = check_count(p.add_ons.size(), add_ons_max, list); !fine)
    return fine;
  const auto billing = static_cast<std::size_t>(
      std::ranges::find(billing_cadences(), p.billing_cadence) - billing_cadences().begin());
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < p.add_ons.size(); ++i) {
    const auto where = element(list, i);
    if (!seen.insert(p.add_ons[i]).second)
      return wrong(where, "'" + p.add_ons[i] + "' stands here twice.");
    const auto found = k.add_ons.find(p.add_ons[i]);
    if (found == k.add_ons.end())
      return wrong(where, "There is no add-on '" + p.add_ons[i] + "'.");
    const auto& a = found->second;
    if (a.what->currency != p.currency)
      return wrong(where, "The add-on is in another currency than the plan.");
    if (!a.aligned[billing])
      return wrong(where, "The add-on's cadence is not aligned with the plan's.");
    for (const auto& phase : p.phases)
      for (const auto& card : phase.rate_cards)
        if (const auto* other = find(a.cards, card.key))
          if (const auto why = unmergeable(card, *other); !why.empty())
            return wrong(where,
                         "The add-on's card '" + card.key +
                             "' cannot be merged into the plan's: " + std::string(why) + ".");
  }
  return {};
}

result<void> check_plan(const listing_index& k, const plan& p, const std::string& place) {
  if (auto fine =
          check_key(p.key, place).and_then([&] { return check_text(p.name, place + ".name"); });
      !fine)
    return fine;
  if (p.version == 0 || p.version > std::numeric_limits<std::int32_t>::max())
    return wrong(place + ".version", "Versions are 1 to 2147483647.");
  if (std::ranges::find(billing_cadences(), p.billing_cadence) == billing_cadences().end())
    return wrong(place + ".billing_cadence",
                 "A plan is billed each P1W, P2W, P4W, P1M, P3M, P6M, P12M or P1Y.");
  if (p.effective_to && (!p.effective_from || *p.effective_to <= *p.effective_from))
    return wrong(place + ".effective_to", "A plan ends later than it begins.");
  return check_phases(k, p, place).and_then([&] { return check_assignments(k, p, place); });
}

/// Each version once, at most one draft of a plan, at most one version effective at any instant.
result<void> check_versions(const listing& l) {
  const auto place = [&](const plan* p) {
    return element("plans", static_cast<std::size_t>(p - l.plans.data()));
  };
  std::map<std::string_view, std::vector<const plan*>> by_plan;
  for (const auto& p : l.plans)
    by_plan[p.key].push_back(&p);
  for (auto& [key, versions] : by_plan) {
    const std::string name(key);
    std::ranges::stable_sort(versions, {}, &plan::version);
    if (const auto twice = std::ranges::adjacent_find(versions, {}, &plan::version);
        twice != versions.end())
      return wrong(place(*std::next(twice)) + ".version",
                   "This version of '" + name + "' stands here twice.");
    std::erase_if(versions, [drafts = 0](const plan* p) mutable {
      return !p->effective_from && ++drafts == 1; // the one that may be
    });
    if (const auto draft =
            std::ranges::find_if(versions, [](const plan* p) { return !p->effective_from; });
        draft != versions.end())
      return wrong(place(*draft) + ".effective_from", "A plan has at most one draft.");
    std::ranges::stable_sort(versions, {}, &plan::effective_from);
    const auto both = std::ranges::adjacent_find(versions, [](const plan* a, const plan* b) {
      return !a->effective_to || *a->effective_to > *b->effective_from;
    });
    if (both == versions.end())
      continue;
    const auto& [earlier, later] = std::minmax(
        *both, *std::next(both), [](auto* a, auto* b) { return a->version < b->version; });
    return wrong(place(later) + ".effective_from",
                 "Version " + std::to_string(earlier->version) + " of '" + name +
                     "' is effective at the same time; end it with effective_to.");
  }
  return {};
}

} // namespace

result<catalog> catalog::make(listing l) {
  for (auto& p : l.plans)
    for (auto* each : {&p.effective_from, &p.effective_to})
      if (*each)
        *each = floor_seconds(**each); // D3
  auto fine = check_keys(l.meters, "meters")
                  .and_then([&] { return check_units(l); })
                  .and_then([&] { return check_keys(l.features, "features"); })
                  .and_then([&] { return check_keys(l.add_ons, "add_ons"); });
  for (std::size_t i = 0; fine && i < l.add_ons.size(); ++i)
    fine = check_count(
        l.add_ons[i].rate_cards.size(), rate_cards_max, element("add_ons", i) + ".rate_cards");
  if (!fine)
    return tl::unexpected(fine.error());
  const listing_index k(l);
  fine = check_features(l, k);
  for (std::size_t i = 0; fine && i < l.add_ons.size(); ++i)
    fine = check_add_on(k, l.add_ons[i], element("add_ons", i));
  for (std::size_t i = 0; fine && i < l.plans.size(); ++i)
    fine = check_plan(k, l.plans[i], element("plans", i));
  if (fine)
    fine = check_versions(l);
  if (!fine)
    return tl::unexpected(fine.error());
  return catalog(std::move(l));
}

} // namespace accrue::product
