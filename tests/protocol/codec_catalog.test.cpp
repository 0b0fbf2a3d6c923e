// Catalogs on the wire: they come back as they were, and each fault is told with its place.
#include "accrue/v1/frame.pb.h"
#include "tests/protocol/frames.hpp"
#include "tests/protocol/samples.hpp"

#include <catch2/catch_test_macros.hpp>

#include <functional>

using namespace accrue;
using namespace accrue::wire;

namespace {

const std::string unknown_field = "\xC0\x3E\x01";

call put(product::catalog c) {
  return {"", "k", {}, {}, command::any(command::put_catalog{std::move(c)})};
}

rating::tariff tariff_of(rating::price::any terms) {
  return rating::tariff::make(rating::price::make(std::move(terms)).value()).value();
}

/// A plan with a tiered price and a fee, an add-on with a fee.
product::catalog shop() {
  using samples::number;
  product::rate_card hours;
  hours.key = hours.feature = "hours";
  hours.type = product::card_type::usage_based;
  hours.cadence = product::cadence();
  hours.included = number("10");
  hours.tariff =
      rating::tariff::make(rating::price::make(rating::tiered_price{rating::tier_mode::volume,
                                                                    {{number("5"), {}, number("2")},
                                                                     {{}, number("1"), {}}},
                                                                    {number("1"), number("100")}})
                               .value(),
                           {rating::percentage_discount{number("10"), "p"},
                            rating::usage_discount{number("3"), "u"}},
                           rating::unit_conversion{rating::unit_conversion::operation::divide,
                                                   number("1000"),
                                                   rating::unit_conversion::rounding_mode::ceiling,
                                                   2,
                                                   "thousands"})
          .value();
  product::rate_card base;
  base.key = "base";
  base.cadence = product::cadence();
  base.tariff = tariff_of(rating::flat_price{number("50"), payment_term::in_arrears});
  product::listing l;
  l.meters = {{"hours", product::aggregation::max, "h"}};
  l.features = {{"hours", "hours", false}};
  auto more = base;
  more.key = "more";
  l.add_ons = {{"more", "More", samples::usd, true, {more}}};
  product::plan p;
  p.key = "studio";
  p.version = 3;
  p.currency = samples::usd;
  p.effective_from = samples::noon;
  p.effective_to = samples::later;
  p.phases = {{"first", "", product::cadence(), {base}}, {"main", "", {}, {base, hours}}};
  p.add_ons = {"more"};
  l.plans = {p};
  return product::catalog::make(std::move(l)).value();
}

using spoiler = std::function<void(v1::Catalog&)>;

/// What the server says of a catalog that was spoilt on its way.
refusal refusal_of(const spoiler& spoil) {
  std::string out;
  print(out, 7, put(shop()));
  v1::Frame frame;
  REQUIRE(frame.ParseFromString(std::string(only_payload(out))));
  spoil(*frame.mutable_request()->mutable_commands(0)->mutable_put_catalog()->mutable_catalog());
  auto parsed = parse_client_frame(frame.SerializeAsString());
  REQUIRE(parsed);
  auto& got = std::get<request>(*parsed).calls.at(0);
  return got ? refusal{errc::internal, "accepted", ""} : got.error();
}

/// The place behind "put_catalog.".
std::string fault(const spoiler& spoil) {
  const auto no = refusal_of(spoil);
  CHECK(no.code == errc::validation);
  CHECK(no.subject.starts_with("put_catalog."));
  CHECK(no.text.starts_with(no.subject));
  return no.subject.substr(std::string("put_catalog.").size());
}

v1::RateCard& hours_of(v1::Catalog& m) {
  return *m.mutable_plans(0)->mutable_phases(1)->mutable_rate_cards(1);
}

const std::string hours_place = "plans[0].phases[1].rate_cards[1]";

} // namespace

TEST_CASE("every catalog comes back from the wire as it was, in commands and in replies") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    const auto sent = testing::random_catalog(seed).catalog();
    std::string out;
    print(out, 7, put(sent));
    auto frame = parse_client_frame(only_payload(out));
    REQUIRE(frame);
    const auto& got = std::get<request>(*frame).calls.at(0);
    INFO((got ? "" : got.error().text));
    REQUIRE(got);
    CHECK(std::get<command::put_catalog>(std::get<command::any>(got->body)).catalog == sent);

    std::string reply;
    print(reply, answer_to{7, 0}, reply::receipt{sequence(3), reply::catalog_view{sent}, {}});
    const auto answered = std::get<reply::receipt>(read_answer(reply).body);
    CHECK(std::get<reply::catalog_view>(answered.body).catalog == sent);
  }
}

TEST_CASE("what a catalog leaves out takes its default") {
  CHECK(refusal_of([](v1::Catalog& m) {
          auto& plan = *m.mutable_plans(0);
          plan.clear_billing_cadence();
          plan.clear_prorate();
          plan.clear_settlement_mode();
          auto& card = *plan.mutable_phases(0)->mutable_rate_cards(0);
          card.mutable_price()->mutable_flat()->clear_payment_term();
          card.clear_name();
          hours_of(m).mutable_unit_config()->clear_rounding();
          hours_of(m).clear_included();
        }).subject == "accepted");
}

TEST_CASE("a fault is told with its place") {
  CHECK(fault([](auto& m) { m.mutable_features(0)->set_meter("none"); }) == "features[0].meter");
  CHECK(fault([](auto& m) { m.mutable_meters(0)->clear_key(); }) == "meters[0].key");
  CHECK(fault([](auto& m) { m.mutable_plans(0)->set_currency("usd"); }) == "plans[0].currency");
  CHECK(fault([](auto& m) { m.mutable_plans(0)->set_version(0); }) == "plans[0].version");
  CHECK(fault([](auto& m) { m.mutable_plans(0)->set_billing_cadence("monthly"); }) ==
        "plans[0].billing_cadence");
  CHECK(fault([](auto& m) { m.mutable_plans(0)->add_add_ons("none"); }) == "plans[0].add_ons[1]");
  CHECK(fault([](auto& m) { m.mutable_add_ons(0)->clear_rate_cards(); }) ==
        "add_ons[0].rate_cards");
  CHECK(fault([](auto& m) { hours_of(m).set_included("a few"); }) == hours_place + ".included");
  CHECK(fault([](auto& m) { hours_of(m).set_cadence("P1W"); }) == hours_place + ".cadence");
  CHECK(fault([](auto& m) { hours_of(m).clear_price(); }) == hours_place + ".price");
  CHECK(fault([](auto& m) { hours_of(m).mutable_price()->clear_kind(); }) ==
        hours_place + ".price");
  CHECK(fault([](auto& m) {
          hours_of(m).mutable_discounts()->mutable_percentage()->set_percentage("101");
        }) == hours_place + ".discounts.percentage");
  CHECK(fault([](auto& m) { hours_of(m).mutable_unit_config()->set_precision(19); }) ==
        hours_place + ".unit_config.precision");
}

TEST_CASE("a price that cannot be is told with its place", "[D30]") {
  const auto tiers = [](v1::Catalog& m) -> v1::TieredPrice& {
    return *hours_of(m).mutable_price()->mutable_tiered();
  };
  CHECK(fault([&](auto& m) { tiers(m).mutable_tiers(0)->clear_up_to_amount(); }) ==
        hours_place + ".price.tiers");
  CHECK(fault([&](auto& m) { tiers(m).mutable_tiers(0)->set_up_to_amount("0"); }) ==
        hours_place + ".price.tiers[0].up_to_amount");
  CHECK(fault([&](auto& m) { tiers(m).mutable_tiers(0)->set_unit_price("1,5"); }) ==
        hours_place + ".price.tiers[0].unit_price");
  CHECK(fault([&](auto& m) { tiers(m).mutable_commitments()->set_minimum_amount("101"); }) ==
        hours_place + ".price.commitments.minimum_amount");
}

TEST_CASE("what no version knows is refused wherever it stands in a catalog") {
  const auto unknown = [](auto part) {
    const auto no =
        refusal_of([&](v1::Catalog& m) { REQUIRE(part(m)->MergeFromString(unknown_field)); });
    CHECK(no.code == errc::validation);
    return no.subject;
  };
  using m = v1::Catalog;
  CHECK(unknown([](m& c) { return &c; }) == "put_catalog");
  CHECK(unknown([](m& c) { return c.mutable_meters(0); }) == "put_catalog.meters[0]");
  CHECK(unknown([](m& c) { return c.mutable_features(0); }) == "put_catalog.features[0]");
  CHECK(unknown([](m& c) { return c.mutable_add_ons(0); }) == "put_catalog.add_ons[0]");
  CHECK(unknown([](m& c) { return c.mutable_plans(0)->mutable_phases(0); }) ==
        "put_catalog.plans[0].phases[0]");
  const auto card = "put_catalog." + hours_place;
  CHECK(unknown([](m& c) { return &hours_of(c); }) == card);
  CHECK(unknown([](m& c) { return hours_of(c).mutable_price(); }) == card + ".price");
  CHECK(unknown([](m& c) {
          return hours_of(c).mutable_price()->mutable_tiered()->mutable_tiers(1);
        }) == card + ".price.tiers[1]");
  CHECK(unknown([](m& c) {
          return hours_of(c).mutable_price()->mutable_tiered()->mutable_commitments();
        }) == card + ".price.commitments");
  CHECK(unknown([](m& c) { return hours_of(c).mutable_discounts()->mutable_usage(); }) ==
        card + ".discounts.usage");
  CHECK(unknown([](m& c) { return hours_of(c).mutable_unit_config(); }) == card + ".unit_config");
}

TEST_CASE("a choice that no version knows is refused in a catalog", "[D62]") {
  constexpr int none = 77;
  CHECK(fault([](auto& m) {
          m.mutable_meters(0)->set_aggregation(static_cast<v1::Aggregation>(none));
        }) == "meters[0].aggregation");
  CHECK(fault([](auto& m) { m.mutable_meters(0)->clear_aggregation(); }) ==
        "meters[0].aggregation");
  CHECK(fault([](auto& m) { hours_of(m).clear_type(); }) == hours_place + ".type");
  CHECK(fault([](auto& m) { hours_of(m).mutable_price()->mutable_tiered()->clear_mode(); }) ==
        hours_place + ".price.mode");
  CHECK(fault([](auto& m) {
          m.mutable_plans(0)->set_settlement_mode(static_cast<v1::SettlementMode>(none));
        }) == "plans[0].settlement_mode");
  CHECK(fault([](auto& m) { hours_of(m).mutable_unit_config()->clear_operation(); }) ==
        hours_place + ".unit_config.operation");
}

TEST_CASE("a quote is asked of a customer or of the namespace") {
  for (const auto* customer : {"acme", ""}) {
    call sent{customer, "", {}, {}, command::any(samples::full_quote())};
    std::string out;
    print(out, 7, sent);
    const auto frame = parse_client_frame(only_payload(out));
    REQUIRE(frame);
    const auto& got = std::get<request>(*frame).calls.at(0);
    REQUIRE(got);
    CHECK(got->customer == customer);
    const auto& asked = std::get<command::get_quote>(std::get<command::any>(got->body));
    CHECK(asked.plan == "studio");
    CHECK(asked.version == 2);
    CHECK(asked.phase == "main");
    CHECK(asked.add_ons == std::vector<std::string>{"storage", "storage", "support"});
    CHECK(asked.usage == samples::full_quote().usage);
    CHECK(asked.service_period == samples::january);
    CHECK(asked.full_service_period == period{{0}, samples::january.to});
  }
}
