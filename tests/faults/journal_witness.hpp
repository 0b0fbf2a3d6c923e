// The journal as a witness of what clients were told: every receipt and every balance that was read has
// to be explained by a unit that is there. Whether the journal proves in itself is `verify`'s affair.
#pragma once

#include "tests/system/load.hpp"

#include <string>

namespace accrue::testing {

/// Compares what the clients remember with the journal; notes with them as breaches:
/// a receipt whose unit is not there, is another command's, or left other balances; a balance that was
/// read and that no unit left behind; a command that is there twice; a unit that nobody asked for; a
/// refused command that is there; a conflict with a command that is not. While no client is running.
void question_the_journal(remembering_clients& clients, const std::string& conninfo);

} // namespace accrue::testing
