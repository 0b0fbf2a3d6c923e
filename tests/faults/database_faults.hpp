// What tests do to a running database behind the server's back: its processes, and its constraints.
// What has to hold afterwards is in ordeal.hpp.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace accrue::testing {

/// The process of the database that serves a connection of the server whose name begins so: "accrue
/// lane", "accrue reader". Killing it makes PostgreSQL end all of them, and recover.
[[nodiscard]] pid_t backend_of(const std::string& conninfo, const std::string& name);

/// The postmaster and all its processes.
[[nodiscard]] std::vector<pid_t> processes_of(pid_t postmaster);
void signal_all(const std::vector<pid_t>& processes, int number);

/// From now on the database refuses units of `consume` of the customers whose references begin so, until
/// it is lifted.
void poison_units_of(const std::string& customers, const std::string& conninfo);
void lift_poison(const std::string& conninfo);

} // namespace accrue::testing
