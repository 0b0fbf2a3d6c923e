// Rating vectors: what the command line registers.
// The rating itself is the domain's.
#pragma once

namespace CLI { // NOLINT(readability-identifier-naming): not ours
class App;
}

namespace accrue::cli {

/// Adds `rate`. Its callback runs while the command line is being parsed; it gives an exit code other
/// than 0 by throwing CLI::RuntimeError.
void add_rate(CLI::App& app);

} // namespace accrue::cli
