// Postings of each business event. One function an event; no decisions about whether it may happen.
#include "domain/ledger/posting_rules.hpp"

#include "domain/ledger/collection.hpp"

#include <algorithm>
#include <array>

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

// One transaction of two postings: -amount on `from`, +amount on `to`; a correction is the negation.
result<void> move(book_overlay& book,
                  template_code code,
                  sub_account from,
                  sub_account to,
                  int128 amount,
                  grant_id source,
                  spend_id spend,
                  instant at,
                  direction dir = direction::forward) {
  if (amount == 0)
    return {};
  if (dir == direction::correction)
    amount = -amount;
  const auto negative = book.resolve(std::move(from));
  if (!negative)
    return tl::unexpected(negative.error());
  const auto positive = book.resolve(std::move(to));
  if (!positive)
    return tl::unexpected(positive.error());
  return book.post(
      code, dir, at, {{*negative, source, spend, -amount}, {*positive, source, spend, amount}});
}

/// An account beside the credit of a grant: the same value.
sub_account beside(account_type account, const credit_terms& c) {
  sub_account a{account, {}};
  a.route.currency = c.amount.currency;
  a.route.cost_basis = c.cost_basis;
  a.route.cost_basis_currency = c.cost_basis_currency;
  return a;
}

/// What is paid for a grant: fiat at the grant's cost basis. Of credit in fiat it is the same value.
sub_account fiat_receivable(const credit_terms& c, currency fiat, stage s) {
  auto a = address(receivable, money{0, fiat}, c.cost_basis, s);
  a.route.features = c.features;
  return a;
}

// Postings by address, those of zero left out, as one transaction.
struct line {
  sub_account where;
  int128 amount;
};
result<void> post(book_overlay& book,
                  template_code code,
                  direction dir,
                  grant_id source,
                  instant at,
                  std::span<const line> lines) {
  std::vector<posting> postings;
  for (const auto& l : lines) {
    if (l.amount == 0)
      continue;
    const auto account = book.resolve(l.where);
    if (!account)
      return tl::unexpected(account.error());
    postings.push_back({*account, source, {}, dir == direction::forward ? l.amount : -l.amount});
  }
  if (postings.empty())
    return {};
  return book.post(code, dir, at, std::move(postings));
}

result<void> breakage_step(book_overlay& book,
                           template_code code,
                           const slice& s,
                           spend_id spend,
                           int128 to_breakage,
                           instant at) {
  const auto account = book.resolve(same_value(breakage, book.at(s.account).route));
  if (!account)
    return tl::unexpected(account.error());
  return book.post(
      code,
      direction::forward,
      at,
      {{s.account, s.grant, spend, -to_breakage}, {*account, s.grant, {}, to_breakage}});
}

} // namespace

sub_account same_value(account_type account, const route& value) {
  sub_account a{account, {}};
  a.route.currency = value.currency;
  a.route.cost_basis = value.cost_basis;
  a.route.cost_basis_currency = value.cost_basis_currency;
  return a;
}

sub_account credit_address(const credit_terms& c) {
  auto a = beside(fbo, c);
  a.route.priority = c.priority;
  a.route.features = c.features;
  return a;
}

sub_account receivable_address(const credit_terms& c, stage s) {
  auto a = beside(receivable, c);
  a.route.stage = s;
  a.route.features = c.features;
  return a;
}

void add_posting(std::vector<posting>& postings, const posting& p) {
  const auto it = std::ranges::find_if(postings, [&](const posting& x) {
    return x.account == p.account && x.source == p.source && x.spend == p.spend;
  });
  if (it == postings.end())
    postings.push_back(p);
  else
    it->amount += p.amount;
}

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

result<void> pay_promotional(book_overlay& book, const credit_terms& c, instant at) {
  ENSURE(c.cost_basis && c.cost_basis->is_zero());
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
              beside(wash, c),
              receivable_address(c, stage::authorized),
              c.amount.minor,
              c.grant,
              {},
              at);
}

result<void> attribute_advance(book_overlay& book,
                               const credit_terms& c,
                               sub_account_id owed,
                               spend_id spend,
                               int128 amount,
                               direction dir,
                               instant at) {
  const auto unpriced = same_value(accrued, book.at(owed).route);
  const auto from = book.resolve(unpriced);
  if (!from)
    return tl::unexpected(from.error());
  const auto debt = book.resolve(receivable_address(c, stage::open));
  if (!debt)
    return tl::unexpected(debt.error());
  const auto priced = book.resolve(beside(accrued, c));
  if (!priced)
    return tl::unexpected(priced.error());
  const auto x = dir == direction::forward ? amount : -amount;
  if (auto ok = book.post(template_code::attribute_advance,
                          dir,
                          at,
                          {{owed, {}, spend, x}, {*debt, c.grant, spend, -x}});
      !ok)
    return ok;
  return book.post(template_code::translate_accrued,
                   dir,
                   at,
                   {{*from, {}, spend, -x}, {*priced, c.grant, spend, x}});
}

result<void> plan_breakage(book_overlay& book, const slice& credit, instant expires_at) {
  return breakage_step(book, template_code::plan_breakage, credit, {}, credit.amount, expires_at);
}

result<void>
release_breakage(book_overlay& book, const slice& used, spend_id spend, instant expires_at) {
  return breakage_step(
      book, template_code::release_breakage, used, spend, -used.amount, expires_at);
}

result<void>
reopen_breakage(book_overlay& book, const slice& given_back, spend_id spend, instant at) {
  return breakage_step(
      book, template_code::reopen_breakage, given_back, spend, given_back.amount, at);
}

namespace {

// Face leaves the open receivable in the credit's currency, fiat stands on `closed` in the one it is paid in: where they
// are the same, the difference goes to brokerage; where not, each side has its counterpart there.
result<void> close_purchase(book_overlay& book,
                            template_code in_fiat,
                            template_code in_unit,
                            const credit_terms& c,
                            const purchase_step& step,
                            sub_account closed,
                            direction dir,
                            instant at) {
  const auto brokerage_fiat = address(brokerage, step.fiat, c.cost_basis);
  const auto paid = line{std::move(closed), -step.fiat.minor};
  const auto open = line{receivable_address(c, stage::open), step.face};
  if (!c.amount.currency.is_credit_unit())
    return post(book,
                in_fiat,
                dir,
                c.grant,
                at,
                std::array{open, paid, line{brokerage_fiat, step.fiat.minor - step.face}});
  return post(book,
              in_unit,
              dir,
              c.grant,
              at,
              std::array{open,
                         line{beside(brokerage, c), -step.face},
                         line{brokerage_fiat, step.fiat.minor},
                         paid});
}

} // namespace

result<void> authorize_purchase(book_overlay& book,
                                const credit_terms& c,
                                const purchase_step& step,
                                direction dir,
                                instant at) {
  return close_purchase(book,
                        template_code::authorize_purchase,
                        template_code::authorize_unit_purchase,
                        c,
                        step,
                        fiat_receivable(c, step.fiat.currency, stage::authorized),
                        dir,
                        at);
}

result<void>
settle_purchase(book_overlay& book, const credit_terms& c, const money& fiat, instant at) {
  return move(book,
              template_code::settle,
              address(wash, fiat, c.cost_basis),
              fiat_receivable(c, fiat.currency, stage::authorized),
              fiat.minor,
              c.grant,
              {},
              at);
}

result<void> void_promotional(book_overlay& book, const credit_terms& c, int128 face, instant at) {
  return move(book,
              template_code::void_promotional,
              credit_address(c),
              beside(wash, c),
              face,
              c.grant,
              {},
              at);
}

result<void> void_unauthorized(book_overlay& book, const credit_terms& c, int128 face, instant at) {
  return move(book,
              template_code::void_unauthorized,
              credit_address(c),
              receivable_address(c, stage::open),
              face,
              c.grant,
              {},
              at);
}

sub_account claim_address(const credit_terms& c, currency fiat) {
  return fiat_receivable(c, fiat, stage::open);
}

result<void>
void_paid(book_overlay& book, const credit_terms& c, const purchase_step& part, instant at) {
  const auto brokerage_fiat = address(brokerage, part.fiat, c.cost_basis);
  const auto claim = line{claim_address(c, part.fiat.currency), part.fiat.minor};
  const auto gone = line{credit_address(c), -part.face};
  if (!c.amount.currency.is_credit_unit())
    return post(book,
                template_code::void_paid,
                direction::forward,
                c.grant,
                at,
                std::array{gone, line{brokerage_fiat, part.face - part.fiat.minor}, claim});
  return post(book,
              template_code::void_paid_unit,
              direction::forward,
              c.grant,
              at,
              std::array{gone,
                         line{beside(brokerage, c), part.face},
                         line{brokerage_fiat, -part.fiat.minor},
                         claim});
}

result<void> void_opening(book_overlay& book, const credit_terms& c, int128 face, instant at) {
  return move(book,
              template_code::opening_credit,
              beside(wash, c),
              credit_address(c),
              face,
              c.grant,
              {},
              at,
              direction::correction);
}

result<void>
refund_purchase(book_overlay& book, const credit_terms& c, const money& fiat, instant at) {
  return move(book,
              template_code::refund,
              claim_address(c, fiat.currency),
              address(wash, fiat, c.cost_basis),
              fiat.minor,
              c.grant,
              {},
              at);
}

result<void> write_off_purchase(book_overlay& book,
                                const credit_terms& c,
                                const purchase_step& part,
                                direction dir,
                                instant at) {
  return close_purchase(book,
                        template_code::write_off_purchase,
                        template_code::write_off_unit_purchase,
                        c,
                        part,
                        address(write_off, part.fiat, c.cost_basis),
                        dir,
                        at);
}

result<void> write_off_invoiced(
    book_overlay& book, const money& amount, spend_id spend, direction dir, instant at) {
  return move(book,
              template_code::write_off_receivable,
              address(write_off, amount, par),
              address(receivable, amount, par, stage::open),
              amount.minor,
              {},
              spend,
              at,
              dir);
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
              beside(wash, c),
              credit_address(c),
              c.amount.minor,
              c.grant,
              {},
              at);
}

result<sub_account_id> open_advance(book_overlay& book,
                                    const money& m,
                                    std::vector<std::string> features,
                                    spend_id spend,
                                    instant at) {
  const auto owed = owed_address(m.currency, std::move(features));
  auto ok = move(book,
                 template_code::opening_advance,
                 owed,
                 address(accrued, m, std::nullopt),
                 m.minor,
                 {},
                 spend,
                 at);
  if (!ok)
    return tl::unexpected(ok.error());
  return book.resolve(owed);
}

} // namespace accrue::ledger
