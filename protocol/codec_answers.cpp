// Receipts as a client reads them: unknown fields are nothing, the currency comes with its exponent.
// How servers write them is in codec_replies.cpp.
#include "protocol/codec_credit.hpp"

namespace accrue::wire {

namespace {

reply::balance read(const v1::Balance& m, field_reader& in) {
  reply::balance b;
  b.currency = in.required_currency("currency", m.has_currency(), m.currency(), b.code);
  b.settled = in.amount("settled", m.settled(), b.currency);
  b.pending = in.amount("pending", m.pending(), b.currency);
  b.historical = m.live().empty();
  if (b.historical)
    return b;
  b.live = in.amount("live", m.live(), b.currency);
  b.reserved = in.amount("reserved", m.reserved(), b.currency);
  return b;
}

reply::tax read(const v1::Tax& m, currency c, field_reader& in) {
  return {m.name(),
          in.number("taxes.rate", m.rate()),
          in.amount("taxes.base", m.base(), c),
          in.amount("taxes.amount", m.amount(), c)};
}

reply::customer_view read(const v1::CustomerView& m, field_reader& in) {
  reply::customer_view v;
  v.reference = m.reference();
  v.number = customer_id(m.number());
  v.currency = m.currency();
  v.over_settlement = in.choice("over_settlement",
                                m.over_settlement(),
                                v1::OverSettlement_IsValid(m.over_settlement()),
                                v.over_settlement);
  v.created_at = in.required_instant("created_at", m.has_created_at(), m.created_at());
  v.tax_name = m.tax_name();
  if (!v.tax_name.empty())
    v.tax_rate = in.number("tax_rate", m.tax_rate());
  return v;
}

reply::consumed read(const v1::Consumed& m, field_reader& in) {
  reply::consumed v;
  v.id = m.id();
  v.currency = in.required_currency("currency", m.has_currency(), m.currency(), v.code);
  v.booked = in.amount("booked", m.booked(), v.currency);
  v.uncovered = in.amount("uncovered", m.uncovered(), v.currency);
  for (const auto& slice : m.slices())
    v.slices.push_back({slice.grant(), in.amount("slices.amount", slice.amount(), v.currency)});
  return v;
}

reply::charge_view read(const v1::ChargeView& m, field_reader& in) {
  reply::charge_view v;
  v.id = m.id();
  v.currency = in.required_currency("currency", m.has_currency(), m.currency(), v.code);
  v.mode = in.choice("mode", m.mode(), v1::SettlementMode_IsValid(m.mode()), v.mode);
  v.amount = in.amount("amount", m.amount(), v.currency);
  v.service_period =
      in.required_period("service_period", m.has_service_period(), m.service_period());
  v.invoice_at = in.required_instant("invoice_at", m.has_invoice_at(), m.invoice_at());
  v.status = m.status();
  v.detailed_status = m.detailed_status();
  v.advance_after = in.optional_instant("advance_after", m.has_advance_after(), m.advance_after());
  for (const auto& part : m.runs()) {
    auto& run = v.runs.emplace_back();
    for (const auto& credit : part.credits())
      run.credits.push_back(in.amount("runs.credits", credit, v.currency));
    run.amount = in.amount("runs.amount", part.amount(), v.currency);
    run.credit_total = in.amount("runs.credit_total", part.credit_total(), v.currency);
    run.total = in.amount("runs.total", part.total(), v.currency);
  }
  return v;
}

reply::invoice_view read(const v1::InvoiceView& m, field_reader& in) {
  reply::invoice_view v;
  v.name = m.name();
  v.number = m.number();
  v.currency = in.required_currency("currency", m.has_currency(), m.currency(), v.code);
  v.status = m.status();
  for (const auto& part : m.lines()) {
    auto& line = v.lines.emplace_back();
    line.name = part.name();
    line.period = in.required_period("lines.period", part.has_period(), part.period());
    line.amount = in.amount("lines.amount", part.amount(), v.currency);
    line.credits = in.amount("lines.credits", part.credits(), v.currency);
    line.total = in.amount("lines.total", part.total(), v.currency);
    line.kind = part.kind();
  }
  v.amount = in.amount("amount", m.amount(), v.currency);
  v.credits = in.amount("credits", m.credits(), v.currency);
  v.total = in.amount("total", m.total(), v.currency);
  v.authorized = in.amount("authorized", m.authorized(), v.currency);
  v.settled = in.amount("settled", m.settled(), v.currency);
  v.written_off = in.later_amount("written_off", m.written_off(), v.currency);
  for (const auto& issue : m.issues())
    v.issues.push_back({issue.critical(), issue.code(), issue.text()});
  v.draft_until = in.optional_instant("draft_until", m.has_draft_until(), m.draft_until());
  v.issued_at = in.optional_instant("issued_at", m.has_issued_at(), m.issued_at());
  v.due_at = in.optional_instant("due_at", m.has_due_at(), m.due_at());
  v.revision = m.revision();
  for (const auto& tax : m.taxes())
    v.taxes.push_back(read(tax, v.currency, in));
  return v;
}

reply::invoices read(const v1::Invoices& m, field_reader& in) {
  reply::invoices v;
  for (const auto& item : m.items())
    v.items.push_back(read(item, in));
  return v;
}

reply::account_view read(const v1::AccountView& m, field_reader& in) {
  reply::account_view v;
  auto& route = v.address.route;
  v.address.account =
      in.choice("account",
                m.account(),
                m.account() != v1::ACCOUNT_TYPE_UNSPECIFIED && v1::AccountType_IsValid(m.account()),
                v.address.account);
  route.currency = in.required_currency("currency", m.has_currency(), m.currency(), v.code);
  if (m.has_cost_basis())
    route.cost_basis = in.number("cost_basis", m.cost_basis());
  if (m.has_cost_basis_currency()) {
    std::string iso; // known by its number
    route.cost_basis_currency =
        in.required_currency("cost_basis_currency", true, m.cost_basis_currency(), iso);
  }
  route.priority = static_cast<std::uint16_t>(m.priority());
  route.stage = in.choice("stage", m.stage(), v1::Stage_IsValid(m.stage()), route.stage);
  route.features.assign(m.features().begin(), m.features().end());
  v.balance = in.amount("balance", m.balance(), route.currency);
  if (m.has_money()) {
    std::string iso;
    auto& money = v.money.emplace();
    money.currency =
        in.required_currency("money_currency", m.has_money_currency(), m.money_currency(), iso);
    money.minor = in.amount("money", m.money(), money.currency);
  }
  return v;
}

reply::accounts read(const v1::Accounts& m, field_reader& in) {
  reply::accounts v;
  for (const auto& item : m.items())
    v.items.push_back(read(item, in));
  return v;
}

reply::balances read(const v1::Balances& m, field_reader& in) {
  reply::balances v;
  for (const auto& item : m.items())
    v.items.push_back(read(item, in));
  return v;
}

reply::opened read(const v1::Opened& m, field_reader& in) {
  reply::opened v;
  v.id = m.id();
  v.currency = in.required_currency("currency", m.has_currency(), m.currency(), v.code);
  v.amount = in.amount("amount", m.amount(), v.currency);
  return v;
}

reply::ran_due read(const v1::RanDue& m, field_reader&) { return {m.steps()}; }

reply::credit_unit_view read(const v1::CreditUnitView& m, field_reader&) {
  return {m.code(), static_cast<std::uint8_t>(m.exponent())};
}

reply::billing_profile_view read(const v1::BillingProfileView& m, field_reader& in) {
  using invoicing::recognition_policy;
  const bool known = m.recognition() != v1::RECOGNITION_POLICY_UNSPECIFIED &&
                     v1::RecognitionPolicy_IsValid(m.recognition());
  return {{m.auto_advance(),
           m.draft_period_ns(),
           m.due_after_ns(),
           known ? in.choice("recognition", m.recognition(), true, recognition_policy{})
                 : recognition_policy::on_collection}};
}

reply::catalog_stored read(const v1::CatalogStored& m, field_reader&) {
  return {m.meters(), m.features(), m.add_ons(), m.plans()};
}

reply::catalog_view read(const v1::CatalogView& m, field_reader& in) {
  return {read_catalog(m.catalog(), {}, in)};
}

reply::quote_view read(const v1::QuoteView& m, field_reader& in) {
  reply::quote_view v;
  v.plan = m.plan();
  v.version = m.version();
  v.currency = in.required_currency("currency", m.has_currency(), m.currency(), v.code);
  v.service_period =
      in.required_period("service_period", m.has_service_period(), m.service_period());
  for (const auto& part : m.lines()) {
    auto& line = v.lines.emplace_back();
    line.kind = part.kind();
    line.name = part.name();
    line.amount = in.amount("lines.amount", part.amount(), v.currency);
    line.discounts = in.amount("lines.discounts", part.discounts(), v.currency);
    for (const auto& d : part.detailed())
      line.detailed.push_back({d.name(),
                               d.reference(),
                               in.number("detailed.quantity", d.quantity()),
                               in.number("detailed.per_unit", d.per_unit()),
                               in.amount("detailed.amount", d.amount(), v.currency),
                               in.amount("detailed.discounts", d.discounts(), v.currency)});
  }
  v.subtotal = in.amount("subtotal", m.subtotal(), v.currency);
  for (const auto& tax : m.taxes())
    v.taxes.push_back(read(tax, v.currency, in));
  v.total = in.amount("total", m.total(), v.currency);
  if (m.has_after_credits()) {
    const auto& left = m.after_credits();
    v.after_credits = {in.amount("after_credits.credits", left.credits(), v.currency),
                       in.amount("after_credits.tax", left.tax(), v.currency),
                       in.amount("after_credits.total", left.total(), v.currency)};
  }
  return v;
}

console_text read(const v1::ConsoleText& m, field_reader&) {
  return {{m.lines().begin(), m.lines().end()}};
}

status read(const v1::Status& m, field_reader&) {
  status v;
  for (const auto& entry : m.entries())
    v.entries.emplace_back(entry.key(), entry.value());
  return v;
}

customers read(const v1::Customers& m, field_reader&) {
  customers v;
  for (const auto& entry : m.items())
    v.items.push_back({entry.reference(), sequence(entry.sequence())});
  return v;
}

quarantined read(const v1::Quarantine& m, field_reader& in) {
  quarantined v;
  for (const auto& entry : m.items()) {
    auto& [what, refused] = v.items.emplace_back();
    what.reference = entry.customer();
    what.since = in.required_instant("items.since", entry.has_since(), entry.since());
    what.kind = in.choice("items.kind",
                          entry.kind(),
                          entry.kind() != v1::QUARANTINE_KIND_UNSPECIFIED &&
                              v1::QuarantineKind_IsValid(entry.kind()),
                          what.kind);
    what.why = entry.why();
    what.last_good = sequence(entry.last_good());
    refused = entry.refused();
  }
  v.total = m.total();
  return v;
}

quarantine_lifted read(const v1::QuarantineLifted& m, field_reader&) {
  return {m.customer(), sequence(m.sequence())};
}

using any_receipt = std::variant<reply::receipt, operator_reply>;

template <class Message>
result<any_receipt> read_with(const v1::Receipt& m, std::string_view kind, const Message& body) {
  field_reader in(field_reader::strictness::lenient, kind);
  result<any_receipt> read_to(tl::in_place);
  using Body = decltype(read(body, in));
  if constexpr (std::is_constructible_v<operator_reply, Body>) {
    read_to->emplace<operator_reply>(read(body, in));
  } else {
    auto& receipt = std::get<reply::receipt>(*read_to);
    receipt.sequence = sequence(m.sequence());
    receipt.body = read(body, in);
    receipt.after.reserve(static_cast<std::size_t>(m.after_size()));
    for (const auto& balance : m.after())
      receipt.after.push_back(read(balance, in));
  }
  if (in.failed()) [[unlikely]]
    return std::move(in).failure();
  return read_to;
}

} // namespace

result<any_receipt> read_receipt(const v1::Receipt& m) {
  switch (m.body_case()) {
  case v1::Receipt::kCustomer:
    return read_with(m, "customer", m.customer());
  case v1::Receipt::kGrant:
    return read_with(m, "grant", m.grant());
  case v1::Receipt::kConsumed:
    return read_with(m, "consumed", m.consumed());
  case v1::Receipt::kCharge:
    return read_with(m, "charge", m.charge());
  case v1::Receipt::kInvoice:
    return read_with(m, "invoice", m.invoice());
  case v1::Receipt::kInvoices:
    return read_with(m, "invoices", m.invoices());
  case v1::Receipt::kAccounts:
    return read_with(m, "accounts", m.accounts());
  case v1::Receipt::kBalances:
    return read_with(m, "balances", m.balances());
  case v1::Receipt::kOpened:
    return read_with(m, "opened", m.opened());
  case v1::Receipt::kRanDue:
    return read_with(m, "ran_due", m.ran_due());
  case v1::Receipt::kCreditUnit:
    return read_with(m, "credit_unit", m.credit_unit());
  case v1::Receipt::kBillingProfile:
    return read_with(m, "billing_profile", m.billing_profile());
  case v1::Receipt::kCatalogStored:
    return read_with(m, "catalog_stored", m.catalog_stored());
  case v1::Receipt::kCatalog:
    return read_with(m, "catalog", m.catalog());
  case v1::Receipt::kQuote:
    return read_with(m, "quote", m.quote());
  case v1::Receipt::kReservation:
    return read_with(m, "reservation", m.reservation());
  case v1::Receipt::kCorrected:
    return read_with(m, "corrected", m.corrected());
  case v1::Receipt::kRecognized:
    return read_with(m, "recognized", m.recognized());
  case v1::Receipt::kGrants:
    return read_with(m, "grants", m.grants());
  case v1::Receipt::kTransactions:
    return read_with(m, "transactions", m.transactions());
  case v1::Receipt::kConsoleText:
    return read_with(m, "console_text", m.console_text());
  case v1::Receipt::kStatus:
    return read_with(m, "status", m.status());
  case v1::Receipt::kCustomers:
    return read_with(m, "customers", m.customers());
  case v1::Receipt::kQuarantine:
    return read_with(m, "quarantine", m.quarantine());
  case v1::Receipt::kQuarantineLifted:
    return read_with(m, "quarantine_lifted", m.quarantine_lifted());
  case v1::Receipt::BODY_NOT_SET:
    break;
  }
  return refuse(errc::unsupported_operation,
                "The server's answer is of a kind that this client does not know.",
                "body");
}

} // namespace accrue::wire
