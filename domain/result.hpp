// The one way to say no: every reason a command can be refused, and the alias that carries it.
// Failures of the world (a lost connection) and defects (a broken invariant) do not belong here.
#pragma once

#include <tl/expected.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace accrue {

/// Reasons to refuse, in order of precedence: where two apply, the earlier one is told.
/// The names are the wire's error codes. Source: decisions.md, D62.
enum class errc : std::uint8_t {
  validation = 1,      ///< the input alone is wrong; sending it again cannot help
  overflow,            ///< an amount left the 128-bit range (D2)
  unauthenticated,     ///< no hello, or credentials that nobody knows
  forbidden,           ///< known, but not allowed
  not_owner,           ///< another node owns this customer; ask there
  overloaded,          ///< a queue is full; try again later
  storage_unavailable, ///< the commit failed or the store is away; the same key may be sent again
  deadline_exceeded, ///< not decided in time; after deciding: outcome unknown, send the same key again
  quarantined, ///< the customer may not write until an operator lifts its quarantine; then the same key
  unsupported_operation, ///< understood, and not offered here
  not_found,             ///< no such customer, grant, charge or invoice
  idempotency_conflict,  ///< the key was used with other content (D6)
  conflict,              ///< the present state forbids it
  illegal_transition,    ///< the state machine has no such row
  insufficient_funds,    ///< not enough free credit
  over_authorization,    ///< more than is open (D12)
  over_settlement,       ///< more than is authorised (D12)
  not_externally_funded, ///< the grant is not paid from outside
  period_closing,        ///< the period is being closed; retry (D52)
  period_closed,
  period_invoiced,
  period_adjusted,
  period_not_ended,
  invalid_period,
  invalid_range,
  invoice_paid,
  invoice_create_no_lines,
  invoice_lines_not_billable,
  invoice_action_not_available,
  invoice_cannot_advance,
  internal, ///< a defect of ours; an operator is told
};

/// The wire name of a code, e.g. "insufficient_funds".
[[nodiscard]] std::string_view to_string(errc code) noexcept;

/// A typed no: the code, the id it concerns (may be empty), and a sentence that says what to do.
struct refusal {
  errc code = errc::internal;
  std::string subject;
  std::string text;

  friend bool operator==(const refusal&, const refusal&) = default;
};

/// A value, or the reason there is none.
template <class T>
using result = tl::expected<T, refusal>;

/// Shorthand for returning a refusal from a function that returns `result<T>`.
[[nodiscard]] inline tl::unexpected<refusal>
refuse(errc code, std::string text, std::string subject = {}) {
  return tl::unexpected<refusal>(refusal{code, std::move(subject), std::move(text)});
}

/// Reports a broken invariant: a defect of ours, never of the input. Throws `defect`.
[[noreturn]] void broken(const char* condition, const char* file, int line);

/// What `ENSURE` throws; the customer that meets it is put into quarantine, nobody else notices.
struct defect {
  std::string what;
};

/// The text of the exception that is being handled: for whoever ends its actor with it.
[[nodiscard]] std::string what_broke();

} // namespace accrue

/// Checks an invariant in every build. A violation is a defect (STYLE.md, section 7).
#define ENSURE(x) ((x) ? void(0) : ::accrue::broken(#x, __FILE__, __LINE__))
