// What a client can ask: commands and queries as values, already well-formed but not yet decided.
// Amounts are decimals and currencies are codes; the customer resolves them with its catalog.
#pragma once

#include "domain/catalog/plan.hpp"
#include "domain/charges/flat_fee.hpp"
#include "domain/decimal.hpp"
#include "domain/invoicing/invoice.hpp"
#include "domain/ledger/account.hpp"
#include "domain/rating/totals.hpp"
#include "domain/time.hpp"

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace accrue::command {

/// What happens when a consume or a settlement finds too little credit (reservations.md).
enum class over_settlement : std::uint8_t { refuse = 1, cap, advance };

/// Creates the customer, or changes what is given. Absent fields stay as they are.
struct put_customer {
  std::optional<std::string> currency; ///< default currency's code
  std::optional<command::over_settlement> over_settlement;
  /// Most advance that may be open, by currency code (D69); an empty map lifts all limits.
  std::optional<std::map<std::string, decimal>> advance_limit;
  /// On invoices made from now on (D26); without one inside: no tax any more.
  std::optional<std::optional<rating::tax_rate>> tax = {};
};

/// How a grant is paid.
enum class grant_funding : std::uint8_t {
  promotional = 1, ///< free, at cost basis 0
  external,        ///< paid outside of invoices: authorised, then settled
};

/// Credit. Rounded to the minor unit on entry (D2).
struct grant_credit {
  std::string id;
  decimal amount;
  std::string currency;
  std::uint16_t priority = ledger::default_priority;
  std::vector<std::string> features;
  std::optional<instant> effective_at;    ///< default the command's instant (D17)
  std::optional<instant> expires_at = {}; ///< later than effective_at; none: never
  grant_funding funding = grant_funding::promotional;
  /// What one unit of external credit costs, above 0; default 1.
  std::optional<decimal> cost_basis = {};
  /// What credit in a credit unit is paid in; default the customer's currency. Fiat is paid in itself.
  std::optional<std::string> fiat_currency = {};
};

/// Takes credit now (D67).
struct consume {
  std::string id;
  decimal amount;
  std::string currency;
  std::string feature;
};

/// A flat fee. `invoice_at` defaults to the period's end.
struct create_charge {
  std::string id;
  settlement_mode mode = settlement_mode::credit_then_invoice;
  decimal amount;
  std::string currency;
  period service_period;
  std::optional<period> full_service_period; ///< with it the amount is prorated
  std::optional<instant> invoice_at;
  payment_term term = payment_term::in_arrears;
  std::string feature;
};

/// Realises a charge whose time has come; nothing where it has not.
struct advance_charge {
  std::string charge;
};

/// Makes drafts of the billable lines, one invoice a currency.
struct invoice_pending {
  std::optional<std::string> currency;
  std::optional<instant> as_of;     ///< default now; not later than now
  std::vector<std::string> charges; ///< empty: all that are billable
};

// Invoices are named by number ("ACME-000012") or, drafts too, by ordinal ("#1").
struct approve_invoice {
  std::string invoice;
};
struct advance_invoice {
  std::string invoice;
};
struct retry_invoice {
  std::string invoice;
};
struct authorize_payment {
  std::string invoice;
  std::optional<decimal> amount; ///< default: all that is open
};
struct settle_payment {
  std::string invoice;
  std::optional<decimal> amount; ///< default: all that is authorised
};
/// The provider reports both steps at once (D20).
struct pay_invoice {
  std::string invoice;
};

/// Opening balances of a migration (D68).
struct open_credit {
  std::string id;
  decimal amount;
  std::string currency;
  std::vector<std::string> features;
  std::optional<instant> at;
  std::optional<instant> expires_at = {};
};
struct open_advance {
  std::string id;
  decimal amount;
  std::string currency;
  std::vector<std::string> features;
  std::optional<instant> at;
};

/// All opening balances of a customer at once, or none of them. One advance at most: the unit is its spend.
struct open_balances {
  std::string id;
  std::vector<open_credit> credits;
  std::vector<open_advance> advances;
};

/// A durable wake-up came due, or somebody asks to run what is due: everything due at `now`.
struct run_due {};

// Commands to the namespace itself.
/// Defines a credit unit (D63): code of 4 to 24 of A-Z 0-9 _ -, exponent 0 to 9.
struct create_credit_unit {
  std::string code;
  std::uint8_t exponent = 0;
};
/// Workflow of invoices made from now on.
struct put_billing_profile {
  std::optional<bool> auto_advance;
  std::optional<std::int64_t> draft_period_ns;
  std::optional<std::int64_t> due_after_ns;
  std::optional<invoicing::recognition_policy> recognition = {}; ///< of all value from now on
};
/// Takes the place of the whole catalog.
struct put_catalog {
  product::catalog catalog;
};

// Payments for an external grant, reported as they happen (D12, D20).
struct authorize_grant {
  std::string grant;
  std::optional<decimal> amount; ///< default: all that is open
};
struct settle_grant {
  std::string grant;
  std::optional<decimal>
      amount; ///< default: all that is authorised; where nothing is, both steps for all
};
/// Takes back what is left of a grant and free (D13).
struct void_grant {
  std::string grant;
  bool refund = false; ///< pays back what was settled for it (D59)
};
/// Pays back what a void left as the customer's claim (D59, D64).
struct refund_grant {
  std::string grant;
  std::optional<decimal> amount; ///< default: all of it that was settled
};
/// Nobody will pay what is still open of an external grant (D64). A late payment recovers it.
struct write_off_grant {
  std::string grant;
};
/// The same of an invoice, which is uncollectible from then on (D14).
struct write_off_invoice {
  std::string invoice;
};
/// Gives back credit that a charge, a consume or a settled reservation used (D8, D67).
struct correct_charge {
  std::string charge;
  std::optional<decimal> amount; ///< default: all of it
};
/// Which accrued value: what credit paid for, what invoices billed, or both.
enum class recognizable : std::uint8_t { credit = 1, invoiced, both };
/// Accrued value becomes earnings (D11).
struct recognize {
  std::optional<instant> as_of; ///< default now; not later
  recognizable what = recognizable::credit;
};

/// Holds credit for work whose cost is not known yet (reservations.md).
struct reserve {
  std::string id;
  decimal amount;
  std::string currency;
  std::string feature;
  std::int64_t ttl_ns = 0; ///< 1 s to 24 h
  bool up_to = false;      ///< holds what there is, where it is less
};
/// Takes what the work cost from what is held, frees the rest and ends the reservation.
struct settle_reservation {
  std::string id;
  decimal amount; ///< 0 books nothing
};
struct release_reservation {
  std::string id;
};
/// Not idempotent by its reservation: the same ttl again extends again from now.
struct extend_reservation {
  std::string reservation;
  std::int64_t ttl_ns = 0;
};

// Queries: nothing is changed, nothing is journalled; answered from what is durable.
/// What a balance looks at: everything, unrestricted credit, or what one feature may use
/// (balances.md 1.5).
enum class feature_view : std::uint8_t { all, unrestricted, feature };
struct feature_filter {
  feature_view view = feature_view::all;
  std::string feature;
};
struct get_customer {};
struct get_balance {
  std::optional<std::string> currency; ///< none: every currency the customer has
  feature_filter filter;
  std::optional<instant> as_of = {}; ///< then live and reserved are absent (D32)
};
struct get_charge {
  std::string charge;
};
struct get_invoice {
  std::string invoice;
};
struct list_invoices {};
/// Balances of all sub-accounts: the customer's trial balance.
struct get_accounts {};
struct get_grant {
  std::string grant;
};
enum class grant_state : std::uint8_t { any, pending, active, expired, voided };
struct list_grants {
  grant_state status = grant_state::any;
};
struct get_reservation {
  std::string reservation;
};
enum class row_type : std::uint8_t { any, funded, consumed, adjusted, expired, voided };
/// A page of what happened to the customer's credit, newest first (balances.md 4).
struct list_transactions {
  static constexpr std::uint32_t limit_max = 100;
  static constexpr std::uint32_t limit_default = 20;
  std::optional<std::string> currency;
  row_type type = row_type::any;
  feature_filter filter;
  std::optional<instant> as_of; ///< default now
  std::string after;            ///< a cursor: rows older than it
  std::string before;           ///< rows newer than it; not both
  std::uint32_t limit = limit_default;
};
/// The namespace's catalog.
struct get_catalog {};
/// The invoice that a plan would make. Of the customer that is named, with its tax and credit; where none
/// is, of the namespace.
struct get_quote {
  std::string plan;
  std::uint32_t version =
      0;             ///< 0: the one that is effective when the period begins, else the latest
  std::string phase; ///< key; empty: the first
  std::vector<std::string> add_ons;                  ///< keys, as often as each is taken
  std::map<std::string, decimal, std::less<>> usage; ///< quantities by the key of the rate card
  period service_period;
  std::optional<period> full_service_period; ///< where it is longer, fees are charged in proportion
};

/// The place of each is stored with its units: a new one goes to the end.
using any = std::variant<put_customer,
                         grant_credit,
                         consume,
                         create_charge,
                         advance_charge,
                         invoice_pending,
                         approve_invoice,
                         advance_invoice,
                         retry_invoice,
                         authorize_payment,
                         settle_payment,
                         pay_invoice,
                         open_credit,
                         open_advance,
                         run_due,
                         create_credit_unit,
                         put_billing_profile,
                         get_customer,
                         get_balance,
                         get_charge,
                         get_invoice,
                         list_invoices,
                         get_accounts,
                         put_catalog,
                         get_catalog,
                         get_quote,
                         authorize_grant,
                         settle_grant,
                         void_grant,
                         correct_charge,
                         recognize,
                         reserve,
                         settle_reservation,
                         release_reservation,
                         extend_reservation,
                         get_grant,
                         list_grants,
                         get_reservation,
                         list_transactions,
                         open_balances,
                         refund_grant,
                         write_off_grant,
                         write_off_invoice>;

/// The name of a kind, as in a default key `kind:id` (D6): "consume", "grant_credit", …
[[nodiscard]] std::string_view kind(const any& c) noexcept;
/// The id the client gave, for kinds that have one; else empty. The same id of the same kind is the
/// same key (D6).
[[nodiscard]] std::string_view given_id(const any& c) noexcept;
/// Whether it only asks.
[[nodiscard]] bool is_query(const any& c) noexcept;
/// Whether it is for the namespace rather than a customer.
[[nodiscard]] bool is_for_namespace(const any& c) noexcept;
/// Whether it is for the namespace where no customer is named.
[[nodiscard]] bool is_for_either(const any& c) noexcept;
/// Whether the namespace answers it when this customer is named, or nobody (empty).
[[nodiscard]] inline bool goes_to_namespace(const any& c, std::string_view customer) noexcept {
  return is_for_namespace(c) || (customer.empty() && is_for_either(c));
}

} // namespace accrue::command
