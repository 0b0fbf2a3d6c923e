// Parsing, printing, comparing and exact arithmetic of decimals.
// Nothing is rounded here: quotients and roundings live in money.cpp.
#include "domain/decimal.hpp"

#include <boost/multiprecision/cpp_int.hpp>

#include <limits>

namespace accrue {

namespace {

using wide = boost::multiprecision::checked_int512_t;

constexpr int digits_max = 38;

/// 10^38: every coefficient lies strictly between minus this and this.
int128 bound() { return power_of_ten(digits_max); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

tl::unexpected<refusal> bad_text(std::string_view text, const char* wish) {
  constexpr std::size_t shown_max = 64;
  return refuse(errc::validation,
                "'" + std::string(text.substr(0, shown_max)) + "' is not a decimal: " + wish);
}

tl::unexpected<refusal> out_of_range(errc code) {
  return refuse(code, "The number needs more than 38 digits, or more than 18 after the point.");
}

/// Drops zeros from the end of a coefficient while it has digits after the point.
template <class Int>
void drop_zeros(Int& coefficient, int& scale) {
  while (scale > 0 && coefficient % 10 == 0) {
    coefficient /= 10;
    --scale;
  }
}

/// The exact value as a decimal, or `overflow`: the slow path, for what 128 bits cannot hold.
result<decimal> narrow(wide coefficient, int scale) {
  drop_zeros(coefficient, scale);
  const wide limit = bound();
  if (coefficient >= limit || coefficient <= -limit || scale > decimal::scale_max)
    return out_of_range(errc::overflow);
  return decimal::make(static_cast<int128>(coefficient), scale);
}

/// The exact value as a decimal, or `overflow`, for what 128 bits can hold.
result<decimal> exact(int128 coefficient, int scale) {
  auto made = decimal::make(coefficient, scale);
  if (!made)
    return out_of_range(errc::overflow);
  return made;
}

} // namespace

decimal::decimal(std::int64_t whole) : coefficient_(whole) {}

result<decimal> decimal::make(int128 coefficient, int scale) {
  if (scale < 0)
    return out_of_range(errc::validation);
  if (coefficient == 0)
    return decimal{};
  // A 64-bit remainder is several times cheaper, and most coefficients are small.
  if (coefficient >= std::numeric_limits<std::int64_t>::min() &&
      coefficient <= std::numeric_limits<std::int64_t>::max()) {
    auto small = static_cast<std::int64_t>(coefficient);
    drop_zeros(small, scale);
    coefficient = small;
  } else {
    drop_zeros(coefficient, scale);
  }
  if (coefficient >= bound() || coefficient <= -bound() || scale > scale_max)
    return out_of_range(errc::validation);
  decimal made;
  made.coefficient_ = coefficient;
  made.scale_ = static_cast<std::uint8_t>(scale);
  return made;
}

result<decimal> decimal::parse(std::string_view text) {
  std::size_t at = 0;
  const bool negative = !text.empty() && text.front() == '-';
  if (negative)
    ++at;
  if (at == text.size() || !is_digit(text[at]))
    return bad_text(text, "write digits, then optionally a point and more digits.");
  int128 coefficient = 0;
  int scale = 0;
  int significant = 0;
  bool after_point = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '.' && !after_point && at + 1 < text.size()) {
      after_point = true;
      continue;
    }
    if (!is_digit(c))
      return bad_text(text, "only digits and one point between digits are allowed.");
    if (after_point && ++scale > scale_max)
      return bad_text(text, "at most 18 digits may follow the point.");
    if ((significant > 0 || c != '0') && ++significant > digits_max)
      return bad_text(text, "at most 38 significant digits are allowed.");
    coefficient = coefficient * 10 + (c - '0');
  }
  return make(negative ? -coefficient : coefficient, scale);
}

std::string decimal::to_string() const {
  auto text = accrue::to_string(coefficient_);
  if (scale_ == 0)
    return text;
  const std::size_t sign = is_negative() ? 1 : 0;
  const std::size_t digits = text.size() - sign;
  if (digits <= scale_)
    text.insert(sign, scale_ + 1 - digits, '0'); // at least one digit before the point
  text.insert(text.size() - scale_, 1, '.');
  return text;
}

std::strong_ordering operator<=>(const decimal& a, const decimal& b) {
  if (a.scale_ == b.scale_)
    return a.coefficient_ <=> b.coefficient_;
  if (a.scale_ > b.scale_)
    return 0 <=> (b <=> a);
  int128 aligned = 0;
  if (__builtin_mul_overflow(a.coefficient_, power_of_ten(b.scale_ - a.scale_), &aligned))
    // What leaves 128 bits is further from zero than any coefficient: its sign decides.
    return a.coefficient_ <=> int128{0};
  return aligned <=> b.coefficient_;
}

decimal negate(const decimal& value) {
  return *decimal::make(-value.coefficient(), value.scale()); // the range is symmetric
}

result<decimal> add(const decimal& a, const decimal& b) {
  if (a.scale() > b.scale())
    return add(b, a);
  const int128 factor = power_of_ten(b.scale() - a.scale());
  int128 sum = 0;
  if (!__builtin_mul_overflow(a.coefficient(), factor, &sum) &&
      !__builtin_add_overflow(sum, b.coefficient(), &sum))
    return exact(sum, b.scale());
  return narrow(wide(a.coefficient()) * factor + b.coefficient(), b.scale());
}

result<decimal> subtract(const decimal& a, const decimal& b) { return add(a, negate(b)); }

result<decimal> multiply(const decimal& a, const decimal& b) {
  const int scale = a.scale() + b.scale();
  int128 product = 0;
  if (!__builtin_mul_overflow(a.coefficient(), b.coefficient(), &product))
    return exact(product, scale);
  return narrow(wide(a.coefficient()) * b.coefficient(), scale);
}

} // namespace accrue
