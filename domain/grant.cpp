// Statuses of grants, and the arithmetic of paying and taking back what was bought. See grant.hpp.
#include "domain/grant.hpp"

#include <algorithm>

namespace accrue {

std::string_view to_string(funding f) noexcept {
  switch (f) {
  case funding::promotional:
    return "promotional";
  case funding::opening:
    return "opening";
  case funding::external:
    return "external";
  }
  return "promotional";
}

std::string_view to_string(grant_status s) noexcept {
  switch (s) {
  case grant_status::pending:
    return "pending";
  case grant_status::active:
    return "active";
  case grant_status::expired:
    return "expired";
  case grant_status::voided:
    return "voided";
  }
  return "active";
}

ledger::credit_terms grant::terms() const {
  const bool priced_unit = amount.currency.is_credit_unit() && details->fiat;
  return {id,
          amount,
          cost_basis(),
          priority,
          features,
          priced_unit ? details->fiat : std::optional<currency>()};
}

grant_status status_of(const grant& g, instant now) noexcept {
  if (g.details->voided_at)
    return grant_status::voided;
  if (g.details->expires_at <= now)
    return grant_status::expired;
  return g.effective_at > now ? grant_status::pending : grant_status::active;
}

namespace {

// 0 something is to be paid yet, 1 all is authorised, 2 all is settled: of the price that a void left.
int paid_so_far(const grant& g) {
  const auto due = purchase::price(g);
  if (!due || g.details->authorized == 0)
    return 0;
  const auto& d = *g.details;
  if (d.settled >= due->minor)
    return 2;
  return d.authorized >= due->minor ? 1 : 0;
}

} // namespace

std::string_view internal_status(const grant& g) {
  if (g.funding != funding::external)
    return "final";
  constexpr std::string_view names[] = {
      "active.payment.pending", "active.payment.authorized", "final"};
  return names[paid_so_far(g)];
}

std::string_view payment_status(const grant& g) {
  if (g.funding != funding::external)
    return {};
  constexpr std::string_view names[] = {"pending", "authorized", "settled"};
  return names[paid_so_far(g)];
}

namespace purchase {
namespace {

result<int128> fiat_for(const grant& g, int128 face) {
  const auto& d = *g.details;
  if (!d.cost_basis || !d.fiat)
    return 0;
  const auto m = multiply({face, g.amount.currency}, *d.cost_basis, *d.fiat);
  if (!m)
    return tl::unexpected(m.error());
  return m->minor;
}

int128 whole_of(const grant& g) noexcept { return g.amount.minor - g.details->voided_unauthorized; }

// The face that so much fiat stands for: by running total, so that all of the price is all of the face (D64).
result<int128> face_of(const grant& g, int128 fiat) {
  const auto due = price(g);
  if (!due)
    return tl::unexpected(due.error());
  if (fiat >= due->minor)
    return whole_of(g);
  const auto face = multiply_ratio({whole_of(g), g.amount.currency}, fiat, due->minor);
  if (!face)
    return tl::unexpected(face.error());
  return face->minor;
}

// The face of a step is what its running total moves by, whichever way.
result<step> closed(const grant& g, step s) {
  const auto face = face_of(g, s.after.authorized + s.after.written_off);
  if (!face)
    return tl::unexpected(face.error());
  const auto moved = *face - s.after.closed_face;
  s.posted.face = moved < 0 ? -moved : moved;
  s.after.closed_face = *face;
  return s;
}

} // namespace

result<money> price_of_whole(const grant& g) {
  const auto fiat = fiat_for(g, g.amount.minor);
  if (!fiat)
    return tl::unexpected(fiat.error());
  return money{*fiat, g.details->fiat.value_or(g.amount.currency)};
}

// What stays is paid at its price; what a void made the customer's again is as much as was claimed.
result<money> price(const grant& g) {
  const auto& d = *g.details;
  const auto stays = fiat_for(g, whole_of(g) - d.voided_paid);
  if (!stays)
    return tl::unexpected(stays.error());
  return money{*stays + d.claimed, d.fiat.value_or(g.amount.currency)};
}

result<step> authorize(const grant& g, int128 fiat) {
  const auto due = price(g);
  if (!due)
    return tl::unexpected(due.error());
  const auto& d = *g.details;
  const money open{std::max<int128>(due->minor - d.authorized - d.written_off, 0), due->currency};
  if (fiat > open.minor)
    return refuse(errc::over_authorization, "only " + to_string(open) + " is open", g.reference);
  if (fiat <= 0)
    return refuse(errc::validation, "a payment must be positive", g.reference);
  step s{{0, {fiat, due->currency}}, d};
  s.after.authorized += fiat;
  return closed(g, s);
}

result<step> write_off(const grant& g) {
  const auto due = price(g);
  if (!due)
    return tl::unexpected(due.error());
  const auto& d = *g.details;
  const auto open = std::max<int128>(due->minor - d.authorized - d.written_off, 0);
  step s{{0, {open, due->currency}}, d};
  s.after.written_off += open;
  return closed(g, s);
}

result<step> recover(const grant& g, int128 fiat) {
  const auto due = price(g);
  if (!due)
    return tl::unexpected(due.error());
  const auto& d = *g.details;
  const auto open = due->minor - d.authorized - d.written_off;
  const auto back = std::clamp<int128>(fiat - open, 0, d.written_off);
  step s{{0, {back, due->currency}}, d};
  s.after.written_off -= back;
  return closed(g, s);
}

// Cash pays for what stays first.
result<money> claim(const grant& g) {
  const auto due = price(g);
  if (!due)
    return tl::unexpected(due.error());
  const auto& d = *g.details;
  const auto cash = std::clamp<int128>(d.settled - (due->minor - d.claimed), 0, d.claimed);
  return money{cash - d.refunded, due->currency};
}

result<step> refund(const grant& g, int128 fiat) {
  const auto most = claim(g);
  if (!most)
    return tl::unexpected(most.error());
  if (fiat > most->minor)
    return refuse(errc::conflict, "only " + to_string(*most) + " can be paid back", g.reference);
  if (fiat <= 0)
    return refuse(errc::validation, "a refund must be positive", g.reference);
  step s{{0, {fiat, most->currency}}, *g.details};
  s.after.refunded += fiat;
  return s;
}

result<step> settle(const grant& g, int128 fiat) {
  const auto& d = *g.details;
  const money left{d.authorized - d.settled, d.fiat.value_or(g.amount.currency)};
  if (fiat > left.minor)
    return refuse(errc::over_settlement, "only " + to_string(left) + " is authorized", g.reference);
  if (fiat <= 0)
    return refuse(errc::validation, "a payment must be positive", g.reference);
  step s{{0, {fiat, left.currency}}, d};
  s.after.settled += fiat;
  return s;
}

// What is paid for what stays is kept; all else of the payment is the customer's again.
result<voiding> void_rest(const grant& g, int128 face, bool refund, instant now) {
  ENSURE(g.details->written_off == 0);
  auto changed = g;
  auto& d = changed.details.edit();
  const auto fiat = d.fiat.value_or(g.amount.currency);
  voiding v{{0, {0, fiat}}, 0, {0, {0, fiat}}, 0, {0, fiat}, {}};
  const auto kept = fiat_for(g, whole_of(g) - d.voided_paid - face);
  if (!kept)
    return tl::unexpected(kept.error());
  if (refund) { // an authorisation that is not settled goes first (D59)
    const auto stays = std::max(d.settled, std::min(d.authorized, *kept + d.claimed));
    const auto stands_for = face_of(changed, stays);
    if (!stands_for)
      return tl::unexpected(stands_for.error());
    if (stays < d.authorized) {
      v.released = {d.closed_face - *stands_for, {d.authorized - stays, fiat}};
      d.authorized = stays;
      d.closed_face = *stands_for;
    }
  }
  v.unauthorized = std::clamp<int128>(whole_of(changed) - d.closed_face, 0, face);
  d.voided_unauthorized += v.unauthorized;
  v.paid.face = face - v.unauthorized;
  d.voided_paid += v.paid.face;
  v.paid.fiat.minor = std::max<int128>(d.authorized - *kept - d.claimed, 0);
  d.claimed += v.paid.fiat.minor;
  const auto stands_for = face_of(changed, d.authorized);
  if (!stands_for)
    return tl::unexpected(stands_for.error());
  v.rounding = *stands_for - d.closed_face;
  d.closed_face += v.rounding;
  if (refund) {
    const auto cash = claim(changed);
    if (!cash)
      return tl::unexpected(cash.error());
    v.refunded = *cash;
    d.refunded += v.refunded.minor;
  }
  if (!d.voided_at)
    d.voided_at = now;
  v.after = d;
  return v;
}

} // namespace purchase

} // namespace accrue
