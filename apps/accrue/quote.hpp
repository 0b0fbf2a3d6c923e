// Offers in a file, and what they come to: what the command line registers.
#pragma once

#include "apps/accrue/program.hpp"

namespace accrue::cli {

/// Adds `quote` and `catalog`.
void add_quote(CLI::App& app, program& p);

} // namespace accrue::cli
