// Sub-accounts as bytes, and how reading ends: what entries and customers have in common.
#pragma once

#include "persistence/journal_fields.hpp"

#include <vector>

namespace accrue::journal {

/// Nine integers each, then the lengths of all features, then their text: so that SQL can find them.
void write_accounts(field_writer& w, const std::vector<ledger::sub_account>& accounts);
void write_accounts(field_writer& w, const ledger::address_list& accounts);
[[nodiscard]] std::vector<ledger::sub_account> read_accounts(byte_reader& r);

/// The reader fails where bytes are left.
void expect_end(byte_reader& r);
/// Why bytes could not be read, for operators.
[[nodiscard]] tl::unexpected<refusal> unreadable(const byte_reader& r);

} // namespace accrue::journal
