// Money: currencies, the one rounding, exact ratios, and splitting without losing a unit.
// What is charged and when is tested with charges, prices and invoices.
#include "domain/money.hpp"

#include <catch2/catch_test_macros.hpp>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

using namespace accrue;

namespace {

const currency usd = find_iso_currency("USD").value();
const currency jpy = find_iso_currency("JPY").value();
const currency kwd = find_iso_currency("KWD").value();
const currency token{currency::credit_unit_base + 1, 9};

constexpr auto int128_max = static_cast<int128>(~uint128{0} >> 1);
constexpr auto int128_min = -int128_max - 1;

decimal dec(std::string_view text) { return decimal::parse(text).value(); }

int128 rounded_cents(std::string_view text) { return rounded_money(dec(text), usd).value().minor; }

std::vector<int128> split(int128 total, std::vector<int128> weights) {
  return allocate(total, weights).value();
}

/// Amounts of every size: hundreds, 64 bits, and some of 100 bits.
rc::Gen<int128> any_amount() {
  return rc::gen::map(rc::gen::pair(rc::gen::arbitrary<std::int64_t>(), rc::gen::inRange(0, 3)),
                      [](const std::pair<std::int64_t, int>& drawn) {
                        const auto& [number, size] = drawn;
                        if (size == 0)
                          return static_cast<int128>(number % 1000);
                        if (size == 1)
                          return static_cast<int128>(number);
                        return static_cast<int128>(number) * 68'719'476'736 + number;
                      });
}

rc::Gen<std::vector<int128>> any_weights() {
  const auto weight = rc::gen::map(any_amount(), [](int128 w) { return w < 0 ? -w : w; });
  return rc::gen::suchThat(rc::gen::container<std::vector<int128>>(weight),
                           [](const std::vector<int128>& weights) {
                             return std::ranges::any_of(weights, [](int128 w) { return w > 0; });
                           });
}

} // namespace

TEST_CASE("currencies have the minor units of ISO 4217", "[D1]") {
  struct expectation {
    std::string_view code;
    std::uint32_t number;
    int exponent;
  };
  constexpr std::array<expectation, 24> expected{{
      {"USD", 840, 2}, {"EUR", 978, 2}, {"GBP", 826, 2}, {"AUD", 36, 2},  {"CHF", 756, 2},
      {"MGA", 969, 2}, {"MRU", 929, 2}, {"XCG", 532, 2}, {"JPY", 392, 0}, {"KRW", 410, 0},
      {"CLP", 152, 0}, {"VND", 704, 0}, {"XOF", 952, 0}, {"XPF", 953, 0}, {"ISK", 352, 0},
      {"BHD", 48, 3},  {"IQD", 368, 3}, {"JOD", 400, 3}, {"KWD", 414, 3}, {"LYD", 434, 3},
      {"OMR", 512, 3}, {"TND", 788, 3}, {"CLF", 990, 4}, {"UYW", 927, 4},
  }};
  for (const auto& [code, number, exponent] : expected) {
    INFO(code);
    const auto found = find_iso_currency(code);
    REQUIRE(found.has_value());
    CHECK(found->number() == number);
    CHECK(found->exponent() == exponent);
    CHECK(iso_code(*found) == code);
  }
}

TEST_CASE("the table holds each currency once and every one is found", "[D1]") {
  std::set<std::uint32_t> numbers;
  std::array<int, 5> with_exponent{};
  for (const auto& line : iso_currencies()) {
    numbers.insert(line.number);
    ++with_exponent.at(line.exponent);
    CHECK(find_iso_currency(line.code) == currency(line.number, line.exponent));
    CHECK(iso_code({line.number, line.exponent}) == line.code);
  }
  CHECK(numbers.size() == iso_currencies().size());
  // 0: BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF. 1: none.
  // 3: BHD IQD JOD KWD LYD OMR TND. 4: CLF UYW. The other 132 have cents.
  CHECK(with_exponent == std::array<int, 5>{16, 0, 132, 7, 2});
}

TEST_CASE("what is not billed is no currency", "[D1]") {
  for (const char* code : {"XAU",
                           "XAG",
                           "XDR",
                           "XTS",
                           "XXX",
                           "BOV",
                           "CHE",
                           "USN",
                           "DEM",
                           "HRK",
                           "usd",
                           "US",
                           "USDX",
                           "",
                           "TOKEN"}) {
    const auto found = find_iso_currency(code);
    REQUIRE_FALSE(found.has_value());
    CHECK(found.error().code == errc::validation);
  }
}

TEST_CASE("credit units are told from currencies and have no ISO code", "[D63]") {
  CHECK(token.is_credit_unit());
  CHECK_FALSE(usd.is_credit_unit());
  CHECK(iso_code(token).empty());
  CHECK(iso_code(currency{1, 2}).empty());
  CHECK(token != currency{currency::credit_unit_base + 2, 9});
}

TEST_CASE("amounts of two currencies are never added", "[D63]") {
  CHECK(add({100, usd}, {5, usd}) == money{105, usd});
  CHECK(subtract({100, usd}, {105, usd}) == money{-5, usd});
  CHECK(add({1, usd}, {1, jpy}).error().code == errc::validation);
  CHECK(add({1, usd}, {1, token}).error().code == errc::validation);
  CHECK(subtract({1, usd}, {1, jpy}).error().code == errc::validation);
}

TEST_CASE("a sum beyond 128 bits is overflow", "[D2]") {
  CHECK(add({int128_max, usd}, {1, usd}).error().code == errc::overflow);
  CHECK(subtract({int128_min, usd}, {1, usd}).error().code == errc::overflow);
  CHECK(add({int128_max, usd}, {int128_min, usd}) == money{-1, usd});
}

TEST_CASE("money prints all digits of its currency", "[D2]") {
  CHECK(to_string(money{1234, usd}) == "12.34");
  CHECK(to_string(money{-5, usd}) == "-0.05");
  CHECK(to_string(money{0, usd}) == "0.00");
  CHECK(to_string(money{1200, usd}) == "12.00");
  CHECK(to_string(money{-1234, jpy}) == "-1234");
  CHECK(to_string(money{1, kwd}) == "0.001");
  CHECK(to_string(money{-1, token}) == "-0.000000001");
  CHECK(to_decimal({1200, usd}).value() == dec("12"));
  CHECK(to_decimal({int128_max, usd}).error().code == errc::overflow); // 39 digits
}

TEST_CASE("an amount is rounded half away from zero to the minor unit", "[D1]") {
  CHECK(rounded_cents("1.235") == 124);
  CHECK(rounded_cents("-1.235") == -124);
  CHECK(rounded_cents("1.234999999999999999") == 123);
  CHECK(rounded_cents("0.005") == 1);
  CHECK(rounded_cents("0.004999999999999999") == 0);
  CHECK(rounded_cents("2.5") == 250);
  CHECK(rounded_money(dec("0.5"), jpy) == money{1, jpy});
  CHECK(rounded_money(dec("-2.5"), jpy) == money{-3, jpy});
  CHECK(rounded_money(dec("0.0005"), kwd) == money{1, kwd});
  CHECK(rounded_money(dec("0.00000000049"), token) == money{0, token});
}

TEST_CASE("an exact amount with more digits than its currency is validation", "[D2]") {
  CHECK(exact_money(dec("1.230"), usd) == money{123, usd});
  CHECK(exact_money(dec("-7"), usd) == money{-700, usd});
  CHECK(exact_money(dec("1.234"), usd).error().code == errc::validation);
  CHECK(exact_money(dec("0.1"), jpy).error().code == errc::validation);
  CHECK(exact_money(dec("0.000000001"), token) == money{1, token});
  // 38 nines in cents need 40 digits.
  CHECK(exact_money(dec(std::string(38, '9')), usd).error().code == errc::overflow);
}

TEST_CASE("proration is one exact ratio, rounded once", "[D2]") {
  constexpr int128 day = 86'400;
  // 3.03 × 25 ÷ 30 = 2.525, away from zero: 2.53.
  CHECK(multiply_ratio({303, usd}, 25 * day, 30 * day) == money{253, usd});
  CHECK(multiply_ratio({-303, usd}, 25 * day, 30 * day) == money{-253, usd});
  // 10.00 × 1 ÷ 3 = 3.333…; 20.00 ÷ 3 = 6.666…
  CHECK(multiply_ratio({1000, usd}, 1, 3) == money{333, usd});
  CHECK(multiply_ratio({2000, usd}, 1, 3) == money{667, usd});
  CHECK(multiply_ratio({1000, usd}, -1, 3) == money{-333, usd});
  CHECK(multiply_ratio({1000, usd}, 0, 3) == money{0, usd});
  CHECK(multiply_ratio({1000, usd}, 1, 0).error().code == errc::validation);
  CHECK(multiply_ratio({1000, usd}, 1, -3).error().code == errc::validation);
}

TEST_CASE("a ratio may leave 128 bits on the way, not at its end", "[D2]") {
  CHECK(multiply_ratio({int128_max, usd}, int128_max, int128_max) == money{int128_max, usd});
  CHECK(multiply_ratio({int128_min, usd}, int128_max, int128_max) == money{int128_min, usd});
  CHECK(multiply_ratio({int128_max, usd}, 2, 1).error().code == errc::overflow);
  CHECK(multiply_ratio({int128_max, usd}, 3, 2).error().code == errc::overflow);
  // (2^127 - 1) × 3 ÷ 6 = 2^126 - 1/2, away from zero: 2^126.
  CHECK(multiply_ratio({int128_max, usd}, 3, 6) == money{int128_max / 2 + 1, usd});
  CHECK(multiply_ratio({-int128_max, usd}, 3, 6) == money{-(int128_max / 2) - 1, usd});
}

TEST_CASE("credit is converted to fiat at its cost basis", "[D1][D63]") {
  // 1.000000001 tokens at 0.5 are 0.5000000005 dollars.
  CHECK(multiply({1'000'000'001, token}, dec("0.5"), usd) == money{50, usd});
  // One credit of two decimals at 0.005 is half a cent.
  const currency credit{currency::credit_unit_base, 2};
  CHECK(multiply({100, credit}, dec("0.005"), usd) == money{1, usd});
  CHECK(multiply({-100, credit}, dec("0.005"), usd) == money{-1, usd});
  CHECK(multiply({100, credit}, dec("0.0049"), usd) == money{0, usd});
  // To a finer unit: 0.01 dollars at 3 are 0.03 tokens of nine decimals.
  CHECK(multiply({1, usd}, dec("3"), token) == money{30'000'000, token});
}

TEST_CASE("rate times quantity is exact until it is rounded to money", "[D1][D2]") {
  // 0.001 × 333 = 0.333; 0.001 × 666 = 0.666
  CHECK(rounded_product(dec("0.001"), dec("333"), usd) == money{33, usd});
  CHECK(rounded_product(dec("0.001"), dec("666"), usd) == money{67, usd});
  // 1.000000000000000001 × 0.499999999999999999 is just below one half, so that no earlier rounding
  // can make it 1: 0.4999999999999999994999…
  CHECK(rounded_product(dec("1.000000000000000001"), dec("0.499999999999999999"), jpy) ==
        money{0, jpy});
  // 10^20 + 10^-17 times 0.5: the product of the coefficients is beyond 2^127.
  CHECK(rounded_product(dec("100000000000000000000.00000000000000001"),
                        dec("0.500000000000000001"),
                        jpy) == money{static_cast<int128>(5) * power_of_ten(19) + 100, jpy});
  CHECK(rounded_product(dec(std::string(38, '9')), dec("10"), jpy).error().code == errc::overflow);
}

TEST_CASE("a quotient is rounded half away from zero", "[D1]") {
  CHECK(divide_rounded(5, 2) == 3);
  CHECK(divide_rounded(-5, 2) == -3);
  CHECK(divide_rounded(4, 3) == 1);
  CHECK(divide_rounded(-5, 3) == -2);
  CHECK(divide_rounded(0, 7) == 0);
  CHECK(divide_rounded(int128_max, int128_max) == 1);
  CHECK(divide_rounded(int128_max / 2, int128_max) == 0);     // (2^126 - 1) ÷ (2^127 - 1) < 1/2
  CHECK(divide_rounded(int128_max / 2 + 1, int128_max) == 1); // 2^126 ÷ (2^127 - 1) > 1/2
  CHECK(divide_rounded(int128_min, 1) == int128_min);
  CHECK_THROWS_AS(divide_rounded(1, 0), defect);
}

TEST_CASE("quantities are divided to the nearest, down or up", "[D2]") {
  const auto quotient = [](std::string_view a, std::string_view b, int scale, rounding mode) {
    return divide(dec(a), dec(b), scale, mode).value();
  };
  CHECK(quotient("11", "10", 0, rounding::floor) == dec("1"));
  CHECK(quotient("11", "10", 0, rounding::ceiling) == dec("2"));
  CHECK(quotient("10", "10", 0, rounding::ceiling) == dec("1"));
  CHECK(quotient("-11", "10", 0, rounding::floor) == dec("-2"));
  CHECK(quotient("-11", "10", 0, rounding::ceiling) == dec("-1"));
  CHECK(quotient("11", "-10", 0, rounding::floor) == dec("-2"));
  CHECK(quotient("1.5", "1", 0, rounding::half_away) == dec("2"));
  CHECK(quotient("-1.5", "1", 0, rounding::half_away) == dec("-2"));
  CHECK(quotient("2", "3", 4, rounding::half_away) == dec("0.6667"));
  CHECK(quotient("0.000000000000000001", "0.1", 18, rounding::floor) == dec("0.00000000000000001"));
  CHECK(quotient(std::string(38, '9'), std::string(38, '9'), 18, rounding::floor) == dec("1"));
  CHECK(divide(dec("1"), dec("0"), 2, rounding::floor).error().code == errc::validation);
  CHECK(divide(dec("1"), dec("3"), 19, rounding::floor).error().code == errc::validation);
  CHECK(divide(dec(std::string(38, '9')), dec("0.1"), 0, rounding::floor).error().code ==
        errc::overflow);
}

TEST_CASE("a total is split by largest remainder, ties to the earlier", "[D10]") {
  // 5.00 over 10.00 and 5.00: 3.333… and 1.666…; the cent left goes to the larger rest.
  CHECK(split(500, {1000, 500}) == std::vector<int128>{333, 167});
  CHECK(split(100, {1, 1, 1}) == std::vector<int128>{34, 33, 33});
  CHECK(split(101, {1, 1, 1}) == std::vector<int128>{34, 34, 33});
  CHECK(split(-100, {1, 1, 1}) == std::vector<int128>{-34, -33, -33});
  CHECK(split(7, {0, 3, 0}) == std::vector<int128>{0, 7, 0});
  CHECK(split(0, {2, 3}) == std::vector<int128>{0, 0});
  CHECK(split(1, {1, 1}) == std::vector<int128>{1, 0});
  // 10 over 3, 3, 3, 1: 3 each and 1, nothing left.
  CHECK(split(10, {3, 3, 3, 1}) == std::vector<int128>{3, 3, 3, 1});
}

TEST_CASE("a split whose products leave 128 bits is exact all the same", "[D2][D10]") {
  CHECK(split(int128_max, {int128_max, int128_max}) ==
        std::vector<int128>{int128_max / 2 + 1, int128_max / 2});
  CHECK(split(-int128_max, {int128_max, 0, int128_max}) ==
        std::vector<int128>{-(int128_max / 2) - 1, 0, -(int128_max / 2)});
}

TEST_CASE("weights that say nothing are refused", "[D10]") {
  CHECK(allocate(5, {}).error().code == errc::validation);
  CHECK(allocate(5, std::vector<int128>{0, 0}).error().code == errc::validation);
  CHECK(allocate(5, std::vector<int128>{2, -1}).error().code == errc::validation);
  CHECK(allocate(int128_min, std::vector<int128>{1}).error().code == errc::overflow);
}

TEST_CASE("a split loses nothing, in currencies of 0, 2, 3, 4 and 9 digits", "[D10][property]") {
  for (const std::uint8_t exponent : std::array<std::uint8_t, 5>{0, 2, 3, 4, 9}) {
    INFO("exponent " << int{exponent});
    CHECK(rc::check([exponent] {
      const money whole{*any_amount(), currency{currency::credit_unit_base, exponent}};
      const auto parts = split(whole.minor, *any_weights());
      money sum{0, whole.currency};
      for (const auto part : parts)
        sum = add(sum, {part, whole.currency}).value();
      RC_ASSERT((sum == whole));
      RC_ASSERT((to_string(sum) == to_string(whole)));
    }));
  }
}

TEST_CASE("a part of a split is less than one unit away from its exact share", "[D10][property]") {
  CHECK(rc::check([] {
    // Small enough for the check itself: |total| < 2^63, the sum of weights < 2^63.
    const auto total = *rc::gen::arbitrary<std::int64_t>();
    const auto drawn = *rc::gen::container<std::vector<std::uint32_t>>(
        rc::gen::inRange<std::uint32_t>(0, 1'000'000));
    const std::vector<int128> weights(drawn.begin(), drawn.end());
    const int128 sum = std::accumulate(weights.begin(), weights.end(), int128{0});
    RC_PRE(sum > 0);
    const auto parts = split(total, weights);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const int128 distance = parts[i] * sum - total * weights[i]; // in units of 1 ÷ sum
      RC_ASSERT(distance < sum);
      RC_ASSERT(distance > -sum);
    }
  }));
}

TEST_CASE("equal weights get parts that differ by one at most, the earlier the larger",
          "[D10][property]") {
  CHECK(rc::check([] {
    const auto total = *rc::gen::inRange<std::int64_t>(0, 1'000'000'000);
    const auto count = *rc::gen::inRange<std::size_t>(1, 50);
    const auto parts = split(total, std::vector<int128>(count, 7));
    RC_ASSERT(std::ranges::is_sorted(parts, std::ranges::greater{}));
    RC_ASSERT((parts.front() - parts.back() <= 1));
  }));
}

TEST_CASE("a split does not depend on the scale of its weights", "[D10][property]") {
  CHECK(rc::check([] {
    const auto total = *any_amount();
    const auto drawn =
        *rc::gen::container<std::vector<std::uint16_t>>(rc::gen::arbitrary<std::uint16_t>());
    const std::vector<int128> weights(drawn.begin(), drawn.end());
    RC_PRE(std::ranges::any_of(weights, [](int128 w) { return w > 0; }));
    // 10^33 × 65535 × many takes the wide path, the plain weights mostly the fast one.
    auto large = weights;
    for (auto& weight : large)
      weight *= power_of_ten(33);
    RC_ASSERT((split(total, weights) == split(total, large)));
  }));
}

TEST_CASE("rounding is symmetric around zero and never more than half away", "[D1][property]") {
  CHECK(rc::check([] {
    const auto numerator = *any_amount();
    const int128 denominator = *rc::gen::positive<std::int64_t>();
    const auto quotient = divide_rounded(numerator, denominator);
    RC_ASSERT((divide_rounded(-numerator, denominator) == -quotient));
    const int128 distance = quotient * denominator - numerator;
    RC_ASSERT((2 * (distance < 0 ? -distance : distance) <= denominator));
  }));
}

TEST_CASE("the fast and the wide way to a ratio agree", "[D2][property]") {
  CHECK(rc::check([] {
    const int128 amount = *rc::gen::arbitrary<std::int64_t>();
    const int128 numerator = *rc::gen::arbitrary<std::int32_t>();
    const int128 denominator = *rc::gen::positive<std::int32_t>();
    const auto factor = power_of_ten(28); // the same ratio, whose product leaves 128 bits
    RC_ASSERT((multiply_ratio({amount, usd}, numerator, denominator) ==
               multiply_ratio({amount, usd}, numerator * factor, denominator * factor)));
  }));
}

TEST_CASE("money survives being turned into a decimal and back", "[D2][property]") {
  for (const std::uint8_t exponent : std::array<std::uint8_t, 5>{0, 2, 3, 4, 9}) {
    INFO("exponent " << int{exponent});
    CHECK(rc::check([exponent] {
      const money amount{*any_amount(), currency{currency::credit_unit_base, exponent}};
      RC_ASSERT((exact_money(to_decimal(amount).value(), amount.currency) == amount));
      const auto text = decimal::parse(to_string(amount)).value();
      RC_ASSERT((rounded_money(text, amount.currency) == amount));
    }));
  }
}
