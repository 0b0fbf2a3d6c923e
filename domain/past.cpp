// What is looked up of a customer's past: by questions in blocks, by commands in units of the journal. The rows of a
// page are told in past_page.cpp.
#include "domain/past.hpp"

#include "domain/decisions.hpp"
#include "domain/recognition.hpp"
#include "domain/unit.hpp"

#include <algorithm>
#include <limits>

namespace accrue {

namespace {

constexpr auto at_most = std::numeric_limits<std::uint64_t>::max();

// Behind everything that counts at this instant.
statement_place end_of(instant t) {
  return {t, ledger::never, at_most, std::numeric_limits<std::uint32_t>::max()};
}

// The book's plans: what is left in a source is what expires, or has. Opening credit, which nobody granted, is one row
// together, in the place of the first.
statement_items planned_by(const customer& c) {
  std::map<std::pair<instant, currency>, grant_id> first_opening;
  for (const auto& g : c.grants)
    if (g.funding == funding::opening && g.life().until != ledger::never)
      first_opening.try_emplace({g.life().until, g.amount.currency}, g.id);
  std::map<std::tuple<instant, currency, grant_id>, std::vector<statement_movement>> rows;
  for (const auto& s : c.book.sources()) {
    if (s.expires_at == ledger::never)
      continue;
    auto owner = s.grant;
    const auto in = c.book.at(s.account).route.currency;
    if (c.grant_at(owner).funding == funding::opening)
      owner = first_opening.at({s.expires_at, in});
    rows[{s.expires_at, in, owner}].push_back({s.account, -s.amount});
  }
  statement_items all;
  for (const auto& [key, moved] : rows) {
    const auto& [at, in, owner] = key;
    const auto named = c.grant_at(owner).funding == funding::opening ? grant_id{} : owner;
    all.add({item_kind::expired,
             {at, at, c.grant_at(owner).details->recorded_in.value, owner.value},
             named,
             0,
             0},
            moved);
  }
  return all;
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

std::optional<rows_wanted> rows_needed(const customer& c, const command::any& body) noexcept {
  if (const auto* r = std::get_if<command::recognize>(&body))
    if (const auto through = c.extras->recognized_through;
        r->what != command::recognizable::invoiced && through < c.last)
      return rows_wanted{through, recognized_at_once};
  return std::nullopt;
}

bool is_about_past(const customer& c, const command::any& query, instant now) noexcept {
  if (!c.exists)
    return false;
  const auto* b = std::get_if<command::get_balance>(&query);
  return (b != nullptr && b->as_of && *b->as_of < std::max(now, c.clock)) ||
         std::holds_alternative<command::list_transactions>(query);
}

result<void> check_past(const catalog& cat, const command::any& query) {
  if (const auto* page = std::get_if<command::list_transactions>(&query))
    return past::check(*page, cat);
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

statement_block block_of(sequence after, sequence through, const statement_items& items) {
  statement_block b{after, through, {}};
  for (const auto& run : runs_of(items))
    b.runs.push_back(summary_of(run));
  return b;
}

past::past(const customer& c) : customer_(&c), last_(c.last) { add(planned_by(c)); }

void past::add(const statement_block& b) {
  for (const auto& summary : b.runs)
    runs_.push_back({b.through, summary, std::nullopt});
}

void past::add(const statement_items& items) {
  for (auto& found : runs_of(items)) {
    auto summary = summary_of(found);
    runs_.push_back({sequence{}, std::move(summary), std::move(found)});
  }
}

result<void> past::load(sequence block, const statement_items& items) {
  auto loaded = runs_of(items);
  auto next = loaded.begin();
  for (auto& r : runs_) {
    if (r.block != block)
      continue;
    if (next == loaded.end() || summary_of(*next) != r.all)
      return refuse(errc::internal,
                    "the block up to unit " + std::to_string(block.value) + " is not its sums");
    r.items = std::move(*next++);
  }
  if (next != loaded.end())
    return refuse(errc::internal,
                  "the block up to unit " + std::to_string(block.value) + " is more than its sums");
  return {};
}

void past::know(entry unit) {
  const auto number = unit.number;
  units_.insert_or_assign(number, std::move(unit));
}

bool past::in_view(sub_account_id n, const command::feature_filter& view) const {
  return accrue::in_view(customer_->book.at(n).route.features, view);
}

// Blocks with something on both sides of a place that are not loaded.
std::set<sequence> past::cut_by(std::span<const statement_place> places) const {
  std::set<sequence> blocks;
  for (const auto& r : runs_)
    if (!r.items && std::ranges::any_of(places, [&](const statement_place& p) {
          return r.all.first <= p && p < r.all.last;
        }))
      blocks.insert(r.block);
  return blocks;
}

// All movements up to and with a place that cuts no block that is not loaded.
void past::sum_up_to(const statement_place& place, const visit& add) const {
  for (const auto& r : runs_) {
    if (r.all.first > place)
      continue;
    if (r.all.last <= place) {
      for (const auto& s : r.all.sums)
        if (s.account != statement_sum::no_account)
          add(s.kind, s.account, s.amount);
      continue;
    }
    ENSURE(r.items);
    for (const auto& i : r.items->items) {
      if (i.place > place)
        break;
      for (const auto& m : r.items->moved(i))
        add(i.kind, m.account, m.amount);
    }
  }
}

result<past::answer> past::balances(const command::get_balance& q, const catalog& cat) const {
  const statement_place then = end_of(*q.as_of);
  if (auto blocks = cut_by({&then, 1}); !blocks.empty())
    return wanted{std::move(blocks), {}};
  std::map<currency, reply::balance> sums;
  if (q.currency) {
    const auto found = cat.find_currency(*q.currency);
    if (!found)
      return tl::unexpected(found.error());
    sums[*found] = {};
  } else {
    for (const auto c : currencies_of(*customer_))
      sums[c] = {};
  }
  sum_up_to(then, [&](item_kind kind, sub_account_id n, int128 amount) {
    const auto it = sums.find(customer_->book.at(n).route.currency);
    if (it == sums.end() || !in_view(n, q.filter))
      return;
    (kind == item_kind::pending ? it->second.pending : it->second.settled) += amount;
  });
  reply::balances all;
  for (auto& [in, b] : sums) {
    b.currency = in;
    b.code = cat.code(in);
    b.historical = true;
    all.items.push_back(std::move(b));
  }
  return reply::receipt{last_, std::move(all), {}};
}

result<past::answer> past::ask(const command::any& query, const catalog& cat, instant now) const {
  if (const auto* rows = std::get_if<command::list_transactions>(&query))
    return page(*rows, cat, now);
  const auto* b = std::get_if<command::get_balance>(&query);
  ENSURE(b != nullptr && b->as_of);
  return balances(*b, cat);
}

} // namespace accrue
