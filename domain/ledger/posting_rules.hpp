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
};

/// Credit issued against an open receivable. Source: ledger.md 5.1.
[[nodiscard]] result<void> issue_credit(book_overlay& book, const credit_terms& credit, instant at);

/// A promotional grant, whole: issued at cost basis 0, authorised and settled through wash at face.
/// `credit.cost_basis` must be 0. Source: ledger.md 5.1-5.3; D64.
[[nodiscard]] result<void>
grant_promotional(book_overlay& book, const credit_terms& credit, instant at);

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
[[nodiscard]] result<void> open_advance(book_overlay& book,
                                        const money& amount,
                                        std::vector<std::string> features,
                                        spend_id spend,
                                        instant at);

} // namespace accrue::ledger
