// What is given back, and what becomes earnings, in the reference model. Source: D8, D11, D60, D61, D67.
#include "tests/histories/model.hpp"
#include "tests/histories/numbers.hpp"

#include <algorithm>
#include <utility>

namespace accrue::histories {

// What can still be given back. Nobody gives back an opening advance.
int128 model::spend::left() const {
  if (opening)
    return 0;
  auto sum = uncovered;
  for (const auto& u : uses)
    sum += u.amount;
  for (const auto& c : covers)
    sum += c.amount;
  return sum;
}

// A charge of that name, else what else used credit under it.
std::optional<std::size_t> model::used_by(std::string_view name, refused& why) const {
  why = errc::not_found;
  const auto charge = fee_of(name);
  if (charge && fees_[*charge].run) {
    for (const auto& b : bills_)
      for (const auto& l : b.lines)
        if (!l.tax && l.fee == *charge && b.number == 0)
          why = errc::conflict;
    if (why == errc::conflict)
      return std::nullopt;
    why = errc::insufficient_funds; // its invoice bills all of it
  }
  for (std::size_t n = 0; n < spends_.size(); ++n)
    if (spends_[n].id == name && spends_[n].fee == charge)
      return n;
  return std::nullopt;
}

model::refused model::on(const command::correct_charge& c) {
  refused why;
  const auto n = used_by(c.charge, why);
  if (!n)
    return why;
  const auto unit = spends_[*n].currency;
  const auto left = spends_[*n].left();
  const auto amount = c.amount ? minor_units(*c.amount, unit, false) : std::optional(left);
  if (c.amount && (!amount || *amount <= 0))
    return errc::validation;
  if (*amount > left || left == 0)
    return errc::insufficient_funds;
  const auto rows = give_back(*n, *amount);
  if (const auto charge = spends_[*n].fee) {
    for (const auto row : rows)
      fees_[*charge].run->rows.push_back(-row);
    touched_.fees.insert(*charge);
  }
  touched_.currencies.insert(unit);
  touched_.body = reply::corrected{c.charge, unit, code_of(unit), *amount};
  return std::nullopt;
}

// Exactly the reverse of the order of use (D8).
std::vector<int128> model::give_back(std::size_t n, int128 amount) {
  std::vector<int128> rows;
  if (const auto advanced = give_back_advance(n, amount); advanced != 0) {
    rows.push_back(advanced);
    amount -= advanced;
  }
  std::vector<slice> back;
  auto& uses = spends_[n].uses;
  for (auto u = uses.rbegin(); u != uses.rend(); ++u) {
    const auto some = std::min(u->amount, amount);
    if (some <= 0)
      continue;
    u->amount -= some;
    amount -= some;
    back.push_back({u->source, some});
    return_credit(u->source, some, std::max(clock_, spends_[n].booked));
  }
  for (const auto row : rows_of(back))
    rows.push_back(row);
  return rows;
}

// Within an advance: what was recognised, the newest cover, then what nobody covered (D8, D60). Covered
// advance comes back as credit of who covered it.
int128 model::give_back_advance(std::size_t n, int128 amount) {
  auto& s = spends_[n];
  const auto wanted = amount;
  for (const bool recognized : {true, false})
    for (auto c = s.covers.rbegin(); c != s.covers.rend(); ++c) {
      const auto some = c->recognized == recognized ? std::min(c->amount, amount) : int128{0};
      if (some <= 0)
        continue;
      c->amount -= some;
      amount -= some;
      return_credit(c->source, some, std::max(clock_, s.booked));
    }
  if (const auto some = std::min(s.uncovered, amount); some > 0) {
    s.uncovered -= some;
    amount -= some;
    movements_.push_back({n, true, false, std::max(clock_, s.booked), clock_, some});
  }
  return wanted - amount;
}

// Credit that has ended expires at once (D61); what a grant for later had covered is there with its rest.
void model::return_credit(std::size_t n, int128 amount, instant at) {
  auto& s = sources_[n];
  if (s.ended(clock_))
    return;
  s.left += amount;
  issue(n, amount, std::max(at, s.from));
}

// What credit of known cost paid for, what invoices billed and booked, or both (D11). What waits for the end of a
// period: credit where the profile says so; what was billed, unless it is asked for by itself.
model::refused model::on(const command::recognize& c) {
  using enum command::recognizable;
  const auto as_of = c.as_of.value_or(clock_);
  if (as_of > clock_)
    return errc::validation;
  std::map<accrue::currency, int128> sums;
  const auto recognize = [&](accrue::currency unit, int128 amount, instant from, bool& done) {
    if (amount > 0 && from <= as_of && !std::exchange(done, true))
      sums[unit] += amount;
  };
  const bool waits = rules_->profile.recognition == invoicing::recognition_policy::at_period_end;
  for (auto& s : spends_) {
    if (c.what == invoiced)
      break;
    const auto from = waits && s.fee ? std::max(s.booked, fees_[*s.fee].span.to) : s.booked;
    for (auto& u : s.uses)
      if (sources_[u.source].paid != funding::opening)
        recognize(s.currency, u.amount, from, u.recognized);
    for (auto& k : s.covers)
      recognize(s.currency, k.amount, std::max(k.booked, from), k.recognized);
  }
  for (auto& b : bills_)
    for (auto& l : b.lines) {
      if (c.what == credit || l.tax || !l.booked)
        continue;
      const auto& f = fees_[l.fee];
      recognize(b.currency,
                l.total,
                c.what == both ? std::max(f.booked_at(), f.span.to) : f.booked_at(),
                l.recognized);
    }
  reply::recognized done;
  for (const auto& [unit, amount] : sums) {
    done.amounts.push_back({unit, code_of(unit), amount});
    touched_.currencies.insert(unit);
  }
  touched_.body = std::move(done);
  return std::nullopt;
}

} // namespace accrue::histories
