// Prices, discounts and conversions as they stand in JSON files.
// What makes them valid is the domain's: rating/price.hpp.
#pragma once

#include "apps/accrue/json_reader.hpp"
#include "domain/rating/price.hpp"

namespace accrue::cli {

/// `{"type": "unit", "amount": "0.02", "commitments": {"minimum_amount": "5"}}` and the like; docs/cli.md shows all
/// types. Throws `misplaced`. A flat price may have its payment term here.
[[nodiscard]] rating::price parse_price(const json_reader& from);
/// `{"percentage": {"percentage": "50"}, "usage": {"quantity": "100"}}`, each with an optional
/// `correlation_id`. Throws `misplaced`.
[[nodiscard]] rating::discounts parse_discounts(const json_reader& from);
/// `{"operation": "divide", "conversion_factor": "1000", "rounding": "ceiling", "precision": 0}`.
/// Throws `misplaced`.
[[nodiscard]] rating::unit_conversion parse_conversion(const json_reader& from);

/// What `parse_price` reads.
[[nodiscard]] nlohmann::json to_json(const rating::price& p);
[[nodiscard]] nlohmann::json to_json(const rating::discounts& d);
[[nodiscard]] nlohmann::json to_json(const rating::unit_conversion& c);

} // namespace accrue::cli
