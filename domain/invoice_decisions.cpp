// Commands that talk with charges: realization, invoices from draft to paid, and what is due.
// Written as straight-line conversations; see unit.hpp.
#include "domain/credit_decisions.hpp"
#include "domain/decisions.hpp"
#include "domain/ledger/posting_rules.hpp"
#include "domain/recognition.hpp"

#include <algorithm>

namespace accrue {
namespace {

// Books what a charge's decision asks for and keeps its new state. `fails`: the point that a
// simulation may make fail here.
result<void> take(unit& u, charge_id id, const flat_fee::decision& d) {
  const auto* known = u.find_charge(id);
  ENSURE(known != nullptr);
  auto changed = *known;
  const auto spend = ledger::spend_id::of(id);
  const auto c = changed.terms.amount.currency;
  for (const auto& e : d.effects) {
    result<void> ok;
    if (const auto* a = std::get_if<flat_fee::accrue_billed>(&e)) {
      if (u.fails("charge_booking"))
        return refuse(errc::internal, "booking failed", changed.terms.reference);
      ok = ledger::accrue_invoiced(u.book, {a->amount, c}, spend, changed.terms.booked_at());
    } else if (const auto* p = std::get_if<flat_fee::book_authorized>(&e)) {
      ok = ledger::authorize_invoiced(u.book, {p->amount, c}, spend, p->at);
    } else if (const auto* s = std::get_if<flat_fee::book_settled>(&e)) {
      ok = ledger::settle_invoiced(u.book, {s->amount, c}, spend, s->at);
    }
    if (!ok)
      return ok;
  }
  if (changed.state == d.state)
    return {};
  changed.state = d.state;
  u.put(std::move(changed));
  return {};
}

result<void> move_to(unit& u, invoicing::invoice& i, const invoicing::event& e) {
  auto next = invoicing::decide(i.state, e);
  if (!next) {
    next.error().subject = invoice_name(u.before(), i);
    return tl::unexpected(next.error());
  }
  i.state = *next;
  return {};
}

bool is_issuing(const invoicing::invoice& i) {
  return std::holds_alternative<invoicing::issuing_charge_booking>(i.state);
}

// What remains of an invoice once each of its lines was told: number and dates, or the failure.
result<void> close_issue(unit& u, invoicing::invoice i, const std::optional<refusal>& failure) {
  result<void> ok;
  if (failure) {
    i.issues.push_back({true, std::string(to_string(failure->code)), failure->text});
    ok = move_to(u, i, invoicing::booking_failed{});
  } else {
    ok = move_to(
        u, i, invoicing::all_booked{invoicing::issue_at(i, u.next_invoice_number(), u.now())});
    if (ok)
      u.facts.emplace_back(fact::message_queued{"invoice.issued", invoice_name(u.before(), i)});
  }
  if (ok)
    u.put(std::move(i));
  return ok;
}

// A line of a charge that an invoice takes over.
invoicing::line line_of(const charge& c) {
  const auto* run = flat_fee::current_run(c.state);
  ENSURE(run != nullptr);
  invoicing::line l;
  l.charge = c.terms.id;
  l.name = c.terms.reference;
  l.period = c.terms.service_period;
  l.amount = c.terms.amount.minor;
  l.total = run->billed;
  l.credits = l.amount - l.total;
  return l;
}

const invoicing::invoice* find(const unit& u, std::string_view name) {
  const auto* i = u.before().find_invoice(name);
  return i == nullptr ? nullptr : u.find_invoice(i->id);
}

refusal no_invoice(std::string_view name) {
  return {errc::not_found, std::string(name), "no such invoice"};
}

// The billable lines an order asks for, by currency, in order of their charges (D29).
result<std::vector<charge_id>>
billable_lines(const unit& u, const command::invoice_pending& order, instant as_of) {
  std::vector<charge_id> wanted;
  std::optional<currency> only;
  if (order.currency) {
    const auto found = u.catalog().find_currency(*order.currency);
    if (!found)
      return tl::unexpected(found.error());
    only = *found;
  }
  std::vector<std::string_view> missing(order.charges.begin(), order.charges.end());
  for (const auto* c : u.charges()) {
    if (!flat_fee::billable(c->state, c->terms, as_of))
      continue;
    if (only && c->terms.amount.currency != *only)
      continue;
    if (!order.charges.empty()) {
      const auto it = std::ranges::find(missing, c->terms.reference);
      if (it == missing.end())
        continue;
      missing.erase(it);
    }
    wanted.push_back(c->terms.id);
  }
  if (!order.charges.empty() && !missing.empty())
    return refuse(errc::invoice_lines_not_billable,
                  "this charge has no billable line now",
                  std::string(missing.front()));
  if (wanted.empty())
    return refuse(errc::invoice_create_no_lines, "there is nothing to invoice");
  std::ranges::stable_sort(
      wanted, {}, [&](charge_id id) { return u.find_charge(id)->terms.amount.currency; });
  return wanted;
}

// One step of a payment for one line.
enum class payment_step : std::uint8_t { authorize, settle };

flat_fee::event payment_event(payment_step step, int128 amount, instant at) {
  if (step == payment_step::authorize)
    return flat_fee::payment_authorized{amount, at};
  return flat_fee::payment_settled{amount, at};
}

ledger::spend_id spend_of(const invoicing::invoice& i, const invoicing::line& l) {
  return l.tax ? ledger::spend_id::of(i.id) : ledger::spend_id::of(l.charge);
}

// What was given up of a line is open again before somebody pays it after all (D14).
result<void> recover(unit& u, const invoicing::invoice& i, invoicing::line& l, int128 share) {
  const auto back = invoicing::to_recover(l, share);
  l.written_off -= back;
  return ledger::write_off_invoiced(
      u.book, {back, i.currency}, spend_of(i, l), ledger::direction::correction, u.now());
}

// All that is open of an issued invoice, line by line, tax included.
result<void> write_off(unit& u, const std::string& name) {
  const auto* known = find(u, name);
  if (known == nullptr)
    return tl::unexpected(no_invoice(name));
  auto i = *known;
  if (auto ok = move_to(u, i, invoicing::given_up{}); !ok)
    return ok;
  for (auto& l : i.lines) {
    const auto open = l.total - l.authorized - l.written_off;
    if (auto ok = ledger::write_off_invoiced(
            u.book, {open, i.currency}, spend_of(i, l), ledger::direction::forward, u.now());
        !ok)
      return ok;
    l.written_off += open;
  }
  u.put(std::move(i));
  return {};
}

// The step for the tax, which no charge books.
result<void> pay_tax(unit& u, const invoicing::invoice& i, payment_step step, int128 amount) {
  const auto spend = ledger::spend_id::of(i.id);
  if (step == payment_step::authorize)
    return ledger::authorize_invoiced(u.book, {amount, i.currency}, spend, u.now());
  return ledger::settle_invoiced(u.book, {amount, i.currency}, spend, u.now());
}

// The amount a payment step is for: given, or all that the step can take.
result<int128> payment_amount(const invoicing::invoice& i,
                              payment_step step,
                              const std::optional<decimal>& given) {
  if (given) {
    const auto exact = exact_money(*given, i.currency);
    if (!exact)
      return tl::unexpected(exact.error());
    return exact->minor;
  }
  const auto t = i.totals();
  return step == payment_step::authorize ? t.total - t.authorized : t.authorized - t.settled;
}

invoicing::payment_moved payment_state(const invoicing::invoice& i) {
  const auto t = i.totals();
  return {t.authorized == t.total, t.settled == t.total};
}

struct payment_order {
  std::string invoice;
  std::vector<payment_step> steps;
  std::optional<decimal> amount;
};

std::optional<payment_order> as_payment(const command::any& c) {
  using enum payment_step;
  if (const auto* a = std::get_if<command::authorize_payment>(&c))
    return payment_order{a->invoice, {authorize}, a->amount};
  if (const auto* s = std::get_if<command::settle_payment>(&c))
    return payment_order{s->invoice, {settle}, s->amount};
  if (const auto* p = std::get_if<command::pay_invoice>(&c))
    return payment_order{p->invoice, {authorize, settle}, std::nullopt};
  return std::nullopt;
}

std::optional<std::pair<std::string, invoicing::event>> as_invoice_event(const unit& u,
                                                                         const command::any& c) {
  if (const auto* a = std::get_if<command::approve_invoice>(&c))
    return std::pair(a->invoice, invoicing::event(invoicing::approved{}));
  if (const auto* r = std::get_if<command::retry_invoice>(&c))
    return std::pair(r->invoice, invoicing::event(invoicing::retried{}));
  if (const auto* t = std::get_if<command::advance_invoice>(&c))
    return std::pair(t->invoice, invoicing::event(invoicing::time_passed{u.now()}));
  return std::nullopt;
}

// Charges and invoices whose time has come (D4).
std::vector<charge_id> due_charges(const unit& u) {
  std::vector<charge_id> due;
  for (const auto* c : u.charges()) {
    const auto at = flat_fee::advance_after(c->state, c->terms);
    if (at && *at <= u.now())
      due.push_back(c->terms.id);
  }
  return due;
}

std::vector<invoice_id> due_invoices(const unit& u) {
  std::vector<invoice_id> due;
  for (const auto& i : u.before().invoices) {
    const auto at = u.find_invoice(i.id)->advance_after();
    if (at && *at <= u.now())
      due.push_back(i.id);
  }
  return due;
}

invoicing::invoice new_draft(const unit& u, currency c) {
  invoicing::invoice i;
  i.id = u.next_invoice();
  i.currency = c;
  i.created_at = u.now();
  i.due_after_ns = u.catalog().profile.due_after_ns;
  i.state = invoicing::first_state(u.catalog().profile, u.now());
  if (const auto* s = std::get_if<invoicing::draft_waiting_auto_approval>(&i.state))
    i.draft_until = s->until;
  return i;
}

// Tells a charge that its time has come.
conversation advance_one(unit& u, charge_id id) {
  const auto d = co_await to_charge{id, flat_fee::advanced{u.now()}};
  if (!d)
    co_return tl::unexpected(d.error());
  co_return take(u, id, *d);
}

// Books the lines that are not booked yet, in order, up to the first that fails. It undoes only
// itself: those before it stay booked, and the invoice waits in its failure state for a retry (D21).
conversation issue(unit& u, invoice_id id) {
  auto i = *u.find_invoice(id);
  std::optional<refusal> failure;
  for (auto& line : i.lines) {
    if (line.booked)
      continue;
    const auto mark = u;
    result<void> ok;
    if (line.tax) {
      ok = ledger::book_tax(u.book, {line.amount, i.currency}, id, u.now());
    } else {
      const auto d = co_await to_charge{line.charge, flat_fee::invoice_issued{}};
      ok = d ? take(u, line.charge, *d) : result<void>(tl::unexpected(d.error()));
    }
    if (ok) {
      line.booked = true;
      continue;
    }
    u = mark;
    failure = ok.error();
    break;
  }
  i.issues.clear();
  co_return close_issue(u, std::move(i), failure);
}

// Fires an event on an invoice and, where it leads to issuing, issues it.
conversation fire(unit& u, invoice_id id, invoicing::event e) {
  auto i = *u.find_invoice(id);
  if (auto ok = move_to(u, i, e); !ok)
    co_return ok;
  if (i == *u.find_invoice(id))
    co_return result<void>{};
  const bool issuing = is_issuing(i);
  u.put(std::move(i));
  if (issuing)
    co_return co_await issue(u, id);
  co_return result<void>{};
}

// One invoice of the given lines, carried as far as its profile lets it go by itself.
conversation make_invoice(unit& u, std::vector<charge_id> lines) {
  auto i = new_draft(u, u.find_charge(lines.front())->terms.amount.currency);
  for (const auto id : lines) {
    auto d = co_await to_charge{id, flat_fee::line_assigned{i.id, u.now()}};
    if (!d)
      co_return tl::unexpected(d.error());
    if (auto ok = take(u, id, *d); !ok)
      co_return ok;
    // Flat fees have nothing to wait for (D45).
    d = co_await to_charge{id, flat_fee::collection_completed{}};
    if (!d)
      co_return tl::unexpected(d.error());
    if (auto ok = take(u, id, *d); !ok)
      co_return ok;
    i.lines.push_back(line_of(*u.find_charge(id)));
  }
  auto tax = invoicing::tax_line(i.lines, u.before().settings.tax, i.currency);
  if (!tax)
    co_return tl::unexpected(tax.error());
  if (*tax)
    i.lines.push_back(std::move(**tax));
  const auto id = i.id;
  const bool reviewed = std::holds_alternative<invoicing::draft_manual_approval_needed>(i.state);
  u.put(std::move(i));
  if (reviewed)
    co_return result<void>{};
  co_return co_await fire(u, id, invoicing::time_passed{u.now()});
}

conversation invoice_pending(unit& u, command::invoice_pending order) {
  const auto as_of = order.as_of.value_or(u.now());
  if (as_of > u.now())
    co_return refuse(errc::validation, "as_of must not lie in the future");
  auto wanted = billable_lines(u, order, as_of);
  if (!wanted)
    co_return tl::unexpected(wanted.error());
  while (!wanted->empty()) {
    const auto c = u.find_charge(wanted->front())->terms.amount.currency;
    const auto same = [&](charge_id id) { return u.find_charge(id)->terms.amount.currency == c; };
    const auto end = std::ranges::find_if_not(*wanted, same);
    std::vector<charge_id> lines(wanted->begin(), end);
    wanted->erase(wanted->begin(), end);
    if (auto ok = co_await make_invoice(u, std::move(lines)); !ok)
      co_return ok;
  }
  co_return result<void>{};
}

// Payment steps reach the charges line by line, each told when its share changes (D46).
conversation pay(unit& u, payment_order order) {
  const auto* known = find(u, order.invoice);
  if (known == nullptr)
    co_return tl::unexpected(no_invoice(order.invoice));
  auto i = *known;
  if (auto ok = move_to(u, i, payment_state(i)); !ok)
    co_return ok;
  i = *known;
  for (const auto step : order.steps) {
    const auto amount = payment_amount(i, step, order.amount);
    if (!amount)
      co_return tl::unexpected(amount.error());
    if (*amount == 0 && !order.amount && (order.steps.size() == 2 || i.totals().total == 0))
      continue;
    const auto shares = step == payment_step::authorize ? invoicing::authorize_shares(i, *amount)
                                                        : invoicing::settle_shares(i, *amount);
    if (!shares)
      co_return tl::unexpected(shares.error());
    for (const auto& s : *shares) {
      auto& line = i.lines[s.line];
      result<void> ok;
      if (step == payment_step::authorize)
        ok = recover(u, i, line, s.amount);
      if (!ok)
        co_return ok;
      if (line.tax) {
        ok = pay_tax(u, i, step, s.amount);
      } else {
        const auto d = co_await to_charge{line.charge, payment_event(step, s.amount, u.now())};
        ok = d ? take(u, line.charge, *d) : result<void>(tl::unexpected(d.error()));
      }
      if (!ok)
        co_return ok;
      (step == payment_step::authorize ? line.authorized : line.settled) += s.amount;
    }
  }
  if (auto ok = move_to(u, i, payment_state(i)); !ok)
    co_return ok;
  u.put(std::move(i));
  co_return result<void>{};
}

// Everything whose time has come, each part on its own: what fails is undone and stays due.
conversation run_due(unit& u) {
  for (const auto id : due_charges(u)) {
    const auto mark = u;
    if (auto ok = co_await advance_one(u, id); !ok)
      u = mark;
  }
  {
    const auto mark = u;
    if (auto ok = co_await invoice_pending(u, {}); !ok)
      u = mark;
  }
  for (const auto id : due_invoices(u)) {
    const auto mark = u;
    if (auto ok = co_await fire(u, id, invoicing::time_passed{u.now()}); !ok)
      u = mark;
  }
  co_return result<void>{};
}

} // namespace

conversation decide(unit& u, command::any c) {
  if (is_simple(c))
    co_return decide_now(u, c);
  expire_holds(u);
  if (!u.before().exists)
    co_return refuse(
        errc::not_found, "no such customer; create it with put_customer", u.before().reference);
  if (const auto* a = std::get_if<command::advance_charge>(&c)) {
    const auto* found = u.before().find_charge(a->charge);
    if (found == nullptr)
      co_return refuse(errc::not_found, "no such charge", a->charge);
    co_return co_await advance_one(u, found->terms.id);
  }
  if (const auto* p = std::get_if<command::invoice_pending>(&c))
    co_return co_await invoice_pending(u, *p);
  if (std::holds_alternative<command::run_due>(c))
    co_return co_await run_due(u);
  if (auto order = as_payment(c))
    co_return co_await pay(u, std::move(*order));
  if (const auto* w = std::get_if<command::write_off_invoice>(&c))
    co_return write_off(u, w->invoice);
  if (const auto change = as_invoice_event(u, c)) {
    const auto* found = find(u, change->first);
    if (found == nullptr)
      co_return tl::unexpected(no_invoice(change->first));
    if (std::holds_alternative<command::advance_invoice>(c) &&
        (!found->advance_after() || *found->advance_after() > u.now()))
      co_return refuse(
          errc::invoice_cannot_advance, "nothing of this invoice is due", change->first);
    co_return co_await fire(u, found->id, change->second);
  }
  co_return refuse(errc::unsupported_operation, "not a command of a customer");
}

std::optional<instant> next_event(const customer& c) noexcept {
  std::optional<instant> due;
  const auto consider = [&](const std::optional<instant>& at) {
    if (at && (!due || *at < *due))
      due = at;
  };
  for (const auto& x : c.charges) {
    consider(flat_fee::advance_after(x.state, x.terms));
    // A line that waits for its invoice is due from its invoice instant on.
    if (flat_fee::billable(x.state, x.terms, ledger::never))
      consider(x.terms.invoice_at);
  }
  for (const auto& i : c.invoices)
    consider(i.advance_after());
  consider(c.extras->holds.next_expiry());
  return due;
}

std::optional<instant> next_due(const customer& c) noexcept {
  const auto event = next_event(c);
  if (c.recognizes_at == 0)
    return event;
  const auto hour = start_of_hour(c.recognizes_at);
  return std::min(event.value_or(hour), hour);
}

} // namespace accrue
