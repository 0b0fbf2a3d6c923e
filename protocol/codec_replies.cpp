// Receipts as a server writes them.
// How clients read them is in codec_answers.cpp.
#include "protocol/codec_credit.hpp"

namespace accrue::wire {

namespace {

using wire::write;

static_assert(v1::ACCOUNT_TYPE_TAX_PAYABLE == static_cast<int>(ledger::account_type::tax_payable));
static_assert(ledger::account_type_count == v1::AccountType_ARRAYSIZE - 1);
static_assert(v1::STAGE_AUTHORIZED == static_cast<int>(ledger::stage::authorized));

void write(const reply::balance& b, v1::Balance& m) {
  put_currency(*m.mutable_currency(), b.currency, b.code);
  m.set_settled(amount_text(b.settled, b.currency));
  m.set_pending(amount_text(b.pending, b.currency));
  if (b.historical)
    return;
  m.set_live(amount_text(b.live, b.currency));
  m.set_reserved(amount_text(b.reserved, b.currency));
}

void write(const reply::tax& t, currency c, v1::Tax& m) {
  m.set_name(t.name);
  m.set_rate(t.rate.to_string());
  m.set_base(amount_text(t.base, c));
  m.set_amount(amount_text(t.amount, c));
}

void write(const reply::customer_view& v, v1::CustomerView& m) {
  m.set_reference(v.reference);
  m.set_number(v.number.value);
  m.set_currency(v.currency);
  m.set_over_settlement(static_cast<v1::OverSettlement>(v.over_settlement));
  put_instant(*m.mutable_created_at(), v.created_at);
  m.set_tax_name(v.tax_name);
  if (!v.tax_name.empty())
    m.set_tax_rate(v.tax_rate.to_string());
}

void write(const reply::consumed& v, v1::Consumed& m) {
  m.set_id(v.id);
  put_currency(*m.mutable_currency(), v.currency, v.code);
  m.set_booked(amount_text(v.booked, v.currency));
  m.set_uncovered(amount_text(v.uncovered, v.currency));
  for (const auto& slice : v.slices) {
    auto& taken = *m.add_slices();
    taken.set_grant(slice.grant);
    taken.set_amount(amount_text(slice.amount, v.currency));
  }
}

void write(const reply::charge_view& v, v1::ChargeView& m) {
  m.set_id(v.id);
  put_currency(*m.mutable_currency(), v.currency, v.code);
  m.set_mode(static_cast<v1::SettlementMode>(v.mode));
  m.set_amount(amount_text(v.amount, v.currency));
  put_period(*m.mutable_service_period(), v.service_period);
  put_instant(*m.mutable_invoice_at(), v.invoice_at);
  m.set_status(v.status);
  m.set_detailed_status(v.detailed_status);
  if (v.advance_after)
    put_instant(*m.mutable_advance_after(), *v.advance_after);
  for (const auto& run : v.runs) {
    auto& part = *m.add_runs();
    for (const auto credit : run.credits)
      part.add_credits(amount_text(credit, v.currency));
    part.set_amount(amount_text(run.amount, v.currency));
    part.set_credit_total(amount_text(run.credit_total, v.currency));
    part.set_total(amount_text(run.total, v.currency));
  }
}

void write(const reply::invoice_view& v, v1::InvoiceView& m) {
  const auto text = [&](int128 minor) { return amount_text(minor, v.currency); };
  m.set_name(v.name);
  m.set_number(v.number);
  put_currency(*m.mutable_currency(), v.currency, v.code);
  m.set_status(v.status);
  for (const auto& line : v.lines) {
    auto& part = *m.add_lines();
    part.set_name(line.name);
    put_period(*part.mutable_period(), line.period);
    part.set_amount(text(line.amount));
    part.set_credits(text(line.credits));
    part.set_total(text(line.total));
    part.set_kind(line.kind);
  }
  m.set_amount(text(v.amount));
  m.set_credits(text(v.credits));
  m.set_total(text(v.total));
  m.set_authorized(text(v.authorized));
  m.set_settled(text(v.settled));
  m.set_written_off(text(v.written_off));
  for (const auto& issue : v.issues) {
    auto& part = *m.add_issues();
    part.set_critical(issue.critical);
    part.set_code(issue.code);
    part.set_text(printable(issue.text));
  }
  if (v.draft_until)
    put_instant(*m.mutable_draft_until(), *v.draft_until);
  if (v.issued_at)
    put_instant(*m.mutable_issued_at(), *v.issued_at);
  if (v.due_at)
    put_instant(*m.mutable_due_at(), *v.due_at);
  m.set_revision(v.revision);
  for (const auto& tax : v.taxes)
    write(tax, v.currency, *m.add_taxes());
}

void write(const reply::invoices& v, v1::Invoices& m) {
  for (const auto& item : v.items)
    write(item, *m.add_items());
}

void write(const reply::account_view& v, v1::AccountView& m) {
  const auto& route = v.address.route;
  m.set_account(static_cast<v1::AccountType>(v.address.account));
  put_currency(*m.mutable_currency(), route.currency, v.code);
  if (route.cost_basis)
    m.set_cost_basis(route.cost_basis->to_string());
  if (route.cost_basis_currency)
    put_currency(*m.mutable_cost_basis_currency(),
                 *route.cost_basis_currency,
                 iso_code(*route.cost_basis_currency));
  m.set_priority(route.priority);
  m.set_stage(static_cast<v1::Stage>(route.stage));
  for (const auto& feature : route.features)
    m.add_features(feature);
  m.set_balance(amount_text(v.balance, route.currency));
  if (v.money) {
    m.set_money(amount_text(v.money->minor, v.money->currency));
    put_currency(*m.mutable_money_currency(), v.money->currency, iso_code(v.money->currency));
  }
}

void write(const reply::accounts& v, v1::Accounts& m) {
  for (const auto& item : v.items)
    write(item, *m.add_items());
}

void write(const reply::balances& v, v1::Balances& m) {
  for (const auto& item : v.items)
    write(item, *m.add_items());
}

void write(const reply::opened& v, v1::Opened& m) {
  m.set_id(v.id);
  put_currency(*m.mutable_currency(), v.currency, v.code);
  m.set_amount(amount_text(v.amount, v.currency));
}

void write(const reply::ran_due& v, v1::RanDue& m) { m.set_steps(v.steps); }

void write(const reply::credit_unit_view& v, v1::CreditUnitView& m) {
  m.set_code(v.code);
  m.set_exponent(v.exponent);
}

void write(const reply::billing_profile_view& v, v1::BillingProfileView& m) {
  m.set_auto_advance(v.profile.auto_advance);
  m.set_draft_period_ns(v.profile.draft_period_ns);
  m.set_due_after_ns(v.profile.due_after_ns);
  m.set_recognition(static_cast<v1::RecognitionPolicy>(v.profile.recognition));
}

void write(const reply::catalog_stored& v, v1::CatalogStored& m) {
  m.set_meters(v.meters);
  m.set_features(v.features);
  m.set_add_ons(v.add_ons);
  m.set_plans(v.plans);
}

void write(const reply::catalog_view& v, v1::CatalogView& m) {
  write_catalog(v.catalog, *m.mutable_catalog());
}

void write(const reply::quote_view& v, v1::QuoteView& m) {
  const auto text = [&](int128 minor) { return amount_text(minor, v.currency); };
  m.set_plan(v.plan);
  m.set_version(v.version);
  put_currency(*m.mutable_currency(), v.currency, v.code);
  put_period(*m.mutable_service_period(), v.service_period);
  for (const auto& line : v.lines) {
    auto& part = *m.add_lines();
    part.set_kind(line.kind);
    part.set_name(line.name);
    part.set_amount(text(line.amount));
    part.set_discounts(text(line.discounts));
    for (const auto& d : line.detailed) {
      auto& detail = *part.add_detailed();
      detail.set_name(d.name);
      detail.set_reference(d.reference);
      detail.set_quantity(d.quantity.to_string());
      detail.set_per_unit(d.per_unit.to_string());
      detail.set_amount(text(d.amount));
      detail.set_discounts(text(d.discounts));
    }
  }
  m.set_subtotal(text(v.subtotal));
  for (const auto& tax : v.taxes)
    write(tax, v.currency, *m.add_taxes());
  m.set_total(text(v.total));
  if (v.after_credits) {
    auto& left = *m.mutable_after_credits();
    left.set_credits(text(v.after_credits->credits));
    left.set_tax(text(v.after_credits->tax));
    left.set_total(text(v.after_credits->total));
  }
}

void write(const console_text& v, v1::ConsoleText& m) {
  for (const auto& line : v.lines)
    m.add_lines(printable(line));
}

void write(const status& v, v1::Status& m) {
  for (const auto& [key, value] : v.entries) {
    auto& entry = *m.add_entries();
    entry.set_key(printable(key));
    entry.set_value(printable(value));
  }
}

void write(const customers& v, v1::Customers& m) {
  for (const auto& item : v.items) {
    auto& entry = *m.add_items();
    entry.set_reference(item.reference);
    entry.set_sequence(item.sequence.value);
  }
}

void write(const quarantined& v, v1::Quarantine& m) {
  for (const auto& [what, refused] : v.items) {
    auto& entry = *m.add_items();
    entry.set_customer(what.reference);
    put_instant(*entry.mutable_since(), what.since);
    entry.set_kind(static_cast<v1::QuarantineKind>(what.kind));
    entry.set_why(printable(what.why));
    entry.set_last_good(what.last_good.value);
    entry.set_refused(refused);
  }
  m.set_total(v.total);
}

void write(const quarantine_lifted& v, v1::QuarantineLifted& m) {
  m.set_customer(v.customer);
  m.set_sequence(v.sequence.value);
}

// The message of each body inside the receipt.
struct place {
  v1::Receipt& m;

  auto* operator()(const reply::customer_view&) const { return m.mutable_customer(); }
  auto* operator()(const reply::grant_view&) const { return m.mutable_grant(); }
  auto* operator()(const reply::consumed&) const { return m.mutable_consumed(); }
  auto* operator()(const reply::charge_view&) const { return m.mutable_charge(); }
  auto* operator()(const reply::invoice_view&) const { return m.mutable_invoice(); }
  auto* operator()(const reply::invoices&) const { return m.mutable_invoices(); }
  auto* operator()(const reply::accounts&) const { return m.mutable_accounts(); }
  auto* operator()(const reply::balances&) const { return m.mutable_balances(); }
  auto* operator()(const reply::opened&) const { return m.mutable_opened(); }
  auto* operator()(const reply::ran_due&) const { return m.mutable_ran_due(); }
  auto* operator()(const reply::credit_unit_view&) const { return m.mutable_credit_unit(); }
  auto* operator()(const reply::billing_profile_view&) const { return m.mutable_billing_profile(); }
  auto* operator()(const reply::catalog_stored&) const { return m.mutable_catalog_stored(); }
  auto* operator()(const reply::catalog_view&) const { return m.mutable_catalog(); }
  auto* operator()(const reply::quote_view&) const { return m.mutable_quote(); }
  auto* operator()(const reply::reservation_view&) const { return m.mutable_reservation(); }
  auto* operator()(const reply::corrected&) const { return m.mutable_corrected(); }
  auto* operator()(const reply::recognized&) const { return m.mutable_recognized(); }
  auto* operator()(const reply::grants&) const { return m.mutable_grants(); }
  auto* operator()(const reply::transactions&) const { return m.mutable_transactions(); }
  auto* operator()(const console_text&) const { return m.mutable_console_text(); }
  auto* operator()(const status&) const { return m.mutable_status(); }
  auto* operator()(const customers&) const { return m.mutable_customers(); }
  auto* operator()(const quarantined&) const { return m.mutable_quarantine(); }
  auto* operator()(const quarantine_lifted&) const { return m.mutable_quarantine_lifted(); }
};

// Overwrites the part in place: what stood there before keeps its memory for this one.
template <class Bodies>
void write_body(const Bodies& bodies, v1::Receipt& m) {
  std::visit(
      [&](const auto& body) {
        auto* const part = place{m}(body);
        part->Clear();
        write(body, *part);
      },
      bodies);
}

} // namespace

void write_receipt(const reply::receipt& r, v1::Receipt& m) {
  m.set_sequence(r.sequence.value);
  m.clear_after();
  for (const auto& balance : r.after)
    write(balance, *m.add_after());
  write_body(r.body, m);
}

void write_receipt(const operator_reply& r, v1::Receipt& m) {
  m.set_sequence(0);
  m.clear_after();
  write_body(r, m);
}

} // namespace accrue::wire
