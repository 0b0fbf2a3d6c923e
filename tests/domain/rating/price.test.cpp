// Prices, discounts and conversions: what may be made, and what is refused, at which field.
// What they cost is tested with lines.
#include "domain/rating/price.hpp"

#include "tests/domain/rating/rating.hpp"

using namespace accrue;
using namespace accrue::testing;
using rating::price;

namespace {

/// The field at fault.
std::string fault(price::any terms) {
  const auto made = price::make(std::move(terms));
  if (made)
    return "accepted";
  CHECK(made.error().code == errc::validation);
  return made.error().subject;
}

std::string fault(std::vector<rating::tier> tiers) {
  return fault(rating::tiered_price{rating::tier_mode::graduated, std::move(tiers), {}});
}

std::string fault(const price& p, rating::discounts d, std::optional<rating::unit_conversion> c) {
  const auto made = rating::tariff::make(p, std::move(d), c);
  if (made)
    return "accepted";
  CHECK(made.error().code == errc::validation);
  return made.error().subject;
}

rating::unit_conversion dividing_by(std::string_view factor, int precision = 0) {
  using conversion = rating::unit_conversion;
  return {
      conversion::operation::divide, dec(factor), conversion::rounding_mode::ceiling, precision};
}

} // namespace

TEST_CASE("tiers have exactly one open end and bounds above 0", "[rating][D30]") {
  CHECK(fault({tier("10", "", "1"), tier("", "", "2")}) == "accepted");
  CHECK(fault({tier("", "", "2")}) == "accepted");
  CHECK(fault(std::vector<rating::tier>{}) == "tiers");
  CHECK(fault({tier("10", "", "1")}) == "tiers");
  CHECK(fault({tier("", "", "1"), tier("", "5", "")}) == "tiers");
  CHECK(fault({tier("0", "", "1"), tier("", "", "2")}) == "tiers[0].up_to_amount");
  CHECK(fault({tier("5", "", "1"), tier("-1", "", "1"), tier("", "", "2")}) ==
        "tiers[1].up_to_amount");
}

TEST_CASE("each tier has a bound and a price of its own", "[rating][D30]") {
  CHECK(fault({tier("10", "", "1"), tier("", "", "2"), tier("10.0", "", "3")}) ==
        "tiers[2].up_to_amount");
  CHECK(fault({tier("10", "", ""), tier("", "", "2")}) == "tiers[0]");
  CHECK(fault({tier("10", "0", ""), tier("", "", "0")}) == "accepted");
  CHECK(fault({tier("10", "-0.01", ""), tier("", "", "2")}) == "tiers[0].flat_price");
  CHECK(fault({tier("10", "", "1"), tier("", "", "-2")}) == "tiers[1].unit_price");
}

TEST_CASE("tiers may be listed in any order", "[rating]") {
  const auto p = graduated({tier("20", "", "2"), tier("", "", "1"), tier("10", "", "3")});
  const auto& tiers = std::get<rating::tiered_price>(p.terms());
  CHECK(tiers.tiers == std::vector{tier("10", "", "3"), tier("20", "", "2"), tier("", "", "1")});
  CHECK(tiers.first_listed == 1);
}

TEST_CASE("amounts are not negative, packages hold something", "[rating][D30]") {
  CHECK(fault(rating::flat_price{dec("0")}) == "accepted");
  CHECK(fault(rating::flat_price{dec("-1")}) == "amount");
  CHECK(fault(rating::unit_price{dec("-0.000000000000000001"), {}}) == "amount");
  CHECK(fault(rating::package_price{dec("5"), dec("0"), {}}) == "quantity_per_package");
  CHECK(fault(rating::package_price{dec("-5"), dec("1"), {}}) == "amount");
  CHECK(fault(rating::package_price{dec("5"), dec("0.5"), {}}) == "accepted");
  CHECK(fault(rating::dynamic_price{dec("-1"), {}}) == "multiplier");
  CHECK(fault(rating::dynamic_price{}) == "accepted");
}

TEST_CASE("a minimum is not above the maximum", "[rating]") {
  const auto with = [](std::string_view minimum, std::string_view maximum) {
    return fault(rating::unit_price{dec("1"), between(minimum, maximum)});
  };
  CHECK(with("5", "5") == "accepted");
  CHECK(with("5", "0") == "accepted"); // 0 on either side is not compared
  CHECK(with("5", "4.99") == "commitments.minimum_amount");
  CHECK(with("-1", "") == "commitments.minimum_amount");
  CHECK(with("", "-1") == "commitments.maximum_amount");
  CHECK(fault(rating::tiered_price{rating::tier_mode::volume,
                                   {tier("", "", "1")},
                                   between("2", "1")}) == "commitments.minimum_amount");
}

TEST_CASE("discounts are percentages and quantities", "[rating][D58]") {
  const auto p = per_unit("1");
  CHECK(fault(p, percent_off("100"), {}) == "accepted");
  CHECK(fault(p, percent_off("0"), {}) == "accepted");
  CHECK(fault(p, percent_off("100.01"), {}) == "discounts.percentage");
  CHECK(fault(p, percent_off("-1"), {}) == "discounts.percentage");
  CHECK(fault(p, free_units("-1"), {}) == "discounts.usage");
  CHECK(fault(made(rating::flat_price{dec("1")}), free_units("1"), {}) == "discounts.usage");
}

TEST_CASE("only unit and tiered prices convert quantities", "[rating]") {
  CHECK(fault(per_unit("1"), {}, dividing_by("1000")) == "accepted");
  CHECK(fault(volume({tier("", "", "1")}), {}, dividing_by("1000")) == "accepted");
  CHECK(fault(made(rating::flat_price{dec("1")}), {}, dividing_by("1000")) == "accepted");
  CHECK(fault(made(rating::dynamic_price{}), {}, dividing_by("1000")) ==
        rating::reason::unit_config_unsupported_price);
  CHECK(fault(per_unit("1"), {}, dividing_by("0")) == rating::reason::invalid_unit_config);
  CHECK(fault(per_unit("1"), {}, dividing_by("-2")) == rating::reason::invalid_unit_config);
  CHECK(fault(per_unit("1"), {}, dividing_by("2", 19)) == rating::reason::invalid_unit_config);
}

TEST_CASE("all but flat prices are paid in arrears, all but flat and volume ones in parts",
          "[rating]") {
  CHECK(made(rating::flat_price{dec("1"), payment_term::in_advance}).term() ==
        payment_term::in_advance);
  CHECK(per_unit("1").term() == payment_term::in_arrears);
  CHECK(per_unit("1").may_be_split());
  CHECK(graduated({tier("", "", "1")}).may_be_split());
  CHECK_FALSE(volume({tier("", "", "1")}).may_be_split());
  CHECK_FALSE(made(rating::flat_price{dec("1")}).may_be_split());
  CHECK(per_unit("1").commitments() != nullptr);
  CHECK(made(rating::flat_price{dec("1")}).commitments() == nullptr);
}
