// Reading rows out of units, and paging through them. See statement.hpp.
#include "domain/statement.hpp"

#include "domain/unit.hpp"

#include <algorithm>
#include <charconv>
#include <set>

namespace accrue {

using command::row_type;
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

// ------------------------------------------------------------------------- reading the units

class statement::reader {
public:
  reader(statement& s, const customer& c) : s_(&s), customer_(&c) {}

  void read(const entry& e) {
    e_ = &e;
    adjusted_.clear();
    reference_.clear();
    grant_ = {};
    for (const auto& f : e.facts)
      std::visit([this](const auto& x) { this->look_at(x); }, f);
    for (std::uint32_t n = 0; n < e.transactions.size(); ++n)
      read(e.transactions[n], n);
  }

private:
  void look_at(const fact::grant_recorded& f) {
    if (f.grant.funding != funding::opening)
      grant_ = f.grant.id;
  }
  void look_at(const fact::grant_changed& f) { reference_ = f.grant.reference; }
  void look_at(const fact::consumed& f) { reference_ = f.id; }
  void look_at(const fact::given_back& f) { reference_ = f.reference; }
  void look_at(const fact::hold_ended& f) {
    if (f.how == hold_end::settled)
      reference_ = f.reference;
  }
  template <class Other>
  void look_at(const Other&) {}

  [[nodiscard]] statement_place place(instant booked_at, std::uint32_t n) const {
    return {booked_at, e_->at, e_->number.value, n};
  }

  // Who used it: the charge, or whom the unit is about.
  [[nodiscard]] std::string spender(const ledger::transaction& t) const {
    for (const auto& p : t.postings())
      if (p.spend.is_charge())
        if (const auto* c =
                customer_->find_charge(charge_id(static_cast<std::uint32_t>(p.spend.number()))))
          return c->terms.reference;
    return reference_;
  }

  std::size_t add(row_type type, statement_place at, currency c, std::string reference) {
    s_->rows_.push_back({type, at, c, {}, std::move(reference), {}});
    return s_->rows_.size() - 1;
  }

  // Of a unit one row a currency, at the last of the transactions that it is made of.
  std::size_t joint(row_type type, const ledger::transaction& t, std::uint32_t n, currency c) {
    for (const auto at : adjusted_)
      if (auto& r = s_->rows_[at]; r.currency == c && r.place.booked_at == t.booked_at()) {
        r.place.transaction = n;
        return at;
      }
    adjusted_.push_back(add(type, place(t.booked_at(), n), c, reference_));
    return adjusted_.back();
  }

  std::size_t funded(const ledger::transaction& t, std::uint32_t n, currency c) {
    const auto at = joint(row_type::funded, t, n, c);
    const auto& g = customer_->grant_at(grant_);
    s_->rows_[at].grant = grant_;
    s_->rows_[at].reference = g.reference;
    s_->rows_[at].place.booked_at = g.effective_at;
    return at;
  }

  // What expires of a grant at an instant is one row, whichever units planned and released it. Opening
  // credit, which nobody granted, is one row together.
  std::size_t expired(const ledger::transaction& t, std::uint32_t n, currency c, grant_id source) {
    const auto& g = customer_->grant_at(source);
    const bool owned = g.funding != funding::opening;
    // What is given back after its end expires at once, by itself (D61).
    const bool at_once = t.code() == template_code::reopen_breakage && t.booked_at() == e_->at;
    const auto key = std::tuple(t.booked_at(),
                                c,
                                owned ? source : grant_id{},
                                at_once ? e_->number.value : std::uint64_t{0});
    if (const auto known = expired_.find(key); known != expired_.end())
      return known->second;
    auto at = place(t.booked_at(), n);
    at.recorded_at = t.booked_at();
    return expired_.emplace(key, add(row_type::expired, at, c, owned ? g.reference : ""))
        .first->second;
  }

  void read(const ledger::transaction& t, std::uint32_t n) {
    for (const auto& p : t.postings()) {
      const auto& a = customer_->book.at(p.account);
      const bool credit = a.account == ledger::account_type::fbo;
      const bool owed = a.account == ledger::account_type::receivable && !a.route.cost_basis;
      if (!credit && !owed)
        continue;
      if (t.code() == template_code::issue && p.source != grant_id{} && t.booked_at() > e_->at)
        s_->ahead_.push_back({place(t.booked_at(), n), p.account, p.amount});
      const auto at = row_of(t, n, a.route.currency, p.source);
      if (!at) {
        s_->movements_.push_back({place(t.booked_at(), n), p.account, p.amount});
        continue;
      }
      auto& r = s_->rows_[*at];
      const auto same =
          std::ranges::find(r.moved, p.account, &std::pair<sub_account_id, int128>::first);
      if (same == r.moved.end())
        r.moved.emplace_back(p.account, p.amount);
      else
        same->second += p.amount;
    }
  }

  // The row that a transaction is shown in; none: it moves the balance and is not shown by itself.
  std::optional<std::size_t>
  row_of(const ledger::transaction& t, std::uint32_t n, currency c, grant_id source) {
    const bool back = t.direction() == ledger::direction::correction;
    switch (t.code()) {
    case template_code::plan_breakage:
    case template_code::release_breakage:
    case template_code::reopen_breakage:
      return expired(t, n, c, source);
    case template_code::void_promotional:
    case template_code::void_unauthorized:
    case template_code::void_paid:
    case template_code::void_paid_unit:
      return joint(row_type::voided, t, n, c);
    case template_code::opening_credit:
      return back ? std::optional(joint(row_type::voided, t, n, c)) : std::nullopt;
    case template_code::opening_advance:
      return std::nullopt;
    case template_code::collect:
    case template_code::collect_advance:
      return back ? joint(row_type::adjusted, t, n, c) : used(t, n, c);
    case template_code::issue:
      if (back)
        return joint(row_type::adjusted, t, n, c);
      if (source == grant_id{}) // the first half of an advance, which the next transaction uses
        return std::nullopt;
      return grant_ != grant_id{} ? funded(t, n, c) : joint(row_type::adjusted, t, n, c);
    case template_code::attribute_advance:
      if (back)
        return joint(row_type::adjusted, t, n, c);
      if (grant_ != grant_id{} && t.booked_at() == customer_->grant_at(grant_).effective_at)
        return funded(t, n, c);
      return std::nullopt;
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
      break; // of other accounts
    }
    return std::nullopt;
  }

  std::size_t used(const ledger::transaction& t, std::uint32_t n, currency c) {
    const auto at = place(t.booked_at(), n);
    if (!s_->rows_.empty() && s_->rows_.back().place == at && s_->rows_.back().currency == c)
      return s_->rows_.size() - 1;
    return add(row_type::consumed, at, c, spender(t));
  }

  statement* s_;
  const customer* customer_;
  const entry* e_ = nullptr;
  std::string reference_;
  grant_id grant_;
  std::vector<std::size_t> adjusted_; // rows that several transactions of this unit make
  std::map<std::tuple<instant, currency, grant_id, std::uint64_t>, std::size_t> expired_;
};

statement::statement(const customer& c, std::span<const entry> entries) : customer_(&c) {
  reader read(*this, c);
  for (const auto& e : entries)
    read.read(e);
  // A grant whose credit went to advance before it became effective has moved nothing then, and is shown.
  std::set<grant_id> shown;
  for (const auto& r : rows_)
    if (r.type == row_type::funded)
      shown.insert(r.grant);
  for (const auto& e : entries)
    for (const auto& f : e.facts)
      if (const auto* g = std::get_if<fact::grant_recorded>(&f);
          g && g->grant.funding != funding::opening && !shown.contains(g->grant.id))
        rows_.push_back({row_type::funded,
                         {g->grant.effective_at, e.at, e.number.value, 0},
                         g->grant.amount.currency,
                         g->grant.id,
                         g->grant.reference,
                         {}});
  for (const auto& r : rows_)
    for (const auto& [account, amount] : r.moved)
      movements_.push_back({r.place, account, amount});
  std::ranges::stable_sort(movements_, {}, &movement::place);
  std::ranges::stable_sort(rows_, {}, &row::place);
}

// ------------------------------------------------------------------------------- questions

bool statement::counts(sub_account_id n, currency c, const command::feature_filter& view) const {
  const auto& route = customer_->book.at(n).route;
  return route.currency == c && in_view(route.features, view);
}

int128 statement::settled(currency c, const command::feature_filter& view, instant as_of) const {
  int128 total = 0;
  for (const auto& m : movements_) {
    if (m.place.booked_at > as_of)
      break;
    if (counts(m.account, c, view))
      total += m.amount;
  }
  return total;
}

int128 statement::pending(currency c, const command::feature_filter& view, instant as_of) const {
  int128 total = 0;
  for (const auto& m : ahead_)
    if (m.place.recorded_at <= as_of && as_of < m.place.booked_at && counts(m.account, c, view))
      total += m.amount;
  return total;
}

std::optional<int128> statement::amount_of(const row& r,
                                           const command::feature_filter& view) const {
  if (r.type == row_type::funded) {
    const auto& g = customer_->grant_at(r.grant);
    return in_view(g.features, view) ? std::optional(g.amount.minor) : std::nullopt;
  }
  int128 total = 0;
  for (const auto& [account, amount] : r.moved)
    if (counts(account, r.currency, view))
      total += amount;
  return total == 0 ? std::nullopt : std::optional(total);
}

std::vector<statement::told> statement::tell(const command::list_transactions& q,
                                             std::optional<currency> only,
                                             instant as_of) const {
  std::vector<told> all;
  std::map<currency, int128> balances;
  auto m = movements_.begin();
  for (const auto& r : rows_) {
    if (r.place.booked_at > as_of)
      break;
    for (; m != movements_.end() && m->place <= r.place; ++m) {
      const auto c = customer_->book.at(m->account).route.currency;
      if (counts(m->account, c, q.filter))
        balances[c] += m->amount;
    }
    if ((only && r.currency != *only) || (q.type != row_type::any && r.type != q.type))
      continue;
    if (const auto amount = amount_of(r, q.filter))
      all.push_back({&r, *amount, balances[r.currency]});
  }
  return all;
}

namespace {

std::string_view name_of(row_type t) {
  switch (t) {
  case row_type::any:
    break;
  case row_type::funded:
    return "funded";
  case row_type::consumed:
    return "consumed";
  case row_type::adjusted:
    return "adjusted";
  case row_type::expired:
    return "expired";
  case row_type::voided:
    return "voided";
  }
  return {};
}

} // namespace

result<void> statement::check(const command::list_transactions& q, const catalog& cat) {
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

result<reply::transactions>
statement::page(const command::list_transactions& q, const catalog& cat, instant now) const {
  if (auto ok = check(q, cat); !ok)
    return tl::unexpected(ok.error());
  std::optional<currency> only;
  if (q.currency)
    only = *cat.find_currency(*q.currency);
  auto rows = tell(q, only, q.as_of.value_or(now));
  std::ranges::reverse(rows);
  const auto cursor = parse_cursor(q.after.empty() ? q.before : q.after);
  auto from = rows.begin();
  auto to = rows.end();
  if (!q.after.empty())
    from = std::ranges::find_if(rows, [&](const told& r) { return r.of->place < *cursor; });
  if (!q.before.empty())
    to = std::ranges::find_if(rows, [&](const told& r) { return r.of->place <= *cursor; });
  const bool more = to - from > static_cast<std::ptrdiff_t>(q.limit);
  if (more && q.before.empty())
    to = from + q.limit;
  else if (more)
    from = to - q.limit;
  reply::transactions page;
  for (auto r = from; r != to; ++r) {
    const auto& p = r->of->place;
    const auto recorded = r->of->type == row_type::expired ? p.booked_at : p.recorded_at;
    page.rows.push_back({std::string(name_of(r->of->type)),
                         p.booked_at,
                         recorded,
                         p.booked_at < recorded,
                         r->of->currency,
                         std::string(cat.code(r->of->currency)),
                         r->amount,
                         r->after - r->amount,
                         r->after,
                         r->of->reference,
                         to_cursor(p)});
  }
  if (page.rows.empty())
    return page;
  if (!q.before.empty() || more)
    page.next = page.rows.back().cursor;
  if (!q.after.empty() || (!q.before.empty() && more))
    page.previous = page.rows.front().cursor;
  return page;
}

} // namespace accrue
