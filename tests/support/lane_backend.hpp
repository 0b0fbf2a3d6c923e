// The process of the database that has a batch in its hands, found without chance.
#pragma once

#include <sys/types.h>

#include <string>

namespace accrue::testing {

/// Sends a signal to the backend of a server's lane while it is within a batch, the lane's row locked: where it
/// waits for a table that the batch goes to. There has to be load.
void signal_within_a_batch(const std::string& conninfo, int number);

} // namespace accrue::testing
