// What operations of the scenario language read from their fields, and how they fail.
#pragma once

#include "apps/accrue/scenario_engine.hpp"

namespace accrue::cli {

inline tl::unexpected<step_failure> refused(refusal why) {
  return tl::unexpected(step_failure{step_failure::kind::refused, std::move(why)});
}
inline tl::unexpected<step_failure> later(std::string what) {
  return tl::unexpected(step_failure{step_failure::kind::not_built, {{}, {}, std::move(what)}});
}
inline tl::unexpected<step_failure> broken(std::string text) {
  return tl::unexpected(step_failure{step_failure::kind::broken, {{}, {}, std::move(text)}});
}

// Fields are of the type that the schema says, or absent.
inline std::string
text(const nlohmann::json& fields, const char* name, const char* otherwise = "") {
  return fields.value(name, otherwise);
}
inline decimal number(const nlohmann::json& fields, const char* name) {
  return decimal::parse(fields.at(name).get_ref<const std::string&>()).value();
}
inline std::optional<decimal> maybe_number(const nlohmann::json& fields, const char* name) {
  return fields.contains(name) ? std::optional(number(fields, name)) : std::nullopt;
}
inline instant time(const nlohmann::json& value) {
  return parse_instant(value.get_ref<const std::string&>()).value();
}
inline std::optional<instant> maybe_time(const nlohmann::json& fields, const char* name) {
  return fields.contains(name) ? std::optional(time(fields[name])) : std::nullopt;
}
inline std::vector<std::string> texts(const nlohmann::json& fields, const char* name) {
  return fields.value(name, std::vector<std::string>());
}
inline period span(const nlohmann::json& value) { return {time(value[0]), time(value[1])}; }

} // namespace accrue::cli
