// A catalog that takes the place of another one, and a namespace that holds it.
// What makes one catalog hold together is tested in quote.test.cpp.
#include "tests/domain/catalog/random_catalog.hpp"
#include "tests/domain/support.hpp"

#include <catch2/catch_test_macros.hpp>

#include <functional>

using namespace accrue;
using namespace accrue::testing;
using namespace accrue::product;

namespace {

/// One flat fee a month.
plan version(std::uint32_t number, std::string_view amount) {
  rate_card base;
  base.key = "base";
  base.tariff =
      rating::tariff::make(rating::price::make(rating::flat_price{dec(amount)}).value()).value();
  base.cadence = cadence();
  plan p;
  p.key = "studio";
  p.version = number;
  p.currency = usd;
  p.phases = {{"main", "", {}, {base}}};
  return p;
}

plan effective(plan p, std::string_view from, std::string_view to = {}) {
  p.effective_from = at(from);
  if (!to.empty())
    p.effective_to = at(to);
  return p;
}

product::catalog with(std::vector<plan> plans) {
  listing l;
  l.plans = std::move(plans);
  return product::catalog::make(std::move(l)).value();
}

/// At noon of the first of March; the place at fault.
std::string
fault(const product::catalog& before, const product::catalog& after, errc why = errc::conflict) {
  const auto fine = check_succession(before, after, at("2026-03-01T12:00:00Z"));
  if (fine)
    return "accepted";
  CHECK(fine.error().code == why);
  return fine.error().subject;
}

const auto active = effective(version(1, "50"), "2026-01-01");

} // namespace

TEST_CASE("a version that is active stays as it is", "[catalog]") {
  CHECK(fault(with({active}), with({active})) == "accepted");
  CHECK(fault(with({active}), with({effective(version(1, "60"), "2026-01-01")})) == "plans[0]");
  CHECK(fault(with({active}), with({effective(version(1, "50"), "2026-01-02")})) == "plans[0]");
  CHECK(fault(with({active}), with({})) == "plans");
  CHECK(fault(with({}), with({active})) == "accepted");
}

TEST_CASE("an active version ends now or later, and another one follows it", "[catalog]") {
  const auto ended = [&](std::string_view to) { return effective(active, "2026-01-01", to); };
  const auto next = effective(version(2, "60"), "2026-04-01");
  CHECK(fault(with({active}), with({ended("2026-04-01"), next})) == "accepted");
  CHECK(fault(with({active}), with({ended("2026-03-01T12:00:00Z")})) == "accepted");
  CHECK(fault(with({active}), with({ended("2026-03-01")})) == "plans[0].effective_to");
  // An end that lies ahead can be moved or lifted.
  CHECK(fault(with({ended("2026-04-01")}), with({ended("2026-05-01")})) == "accepted");
  CHECK(fault(with({ended("2026-04-01")}), with({active})) == "accepted");
}

TEST_CASE("drafts and scheduled versions may change and go", "[catalog]") {
  const auto scheduled = effective(version(1, "50"), "2026-03-02");
  CHECK(fault(with({version(1, "50")}), with({version(1, "60")})) == "accepted");
  CHECK(fault(with({scheduled}), with({effective(version(1, "60"), "2026-03-02")})) == "accepted");
  CHECK(fault(with({scheduled, version(2, "1")}), with({})) == "accepted");
}

TEST_CASE("an archived version may go unless it is the latest, not change", "[catalog]") {
  const auto archived = effective(version(1, "50"), "2026-01-01", "2026-03-01");
  CHECK(fault(with({archived}), with({})) == "plans");
  const auto later = effective(version(2, "60"), "2026-03-01");
  CHECK(fault(with({archived, later}), with({later})) == "accepted");
  // A draft behind it never counted, and may leave as well: then the number would be free.
  CHECK(fault(with({archived, version(2, "60")}), with({version(2, "60")})) == "plans");
  CHECK(fault(with({archived}), with({effective(version(1, "60"), "2026-01-01", "2026-03-01")})) ==
        "plans[0]");
  CHECK(fault(with({archived}), with({active})) == "plans[0].effective_to");
}

TEST_CASE("a new version has a higher number than all there are", "[catalog]") {
  const auto next = effective(version(3, "60"), "2026-04-01");
  const auto ended = effective(active, "2026-01-01", "2026-04-01");
  CHECK(fault(with({ended, next}), with({ended, version(2, "1"), next})) == "plans[1].version");
  CHECK(fault(with({ended, next}), with({ended, next, version(4, "1")})) == "accepted");
  // A number that counted once is not given again, also when its version may go.
  const auto gone = effective(version(1, "50"), "2026-01-01", "2026-02-01");
  CHECK(fault(with({next}), with({gone, next})) == "plans[0].version");
}

namespace {

/// A plan on a metered feature that can be taken with an add-on on another one.
struct offer {
  listing all;

  offer() {
    all.meters = {{"requests", aggregation::sum, ""}, {"hours", aggregation::sum, ""}};
    all.features = {{"calls", "requests"}, {"time", "hours"}};
    add_on extra;
    extra.key = "extra";
    extra.currency = usd;
    extra.rate_cards = {metered("time")};
    auto more = extra;
    more.key = "more";
    all.add_ons = {extra, more};
    auto p = active;
    p.phases[0].rate_cards = {metered("calls")};
    p.add_ons = {"extra"};
    all.plans = {p};
  }

  static rate_card metered(const std::string& key) {
    rate_card c;
    c.key = c.feature = key;
    c.type = card_type::usage_based;
    c.cadence = cadence();
    c.tariff =
        rating::tariff::make(rating::price::make(rating::unit_price{dec("1"), {}}).value()).value();
    return c;
  }
  [[nodiscard]] product::catalog made() const { return product::catalog::make(all).value(); }
};

/// What changing this of an offer whose plan is active is refused for.
std::string change(const std::function<void(listing&)>& what, errc why = errc::conflict) {
  const offer before;
  auto after = before;
  what(after.all);
  return fault(before.made(), after.made(), why);
}

} // namespace

TEST_CASE("what an active plan stands on stays as it is", "[catalog]") {
  CHECK(change([](listing&) {}) == "accepted");
  CHECK(change([](listing& l) { l.features[0].meter = "hours"; }) ==
        "plans[0].phases[0].rate_cards[0].feature");
  CHECK(change([](listing& l) { l.meters[0].aggregation = aggregation::max; }) ==
        "plans[0].phases[0].rate_cards[0].feature");
  CHECK(change([](listing& l) { l.features[1].meter = "requests"; }) == "plans[0].add_ons[0]");
  CHECK(change([](listing& l) { l.add_ons[0].name = "Extra"; }) == "plans[0].add_ons[0]");
  // What it does not use may change, and it may be offered with more.
  CHECK(change([](listing& l) { l.add_ons[1].name = "More"; }) == "accepted");
  CHECK(change([](listing& l) { l.plans[0].add_ons = {"more", "extra"}; }) == "accepted");
  CHECK(change([](listing& l) { l.plans[0].add_ons = {"more"}; }) == "plans[0]");
  // What nobody could take yet may change while it is offered.
  CHECK(change([](listing& l) {
          l.add_ons[1].name = "More";
          l.plans[0].add_ons.push_back("more");
        }) == "accepted");
}

TEST_CASE("an archived feature is for plans that count already", "[catalog]") {
  CHECK(change([](listing& l) { l.features[0].archived = true; }) == "accepted");
  CHECK(change(
            [](listing& l) {
              l.features[1].archived = true;
              l.plans[0].add_ons.push_back("more");
            },
            errc::validation) == "plans[0].add_ons[1]");
  const auto with_next = [](std::size_t feature) {
    return change(
        [&](listing& l) {
          l.features[feature].archived = true;
          l.plans[0].effective_to = at("2026-04-01");
          auto next = l.plans[0];
          next.version = 2;
          next.effective_from = at("2026-04-01");
          next.effective_to.reset();
          l.plans.push_back(next);
        },
        errc::validation);
  };
  CHECK(with_next(0) == "plans[1].phases[0].rate_cards[0].feature");
  CHECK(with_next(1) == "plans[1].add_ons[0]");
}

TEST_CASE("effective instants are floored to seconds", "[catalog][D3]") {
  auto p = active;
  p.effective_from = at("2026-01-01T00:00:00.9Z");
  CHECK(with({p}) == with({active}));
}

TEST_CASE("at most one version of a plan is effective at a time", "[catalog][D4]") {
  const auto place = [](std::vector<plan> plans) {
    listing l;
    l.plans = std::move(plans);
    const auto made = product::catalog::make(std::move(l));
    return made ? std::string("accepted") : made.error().subject;
  };
  const auto second = effective(version(2, "60"), "2026-04-01");
  CHECK(place({active, second}) == "plans[1].effective_from");
  CHECK(place({second, active}) == "plans[0].effective_from");
  CHECK(place({effective(active, "2026-01-01", "2026-04-01"), second}) == "accepted");
  CHECK(place({effective(active, "2026-01-01", "2026-04-02"), second}) ==
        "plans[1].effective_from");
}

TEST_CASE("a plan is asked for at an instant", "[catalog]") {
  const auto all = with({effective(active, "2026-01-01", "2026-04-01"),
                         effective(version(2, "60"), "2026-04-01"),
                         version(3, "70")});
  CHECK(all.plan_at("studio", at("2026-03-31"))->version == 1);
  CHECK(all.plan_at("studio", at("2026-04-01"))->version == 2);
  CHECK(all.plan_at("studio", at("2025-01-01"))->version == 3); // nothing counts yet: the latest
  CHECK(all.plan_at("none", at("2026-04-01")) == nullptr);
}

TEST_CASE("a namespace keeps the catalog that it was given", "[catalog]") {
  harness h;
  h.now = at("2026-03-01");
  const auto stored =
      std::get<reply::catalog_stored>(h.ok(command::put_catalog{with({active})}).body);
  CHECK(stored == reply::catalog_stored{0, 0, 0, 1});
  const auto kept = [&] {
    return std::get<reply::catalog_view>(h.ok(command::get_catalog{}).body).catalog;
  };
  CHECK(kept() == with({active}));
  CHECK(h.refused(command::put_catalog{with({})}) == errc::conflict);
  CHECK(kept() == with({active}));
}

TEST_CASE("random catalogs hold together and follow themselves", "[catalog]") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    random_catalog random(seed);
    const auto all = random.catalog();
    CHECK(check_succession(all, all, at("2026-01-01")).has_value());
  }
}
