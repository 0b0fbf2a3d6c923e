// The content of a command as bytes: two commands are "the same content" (D6) exactly when these are
// equal. Used for comparing only; nothing is ever read back from it.
#pragma once

#include "domain/commands.hpp"

#include <string>

namespace accrue {

/// Appends the canonical bytes of a normalised command. The format may change with a version that
/// also changes what is compared; stored fingerprints of older versions then no longer match.
void append_canonical(const command::any& c, std::string& out);

} // namespace accrue
