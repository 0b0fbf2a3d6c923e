// A product catalog as one JSON file, in and out. What makes it hold together is the domain's:
// catalog/plan.hpp.
#pragma once

#include "domain/catalog/plan.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace accrue::cli {

/// errc: validation, the first fault with its place; nothing of a file with a fault is taken.
[[nodiscard]] result<product::catalog> parse_catalog(const nlohmann::json& document);
[[nodiscard]] result<product::catalog> read_catalog(const std::string& path);

/// What `parse_catalog` reads; gives an equal catalog.
[[nodiscard]] nlohmann::json to_json(const product::catalog& c);

} // namespace accrue::cli
