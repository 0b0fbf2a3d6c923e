// What a plan with add-ons comes to, before there is an invoice.
// Prices by themselves are tested in rating/.
#include "domain/catalog/quote.hpp"

#include "tests/domain/rating/rating.hpp"

using namespace accrue;
using namespace accrue::testing;
using namespace accrue::product;

namespace {

const currency aud{36, 2};

rate_card flat_card(std::string key, std::string_view amount) {
  rate_card c;
  c.key = std::move(key);
  c.tariff = agreed(made(rating::flat_price{dec(amount), payment_term::in_arrears}));
  c.cadence = cadence();
  return c;
}

rate_card hours(std::string_view included) {
  rate_card c;
  c.key = c.feature = "droplet_hours";
  c.name = "Droplet hours";
  c.type = card_type::usage_based;
  c.tariff = agreed(per_unit("0.01"));
  c.cadence = cadence();
  c.included = dec(included);
  return c;
}

/// Adds to what the plan's hours include.
rate_card more_hours(std::string_view included) {
  auto c = hours(included);
  c.tariff.reset();
  return c;
}

/// The worked example of invoicing.md 5.4, with two more add-ons.
listing studio() {
  listing l;
  l.meters = {{"hours", aggregation::sum, "hour"}};
  l.features = {{"droplet_hours", "hours", false}};
  l.add_ons = {{"storage_50gb", "", aud, false, {flat_card("storage", "7.5")}},
               {"support", "", aud, true, {flat_card("support", "20")}},
               {"more_hours", "", aud, false, {more_hours("100")}}};
  plan p;
  p.key = "studio";
  p.currency = aud;
  p.phases = {{"main", "", {}, {flat_card("base", "50"), hours("1488")}}};
  p.add_ons = {"storage_50gb", "support", "more_hours"};
  l.plans = {p};
  return l;
}

const auto shop = product::catalog::make(studio()).value();
const auto april = from_to("2026-04-01", "2026-05-01");
const auto gst = rating::tax_rate::make("GST", dec("0.1")).value();

selection of(const std::vector<std::string>& add_ons) {
  selection s{*shop.latest_plan("studio"), 0, {}};
  for (const auto& key : add_ons)
    s.add_ons.emplace_back(*shop.find_add_on(key));
  return s;
}

circumstances used(std::string_view quantity, period service = april) {
  return {service, april, {{"droplet_hours", dec(quantity)}}};
}

/// "plan_base base 50.00"
lines texts(const std::vector<priced_line>& all) {
  lines out;
  for (const auto& l : all)
    out.push_back(std::string(to_string(l.kind)) + " " + name_of(l) + " " +
                  to_string(money{l.rated.totals.total(), aud}));
  return out;
}

/// The place at fault, of a listing that was changed.
std::string fault(const std::function<void(listing&)>& change) {
  auto l = studio();
  change(l);
  const auto made = product::catalog::make(std::move(l));
  if (made)
    return "accepted";
  CHECK(made.error().code == errc::validation);
  return made.error().subject;
}

} // namespace

TEST_CASE("a quote is fees, add-ons, what is above the included, and tax", "[catalog][D26]") {
  const auto q = quote_for(of({"storage_50gb"}), used("2160"), {gst, {}}).value();
  CHECK(texts(q.lines) == lines{"plan_base base 50.00",
                                "addon Addon: storage_50gb 7.50",
                                "overage Droplet hours 6.72"});
  CHECK(q.subtotal.total() == 6422);
  CHECK(q.tax->amount == 642);
  CHECK(q.total() == 7064);
  CHECK_FALSE(q.after_credits.has_value());
}

TEST_CASE("credit lowers what is taxed, up to what there is to pay", "[catalog][D53]") {
  const auto after = [](int128 credit) {
    return quote_for(of({}), used("0"), {gst, any_credit(credit)}).value().after_credits;
  };
  // 50.00 less 20.00, 10 % of 30.00.
  CHECK(after(2000) == after_credits{2000, 300, 3300});
  CHECK(after(9900) == after_credits{5000, 0, 0});
  CHECK(after(0) == after_credits{0, 500, 5500});
}

TEST_CASE("a quantity that an add-on includes adds to the plan's", "[catalog]") {
  CHECK(texts(lines_of(of({"more_hours"}), used("1588")).value()) == lines{"plan_base base 50.00"});
  CHECK(texts(lines_of(of({"more_hours"}), used("1590")).value()) ==
        lines{"plan_base base 50.00", "overage Droplet hours 0.02"});
}

TEST_CASE("fees of a shortened period are charged in proportion, usage is not", "[catalog][D2]") {
  // Ten of thirty days: 16.666…, 2.50.
  const auto ten_days = from_to("2026-04-21", "2026-05-01");
  CHECK(texts(lines_of(of({"storage_50gb"}), used("1490", ten_days)).value()) ==
        lines{"plan_base base 16.67",
              "addon Addon: storage_50gb 2.50",
              "overage Droplet hours 0.02"});
}

TEST_CASE("what cannot be quoted is refused", "[catalog]") {
  const auto subject = [](const selection& s, const circumstances& c) {
    return lines_of(s, c).error().subject;
  };
  CHECK(subject(of({"storage_50gb", "storage_50gb"}), used("0")) == "storage_50gb");
  CHECK(lines_of(of({"support", "support"}), used("0")).has_value());
  CHECK(subject(of({}), {april, april, {{"base", dec("1")}}}) == "base");
  CHECK(subject(of({}), {april, april, {{"nothing", dec("1")}}}) == "nothing");
  CHECK(lines_of(of({}), used("0", from_to("2026-04-01", "2026-05-02"))).error().code ==
        errc::invalid_period);
}

TEST_CASE("a catalog is checked as a whole, and a fault has its place", "[catalog][D30]") {
  CHECK(fault([](listing&) {}) == "accepted");
  CHECK(fault([](listing& l) { l.features[0].meter = "none"; }) == "features[0].meter");
  CHECK(fault([](listing& l) { l.meters.push_back(l.meters[0]); }) == "meters[1].key");
  CHECK(fault([](listing& l) { l.features[0].archived = true; }) == "accepted"); // see succession
  CHECK(fault([](listing& l) { l.add_ons[1].rate_cards[0].tariff = agreed(per_unit("1")); }) ==
        "add_ons[1].rate_cards[0].price");
  const std::string cards = "plans[0].phases[0].rate_cards";
  const auto card = [](listing& l, std::size_t i) -> rate_card& {
    return l.plans[0].phases[0].rate_cards[i];
  };
  CHECK(fault([&](listing& l) { card(l, 0).key = "droplet_hours"; }) == cards + "[1].key");
  CHECK(fault([&](listing& l) { card(l, 1).key = "other"; }) == cards + "[1].key");
  CHECK(fault([&](listing& l) { card(l, 1).cadence.reset(); }) == cards + "[1].cadence");
  CHECK(fault([&](listing& l) { card(l, 1).cadence = cadence::parse("P1W").value(); }) ==
        cards + "[1].cadence");
  CHECK(fault([&](listing& l) { card(l, 0).cadence = cadence::parse("P3M").value(); }) ==
        "accepted");
  CHECK(fault([&](listing& l) { card(l, 0).included = dec("1"); }) == cards + "[0].included");
  CHECK(fault([&](listing& l) { card(l, 1).tariff.reset(); }) == cards + "[1].included");
  CHECK(fault([&](listing& l) { card(l, 0).type = card_type::usage_based; }) ==
        cards + "[0].price");
  CHECK(fault([](listing& l) { l.features[0].meter.clear(); }) == cards + "[1].feature");
}

TEST_CASE("plans have phases and versions that fit together", "[catalog]") {
  CHECK(fault([](listing& l) { l.plans[0].phases.clear(); }) == "plans[0].phases");
  CHECK(fault([](listing& l) { l.plans[0].phases[0].rate_cards.clear(); }) ==
        "plans[0].phases[0].rate_cards");
  CHECK(fault([](listing& l) { l.plans[0].phases[0].duration = cadence(); }) ==
        "plans[0].phases[0].duration");
  CHECK(fault([](listing& l) { l.plans[0].add_ons[1] = "none"; }) == "plans[0].add_ons[1]");
  CHECK(fault([](listing& l) { l.add_ons[0].currency = usd; }) == "plans[0].add_ons[0]");
  CHECK(fault([](listing& l) { l.plans[0].billing_cadence = cadence::parse("P2M").value(); }) ==
        "plans[0].billing_cadence");
  CHECK(fault([](listing& l) { l.plans.push_back(l.plans[0]); }) == "plans[1].version");
  CHECK(fault([](listing& l) {
          l.plans.push_back(l.plans[0]);
          l.plans[0].version = 2;
        }) == "plans[0].effective_from"); // the later one of two drafts
  CHECK(fault([](listing& l) {
          l.plans[0].effective_from = at("2026-01-01");
          l.plans.push_back(l.plans[0]);
        }) == "plans[1].version");
  CHECK(fault([](listing& l) { // both would charge the same hours
          l.add_ons[2].rate_cards[0] = hours("0");
        }) == "plans[0].add_ons[2]");
}

TEST_CASE("lists are as long as people read, and name each thing once", "[catalog]") {
  CHECK(fault([](listing& l) { l.plans[0].add_ons.push_back("support"); }) ==
        "plans[0].add_ons[3]");
  const auto cards = [](std::size_t count) {
    return fault([&](listing& l) {
      auto& all = l.plans[0].phases[0].rate_cards;
      while (all.size() < count)
        all.push_back(flat_card("fee" + std::to_string(all.size()), "1"));
    });
  };
  CHECK(cards(rate_cards_max) == "accepted");
  CHECK(cards(rate_cards_max + 1) == "plans[0].phases[0].rate_cards");
}

TEST_CASE("a catalog may have thousands of versions and features", "[catalog]") {
  // As much as a frame of the wire holds, some 900 KiB.
  auto l = studio();
  for (int i = 0; i < 40'000; ++i)
    l.features.push_back({"feature" + std::to_string(i), "hours"});
  const auto one = l.plans[0];
  for (std::uint32_t version = 2; version <= 4'000; ++version) {
    l.plans.push_back(one);
    l.plans.back().version = version;
    l.plans.back().effective_from = plus_ns(at("2026-01-01"), version * ns_per_second);
    l.plans.back().effective_to = plus_ns(*l.plans.back().effective_from, ns_per_second);
  }
  const auto all = product::catalog::make(std::move(l)).value();
  CHECK(check_succession(all, all, at("2026-01-01")).has_value());
}

namespace {

/// The studio, whose support costs by an add-on's card with the key of the plan's fee.
std::string merged(const std::function<void(rate_card& plans, rate_card& add_ons)>& change) {
  return fault([&](listing& l) {
    l.add_ons[1].rate_cards = {flat_card("base", "20")};
    change(l.plans[0].phases[0].rate_cards[0], l.add_ons[1].rate_cards[0]);
  });
}

} // namespace

TEST_CASE("an add-on's card fits the plan's card of its key", "[catalog]") {
  using card = rate_card;
  CHECK(merged([](card&, card&) {}) == "accepted");
  CHECK(merged([](card&, card& c) { c.cadence = cadence::parse("P3M").value(); }) ==
        "plans[0].add_ons[1]");
  CHECK(merged([](card&, card& c) { c.tariff = agreed(made(rating::flat_price{dec("1")})); }) ==
        "plans[0].add_ons[1]"); // in advance, the plan's in arrears
  const auto half = [](card& c) {
    c.tariff = rating::tariff::make(c.tariff->price(), percent_off("50")).value();
  };
  CHECK(merged([&](card&, card& c) { half(c); }) == "accepted");
  CHECK(merged([&](card& mine, card& c) { half(mine), half(c); }) == "plans[0].add_ons[1]");
  CHECK(merged([](card&, card& c) {
          c.tariff.reset();
          c.included = dec("5");
        }) == "plans[0].add_ons[1]"); // a fee includes no quantity
}

TEST_CASE("fees of the same key add up before they are rounded and shared out", "[catalog]") {
  auto l = studio();
  l.add_ons[1].rate_cards = {flat_card("base", "20")};
  const auto all = product::catalog::make(std::move(l)).value();
  selection s{*all.latest_plan("studio"), 0, {}};
  s.add_ons.assign(2, *all.find_add_on("support"));
  // 50 + 2 × 20, ten of thirty days.
  CHECK(texts(lines_of(s, used("0", from_to("2026-04-21", "2026-05-01"))).value()) ==
        lines{"plan_base base 30.00"});

  // A discount that comes with the add-on is one, however often that is taken: half of 90.
  l = studio();
  auto half = flat_card("base", "20");
  half.tariff = agreed(half.tariff->price(), percent_off("50"));
  l.add_ons[1].rate_cards = {half};
  const auto cheaper = product::catalog::make(std::move(l)).value();
  s = {*cheaper.latest_plan("studio"), 0, {}};
  s.add_ons.assign(2, *cheaper.find_add_on("support"));
  CHECK(texts(lines_of(s, used("0")).value()) == lines{"plan_base base 45.00"});
}

TEST_CASE("a card without a price takes the add-on's", "[catalog]") {
  auto l = studio();
  l.plans[0].phases[0].rate_cards[1].tariff.reset();
  l.plans[0].phases[0].rate_cards[1].included = {};
  l.add_ons[2].rate_cards = {hours("100")};
  auto second = l.add_ons[2];
  second.key = "other_hours";
  l.add_ons.push_back(second);
  l.add_ons.push_back({"free_hours", "", aud, false, {more_hours("40")}});
  l.plans[0].add_ons.push_back("other_hours");
  l.plans[0].add_ons.push_back("free_hours");
  const auto all = product::catalog::make(std::move(l)).value();
  selection s{*all.latest_plan("studio"), 0, {}};
  CHECK(texts(lines_of(s, used("150")).value()) == lines{"plan_base base 50.00"});
  s.add_ons = {*all.find_add_on("more_hours")};
  // 50 hours above the included 100, at 0.01.
  CHECK(texts(lines_of(s, used("150")).value()) ==
        lines{"plan_base base 50.00", "addon Addon: more_hours 0.50"});
  s.add_ons.emplace_back(*all.find_add_on("free_hours")); // 10 hours above 100 + 40
  CHECK(texts(lines_of(s, used("150")).value()) ==
        lines{"plan_base base 50.00", "addon Addon: more_hours 0.10"});
  s.add_ons.emplace_back(*all.find_add_on("other_hours")); // both would charge the same hours
  CHECK(lines_of(s, used("150")).error().subject == "other_hours");
}

TEST_CASE("an add-on with several prices names each of them", "[catalog]") {
  auto l = studio();
  l.add_ons[0].rate_cards.push_back(flat_card("setup", "5"));
  const auto all = product::catalog::make(std::move(l)).value();
  selection s{*all.latest_plan("studio"), 0, {*all.find_add_on("storage_50gb")}};
  CHECK(texts(lines_of(s, used("0")).value()) == lines{"plan_base base 50.00",
                                                       "addon Addon: storage_50gb: storage 7.50",
                                                       "addon Addon: storage_50gb: setup 5.00"});
}

TEST_CASE("a quote is of one billing period", "[catalog]") {
  auto l = studio();
  auto yearly = flat_card("domain", "12");
  yearly.cadence = cadence::parse("P1Y").value();
  auto once = flat_card("setup", "3");
  once.cadence.reset();
  l.plans[0].phases[0].rate_cards = {yearly, once};
  l.plans[0].add_ons.clear();
  auto all = product::catalog::make(l).value();
  const auto no = lines_of({*all.latest_plan("studio"), 0, {}}, {april, april, {}}).error();
  CHECK(no.code == errc::unsupported_operation);
  CHECK(no.subject == "domain");
  l.plans[0].phases[0].rate_cards = {once};
  all = product::catalog::make(l).value();
  // Once, whole, however short the period.
  CHECK(texts(lines_of({*all.latest_plan("studio"), 0, {}},
                       {from_to("2026-04-21", "2026-05-01"), april, {}})
                  .value()) == lines{"plan_base setup 3.00"});
}

TEST_CASE("a plan paid with credit alone has no tax", "[catalog][D53]") {
  auto l = studio();
  l.plans[0].mode = settlement_mode::credit_only;
  const auto all = product::catalog::make(std::move(l)).value();
  const selection s{*all.latest_plan("studio"), 0, {}};
  const auto q = quote_for(s, used("0"), {gst, any_credit(5000)}).value();
  CHECK_FALSE(q.tax.has_value());
  CHECK(q.total() == 5000);
  CHECK(q.after_credits == after_credits{5000, 0, 0});
}

TEST_CASE("a plan is active from its first instant to its last", "[catalog][D4]") {
  plan p;
  CHECK(p.status(at("2026-01-01")) == plan_status::draft);
  p.effective_from = at("2026-02-01");
  p.effective_to = at("2026-03-01");
  CHECK(p.status(at("2026-01-31")) == plan_status::scheduled);
  CHECK(p.status(at("2026-02-01")) == plan_status::active);
  CHECK(p.status(at("2026-03-01")) == plan_status::archived);
}

TEST_CASE("cadences are months or hours", "[catalog]") {
  const auto parse = [](std::string_view text) { return cadence::parse(text).value(); };
  CHECK(parse("P1Y") == parse("P12M"));
  CHECK(parse("P2W") == parse("P14D"));
  CHECK(parse("P1D") == parse("PT24H"));
  CHECK(parse("PT36H").to_string() == "PT36H");
  CHECK(parse("P14D").to_string() == "P2W");
  CHECK(parse("P1M").aligned_with(parse("P1Y")));
  CHECK(parse("P6M").aligned_with(parse("P3M")));
  CHECK_FALSE(parse("P4M").aligned_with(parse("P6M")));
  CHECK_FALSE(parse("P4W").aligned_with(parse("P1M")));
  for (const auto* text :
       {"", "P", "P1", "PM", "P0M", "P-1M", "P1.5M", "PT1M", "P1H", "1M", "P1MM", "P99999M"})
    CHECK_FALSE(cadence::parse(text).has_value());
}
