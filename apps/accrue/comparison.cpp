// Three questions a customer, many customers at once; the answers are compared one by one.
// Nothing is printed here.
#include "apps/accrue/comparison.hpp"

#include "domain/decisions.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace accrue::cli {

namespace {

constexpr std::size_t customers_at_once = 1000;
constexpr int rounds_max = 20;
constexpr std::chrono::milliseconds round_pause{100};

/// What the engine said of one customer; `reply` bodies that did not come are null.
struct said {
  std::optional<reply::customer_view> view;
  std::optional<reply::receipt> balances;
  std::optional<reply::receipt> accounts;
  std::optional<wire::refused> no;
};

void take(said& all, client::answer_body& answer) {
  if (auto* no = std::get_if<wire::refused>(&answer)) {
    all.no = std::move(*no);
    return;
  }
  auto* receipt = std::get_if<reply::receipt>(&answer);
  if (receipt == nullptr)
    return;
  if (auto* view = std::get_if<reply::customer_view>(&receipt->body))
    all.view = std::move(*view);
  else if (std::holds_alternative<reply::balances>(receipt->body))
    all.balances = std::move(*receipt);
  else if (std::holds_alternative<reply::accounts>(receipt->body))
    all.accounts = std::move(*receipt);
}

/// The names of credit units are the catalog's, which a replayed customer does not have.
bool same(const reply::balance& a, const reply::balance& b) {
  return a.currency == b.currency && a.settled == b.settled && a.live == b.live &&
         a.pending == b.pending && a.reserved == b.reserved;
}
bool same(const reply::account_view& a, const reply::account_view& b) {
  return a.address == b.address && a.balance == b.balance;
}
template <class Item>
bool same(const std::vector<Item>& a, const std::vector<Item>& b) {
  return std::ranges::equal(a, b, [](const Item& x, const Item& y) { return same(x, y); });
}

void judge(const std::string& reference,
           const said& s,
           const replayed_customers& replayed,
           bool journal_clean,
           comparison& out,
           std::size_t differences_max) {
  const auto differs = [&](std::string text) {
    ++out.found;
    if (out.differences.size() < differences_max)
      out.differences.push_back({reference, std::move(text)});
  };
  ++out.customers;
  if (s.no)
    return differs("the engine refuses to tell: " + s.no->reason.text);
  if (!s.view || !s.balances || !s.accounts)
    return differs("the engine answers something else");
  const auto* known = replayed.find(reference, s.view->number);
  if (known == nullptr) {
    if (journal_clean)
      return differs("the engine has it, the journal does not");
    ++out.unproved;
    return;
  }
  const auto first = std::min(s.balances->sequence, s.accounts->sequence);
  const auto second = std::max(s.balances->sequence, s.accounts->sequence);
  if (first < known->last)
    return differs("the engine is at sequence " + std::to_string(first.value) +
                   ", the journal at " + std::to_string(known->last.value));
  if (second > known->last) {
    ++out.moved;
    return;
  }
  if (!same(std::get<reply::accounts>(s.accounts->body).items, known->accounts))
    return differs("its sub-accounts differ from the journal's");
  if (!same(std::get<reply::balances>(s.balances->body).items, known->balances))
    return differs("its balances differ from the journal's");
  ++out.agree;
}

std::vector<wire::call> questions(const std::string& reference) {
  std::vector<wire::call> calls(3);
  for (auto& call : calls)
    call.customer = reference;
  calls[0].body = command::any(command::get_customer{});
  calls[1].body = command::any(command::get_balance{});
  calls[2].body = command::any(command::get_accounts{});
  return calls;
}

} // namespace

void replayed_customers::keep(const customer& c, instant now) {
  if (!c.exists)
    return;
  const auto accounts = answer(c, {}, now, command::get_accounts{});
  const auto balances = answer(c, {}, now, command::get_balance{});
  ENSURE(accounts && balances);
  by_reference_.emplace(c.reference,
                        state{c.number,
                              c.last,
                              std::get<reply::accounts>(accounts->body).items,
                              std::get<reply::balances>(balances->body).items});
}

const replayed_customers::state* replayed_customers::find(const std::string& reference,
                                                          customer_id number) const noexcept {
  const auto [from, to] = by_reference_.equal_range(reference);
  for (auto at = from; at != to; ++at)
    if (at->second.number == number)
      return &at->second;
  return nullptr;
}

client::outcome<comparison> compare(client::connection& engine,
                                    const wire::customers& customers,
                                    const replayed_customers& replayed,
                                    bool journal_clean,
                                    std::size_t differences_max) {
  comparison out;
  const auto& items = customers.items;
  for (std::size_t from = 0; from < items.size(); from += customers_at_once) {
    const std::size_t count = std::min(customers_at_once, items.size() - from);
    std::vector<said> all(count);
    std::vector<std::size_t> ask(count);
    for (std::size_t i = 0; i < count; ++i)
      ask[i] = i;
    for (int round = 0; !ask.empty(); ++round) {
      std::vector<wire::call> calls;
      for (const auto i : ask) {
        all[i] = {};
        for (auto& call : questions(items[from + i].reference))
          calls.push_back(std::move(call));
      }
      const auto done = engine.ask_all(calls, [&](std::size_t place, client::answer_body& answer) {
        take(all[ask[place / 3]], answer);
      });
      if (!done)
        return tl::unexpected(done.error());
      std::erase_if(ask, [&](std::size_t i) {
        return !all[i].no || all[i].no->retry.advice == wire::retry_advice::none ||
               round == rounds_max;
      });
      if (!ask.empty())
        std::this_thread::sleep_for(round_pause);
    }
    for (std::size_t i = 0; i < count; ++i)
      judge(items[from + i].reference, all[i], replayed, journal_clean, out, differences_max);
  }
  return out;
}

} // namespace accrue::cli
