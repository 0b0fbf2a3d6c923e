// From a decided entry to the rows of its tables. Mechanical: no rule, no SQL.
#pragma once

#include "domain/customer.hpp"
#include "persistence/unit_batch.hpp"

namespace accrue {

/// Adds everything but the journal row itself: customer, grant, charge and invoice rows, the outbox, and
/// the wake-up where it changed. `after`: the customer with the entry applied.
void project(unit_batch& batch, const customer_key& owner, const customer& after, const entry& e,
             const catalog& cat, std::optional<instant> due_before);

} // namespace accrue
