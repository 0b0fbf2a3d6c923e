// The one table of error codes: what each is on the wire, what it means, whether a retry can help.
// The codes themselves are domain/result.hpp's.
#pragma once

#include "domain/result.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace accrue::wire {

/// Whether sending the command again can help. The numbers are the wire's.
enum class retry_advice : std::uint8_t {
  none = 0,     ///< the same command will be refused again
  same_key = 1, ///< the outcome may be unknown: send it again with the same idempotency key
  later = 2,    ///< nothing happened: send it again after a while
};

struct retry {
  retry_advice advice = retry_advice::none;
  std::uint32_t after_ms = 0; ///< wait at least so long

  friend bool operator==(const retry&, const retry&) = default;
};

/// One row of the table.
struct error_entry {
  errc code;
  std::uint32_t number; ///< on the wire; never changes
  wire::retry retry;
  std::string_view meaning; ///< one line for docs/errors.md
};

/// Every code of domain/result.hpp, in its order.
[[nodiscard]] std::span<const error_entry> error_table() noexcept;
/// The row of a code.
[[nodiscard]] const error_entry& entry(errc code) noexcept;
/// The code of a number; `internal` for one that this version does not know.
[[nodiscard]] errc code_of(std::uint32_t number) noexcept;

[[nodiscard]] std::string_view to_string(retry_advice advice) noexcept;

} // namespace accrue::wire
