// Billing in virtual time, without a server: what the command line registers.
// Scenario language and engine are elsewhere.
#pragma once

namespace CLI { // NOLINT(readability-identifier-naming): not ours
class App;
}

namespace accrue::cli {

/// Adds `simulate` and `rate`. Their callbacks run while the command line is being parsed; they give
/// an exit code other than 0 by throwing CLI::RuntimeError.
void add_simulate(CLI::App& app);

} // namespace accrue::cli
