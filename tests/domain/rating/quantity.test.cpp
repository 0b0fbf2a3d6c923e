// Conversion of metered quantities, and the exactness of what they cost.
// Quantities free of charge are tested with lines.
#include "domain/rating/quantity.hpp"

#include "domain/rating/amount.hpp"
#include "tests/domain/rating/rating.hpp"

using namespace accrue;
using namespace accrue::testing;

namespace {

using conversion = rating::unit_conversion;

/// "line before", converted.
std::string converted(std::string_view line, std::string_view before, const conversion& c) {
  const auto m = rating::convert({dec(line), dec(before)}, c).value();
  return m.shown(m.undivided.quantity)->to_string() + " " +
         m.shown(m.undivided.before)->to_string();
}

} // namespace

TEST_CASE("a converted quantity is rounded as was agreed", "[rating]") {
  using enum conversion::operation;
  using enum conversion::rounding_mode;
  CHECK(converted("1400", "0", {divide, dec("1000"), ceiling, 0}) == "2 0");
  CHECK(converted("1900", "0", {divide, dec("1000"), floor, 0}) == "1 0");
  CHECK(converted("1500", "1499", {divide, dec("1000"), half_up, 0}) == "2 1");
  CHECK(converted("1234", "0", {divide, dec("1000"), half_up, 2}) == "1.23 0");
  CHECK(converted("1235", "0", {divide, dec("1000"), half_up, 2}) == "1.24 0");
  CHECK(converted("10", "0", {multiply, dec("1.25"), none, 0}) == "12.5 0");
  CHECK(converted("10", "1", {multiply, dec("1.25"), floor, 0}) == "12 1");
  CHECK(converted("1400", "0", {divide, dec("1000"), none, 0}) == "1.4 0");
  // Line and what was before it are rounded each for itself. Source: invoicing.md 2.7.
  CHECK(converted("1300", "1400", {divide, dec("1000"), ceiling, 0}) == "2 2");
}

TEST_CASE("a conversion takes as many digits as a decimal has", "[rating][D2]") {
  using enum conversion::operation;
  using enum conversion::rounding_mode;
  // A product of 20 digits after the point is a quotient that is formed last.
  const auto fine = rating::convert({dec("0.0000000001"), {}},
                                    conversion{multiply, dec("0.0000000003"), none, 0});
  CHECK(rating::amount_of(
            dec("100000000000000000000"), fine->undivided.quantity, fine->divisor, usd) == 300);
  CHECK(converted("0.0000000001", "0", {multiply, dec("0.0000000003"), ceiling, 2}) == "0.01 0");
  CHECK(converted("10000000000000000000000", "0", {multiply, dec("2"), none, 0}) ==
        "20000000000000000000000 0");
}

TEST_CASE("a quotient is formed last", "[rating][D2]") {
  // Seconds, billed as hours at 0.015: 1200 s are a third of an hour, exactly 0.005, which rounds up.
  // A third with 16 digits would be 0.004999…, which rounds down.
  const conversion hours{
      conversion::operation::divide, dec("3600"), conversion::rounding_mode::none, 0};
  CHECK(rated(agreed(per_unit("0.015"), {}, hours), january("1200")) ==
        lines{"unit-price-usage 0.3333333333333333 x 0.015 = 0.01"});
  // Bounds and quantities free of charge are hours too: 5400 s less half an hour are one hour, of
  // which half falls into each tier.
  const auto p = graduated({tier("0.5", "", "1"), tier("", "", "0.01")});
  CHECK(rated(agreed(p, free_units("0.5"), hours), january("5400")) ==
        lines{"graduated-tiered-1-price-usage 0.5 x 1 = 0.50",
              "graduated-tiered-2-price-usage 0.5 x 0.01 = 0.01"});
  const auto out = rating::rate(agreed(p, free_units("0.5"), hours), january("5400")).value();
  CHECK(out.billed.quantity == dec("1"));
  CHECK(out.free_of_charge == rating::discounted_usage{dec("0.5"), dec("0")});
  const auto v = volume({tier("0.5", "", "1"), tier("", "", "0.01")});
  CHECK(total(agreed(v, {}, hours), january("1800")) == "0.50");
  CHECK(total(agreed(v, {}, hours), january("1801")) == "0.01");
}

TEST_CASE("a conversion that is switched off is refused, but for flat prices", "[rating]") {
  const conversion thousands{
      conversion::operation::divide, dec("1000"), conversion::rounding_mode::ceiling, 0};
  const rating::options off{.conversion_enabled = false};
  CHECK(rated(agreed(per_unit("1"), {}, thousands), january("1"), off) ==
        lines{"unsupported_operation unit_config_disabled"});
  CHECK(rated(agreed(made(rating::flat_price{dec("1")}), {}, thousands), january("1"), off) ==
        lines{"flat-price 1 x 1 = 1.00"});
}

TEST_CASE("packages are counted by an exact quotient", "[rating][D2]") {
  const auto begun = [](std::string_view quantity, std::string_view size) {
    return rating::packages_begun(dec(quantity), dec(size)).value().to_string();
  };
  CHECK(begun("0", "3") == "0");
  CHECK(begun("9", "3") == "3");
  CHECK(begun("9.000000000000000001", "3") == "4");
  CHECK(begun("1", "0.3") == "4");
}
