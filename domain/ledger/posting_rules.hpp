// Effect → balanced transactions: which postings each business event makes. Shapes and balance are
// checked by transaction::make; the order in which credit is taken is in collection.hpp.
#pragma once

#include "domain/ledger/book.hpp"

namespace accrue::ledger {

/// What a grant of credit posts with.
struct credit_terms {
  grant_id grant;
  money amount;
  std::optional<decimal> cost_basis;
  std::uint16_t priority = default_priority;
  std::vector<std::string> features;
  std::optional<currency> cost_basis_currency = {}; ///< of a credit unit that was bought
};

/// The sub-account of another account for the same value: currency and cost basis, no features, no priority.
[[nodiscard]] sub_account same_value(account_type account, const route& value);

/// Where the credit of a grant stands, and what is owed for it.
[[nodiscard]] sub_account credit_address(const credit_terms& c);
[[nodiscard]] sub_account receivable_address(const credit_terms& c, stage s);

/// Adds to the posting on the same sub-account, source and spend, or makes it.
void add_posting(std::vector<posting>& postings, const posting& p);

/// Credit issued against an open receivable. Source: ledger.md 5.1.
[[nodiscard]] result<void> issue_credit(book_overlay& book, const credit_terms& credit, instant at);

/// The end of a promotional grant's payment: what was issued or attributed is authorised and settled through
/// wash at face. `credit.cost_basis` must be 0. Source: ledger.md 5.2, 5.3; D64.
[[nodiscard]] result<void>
pay_promotional(book_overlay& book, const credit_terms& credit, instant at);

/// Debt of unknown price becomes part of a grant: the receivable at `at`, and the accrued value with it. `c.amount`
/// is ignored. Source: ledger.md 5.4, 5.9.
[[nodiscard]] result<void> attribute_advance(book_overlay& book,
                                             const credit_terms& c,
                                             sub_account_id owed,
                                             spend_id spend,
                                             int128 amount,
                                             direction dir,
                                             instant at);

/// The end of credit, booked ahead: all of it expires. Source: ledger.md 5.12, 7.3.
[[nodiscard]] result<void>
plan_breakage(book_overlay& book, const slice& credit, instant expires_at);
/// So much of it was used before, or was voided (no spend).
[[nodiscard]] result<void>
release_breakage(book_overlay& book, const slice& used, spend_id spend, instant expires_at);
/// So much of a use was given back: it expires after all, or has (then `at` is now, D61).
[[nodiscard]] result<void>
reopen_breakage(book_overlay& book, const slice& given_back, spend_id spend, instant at);

/// A step of a payment for a grant that was bought. `face`: of the credit, `fiat`: what is paid for it.
/// Source: D64.
struct purchase_step {
  int128 face = 0;
  money fiat;
};
[[nodiscard]] result<void> authorize_purchase(book_overlay& book,
                                              const credit_terms& c,
                                              const purchase_step& step,
                                              direction dir,
                                              instant at);
[[nodiscard]] result<void>
settle_purchase(book_overlay& book, const credit_terms& c, const money& fiat, instant at);

/// What is left of a grant goes, by how far it was paid (D13, D64).
[[nodiscard]] result<void>
void_promotional(book_overlay& book, const credit_terms& c, int128 face, instant at);
[[nodiscard]] result<void>
void_unauthorized(book_overlay& book, const credit_terms& c, int128 face, instant at);
/// Where the claim stands that the void of what was paid leaves.
[[nodiscard]] sub_account claim_address(const credit_terms& c, currency fiat);
[[nodiscard]] result<void>
void_paid(book_overlay& book, const credit_terms& c, const purchase_step& part, instant at);
/// Opening credit is taken back (D64).
[[nodiscard]] result<void>
void_opening(book_overlay& book, const credit_terms& c, int128 face, instant at);
/// Money that the customer had to get back is paid back.
[[nodiscard]] result<void>
refund_purchase(book_overlay& book, const credit_terms& c, const money& fiat, instant at);

/// What nobody will pay for a grant: face open, fiat to write-off; a correction recovers it. Zero books nothing.
[[nodiscard]] result<void> write_off_purchase(book_overlay& book,
                                              const credit_terms& c,
                                              const purchase_step& part,
                                              direction dir,
                                              instant at);
/// The same of what an invoice billed, tax included.
[[nodiscard]] result<void> write_off_invoiced(
    book_overlay& book, const money& amount, spend_id spend, direction dir, instant at);

/// The part of a charge that an invoice bills: open receivable → accrued at cost basis 1.
/// Zero books nothing (D22). Source: D64, receivable.invoice.accrue.
[[nodiscard]] result<void>
accrue_invoiced(book_overlay& book, const money& net, spend_id spend, instant at);

/// The tax of an invoice: open receivable → tax payable at cost basis 1, once an invoice. Zero books
/// nothing (D22). Source: D53, D64, receivable.invoice.tax.
[[nodiscard]] result<void>
book_tax(book_overlay& book, const money& tax, invoice_id invoice, instant at);

/// A payment step for invoiced value: open → authorized, then wash → authorized, at cost basis 1.
/// Source: ledger.md 5.2, 5.3.
[[nodiscard]] result<void>
authorize_invoiced(book_overlay& book, const money& amount, spend_id spend, instant at);
[[nodiscard]] result<void>
settle_invoiced(book_overlay& book, const money& amount, spend_id spend, instant at);

/// Opening balance of a migration: credit whose cost is known only if the file says so (D64, D68).
[[nodiscard]] result<void> open_credit(book_overlay& book, const credit_terms& credit, instant at);
/// Opening debt: usage of the past that no credit has covered yet.
/// Gives the receivable it is owed on.
[[nodiscard]] result<sub_account_id> open_advance(book_overlay& book,
                                                  const money& amount,
                                                  std::vector<std::string> features,
                                                  spend_id spend,
                                                  instant at);

} // namespace accrue::ledger
