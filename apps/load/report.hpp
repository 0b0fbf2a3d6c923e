// The figures of a load run for people and for programs. What they mean is driver.hpp's.
#pragma once

#include "apps/load/driver.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace accrue::load {

/// One line, without a newline: "   3 s  201234 commands/s  p50 1.23 ms  p99 4.50 ms  refused 0".
[[nodiscard]] std::string progress_line(double elapsed, bool warming, const figures& f);
/// Several lines, ending with a newline.
[[nodiscard]] std::string summary(const plan& p, const outcome& o, bool resent);
[[nodiscard]] nlohmann::json to_json(const plan& p, const outcome& o, bool resent);

[[nodiscard]] std::string_view to_string(ended why) noexcept;
[[nodiscard]] std::string_view to_string(command_kind kind) noexcept;
[[nodiscard]] std::string_view to_string(spacing how) noexcept;

} // namespace accrue::load
