// What two answers are compared by, and how they are printed for a reader.
#pragma once

#include "domain/commands.hpp"
#include "tests/histories/model.hpp"

#include <string>

namespace accrue::histories {

/// Whether what was told to `asked` is what the model says. What it does not look at, and why, is said in
/// comparison.cpp.
[[nodiscard]] bool agree(const command::any& asked, const verdict& told, const verdict& says);

[[nodiscard]] std::string text_of(const verdict& v);

} // namespace accrue::histories
