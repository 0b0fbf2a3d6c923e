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
  s.settled += *amount;
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
    s.not_owed += std::min(taken, s.amount - s.not_owed - promised);
  }
  move(*n, taken, clock_);
  if (!s.voided_at)
    s.voided_at = clock_;
  touched_.body = view(s, clock_);
  return std::nullopt;
}

} // namespace accrue::histories
