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
    return quote_for(of({}), used("0"), {gst, credit}).value().after_credits;
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
  CHECK(fault([](listing& l) { l.features[0].archived = true; }) ==
        "add_ons[2].rate_cards[0].feature");
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
  CHECK(fault([](listing& l) { l.plans.push_back(l.plans[0]); }) == "plans[0].effective_from");
  CHECK(fault([](listing& l) {
          l.plans[0].effective_from = at("2026-01-01");
          l.plans.push_back(l.plans[0]);
        }) == "plans[1].version");
  CHECK(fault([](listing& l) { // both would charge the same hours
          l.add_ons[2].rate_cards[0] = hours("0");
        }) == "plans[0].add_ons[2]");
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
