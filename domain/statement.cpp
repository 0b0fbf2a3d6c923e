// Reading rows out of units. See statement.hpp.
#include "domain/statement.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>

namespace accrue {

using ledger::template_code;

std::string to_cursor(const statement_place& p) {
  return std::to_string(p.booked_at.ns) + "." + std::to_string(p.recorded_at.ns) + "." +
         std::to_string(p.sequence) + "." + std::to_string(p.transaction);
}

result<statement_place> parse_cursor(std::string_view text) {
  statement_place p;
  const auto* at = text.data();
  const auto* const end = at + text.size();
  const auto read = [&](auto& number, bool last) {
    const auto [next, error] = std::from_chars(at, end, number);
    if (error != std::errc{} || (last ? next != end : next == end || *next != '.'))
      return false;
    at = next + (last ? 0 : 1);
    return true;
  };
  if (!read(p.booked_at.ns, false) || !read(p.recorded_at.ns, false) || !read(p.sequence, false) ||
      !read(p.transaction, true))
    return refuse(errc::validation, "this is no cursor of a page", std::string(text));
  return p;
}

void statement_items::add(const statement_item& what, std::span<const statement_movement> moved) {
  items.push_back(what);
  items.back().first = static_cast<std::uint32_t>(movements.size());
  items.back().count = static_cast<std::uint32_t>(moved.size());
  movements.insert(movements.end(), moved.begin(), moved.end());
}

void statement_reader::read(const customer& after, const entry& e, statement_items& to) {
  customer_ = &after;
  e_ = &e;
  grant_ = {};
  used_ = 0;
  for (const auto& f : e.facts)
    if (const auto* g = std::get_if<fact::grant_recorded>(&f);
        g != nullptr && g->grant.funding != funding::opening)
      grant_ = g->grant.id;
  for (std::uint32_t n = 0; n < e.transactions.size(); ++n)
    read(e.transactions[n], n);
  const auto made = std::span(rows_).first(used_);
  // A grant whose credit went to advance before it became effective has moved nothing then, and is told.
  if (grant_ != grant_id{} &&
      std::ranges::find(made, item_kind::funded, &row::kind) == made.end()) {
    const auto& g = after.grant_at(grant_);
    add(item_kind::funded, place(g.effective_at, 0), g.amount.currency).grant = grant_;
  }
  for (const auto& r : std::span(rows_).first(used_))
    to.add({r.kind, r.place, r.grant, 0, 0}, r.moved);
}

statement_place statement_reader::place(instant booked_at, std::uint32_t n) const {
  return {booked_at, e_->at, e_->number.value, n};
}

statement_reader::row& statement_reader::add(item_kind kind, statement_place at, currency c) {
  if (used_ == rows_.size())
    rows_.emplace_back();
  auto& r = rows_[used_++];
  r.kind = kind;
  r.place = at;
  r.currency = c;
  r.grant = {};
  r.moved.clear();
  return r;
}

// Of a unit one row a kind, instant and currency, at the last of the transactions that it is made of.
statement_reader::row&
statement_reader::joint(item_kind kind, const ledger::transaction& t, std::uint32_t n, currency c) {
  for (auto& r : std::span(rows_).first(used_))
    if (r.kind == kind && r.currency == c && r.place.booked_at == t.booked_at()) {
      r.place.transaction = n;
      return r;
    }
  return add(kind, place(t.booked_at(), n), c);
}

// One, wherever its credit and the advance that it covers are booked.
statement_reader::row&
statement_reader::funded(const ledger::transaction& t, std::uint32_t n, currency c) {
  auto& r = joint(item_kind::funded, t, n, c);
  r.grant = grant_;
  return r;
}

// One a transaction.
statement_reader::row& statement_reader::single(item_kind kind,
                                                const ledger::transaction& t,
                                                std::uint32_t n,
                                                currency c) {
  const auto at = place(t.booked_at(), n);
  if (used_ != 0 && rows_[used_ - 1].kind == kind && rows_[used_ - 1].place == at &&
      rows_[used_ - 1].currency == c)
    return rows_[used_ - 1];
  return add(kind, at, c);
}

// What is given back after its end expires at once, by itself (D61). Opening credit, which nobody granted, is one row
// together.
statement_reader::row& statement_reader::expired(const ledger::transaction& t,
                                                 std::uint32_t n,
                                                 currency c,
                                                 grant_id source) {
  const auto owner = customer_->grant_at(source).funding != funding::opening ? source : grant_id{};
  for (auto& r : std::span(rows_).first(used_))
    if (r.kind == item_kind::expired && r.currency == c && r.grant == owner)
      return r;
  auto at = place(t.booked_at(), n);
  at.recorded_at = t.booked_at();
  auto& r = add(item_kind::expired, at, c);
  r.grant = owner;
  return r;
}

// Plans, and what changes them before their end, are the amounts that the sources have.
bool statement_reader::is_planned(const ledger::transaction& t, grant_id source) const {
  return ledger::is_breakage(t.code()) && (t.code() != template_code::reopen_breakage ||
                                           customer_->grant_at(source).life().until > e_->at);
}

void statement_reader::read(const ledger::transaction& t, std::uint32_t n) {
  for (const auto& p : t.postings()) {
    const auto& a = customer_->book.at(p.account);
    const bool credit = a.account == ledger::account_type::fbo;
    const bool owed = a.account == ledger::account_type::receivable && !a.route.cost_basis;
    if ((!credit && !owed) || is_planned(t, p.source))
      continue;
    if (t.code() == template_code::issue && p.source != grant_id{} && t.booked_at() > e_->at) {
      add(item_kind::pending, place(e_->at, n), a.route.currency).moved = {{p.account, p.amount}};
      add(item_kind::pending, place(t.booked_at(), n), a.route.currency).moved = {
          {p.account, -p.amount}};
    }
    auto* r = row_of(t, n, a.route.currency, p.source);
    if (r == nullptr)
      r = &single(item_kind::untold, t, n, a.route.currency);
    const auto same = std::ranges::find(r->moved, p.account, &statement_movement::account);
    if (same == r->moved.end())
      r->moved.push_back({p.account, p.amount});
    else
      same->amount += p.amount;
  }
}

// The row that a transaction is shown in; none: it moves the balance and is not shown by itself.
statement_reader::row* statement_reader::row_of(const ledger::transaction& t,
                                                std::uint32_t n,
                                                currency c,
                                                grant_id source) {
  const bool back = t.direction() == ledger::direction::correction;
  switch (t.code()) {
  case template_code::plan_breakage:
  case template_code::release_breakage:
  case template_code::reopen_breakage:
    return &expired(t, n, c, source);
  case template_code::void_promotional:
  case template_code::void_unauthorized:
  case template_code::void_paid:
  case template_code::void_paid_unit:
    return &joint(item_kind::voided, t, n, c);
  case template_code::opening_credit:
    return back ? &joint(item_kind::voided, t, n, c) : nullptr;
  case template_code::opening_advance:
    return nullptr;
  case template_code::collect:
  case template_code::collect_advance:
    return back ? &joint(item_kind::adjusted, t, n, c) : &single(item_kind::consumed, t, n, c);
  case template_code::issue:
    if (back)
      return &joint(item_kind::adjusted, t, n, c);
    if (source == grant_id{}) // the first half of an advance, which the next transaction uses
      return nullptr;
    return grant_ != grant_id{} ? &funded(t, n, c) : &joint(item_kind::adjusted, t, n, c);
  case template_code::attribute_advance:
    if (back)
      return &joint(item_kind::adjusted, t, n, c);
    if (grant_ != grant_id{} && t.booked_at() == customer_->grant_at(grant_).effective_at)
      return &funded(t, n, c);
    return nullptr;
  case template_code::authorize:
  case template_code::settle:
  case template_code::translate_accrued:
  case template_code::recognize:
  case template_code::exchange:
  case template_code::authorize_purchase:
  case template_code::authorize_unit_purchase:
  case template_code::refund:
  case template_code::accrue_invoice:
  case template_code::invoice_tax:
  case template_code::write_off_receivable:
  case template_code::write_off_purchase:
  case template_code::write_off_unit_purchase:
    break; // of other accounts
  }
  return nullptr;
}

namespace {

std::string named_in(const fact::any& f) {
  if (const auto* g = std::get_if<fact::grant_changed>(&f))
    return g->grant.reference;
  if (const auto* c = std::get_if<fact::consumed>(&f))
    return c->id;
  if (const auto* b = std::get_if<fact::given_back>(&f))
    return b->reference;
  if (const auto* h = std::get_if<fact::hold_ended>(&f);
      h != nullptr && h->how == hold_end::settled)
    return h->reference;
  return {};
}

} // namespace

std::string reference_of(const customer& c, const entry& e, const statement_item& told) {
  if (told.kind == item_kind::consumed && told.place.transaction < e.transactions.size())
    for (const auto& p : e.transactions[told.place.transaction].postings())
      if (p.spend.is_charge())
        if (const auto* used =
                c.find_charge(charge_id(static_cast<std::uint32_t>(p.spend.number()))))
          return used->terms.reference;
  std::string last;
  for (const auto& f : e.facts)
    if (auto name = named_in(f); !name.empty())
      last = std::move(name);
  return last;
}

statement_summary summary_of(const statement_items& run) {
  statement_summary s{run.items.front().place, run.items.back().place, {}};
  const auto add = [&](item_kind kind, sub_account_id account, int128 amount) {
    auto it = std::ranges::find_if(
        s.sums, [&](const statement_sum& x) { return x.kind == kind && x.account == account; });
    if (it == s.sums.end())
      it = s.sums.insert(it, {kind, account, 0, 0});
    it->amount += amount;
    ++it->items;
  };
  for (const auto& i : run.items) {
    for (const auto& m : run.moved(i))
      add(i.kind, m.account, m.amount);
    if (i.count == 0)
      add(i.kind, statement_sum::no_account, 0);
  }
  return s;
}

std::vector<statement_items> runs_of(const statement_items& all) {
  std::vector<statement_items> runs;
  for (const auto wanted :
       {std::strong_ordering::less, std::strong_ordering::equal, std::strong_ordering::greater}) {
    std::vector<const statement_item*> some;
    for (const auto& i : all.items)
      if ((i.place.booked_at <=> i.place.recorded_at) == wanted)
        some.push_back(&i);
    if (some.empty())
      continue;
    std::ranges::stable_sort(some, {}, [](const statement_item* i) { return i->place; });
    auto& run = runs.emplace_back();
    for (const auto* i : some)
      run.add(*i, all.moved(*i));
  }
  return runs;
}

} // namespace accrue
