// The only ways to move money: every template with its stored code, its name and the exact shape its
// postings must have. Which amounts go in is decided in posting_rules.hpp.
#pragma once

#include "domain/ledger/account.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace accrue::ledger {

/// Stored in the journal: never renumbered, never given a new meaning. A changed template is a new
/// code. Source: ledger.md 5; D64. docs/decisions/0005-ledger-templates.md explains each.
enum class template_code : std::uint16_t {
  issue = 1,               ///< credit issued against an open receivable
  authorize = 2,           ///< a payment step at face value: open → authorized
  settle = 3,              ///< money arrives: wash → authorized
  attribute_advance = 4,   ///< debt of unknown price becomes part of a purchase
  collect = 6,             ///< credit becomes accrued value
  collect_advance = 7,     ///< an advance becomes accrued value
  translate_accrued = 9,   ///< accrued value of unknown price gets its price
  recognize = 10,          ///< accrued value becomes earnings
  exchange = 11,           ///< fiat receivable becomes one in a credit unit
  plan_breakage = 12,      ///< expiry, booked ahead
  release_breakage = 13,   ///< the credit was used before it expired
  reopen_breakage = 14,    ///< a use was given back
  authorize_purchase = 15, ///< paid grant in fiat: face open, fiat authorized, the rest brokerage
  authorize_unit_purchase = 16, ///< the same for a grant in a credit unit
  void_promotional = 17,
  void_unauthorized = 18,
  void_paid = 19,
  void_paid_unit = 20,
  refund = 21,
  accrue_invoice = 22, ///< usage billed by an invoice: open receivable → accrued
  invoice_tax = 23,
  write_off_receivable = 24, ///< what an invoice billed and nobody will pay
  write_off_purchase = 25,   ///< the same of a grant: face open, fiat written off
  opening_credit = 26,       ///< opening balance of a migration (D68)
  opening_advance = 27,
  write_off_unit_purchase = 28, ///< write_off_purchase for a grant in a credit unit
};

/// Whether a transaction follows its template or takes it back.
enum class direction : std::uint8_t { forward, correction };

/// What the value of a leg may have cost, or may be counted in.
enum class worth : std::uint8_t {
  any,
  unknown, ///< no cost basis: an advance
  known,
  free, ///< cost basis 0
  par,  ///< cost basis 1: invoiced
  iso,  ///< an ISO currency
  credit_unit,
};

/// One leg of a shape: postings of this account, stage, sign and worth.
struct leg {
  account_type account;
  ledger::stage stage;
  int sign;              ///< +1 or -1, as in the forward direction
  bool optional = false; ///< may be missing: its amount can be zero
  ledger::worth worth = ledger::worth::any;
};

struct ledger_template {
  template_code code;
  std::uint8_t version;
  std::string_view name; ///< e.g. "customer.fbo.collect"
  std::span<const leg> legs;
  bool crosses_cost_basis; ///< balances per currency only (D7)
  bool correctable;
};

/// All templates in order of their codes.
[[nodiscard]] std::span<const ledger_template> templates() noexcept;
/// The template of a stored code; null for one this version does not know.
[[nodiscard]] const ledger_template* find_template(template_code code) noexcept;

/// The second check, independent of shapes: whether value may flow between two account types at
/// all, in either direction. Source: ledger.md 4 R4, R5; D64.
[[nodiscard]] bool may_face(account_type a, account_type b) noexcept;

} // namespace accrue::ledger
