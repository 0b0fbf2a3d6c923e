// Arithmetic of money, and the one rounding function that all of it goes through.
// The table of ISO currencies is in currencies.cpp.
#include "domain/money.hpp"

#include <boost/multiprecision/cpp_int.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>

namespace accrue {

namespace {

/// Holds four factors of 128 bits; its own overflow throws, but cannot happen here.
using wide = boost::multiprecision::checked_int512_t;

constexpr int128 int128_max = static_cast<int128>(~uint128{0} >> 1);
constexpr int128 int128_min = -int128_max - 1;

tl::unexpected<refusal> too_large() {
  return refuse(errc::overflow, "The amount leaves the range of 128 bits; use smaller amounts.");
}

tl::unexpected<refusal> two_currencies(const char* what) {
  return refuse(errc::validation,
                std::string("Amounts of two currencies cannot be ") + what +
                    "; convert one of them first.");
}

/// numerator / denominator as a whole number: the only rounding in the tree (D1). denominator > 0.
template <class Int>
Int rounded_quotient(const Int& numerator, const Int& denominator, rounding mode) {
  Int quotient = numerator / denominator; // towards zero; the rest has the numerator's sign
  Int rest = numerator % denominator;
  if (rest == 0)
    return quotient;
  const bool negative = rest < 0;
  bool outwards = false;
  switch (mode) {
  case rounding::half_away:
    if (negative)
      rest = -rest;
    outwards = rest >= denominator - rest; // twice the rest could overflow, this cannot
    break;
  case rounding::floor:
    outwards = negative;
    break;
  case rounding::ceiling:
    outwards = !negative;
    break;
  }
  if (outwards)
    quotient += negative ? -1 : 1;
  return quotient;
}

result<int128> narrow(const wide& value) {
  if (value > wide(int128_max) || value < wide(int128_min))
    return too_large();
  return static_cast<int128>(value);
}

/// a × b × c ÷ (d × e), rounded once. d, e > 0.
result<int128> ratio(int128 a, int128 b, int128 c, int128 d, int128 e, rounding mode) {
  int128 numerator = 0;
  int128 denominator = 0;
  if (!__builtin_mul_overflow(a, b, &numerator) &&
      !__builtin_mul_overflow(numerator, c, &numerator) &&
      !__builtin_mul_overflow(d, e, &denominator))
    return rounded_quotient(numerator, denominator, mode);
  return narrow(rounded_quotient<wide>(wide(a) * b * c, wide(d) * e, mode));
}

/// a × b × 10^exponent as a whole number, rounded once half away from zero.
result<int128> scaled_product(int128 a, int128 b, int exponent) {
  return ratio(a,
               b,
               power_of_ten(std::max(exponent, 0)),
               power_of_ten(std::max(-exponent, 0)),
               1,
               rounding::half_away);
}

result<money> with_currency(const result<int128>& minor, currency c) {
  if (!minor)
    return tl::unexpected<refusal>(minor.error());
  return money{*minor, c};
}

/// The whole parts of `total` × weight ÷ sum and what remains of each, for total >= 0.
/// Returns the units that the parts leave over.
template <class Int>
std::size_t floor_shares(const Int& total,
                         const Int& sum,
                         std::span<const int128> weights,
                         std::vector<int128>& parts,
                         std::vector<Int>& rests) {
  Int left = total;
  for (const auto& weight : weights) {
    const Int product = total * Int(weight);
    const Int part = product / sum;
    parts.push_back(static_cast<int128>(part));
    rests.push_back(product - part * sum);
    left -= part;
  }
  return static_cast<std::size_t>(left); // fewer than there are weights
}

/// Shares of a total that is not negative: whole parts, then the units left over to the largest rests.
template <class Int>
std::vector<int128> shares(const Int& total, const Int& sum, std::span<const int128> weights) {
  std::vector<int128> parts;
  std::vector<Int> rests;
  parts.reserve(weights.size());
  rests.reserve(weights.size());
  const std::size_t left = floor_shares(total, sum, weights, parts, rests);
  if (left == 0)
    return parts;
  std::vector<std::size_t> order(weights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(left);
  std::nth_element(order.begin(), middle, order.end(), [&](std::size_t a, std::size_t b) {
    return rests[a] != rests[b] ? rests[a] > rests[b] : a < b;
  });
  std::for_each(order.begin(), middle, [&](std::size_t i) { ++parts[i]; });
  return parts;
}

} // namespace

result<money> add(const money& a, const money& b) {
  if (a.currency != b.currency)
    return two_currencies("added");
  int128 sum = 0;
  if (__builtin_add_overflow(a.minor, b.minor, &sum))
    return too_large();
  return money{sum, a.currency};
}

result<money> subtract(const money& a, const money& b) {
  if (a.currency != b.currency)
    return two_currencies("subtracted");
  int128 difference = 0;
  if (__builtin_sub_overflow(a.minor, b.minor, &difference))
    return too_large();
  return money{difference, a.currency};
}

result<decimal> to_decimal(const money& m) {
  auto made = decimal::make(m.minor, m.currency.exponent());
  if (!made)
    return too_large(); // the amount has more digits than a decimal holds
  return made;
}

std::string to_string(const money& m) {
  auto text = to_string(m.minor);
  const auto digits_after = static_cast<std::size_t>(m.currency.exponent());
  if (digits_after == 0)
    return text;
  const std::size_t sign = m.minor < 0 ? 1 : 0;
  const std::size_t digits = text.size() - sign;
  if (digits <= digits_after)
    text.insert(sign, digits_after + 1 - digits, '0'); // at least one digit before the point
  text.insert(text.size() - digits_after, 1, '.');
  return text;
}

result<money> exact_money(const decimal& amount, currency c) {
  if (amount.scale() > c.exponent())
    return refuse(errc::validation,
                  "The amount " + amount.to_string() +
                      " has more digits after the point than the " + std::to_string(c.exponent()) +
                      " of its currency.");
  return rounded_money(amount, c); // whole by the check above
}

result<money> rounded_money(const decimal& amount, currency c) {
  return with_currency(scaled_product(amount.coefficient(), 1, c.exponent() - amount.scale()), c);
}

result<money> multiply_ratio(const money& m, int128 numerator, int128 denominator) {
  if (denominator <= 0)
    return refuse(errc::validation, "The divisor of a ratio must be greater than 0.");
  return with_currency(ratio(m.minor, numerator, 1, denominator, 1, rounding::half_away),
                       m.currency);
}

result<money> multiply(const money& m, const decimal& factor, currency target) {
  const int exponent = target.exponent() - m.currency.exponent() - factor.scale();
  return with_currency(scaled_product(m.minor, factor.coefficient(), exponent), target);
}

result<money> rounded_product(const decimal& rate, const decimal& quantity, currency target) {
  const int exponent = target.exponent() - rate.scale() - quantity.scale();
  return with_currency(scaled_product(rate.coefficient(), quantity.coefficient(), exponent),
                       target);
}

result<std::vector<int128>> allocate(int128 total, std::span<const int128> weights) {
  if (total == int128_min)
    return too_large(); // has no mirror image
  int128 narrow_sum = 0;
  bool fits = true;
  for (const auto& weight : weights) {
    if (weight < 0)
      return refuse(errc::validation, "A share's weight must not be negative.");
    fits = fits && !__builtin_add_overflow(narrow_sum, weight, &narrow_sum);
  }
  if (narrow_sum == 0)
    return refuse(errc::validation, "At least one share must have a weight above 0.");
  // Shares of a negative total mirror those of the positive one.
  const int128 magnitude = total < 0 ? -total : total;
  std::vector<int128> parts;
  int128 largest = 0;
  if (fits && !__builtin_mul_overflow(magnitude, narrow_sum, &largest)) {
    parts = shares<int128>(magnitude, narrow_sum, weights);
  } else {
    wide sum = 0;
    for (const auto& weight : weights)
      sum += weight;
    parts = shares<wide>(magnitude, sum, weights);
  }
  if (total < 0)
    for (auto& part : parts)
      part = -part;
  return parts;
}

int128 divide_rounded(int128 numerator, int128 denominator) {
  ENSURE(denominator > 0);
  return rounded_quotient(numerator, denominator, rounding::half_away);
}

result<decimal> divide(const decimal& a, const decimal& b, int scale, rounding mode) {
  if (b.is_zero())
    return refuse(errc::validation, "A number cannot be divided by 0.");
  if (scale < 0 || scale > decimal::scale_max)
    return refuse(errc::validation, "A quotient has 0 to 18 digits after the point.");
  const bool flip = b.is_negative(); // the divisor below is positive
  const int128 numerator = flip ? -a.coefficient() : a.coefficient();
  const int128 denominator = flip ? -b.coefficient() : b.coefficient();
  const int exponent = scale + b.scale() - a.scale();
  const auto quotient = ratio(numerator,
                              power_of_ten(std::max(exponent, 0)),
                              1,
                              denominator,
                              power_of_ten(std::max(-exponent, 0)),
                              mode);
  if (!quotient)
    return tl::unexpected<refusal>(quotient.error());
  auto made = decimal::make(*quotient, scale);
  if (!made)
    return too_large();
  return made;
}

} // namespace accrue
