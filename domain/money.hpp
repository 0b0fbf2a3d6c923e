// Money: whole minor units of one currency, and the only rounding in the tree.
// What is charged, and when, is decided by prices, charges and invoices.
#pragma once

#include "domain/decimal.hpp"
#include "domain/int128.hpp"
#include "domain/result.hpp"

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace accrue {

/// Identity of a unit of account: an ISO 4217 currency by its numeric code (below 1000), or a credit
/// unit of the namespace (D63) by its number there plus 1000. Carries its minor-unit exponent, so that
/// no table is asked on the way of a command. Comparing is comparing the identity.
class currency {
public:
  constexpr currency() = default;
  constexpr currency(std::uint32_t number, std::uint8_t exponent) noexcept
      : number_(number), exponent_(exponent) {}

  [[nodiscard]] constexpr std::uint32_t number() const noexcept { return number_; }
  /// Digits after the point of one minor unit: 2 for USD, 0 for JPY, 0..9 for credit units.
  [[nodiscard]] constexpr int exponent() const noexcept { return exponent_; }
  [[nodiscard]] constexpr bool is_credit_unit() const noexcept {
    return number_ >= credit_unit_base;
  }

  friend constexpr bool operator==(currency a, currency b) noexcept {
    return a.number_ == b.number_;
  }
  friend constexpr auto operator<=>(currency a, currency b) noexcept {
    return a.number_ <=> b.number_;
  }

  static constexpr std::uint32_t credit_unit_base = 1000;

private:
  std::uint32_t number_ = 0;
  std::uint8_t exponent_ = 0;
};

/// One line of ISO 4217: metals, test codes and funds codes are left out, they are not billed; the
/// units of account that contracts are written in, CLF and UYW, are kept.
struct iso_currency {
  std::string_view code;
  std::uint16_t number;
  std::uint8_t exponent;
};

/// All active ISO 4217 currencies that have minor units, sorted by code.
[[nodiscard]] std::span<const iso_currency> iso_currencies() noexcept;

/// The ISO currency of a three-letter code in capitals. errc: validation.
[[nodiscard]] result<currency> find_iso_currency(std::string_view code);

/// The three-letter code of an ISO currency; empty for a credit unit.
[[nodiscard]] std::string_view iso_code(currency c) noexcept;

/// An amount: 128-bit signed whole minor units of one currency (D2).
struct money {
  int128 minor = 0;
  accrue::currency currency;

  [[nodiscard]] bool is_zero() const noexcept { return minor == 0; }
  friend bool operator==(const money&, const money&) = default;
};

/// Adds and subtracts. errc: validation for two currencies, overflow.
[[nodiscard]] result<money> add(const money& a, const money& b);
[[nodiscard]] result<money> subtract(const money& a, const money& b);

/// The amount as a decimal, e.g. 12.34 for 1234 USD minor units.
[[nodiscard]] result<decimal> to_decimal(const money& m);
/// "12.34": always with the currency's full number of digits, no thousands separator.
[[nodiscard]] std::string to_string(const money& m);

/// An amount that must be exact: more digits than the currency has is `validation` (D2).
[[nodiscard]] result<money> exact_money(const decimal& amount, currency c);
/// An amount rounded half away from zero to the minor unit (D1): grants and charges on entry only.
[[nodiscard]] result<money> rounded_money(const decimal& amount, currency c);

/// round(m × numerator ÷ denominator) in minor units, one exact ratio, rounded once half away from
/// zero (D1, D2): proration by seconds. errc: overflow; validation for denominator <= 0.
[[nodiscard]] result<money> multiply_ratio(const money& m, int128 numerator, int128 denominator);
/// round(m × factor) to the minor unit of `target`: fiat(x) of a cost basis. errc: overflow.
[[nodiscard]] result<money> multiply(const money& m, const decimal& factor, currency target);
/// round(rate × quantity) to the minor unit of `target`; the product itself is exact. errc: overflow.
[[nodiscard]] result<money>
rounded_product(const decimal& rate, const decimal& quantity, currency target);

/// Splits `total` in proportion to `weights` (all >= 0, at least one > 0) without losing a unit:
/// largest remainder, ties to the earlier index (D10); shares of -x mirror those of x.
/// errc: validation; overflow for the one total that has no negative, -2^127.
[[nodiscard]] result<std::vector<int128>> allocate(int128 total, std::span<const int128> weights);

/// numerator / denominator rounded half away from zero. denominator > 0.
[[nodiscard]] int128 divide_rounded(int128 numerator, int128 denominator);

/// Where a quotient of quantities goes: to the nearest (half away from zero), or always to minus or
/// plus infinity. Money knows only the first (D1).
enum class rounding : std::uint8_t { half_away, floor, ceiling };

/// a ÷ b with `scale` digits after the point, rounded once: packages begun, converted units.
/// errc: validation for b = 0 or a scale outside 0..18, overflow.
[[nodiscard]] result<decimal> divide(const decimal& a, const decimal& b, int scale, rounding mode);

} // namespace accrue
