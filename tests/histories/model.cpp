// The reference model's unit of work: the order of checks, what a receipt tells, the customer, and fees.
// Credit is in model_credit.cpp, invoices in model_invoices.cpp, what it shows in model_views.cpp.
#include "tests/histories/model.hpp"

#include "tests/histories/numbers.hpp"

#include <algorithm>
#include <utility>

namespace accrue::histories {

verdict model::decide(const command::any& c, instant stamp, const booking_failures& failures) {
  if (command::is_query(c))
    return answer(c, stamp);
  const auto before = *this;
  clock_ = sequence_ == 0 ? stamp : std::max(clock_, stamp);
  touched_ = {};
  if (const auto no = change(c, failures)) {
    *this = before;
    return *no;
  }
  ++sequence_;
  reply::receipt r;
  r.sequence = accrue::sequence(sequence_);
  if (touched_.body) {
    r.body = *touched_.body;
  } else if (std::holds_alternative<command::invoice_pending>(c)) {
    reply::invoices made;
    for (const auto n : touched_.bills)
      made.items.push_back(view_bill(n));
    r.body = std::move(made);
  } else if (std::holds_alternative<command::run_due>(c)) { // as many as the unit has facts
    r.body = reply::ran_due{static_cast<std::uint32_t>(touched_.fees.size() +
                                                       touched_.bills.size() + touched_.messages +
                                                       touched_.ended_holds + touched_.advances)};
  } else if (!touched_.bills.empty()) {
    r.body = view_bill(*touched_.bills.begin());
  } else if (!touched_.fees.empty()) {
    r.body = view(fees_[*touched_.fees.begin()]);
  } else {
    r.body = reply::ran_due{static_cast<std::uint32_t>(touched_.ended_holds)};
  }
  used_.insert(touched_.currencies.begin(), touched_.currencies.end());
  for (const auto n : touched_.fees)
    touched_.currencies.insert(fees_[n].currency);
  touched_.currencies.insert(touched_.named.begin(), touched_.named.end());
  for (const auto used : touched_.currencies)
    r.after.push_back(balance(used, clock_));
  return r;
}

verdict model::expect(const command::any& c, instant stamp) const {
  auto copy = *this;
  return copy.decide(c, stamp);
}

model::refused model::change(const command::any& c, const booking_failures& failures) {
  expire_holds();
  const auto id = command::given_id(c);
  const bool has_id = std::visit(
      [](const auto& v) {
        return requires { v.id; };
      },
      c);
  if (has_id && (id.empty() || id.size() > 128))
    return errc::validation;
  if (!exists_ && !std::holds_alternative<command::put_customer>(c))
    return errc::not_found;
  auto& self = *this;
  return std::visit(
      [&self, &failures](const auto& v) -> refused {
        if constexpr (requires { self.on(v); })
          return self.on(v);
        else if constexpr (requires { self.on(v, failures); })
          return self.on(v, failures);
        else
          return errc::internal; // nobody sends it here
      },
      c);
}

model::refused model::on(const command::put_customer& c) {
  if (c.currency) {
    const auto* found = currency_of(*c.currency);
    if (found == nullptr)
      return errc::validation;
    default_currency_ = *found;
  }
  if (c.over_settlement)
    policy_ = *c.over_settlement;
  if (c.advance_limit) {
    limits_.clear();
    for (const auto& [code, limit] : *c.advance_limit) {
      const auto* found = currency_of(code);
      const auto amount = found ? minor_units(limit, *found, false) : std::nullopt;
      if (!amount || *amount < 0)
        return errc::validation;
      limits_[*found] = *amount;
    }
  }
  if (c.tax) {
    tax_name_ = *c.tax ? (*c.tax)->name() : "";
    tax_rate_ = *c.tax ? (*c.tax)->fraction() : decimal();
  }
  if (!exists_)
    created_at_ = clock_;
  exists_ = true;
  touched_.body = view();
  return std::nullopt;
}

model::refused model::on(const command::create_charge& c) {
  const auto* unit = currency_of(c.currency);
  if (unit == nullptr)
    return errc::validation;
  fee f;
  f.amount = *minor_units(c.amount, *unit, true);
  if (f.amount > amount_limit || f.amount < -amount_limit)
    return errc::overflow;
  if (f.amount < 0)
    return errc::validation;
  if (unit->is_credit_unit() && c.mode != settlement_mode::credit_only)
    return errc::validation;
  f.span = {whole_seconds(c.service_period.from), whole_seconds(c.service_period.to)};
  if (f.span.to < f.span.from)
    return errc::invalid_period;
  if (c.full_service_period) {
    const period full{whole_seconds(c.full_service_period->from),
                      whole_seconds(c.full_service_period->to)};
    if (full.to < full.from)
      return errc::invalid_period;
    const int128 part = (f.span.to.ns - f.span.from.ns) / ns_per_second;
    const int128 whole = (full.to.ns - full.from.ns) / ns_per_second;
    if (part > 0 && part < whole)
      f.amount = (f.amount * part * 2 + whole) / (whole * 2);
  }
  f.id = c.id;
  f.mode = c.mode;
  f.term = c.term;
  f.currency = *unit;
  f.invoice_at = whole_seconds(c.invoice_at.value_or(f.span.to));
  f.feature = c.feature;
  touched_.fees.insert(fees_.size());
  fees_.push_back(std::move(f));
  return std::nullopt;
}

model::refused model::on(const command::advance_charge& c) {
  const auto n = fee_of(c.charge);
  return n ? advance_fee(*n) : errc::not_found;
}

// Time carries a fee from created over active, and a credit_only one on to the end.
model::refused model::advance_fee(std::size_t n) {
  auto& f = fees_[n];
  if (f.at == stage::processing || f.at == stage::awaiting)
    return errc::illegal_transition;
  if (f.at == stage::final || (f.at == stage::created && clock_ < f.invoice_at))
    return std::nullopt;
  if (f.at == stage::created) {
    f.at = f.amount == 0 ? stage::final : stage::active;
    touched_.fees.insert(n);
  }
  if (f.at == stage::final || f.mode != settlement_mode::credit_only || clock_ < f.booked_at())
    return std::nullopt;
  const auto parts = collect(f.currency, f.feature, f.amount, f.invoice_at);
  const auto user = spend_for(f);
  take(user, parts);
  realized run{rows_of(parts), 0};
  auto missing = f.amount;
  for (const auto& p : parts)
    missing -= p.amount;
  if (missing > 0) {
    if (const auto no = lend(user, f.feature, missing))
      return no;
    run.rows.push_back(missing);
  }
  f.run = std::move(run);
  f.at = stage::final;
  touched_.fees.insert(n);
  return std::nullopt;
}

} // namespace accrue::histories
