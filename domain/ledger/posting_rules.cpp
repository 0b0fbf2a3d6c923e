// Postings of each business event. One function an event; no decisions about whether it may happen.
#include "domain/ledger/posting_rules.hpp"

namespace accrue::ledger {
namespace {

using enum account_type;

const decimal par{1};

sub_account address(account_type account,
                    const money& m,
                    const std::optional<decimal>& cost_basis,
                    stage s = stage::none) {
  sub_account a{account, {}};
  a.route.currency = m.currency;
  a.route.cost_basis = cost_basis;
  a.route.stage = s;
  return a;
}

// One transaction of two postings: -amount on `from`, +amount on `to`.
result<void> move(book_overlay& book,
                  template_code code,
                  sub_account from,
                  sub_account to,
                  int128 amount,
                  grant_id source,
                  spend_id spend,
                  instant at) {
  if (amount == 0)
    return {};
  const auto negative = book.resolve(std::move(from));
  if (!negative)
    return tl::unexpected(negative.error());
  const auto positive = book.resolve(std::move(to));
  if (!positive)
    return tl::unexpected(positive.error());
  return book.post(code,
                   direction::forward,
                   at,
                   {{*negative, source, spend, -amount}, {*positive, source, spend, amount}});
}

sub_account credit_address(const credit_terms& c) {
  auto a = address(fbo, c.amount, c.cost_basis);
  a.route.priority = c.priority;
  a.route.features = c.features;
  return a;
}

sub_account receivable_address(const credit_terms& c, stage s) {
  auto a = address(receivable, c.amount, c.cost_basis, s);
  a.route.features = c.features;
  return a;
}

} // namespace

result<void> issue_credit(book_overlay& book, const credit_terms& c, instant at) {
  return move(book,
              template_code::issue,
              receivable_address(c, stage::open),
              credit_address(c),
              c.amount.minor,
              c.grant,
              {},
              at);
}

result<void> grant_promotional(book_overlay& book, const credit_terms& c, instant at) {
  ENSURE(c.cost_basis && c.cost_basis->is_zero());
  if (auto ok = issue_credit(book, c, at); !ok)
    return ok;
  if (auto ok = move(book,
                     template_code::authorize,
                     receivable_address(c, stage::authorized),
                     receivable_address(c, stage::open),
                     c.amount.minor,
                     c.grant,
                     {},
                     at);
      !ok)
    return ok;
  return move(book,
              template_code::settle,
              address(wash, c.amount, c.cost_basis),
              receivable_address(c, stage::authorized),
              c.amount.minor,
              c.grant,
              {},
              at);
}

result<void> accrue_invoiced(book_overlay& book, const money& net, spend_id spend, instant at) {
  return move(book,
              template_code::accrue_invoice,
              address(receivable, net, par, stage::open),
              address(accrued, net, par),
              net.minor,
              {},
              spend,
              at);
}

result<void> book_tax(book_overlay& book, const money& tax, invoice_id invoice, instant at) {
  return move(book,
              template_code::invoice_tax,
              address(receivable, tax, par, stage::open),
              address(tax_payable, tax, par),
              tax.minor,
              {},
              spend_id::of(invoice),
              at);
}

result<void> authorize_invoiced(book_overlay& book, const money& m, spend_id spend, instant at) {
  return move(book,
              template_code::authorize,
              address(receivable, m, par, stage::authorized),
              address(receivable, m, par, stage::open),
              m.minor,
              {},
              spend,
              at);
}

result<void> settle_invoiced(book_overlay& book, const money& m, spend_id spend, instant at) {
  return move(book,
              template_code::settle,
              address(wash, m, par),
              address(receivable, m, par, stage::authorized),
              m.minor,
              {},
              spend,
              at);
}

result<void> open_credit(book_overlay& book, const credit_terms& c, instant at) {
  return move(book,
              template_code::opening_credit,
              address(wash, c.amount, c.cost_basis),
              credit_address(c),
              c.amount.minor,
              c.grant,
              {},
              at);
}

result<void> open_advance(book_overlay& book,
                          const money& m,
                          std::vector<std::string> features,
                          spend_id spend,
                          instant at) {
  auto owed = address(receivable, m, std::nullopt, stage::open);
  owed.route.features = std::move(features);
  return move(book,
              template_code::opening_advance,
              std::move(owed),
              address(accrued, m, std::nullopt),
              m.minor,
              {},
              spend,
              at);
}

} // namespace accrue::ledger
