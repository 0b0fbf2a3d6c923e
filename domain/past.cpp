// Questions about what was, and what a command has to know of it: which units of the journal they take, and the
// answers. See decisions.hpp.
#include "domain/decisions.hpp"
#include "domain/statement.hpp"

#include <algorithm>
#include <limits>

namespace accrue {

namespace {

// So many at once: a customer's own units wait for nobody else's.
constexpr std::uint32_t recognized_at_once = 1000;

const std::optional<instant>* as_of_of(const command::any& body) noexcept {
  if (const auto* b = std::get_if<command::get_balance>(&body))
    return &b->as_of;
  return nullptr;
}

} // namespace

// Currencies in which the customer has anything at all, in order of their numbers.
std::vector<currency> currencies_of(const customer& c) {
  std::vector<currency> all;
  for (const auto& a : c.book.sub_accounts())
    all.push_back(a.route.currency);
  for (const auto& x : c.charges)
    all.push_back(x.terms.amount.currency);
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

std::optional<rows_wanted>
rows_needed(const customer& c, const command::any& body, instant now) noexcept {
  if (const auto* r = std::get_if<command::recognize>(&body)) {
    const auto through = c.extras->recognized_through;
    if (!r->invoiced && through < c.last)
      return rows_wanted{through, recognized_at_once};
    return std::nullopt;
  }
  if (!c.exists)
    return std::nullopt;
  const auto* as_of = as_of_of(body);
  const bool past = as_of != nullptr && *as_of && **as_of < std::max(now, c.clock);
  if (past || std::holds_alternative<command::list_transactions>(body))
    return rows_wanted{sequence(0), std::numeric_limits<std::uint32_t>::max()};
  return std::nullopt;
}

result<void> check_past(const catalog& cat, const command::any& query) {
  if (const auto* page = std::get_if<command::list_transactions>(&query))
    return statement::check(*page, cat);
  const auto* b = std::get_if<command::get_balance>(&query);
  if (b != nullptr && b->currency)
    if (const auto found = cat.find_currency(*b->currency); !found)
      return tl::unexpected(found.error());
  return {};
}

std::vector<std::string> keys_needed(const customer& c, const command::any& body) {
  const auto* correction = std::get_if<command::correct_charge>(&body);
  if (correction == nullptr)
    return {};
  if (const auto* charge = c.find_charge(correction->charge);
      charge != nullptr && flat_fee::current_run(charge->state) != nullptr)
    return {};
  return {"consume:" + correction->charge, "settle_reservation:" + correction->charge};
}

result<reply::receipt> answer_from_history(const customer& c,
                                           const catalog& cat,
                                           instant now,
                                           std::span<const entry> entries,
                                           const command::any& query) {
  const statement past(c, entries);
  now = std::max(now, c.clock);
  reply::receipt r{c.last, reply::ran_due{}, {}};
  if (const auto* wanted = std::get_if<command::list_transactions>(&query)) {
    auto page = past.page(*wanted, cat, now);
    if (!page)
      return tl::unexpected(page.error());
    r.body = std::move(*page);
    return r;
  }
  const auto* q = std::get_if<command::get_balance>(&query);
  ENSURE(q != nullptr && q->as_of);
  auto currencies = currencies_of(c);
  if (q->currency) {
    const auto found = cat.find_currency(*q->currency);
    if (!found)
      return tl::unexpected(found.error());
    currencies = {*found};
  }
  reply::balances all;
  for (const auto one : currencies) {
    reply::balance b;
    b.currency = one;
    b.code = cat.code(one);
    b.settled = past.settled(one, q->filter, *q->as_of);
    b.pending = past.pending(one, q->filter, *q->as_of);
    b.historical = true;
    all.items.push_back(std::move(b));
  }
  r.body = std::move(all);
  return r;
}

} // namespace accrue
