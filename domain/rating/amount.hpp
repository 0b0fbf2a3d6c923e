// The one place where rating becomes money: each function here forms one exact value and rounds it
// once, by money.hpp. The rest of rating only adds, subtracts and compares.
#pragma once

#include "domain/decimal.hpp"
#include "domain/money.hpp"
#include "domain/result.hpp"

#include <optional>

namespace accrue::rating {

/// No amount of a line is larger, in minor units: sums of amounts then fit into 128 bits.
inline constexpr int128 amount_max = int128{1} << 100;

/// round(per_unit × quantity), or round(per_unit × quantity ÷ divisor) with a divisor above 0. errc:
/// overflow beyond `amount_max`.
[[nodiscard]] result<int128> amount_of(const decimal& per_unit,
                                       const decimal& quantity,
                                       const std::optional<decimal>& divisor,
                                       currency c);

/// round(value): commitments and what is surcharged. errc: overflow beyond `amount_max`.
[[nodiscard]] result<int128> amount_of(const decimal& value, currency c);

/// round(amount × percentage ÷ 100), 50 being 50 %. errc: overflow.
[[nodiscard]] result<int128> percentage_of(int128 amount, const decimal& percentage, currency c);

/// round(amount × fraction), 0.1 being 10 %: tax (D58). errc: overflow.
[[nodiscard]] result<int128> fraction_of(int128 amount, const decimal& fraction, currency c);

} // namespace accrue::rating
