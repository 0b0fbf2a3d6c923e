// What a step was expected to give against what it gave: by value, named fields only.
#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace accrue::cli {

/// The first difference.
struct mismatch {
  std::string text;       ///< "settled expected -30, got 0"
  bool not_built = false; ///< then `text` names the field that a later version brings
};

/// Compares an answer of `op` with what was expected of it; nothing: they agree.
[[nodiscard]] std::optional<mismatch>
compare(std::string_view op, const nlohmann::json& expected, const nlohmann::json& got);

} // namespace accrue::cli
