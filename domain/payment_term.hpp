// When within its period a price is due.
// Who applies it: flat fees and flat prices.
#pragma once

#include <cstdint>
#include <string_view>

namespace accrue {

enum class payment_term : std::uint8_t { in_advance = 1, in_arrears };

[[nodiscard]] constexpr std::string_view to_string(payment_term t) noexcept {
  return t == payment_term::in_advance ? "in_advance" : "in_arrears";
}

} // namespace accrue
