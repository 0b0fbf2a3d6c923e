// From a decided entry to the rows of its tables. Mechanical: no rule, no SQL.
#pragma once

#include "domain/customer.hpp"
#include "persistence/journal_numbers.hpp"
#include "persistence/unit_batch.hpp"

namespace accrue {

/// When a customer wants to be woken (next_due), before and after an entry.
struct calendar {
  std::optional<instant> before;
  std::optional<instant> after;
};

/// Adds the rows of an entry: customer, grants, charges, invoices, the outbox, and the wake-up where it
/// changed. `after`: the customer with the entry applied. `version`: of the journal's format, in which the
/// bodies of charges and invoices are written, as the entry's own.
void project(unit_batch& batch,
             const customer_key& owner,
             const customer& after,
             const entry& e,
             const catalog& cat,
             const calendar& due,
             std::uint8_t version = journal::format_version);

} // namespace accrue
