// What a campaign counts for each kind of fault, and the table it prints.
// Counting itself is in ordeal.cpp.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace accrue::testing {

/// For one kind of fault.
struct fault_tally {
  using times = std::vector<std::chrono::milliseconds>;

  std::size_t rounds = 0;
  std::size_t kills = 0;        ///< kill -9 of the server, by the test or by itself
  std::size_t acknowledged = 0; ///< commands; reads are not counted
  std::size_t sent_again = 0;   ///< with the same key
  std::size_t in_doubt = 0;     ///< commands without an answer when the server was gone
  std::size_t refused = 0; ///< for now: the store is away, the deadline has passed, and the like
  std::array<std::size_t, 5> broken{}; ///< by broken_promise::sort
  times
      by_itself; ///< from a fault's end, or its blow, to a new command's receipt; the server lives
  times after_kill; ///< from the start of a new server to the same

  void add(const fault_tally& more);
};

/// One line for each kind, and the sum. Times in ms, median and maximum.
[[nodiscard]] std::string to_text(const std::map<std::string, fault_tally>& tallies);

} // namespace accrue::testing
