// Decimals: text, order, exact sums and products. Also the 128-bit integer below them.
// Rounding and quotients are tested with money.
#include "domain/decimal.hpp"

#include <catch2/catch_test_macros.hpp>
#include <rapidcheck.h>

using namespace accrue;

namespace {

decimal dec(std::string_view text) { return decimal::parse(text).value(); }

errc parse_error(std::string_view text) {
  const auto parsed = decimal::parse(text);
  REQUIRE_FALSE(parsed.has_value());
  return parsed.error().code;
}

const std::string nines_38(38, '9');

/// Any canonical decimal, small and large coefficients alike.
rc::Gen<decimal> any_decimal() {
  return rc::gen::map(rc::gen::tuple(rc::gen::arbitrary<std::int64_t>(),
                                     rc::gen::inRange<std::int64_t>(0, 5'000'000'000'000'000'000),
                                     rc::gen::inRange(0, 3),
                                     rc::gen::inRange(0, decimal::scale_max + 1)),
                      [](const std::tuple<std::int64_t, std::int64_t, int, int>& drawn) {
                        const auto& [high, low, size, scale] = drawn;
                        int128 coefficient = high;
                        if (size == 0)
                          coefficient = high % 1000;
                        if (size == 2) // up to 9.2e18 × 1e19 and something: below 10^38
                          coefficient = coefficient * 10'000'000'000'000'000'000U + low;
                        return decimal::make(coefficient, scale).value();
                      });
}

} // namespace

TEST_CASE("a 128-bit integer prints all its digits", "[D2]") {
  CHECK(to_string(int128{0}) == "0");
  CHECK(to_string(int128{-7}) == "-7");
  CHECK(to_string(int128{1'000'000'000'000'000'000}) == "1000000000000000000");
  CHECK(to_string(power_of_ten(37) + 5) == "1" + std::string(36, '0') + "5");
  // 2^127 = 170141183460469231731687303715884105728
  const auto max = static_cast<int128>(~uint128{0} >> 1);
  CHECK(to_string(max) == "170141183460469231731687303715884105727");
  CHECK(to_string(-max - 1) == "-170141183460469231731687303715884105728");
}

TEST_CASE("128-bit arithmetic says overflow instead of wrapping", "[D2]") {
  const auto max = static_cast<int128>(~uint128{0} >> 1);
  CHECK(checked_add(2, 3) == int128{5});
  CHECK(checked_sub(2, 3) == int128{-1});
  CHECK(checked_mul(-2, 3) == int128{-6});
  CHECK(checked_add(max, 1).error().code == errc::overflow);
  CHECK(checked_sub(-max, 2).error().code == errc::overflow);
  CHECK(checked_mul(max, 2).error().code == errc::overflow);
}

TEST_CASE("a power of ten outside 0 to 38 is a defect") {
  CHECK(power_of_ten(0) == 1);
  CHECK(to_string(power_of_ten(38)) == "1" + std::string(38, '0'));
  CHECK_THROWS_AS(power_of_ten(39), defect);
  CHECK_THROWS_AS(power_of_ten(-1), defect);
}

TEST_CASE("decimal text is made canonical", "[D2]") {
  CHECK(dec("0.70").to_string() == "0.7");
  CHECK(dec("007").to_string() == "7");
  CHECK(dec("-0").to_string() == "0");
  CHECK(dec("-0.000").to_string() == "0");
  CHECK(dec("-0.05").to_string() == "-0.05");
  CHECK(dec("1200").to_string() == "1200");
  CHECK(dec("12.340").to_string() == "12.34");
  CHECK(dec("0.000000000000000001").to_string() == "0.000000000000000001");
  CHECK(dec("-" + nines_38).to_string() == "-" + nines_38);
}

TEST_CASE("the canonical form has no zeros after the point", "[D2]") {
  const auto value = dec("0.70");
  CHECK(value.coefficient() == 7);
  CHECK(value.scale() == 1);
  CHECK(value == dec("0.7"));
  CHECK(decimal(-12) == dec("-12.00"));
}

TEST_CASE("text that is no plain decimal is validation", "[D2]") {
  for (const char* text :
       {"",   "-",     "+1",   ".",     ".5",  "5.", "-.5", "1e3",  "1E-3",  " 1",
        "1 ", "1,000", "0x10", "1.2.3", "--1", "1-", "NaN", "-inf", "1_000", "\xD9\xA1"})
    CHECK(parse_error(text) == errc::validation);
}

TEST_CASE("more than 38 significant digits or 18 after the point is validation", "[D2]") {
  CHECK(decimal::parse(nines_38).has_value());
  CHECK(parse_error(nines_38 + "0") == errc::validation);
  CHECK(decimal::parse("000" + nines_38).has_value()); // zeros in front do not count
  CHECK(decimal::parse(std::string(20, '9') + "." + std::string(18, '9')).has_value());
  CHECK(parse_error(std::string(21, '9') + "." + std::string(18, '9')) == errc::validation);
  CHECK(decimal::parse("0." + std::string(17, '0') + "1").has_value());
  CHECK(parse_error("0." + std::string(18, '0') + "1") == errc::validation);
  CHECK(parse_error("1." + std::string(19, '0')) == errc::validation); // digits as written
}

TEST_CASE("a decimal made of numbers obeys the same bounds as one made of text", "[D2]") {
  CHECK(decimal::make(700, 3) == dec("0.7"));
  CHECK(decimal::make(power_of_ten(38) - 1, 0).has_value());
  CHECK(decimal::make(power_of_ten(38), 0).error().code == errc::validation);
  CHECK(decimal::make(power_of_ten(38), 1) == decimal::make(power_of_ten(37), 0)); // the same value
  CHECK(decimal::make(1, 19).error().code == errc::validation);
  CHECK(decimal::make(10, 19) == decimal::make(1, 18));
  CHECK(decimal::make(1, -1).error().code == errc::validation);
}

TEST_CASE("decimals are ordered by value, whatever their scales", "[D2]") {
  CHECK(dec("0.7") > dec("0.69999"));
  CHECK(dec("-0.7") < dec("-0.69999"));
  CHECK(dec("2") > dec("1.999999999999999999"));
  CHECK(dec("-1") < dec("0.000000000000000001"));
  // Aligned to 18 digits, 10^37 leaves 128 bits; it is still the larger one.
  CHECK(dec("1" + std::string(37, '0')) > dec("0.000000000000000001"));
  CHECK(dec("-1" + std::string(37, '0')) < dec("0.000000000000000001"));
  CHECK(dec("0.000000000000000001") < dec("1" + std::string(37, '0')));
}

TEST_CASE("sums and products of decimals are exact", "[D2]") {
  CHECK(add(dec("0.1"), dec("0.2")) == dec("0.3"));
  CHECK(add(dec("1.5"), dec("-1.5")) == dec("0"));
  CHECK(subtract(dec("1"), dec("0.000000000000000001")) == dec("0.999999999999999999"));
  CHECK(multiply(dec("0.001"), dec("333")) == dec("0.333"));
  CHECK(multiply(dec("-1.5"), dec("0.2")) == dec("-0.3"));
  CHECK(negate(dec("2.5")) == dec("-2.5"));
  // The coefficients' product, 6 × 10^38 and some, is beyond 2^127 until its last zero is dropped.
  CHECK(multiply(dec("30000000000000000000.5"), dec("2000000000000000000")) ==
        dec("60000000000000000001" + std::string(18, '0')));
}

TEST_CASE("an exact result that fits is found although 128 bits are too few on the way", "[D2]") {
  // With one digit after the point, 1.75 × 10^37 has the coefficient 1.75 × 10^38, beyond 2^127.
  // Less 9.9 × 10^36 and a tenth it is 7.6 × 10^36 less a tenth: 38 digits again.
  const auto sum = add(dec("175" + std::string(35, '0')), dec("-99" + std::string(35, '0') + ".1"));
  CHECK(sum.value().to_string() == "75" + std::string(35, '9') + ".9");
}

TEST_CASE("an exact result that does not fit is overflow, never rounded", "[D2]") {
  CHECK(add(dec(nines_38), dec("1")).error().code == errc::overflow);
  CHECK(subtract(dec("-" + nines_38), dec("1")).error().code == errc::overflow);
  CHECK(add(dec("1" + std::string(37, '0')), dec("0.1")).error().code == errc::overflow);
  CHECK(multiply(dec(nines_38), dec("2")).error().code == errc::overflow);
  CHECK(multiply(dec(nines_38), dec(nines_38)).error().code == errc::overflow);
  CHECK(multiply(dec("0.0000000001"), dec("0.0000000001")).error().code == errc::overflow);
}

TEST_CASE("any decimal survives being printed and parsed", "[D2][property]") {
  CHECK(rc::check([] {
    const auto value = *any_decimal();
    RC_ASSERT((decimal::parse(value.to_string()) == value));
  }));
}

TEST_CASE("the order of decimals is the order of their differences", "[D2][property]") {
  CHECK(rc::check([] {
    const auto a = *any_decimal();
    const auto b = *any_decimal();
    const auto difference = subtract(a, b);
    RC_PRE(difference.has_value());
    RC_ASSERT(((a <=> b) == (difference->coefficient() <=> int128{0})));
    RC_ASSERT(((b <=> a) == (0 <=> (a <=> b))));
    RC_ASSERT(((a == b) == std::is_eq(a <=> b)));
  }));
}

TEST_CASE("zeros after the point change neither the value nor the order", "[D2][property]") {
  CHECK(rc::check([] {
    const auto digits = *rc::gen::inRange<std::int64_t>(-1'000'000'000, 1'000'000'000);
    const int scale = *rc::gen::inRange(0, 10);
    const int zeros = *rc::gen::inRange(0, 9);
    const auto plain = decimal::make(digits, scale);
    const auto padded = decimal::make(digits * power_of_ten(zeros), scale + zeros);
    RC_ASSERT((plain == padded));
    RC_ASSERT((std::is_eq(*plain <=> *padded)));
  }));
}

TEST_CASE("adding and taking away restores a decimal", "[D2][property]") {
  CHECK(rc::check([] {
    const auto a = *any_decimal();
    const auto b = *any_decimal();
    const auto sum = add(a, b);
    RC_PRE(sum.has_value());
    RC_ASSERT((subtract(*sum, b) == a));
    RC_ASSERT((add(b, a) == sum));
  }));
}
