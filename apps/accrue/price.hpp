// What a price does: what the command line registers.
// The rating is the domain's.
#pragma once

#include "apps/accrue/program.hpp"

namespace accrue::cli {

/// Adds `price`.
void add_price(CLI::App& app, program& p);

} // namespace accrue::cli
