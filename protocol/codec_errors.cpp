// The table of error codes, and nothing else. docs/errors.md shows it to readers; a test compares.
#include "accrue/v1/errors.pb.h"
#include "protocol/errors.hpp"

#include <algorithm>
#include <array>

namespace accrue::wire {

namespace {

using code = v1::Error;

constexpr retry no{};
constexpr retry same_key(std::uint32_t after_ms) { return {retry_advice::same_key, after_ms}; }
constexpr retry later(std::uint32_t after_ms) { return {retry_advice::later, after_ms}; }

// clang-format off
constexpr std::array table{
    error_entry{errc::validation, code::validation, no, "The input alone is wrong; the subject names the field or the id."},
    error_entry{errc::overflow, code::overflow, no, "An amount or a balance would leave the range of 128 bits."},
    error_entry{errc::unauthenticated, code::unauthenticated, no, "No hello yet, or credentials that nobody knows."},
    error_entry{errc::forbidden, code::forbidden, no, "Known, and not allowed to do this."},
    error_entry{errc::not_owner, code::not_owner, later(200), "Another node owns this customer; ask there."},
    error_entry{errc::overloaded, code::overloaded, later(50), "A queue is full; nothing was decided."},
    error_entry{errc::storage_unavailable, code::storage_unavailable, same_key(500), "The commit failed or the store is away."},
    error_entry{errc::deadline_exceeded, code::deadline_exceeded, same_key(0), "No durable answer in time; the command may still take effect."},
    error_entry{errc::quarantined, code::quarantined, same_key(60000), "The customer may not write until an operator lifts its quarantine; nothing was decided."},
    error_entry{errc::unsupported_operation, code::unsupported_operation, no, "Understood, and not offered by this version."},
    error_entry{errc::not_found, code::not_found, no, "No such customer, grant, charge or invoice."},
    error_entry{errc::idempotency_conflict, code::idempotency_conflict, no, "The key was used before, with other content."},
    error_entry{errc::conflict, code::conflict, no, "The present state forbids it, or is not the expected one; look again, then decide."},
    error_entry{errc::illegal_transition, code::illegal_transition, no, "The charge or invoice is in a state that does not allow this."},
    error_entry{errc::insufficient_funds, code::insufficient_funds, no, "Not enough free credit, or the advance limit is reached."},
    error_entry{errc::over_authorization, code::over_authorization, no, "More than is open cannot be authorised."},
    error_entry{errc::over_settlement, code::over_settlement, no, "More than is authorised cannot be settled."},
    error_entry{errc::not_externally_funded, code::not_externally_funded, no, "The grant is not paid from outside."},
    error_entry{errc::period_closing, code::period_closing, later(1000), "The period is being closed; nothing was decided."},
    error_entry{errc::period_closed, code::period_closed, no, "The period is closed for late usage."},
    error_entry{errc::period_invoiced, code::period_invoiced, no, "The period is invoiced already."},
    error_entry{errc::period_adjusted, code::period_adjusted, no, "The closed period has adjustments that forbid this."},
    error_entry{errc::period_not_ended, code::period_not_ended, no, "The period still runs."},
    error_entry{errc::invalid_period, code::invalid_period, no, "A period that ends before it begins, or fits no calendar."},
    error_entry{errc::invalid_range, code::invalid_range, no, "A range that ends before it begins, or is too wide."},
    error_entry{errc::invoice_paid, code::invoice_paid, no, "The invoice is paid and stays as it is."},
    error_entry{errc::invoice_create_no_lines, code::invoice_create_no_lines, no, "There is nothing to invoice."},
    error_entry{errc::invoice_lines_not_billable, code::invoice_lines_not_billable, no, "Some of the named charges cannot be invoiced yet."},
    error_entry{errc::invoice_action_not_available, code::invoice_action_not_available, no, "The invoice's state does not offer this action."},
    error_entry{errc::invoice_cannot_advance, code::invoice_cannot_advance, no, "The invoice waits for somebody or for its time."},
    error_entry{errc::internal, code::internal, same_key(5000), "A defect of ours; an operator is told."},
};
// clang-format on

constexpr auto first = static_cast<std::size_t>(errc::validation);

/// The table is in the order of the enumeration without a gap, so that a code finds its row by number.
consteval bool in_order() {
  for (std::size_t i = 0; i < table.size(); ++i)
    if (static_cast<std::size_t>(table[i].code) != first + i)
      return false;
  return table.back().code == errc::internal;
}
static_assert(in_order());
static_assert(table.size() ==
              v1::Error::Code_ARRAYSIZE - 1); // each number of the wire but 0 has a row

} // namespace

std::span<const error_entry> error_table() noexcept { return table; }

const error_entry& entry(errc code) noexcept {
  const auto at = static_cast<std::size_t>(code) - first;
  return at < table.size() ? table[at] : table.back(); // a number that is no code is our defect
}

errc code_of(std::uint32_t number) noexcept {
  const auto* const row = std::ranges::find(table, number, &error_entry::number);
  return row == table.end() ? errc::internal : row->code;
}

std::string_view to_string(retry_advice advice) noexcept {
  switch (advice) {
  case retry_advice::none:
    return "none";
  case retry_advice::same_key:
    return "same_key";
  case retry_advice::later:
    return "later";
  }
  return "none";
}

} // namespace accrue::wire
