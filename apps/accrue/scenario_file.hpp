// Scenario files as values: vectors of steps that are well-formed, with the lines they stand on.
// What a step does is in scenario_engine.hpp; which fields it may have is in scenario_schema.cpp.
#pragma once

#include "domain/result.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace accrue::cli {

/// One step: its operation and its fields, checked against the schema.
struct scenario_step {
  std::string op;
  nlohmann::json fields;
  std::size_t line = 0;
};

/// One vector of a file: a fresh engine and the steps to take with it.
struct scenario {
  std::string id;
  std::vector<std::string> needs;
  std::vector<scenario_step> steps;
};

/// Reads a file. errc: validation, with file, line, vector and step in the text.
[[nodiscard]] result<std::vector<scenario>> read_scenarios(const std::string& path);
/// The same from text; `name` stands for the file in errors.
[[nodiscard]] result<std::vector<scenario>> parse_scenarios(const std::string& text,
                                                            const std::string& name);

/// Why a step is not well-formed: an operation or a field that nobody knows, a value of another type,
/// a field that is missing. Empty: it is.
[[nodiscard]] std::string malformed(const nlohmann::json& step);
/// The operation, or the first field of it, that a later version brings: "void", "grant.expires_at".
[[nodiscard]] std::optional<std::string> not_built(const scenario_step& s);

} // namespace accrue::cli
