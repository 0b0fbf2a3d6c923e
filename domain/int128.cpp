// Text and checked arithmetic of the 128-bit integer.
// Rounding and wider products live in money.cpp.
#include "domain/int128.hpp"

#include <array>
#include <cstddef>

namespace accrue {

namespace {

constexpr int powers_of_ten = 39;

constexpr auto make_powers() {
  std::array<int128, powers_of_ten> powers{};
  int128 power = 1;
  for (std::size_t i = 0; i < powers.size(); ++i) {
    powers[i] = power;
    if (i + 1 < powers.size())
      power *= 10;
  }
  return powers;
}

constexpr auto powers = make_powers();

tl::unexpected<refusal> too_large(const char* operation) {
  return refuse(errc::overflow,
                std::string("The ") + operation +
                    " leaves the range of 128 bits; use smaller amounts.");
}

} // namespace

std::string to_string(int128 value) {
  constexpr std::uint64_t chunk = 1'000'000'000'000'000'000; // 18 digits at a time
  constexpr std::size_t chunk_digits = 18;
  std::array<char, 40> text; // '-' and 39 digits
  char* at = text.data() + text.size();
  auto rest = value < 0 ? uint128{0} - static_cast<uint128>(value) : static_cast<uint128>(value);
  for (;;) {
    auto part = static_cast<std::uint64_t>(rest % chunk);
    rest /= chunk;
    std::size_t written = 0;
    while (part != 0 || (rest != 0 && written < chunk_digits)) {
      *--at = static_cast<char>('0' + part % 10);
      part /= 10;
      ++written;
    }
    if (rest == 0)
      break;
  }
  if (value == 0)
    *--at = '0';
  if (value < 0)
    *--at = '-';
  return {at, static_cast<std::size_t>(text.data() + text.size() - at)};
}

result<int128> checked_add(int128 a, int128 b) {
  int128 sum = 0;
  if (__builtin_add_overflow(a, b, &sum))
    return too_large("sum");
  return sum;
}

result<int128> checked_sub(int128 a, int128 b) {
  int128 difference = 0;
  if (__builtin_sub_overflow(a, b, &difference))
    return too_large("difference");
  return difference;
}

result<int128> checked_mul(int128 a, int128 b) {
  int128 product = 0;
  if (__builtin_mul_overflow(a, b, &product))
    return too_large("product");
  return product;
}

int128 power_of_ten(int exponent) {
  ENSURE(exponent >= 0 && exponent < powers_of_ten);
  return powers[static_cast<std::size_t>(exponent)];
}

} // namespace accrue
