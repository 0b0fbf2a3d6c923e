// The 128-bit integer that amounts are made of: text, checked arithmetic, nothing else.
// Rounding and decimals build on it elsewhere.
#pragma once

#include "domain/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace accrue {

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

/// Decimal text of a 128-bit integer, with a leading '-' where negative.
[[nodiscard]] std::string to_string(int128 value);

/// Sum, difference and product that say `overflow` instead of wrapping (D2).
[[nodiscard]] result<int128> checked_add(int128 a, int128 b);
[[nodiscard]] result<int128> checked_sub(int128 a, int128 b);
[[nodiscard]] result<int128> checked_mul(int128 a, int128 b);

/// 10^exponent for 0 <= exponent <= 38.
[[nodiscard]] int128 power_of_ten(int exponent);

} // namespace accrue
