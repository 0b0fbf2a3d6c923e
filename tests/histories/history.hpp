// One seed, one history: clients, servers, faults and time, thrown by the same dice; then the checks.
#pragma once

#include "tests/histories/chronicle.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace accrue::histories {

struct history_outcome {
  std::vector<std::string> findings; ///< empty: all held
  std::uint64_t hash = 0;            ///< of everything that happened, in order
  tally counts;
};

/// Runs a history to its end. `shown`: prints it, a line for each thing that happens.
[[nodiscard]] history_outcome run_history(std::uint64_t seed, bool shown = false);

} // namespace accrue::histories
