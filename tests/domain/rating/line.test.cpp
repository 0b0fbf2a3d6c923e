// What a line comes to: prices, discounts, commitments, parts of a period, credits.
// The rating vectors hold many more numbers; here are the rules and the corners.
#include "domain/rating/line.hpp"

#include "tests/domain/rating/rating.hpp"

using namespace accrue;
using namespace accrue::testing;

namespace {

const auto three_tiers =
    graduated({tier("5", "100", ""), tier("10", "50", "1"), tier("", "", "2")});

} // namespace

TEST_CASE("a unit price charges what was used", "[rating]") {
  CHECK(rated(agreed(per_unit("0.015")), january("1.5")) ==
        lines{"unit-price-usage 1.5 x 0.015 = 0.02"}); // 0.0225
  CHECK(rated(agreed(per_unit("0.015")), january("0")).empty());
}

TEST_CASE("the amount of a line is rounded half away from zero, its price is not", "[rating][D1]") {
  CHECK(rated(agreed(per_unit("0.005")), january("1")) ==
        lines{"unit-price-usage 1 x 0.005 = 0.01"});
  CHECK(rated(agreed(per_unit("0.5")), january("1", jpy)) == lines{"unit-price-usage 1 x 0.5 = 1"});
  // 33 % of 0.05 is 0.0165, 0.02; the discount is rounded, what is left follows from it.
  CHECK(rated(agreed(per_unit("0.05"), percent_off("33")), january("1")) ==
        lines{"unit-price-usage 1 x 0.05 = 0.05 -0.02%"});
}

TEST_CASE("a flat price is due at the beginning or at the end of its period", "[rating]") {
  const auto early = agreed(made(rating::flat_price{dec("9.99"), payment_term::in_advance}));
  const auto late = agreed(made(rating::flat_price{dec("9.99"), payment_term::in_arrears}));
  const auto first = part_of_january("2026-01-01", "2026-01-10", "0", "0");
  const auto last = part_of_january("2026-01-10", "2026-02-01", "0", "0");
  const lines billed{"flat-price 1 x 9.99 = 9.99"};
  CHECK(rated(early, first) == billed);
  CHECK(rated(early, last).empty());
  CHECK(rated(late, first).empty());
  CHECK(rated(late, last) == billed);
  CHECK(rated(early, january("0")) == billed);
}

TEST_CASE("a graduated price charges each unit where it falls", "[rating]") {
  CHECK(rated(agreed(three_tiers), january("12.5")) ==
        lines{"graduated-tiered-1-flat-price 1 x 100 = 100.00",
              "graduated-tiered-2-price-usage 5 x 1 = 5.00",
              "graduated-tiered-2-flat-price 1 x 50 = 50.00",
              "graduated-tiered-3-price-usage 2.5 x 2 = 5.00"});
  // A bound belongs to its tier.
  CHECK(rated(agreed(three_tiers), january("5")) ==
        lines{"graduated-tiered-1-flat-price 1 x 100 = 100.00"});
  CHECK(total(agreed(three_tiers), january("5.000000000000000001")) == "150.00");
}

TEST_CASE("without usage the tier listed first is entered", "[rating]") {
  CHECK(rated(agreed(three_tiers), january("0")) ==
        lines{"graduated-tiered-1-flat-price 1 x 100 = 100.00"});
  const auto open_first = graduated({tier("", "7", "2"), tier("10", "3", "1")});
  CHECK(rated(agreed(open_first), january("0")) ==
        lines{"graduated-tiered-1-price-usage 0 x 2 = 0.00",
              "graduated-tiered-1-flat-price 1 x 7 = 7.00"});
  CHECK(rated(agreed(open_first), january("1")) ==
        lines{"graduated-tiered-1-price-usage 1 x 1 = 1.00",
              "graduated-tiered-1-flat-price 1 x 3 = 3.00"});
}

TEST_CASE("a part of a period goes on where the one before it stopped", "[rating]") {
  const auto t = agreed(three_tiers);
  const auto part = [&](std::string_view quantity, std::string_view before) {
    return rated(t, part_of_january("2026-01-10", "2026-01-20", quantity, before));
  };
  CHECK(part("3", "4") == lines{"graduated-tiered-2-price-usage 2 x 1 = 2.00",
                                "graduated-tiered-2-flat-price 1 x 50 = 50.00"});
  CHECK(part("1", "7") == lines{"graduated-tiered-2-price-usage 1 x 1 = 1.00"});
  CHECK(part("1", "10") == lines{"graduated-tiered-3-price-usage 1 x 2 = 2.00"});
  CHECK(part("0", "7").empty());
  CHECK(part("0", "5").empty());
  CHECK(part("0", "0").empty()); // tier 1 was billed by the first part
}

TEST_CASE("a volume price charges all units by the tier of the whole", "[rating]") {
  const auto t = agreed(volume({tier("5", "100", ""), tier("10", "", "10"), tier("", "1", "5")}));
  CHECK(rated(t, january("0")) == lines{"volume-flat-price 1 x 100 = 100.00"});
  CHECK(rated(t, january("10")) == lines{"volume-tiered-price 10 x 10 = 100.00"});
  CHECK(rated(t, january("10.1")) ==
        lines{"volume-flat-price 1 x 1 = 1.00", "volume-tiered-price 10.1 x 5 = 50.50"});
  CHECK(rated(t, part_of_january("2026-01-01", "2026-01-10", "7", "0")).empty());
  CHECK(rated(t, part_of_january("2026-01-10", "2026-02-01", "7", "1")) ==
        lines{"unsupported_operation invoice_line_graduated_split_not_supported"});
}

TEST_CASE("a package is charged when it is begun", "[rating]") {
  const auto t = agreed(made(rating::package_price{dec("15"), dec("10"), {}}));
  CHECK(rated(t, january("0")).empty());
  CHECK(rated(t, january("10")) == lines{"usage 1 x 15 = 15.00"});
  CHECK(rated(t, january("10.001")) == lines{"usage 2 x 15 = 30.00"});
  CHECK(rated(t, part_of_january("2026-01-10", "2026-01-20", "5", "5")).empty());
  CHECK(rated(t, part_of_january("2026-01-10", "2026-01-20", "16", "5")) ==
        lines{"usage 2 x 15 = 30.00"});
}

TEST_CASE("a dynamic price passes money on", "[rating]") {
  const auto t = agreed(made(rating::dynamic_price{dec("1.2"), {}}));
  CHECK(rated(t, january("3.33")) == lines{"usage 1 x 4 = 4.00"}); // 3.996
  CHECK(rated(t, january("0")).empty());
}

TEST_CASE("a percentage comes off each line, also off a line of 0", "[rating][D58]") {
  const auto p = graduated({tier("5", "", "0"), tier("", "", "0.99")});
  CHECK(rated(agreed(p, percent_off("50")), january("6")) ==
        lines{"graduated-tiered-1-price-usage 5 x 0 = 0.00 -0.00%",
              "graduated-tiered-2-price-usage 1 x 0.99 = 0.99 -0.50%"}); // 0.495
}

TEST_CASE("what is free of charge is used up once in a full period", "[rating]") {
  // 110 free: 50 used, then 75, then 30. Source: invoicing.md 2.5.
  const auto t = agreed(per_unit("100"), free_units("110"));
  const auto first = rating::rate(t, part_of_january("2026-01-01", "2026-01-10", "50", "0"));
  CHECK(first->billed == rating::usage{});
  CHECK(first->free_of_charge == rating::discounted_usage{dec("50"), dec("0")});
  const auto second = rating::rate(t, part_of_january("2026-01-10", "2026-01-20", "75", "50"));
  CHECK(second->billed == rating::usage{dec("15"), dec("0")});
  CHECK(second->free_of_charge == rating::discounted_usage{dec("60"), dec("50")});
  const auto third = rating::rate(t, part_of_january("2026-01-20", "2026-02-01", "30", "125"));
  CHECK(third->billed == rating::usage{dec("30"), dec("15")});
  CHECK_FALSE(third->free_of_charge.has_value());
  CHECK(rated(t, january("110")).empty());
}

TEST_CASE("a maximum counts what earlier parts came to, before credits", "[rating][D23]") {
  const auto t = agreed(per_unit("10", between("", "100")), percent_off("50"));
  auto first = part_of_january("2026-01-01", "2026-01-10", "14", "0");
  const std::vector<int128> credit{3000};
  first.credits = credit;
  const auto billed = rating::rate(t, first);
  // 140 less 70; the credit of 30 pays a part of the 70 that were billed.
  CHECK(billed->totals.net() == 7000);
  CHECK(billed->totals.total() == 4000);
  auto second = part_of_january("2026-01-10", "2026-01-20", "10", "14");
  second.previously_billed = billed->totals.net();
  CHECK(rated(t, second) == lines{"unit-price-usage 10 x 10 = 100.00 -50.00% -20.00max"});
  auto third = part_of_january("2026-01-20", "2026-02-01", "1", "24");
  third.previously_billed = 10000;
  CHECK(rated(t, third) == lines{"unit-price-usage 1 x 10 = 10.00 -5.00% -5.00max"});
}

TEST_CASE("a maximum of fractions is the rounded one", "[rating][D1]") {
  CHECK(rated(agreed(per_unit("1", between("", "9.995"))), january("11")) ==
        lines{"unit-price-usage 11 x 1 = 11.00 -1.00max"});
}

TEST_CASE("a minimum is topped up at the end of the full period, after discounts", "[rating]") {
  const auto t = agreed(per_unit("10", between("100", "")), percent_off("50"));
  CHECK(rated(t, january("4")) ==
        lines{"unit-price-usage 4 x 10 = 40.00 -20.00%", "min-spend 1 x 80 = 80.00"});
  CHECK(rated(t, january("0")) == lines{"min-spend 1 x 100 = 100.00"});
  CHECK(rated(t, january("20")) == lines{"unit-price-usage 20 x 10 = 200.00 -100.00%"});
  CHECK(rated(t, january("0"), {.ignore_minimum = true}).empty());
  CHECK(rated(t, part_of_january("2026-01-01", "2026-01-31", "0", "0")).empty());
  auto last = part_of_january("2026-01-31", "2026-02-01", "0", "1");
  last.previously_billed = 10050;
  CHECK(rated(t, last).empty());
  last.previously_billed = 9950;
  CHECK(rated(t, last) == lines{"min-spend 1 x 0.5 = 0.50"});
  const auto out = rating::rate(t, last).value();
  CHECK(out.totals.amount == 0);
  CHECK(out.totals.charges == 50);
  CHECK(rating::period_of(out.lines.front(), last) == from_to("2026-01-01", "2026-02-01"));
}

TEST_CASE("credits pay lines in order, and all of them have to", "[rating]") {
  const auto t = agreed(graduated({tier("5", "100", ""), tier("", "", "1")}));
  auto l = january("15");
  const std::vector<int128> credits{7500, 2600};
  l.credits = credits;
  const auto out = rating::rate(t, l).value();
  CHECK(out.credits ==
        std::vector<rating::applied_credit>{{0, 0, 7500}, {0, 1, 2500}, {1, 1, 100}});
  CHECK(out.totals.credits == 10100);
  CHECK(out.totals.total() == 900);
  CHECK(rating::rate(t, l, {.ignore_credits = true})->totals.total() == 11000);
  const std::vector<int128> too_much{11001};
  l.credits = too_much;
  CHECK(rated(t, l) == lines{"validation invoice_line_credits_not_consumed_fully"});
  const std::vector<int128> negative{-1};
  l.credits = negative;
  CHECK(rated(t, l) == lines{"validation credits"});
}

TEST_CASE("what cannot be rated is refused", "[rating][D30]") {
  const auto t = agreed(per_unit("1"));
  CHECK(rated(t, january("-1")) == lines{"validation usage"});
  auto l = part_of_january("2026-01-01", "2026-01-10", "1", "-1");
  CHECK(rated(t, l) == lines{"validation usage"});
  l = part_of_january("2026-01-10", "2026-02-02", "1", "0");
  CHECK(rated(t, l) == lines{"invalid_period "});
}

TEST_CASE("an amount that leaves its range is overflow, never a wrap", "[rating][D2]") {
  const auto huge = std::string(30, '9');
  CHECK(rated(agreed(per_unit(huge)), january(huge)) == lines{"overflow "});
  CHECK(rated(agreed(per_unit("1")), january(huge)) == lines{"overflow "}); // above 2^100 cents
  CHECK(rated(agreed(per_unit("0.000000000000000001")), january(huge)) ==
        lines{"unit-price-usage " + huge + " x 0.000000000000000001 = 1000000000000.00"});
}

TEST_CASE("which part of a period can be billed", "[rating]") {
  const auto noon = at("2026-01-10T12:00:00Z");
  const auto whole = january("0");
  const auto part = [&](const rating::price& p, instant now, bool progressive) {
    return rating::billable_part(p, whole, at("2026-01-05"), now, progressive).value();
  };
  const auto p = per_unit("1");
  CHECK(part(p, noon, true) == period{whole.period.from, noon});
  CHECK(part(p, plus_ns(noon, 999'999'999), true) == period{whole.period.from, noon});
  CHECK_FALSE(part(p, noon, false).has_value());
  CHECK_FALSE(part(p, whole.period.from, true).has_value());
  CHECK(part(p, whole.period.to, false) == whole.period);
  CHECK(part(p, plus_ns(whole.period.to, 5), true) == whole.period);
  const auto v = volume({tier("", "", "1")});
  CHECK_FALSE(part(v, noon, true).has_value());
  CHECK(part(v, whole.period.to, true) == whole.period);
  const auto flat = made(rating::flat_price{dec("1")});
  CHECK_FALSE(part(flat, at("2026-01-04"), true).has_value());
  CHECK(part(flat, at("2026-01-05"), false) == whole.period);
  const auto split = part_of_january("2026-01-10", "2026-02-01", "0", "0");
  const auto refused = rating::billable_part(v, split, noon, noon, true);
  CHECK(refused.error().code == errc::unsupported_operation);
  CHECK(refused.error().subject == rating::reason::not_splittable);
}

TEST_CASE("names and references tell components apart", "[rating]") {
  const auto out = rating::rate(agreed(three_tiers), january("6")).value();
  CHECK(rating::name_of(out.lines.at(0), "API") == "API: flat price for tier 1");
  CHECK(rating::name_of(out.lines.at(1), "API") == "API: usage price for tier 2");
  CHECK(rating::name_of({rating::component::flat}, "API") == "API");
  CHECK(rating::name_of({rating::component::minimum_spend}, "API") == "API: minimum spend");
  CHECK(rating::name_of({rating::component::volume_usage, 2}, "API") ==
        "API: unit price for tier 2");
  CHECK(rating::maximum_description(dec("99.995"), usd) ==
        "Maximum spend discount for charges over 100");
  CHECK(rating::discount_reference("x") == "rateCardDiscount/correlationID=x");
}

TEST_CASE("a fee for a part of its period is one exact ratio", "[rating][D2]") {
  // 3.03 x 25 / 30 = 2.525
  CHECK(flat_fee::prorate(dollars("3.03"),
                          from_to("2026-04-01", "2026-04-26"),
                          from_to("2026-04-01", "2026-05-01")) == dollars("2.53"));
}
