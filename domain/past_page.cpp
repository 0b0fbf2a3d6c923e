// Pages of what happened to a customer's credit. Source: balances.md 4; D35. See past.hpp.
#include "domain/past.hpp"
#include "domain/unit.hpp"

#include <algorithm>
#include <array>

namespace accrue {

using command::row_type;

namespace {

/// Blocks that are loaded at once, at most.
constexpr std::size_t blocks_at_once = 8;

struct told_as {
  row_type type;
  item_kind kind;
  std::string_view name;
};
constexpr std::array<told_as, 5> all_types{{
    {row_type::funded, item_kind::funded, "funded"},
    {row_type::consumed, item_kind::consumed, "consumed"},
    {row_type::adjusted, item_kind::adjusted, "adjusted"},
    {row_type::expired, item_kind::expired, "expired"},
    {row_type::voided, item_kind::voided, "voided"},
}};

} // namespace

result<void> past::check(const command::list_transactions& q, const catalog& cat) {
  if (q.limit < 1 || q.limit > command::list_transactions::limit_max)
    return refuse(errc::validation, "a limit is 1 to 100");
  if (!q.after.empty() && !q.before.empty())
    return refuse(errc::validation, "after and before exclude each other");
  if (q.currency)
    if (const auto found = cat.find_currency(*q.currency); !found)
      return tl::unexpected(found.error());
  if (const auto& cursor = q.after.empty() ? q.before : q.after; !cursor.empty())
    if (const auto place = parse_cursor(cursor); !place)
      return tl::unexpected(place.error());
  return {};
}

bool past::filter::lets_in(const statement_place& p) const {
  return p.booked_at <= until && (!after || p < *after) && (!before || p > *before);
}

// The row of an item, where the filter shows it.
std::optional<past::told>
past::tell(const statement_items& in, const statement_item& item, const filter& f) const {
  if (item.kind == item_kind::untold || item.kind == item_kind::pending ||
      (f.kind && item.kind != *f.kind))
    return std::nullopt;
  told row{item, {}, 0, 0};
  if (item.kind == item_kind::funded) {
    const auto& g = customer_->grant_at(item.grant);
    row.currency = g.amount.currency;
    if (accrue::in_view(g.features, *f.view))
      row.amount = g.amount.minor;
  } else {
    for (const auto& m : in.moved(item)) {
      row.currency = customer_->book.at(m.account).route.currency;
      if (in_view(m.account, *f.view))
        row.amount += m.amount;
    }
  }
  if (row.amount == 0 || (f.currency && row.currency != *f.currency))
    return std::nullopt;
  return row;
}

// At most so many rows of a run that is not loaded are shown; 0: surely none.
std::size_t past::may_tell(const run& r, const filter& f) const {
  std::size_t rows = 0;
  for (const auto& s : r.all.sums) {
    if (s.kind == item_kind::untold || s.kind == item_kind::pending ||
        (f.kind && s.kind != *f.kind))
      continue;
    const bool shown =
        s.kind == item_kind::funded ||
        (in_view(s.account, *f.view) &&
         (!f.currency || customer_->book.at(s.account).route.currency == *f.currency));
    rows += shown ? s.items : 0;
  }
  return rows;
}

// The first rows that are loaded, from the newest on; with `before`, from there on towards the newest.
std::vector<past::told> past::nearest(const filter& f, std::size_t count) const {
  std::vector<told> rows;
  for (const auto& r : runs_)
    if (r.items)
      for (const auto& i : r.items->items)
        if (f.lets_in(i.place))
          if (auto row = tell(*r.items, i, f))
            rows.push_back(*row);
  const auto place = [](const told& t) { return t.item.place; };
  if (f.before)
    std::ranges::sort(rows, std::less{}, place);
  else
    std::ranges::sort(rows, std::greater{}, place);
  rows.resize(std::min(rows.size(), count));
  return rows;
}

// Blocks that may have rows among the first `count`, or that these lack; none: they are the right ones.
std::set<sequence>
past::nearer(const filter& f, std::span<const told> rows, std::size_t count) const {
  std::vector<const run*> some;
  for (const auto& r : runs_) {
    const auto& [first, last, _] = r.all;
    const bool outside = first.booked_at > f.until || (f.after && first >= *f.after) ||
                         (f.before && last <= *f.before);
    const bool behind = rows.size() == count &&
                        (f.before ? first > rows.back().item.place : last < rows.back().item.place);
    if (!r.items && !outside && !behind && may_tell(r, f) != 0)
      some.push_back(&r);
  }
  std::ranges::sort(some, [&](const run* a, const run* b) {
    return f.before ? a->all.first < b->all.first : a->all.last > b->all.last;
  });
  std::set<sequence> blocks;
  for (auto enough = rows.size(); const auto* r : some) {
    blocks.insert(r->block);
    enough += may_tell(*r, f);
    if (enough >= count || blocks.size() == blocks_at_once)
      break;
  }
  return blocks;
}

// The balance after each row, newest first: of all that moved up to it in its currency and view.
void past::balance(std::span<told> rows, const command::feature_filter& view) const {
  std::map<currency, int128> balances;
  const auto add = [&](item_kind kind, sub_account_id n, int128 amount) {
    if (kind != item_kind::pending && in_view(n, view))
      balances[customer_->book.at(n).route.currency] += amount;
  };
  const auto oldest = rows.back().item.place;
  const auto newest = rows.front().item.place;
  sum_up_to(oldest, add);
  struct step {
    statement_place place;
    const run* of;
    const statement_item* item; ///< null: all of the run
  };
  std::vector<step> steps;
  for (const auto& r : runs_) {
    if (!r.items && r.all.first > oldest && r.all.last <= newest)
      steps.push_back({r.all.last, &r, nullptr});
    else if (r.items && r.all.last > oldest && r.all.first <= newest)
      for (const auto& i : r.items->items)
        if (i.place > oldest && i.place <= newest)
          steps.push_back({i.place, &r, &i});
  }
  std::ranges::sort(steps, {}, &step::place);
  auto next = steps.begin();
  for (auto i = rows.size(); i-- > 0;) {
    auto& row = rows[i];
    for (; next != steps.end() && next->place <= row.item.place; ++next) {
      if (next->item == nullptr)
        for (const auto& s : next->of->all.sums)
          if (s.account != statement_sum::no_account)
            add(s.kind, s.account, s.amount);
      if (next->item != nullptr)
        for (const auto& m : next->of->items->moved(*next->item))
          add(next->item->kind, m.account, m.amount);
    }
    row.balance = balances[row.currency];
  }
}

std::string past::reference_of(const told& row) const {
  if (row.item.grant != grant_id{})
    return customer_->grant_at(row.item.grant).reference;
  const auto unit = units_.find(sequence(row.item.place.sequence));
  if (row.item.kind == item_kind::expired || unit == units_.end())
    return {}; // nobody granted it
  return accrue::reference_of(*customer_, unit->second, row.item);
}

result<past::answer>
past::page(const command::list_transactions& q, const catalog& cat, instant now) const {
  if (auto ok = check(q, cat); !ok)
    return tl::unexpected(ok.error());
  filter f{{}, {}, &q.filter, q.as_of.value_or(now), {}, {}};
  if (q.type != row_type::any)
    f.kind = std::ranges::find(all_types, q.type, &told_as::type)->kind;
  if (q.currency)
    f.currency = *cat.find_currency(*q.currency);
  if (!q.after.empty())
    f.after = *parse_cursor(q.after);
  if (!q.before.empty())
    f.before = *parse_cursor(q.before);
  const auto count = std::size_t{q.limit} + 1;
  auto rows = nearest(f, count);
  if (auto blocks = nearer(f, rows, count); !blocks.empty())
    return wanted{std::move(blocks), {}};
  const bool more = rows.size() == count;
  rows.resize(std::min<std::size_t>(rows.size(), q.limit));
  if (f.before)
    std::ranges::reverse(rows);
  if (rows.empty())
    return reply::receipt{last_, reply::transactions{}, {}};
  wanted lacks;
  std::vector<statement_place> places;
  for (const auto& r : rows) {
    places.push_back(r.item.place);
    const sequence unit(r.item.place.sequence);
    if (r.item.grant == grant_id{} && r.item.kind != item_kind::expired && !units_.contains(unit))
      lacks.units.insert(unit);
  }
  lacks.blocks = cut_by(places);
  if (!lacks.blocks.empty() || !lacks.units.empty())
    return lacks;
  balance(rows, q.filter);
  reply::transactions page;
  for (const auto& r : rows) {
    const auto& p = r.item.place;
    page.rows.push_back(
        {std::string(std::ranges::find(all_types, r.item.kind, &told_as::kind)->name),
         p.booked_at,
         p.recorded_at,
         p.booked_at < p.recorded_at,
         r.currency,
         std::string(cat.code(r.currency)),
         r.amount,
         r.balance - r.amount,
         r.balance,
         reference_of(r),
         to_cursor(p)});
  }
  if (f.before || more)
    page.next = page.rows.back().cursor;
  if (f.after || (f.before && more))
    page.previous = page.rows.front().cursor;
  return reply::receipt{last_, std::move(page), {}};
}

} // namespace accrue
