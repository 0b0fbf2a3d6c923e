// Mechanics of a unit: looking through it, answering charges from its book, closing it.
// What commands do is in decisions.cpp.
#include "domain/unit.hpp"

#include "domain/recognition.hpp"

#include <algorithm>

namespace accrue {

bool fail_points::fails(std::string_view point) {
  const auto it = left.find(point);
  if (it == left.end() || it->second == 0)
    return false;
  --it->second;
  return true;
}

void fail_points::pass(std::string_view point) {
  if (fails(point))
    throw defect{std::string(point) + " was made to fail"};
}

unit::unit(const customer& c,
           const accrue::catalog& cat,
           instant now,
           std::uint8_t kind,
           fail_points* failures)
    : book(c.book), before_(&c), catalog_(&cat), now_(std::max(now, c.clock)), kind_(kind),
      failures_(failures) {}

namespace {

template <class Fact, class Match>
const Fact* latest(const std::vector<fact::any>& facts, Match match) noexcept {
  const auto found = std::find_if(facts.rbegin(), facts.rend(), [&match](const fact::any& f) {
    const auto* one = std::get_if<Fact>(&f);
    return one != nullptr && match(*one);
  });
  return found == facts.rend() ? nullptr : std::get_if<Fact>(&*found);
}

template <class Fact>
std::uint32_t count(const std::vector<fact::any>& facts) noexcept {
  return static_cast<std::uint32_t>(std::ranges::count_if(
      facts, [](const fact::any& f) { return std::holds_alternative<Fact>(f); }));
}

} // namespace

const charge* unit::find_charge(charge_id id) const noexcept {
  const auto same = [&](const fact::charge_changed& f) { return f.charge.terms.id == id; };
  if (const auto* f = latest<fact::charge_changed>(facts, same))
    return &f->charge;
  return before_->find_charge(id);
}

const invoicing::invoice* unit::find_invoice(invoice_id id) const noexcept {
  const auto same = [&](const fact::invoice_changed& f) { return f.invoice.id == id; };
  if (const auto* f = latest<fact::invoice_changed>(facts, same))
    return &f->invoice;
  return before_->find_invoice(id);
}

std::vector<const charge*> unit::charges() const {
  std::vector<const charge*> all;
  for (const auto& c : before_->charges) {
    const auto same = [&](const fact::charge_changed& f) {
      return f.charge.terms.id == c.terms.id;
    };
    const auto* changed = latest<fact::charge_changed>(facts, same);
    all.push_back(changed != nullptr ? &changed->charge : &c);
  }
  for (const auto& f : facts)
    if (const auto* changed = std::get_if<fact::charge_changed>(&f))
      if (before_->find_charge(changed->charge.terms.id) == nullptr)
        all.push_back(&changed->charge);
  return all;
}

// One fact an object: the last value in the unit is the one that counts.
void unit::put(charge c) {
  for (auto& f : facts)
    if (auto* known = std::get_if<fact::charge_changed>(&f);
        known && known->charge.terms.id == c.terms.id) {
      known->charge = std::move(c);
      return;
    }
  facts.emplace_back(fact::charge_changed{std::move(c)});
}

void unit::put(invoicing::invoice i) {
  for (auto& f : facts)
    if (auto* known = std::get_if<fact::invoice_changed>(&f); known && known->invoice.id == i.id) {
      known->invoice = std::move(i);
      return;
    }
  facts.emplace_back(fact::invoice_changed{std::move(i)});
}

const ledger::realization* unit::find_realization(ledger::spend_id spend) const noexcept {
  const auto same = [&](const fact::spend_changed& f) { return f.realization.spend == spend; };
  if (const auto* f = latest<fact::spend_changed>(facts, same))
    return &f->realization;
  const auto& all = before_->extras->realizations;
  const auto it = std::ranges::lower_bound(all, spend, {}, &ledger::realization::spend);
  return it == all.end() || it->spend != spend ? nullptr : &*it;
}

std::vector<ledger::realization> unit::realizations() const {
  auto all = before_->extras->realizations;
  for (const auto& f : facts)
    if (const auto* changed = std::get_if<fact::spend_changed>(&f)) {
      const auto it = std::ranges::lower_bound(
          all, changed->realization.spend, {}, &ledger::realization::spend);
      if (it != all.end() && it->spend == changed->realization.spend)
        *it = changed->realization;
      else
        all.insert(it, changed->realization);
    }
  return all;
}

void unit::put(ledger::realization r) {
  for (auto& f : facts)
    if (auto* known = std::get_if<fact::spend_changed>(&f);
        known && known->realization.spend == r.spend) {
      known->realization = std::move(r);
      return;
    }
  facts.emplace_back(fact::spend_changed{std::move(r)});
}

const hold* unit::find_hold(std::string_view reference) const noexcept {
  const auto* h = before_->extras->holds.find(reference);
  return h != nullptr && h->expires_at > now_ ? h : nullptr;
}

const grant& unit::grant_at(grant_id id) const {
  for (const auto& f : facts) {
    if (const auto* made = std::get_if<fact::grant_recorded>(&f); made && made->grant.id == id)
      return made->grant;
    if (const auto* changed = std::get_if<fact::grant_changed>(&f);
        changed && changed->grant.id == id)
      return changed->grant;
  }
  return before_->grant_at(id);
}

void unit::put(grant g) {
  for (auto& f : facts)
    if (auto* known = std::get_if<fact::grant_changed>(&f); known && known->grant.id == g.id) {
      known->grant = std::move(g);
      return;
    }
  facts.emplace_back(fact::grant_changed{std::move(g)});
}

charge_id unit::next_charge() const noexcept {
  auto last = before_->charges_made;
  for (const auto& f : facts)
    if (const auto* c = std::get_if<fact::charge_changed>(&f))
      last = std::max(last, c->charge.terms.id.value);
  return charge_id(last + 1);
}

invoice_id unit::next_invoice() const noexcept {
  auto last = before_->invoices_made;
  for (const auto& f : facts)
    if (const auto* i = std::get_if<fact::invoice_changed>(&f))
      last = std::max(last, i->invoice.id.value);
  return invoice_id(last + 1);
}

grant_id unit::next_grant() const noexcept {
  return grant_id(static_cast<std::uint32_t>(before_->grants.size()) +
                  count<fact::grant_recorded>(facts) + 1);
}

std::uint64_t unit::next_invoice_number() const noexcept {
  std::uint64_t last = before_->invoices_issued;
  for (const auto& f : facts)
    if (const auto* i = std::get_if<fact::invoice_changed>(&f))
      if (const auto* issued = i->invoice.issued())
        last = std::max(last, issued->number);
  return last + 1;
}

entry unit::finish() const {
  entry e;
  e.number = number();
  e.at = now_;
  e.kind = kind_;
  e.opened.assign(book.opened().begin(), book.opened().end());
  e.transactions.assign(book.transactions().begin(), book.transactions().end());
  e.facts = facts;
  std::vector<currency> touched;
  const auto touch = [&](currency c) {
    if (std::ranges::find(touched, c) == touched.end())
      touched.push_back(c);
  };
  for (const auto& t : e.transactions)
    for (const auto& p : t.postings())
      touch(book.at(p.account).route.currency);
  for (const auto& f : facts) {
    if (const auto* c = std::get_if<fact::charge_changed>(&f))
      touch(c->charge.terms.amount.currency);
    if (const auto* c = std::get_if<fact::consumed>(&f))
      touch(c->currency);
    if (const auto* g = std::get_if<fact::grant_changed>(&f))
      touch(g->grant.amount.currency);
    if (const auto* r = std::get_if<fact::reserved>(&f))
      touch(r->hold.currency);
    if (const auto* x = std::get_if<fact::hold_extended>(&f))
      touch(x->hold.currency);
    if (const auto* h = std::get_if<fact::hold_ended>(&f))
      touch(h->currency);
  }
  for (const auto c : touched)
    e.after.push_back(balance_of(*this, c));
  if (const auto planned = planned_by(*this))
    e.facts.emplace_back(*planned);
  return e;
}

result<flat_fee::decision> conversation::promise_type::charge_answer::await_resume() const {
  ENSURE(root->answered.has_value());
  auto answer = std::move(*root->answered);
  root->answered.reset();
  return answer;
}

void conversation::resume() {
  handle_.promise().leaf.resume();
  if (auto broken = std::exchange(handle_.promise().broken, nullptr))
    std::rethrow_exception(broken);
}

result<flat_fee::credit_collected>
supply(unit& u, const flat_fee::terms& t, const flat_fee::collect_credit& need) {
  const ledger::collection_terms terms{{need.amount, t.amount.currency},
                                       t.feature,
                                       ledger::spend_id::of(t.id),
                                       t.booked_at(),
                                       t.invoice_at};
  auto got = ledger::collect(u.book, terms);
  if (!got)
    return tl::unexpected(got.error());
  const auto missing = need.amount - got->taken;
  if (need.whole && missing > 0) {
    const auto owed = ledger::advance(u.book,
                                      terms,
                                      {missing, t.amount.currency},
                                      u.before().settings.advance_limit(t.amount.currency));
    if (!owed)
      return tl::unexpected(owed.error());
    got->advanced = missing;
    u.put(ledger::realized(terms, t.reference, *got, *owed));
  }
  return flat_fee::credit_collected{std::move(*got)};
}

const flat_fee::collect_credit* need_of(const flat_fee::decision& d) noexcept {
  for (const auto& e : d.effects)
    if (const auto* need = std::get_if<flat_fee::collect_credit>(&e))
      return need;
  return nullptr;
}

using filter_view = command::feature_view;

bool in_view(const std::vector<std::string>& features,
             const command::feature_filter& filter) noexcept {
  switch (filter.view) {
  case filter_view::all:
    return true;
  case filter_view::unrestricted:
    return features.empty();
  case filter_view::feature:
    return ledger::may_pay(features, filter.feature);
  }
  return true;
}

namespace {

bool charge_in_view(const flat_fee::terms& t, const command::feature_filter& filter) {
  if (filter.view == filter_view::all || t.feature.empty())
    return true;
  return filter.view == filter_view::feature && t.feature == filter.feature;
}

// Credit as this unit leaves it, in collection order, what it issued itself included.
std::vector<ledger::credit_source> sources_after(const unit& u) {
  std::vector<ledger::credit_source> all(u.book.sources().begin(), u.book.sources().end());
  for (auto& s : all)
    s.amount = u.book.free(s);
  for (const auto& t : u.book.transactions())
    for (const auto& p : t.postings()) {
      const auto& address = u.book.at(p.account);
      if (address.account != ledger::account_type::fbo || p.source == grant_id{} ||
          ledger::is_breakage(t.code()) || u.book.find_source(p.source, p.account) != nullptr)
        continue;
      const auto same = std::ranges::find_if(all, [&](const ledger::credit_source& s) {
        return s.grant == p.source && s.account == p.account;
      });
      if (same != all.end()) {
        same->amount += p.amount;
        continue;
      }
      const auto life = u.grant_at(p.source).life();
      if (std::min(u.now(), t.booked_at()) >= life.until)
        continue;
      const ledger::credit_source fresh{p.source,
                                        p.account,
                                        address.route.priority,
                                        !address.route.features.empty(),
                                        life.from,
                                        life.until,
                                        p.amount,
                                        0};
      all.insert(std::ranges::upper_bound(all, fresh, ledger::collected_before), fresh);
    }
  return all;
}

// What open charges would still take from the sources (balances.md 1.3). Unbounded impacts do not
// use sources up: mixed modes are pessimistic.
int128 pressed(const unit& u, currency c, const command::feature_filter& filter) {
  struct source {
    const std::vector<std::string>* features;
    int128 left;
  };
  std::vector<source> sources;
  bool listed = false;
  int128 total = 0;
  for (const auto* x : u.charges()) {
    if (x->terms.amount.currency != c || !charge_in_view(x->terms, filter))
      continue;
    auto open = flat_fee::outstanding(x->state, x->terms, u.now());
    if (open == 0)
      continue;
    if (x->terms.mode == settlement_mode::credit_only) {
      total += open;
      continue;
    }
    if (!std::exchange(listed, true))
      for (const auto& s : sources_after(u)) {
        const auto& route = u.book.at(s.account).route;
        if (route.currency == c && in_view(route.features, filter) && s.available_from <= u.now() &&
            u.now() < s.expires_at)
          sources.push_back({&route.features, s.amount});
      }
    for (auto& s : sources) {
      if (s.left <= 0 || !ledger::may_pay(*s.features, x->terms.feature))
        continue;
      const auto take = std::min(open, s.left);
      s.left -= take;
      open -= take;
      total += take;
    }
  }
  return total;
}

bool matches(const unit& u, sub_account_id n, currency c, const command::feature_filter& filter) {
  const auto& route = u.book.at(n).route;
  return route.currency == c && in_view(route.features, filter);
}

// What reservations hold: those of the customer, less those whose time has come, and as this unit changes them.
int128 reserved(const unit& u, currency c, const command::feature_filter& filter) {
  int128 total = 0;
  const auto add = [&](const hold& h, int sign) {
    if (h.currency != c)
      return;
    for (const auto& s : h.slices)
      if (matches(u, s.account, c, filter))
        total += sign * s.amount;
  };
  const auto& holds = u.before().extras->holds;
  if (holds.size() != 0)
    for (const auto& s : u.book.sources())
      if (s.held != 0 && matches(u, s.account, c, filter))
        total += s.held;
  for (const auto* h : holds.due(u.now()))
    add(*h, -1);
  for (const auto& f : u.facts) {
    if (const auto* fresh = std::get_if<fact::reserved>(&f))
      add(fresh->hold, +1);
    if (const auto* ended = std::get_if<fact::hold_ended>(&f))
      if (const auto* h = u.find_hold(ended->reference))
        add(*h, -1);
  }
  return total;
}

// Credit that is granted and not there yet: what did not go to advance at once (D33).
int128 pending(const unit& u, currency c, const command::feature_filter& filter) {
  const auto later = [&](const ledger::credit_source& s) { return s.available_from > u.now(); };
  const auto issues = [&](const ledger::transaction& t) {
    return t.code() == ledger::template_code::issue && t.booked_at() > u.now();
  };
  if (std::ranges::none_of(u.book.sources(), later) &&
      std::ranges::none_of(u.book.transactions(), issues))
    return 0;
  int128 total = 0;
  for (const auto& s : sources_after(u))
    if (later(s) && matches(u, s.account, c, filter))
      total += s.amount;
  return total;
}

} // namespace

reply::balance balance_of(const unit& u, currency c, const command::feature_filter& filter) {
  reply::balance b;
  b.currency = c;
  b.code = u.catalog().code(c);
  b.settled = u.book.sum_at(u.now(), [&](const ledger::sub_account& a) {
    if (a.route.currency != c || !in_view(a.route.features, filter))
      return false;
    return a.account == ledger::account_type::fbo ||
           (a.account == ledger::account_type::receivable && !a.route.cost_basis);
  });
  b.reserved = reserved(u, c, filter);
  b.pending = pending(u, c, filter);
  b.live = b.settled - b.reserved;
  if (!u.before().charges.empty() || !u.facts.empty())
    b.live -= pressed(u, c, filter);
  return b;
}

result<void> drive(unit& u, conversation& talk) {
  talk.resume();
  while (!talk.done()) {
    const auto* target = u.find_charge(talk.asked().charge);
    ENSURE(target != nullptr);
    const auto terms = target->terms;
    auto d = flat_fee::decide(target->state, talk.asked().event, terms);
    if (d)
      if (const auto* need = need_of(*d)) {
        auto got = supply(u, terms, *need);
        if (got)
          d = flat_fee::decide(d->state, *got, terms);
        else
          d = tl::unexpected(got.error());
      }
    talk.answer(std::move(d));
    talk.resume();
  }
  return talk.outcome();
}

} // namespace accrue
