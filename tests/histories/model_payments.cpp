// Payments for grants and their voids in the reference model. Source: D12, D13, D20, D59, D64.
#include "tests/histories/model.hpp"
#include "tests/histories/numbers.hpp"

#include <algorithm>

namespace accrue::histories {

model::refused model::on(const command::authorize_grant& c) {
  const auto n = source_of(c.grant);
  if (!n)
    return errc::not_found;
  auto& s = sources_[*n];
  if (s.paid != funding::external)
    return errc::not_externally_funded;
  const auto open = s.owed() - s.authorized;
  if (!c.amount && open <= 0)
    return errc::unsupported_operation;
  const auto amount = c.amount ? minor_units(*c.amount, s.fiat, false) : std::optional(open);
  if (!amount || *amount <= 0)
    return errc::validation;
  if (*amount > open)
    return errc::over_authorization;
  s.authorized += *amount;
  s.written_off = std::min(s.written_off, s.owed() - s.authorized);
  touched_.currencies.insert({s.currency, s.fiat});
  touched_.body = view(s, clock_);
  return std::nullopt;
}

// Where nothing waits to be settled, what is settled is authorised too (D20).
model::refused model::on(const command::settle_grant& c) {
  const auto n = source_of(c.grant);
  if (!n)
    return errc::not_found;
  auto& s = sources_[*n];
  if (s.paid != funding::external)
    return errc::not_externally_funded;
  if (s.settled >= s.owed())
    return errc::unsupported_operation;
  const bool both = !c.amount && s.authorized == s.settled;
  const auto most = both ? s.owed() - s.authorized : s.authorized - s.settled;
  const auto amount = c.amount ? minor_units(*c.amount, s.fiat, false) : std::optional(most);
  if (!amount || *amount <= 0)
    return errc::validation;
  if (*amount > most)
    return errc::over_settlement;
  s.authorized += both ? *amount : 0;
  if (both)
    s.written_off = std::min(s.written_off, s.owed() - s.authorized);
  s.settled += *amount;
  touched_.currencies.insert({s.currency, s.fiat});
  touched_.body = view(s, clock_);
  return std::nullopt;
}

// Nobody pays what is open; nothing where nothing is.
model::refused model::on(const command::write_off_grant& c) {
  const auto n = source_of(c.grant);
  if (!n)
    return errc::not_found;
  auto& s = sources_[*n];
  if (s.paid != funding::external)
    return errc::not_externally_funded;
  const auto open = s.owed() - s.authorized - s.written_off;
  if (open <= 0 || (s.from > clock_ && !s.voided_at))
    return errc::conflict;
  s.written_off += open;
  touched_.currencies.insert({s.currency, s.fiat});
  touched_.body = view(s, clock_);
  return std::nullopt;
}

// What is the customer's again of what was paid (D59).
model::refused model::on(const command::refund_grant& c) {
  const auto n = source_of(c.grant);
  if (!n)
    return errc::not_found;
  auto& s = sources_[*n];
  if (s.paid != funding::external)
    return errc::not_externally_funded;
  const auto claim = s.claim();
  if (!c.amount && claim <= 0)
    return errc::conflict;
  const auto amount = c.amount ? minor_units(*c.amount, s.fiat, false) : std::optional(claim);
  if (!amount || *amount <= 0)
    return errc::validation;
  if (*amount > claim)
    return errc::conflict;
  s.refunded += *amount;
  touched_.currencies.insert({s.currency, s.fiat});
  touched_.body = view(s, clock_);
  return std::nullopt;
}

// Takes what is left and free: first what nobody has authorised yet. A refund releases what waits before.
model::refused model::on(const command::void_grant& c) {
  const auto n = source_of(c.grant);
  if (!n)
    return errc::not_found;
  auto& s = sources_[*n];
  touched_.named.insert(s.currency);
  const auto taken = free(*n, clock_);
  // Again: only what came back since and is free goes.
  if (s.voided_at && (s.ended(clock_) || taken <= 0)) {
    touched_.body = view(s, clock_);
    return std::nullopt;
  }
  if (s.ended(clock_) || s.from > clock_ || taken <= 0)
    return errc::conflict;
  if (s.paid == funding::external) {
    if (c.refund)
      s.authorized = s.settled;
    const auto promised = rounded(s.amount * s.authorized, s.owed());
    const auto unpaid = std::min(taken, s.amount - s.not_owed - promised);
    s.not_owed += unpaid;
    s.voided_paid += taken - unpaid;
    if (c.refund)
      s.refunded += s.claim();
    if (s.written_off != 0)
      s.written_off = std::max<int128>(s.owed() - s.authorized, 0);
  }
  move(*n, taken, clock_);
  if (!s.voided_at)
    s.voided_at = clock_;
  touched_.body = view(s, clock_);
  return std::nullopt;
}

} // namespace accrue::histories
