// What each command leads to: (customer, command, now) → a unit of work, or a refusal.
// All rules about money start here; actors only carry messages.
#pragma once

#include "domain/catalog/quote.hpp"
#include "domain/commands.hpp"
#include "domain/replies.hpp"
#include "domain/unit.hpp"

namespace accrue {

/// Decides a command on top of the unit's customer. The conversation ends with success, and then
/// the unit holds all that changes, or with the refusal, and then the unit is dropped.
/// Queries and namespace commands are not decided here. errc: everything in the table of D62 that
/// a client can cause.
[[nodiscard]] conversation decide(unit& u, command::any c);

/// Currencies in which the customer has anything at all, in order of their numbers.
[[nodiscard]] std::vector<currency> currencies_of(const customer& c);

/// Units of its journal that deciding a command takes: those behind `after`, at most `limit` of them. None: what is
/// in memory will do.
struct rows_wanted {
  sequence after;
  std::uint32_t limit = 0;
};
[[nodiscard]] std::optional<rows_wanted> rows_needed(const customer& c,
                                                     const command::any& body) noexcept;
/// Whether a query is one for past.hpp.
[[nodiscard]] bool
is_about_past(const customer& c, const command::any& query, instant now) noexcept;
/// What can be said about a query of the past before anything is read. errc: validation.
[[nodiscard]] result<void> check_past(const catalog& cat, const command::any& query);
/// The keys under which the unit stands that a correction is about; none where it is in memory.
[[nodiscard]] std::vector<std::string> keys_needed(const customer& c, const command::any& body);

/// Whether a command can be decided without talking to charges; then `decide_now` is enough and no
/// conversation is made: the hot path.
[[nodiscard]] bool is_simple(const command::any& c) noexcept;
[[nodiscard]] result<void> decide_now(unit& u, const command::any& c);

/// Decides a command of the namespace (customer 0). The unit's customer is the namespace itself.
[[nodiscard]] result<void> decide_for_namespace(unit& u, const command::any& c);

/// The command as it counts for "same content" (D6): amounts of grants and charges rounded (D2).
/// errc: as deciding it would give for its currency and amount.
[[nodiscard]] result<command::any> normalised(command::any c, const catalog& cat);

/// The receipt of an entry: for a unit just decided and for a key that came again alike (D6).
/// `c` is the customer at or after the entry; grants never change.
[[nodiscard]] reply::receipt receipt_of(const entry& e, const customer& c, const catalog& cat);

/// Answers a query from the customer as it is. errc: not_found, validation.
[[nodiscard]] result<reply::receipt>
answer(const customer& c, const catalog& cat, instant now, const command::any& query);

/// What a question for a quote is about; points into the catalog. errc: not_found for a plan, version,
/// phase or add-on that is not there.
[[nodiscard]] result<product::selection> selection_of(const product::catalog& all,
                                                      const command::get_quote& q);
/// errc: as product::quote_for.
[[nodiscard]] result<reply::quote_view>
quote_of(const product::selection& s, const command::get_quote& q, const product::payer& payer);

/// Answers a query to the namespace, whose last unit was `last`. errc: not_found, and as
/// product::quote_for.
[[nodiscard]] result<reply::receipt>
answer_for_namespace(const catalog& cat, sequence last, const command::any& query);

/// The quote with the customer's tax and the credit it has now: credit is taken as an invoice of these
/// lines would take it, on a book that is dropped. errc: as answer_for_namespace.
[[nodiscard]] result<reply::quote_view> quote_for_customer(unit u,
                                                           const command::get_quote& wanted);

/// The object a command names, as far as it has to be in memory before the command is decided: the
/// reference of a charge or the name of an invoice, else empty.
[[nodiscard]] std::string_view named_charge(const command::any& c) noexcept;
[[nodiscard]] std::string_view named_invoice(const command::any& c) noexcept;

// Views of the state, shared by receipts and queries.
[[nodiscard]] reply::charge_view view_of(const charge& c, const catalog& cat);
[[nodiscard]] reply::invoice_view
view_of(const customer& owner, const invoicing::invoice& i, const catalog& cat);
[[nodiscard]] reply::customer_view view_of(const customer& c, const catalog& cat);
[[nodiscard]] reply::grant_view view_of(const grant& g, const catalog& cat, instant now);
[[nodiscard]] reply::reservation_view view_of(const hold& h, const customer& c, const catalog& cat);
[[nodiscard]] reply::tax view_of(const rating::tax& t);
[[nodiscard]] reply::catalog_stored counts_of(const product::catalog& c);

/// When something of its charges, invoices and reservations is due next; none if nothing.
[[nodiscard]] std::optional<instant> next_event(const customer& c) noexcept;
/// When the customer wants to be woken next: for that, or to recognise what it accrued.
[[nodiscard]] std::optional<instant> next_due(const customer& c) noexcept;

} // namespace accrue
