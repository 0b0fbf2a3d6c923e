// Exact decimals for prices, quantities, rates and amounts on their way in. No floating point.
// Nothing is rounded here; quotients are in money.hpp.
#pragma once

#include "domain/int128.hpp"
#include "domain/result.hpp"

#include <compare>
#include <string>
#include <string_view>

namespace accrue {

/// A coefficient and a scale: value = coefficient / 10^scale. |coefficient| < 10^38, 0 <= scale <= 18.
/// Always canonical (no trailing zeros after the point), so equal values are equal objects: 0.7 is 0.70.
/// Source: decisions.md, D2.
class decimal {
public:
  static constexpr int scale_max = 18;

  constexpr decimal() = default;

  /// A whole number.
  explicit decimal(std::int64_t whole);

  /// `coefficient / 10^scale`, made canonical. errc: validation when out of range.
  [[nodiscard]] static result<decimal> make(int128 coefficient, int scale);

  /// Parses [-]digits[.digits]: no exponent, no '+', no blanks, no bare point.
  /// errc: validation, also for more than 38 significant digits or 18 after the point.
  [[nodiscard]] static result<decimal> parse(std::string_view text);

  [[nodiscard]] int128 coefficient() const noexcept { return coefficient_; }
  [[nodiscard]] int scale() const noexcept { return scale_; }
  [[nodiscard]] bool is_zero() const noexcept { return coefficient_ == 0; }
  [[nodiscard]] bool is_negative() const noexcept { return coefficient_ < 0; }

  /// Canonical text: "0.7", "-12", "0".
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const decimal&, const decimal&) = default;
  /// By value, whatever the scales.
  friend std::strong_ordering operator<=>(const decimal& a, const decimal& b);

private:
  int128 coefficient_ = 0;
  std::uint8_t scale_ = 0;
};

/// The same value with the other sign.
[[nodiscard]] decimal negate(const decimal& value);
/// Exact sum, difference and product. errc: overflow when the exact result needs more than 38 digits
/// or 18 after the point; nothing is ever rounded here.
[[nodiscard]] result<decimal> add(const decimal& a, const decimal& b);
[[nodiscard]] result<decimal> subtract(const decimal& a, const decimal& b);
[[nodiscard]] result<decimal> multiply(const decimal& a, const decimal& b);

} // namespace accrue
