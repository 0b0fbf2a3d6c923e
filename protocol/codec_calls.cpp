// Commands as a client writes them. Messages are overwritten in place, so that a load driver that sends
// the same kind again and again allocates nothing.
#include "protocol/codec_credit.hpp"

namespace accrue::wire {

namespace {

using wire::write;

template <class Message>
void put_features(Message& m, const std::vector<std::string>& features) {
  for (const auto& feature : features)
    m.add_features(feature);
}

void write(const command::put_customer& c, v1::PutCustomer& m) {
  if (c.currency)
    m.set_currency(*c.currency);
  if (c.over_settlement)
    m.set_over_settlement(static_cast<v1::OverSettlement>(*c.over_settlement));
  if (c.tax) {
    auto& tax = *m.mutable_tax();
    if (*c.tax) {
      tax.set_name((*c.tax)->name());
      tax.set_rate((*c.tax)->fraction().to_string());
    }
  }
  if (!c.advance_limit)
    return;
  auto& limits = *m.mutable_advance_limit();
  for (const auto& [code, amount] : *c.advance_limit) {
    auto& limit = *limits.add_limits();
    limit.set_currency(code);
    limit.set_amount(amount.to_string());
  }
}

void write(const command::grant_credit& c, v1::GrantCredit& m) {
  m.set_id(c.id);
  m.set_amount(c.amount.to_string());
  m.set_currency(c.currency);
  m.set_priority(c.priority);
  put_features(m, c.features);
  if (c.effective_at)
    put_instant(*m.mutable_effective_at(), *c.effective_at);
  if (c.expires_at)
    put_instant(*m.mutable_expires_at(), *c.expires_at);
  m.set_funding(static_cast<v1::GrantFunding>(c.funding));
  if (c.cost_basis)
    m.set_cost_basis(c.cost_basis->to_string());
  if (c.fiat_currency)
    m.set_fiat_currency(*c.fiat_currency);
}

void write(const command::consume& c, v1::Consume& m) {
  m.set_id(c.id);
  m.set_amount(c.amount.to_string());
  m.set_currency(c.currency);
  m.set_feature(c.feature);
}

void write(const command::create_charge& c, v1::CreateCharge& m) {
  m.set_id(c.id);
  m.set_mode(static_cast<v1::SettlementMode>(c.mode));
  m.set_amount(c.amount.to_string());
  m.set_currency(c.currency);
  put_period(*m.mutable_service_period(), c.service_period);
  if (c.full_service_period)
    put_period(*m.mutable_full_service_period(), *c.full_service_period);
  if (c.invoice_at)
    put_instant(*m.mutable_invoice_at(), *c.invoice_at);
  m.set_term(static_cast<v1::PaymentTerm>(c.term));
  m.set_feature(c.feature);
}

void write(const command::advance_charge& c, v1::AdvanceCharge& m) { m.set_charge(c.charge); }

void write(const command::invoice_pending& c, v1::InvoicePending& m) {
  if (c.currency)
    m.set_currency(*c.currency);
  if (c.as_of)
    put_instant(*m.mutable_as_of(), *c.as_of);
  for (const auto& charge : c.charges)
    m.add_charges(charge);
}

void write(const command::approve_invoice& c, v1::ApproveInvoice& m) { m.set_invoice(c.invoice); }
void write(const command::advance_invoice& c, v1::AdvanceInvoice& m) { m.set_invoice(c.invoice); }
void write(const command::retry_invoice& c, v1::RetryInvoice& m) { m.set_invoice(c.invoice); }
void write(const command::pay_invoice& c, v1::PayInvoice& m) { m.set_invoice(c.invoice); }
void write(const command::write_off_invoice& c, v1::WriteOffInvoice& m) {
  m.set_invoice(c.invoice);
}

void write(const command::authorize_payment& c, v1::AuthorizePayment& m) {
  m.set_invoice(c.invoice);
  if (c.amount)
    m.set_amount(c.amount->to_string());
}

void write(const command::settle_payment& c, v1::SettlePayment& m) {
  m.set_invoice(c.invoice);
  if (c.amount)
    m.set_amount(c.amount->to_string());
}

/// Opening credit and advance are given in the same way.
template <class Command, class Message>
void write_opening(const Command& c, Message& m) {
  m.set_id(c.id);
  m.set_amount(c.amount.to_string());
  m.set_currency(c.currency);
  put_features(m, c.features);
  if (c.at)
    put_instant(*m.mutable_at(), *c.at);
}
void write(const command::open_credit& c, v1::OpenCredit& m) {
  write_opening(c, m);
  if (c.expires_at)
    put_instant(*m.mutable_expires_at(), *c.expires_at);
}
void write(const command::open_advance& c, v1::OpenAdvance& m) { write_opening(c, m); }

void write(const command::open_balances& c, v1::OpenBalances& m) {
  m.set_id(c.id);
  for (const auto& each : c.credits)
    write(each, *m.add_credits());
  for (const auto& each : c.advances)
    write(each, *m.add_advances());
}

void write(const command::create_credit_unit& c, v1::CreateCreditUnit& m) {
  m.set_code(c.code);
  m.set_exponent(c.exponent);
}

void write(const command::put_billing_profile& c, v1::PutBillingProfile& m) {
  if (c.auto_advance)
    m.set_auto_advance(*c.auto_advance);
  if (c.draft_period_ns)
    m.set_draft_period_ns(*c.draft_period_ns);
  if (c.due_after_ns)
    m.set_due_after_ns(*c.due_after_ns);
  if (c.recognition)
    m.set_recognition(static_cast<v1::RecognitionPolicy>(*c.recognition));
}

void write(const command::put_catalog& c, v1::PutCatalog& m) {
  write_catalog(c.catalog, *m.mutable_catalog());
}

void write(const command::get_quote& c, v1::GetQuote& m) {
  m.set_plan(c.plan);
  m.set_version(c.version);
  m.set_phase(c.phase);
  for (const auto& key : c.add_ons)
    m.add_add_ons(key);
  for (const auto& [card, quantity] : c.usage) {
    auto& used = *m.add_usage();
    used.set_rate_card(card);
    used.set_quantity(quantity.to_string());
  }
  put_period(*m.mutable_service_period(), c.service_period);
  if (c.full_service_period)
    put_period(*m.mutable_full_service_period(), *c.full_service_period);
}

void write(const command::get_balance& c, v1::GetBalance& m) {
  if (c.currency)
    m.set_currency(*c.currency);
  wire::write(c.filter, *m.mutable_filter());
  if (c.as_of)
    put_instant(*m.mutable_as_of(), *c.as_of);
}

void write(const command::get_charge& c, v1::GetCharge& m) { m.set_charge(c.charge); }
void write(const command::get_invoice& c, v1::GetInvoice& m) { m.set_invoice(c.invoice); }

void write(const command::run_due&, v1::RunDue&) {}
void write(const command::get_customer&, v1::GetCustomer&) {}
void write(const command::list_invoices&, v1::ListInvoices&) {}
void write(const command::get_accounts&, v1::GetAccounts&) {}
void write(const command::get_catalog&, v1::GetCatalog&) {}
void write(const get_status&, v1::GetStatus&) {}

void write(const console_line& c, v1::ConsoleLine& m) { m.set_line(c.line); }
void write(const inspect& c, v1::Inspect& m) { m.set_customer(c.customer); }

void write(const list_customers& c, v1::ListCustomers& m) {
  m.set_after(c.after);
  m.set_limit(c.limit);
}

void write(const list_quarantine& c, v1::ListQuarantine& m) { m.set_limit(c.limit); }

void write(const lift_quarantine& c, v1::LiftQuarantine& m) {
  m.set_customer(c.customer);
  m.set_reason(c.reason);
}

// The message of each kind inside the envelope.
struct place {
  v1::Command& m;

  auto* operator()(const command::put_customer&) const { return m.mutable_put_customer(); }
  auto* operator()(const command::grant_credit&) const { return m.mutable_grant_credit(); }
  auto* operator()(const command::consume&) const { return m.mutable_consume(); }
  auto* operator()(const command::create_charge&) const { return m.mutable_create_charge(); }
  auto* operator()(const command::advance_charge&) const { return m.mutable_advance_charge(); }
  auto* operator()(const command::invoice_pending&) const { return m.mutable_invoice_pending(); }
  auto* operator()(const command::approve_invoice&) const { return m.mutable_approve_invoice(); }
  auto* operator()(const command::advance_invoice&) const { return m.mutable_advance_invoice(); }
  auto* operator()(const command::retry_invoice&) const { return m.mutable_retry_invoice(); }
  auto* operator()(const command::authorize_payment&) const {
    return m.mutable_authorize_payment();
  }
  auto* operator()(const command::settle_payment&) const { return m.mutable_settle_payment(); }
  auto* operator()(const command::pay_invoice&) const { return m.mutable_pay_invoice(); }
  auto* operator()(const command::open_credit&) const { return m.mutable_open_credit(); }
  auto* operator()(const command::open_advance&) const { return m.mutable_open_advance(); }
  auto* operator()(const command::run_due&) const { return m.mutable_run_due(); }
  auto* operator()(const command::create_credit_unit&) const {
    return m.mutable_create_credit_unit();
  }
  auto* operator()(const command::put_billing_profile&) const {
    return m.mutable_put_billing_profile();
  }
  auto* operator()(const command::get_customer&) const { return m.mutable_get_customer(); }
  auto* operator()(const command::get_balance&) const { return m.mutable_get_balance(); }
  auto* operator()(const command::get_charge&) const { return m.mutable_get_charge(); }
  auto* operator()(const command::get_invoice&) const { return m.mutable_get_invoice(); }
  auto* operator()(const command::list_invoices&) const { return m.mutable_list_invoices(); }
  auto* operator()(const command::get_accounts&) const { return m.mutable_get_accounts(); }
  auto* operator()(const command::put_catalog&) const { return m.mutable_put_catalog(); }
  auto* operator()(const command::get_catalog&) const { return m.mutable_get_catalog(); }
  auto* operator()(const command::get_quote&) const { return m.mutable_get_quote(); }
  auto* operator()(const command::authorize_grant&) const { return m.mutable_authorize_grant(); }
  auto* operator()(const command::settle_grant&) const { return m.mutable_settle_grant(); }
  auto* operator()(const command::void_grant&) const { return m.mutable_void_grant(); }
  auto* operator()(const command::refund_grant&) const { return m.mutable_refund_grant(); }
  auto* operator()(const command::write_off_grant&) const { return m.mutable_write_off_grant(); }
  auto* operator()(const command::write_off_invoice&) const {
    return m.mutable_write_off_invoice();
  }
  auto* operator()(const command::correct_charge&) const { return m.mutable_correct_charge(); }
  auto* operator()(const command::recognize&) const { return m.mutable_recognize(); }
  auto* operator()(const command::reserve&) const { return m.mutable_reserve(); }
  auto* operator()(const command::settle_reservation&) const {
    return m.mutable_settle_reservation();
  }
  auto* operator()(const command::release_reservation&) const {
    return m.mutable_release_reservation();
  }
  auto* operator()(const command::extend_reservation&) const {
    return m.mutable_extend_reservation();
  }
  auto* operator()(const command::get_grant&) const { return m.mutable_get_grant(); }
  auto* operator()(const command::list_grants&) const { return m.mutable_list_grants(); }
  auto* operator()(const command::get_reservation&) const { return m.mutable_get_reservation(); }
  auto* operator()(const command::list_transactions&) const {
    return m.mutable_list_transactions();
  }
  auto* operator()(const command::open_balances&) const { return m.mutable_open_balances(); }
  auto* operator()(const console_line&) const { return m.mutable_console_line(); }
  auto* operator()(const get_status&) const { return m.mutable_get_status(); }
  auto* operator()(const inspect&) const { return m.mutable_inspect(); }
  auto* operator()(const list_customers&) const { return m.mutable_list_customers(); }
  auto* operator()(const list_quarantine&) const { return m.mutable_list_quarantine(); }
  auto* operator()(const lift_quarantine&) const { return m.mutable_lift_quarantine(); }
};

} // namespace

void write_call(const call& c, v1::Command& m) {
  m.set_customer(c.customer);
  m.clear_idempotency_key();
  if (!c.key.empty())
    m.set_idempotency_key(c.key);
  m.clear_expected_sequence();
  if (c.expected_sequence)
    m.set_expected_sequence(c.expected_sequence->value);
  m.clear_deadline_ms();
  if (c.deadline_ms)
    m.set_deadline_ms(*c.deadline_ms);
  std::visit(
      [&](const auto& kinds) {
        std::visit(
            [&](const auto& body) {
              auto* const part = place{m}(body);
              part->Clear();
              write(body, *part);
            },
            kinds);
      },
      c.body);
}

} // namespace accrue::wire
