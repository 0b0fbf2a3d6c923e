// What the reference model shows: views of what it knows, and answers to queries. Balances are in
// model_balances.cpp.
#include "tests/histories/model.hpp"
#include "tests/histories/numbers.hpp"

#include <algorithm>

namespace accrue::histories {

const currency* model::currency_of(std::string_view code) const {
  const auto it = rules_->currencies.find(code);
  return it == rules_->currencies.end() ? nullptr : &it->second;
}

std::string model::code_of(accrue::currency c) const {
  for (const auto& [code, known] : rules_->currencies)
    if (known == c)
      return code;
  return {};
}

std::optional<std::size_t> model::fee_of(std::string_view id) const {
  const auto it = std::ranges::find(fees_, id, &fee::id);
  return it == fees_.end() ? std::nullopt
                           : std::optional(static_cast<std::size_t>(it - fees_.begin()));
}

// "#1" by ordinal, "ACME-000001" by number.
std::optional<std::size_t> model::bill_of(std::string_view name) const {
  for (std::size_t n = 0; n < bills_.size(); ++n)
    if (name == "#" + std::to_string(n + 1) || (bills_[n].number != 0 && name == name_of(n)))
      return n;
  return std::nullopt;
}

std::string model::name_of(std::size_t n) const {
  if (bills_[n].number == 0)
    return "#" + std::to_string(n + 1);
  std::string prefix;
  for (const char c : reference_)
    prefix += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  const auto digits = std::to_string(bills_[n].number);
  return prefix + "-" + std::string(6 - digits.size(), '0') + digits;
}

reply::customer_view model::view() const {
  reply::customer_view v;
  v.reference = reference_;
  v.currency = default_currency_ ? code_of(*default_currency_) : "";
  v.over_settlement = policy_;
  v.created_at = created_at_;
  v.tax_name = tax_name_;
  v.tax_rate = tax_rate_;
  return v;
}

reply::charge_view model::view(const fee& f) const {
  reply::charge_view v;
  v.id = f.id;
  v.currency = f.currency;
  v.code = code_of(f.currency);
  v.mode = f.mode;
  v.amount = f.amount;
  v.service_period = f.span;
  v.invoice_at = f.invoice_at;
  constexpr const char* stages[] = {"created",
                                    "active",
                                    "active.realization.processing",
                                    "active.awaiting_payment_settlement",
                                    "final"};
  v.detailed_status = stages[static_cast<std::size_t>(f.at)];
  v.status = v.detailed_status.substr(0, v.detailed_status.find('.'));
  v.advance_after = f.due();
  if (f.run) {
    reply::charge_view::run r;
    r.amount = f.amount;
    r.total = f.run->billed;
    r.credit_total = f.amount - f.run->billed;
    r.credits = f.run->rows;
    v.runs.push_back(std::move(r));
  }
  return v;
}

reply::invoice_view model::view_bill(std::size_t n) const {
  const auto& b = bills_[n];
  reply::invoice_view v;
  v.name = name_of(n);
  v.currency = b.currency;
  v.code = code_of(b.currency);
  constexpr const char* states[] = {"draft.waiting_auto_approval",
                                    "draft.manual_approval_needed",
                                    "issuing.charge_booking_failed",
                                    "payment_processing.pending",
                                    "payment_processing.authorized",
                                    "overdue",
                                    "paid",
                                    "uncollectible"};
  v.status = states[static_cast<std::size_t>(b.state)];
  v.amount = b.sum(&bill::line::amount);
  v.total = b.sum(&bill::line::total);
  v.credits = v.amount - v.total;
  period all = fees_[b.lines.front().fee].span;
  for (const auto& l : b.lines) {
    if (l.tax) {
      v.lines.push_back({l.tax->name, all, l.total, 0, l.total, "tax"});
      v.taxes.push_back(*l.tax);
      v.credits += l.total; // which is no line's amount
      continue;
    }
    const auto& f = fees_[l.fee];
    all = {std::min(all.from, f.span.from), std::max(all.to, f.span.to)};
    v.lines.push_back({f.id, f.span, l.amount, l.amount - l.total, l.total, "charge"});
  }
  v.authorized = b.sum(&bill::line::authorized);
  v.settled = b.sum(&bill::line::settled);
  v.written_off = b.sum(&bill::line::written_off);
  if (b.state == paper::failed)
    v.issues.push_back({true, "internal", "booking failed"});
  v.draft_until = b.until;
  if (b.number != 0) {
    v.number = v.name;
    v.issued_at = b.issued_at;
    v.due_at = b.due_at;
  } else if (b.until) {
    v.due_at = plus_ns(*b.until, rules_->profile.due_after_ns);
  }
  return v;
}

reply::grant_view model::view(const source& s, instant now) const {
  reply::grant_view v;
  v.id = s.id;
  v.currency = s.currency;
  v.code = code_of(s.currency);
  v.amount = s.amount;
  v.effective_at = s.from;
  constexpr const char* kinds[] = {"promotional", "external", "opening"};
  v.funding = kinds[static_cast<std::size_t>(s.paid)];
  v.status = s.voided_at    ? "voided"
             : s.ended(now) ? "expired"
             : s.from > now ? "pending"
                            : "active";
  v.internal_status = "final";
  v.priority = s.priority;
  v.features = s.features;
  v.expires_at = s.until;
  v.voided_at = s.voided_at;
  if (s.paid != funding::external)
    return v;
  v.payment = s.settled >= s.owed()      ? "settled"
              : s.authorized >= s.owed() ? "authorized"
                                         : "pending";
  if (v.payment != "settled")
    v.internal_status = "active.payment." + v.payment;
  v.cost_basis = s.cost_basis;
  v.fiat = s.fiat;
  v.fiat_code = code_of(s.fiat);
  v.fiat_amount = s.price(s.amount);
  v.authorized = s.authorized;
  v.settled = s.settled;
  v.written_off = s.written_off;
  v.claim = s.claim();
  v.refunded = s.refunded;
  return v;
}

// Answers.

verdict model::answer(const command::any& query, instant stamp) const {
  if (!exists_)
    return errc::not_found;
  const auto now = std::max(stamp, clock_);
  const auto& self = *this;
  auto said = std::visit(
      [&self, now](const auto& q) -> told {
        if constexpr (requires { self.ask(q, now); })
          return self.ask(q, now);
        else
          return errc::internal; // nobody asks it here
      },
      query);
  if (const auto* no = std::get_if<errc>(&said))
    return *no;
  return reply::receipt{accrue::sequence(sequence_), std::get<reply::body>(std::move(said)), {}};
}

model::told model::ask(const command::get_balance& q, instant now) const {
  auto shown = used_;
  for (const auto& f : fees_)
    shown.insert(f.currency);
  if (q.currency) {
    const auto* only = currency_of(*q.currency);
    if (only == nullptr)
      return errc::validation;
    shown = {*only};
  }
  reply::balances all;
  for (const auto c : shown) {
    auto b = balance(c, q.as_of.value_or(now), q.filter);
    if (q.as_of) { // of another instant these two are not known (D32)
      b.historical = true;
      b.live = b.reserved = 0;
    }
    all.items.push_back(std::move(b));
  }
  return reply::body(std::move(all));
}

model::told model::ask(const command::get_charge& q, instant /*now*/) const {
  const auto n = fee_of(q.charge);
  return n ? told(view(fees_[*n])) : told(errc::not_found);
}

model::told model::ask(const command::get_invoice& q, instant /*now*/) const {
  const auto n = bill_of(q.invoice);
  return n ? told(view_bill(*n)) : told(errc::not_found);
}

model::told model::ask(const command::list_invoices& /*all*/, instant /*now*/) const {
  reply::invoices all;
  for (std::size_t n = 0; n < bills_.size(); ++n)
    all.items.push_back(view_bill(n));
  return reply::body(std::move(all));
}

// Credit as one sub-account for each currency that has been booked.
model::told model::ask(const command::get_accounts& /*all*/, instant now) const {
  reply::accounts all;
  for (const auto c : used_) {
    reply::account_view fbo;
    fbo.address.account = ledger::account_type::fbo;
    fbo.address.route.currency = c;
    fbo.code = code_of(c);
    for (const auto& m : movements_)
      if (!m.advance && m.booked <= now && sources_[m.of].currency == c)
        fbo.balance += m.amount;
    all.items.push_back(std::move(fbo));
  }
  return reply::body(std::move(all));
}

model::told model::ask(const command::get_grant& q, instant now) const {
  const auto n = source_of(q.grant);
  return n ? told(view(sources_[*n], now)) : told(errc::not_found);
}

model::told model::ask(const command::list_grants& q, instant now) const {
  constexpr const char* states[] = {"", "pending", "active", "expired", "voided"};
  const std::string wanted = states[static_cast<std::size_t>(q.status)];
  reply::grants all;
  for (const auto& s : sources_)
    if (auto v = view(s, now); wanted.empty() || v.status == wanted)
      all.items.push_back(std::move(v));
  return reply::body(std::move(all));
}

model::told model::ask(const command::get_reservation& q, instant now) const {
  const auto it = std::ranges::find(holds_, q.reservation, &hold::id);
  return it == holds_.end() ? told(errc::not_found) : told(view(*it, now));
}

} // namespace accrue::histories
