// Billing in virtual time, without a server: what the command line registers.
// Scenario language and engine are elsewhere.
#pragma once

namespace CLI { // NOLINT(readability-identifier-naming): not ours
class App;
}

namespace accrue::cli {

/// Adds `simulate`. Its callback runs while the command line is being parsed; it gives an exit code
/// other than 0 by throwing CLI::RuntimeError.
void add_simulate(CLI::App& app);

} // namespace accrue::cli
