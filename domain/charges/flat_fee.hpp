// The flat fee: what it is, its states, and every legal transition as one overload.
// It never touches the book: what it needs from there it answers as an effect.
#pragma once

#include "domain/ids.hpp"
#include "domain/ledger/collection.hpp"
#include "domain/money.hpp"
#include "domain/payment_term.hpp"
#include "domain/time.hpp"
#include "domain/transition.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace accrue {

/// How a charge is paid (D19; invoice_only: accrues the whole amount, never touches credit).
enum class settlement_mode : std::uint8_t { credit_then_invoice = 1, credit_only, invoice_only };

[[nodiscard]] std::string_view to_string(settlement_mode m) noexcept;

} // namespace accrue

namespace accrue::flat_fee {

/// What was agreed; never changes.
struct terms {
  charge_id id;
  std::string reference; ///< the client's id of the charge
  settlement_mode mode = settlement_mode::credit_then_invoice;
  payment_term term = payment_term::in_advance;
  money amount; ///< after proration, rounded to the minor unit
  period service_period;
  instant invoice_at;
  std::string feature; ///< empty: none

  /// When its value counts: the period's start or its end. Source: charges.md 1.8.
  [[nodiscard]] instant booked_at() const noexcept {
    return term == payment_term::in_advance ? service_period.from : service_period.to;
  }
  friend bool operator==(const terms&, const terms&) = default;
};

/// The amount after proration: amount × seconds of the period ÷ seconds of the full one, never more
/// than the whole. Source: charges.md 1.8; D2.
[[nodiscard]] result<money> prorate(const money& amount, const period& part, const period& full);

/// One realization: how the amount was paid so far.
struct run {
  invoice_id invoice;                 ///< 0 for credit_only
  std::vector<ledger::slice> credits; ///< in collection order
  int128 advanced = 0;                ///< credit that did not exist yet
  int128 billed = 0;                  ///< amount − credits: what the invoice asks for
  int128 authorized = 0;
  int128 settled = 0;

  [[nodiscard]] int128 credited() const noexcept;
  friend bool operator==(const run&, const run&) = default;
};

// States. Each carries only what is true in it. Names on the wire: to_string. Source: charges.md 4.1, 4.2.
struct created {
  friend bool operator==(const created&, const created&) = default;
};
struct active {
  friend bool operator==(const active&, const active&) = default;
};
/// Waits, inside one unit of work, for the book's answer; never stored.
struct collecting_credit {
  invoice_id invoice;
  friend bool operator==(const collecting_credit&, const collecting_credit&) = default;
};
/// On a draft invoice, which may still change.
struct waiting_for_collection {
  flat_fee::run run;
  friend bool operator==(const waiting_for_collection&, const waiting_for_collection&) = default;
};
struct processing {
  flat_fee::run run;
  friend bool operator==(const processing&, const processing&) = default;
};
struct awaiting_payment {
  flat_fee::run run;
  friend bool operator==(const awaiting_payment&, const awaiting_payment&) = default;
};
struct finished {
  std::optional<flat_fee::run> run; ///< none: the amount was zero, nothing was realized
  friend bool operator==(const finished&, const finished&) = default;
};
struct deleted {
  friend bool operator==(const deleted&, const deleted&) = default;
};

using state = std::variant<created,
                           active,
                           collecting_credit,
                           waiting_for_collection,
                           processing,
                           awaiting_payment,
                           finished,
                           deleted>;

// Events: the typed messages between customer and charge.
/// Time has come, or somebody asks whether it has.
struct advanced {
  instant now;
};
/// An invoice took the charge's line.
struct line_assigned {
  invoice_id invoice;
  instant now;
};
/// The book's answer to `collect_credit`.
struct credit_collected {
  ledger::collected credit;
};
struct collection_completed {};
struct invoice_issued {};
struct payment_authorized {
  int128 amount = 0;
  instant at;
};
struct payment_settled {
  int128 amount = 0;
  instant at;
};
struct removed {};

using event = std::variant<advanced,
                           line_assigned,
                           credit_collected,
                           collection_completed,
                           invoice_issued,
                           payment_authorized,
                           payment_settled,
                           removed>;

// Effects: what the customer has to do in its book and its calendar; data, not calls.
/// Collect up to the amount; `whole`: the missing part becomes an advance.
struct collect_credit {
  int128 amount = 0;
  bool whole = false;
};
/// Book what the invoice bills.
struct accrue_billed {
  int128 amount = 0;
};
struct book_authorized {
  int128 amount = 0;
  instant at;
};
struct book_settled {
  int128 amount = 0;
  instant at;
};

using effect = std::variant<collect_credit, accrue_billed, book_authorized, book_settled>;
using effects = std::vector<effect>;

// One row per legal transition; an absent row is errc::illegal_transition.
to<created, active, finished> on(const created&, const advanced&, const terms&, effects&);
to<deleted> on(const created&, const removed&, const terms&, effects&);
to<active, collecting_credit> on(const active&, const advanced&, const terms&, effects&);
to<collecting_credit, waiting_for_collection>
on(const active&, const line_assigned&, const terms&, effects&);
to<deleted> on(const active&, const removed&, const terms&, effects&);
to<waiting_for_collection, finished>
on(const collecting_credit&, const credit_collected&, const terms&, effects&);
to<processing>
on(const waiting_for_collection&, const collection_completed&, const terms&, effects&);
to<awaiting_payment, finished> on(const processing&, const invoice_issued&, const terms&, effects&);
to<awaiting_payment> on(const awaiting_payment&, const payment_authorized&, const terms&, effects&);
to<awaiting_payment, finished>
on(const awaiting_payment&, const payment_settled&, const terms&, effects&);
to<finished> on(const finished&, const advanced&, const terms&, effects&);

template <class S, class E>
concept legal = requires(const S& s, const E& e, const terms& t, effects& out) {
  on(s, e, t, out);
};

static_assert(!legal<finished, removed>);
static_assert(!legal<created, payment_settled>);

/// What an event leads to. errc: illegal_transition, or the row's own refusal. A charge that has
/// moved on by itself (created → active) is carried through in one call; the state is stable unless
/// it is `collecting_credit`, which the next event must answer.
struct decision {
  flat_fee::state state;
  flat_fee::effects effects;
};
[[nodiscard]] result<decision> decide(const state& s, const event& e, const terms& t);

/// "created", "active", "active.realization.processing", … Source: charges.md 1.2, 4.
[[nodiscard]] std::string_view to_string(const state& s) noexcept;
/// The part before the first dot.
[[nodiscard]] std::string_view status(const state& s) noexcept;

/// The run of a state that has one, else null.
[[nodiscard]] const run* current_run(const state& s) noexcept;
/// When the charge wants to be looked at again by itself; none where it waits for others.
[[nodiscard]] std::optional<instant> advance_after(const state& s, const terms& t) noexcept;
/// Whether its line waits for an invoice that is made at `as_of`.
[[nodiscard]] bool billable(const state& s, const terms& t, instant as_of) noexcept;
/// What the charge may still take from credit: presses on the live balance from `invoice_at` on.
/// Source: balances.md 1.3; D36; D19 (invoice_only does not press).
[[nodiscard]] int128 outstanding(const state& s, const terms& t, instant now) noexcept;

} // namespace accrue::flat_fee
