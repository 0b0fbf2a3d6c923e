// Commands of the reference model: credit, fees, openings, and the order of checks. Invoices are in
// model_invoices.cpp, what it shows in model_views.cpp.
#include "tests/histories/model.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace accrue::histories {
namespace {

constexpr int128 amount_limit = int128{1} << 100;

int128 power_of_ten(int n) {
  int128 p = 1;
  for (; n > 0; --n)
    p *= 10;
  return p;
}

// Whole minor units: exact, or rounded half away from zero (D1, D2).
std::optional<int128> minor_units(const decimal& d, currency c, bool rounds) {
  const int digits = c.exponent() - d.scale();
  if (digits >= 0)
    return d.coefficient() * power_of_ten(digits);
  if (!rounds)
    return std::nullopt;
  const auto divisor = power_of_ten(-digits);
  const auto magnitude = d.coefficient() < 0 ? -d.coefficient() : d.coefficient();
  const auto rounded = (magnitude + divisor / 2) / divisor;
  return d.coefficient() < 0 ? -rounded : rounded;
}

std::vector<std::string> sorted(std::vector<std::string> features) {
  std::set<std::string> once(features.begin(), features.end());
  return {once.begin(), once.end()};
}

bool pays(const std::vector<std::string>& features, std::string_view feature) {
  return features.empty() || std::ranges::find(features, feature) != features.end();
}

instant whole_seconds(instant t) {
  auto seconds = t.ns / ns_per_second;
  if (t.ns % ns_per_second < 0)
    --seconds;
  return {seconds * ns_per_second};
}

} // namespace

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
  const bool lists = std::holds_alternative<command::invoice_pending>(c);
  if (lists) {
    reply::invoices made;
    for (const auto n : touched_.bills)
      made.items.push_back(view_bill(n));
    r.body = std::move(made);
  } else if (std::holds_alternative<command::run_due>(c)) {
    r.body = reply::ran_due{static_cast<std::uint32_t>(touched_.fees.size() +
                                                       touched_.bills.size() + touched_.messages)};
  } else if (!touched_.bills.empty()) {
    r.body = view_bill(*touched_.bills.begin());
  } else if (!touched_.fees.empty()) {
    r.body = view(fees_[*touched_.fees.begin()]);
  } else if (touched_.body) {
    r.body = *touched_.body;
  } else {
    r.body = reply::ran_due{};
  }
  used_.insert(touched_.currencies.begin(), touched_.currencies.end());
  for (const auto n : touched_.fees)
    touched_.currencies.insert(fees_[n].currency);
  if (touched_.named)
    touched_.currencies.insert(*touched_.named);
  for (const auto used : touched_.currencies)
    r.after.push_back(balance(used, clock_));
  return r;
}

verdict model::expect(const command::any& c, instant stamp) const {
  auto copy = *this;
  return copy.decide(c, stamp);
}

model::refused model::change(const command::any& c, const booking_failures& failures) {
  const auto id = command::given_id(c);
  const bool has_id = std::visit(
      [](const auto& v) {
        return requires { v.id; };
      },
      c);
  if (has_id && (id.empty() || id.size() > 128))
    return errc::validation;
  if (const auto* p = std::get_if<command::put_customer>(&c))
    return on(*p);
  if (!exists_)
    return errc::not_found;
  if (const auto* g = std::get_if<command::grant_credit>(&c))
    return on(*g);
  if (const auto* u = std::get_if<command::consume>(&c))
    return on(*u);
  if (const auto* f = std::get_if<command::create_charge>(&c))
    return on(*f);
  if (const auto* o = std::get_if<command::open_credit>(&c))
    return open(*o, true);
  if (const auto* o = std::get_if<command::open_advance>(&c))
    return open(*o, false);
  if (const auto* a = std::get_if<command::advance_charge>(&c)) {
    const auto n = fee_of(a->charge);
    return n ? advance_fee(*n) : errc::not_found;
  }
  if (const auto* p = std::get_if<command::invoice_pending>(&c))
    return invoice(*p, failures);
  if (std::holds_alternative<command::run_due>(c)) {
    run_due(failures);
    return std::nullopt;
  }
  if (const auto* a = std::get_if<command::authorize_payment>(&c))
    return pay(a->invoice, true, false, a->amount);
  if (const auto* s = std::get_if<command::settle_payment>(&c))
    return pay(s->invoice, false, true, s->amount);
  if (const auto* p = std::get_if<command::pay_invoice>(&c))
    return pay(p->invoice, true, true, std::nullopt);
  const auto name = std::visit(
      [](const auto& v) -> std::string_view {
        if constexpr (requires { v.invoice; })
          return v.invoice;
        return {};
      },
      c);
  const auto n = bill_of(name);
  if (!n)
    return errc::not_found;
  auto& b = bills_[*n];
  if (std::holds_alternative<command::advance_invoice>(c)) {
    if (!b.due() || *b.due() > clock_)
      return errc::invoice_cannot_advance;
    time_passed(*n, failures);
    return std::nullopt;
  }
  const bool draft = b.state == paper::waiting || b.state == paper::manual;
  const bool approves = std::holds_alternative<command::approve_invoice>(c);
  if (approves ? !draft : b.state != paper::failed)
    return errc::invoice_action_not_available;
  issue(*n, failures);
  return std::nullopt;
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

model::refused model::on(const command::grant_credit& c) {
  const auto* unit = currency_of(c.currency);
  if (unit == nullptr)
    return errc::validation;
  const auto amount = *minor_units(c.amount, *unit, true);
  if (amount <= 0)
    return errc::validation;
  if (amount > amount_limit)
    return errc::overflow;
  if (c.priority < 1 || c.priority > 1000)
    return errc::validation;
  const auto effective = c.effective_at ? whole_seconds(*c.effective_at) : clock_;
  if (effective > clock_)
    return errc::unsupported_operation;
  source s{c.id, *unit, c.priority, sorted(c.features), false, effective, amount};
  // Priority, restricted before unrestricted, then as recorded (D15).
  const auto key = [](const source& x) { return std::pair(x.priority, x.features.empty()); };
  sources_.insert(std::ranges::upper_bound(sources_, key(s), {}, key), std::move(s));
  touched_.currencies.insert(*unit);
  touched_.body = reply::grant_view{c.id, *unit, c.currency, amount, effective};
  return std::nullopt;
}

model::realized
model::collect(accrue::currency c, std::string_view feature, int128 amount, instant as_of) const {
  realized r;
  std::vector<std::tuple<bool, std::uint16_t, std::vector<std::string>>> routes;
  for (std::size_t n = 0; n < sources_.size(); ++n) {
    const auto& s = sources_[n];
    if (s.currency != c || s.from > as_of || !pays(s.features, feature))
      continue;
    const auto part = std::min(s.left, amount);
    if (part <= 0)
      continue;
    r.slices.push_back({s.id, part});
    r.sources.push_back(n);
    const auto route = std::tuple(s.opening, s.priority, s.features);
    const auto row = std::ranges::find(routes, route) - routes.begin();
    if (row == std::ssize(routes)) {
      routes.push_back(route);
      r.rows.push_back(0);
    }
    r.rows[static_cast<std::size_t>(row)] += part;
    amount -= part;
  }
  r.billed = amount; // what is missing
  return r;
}

void model::take(const realized& r) {
  for (std::size_t n = 0; n < r.slices.size(); ++n) {
    sources_[r.sources[n]].left -= r.slices[n].amount;
    touched_.currencies.insert(sources_[r.sources[n]].currency);
  }
}

// Credit that does not exist yet, up to the customer's limit (D69).
model::refused model::lend(accrue::currency c,
                           std::string_view feature,
                           int128 amount,
                           std::optional<int128> owed_max) {
  if (owed_max) {
    auto owed = amount;
    for (const auto& d : debts_)
      owed += d.currency == c ? d.amount : 0;
    if (owed > *owed_max)
      return errc::insufficient_funds;
  }
  debt d{c, {}, amount};
  if (!feature.empty())
    d.features = {std::string(feature)};
  debts_.push_back(std::move(d));
  touched_.currencies.insert(c);
  return std::nullopt;
}

model::refused model::on(const command::consume& c) {
  const auto* unit = currency_of(c.currency);
  const auto amount = unit ? minor_units(c.amount, *unit, false) : std::nullopt;
  if (!amount || *amount <= 0)
    return errc::validation;
  if (*amount > amount_limit)
    return errc::overflow;
  const auto got = collect(*unit, c.feature, *amount, clock_);
  reply::consumed done{c.id, *unit, c.currency, *amount - got.billed, 0, got.slices};
  if (got.billed > 0 && policy_ == command::over_settlement::refuse)
    return errc::insufficient_funds;
  take(got);
  if (got.billed > 0 && policy_ == command::over_settlement::cap)
    done.uncovered = got.billed;
  if (got.billed > 0 && policy_ == command::over_settlement::advance) {
    const auto limit = limits_.find(*unit);
    if (const auto no = lend(*unit,
                             c.feature,
                             got.billed,
                             limit == limits_.end() ? std::nullopt : std::optional(limit->second)))
      return no;
    done.booked += got.billed;
  }
  touched_.named = *unit;
  touched_.body = std::move(done);
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

template <class Opening>
model::refused model::open(const Opening& c, bool credit) {
  const auto* unit = currency_of(c.currency);
  const auto amount = unit ? minor_units(c.amount, *unit, false) : std::nullopt;
  if (!amount || *amount <= 0)
    return errc::validation;
  if (*amount > amount_limit)
    return errc::overflow;
  const auto at = c.at ? whole_seconds(*c.at) : clock_;
  if (at > clock_)
    return errc::validation;
  if (credit) {
    source s{c.id, *unit, 100, sorted(c.features), true, at, *amount};
    const auto key = [](const source& x) { return std::pair(x.priority, x.features.empty()); };
    sources_.insert(std::ranges::upper_bound(sources_, key(s), {}, key), std::move(s));
  } else {
    debts_.push_back({*unit, sorted(c.features), *amount});
  }
  touched_.currencies.insert(*unit);
  touched_.body = reply::opened{c.id, *unit, c.currency, *amount};
  return std::nullopt;
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
  auto got = collect(f.currency, f.feature, f.amount, f.invoice_at);
  take(got);
  if (got.billed > 0) {
    const auto limit = limits_.find(f.currency);
    if (const auto no = lend(f.currency,
                             f.feature,
                             got.billed,
                             limit == limits_.end() ? std::nullopt : std::optional(limit->second)))
      return no;
  }
  got.advanced = std::exchange(got.billed, 0);
  f.run = std::move(got);
  f.at = stage::final;
  touched_.fees.insert(n);
  return std::nullopt;
}

} // namespace accrue::histories
