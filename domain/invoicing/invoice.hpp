// The standard invoice: lines, totals, and its states from draft to paid as one overload a row.
// Pending lines are not stored: they are the charges that are billable (flat_fee::billable).
#pragma once

#include "domain/ids.hpp"
#include "domain/money.hpp"
#include "domain/rating/totals.hpp"
#include "domain/time.hpp"
#include "domain/transition.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace accrue::invoicing {

/// When what credit paid for becomes earnings (D11): once it is used, or at the end of its charge's period.
enum class recognition_policy : std::uint8_t { on_collection = 1, at_period_end };
[[nodiscard]] std::string_view to_string(recognition_policy p) noexcept;

/// Workflow of the namespace for invoices made from now on. Source: invoicing.md 3.2, 3.3.
struct profile {
  bool auto_advance = true; ///< false: somebody has to approve
  std::int64_t draft_period_ns = 0;
  std::int64_t due_after_ns = 30LL * 24 * 3600 * ns_per_second;
  recognition_policy recognition = recognition_policy::on_collection;

  friend bool operator==(const profile&, const profile&) = default;
};

/// What a charge asks for, or the tax on all that the charges' lines ask for; the tax comes last.
struct line {
  charge_id charge; ///< 0 of a tax
  std::string name; ///< the charge's reference, or the tax's name
  accrue::period period;
  int128 amount = 0;
  int128 credits = 0;  ///< credit that paid part of it
  int128 total = 0;    ///< amount − credits: what is asked for
  bool booked = false; ///< its accrual is on the ledger (D21)
  int128 authorized = 0;
  int128 settled = 0;
  int128 written_off = 0;              ///< that nobody will pay (D14)
  std::optional<rating::tax> tax = {}; ///< of a tax line: on what, and at which rate

  friend bool operator==(const line&, const line&) = default;
};

/// Something an operator should know about the invoice.
struct issue {
  bool critical = true;
  std::string code;
  std::string text;

  friend bool operator==(const issue&, const issue&) = default;
};

// States. Names on the wire: to_string. Source: invoicing.md 4.5.
struct draft_waiting_auto_approval {
  instant until;
  friend bool operator==(const draft_waiting_auto_approval&,
                         const draft_waiting_auto_approval&) = default;
};
struct draft_manual_approval_needed {
  friend bool operator==(const draft_manual_approval_needed&,
                         const draft_manual_approval_needed&) = default;
};
/// Booking its lines, inside one unit of work; never stored.
struct issuing_charge_booking {
  friend bool operator==(const issuing_charge_booking&, const issuing_charge_booking&) = default;
};
struct issuing_charge_booking_failed {
  friend bool operator==(const issuing_charge_booking_failed&,
                         const issuing_charge_booking_failed&) = default;
};
/// What every issued invoice has.
struct issuance {
  std::uint64_t number = 0; ///< gap-free per customer (D66)
  instant issued_at;
  instant due_at;
  friend bool operator==(const issuance&, const issuance&) = default;
};
struct payment_pending {
  issuance issued;
  friend bool operator==(const payment_pending&, const payment_pending&) = default;
};
struct payment_authorized {
  issuance issued;
  friend bool operator==(const payment_authorized&, const payment_authorized&) = default;
};
struct overdue {
  issuance issued;
  friend bool operator==(const overdue&, const overdue&) = default;
};
struct paid {
  issuance issued;
  friend bool operator==(const paid&, const paid&) = default;
};
/// What was open of it is written off (D14); money that comes all the same is taken.
struct uncollectible {
  issuance issued;
  friend bool operator==(const uncollectible&, const uncollectible&) = default;
};

using state = std::variant<draft_waiting_auto_approval,
                           draft_manual_approval_needed,
                           issuing_charge_booking,
                           issuing_charge_booking_failed,
                           payment_pending,
                           payment_authorized,
                           overdue,
                           paid,
                           uncollectible>;

// Events.
struct approved {};
struct time_passed {
  instant now;
};
/// All lines are booked; `number` is the next of the customer.
struct all_booked {
  issuance issued;
};
struct booking_failed {};
struct retried {};
/// Money was authorised or settled; the amounts are those of the whole invoice afterwards.
struct payment_moved {
  bool wholly_authorized = false;
  bool wholly_settled = false;
};
/// Nobody will pay what is open.
struct given_up {};

using event = std::
    variant<approved, time_passed, all_booked, booking_failed, retried, payment_moved, given_up>;

to<issuing_charge_booking> on(const draft_waiting_auto_approval&, const approved&);
to<draft_waiting_auto_approval, issuing_charge_booking> on(const draft_waiting_auto_approval&,
                                                           const time_passed&);
to<issuing_charge_booking> on(const draft_manual_approval_needed&, const approved&);
to<payment_pending> on(const issuing_charge_booking&, const all_booked&);
to<issuing_charge_booking_failed> on(const issuing_charge_booking&, const booking_failed&);
to<issuing_charge_booking> on(const issuing_charge_booking_failed&, const retried&);
to<payment_pending, payment_authorized, paid> on(const payment_pending&, const payment_moved&);
to<payment_pending, overdue> on(const payment_pending&, const time_passed&);
to<payment_authorized, paid> on(const payment_authorized&, const payment_moved&);
to<overdue, payment_authorized, paid> on(const overdue&, const payment_moved&);
to<uncollectible> on(const payment_pending&, const given_up&);
to<uncollectible> on(const payment_authorized&, const given_up&);
to<uncollectible> on(const overdue&, const given_up&);
to<uncollectible, payment_authorized, paid> on(const uncollectible&, const payment_moved&);

template <class S, class E>
concept legal = requires(const S& s, const E& e) {
  on(s, e);
};

static_assert(!legal<paid, payment_moved>);
static_assert(!legal<issuing_charge_booking_failed, approved>);

/// The state an event leads to. errc: invoice_action_not_available.
[[nodiscard]] result<state> decide(const state& s, const event& e);

/// "draft.manual_approval_needed", "payment_processing.pending", …
[[nodiscard]] std::string_view to_string(const state& s) noexcept;

struct totals {
  int128 amount = 0; ///< without taxes
  int128 credits = 0;
  int128 taxes = 0;
  int128 total = 0; ///< amount − credits + taxes
  int128 authorized = 0;
  int128 settled = 0;
  int128 written_off = 0;
};

struct invoice {
  invoice_id id;
  accrue::currency currency;
  invoicing::state state;
  std::vector<line> lines;
  std::vector<issue> issues;
  instant created_at;
  std::optional<instant> draft_until; ///< none where somebody has to approve
  std::int64_t due_after_ns = 0;      ///< the profile's, when the draft was made
  std::uint32_t revision = 1;

  [[nodiscard]] invoicing::totals totals() const noexcept;
  /// Number, issue and due instants; null for drafts.
  [[nodiscard]] const issuance* issued() const noexcept;
  /// When it is due: of a draft with review time already foreseeable.
  [[nodiscard]] std::optional<instant> due_at() const noexcept;
  /// When the invoice wants to be looked at by itself.
  [[nodiscard]] std::optional<instant> advance_after() const noexcept;
  friend bool operator==(const invoice&, const invoice&) = default;
};

/// The draft's first stable state: flat fees have no collection to wait for (D45).
[[nodiscard]] state first_state(const profile& p, instant now) noexcept;
/// The document dates of an invoice issued now. Source: invoicing.md 3.3.
[[nodiscard]] issuance issue_at(const invoice& i, std::uint64_t number, instant now) noexcept;

/// The line of the tax on `lines`, dated as they are; none without a rate and where nothing is left to pay
/// (D26, D53). errc: overflow.
[[nodiscard]] result<std::optional<line>>
tax_line(std::span<const line> lines, const std::optional<rating::tax_rate>& rate, currency c);

/// A line's part of a payment step.
struct share {
  std::size_t line = 0;
  int128 amount = 0;
};
/// Spreads an amount over lines in line order, up to what each has open (D46).
/// errc: over_authorization beyond the total (D12); validation for amounts below one minor unit.
[[nodiscard]] result<std::vector<share>> authorize_shares(const invoice& i, int128 amount);
/// The same against what is authorised. errc: over_settlement.
[[nodiscard]] result<std::vector<share>> settle_shares(const invoice& i, int128 amount);
/// How much of what was written off a payment of this share needs to find open again.
[[nodiscard]] int128 to_recover(const line& l, int128 share) noexcept;

/// The customer's invoice prefix, unique in the namespace (D66): "acme" gives ACME; a reference that
/// is not plain lower-case text gets the customer's number too.
[[nodiscard]] std::string number_prefix(std::string_view customer_reference, customer_id number);
/// "ACME-000012"
[[nodiscard]] std::string format_number(std::string_view prefix, std::uint64_t number);

} // namespace accrue::invoicing
