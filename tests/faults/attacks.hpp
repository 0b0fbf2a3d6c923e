// Kinds of faults, each as something that is done to a server. What has to hold afterwards is in ordeal.hpp.
#pragma once

#include "tests/faults/database_proxy.hpp"
#include "tests/faults/faulty_disk.hpp"
#include "tests/faults/ordeal.hpp"

#include <functional>
#include <random>
#include <string>
#include <vector>

namespace accrue::testing {

struct attack {
  std::string name;
  /// The server is up and idle before it. It may be dead after it, or alive with its load under way.
  std::function<void()> strike;
};

/// On a server with its private database: kills of the server, at any instant and at each crash point,
/// of the database and of parts of it; a database that hangs; a disk that is full, broken or slow.
[[nodiscard]] std::vector<attack>
attacks_at_home(ordeal& it, faulty_disk& disk, std::mt19937_64& random);

/// On a server whose database is behind a wire: cuts around a COMMIT and elsewhere, silence, other servers.
[[nodiscard]] std::vector<attack>
attacks_on_the_line(ordeal& it, database_proxy& line, std::mt19937_64& random);

} // namespace accrue::testing
