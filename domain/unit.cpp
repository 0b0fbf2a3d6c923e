// Mechanics of a unit: looking through it, answering charges from its book, closing it.
// What commands do is in decisions.cpp.
#include "domain/unit.hpp"

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
  auto last = before_->invoices_issued;
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
  }
  for (const auto c : touched)
    e.after.push_back(balance_of(*this, c));
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
    auto ok = ledger::advance(u.book,
                              terms,
                              {missing, t.amount.currency},
                              u.before().settings.advance_limit(t.amount.currency));
    if (!ok)
      return tl::unexpected(ok.error());
    got->advanced = missing;
  }
  return flat_fee::credit_collected{std::move(*got)};
}

const flat_fee::collect_credit* need_of(const flat_fee::decision& d) noexcept {
  for (const auto& e : d.effects)
    if (const auto* need = std::get_if<flat_fee::collect_credit>(&e))
      return need;
  return nullptr;
}

namespace {

using filter_view = command::feature_view;

bool in_view(const std::vector<std::string>& features, const command::feature_filter& filter) {
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

bool charge_in_view(const flat_fee::terms& t, const command::feature_filter& filter) {
  if (filter.view == filter_view::all || t.feature.empty())
    return true;
  return filter.view == filter_view::feature && t.feature == filter.feature;
}

// Credit as this unit leaves it, in collection order, what it issued itself included.
std::vector<ledger::credit_source> sources_after(const unit& u) {
  std::vector<ledger::credit_source> all(u.book.sources().begin(), u.book.sources().end());
  for (auto& s : all)
    s.amount = u.book.left(s);
  for (const auto& t : u.book.transactions())
    for (const auto& p : t.postings()) {
      const auto& address = u.book.at(p.account);
      if (address.account != ledger::account_type::fbo ||
          p.source.value <= u.before().grants.size())
        continue;
      const ledger::credit_source fresh{p.source,
                                        p.account,
                                        address.route.priority,
                                        !address.route.features.empty(),
                                        t.booked_at(),
                                        ledger::never,
                                        p.amount};
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

} // namespace

reply::balance balance_of(const unit& u, currency c, const command::feature_filter& filter) {
  reply::balance b;
  b.currency = c;
  b.code = u.catalog().code(c);
  b.settled = u.book.sum([&](const ledger::sub_account& a) {
    if (a.route.currency != c || !in_view(a.route.features, filter))
      return false;
    return a.account == ledger::account_type::fbo ||
           (a.account == ledger::account_type::receivable && !a.route.cost_basis);
  });
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
