// How rated lines read: names, references, reasons. Made only when somebody looks.
#pragma once

#include "domain/rating/delta.hpp"
#include "domain/rating/line.hpp"

#include <string>
#include <string_view>

namespace accrue::rating {

/// "Storage: usage price for tier 2" for a line named Storage.
[[nodiscard]] std::string name_of(const detailed_line& d, std::string_view line_name);

/// Identity of a detailed line within its line, e.g. "graduated-tiered-2-price-usage"; rating again
/// gives the same ones. Source: invoicing.md 2.3.
[[nodiscard]] std::string child_reference(const detailed_line& d);
/// The same for a line of a difference: "usage#correction:detailed_line_id=7" where it takes one back.
[[nodiscard]] std::string child_reference(const delta_line& d);

/// "regular" or "commitment".
[[nodiscard]] std::string_view category_of(const detailed_line& d) noexcept;

/// The period a detailed line speaks of: a minimum is owed for the full one.
[[nodiscard]] period period_of(const detailed_line& d, const line& l) noexcept;

/// "rateCardDiscount/correlationID=…"
[[nodiscard]] std::string discount_reference(std::string_view correlation_id);

inline constexpr std::string_view maximum_reference = "line_maximum_spend";

// Why something was taken off.
inline constexpr std::string_view percentage_reason = "ratecard_percentage";
inline constexpr std::string_view usage_reason = "ratecard_usage";
inline constexpr std::string_view maximum_reason = "maximum_spend";

/// "Maximum spend discount for charges over 100". errc: overflow.
[[nodiscard]] result<std::string> maximum_description(const decimal& maximum, currency c);

} // namespace accrue::rating
