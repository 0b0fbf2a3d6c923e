// The bytes of a journal row's body, of charges, invoices and snapshots. Versioned; what was written
// once is readable for ever. Which rows exist is none of its business.
#pragma once

#include "domain/customer.hpp"
#include "persistence/journal_numbers.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace accrue::journal {

/// Appends an entry's body: sub-accounts it opened, transactions, facts, balances after. Number,
/// instant and kind are columns of the row and not part of it. A `consume` of one slice is about 20 bytes
/// plus its id.
void encode(const entry& e, std::vector<std::byte>& out);
/// Back from the row. errc: internal for bytes that no version of ours wrote. Transactions are taken
/// as they stand: they were proved when they were made, and `verify` proves them again.
[[nodiscard]] result<entry>
decode(std::span<const std::byte> body, sequence number, instant at, std::uint8_t kind);

/// In the version of the format that the unit is in which changed it.
void encode(const charge& c, std::vector<std::byte>& out, std::uint8_t version = format_version);
[[nodiscard]] result<charge> decode_charge(std::span<const std::byte> bytes);
void encode(const invoicing::invoice& i,
            std::vector<std::byte>& out,
            std::uint8_t version = format_version);
[[nodiscard]] result<invoicing::invoice> decode_invoice(std::span<const std::byte> bytes);

/// A whole customer, for snapshots. `number` is not in the bytes, it is in the row.
void encode(const customer& c, std::vector<std::byte>& out);
[[nodiscard]] result<customer> decode_customer(std::span<const std::byte> bytes,
                                               customer_id number);

} // namespace accrue::journal
