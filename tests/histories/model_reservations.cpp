// Reservations of the reference model: credit that is held and not booked. Source: reservations.md.
#include "tests/histories/model.hpp"
#include "tests/histories/numbers.hpp"

#include <algorithm>

namespace accrue::histories {
namespace {

bool in_bounds(std::int64_t ttl_ns) {
  return ttl_ns >= ns_per_second && ttl_ns <= 24 * 3600 * ns_per_second;
}

} // namespace

// Their time is over whether anybody says so; the next unit writes it down.
void model::expire_holds() {
  for (auto& h : holds_)
    if (h.state == hold_state::held && !h.stands(clock_)) {
      h.state = hold_state::expired;
      ++touched_.ended_holds;
      touched_.named.insert(h.currency);
    }
}

model::hold* model::standing(std::string_view reservation) {
  for (auto& h : holds_)
    if (h.id == reservation && h.stands(clock_))
      return &h;
  return nullptr;
}

model::refused model::on(const command::reserve& c) {
  const auto* unit = currency_of(c.currency);
  const auto amount = unit ? minor_units(c.amount, *unit, false) : std::nullopt;
  if (!amount || *amount <= 0)
    return errc::validation;
  if (*amount > amount_limit)
    return errc::overflow;
  if (!in_bounds(c.ttl_ns))
    return errc::validation;
  hold h;
  h.id = c.id;
  h.currency = *unit;
  h.feature = c.feature;
  h.slices = collect(*unit, c.feature, *amount, clock_);
  h.expires_at = plus_ns(clock_, c.ttl_ns);
  auto missing = *amount;
  for (const auto& p : h.slices) {
    missing -= p.amount;
    h.expires_at = std::min(h.expires_at, sources_[p.source].until.value_or(h.expires_at));
  }
  if (h.slices.empty() || (missing > 0 && !c.up_to))
    return errc::insufficient_funds;
  touched_.named.insert(*unit);
  touched_.body = view(h, clock_);
  holds_.push_back(std::move(h));
  return std::nullopt;
}

// From what is held in its order, then from what is free.
model::refused model::on(const command::settle_reservation& c) {
  if (c.amount.is_negative())
    return errc::validation;
  auto* h = standing(c.id);
  if (h == nullptr)
    return errc::not_found;
  const auto amount = minor_units(c.amount, h->currency, false);
  if (!amount)
    return errc::validation;
  if (*amount > amount_limit)
    return errc::overflow;
  h->state = hold_state::settled;
  touched_.named.insert(h->currency);
  reply::consumed done{c.id, h->currency, code_of(h->currency), 0, 0, {}};
  if (*amount > 0) {
    std::vector<slice> parts;
    for (const auto& p : h->slices)
      if (const auto some = std::min(p.amount, *amount - done.booked); some > 0) {
        parts.push_back({p.source, some});
        done.booked += some;
      }
    const auto user = spend_of_unit(c.id, h->currency);
    const auto held = parts;
    for (const auto& p : held) // what is taken is not there for the rest
      sources_[p.source].left -= p.amount;
    const auto more = collect(h->currency, h->feature, *amount - done.booked, clock_);
    for (const auto& p : held)
      sources_[p.source].left += p.amount;
    // More of a grant that was held joins what was held of it.
    for (const auto& p : more) {
      const auto same = std::ranges::find(parts, p.source, &slice::source);
      if (same == parts.end())
        parts.push_back(p);
      else
        same->amount += p.amount;
      done.booked += p.amount;
    }
    take(user, parts);
    done.slices = told_of(parts);
    if (const auto no = shortfall(user, h->feature, *amount - done.booked, done))
      return no;
  }
  touched_.body = std::move(done);
  return std::nullopt;
}

model::refused model::on(const command::release_reservation& c) {
  auto* h = standing(c.id);
  if (h == nullptr)
    return errc::not_found;
  h->state = hold_state::released;
  touched_.named.insert(h->currency);
  touched_.body = view(*h, clock_);
  return std::nullopt;
}

// From now on, never backwards, and never past the end of the credit under it.
model::refused model::on(const command::extend_reservation& c) {
  if (!in_bounds(c.ttl_ns))
    return errc::validation;
  auto* h = standing(c.reservation);
  if (h == nullptr)
    return errc::not_found;
  auto until = plus_ns(clock_, c.ttl_ns);
  for (const auto& p : h->slices)
    until = std::min(until, sources_[p.source].until.value_or(until));
  h->expires_at = std::max(h->expires_at, until);
  touched_.named.insert(h->currency);
  touched_.body = view(*h, clock_);
  return std::nullopt;
}

reply::reservation_view model::view(const hold& h, instant now) const {
  reply::reservation_view v;
  v.id = h.id;
  v.currency = h.currency;
  v.code = code_of(h.currency);
  if (!h.stands(now)) {
    v.status = h.state == hold_state::settled    ? "settled"
               : h.state == hold_state::released ? "released"
                                                 : "expired";
    return v;
  }
  v.status = "held";
  v.expires_at = h.expires_at;
  for (const auto& p : h.slices) {
    v.held += p.amount;
    v.slices.push_back({sources_[p.source].id, p.amount, sources_[p.source].until});
  }
  return v;
}

} // namespace accrue::histories
