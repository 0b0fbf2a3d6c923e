// What has to go on for a server to come past each crash point, and to die there.
// The points themselves are in persistence/crash_point.hpp.
#pragma once

#include "persistence/crash_point.hpp"
#include "tests/faults/ordeal.hpp"

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace accrue::testing {

/// The server's arguments that make it kill itself at a pass of a point.
[[nodiscard]] std::vector<std::string> crash_at(std::string_view point, std::uint64_t pass = 1);

/// Ends the server, which is idle, starts it armed, and gives it the occasion; it has killed itself then.
/// Any point but `migration_open`, which needs an empty database.
void crash(ordeal& it, crash_point point, std::string_view name, std::mt19937_64& random);

} // namespace accrue::testing
