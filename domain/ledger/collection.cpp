// Greedy collection in the order of the sources, and the advance for what is missing.
#include "domain/ledger/collection.hpp"

#include "domain/ledger/posting_rules.hpp"

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

slice* find(std::vector<slice>& slices, grant_id grant, sub_account_id account) {
  const auto it = std::ranges::find_if(
      slices, [&](const slice& s) { return s.grant == grant && s.account == account; });
  return it == slices.end() ? nullptr : &*it;
}

// Used before its end: that much of it does not expire.
result<void> release_plans(book_overlay& book, std::span<const slice> used, spend_id spend) {
  for (const auto& s : used) {
    const auto* source = book.find_source(s.grant, s.account);
    if (source == nullptr || source->expires_at == never)
      continue;
    if (auto ok = release_breakage(book, s, spend, source->expires_at); !ok)
      return ok;
  }
  return {};
}

} // namespace

collected plan_collection(const book_overlay& book,
                          const collection_terms& terms,
                          std::span<const slice> first) {
  collected plan;
  const auto missing = [&] { return terms.amount.minor - plan.taken; };
  for (const auto& s : first) {
    const auto take = std::min(s.amount, missing());
    if (take <= 0)
      break;
    plan.slices.push_back({s.grant, s.account, take});
    plan.taken += take;
  }
  for (const auto& source : book.sources()) {
    if (missing() <= 0)
      break;
    if (!eligible(book, source, terms.amount.currency, terms.feature, terms.as_of))
      continue;
    auto* planned = first.empty() ? nullptr : find(plan.slices, source.grant, source.account);
    const auto left = book.free(source) - (planned == nullptr ? 0 : planned->amount);
    const auto take = std::min(left, missing());
    if (take <= 0)
      continue;
    if (planned != nullptr)
      planned->amount += take;
    else
      plan.slices.push_back({source.grant, source.account, take});
    plan.taken += take;
  }
  return plan;
}

result<collected>
collect(book_overlay& book, const collection_terms& terms, std::span<const slice> first) {
  auto plan = plan_collection(book, terms, first);
  if (plan.slices.empty())
    return plan;
  std::vector<posting> postings;
  postings.reserve(plan.slices.size() * 2);
  for (const auto& s : plan.slices)
    postings.push_back({s.account, s.grant, terms.spend, -s.amount});
  for (const auto& s : plan.slices) {
    const auto account = book.resolve(same_value(account_type::accrued, book.at(s.account).route));
    if (!account)
      return tl::unexpected(account.error());
    add_posting(postings, {*account, s.grant, terms.spend, s.amount});
  }
  if (auto ok = book.post(
          template_code::collect, direction::forward, terms.booked_at, std::move(postings));
      !ok)
    return tl::unexpected(ok.error());
  if (auto ok = release_plans(book, plan.slices, terms.spend); !ok)
    return tl::unexpected(ok.error());
  return plan;
}

sub_account owed_address(currency c, std::vector<std::string> features) {
  sub_account a{account_type::receivable, {}};
  a.route.currency = c;
  a.route.stage = stage::open;
  a.route.features = std::move(features);
  return a;
}

sub_account advance_address(const route& owed) {
  sub_account a{account_type::fbo, owed};
  a.route.stage = stage::none;
  a.route.priority = default_priority;
  return a;
}

result<sub_account_id> advance(book_overlay& book,
                               const collection_terms& terms,
                               const money& amount,
                               const std::optional<int128>& limit) {
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
  std::vector<std::string> features;
  if (!terms.feature.empty())
    features.emplace_back(terms.feature);
  const auto owed = owed_address(amount.currency, std::move(features));
  const auto receivable = book.resolve(owed);
  if (!receivable)
    return tl::unexpected(receivable.error());
  const auto fbo = book.resolve(advance_address(owed.route));
  if (!fbo)
    return tl::unexpected(fbo.error());
  const auto accrued = book.resolve(same_value(account_type::accrued, owed.route));
  if (!accrued)
    return tl::unexpected(accrued.error());
  if (auto ok = book.post(
          template_code::issue,
          direction::forward,
          terms.booked_at,
          {{*receivable, {}, terms.spend, -amount.minor}, {*fbo, {}, terms.spend, amount.minor}});
      !ok)
    return tl::unexpected(ok.error());
  if (auto ok = book.post(
          template_code::collect_advance,
          direction::forward,
          terms.booked_at,
          {{*fbo, {}, terms.spend, -amount.minor}, {*accrued, {}, terms.spend, amount.minor}});
      !ok)
    return tl::unexpected(ok.error());
  return *receivable;
}

} // namespace accrue::ledger
