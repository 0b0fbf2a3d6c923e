// Credit of the reference model: grants, what they cover, how they are paid and taken back; collection, and
// advance where there is none. What is given back is in model_corrections.cpp.
#include "tests/histories/model.hpp"
#include "tests/histories/numbers.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace accrue::histories {

// What so much of the credit costs, in minor units of what it is paid in (D64).
int128 model::source::price(int128 face) const {
  return rounded(face * cost_basis.coefficient() * ten_to(fiat.exponent()),
                 ten_to(currency.exponent() + cost_basis.scale()));
}

std::optional<std::size_t> model::source_of(std::string_view id) const {
  const auto it = std::ranges::find(sources_, id, &source::id);
  return it == sources_.end() ? std::nullopt
                              : std::optional(static_cast<std::size_t>(it - sources_.begin()));
}

// Credit becomes there at `booked`, and what ends is gone again at its end, without a job (balances.md 1.2).
void model::issue(std::size_t n, int128 amount, instant booked) {
  const auto& s = sources_[n];
  touched_.currencies.insert(s.currency);
  if (amount == 0)
    return;
  movements_.push_back({n, false, true, booked, clock_, amount});
  if (s.until)
    movements_.push_back({n, false, false, *s.until, clock_, -amount});
}

// Credit is used or taken back: what has left does not end any more.
void model::move(std::size_t n, int128 amount, instant booked) {
  auto& s = sources_[n];
  touched_.currencies.insert(s.currency);
  s.left -= amount;
  movements_.push_back({n, false, false, booked, clock_, -amount});
  if (s.until)
    movements_.push_back({n, false, false, *s.until, clock_, amount});
}

model::refused model::on(const command::grant_credit& c) {
  const auto* unit = currency_of(c.currency);
  if (unit == nullptr)
    return errc::validation;
  source s;
  s.amount = *minor_units(c.amount, *unit, true);
  if (s.amount <= 0)
    return errc::validation;
  if (s.amount > amount_limit)
    return errc::overflow;
  if (c.priority < 1 || c.priority > 1000)
    return errc::validation;
  s.id = c.id;
  s.currency = *unit;
  s.priority = c.priority;
  s.features = sorted(c.features);
  s.from = c.effective_at ? whole_seconds(*c.effective_at) : clock_;
  if (c.expires_at) {
    s.until = whole_seconds(*c.expires_at);
    if (*s.until <= s.from)
      return errc::validation;
  }
  if (const auto no = price(c, s))
    return no;
  const auto n = sources_.size();
  sources_.push_back(std::move(s));
  auto& made = sources_.back();
  // Advance is covered now, or earlier; only the rest becomes credit, in its time (D16).
  made.left = made.amount - cover_advance(n, std::min(clock_, made.from));
  issue(n, made.left, made.from);
  touched_.body = view(made, clock_);
  return std::nullopt;
}

model::refused model::price(const command::grant_credit& c, source& s) const {
  if (c.funding != command::grant_funding::external)
    return c.cost_basis || c.fiat_currency ? refused(errc::validation) : std::nullopt;
  s.paid = funding::external;
  s.cost_basis = c.cost_basis.value_or(decimal{1});
  if (s.cost_basis.coefficient() <= 0)
    return errc::validation;
  if (c.fiat_currency) {
    const auto* found = currency_of(*c.fiat_currency);
    if (found == nullptr)
      return errc::validation;
    s.fiat = *found;
  } else if (!s.currency.is_credit_unit()) {
    s.fiat = s.currency;
  } else if (default_currency_) {
    s.fiat = *default_currency_;
  } else {
    return errc::validation;
  }
  const bool fits = s.currency.is_credit_unit() ? !s.fiat.is_credit_unit() : s.fiat == s.currency;
  return !fits || s.price(s.amount) == 0 ? refused(errc::validation) : std::nullopt;
}

// Restricted credit covers advance for its own features only (ledger.md 6.5); in proportion (D10).
int128 model::cover_advance(std::size_t n, instant booked) {
  const auto& s = sources_[n];
  std::vector<std::size_t> open;
  for (std::size_t k = 0; k < spends_.size(); ++k) {
    const auto& owed = spends_[k];
    const bool fits =
        s.features.empty() || std::ranges::any_of(owed.features, [&](const std::string& f) {
          return std::ranges::find(s.features, f) != s.features.end();
        });
    if (owed.currency == s.currency && owed.uncovered > 0 && fits)
      open.push_back(k);
  }
  std::ranges::sort(open, {}, [&](std::size_t k) { return spends_[k].place; });
  std::vector<int128> weights;
  int128 total = 0;
  for (const auto k : open) {
    weights.push_back(spends_[k].uncovered);
    total += weights.back();
  }
  const auto covered = std::min(total, s.amount);
  const auto parts = shares(covered, weights);
  for (std::size_t i = 0; i < open.size(); ++i) {
    if (parts[i] == 0)
      continue;
    auto& owed = spends_[open[i]];
    owed.uncovered -= parts[i];
    owed.covers.push_back({{{n, parts[i]}, false}, booked});
    movements_.push_back({open[i], true, false, booked, clock_, parts[i]});
  }
  return covered;
}

model::refused model::on(const command::open_credit& c) {
  const auto* unit = currency_of(c.currency);
  const auto amount = unit ? minor_units(c.amount, *unit, false) : std::nullopt;
  if (!amount || *amount <= 0)
    return errc::validation;
  if (*amount > amount_limit)
    return errc::overflow;
  source s;
  s.paid = funding::opening;
  s.from = c.at ? whole_seconds(*c.at) : clock_;
  if (s.from > clock_)
    return errc::validation;
  if (c.expires_at) {
    s.until = whole_seconds(*c.expires_at);
    if (*s.until <= s.from)
      return errc::validation;
  }
  s.id = c.id;
  s.currency = *unit;
  s.features = sorted(c.features);
  s.amount = s.left = *amount;
  sources_.push_back(std::move(s));
  issue(sources_.size() - 1, *amount, sources_.back().from);
  touched_.body = reply::opened{c.id, *unit, c.currency, *amount};
  return std::nullopt;
}

model::refused model::on(const command::open_advance& c) {
  const auto* unit = currency_of(c.currency);
  const auto amount = unit ? minor_units(c.amount, *unit, false) : std::nullopt;
  if (!amount || *amount <= 0)
    return errc::validation;
  if (*amount > amount_limit)
    return errc::overflow;
  const auto at = c.at ? whole_seconds(*c.at) : clock_;
  if (at > clock_)
    return errc::validation;
  auto& s = spends_[spend_of_unit(c.id, *unit)];
  s.opening = true;
  s.booked = at;
  s.features = sorted(c.features);
  s.uncovered = *amount;
  movements_.push_back({spends_.size() - 1, true, false, at, clock_, -*amount});
  touched_.currencies.insert(*unit);
  touched_.body = reply::opened{c.id, *unit, c.currency, *amount};
  return std::nullopt;
}

// Collection.

// Priority, restricted before unrestricted, earliest end, then as recorded (D15).
std::vector<std::size_t> model::collection_order() const {
  std::vector<std::size_t> order;
  for (std::size_t n = 0; n < sources_.size(); ++n)
    order.push_back(n);
  std::ranges::stable_sort(order, {}, [&](std::size_t n) {
    const auto& s = sources_[n];
    return std::tuple(s.priority, s.features.empty(), !s.until, s.until.value_or(instant{}));
  });
  return order;
}

// What is free and was there at `as_of`.
std::vector<model::slice>
model::collect(accrue::currency c, std::string_view feature, int128 amount, instant as_of) const {
  std::vector<slice> parts;
  for (const auto n : collection_order()) {
    const auto& s = sources_[n];
    if (s.currency != c || s.from > as_of || s.ended(as_of) || !pays(s.features, feature))
      continue;
    const auto taken = std::min(free(n, clock_), amount);
    if (taken <= 0)
      continue;
    parts.push_back({n, taken});
    amount -= taken;
  }
  return parts;
}

// Credit on one route is one sub-account: what it cost and in what, priority, features.
bool model::one_route(std::size_t a, std::size_t b) const {
  const auto route = [](const source& s) {
    return std::tuple(s.paid == funding::opening,
                      s.cost_basis.coefficient(),
                      s.cost_basis.scale(),
                      s.fiat,
                      s.priority,
                      s.features);
  };
  return route(sources_[a]) == route(sources_[b]);
}

std::vector<int128> model::rows_of(const std::vector<slice>& parts) const {
  std::vector<slice> rows;
  for (const auto& p : parts) {
    const auto row =
        std::ranges::find_if(rows, [&](const slice& r) { return one_route(r.source, p.source); });
    if (row == rows.end())
      rows.push_back(p);
    else
      row->amount += p.amount;
  }
  std::vector<int128> amounts;
  for (const auto& r : rows)
    amounts.push_back(r.amount);
  return amounts;
}

std::vector<reply::taken> model::told_of(const std::vector<slice>& parts) const {
  std::vector<reply::taken> slices;
  for (const auto& p : parts)
    slices.push_back({sources_[p.source].id, p.amount});
  return slices;
}

// Charges and units stand interleaved in the order in which advance is covered.
std::size_t model::spend_for(const fee& f) {
  spend s;
  s.id = f.id;
  s.fee = static_cast<std::size_t>(&f - fees_.data());
  s.currency = f.currency;
  s.booked = f.booked_at();
  s.place = (*s.fee + 1) * 4 + 1;
  spends_.push_back(std::move(s));
  return spends_.size() - 1;
}

std::size_t model::spend_of_unit(std::string id, accrue::currency c) {
  spend s;
  s.id = std::move(id);
  s.currency = c;
  s.booked = clock_;
  s.place = (sequence_ + 1) * 4 + 2;
  spends_.push_back(std::move(s));
  return spends_.size() - 1;
}

void model::take(std::size_t n, const std::vector<slice>& parts) {
  auto& s = spends_[n];
  for (const auto& p : parts) {
    s.uses.push_back({p, false});
    move(p.source, p.amount, s.booked);
  }
}

// Credit that does not exist yet, up to the customer's limit (D69).
model::refused model::lend(std::size_t n, std::string_view feature, int128 amount) {
  auto& s = spends_[n];
  if (const auto limit = limits_.find(s.currency); limit != limits_.end()) {
    auto owed = amount;
    for (const auto& other : spends_)
      owed += other.currency == s.currency ? other.uncovered : 0;
    if (owed > limit->second)
      return errc::insufficient_funds;
  }
  if (!feature.empty())
    s.features = {std::string(feature)};
  s.uncovered = amount;
  movements_.push_back({n, true, false, s.booked, clock_, -amount});
  touched_.currencies.insert(s.currency);
  ++touched_.advances;
  return std::nullopt;
}

// Where a consume or a settlement finds too little: the customer's policy (D67).
model::refused
model::shortfall(std::size_t n, std::string_view feature, int128 missing, reply::consumed& to) {
  if (missing <= 0)
    return std::nullopt;
  if (policy_ == command::over_settlement::refuse)
    return errc::insufficient_funds;
  if (policy_ == command::over_settlement::cap) {
    to.uncovered = missing;
    return std::nullopt;
  }
  to.booked += missing;
  return lend(n, feature, missing);
}

model::refused model::on(const command::consume& c) {
  const auto* unit = currency_of(c.currency);
  const auto amount = unit ? minor_units(c.amount, *unit, false) : std::nullopt;
  if (!amount || *amount <= 0)
    return errc::validation;
  if (*amount > amount_limit)
    return errc::overflow;
  const auto parts = collect(*unit, c.feature, *amount, clock_);
  const auto user = spend_of_unit(c.id, *unit);
  take(user, parts);
  reply::consumed done{c.id, *unit, c.currency, 0, 0, told_of(parts)};
  for (const auto& p : parts)
    done.booked += p.amount;
  if (const auto no = shortfall(user, c.feature, *amount - done.booked, done))
    return no;
  touched_.named.insert(*unit);
  touched_.body = std::move(done);
  return std::nullopt;
}

} // namespace accrue::histories
