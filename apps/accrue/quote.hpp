// Subcommands `quote` and `catalog`: what is sold, and what it would come to.
#pragma once

#include "apps/accrue/program.hpp"

namespace accrue::cli {

void add_quote(CLI::App& app, program& p);
void add_catalog(CLI::App& app, program& p);

} // namespace accrue::cli
