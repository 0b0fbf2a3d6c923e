// Greedy collection in the order of the sources, and the advance for what is missing.
#include "domain/ledger/collection.hpp"

#include <algorithm>

namespace accrue::ledger {
namespace {

bool eligible(const book_overlay& book,
              const credit_source& s,
              currency c,
              std::string_view feature,
              instant as_of) {
  const auto& route = book.at(s.account).route;
  return route.currency == c && s.available_from <= as_of && as_of < s.expires_at &&
         may_pay(route.features, feature);
}

// Where collected credit goes: the same value, without features and priority.
sub_account accrued_address(const route& credit) {
  sub_account a{account_type::accrued, {}};
  a.route.currency = credit.currency;
  a.route.cost_basis = credit.cost_basis;
  a.route.cost_basis_currency = credit.cost_basis_currency;
  return a;
}

} // namespace

collected plan_collection(const book_overlay& book, const collection_terms& terms) {
  collected plan;
  for (const auto& source : book.sources()) {
    const auto missing = terms.amount.minor - plan.taken;
    if (missing <= 0)
      break;
    if (!eligible(book, source, terms.amount.currency, terms.feature, terms.as_of))
      continue;
    const auto take = std::min(book.left(source), missing);
    if (take <= 0)
      continue;
    plan.slices.push_back({source.grant, source.account, take});
    plan.taken += take;
  }
  return plan;
}

result<collected> collect(book_overlay& book, const collection_terms& terms) {
  auto plan = plan_collection(book, terms);
  if (plan.slices.empty())
    return plan;
  std::vector<posting> postings;
  postings.reserve(plan.slices.size() * 2);
  for (const auto& s : plan.slices)
    postings.push_back({s.account, s.grant, terms.spend, -s.amount});
  for (const auto& s : plan.slices) {
    const auto account = book.resolve(accrued_address(book.at(s.account).route));
    if (!account)
      return tl::unexpected(account.error());
    const auto same = [&](const posting& p) {
      return p.account == *account && p.source == s.grant;
    };
    const auto it = std::ranges::find_if(postings, same);
    if (it != postings.end())
      it->amount += s.amount;
    else
      postings.push_back({*account, s.grant, terms.spend, s.amount});
  }
  if (auto ok = book.post(
          template_code::collect, direction::forward, terms.booked_at, std::move(postings));
      !ok)
    return tl::unexpected(ok.error());
  return plan;
}

result<void> advance(book_overlay& book,
                     const collection_terms& terms,
                     const money& amount,
                     const std::optional<int128>& limit) {
  if (amount.minor == 0)
    return {};
  if (limit) {
    const auto owed = -book.sum([&](const sub_account& a) {
      return a.account == account_type::receivable && a.route.stage == stage::open &&
             a.route.currency == amount.currency && !a.route.cost_basis;
    });
    const auto then = checked_add(owed, amount.minor);
    if (!then)
      return tl::unexpected(then.error());
    if (*then > *limit)
      return refuse(errc::insufficient_funds, "the advance would pass the customer's limit");
  }
  sub_account credit{account_type::fbo, {}};
  credit.route.currency = amount.currency;
  credit.route.priority = default_priority;
  if (!terms.feature.empty())
    credit.route.features = {std::string(terms.feature)};
  sub_account owed{account_type::receivable, credit.route};
  owed.route.priority = 0;
  owed.route.stage = stage::open;
  const auto fbo = book.resolve(credit);
  if (!fbo)
    return tl::unexpected(fbo.error());
  const auto receivable = book.resolve(std::move(owed));
  if (!receivable)
    return tl::unexpected(receivable.error());
  const auto accrued = book.resolve(accrued_address(credit.route));
  if (!accrued)
    return tl::unexpected(accrued.error());
  if (auto ok = book.post(
          template_code::issue,
          direction::forward,
          terms.booked_at,
          {{*receivable, {}, terms.spend, -amount.minor}, {*fbo, {}, terms.spend, amount.minor}});
      !ok)
    return ok;
  return book.post(
      template_code::collect_advance,
      direction::forward,
      terms.booked_at,
      {{*fbo, {}, terms.spend, -amount.minor}, {*accrued, {}, terms.spend, amount.minor}});
}

int128 available(const book_overlay& book, currency c, std::string_view feature, instant as_of) {
  int128 total = 0;
  for (const auto& source : book.sources())
    if (eligible(book, source, c, feature, as_of))
      total += std::max<int128>(book.left(source), 0);
  return total;
}

} // namespace accrue::ledger
