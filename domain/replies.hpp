// What the engine answers: views of the state right after a unit, as values. The codec prints them;
// the same views are rebuilt from the journal when a key comes again (D6).
#pragma once

#include "domain/catalog/plan.hpp"
#include "domain/commands.hpp"
#include "domain/ids.hpp"
#include "domain/money.hpp"
#include "domain/time.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace accrue::reply {

/// Balances of one currency (balances.md 1): settled and live may be negative (advance).
struct balance {
  accrue::currency currency;
  std::string code; ///< currency or credit unit code
  int128 settled = 0;
  int128 live = 0;
  int128 pending = 0;
  int128 reserved = 0;
  /// Of the past: live and reserved are known only for now (D32).
  bool historical = false;

  friend bool operator==(const balance&, const balance&) = default;
};

/// A tax as it stands on an invoice (D26).
struct tax {
  std::string name;
  decimal rate; ///< 0.1 is 10 %
  int128 base = 0;
  int128 amount = 0;

  friend bool operator==(const tax&, const tax&) = default;
};

struct customer_view {
  std::string reference;
  customer_id number;
  std::string currency; ///< code; empty: none set
  command::over_settlement over_settlement = command::over_settlement::refuse;
  instant created_at;
  std::string tax_name = {}; ///< empty: no tax
  decimal tax_rate = {};

  friend bool operator==(const customer_view&, const customer_view&) = default;
};

struct grant_view {
  std::string id;
  accrue::currency currency;
  std::string code;
  int128 amount = 0; ///< as rounded on entry
  instant effective_at;
  std::string funding = {};         ///< "promotional", "external", "opening"
  std::string status = {};          ///< "pending", "active", "expired", "voided" (balances.md 3.8)
  std::string internal_status = {}; ///< "final", "active.payment.pending", …
  std::string payment = {};         ///< "pending", "authorized", "settled"; empty where nobody pays
  std::uint16_t priority = ledger::default_priority;
  std::vector<std::string> features = {};
  std::optional<instant> expires_at = {};
  std::optional<instant> voided_at = {};
  std::optional<decimal> cost_basis = {}; ///< of paid credit
  std::optional<accrue::currency> fiat = {};
  std::string fiat_code = {};
  int128 fiat_amount = 0; ///< the price of all of it, in `fiat`
  int128 authorized = 0;  ///< likewise
  int128 settled = 0;
  int128 written_off = 0; ///< that nobody will pay
  int128 claim = 0;       ///< that was paid and is the customer's again, by a void
  int128 refunded = 0;    ///< that was paid back

  friend bool operator==(const grant_view&, const grant_view&) = default;
};

/// Where consumed money came from, in collection order.
struct taken {
  std::string grant;
  int128 amount = 0;

  friend bool operator==(const taken&, const taken&) = default;
};

struct consumed {
  std::string id;
  accrue::currency currency;
  std::string code;
  int128 booked = 0;    ///< credit taken, advance included
  int128 uncovered = 0; ///< left unpaid under `cap`
  std::vector<taken> slices;

  friend bool operator==(const consumed&, const consumed&) = default;
};

/// A reservation as it stands; of one that is over, how it ended.
struct reservation_view {
  std::string id;
  accrue::currency currency;
  std::string code;
  std::string status; ///< "held", "released", "expired"
  int128 held = 0;
  std::optional<instant> expires_at;
  struct slice {
    std::string grant;
    int128 amount = 0;
    std::optional<instant> expires_at;
    friend bool operator==(const slice&, const slice&) = default;
  };
  std::vector<slice> slices; ///< in collection order

  friend bool operator==(const reservation_view&, const reservation_view&) = default;
};

/// Credit that was given back.
struct corrected {
  std::string id;
  accrue::currency currency;
  std::string code;
  int128 amount = 0;
  friend bool operator==(const corrected&, const corrected&) = default;
};

/// What became earnings.
struct recognized {
  struct sum {
    accrue::currency currency;
    std::string code;
    int128 amount = 0;
    friend bool operator==(const sum&, const sum&) = default;
  };
  std::vector<sum> amounts;
  accrue::sequence
      through; ///< of consumes and settlements: up to this unit; the same command again goes on
  friend bool operator==(const recognized&, const recognized&) = default;
};

struct grants {
  std::vector<grant_view> items; ///< in order of recording
  friend bool operator==(const grants&, const grants&) = default;
};

/// A page of what happened to the customer's credit, newest first (balances.md 4).
struct transactions {
  struct row {
    std::string type; ///< "funded", "consumed", "adjusted", "expired", "voided"
    instant booked_at;
    instant recorded_at;
    bool backdated = false; ///< booked before it was recorded
    accrue::currency currency;
    std::string code;
    int128 amount = 0;
    int128 before = 0; ///< the settled balance of the currency in the asked view
    int128 after = 0;
    std::string reference; ///< of the grant, charge, consume or reservation
    std::string cursor;
    friend bool operator==(const row&, const row&) = default;
  };
  std::vector<row> rows;
  std::string next;     ///< cursor for older rows; empty: there are none
  std::string previous; ///< for newer ones
  friend bool operator==(const transactions&, const transactions&) = default;
};

struct charge_view {
  std::string id;
  accrue::currency currency;
  std::string code;
  settlement_mode mode = settlement_mode::credit_then_invoice;
  int128 amount = 0;
  period service_period;
  instant invoice_at;
  std::string status;          ///< "created", "active", "final", "deleted"
  std::string detailed_status; ///< "active.awaiting_payment_settlement", …
  std::optional<instant> advance_after;
  struct run {
    std::vector<int128> credits; ///< one a route, the advance last
    int128 amount = 0;
    int128 credit_total = 0;
    int128 total = 0;
    friend bool operator==(const run&, const run&) = default;
  };
  std::vector<run> runs;

  friend bool operator==(const charge_view&, const charge_view&) = default;
};

struct invoice_view {
  std::string name;   ///< the number where it has one, else "#ordinal"
  std::string number; ///< empty for drafts
  accrue::currency currency;
  std::string code;
  std::string status;
  struct line {
    std::string name;
    accrue::period period;
    int128 amount = 0;
    int128 credits = 0;
    int128 total = 0;
    std::string kind = {}; ///< "charge", "tax"
    friend bool operator==(const line&, const line&) = default;
  };
  std::vector<line> lines;
  int128 amount = 0;  ///< of all lines but taxes
  int128 credits = 0; ///< likewise
  int128 total = 0;   ///< amount − credits + taxes
  int128 authorized = 0;
  int128 settled = 0;
  int128 written_off = 0; ///< that nobody will pay
  std::vector<invoicing::issue> issues;
  std::optional<instant> draft_until;
  std::optional<instant> issued_at;
  std::optional<instant> due_at;
  std::uint32_t revision = 1;
  std::vector<tax> taxes;

  friend bool operator==(const invoice_view&, const invoice_view&) = default;
};

struct invoices {
  std::vector<invoice_view> items;
  friend bool operator==(const invoices&, const invoices&) = default;
};

/// One line of a trial balance.
struct account_view {
  ledger::sub_account address;
  std::string code; ///< of the route's currency
  int128 balance = 0;
  /// What it is worth in the currency that is paid in (D11); absent where that is not known.
  std::optional<accrue::money> money = {};
  friend bool operator==(const account_view&, const account_view&) = default;
};

struct accounts {
  std::vector<account_view> items;
  friend bool operator==(const accounts&, const accounts&) = default;
};

struct balances {
  std::vector<balance> items;
  friend bool operator==(const balances&, const balances&) = default;
};

/// An opening balance or advance, as booked.
struct opened {
  std::string id;
  accrue::currency currency;
  std::string code;
  int128 amount = 0;
  friend bool operator==(const opened&, const opened&) = default;
};

/// Everything due was done.
struct ran_due {
  std::uint32_t steps = 0;
  friend bool operator==(const ran_due&, const ran_due&) = default;
};

struct credit_unit_view {
  std::string code;
  std::uint8_t exponent = 0;
  friend bool operator==(const credit_unit_view&, const credit_unit_view&) = default;
};

struct billing_profile_view {
  invoicing::profile profile;
  friend bool operator==(const billing_profile_view&, const billing_profile_view&) = default;
};

/// What a catalog holds, as a count.
struct catalog_stored {
  std::uint32_t meters = 0;
  std::uint32_t features = 0;
  std::uint32_t add_ons = 0;
  std::uint32_t plans = 0;
  friend bool operator==(const catalog_stored&, const catalog_stored&) = default;
};

struct catalog_view {
  product::catalog catalog;
  friend bool operator==(const catalog_view&, const catalog_view&) = default;
};

/// An invoice that is not there: before credits, and after them where a customer was named (D44).
struct quote_view {
  std::string plan;
  std::uint32_t version = 1;
  accrue::currency currency;
  std::string code;
  period service_period;
  /// A quantity at a price.
  struct detail {
    std::string name;
    std::string reference; ///< unique within its line, the same whenever it is rated
    decimal quantity;
    decimal per_unit;
    int128 amount = 0;
    int128 discounts = 0;
    friend bool operator==(const detail&, const detail&) = default;
  };
  struct line {
    std::string kind; ///< "plan_base", "addon", "overage"
    std::string name;
    int128 amount = 0; ///< commitments included
    int128 discounts = 0;
    std::vector<detail> detailed;
    friend bool operator==(const line&, const line&) = default;
  };
  std::vector<line> lines;
  int128 subtotal = 0; ///< amounts less discounts
  std::vector<tax> taxes;
  int128 total = 0;
  struct paid_part {
    int128 credits = 0;
    int128 tax = 0;
    int128 total = 0; ///< what is left to pay
    friend bool operator==(const paid_part&, const paid_part&) = default;
  };
  std::optional<paid_part> after_credits;

  friend bool operator==(const quote_view&, const quote_view&) = default;
};

using body = std::variant<customer_view,
                          grant_view,
                          consumed,
                          charge_view,
                          invoice_view,
                          invoices,
                          accounts,
                          balances,
                          opened,
                          ran_due,
                          credit_unit_view,
                          billing_profile_view,
                          catalog_stored,
                          catalog_view,
                          quote_view,
                          reservation_view,
                          corrected,
                          recognized,
                          grants,
                          transactions>;

/// A positive answer: the customer's sequence it was computed at, what was asked, and the balances
/// of the currencies it touched right after it, so that nobody has to ask again.
struct receipt {
  accrue::sequence sequence;
  reply::body body;
  std::vector<balance> after;

  friend bool operator==(const receipt&, const receipt&) = default;
};

} // namespace accrue::reply
