// Instants, durations and half-open periods as values. Nobody here reads a clock.
// Months, calendars and time zones are elsewhere.
#pragma once

#include "domain/result.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace accrue {

/// UTC, whole nanoseconds since 1970-01-01T00:00:00Z (D3). Range about 1677 to 2262.
struct instant {
  std::int64_t ns = 0;

  friend constexpr auto operator<=>(instant, instant) noexcept = default;
};

inline constexpr std::int64_t ns_per_second = 1'000'000'000;

/// `t` moved by nanoseconds; saturates at the ends of the range.
[[nodiscard]] instant plus_ns(instant t, std::int64_t ns) noexcept;
/// Floored to whole seconds, towards minus infinity (D3); the range's first, broken second goes up.
[[nodiscard]] instant floor_seconds(instant t) noexcept;

/// Parses RFC 3339 UTC with up to nine fractional digits: "2026-01-31T00:00:00Z",
/// "2026-01-31T00:00:00.123456789Z". Offsets other than Z are refused. errc: validation.
[[nodiscard]] result<instant> parse_instant(std::string_view text);
/// The shortest exact RFC 3339 text (fraction only where there is one).
[[nodiscard]] std::string to_string(instant t);

/// [from, to): `to` is outside (D4). May be empty, never reversed when made by `make_period`.
struct period {
  instant from;
  instant to;

  [[nodiscard]] constexpr bool contains(instant t) const noexcept { return from <= t && t < to; }
  friend constexpr bool operator==(const period&, const period&) = default;
};

/// Floors both ends to seconds. errc: invalid_period when from > to.
[[nodiscard]] result<period> make_period(instant from, instant to);

/// Whole seconds of a period.
[[nodiscard]] std::int64_t seconds(const period& p) noexcept;

/// An ISO 8601 duration of fixed length, as the billing profile takes it: P30D, PT1H, P1DT12H, P2W, P0D.
/// Whole numbers only, never negative. Years and months are refused (their length varies). errc: validation. Result in nanoseconds.
[[nodiscard]] result<std::int64_t> parse_duration(std::string_view text);

} // namespace accrue
