// See codec_credit.hpp.
#include "protocol/codec_credit.hpp"

namespace accrue::wire {

static_assert(v1::FeatureFilter::VIEW_FEATURE == static_cast<int>(command::feature_view::feature));
static_assert(v1::ListGrants::STATUS_VOIDED == static_cast<int>(command::grant_state::voided));
static_assert(v1::ListTransactions::ROW_TYPE_VOIDED == static_cast<int>(command::row_type::voided));

namespace {

template <class Message>
std::optional<decimal> optional_amount(const Message& m, field_reader& in) {
  if (!m.has_amount())
    return std::nullopt;
  return in.number("amount", m.amount());
}

template <class Command, class Message>
void write_payment(const Command& c, Message& m) {
  m.set_grant(c.grant);
  if (c.amount)
    m.set_amount(c.amount->to_string());
}

} // namespace

command::feature_filter read(const v1::FeatureFilter& m, field_reader& in) {
  using view = command::feature_view;
  command::feature_filter f;
  in.only_known(m, "filter");
  f.view = in.choice("filter.view", m.view(), v1::FeatureFilter::View_IsValid(m.view()), view::all);
  f.feature = in.optional_reference("filter.feature", m.feature());
  if ((f.view == view::feature) == f.feature.empty())
    in.fail("filter.feature", "belongs to VIEW_FEATURE, and only there.");
  return f;
}
void write(const command::feature_filter& f, v1::FeatureFilter& m) {
  m.set_view(static_cast<v1::FeatureFilter::View>(f.view));
  m.set_feature(f.feature);
}

// ------------------------------------------------------------------------------- commands

command::authorize_grant read(const v1::AuthorizeGrant& m, field_reader& in) {
  return {in.reference("grant", m.grant()), optional_amount(m, in)};
}
void write(const command::authorize_grant& c, v1::AuthorizeGrant& m) { write_payment(c, m); }

command::settle_grant read(const v1::SettleGrant& m, field_reader& in) {
  return {in.reference("grant", m.grant()), optional_amount(m, in)};
}
void write(const command::settle_grant& c, v1::SettleGrant& m) { write_payment(c, m); }

command::void_grant read(const v1::VoidGrant& m, field_reader& in) {
  return {in.reference("grant", m.grant()), m.refund()};
}
void write(const command::void_grant& c, v1::VoidGrant& m) {
  m.set_grant(c.grant);
  m.set_refund(c.refund);
}

command::refund_grant read(const v1::RefundGrant& m, field_reader& in) {
  return {in.reference("grant", m.grant()), optional_amount(m, in)};
}
void write(const command::refund_grant& c, v1::RefundGrant& m) { write_payment(c, m); }

command::write_off_grant read(const v1::WriteOffGrant& m, field_reader& in) {
  return {in.reference("grant", m.grant())};
}
void write(const command::write_off_grant& c, v1::WriteOffGrant& m) { m.set_grant(c.grant); }

command::correct_charge read(const v1::CorrectCharge& m, field_reader& in) {
  return {in.reference("charge", m.charge()), optional_amount(m, in)};
}
void write(const command::correct_charge& c, v1::CorrectCharge& m) {
  m.set_charge(c.charge);
  if (c.amount)
    m.set_amount(c.amount->to_string());
}

command::recognize read(const v1::Recognize& m, field_reader& in) {
  using what = command::recognizable;
  if (m.invoiced() && m.both())
    in.fail("both", "goes without invoiced.");
  return {in.optional_instant("as_of", m.has_as_of(), m.as_of()),
          m.both()       ? what::both
          : m.invoiced() ? what::invoiced
                         : what::credit};
}
void write(const command::recognize& c, v1::Recognize& m) {
  if (c.as_of)
    put_instant(*m.mutable_as_of(), *c.as_of);
  m.set_invoiced(c.what == command::recognizable::invoiced);
  m.set_both(c.what == command::recognizable::both);
}

command::reserve read(const v1::Reserve& m, field_reader& in) {
  command::reserve c;
  c.id = in.reference("id", m.id());
  c.amount = in.number("amount", m.amount());
  c.currency = in.currency_code("currency", m.currency());
  c.feature = in.optional_reference("feature", m.feature());
  c.ttl_ns = m.ttl_ns();
  c.up_to = m.up_to();
  return c;
}
void write(const command::reserve& c, v1::Reserve& m) {
  m.set_id(c.id);
  m.set_amount(c.amount.to_string());
  m.set_currency(c.currency);
  m.set_feature(c.feature);
  m.set_ttl_ns(c.ttl_ns);
  m.set_up_to(c.up_to);
}

command::settle_reservation read(const v1::SettleReservation& m, field_reader& in) {
  return {in.reference("id", m.id()), in.number("amount", m.amount())};
}
void write(const command::settle_reservation& c, v1::SettleReservation& m) {
  m.set_id(c.id);
  m.set_amount(c.amount.to_string());
}

command::release_reservation read(const v1::ReleaseReservation& m, field_reader& in) {
  return {in.reference("id", m.id())};
}
void write(const command::release_reservation& c, v1::ReleaseReservation& m) { m.set_id(c.id); }

command::extend_reservation read(const v1::ExtendReservation& m, field_reader& in) {
  return {in.reference("reservation", m.reservation()), m.ttl_ns()};
}
void write(const command::extend_reservation& c, v1::ExtendReservation& m) {
  m.set_reservation(c.reservation);
  m.set_ttl_ns(c.ttl_ns);
}

command::get_grant read(const v1::GetGrant& m, field_reader& in) {
  return {in.reference("grant", m.grant())};
}
void write(const command::get_grant& c, v1::GetGrant& m) { m.set_grant(c.grant); }

command::list_grants read(const v1::ListGrants& m, field_reader& in) {
  return {in.choice(
      "status", m.status(), v1::ListGrants::Status_IsValid(m.status()), command::grant_state::any)};
}
void write(const command::list_grants& c, v1::ListGrants& m) {
  m.set_status(static_cast<v1::ListGrants::Status>(c.status));
}

command::get_reservation read(const v1::GetReservation& m, field_reader& in) {
  return {in.reference("reservation", m.reservation())};
}
void write(const command::get_reservation& c, v1::GetReservation& m) {
  m.set_reservation(c.reservation);
}

command::list_transactions read(const v1::ListTransactions& m, field_reader& in) {
  command::list_transactions c;
  if (m.has_currency())
    c.currency = in.currency_code("currency", m.currency());
  c.type = in.choice(
      "type", m.type(), v1::ListTransactions::RowType_IsValid(m.type()), command::row_type::any);
  if (m.has_filter())
    c.filter = read(m.filter(), in);
  c.as_of = in.optional_instant("as_of", m.has_as_of(), m.as_of());
  c.after = m.after();
  c.before = m.before();
  if (m.limit() > command::list_transactions::limit_max)
    in.fail("limit", "must be 1 to 100.");
  if (m.limit() != 0)
    c.limit = m.limit();
  return c;
}
void write(const command::list_transactions& c, v1::ListTransactions& m) {
  if (c.currency)
    m.set_currency(*c.currency);
  m.set_type(static_cast<v1::ListTransactions::RowType>(c.type));
  write(c.filter, *m.mutable_filter());
  if (c.as_of)
    put_instant(*m.mutable_as_of(), *c.as_of);
  m.set_after(c.after);
  m.set_before(c.before);
  m.set_limit(c.limit);
}

// -------------------------------------------------------------------------------- replies

reply::grant_view read(const v1::GrantView& m, field_reader& in) {
  reply::grant_view v;
  v.id = m.id();
  v.currency = in.required_currency("currency", m.has_currency(), m.currency(), v.code);
  v.amount = in.amount("amount", m.amount(), v.currency);
  v.effective_at = in.required_instant("effective_at", m.has_effective_at(), m.effective_at());
  v.funding = m.funding();
  v.status = m.status();
  v.internal_status = m.internal_status();
  v.payment = m.payment();
  v.priority = static_cast<std::uint16_t>(m.priority());
  v.features.assign(m.features().begin(), m.features().end());
  v.expires_at = in.optional_instant("expires_at", m.has_expires_at(), m.expires_at());
  v.voided_at = in.optional_instant("voided_at", m.has_voided_at(), m.voided_at());
  if (m.has_cost_basis())
    v.cost_basis = in.number("cost_basis", m.cost_basis());
  if (m.has_fiat()) {
    v.fiat = in.required_currency("fiat", true, m.fiat(), v.fiat_code);
    v.fiat_amount = in.amount("fiat_amount", m.fiat_amount(), *v.fiat);
    v.authorized = in.amount("authorized", m.authorized(), *v.fiat);
    v.settled = in.amount("settled", m.settled(), *v.fiat);
    v.written_off = in.later_amount("written_off", m.written_off(), *v.fiat);
    v.claim = in.later_amount("claim", m.claim(), *v.fiat);
    v.refunded = in.later_amount("refunded", m.refunded(), *v.fiat);
  }
  return v;
}
void write(const reply::grant_view& v, v1::GrantView& m) {
  m.set_id(v.id);
  put_currency(*m.mutable_currency(), v.currency, v.code);
  m.set_amount(amount_text(v.amount, v.currency));
  put_instant(*m.mutable_effective_at(), v.effective_at);
  m.set_funding(v.funding);
  m.set_status(v.status);
  m.set_internal_status(v.internal_status);
  m.set_payment(v.payment);
  m.set_priority(v.priority);
  for (const auto& feature : v.features)
    m.add_features(feature);
  if (v.expires_at)
    put_instant(*m.mutable_expires_at(), *v.expires_at);
  if (v.voided_at)
    put_instant(*m.mutable_voided_at(), *v.voided_at);
  if (v.cost_basis)
    m.set_cost_basis(v.cost_basis->to_string());
  if (v.fiat) {
    put_currency(*m.mutable_fiat(), *v.fiat, v.fiat_code);
    m.set_fiat_amount(amount_text(v.fiat_amount, *v.fiat));
    m.set_authorized(amount_text(v.authorized, *v.fiat));
    m.set_settled(amount_text(v.settled, *v.fiat));
    m.set_written_off(amount_text(v.written_off, *v.fiat));
    m.set_claim(amount_text(v.claim, *v.fiat));
    m.set_refunded(amount_text(v.refunded, *v.fiat));
  }
}

reply::grants read(const v1::Grants& m, field_reader& in) {
  reply::grants v;
  for (const auto& item : m.items())
    v.items.push_back(read(item, in));
  return v;
}
void write(const reply::grants& v, v1::Grants& m) {
  for (const auto& item : v.items)
    write(item, *m.add_items());
}

reply::reservation_view read(const v1::ReservationView& m, field_reader& in) {
  reply::reservation_view v;
  v.id = m.id();
  v.status = m.status();
  v.expires_at = in.optional_instant("expires_at", m.has_expires_at(), m.expires_at());
  if (m.currency().code().empty()) // it is over, and nothing is held
    return v;
  v.currency = in.required_currency("currency", true, m.currency(), v.code);
  v.held = in.amount("held", m.held(), v.currency);
  for (const auto& s : m.slices())
    v.slices.push_back(
        {s.grant(),
         in.amount("slices.amount", s.amount(), v.currency),
         in.optional_instant("slices.expires_at", s.has_expires_at(), s.expires_at())});
  return v;
}
void write(const reply::reservation_view& v, v1::ReservationView& m) {
  m.set_id(v.id);
  m.set_status(v.status);
  if (v.expires_at)
    put_instant(*m.mutable_expires_at(), *v.expires_at);
  if (v.code.empty())
    return;
  put_currency(*m.mutable_currency(), v.currency, v.code);
  m.set_held(amount_text(v.held, v.currency));
  for (const auto& s : v.slices) {
    auto& slice = *m.add_slices();
    slice.set_grant(s.grant);
    slice.set_amount(amount_text(s.amount, v.currency));
    if (s.expires_at)
      put_instant(*slice.mutable_expires_at(), *s.expires_at);
  }
}

reply::corrected read(const v1::Corrected& m, field_reader& in) {
  reply::corrected v;
  v.id = m.id();
  v.currency = in.required_currency("currency", m.has_currency(), m.currency(), v.code);
  v.amount = in.amount("amount", m.amount(), v.currency);
  return v;
}
void write(const reply::corrected& v, v1::Corrected& m) {
  m.set_id(v.id);
  put_currency(*m.mutable_currency(), v.currency, v.code);
  m.set_amount(amount_text(v.amount, v.currency));
}

reply::recognized read(const v1::Recognized& m, field_reader& in) {
  reply::recognized v;
  v.through = sequence(m.through());
  for (const auto& part : m.amounts()) {
    auto& sum = v.amounts.emplace_back();
    sum.currency =
        in.required_currency("amounts.currency", part.has_currency(), part.currency(), sum.code);
    sum.amount = in.amount("amounts.amount", part.amount(), sum.currency);
  }
  return v;
}
void write(const reply::recognized& v, v1::Recognized& m) {
  m.set_through(v.through.value);
  for (const auto& sum : v.amounts) {
    auto& part = *m.add_amounts();
    put_currency(*part.mutable_currency(), sum.currency, sum.code);
    part.set_amount(amount_text(sum.amount, sum.currency));
  }
}

reply::transactions read(const v1::Transactions& m, field_reader& in) {
  reply::transactions v;
  for (const auto& part : m.rows()) {
    auto& row = v.rows.emplace_back();
    row.type = part.type();
    row.booked_at = in.required_instant("rows.booked_at", part.has_booked_at(), part.booked_at());
    row.recorded_at =
        in.required_instant("rows.recorded_at", part.has_recorded_at(), part.recorded_at());
    row.backdated = part.backdated();
    row.currency =
        in.required_currency("rows.currency", part.has_currency(), part.currency(), row.code);
    row.amount = in.amount("rows.amount", part.amount(), row.currency);
    row.before = in.amount("rows.before", part.before(), row.currency);
    row.after = in.amount("rows.after", part.after(), row.currency);
    row.reference = part.reference();
    row.cursor = part.cursor();
  }
  v.next = m.next();
  v.previous = m.previous();
  return v;
}
void write(const reply::transactions& v, v1::Transactions& m) {
  for (const auto& row : v.rows) {
    auto& part = *m.add_rows();
    part.set_type(row.type);
    put_instant(*part.mutable_booked_at(), row.booked_at);
    put_instant(*part.mutable_recorded_at(), row.recorded_at);
    part.set_backdated(row.backdated);
    put_currency(*part.mutable_currency(), row.currency, row.code);
    part.set_amount(amount_text(row.amount, row.currency));
    part.set_before(amount_text(row.before, row.currency));
    part.set_after(amount_text(row.after, row.currency));
    part.set_reference(row.reference);
    part.set_cursor(row.cursor);
  }
  m.set_next(v.next);
  m.set_previous(v.previous);
}

} // namespace accrue::wire
