// Answers of the engine in the words of the scenario language.
// Amounts are exact decimals in strings; what is absent is null.
#pragma once

#include "domain/money.hpp"
#include "domain/replies.hpp"

#include <nlohmann/json.hpp>

namespace accrue::cli {

/// "12.5"
[[nodiscard]] nlohmann::json amount_json(const money& m);
/// What a step can expect of an answer, by its kind.
[[nodiscard]] nlohmann::json to_scenario_json(const reply::body& body);

} // namespace accrue::cli
