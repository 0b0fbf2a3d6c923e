// Commands as a server reads them: strict, each refusal names its field.
// How clients write them is in codec_calls.cpp.
#include "protocol/codec_credit.hpp"

#include <limits>

namespace accrue::wire {

namespace {

constexpr std::size_t features_max = 100;
constexpr std::size_t charges_max = 10'000;
constexpr std::size_t add_ons_max = 100;
constexpr std::size_t line_bytes_max = 4096;

static_assert(v1::OVER_SETTLEMENT_ADVANCE == static_cast<int>(command::over_settlement::advance));
static_assert(v1::SETTLEMENT_MODE_INVOICE_ONLY == static_cast<int>(settlement_mode::invoice_only));
static_assert(v1::PAYMENT_TERM_IN_ARREARS == static_cast<int>(payment_term::in_arrears));
static_assert(v1::GRANT_FUNDING_EXTERNAL == static_cast<int>(command::grant_funding::external));

template <class Message>
std::optional<std::string> optional_currency(const Message& m, field_reader& in) {
  if (!m.has_currency())
    return std::nullopt;
  return in.currency_code("currency", m.currency());
}

template <class Message>
std::optional<decimal> optional_amount(const Message& m, field_reader& in) {
  if (!m.has_amount())
    return std::nullopt;
  return in.number("amount", m.amount());
}

/// Nothing in it: no tax.
std::optional<rating::tax_rate> read_tax(const v1::TaxRate& m, field_reader& in) {
  in.only_known(m, "tax");
  if (m.name().empty() && m.rate().empty())
    return std::nullopt;
  auto made =
      rating::tax_rate::make(in.reference("tax.name", m.name()), in.number("tax.rate", m.rate()));
  if (made)
    return std::move(*made);
  in.fail("tax", "is wrong: " + made.error().text);
  return std::nullopt;
}

command::put_customer read(const v1::PutCustomer& m, field_reader& in) {
  command::put_customer c;
  c.currency = optional_currency(m, in);
  if (m.has_over_settlement())
    c.over_settlement = in.choice("over_settlement",
                                  m.over_settlement(),
                                  m.over_settlement() != v1::OVER_SETTLEMENT_UNSPECIFIED &&
                                      v1::OverSettlement_IsValid(m.over_settlement()),
                                  command::over_settlement::refuse);
  if (m.has_advance_limit()) {
    in.only_known(m.advance_limit(), "advance_limit");
    auto& limits = c.advance_limit.emplace();
    for (const auto& limit : m.advance_limit().limits()) {
      in.only_known(limit, "advance_limit");
      auto code = in.currency_code("advance_limit.currency", limit.currency());
      const auto amount = in.number("advance_limit.amount", limit.amount());
      if (!limits.emplace(std::move(code), amount).second)
        in.fail("advance_limit", "names " + limit.currency() + " twice.");
    }
  }
  if (m.has_tax())
    c.tax = read_tax(m.tax(), in);
  return c;
}

command::grant_credit read(const v1::GrantCredit& m, field_reader& in) {
  command::grant_credit c;
  c.id = in.reference("id", m.id());
  c.amount = in.number("amount", m.amount());
  c.currency = in.currency_code("currency", m.currency());
  if (m.has_priority()) {
    if (m.priority() < 1 || m.priority() > std::numeric_limits<std::uint16_t>::max())
      in.fail("priority", "must be 1 to 65535.");
    c.priority = static_cast<std::uint16_t>(m.priority());
  }
  c.features = in.references("features", m.features(), features_max);
  c.effective_at = in.optional_instant("effective_at", m.has_effective_at(), m.effective_at());
  c.expires_at = in.optional_instant("expires_at", m.has_expires_at(), m.expires_at());
  if (m.funding() != v1::GRANT_FUNDING_UNSPECIFIED)
    c.funding = in.choice("funding", m.funding(), v1::GrantFunding_IsValid(m.funding()), c.funding);
  if (m.has_cost_basis())
    c.cost_basis = in.number("cost_basis", m.cost_basis());
  if (m.has_fiat_currency())
    c.fiat_currency = in.currency_code("fiat_currency", m.fiat_currency());
  return c;
}

command::consume read(const v1::Consume& m, field_reader& in) {
  command::consume c;
  c.id = in.reference("id", m.id());
  c.amount = in.number("amount", m.amount());
  c.currency = in.currency_code("currency", m.currency());
  c.feature = in.optional_reference("feature", m.feature());
  return c;
}

command::create_charge read(const v1::CreateCharge& m, field_reader& in) {
  command::create_charge c;
  c.id = in.reference("id", m.id());
  if (m.mode() != v1::SETTLEMENT_MODE_UNSPECIFIED)
    c.mode = in.choice("mode", m.mode(), v1::SettlementMode_IsValid(m.mode()), c.mode);
  c.amount = in.number("amount", m.amount());
  c.currency = in.currency_code("currency", m.currency());
  c.service_period =
      in.required_period("service_period", m.has_service_period(), m.service_period());
  if (m.has_full_service_period())
    c.full_service_period =
        in.required_period("full_service_period", true, m.full_service_period());
  c.invoice_at = in.optional_instant("invoice_at", m.has_invoice_at(), m.invoice_at());
  if (m.term() != v1::PAYMENT_TERM_UNSPECIFIED)
    c.term = in.choice("term", m.term(), v1::PaymentTerm_IsValid(m.term()), c.term);
  c.feature = in.optional_reference("feature", m.feature());
  return c;
}

command::advance_charge read(const v1::AdvanceCharge& m, field_reader& in) {
  return {in.reference("charge", m.charge())};
}

command::invoice_pending read(const v1::InvoicePending& m, field_reader& in) {
  command::invoice_pending c;
  c.currency = optional_currency(m, in);
  c.as_of = in.optional_instant("as_of", m.has_as_of(), m.as_of());
  c.charges = in.references("charges", m.charges(), charges_max);
  return c;
}

command::approve_invoice read(const v1::ApproveInvoice& m, field_reader& in) {
  return {in.reference("invoice", m.invoice())};
}

command::advance_invoice read(const v1::AdvanceInvoice& m, field_reader& in) {
  return {in.reference("invoice", m.invoice())};
}

command::retry_invoice read(const v1::RetryInvoice& m, field_reader& in) {
  return {in.reference("invoice", m.invoice())};
}

command::authorize_payment read(const v1::AuthorizePayment& m, field_reader& in) {
  return {in.reference("invoice", m.invoice()), optional_amount(m, in)};
}

command::settle_payment read(const v1::SettlePayment& m, field_reader& in) {
  return {in.reference("invoice", m.invoice()), optional_amount(m, in)};
}

command::write_off_invoice read(const v1::WriteOffInvoice& m, field_reader& in) {
  return {in.reference("invoice", m.invoice())};
}
command::pay_invoice read(const v1::PayInvoice& m, field_reader& in) {
  return {in.reference("invoice", m.invoice())};
}

/// Opening credit and advance are given in the same way.
template <class Command, class Message>
Command read_opening(const Message& m, field_reader& in) {
  Command c;
  c.id = in.reference("id", m.id());
  c.amount = in.number("amount", m.amount());
  c.currency = in.currency_code("currency", m.currency());
  c.features = in.references("features", m.features(), features_max);
  c.at = in.optional_instant("at", m.has_at(), m.at());
  return c;
}

command::open_credit read(const v1::OpenCredit& m, field_reader& in) {
  auto c = read_opening<command::open_credit>(m, in);
  c.expires_at = in.optional_instant("expires_at", m.has_expires_at(), m.expires_at());
  return c;
}

command::open_advance read(const v1::OpenAdvance& m, field_reader& in) {
  return read_opening<command::open_advance>(m, in);
}

command::open_balances read(const v1::OpenBalances& m, field_reader& in) {
  command::open_balances c;
  c.id = in.reference("id", m.id());
  for (const auto& each : m.credits()) {
    in.only_known(each, "credits");
    c.credits.push_back(read(each, in));
  }
  for (const auto& each : m.advances()) {
    in.only_known(each, "advances");
    c.advances.push_back(read(each, in));
  }
  return c;
}

command::create_credit_unit read(const v1::CreateCreditUnit& m, field_reader& in) {
  constexpr std::uint32_t exponent_max = 9;
  command::create_credit_unit c;
  c.code = in.currency_code("code", m.code());
  if (m.exponent() > exponent_max)
    in.fail("exponent", "must be 0 to 9.");
  c.exponent = static_cast<std::uint8_t>(m.exponent());
  return c;
}

command::put_billing_profile read(const v1::PutBillingProfile& m, field_reader& in) {
  const auto length = [&](std::string_view field, bool present, std::int64_t ns) {
    if (ns < 0)
      in.fail(field, "must not be negative.");
    return present ? std::optional(ns) : std::nullopt;
  };
  command::put_billing_profile c;
  if (m.has_auto_advance())
    c.auto_advance = m.auto_advance();
  c.draft_period_ns = length("draft_period_ns", m.has_draft_period_ns(), m.draft_period_ns());
  c.due_after_ns = length("due_after_ns", m.has_due_after_ns(), m.due_after_ns());
  if (m.has_recognition())
    c.recognition = in.choice("recognition",
                              m.recognition(),
                              m.recognition() != v1::RECOGNITION_POLICY_UNSPECIFIED &&
                                  v1::RecognitionPolicy_IsValid(m.recognition()),
                              invoicing::recognition_policy::on_collection);
  return c;
}

command::get_balance read(const v1::GetBalance& m, field_reader& in) {
  command::get_balance c;
  c.currency = optional_currency(m, in);
  if (m.has_filter())
    c.filter = wire::read(m.filter(), in);
  c.as_of = in.optional_instant("as_of", m.has_as_of(), m.as_of());
  return c;
}

command::get_charge read(const v1::GetCharge& m, field_reader& in) {
  return {in.reference("charge", m.charge())};
}

command::get_invoice read(const v1::GetInvoice& m, field_reader& in) {
  return {in.reference("invoice", m.invoice())};
}

command::put_catalog read(const v1::PutCatalog& m, field_reader& in) {
  if (!m.has_catalog())
    in.fail("catalog", "is missing.");
  return {read_catalog(m.catalog(), {}, in)};
}

command::get_quote read(const v1::GetQuote& m, field_reader& in) {
  command::get_quote c;
  c.plan = in.reference("plan", m.plan());
  c.version = m.version();
  c.phase = in.optional_reference("phase", m.phase());
  c.add_ons = in.references("add_ons", m.add_ons(), add_ons_max);
  for (const auto& u : m.usage()) {
    in.only_known(u, "usage");
    auto card = in.reference("usage.rate_card", u.rate_card());
    const auto quantity = in.number("usage.quantity", u.quantity());
    if (!c.usage.emplace(std::move(card), quantity).second)
      in.fail("usage", "names " + u.rate_card() + " twice.");
  }
  c.service_period =
      in.required_period("service_period", m.has_service_period(), m.service_period());
  if (m.has_full_service_period())
    c.full_service_period =
        in.required_period("full_service_period", true, m.full_service_period());
  return c;
}

command::get_catalog read(const v1::GetCatalog&, field_reader&) { return {}; }
command::run_due read(const v1::RunDue&, field_reader&) { return {}; }
command::get_customer read(const v1::GetCustomer&, field_reader&) { return {}; }
command::list_invoices read(const v1::ListInvoices&, field_reader&) { return {}; }
command::get_accounts read(const v1::GetAccounts&, field_reader&) { return {}; }
get_status read(const v1::GetStatus&, field_reader&) { return {}; }

console_line read(const v1::ConsoleLine& m, field_reader& in) {
  if (m.line().size() > line_bytes_max)
    in.fail("line", "must not be longer than 4096 bytes.");
  return {m.line()};
}

inspect read(const v1::Inspect& m, field_reader& in) {
  return {in.reference("customer", m.customer())};
}

list_customers read(const v1::ListCustomers& m, field_reader& in) {
  if (m.limit() > list_customers::limit_max)
    in.fail("limit", "must be 1 to 1000.");
  return {in.optional_reference("after", m.after()),
          m.limit() == 0 ? list_customers::limit_default : m.limit()};
}

list_quarantine read(const v1::ListQuarantine& m, field_reader& in) {
  if (m.limit() > list_customers::limit_max)
    in.fail("limit", "must be 1 to 1000.");
  return {m.limit() == 0 ? list_customers::limit_default : m.limit()};
}

lift_quarantine read(const v1::LiftQuarantine& m, field_reader& in) {
  if (m.reason().size() > lift_quarantine::reason_bytes_max)
    in.fail("reason", "must not be longer than 1000 bytes.");
  return {in.optional_reference("customer", m.customer()), m.reason()};
}

void read_envelope(const v1::Command& m, call& c, field_reader& in) {
  c.customer = m.customer();
  if (m.has_idempotency_key())
    c.key = in.reference("idempotency_key", m.idempotency_key());
  if (m.has_expected_sequence())
    c.expected_sequence = sequence(m.expected_sequence());
  if (m.has_deadline_ms()) {
    if (m.deadline_ms() == 0)
      in.fail("deadline_ms", "must be at least 1.");
    c.deadline_ms = m.deadline_ms();
  }
  const auto* const asked = std::get_if<command::any>(&c.body);
  if (asked != nullptr && command::is_for_either(*asked))
    in.optional_reference("customer", m.customer());
  else if (asked != nullptr && !command::is_for_namespace(*asked))
    in.reference("customer", m.customer());
  else if (!m.customer().empty())
    in.fail("customer", "must be empty: this command is not for a customer.");
}

template <class Message>
result<call> read_with(const v1::Command& m, std::string_view kind, const Message& body) {
  field_reader in(field_reader::strictness::strict, kind);
  result<call> read_to(tl::in_place);
  in.only_known(m);
  in.only_known(body);
  using Body = decltype(read(body, in));
  if constexpr (std::is_constructible_v<operator_command, Body>)
    read_to->body.emplace<operator_command>(read(body, in));
  else
    read_to->body.emplace<command::any>(read(body, in));
  read_envelope(m, *read_to, in);
  if (in.failed()) [[unlikely]]
    return std::move(in).failure();
  return read_to;
}

} // namespace

// NOLINTNEXTLINE(readability-function-size): two lines for each command
result<call> read_call(const v1::Command& m) {
  switch (m.body_case()) {
  case v1::Command::kPutCustomer:
    return read_with(m, "put_customer", m.put_customer());
  case v1::Command::kGrantCredit:
    return read_with(m, "grant_credit", m.grant_credit());
  case v1::Command::kConsume:
    return read_with(m, "consume", m.consume());
  case v1::Command::kCreateCharge:
    return read_with(m, "create_charge", m.create_charge());
  case v1::Command::kAdvanceCharge:
    return read_with(m, "advance_charge", m.advance_charge());
  case v1::Command::kInvoicePending:
    return read_with(m, "invoice_pending", m.invoice_pending());
  case v1::Command::kApproveInvoice:
    return read_with(m, "approve_invoice", m.approve_invoice());
  case v1::Command::kAdvanceInvoice:
    return read_with(m, "advance_invoice", m.advance_invoice());
  case v1::Command::kRetryInvoice:
    return read_with(m, "retry_invoice", m.retry_invoice());
  case v1::Command::kAuthorizePayment:
    return read_with(m, "authorize_payment", m.authorize_payment());
  case v1::Command::kSettlePayment:
    return read_with(m, "settle_payment", m.settle_payment());
  case v1::Command::kPayInvoice:
    return read_with(m, "pay_invoice", m.pay_invoice());
  case v1::Command::kOpenCredit:
    return read_with(m, "open_credit", m.open_credit());
  case v1::Command::kOpenAdvance:
    return read_with(m, "open_advance", m.open_advance());
  case v1::Command::kRunDue:
    return read_with(m, "run_due", m.run_due());
  case v1::Command::kCreateCreditUnit:
    return read_with(m, "create_credit_unit", m.create_credit_unit());
  case v1::Command::kPutBillingProfile:
    return read_with(m, "put_billing_profile", m.put_billing_profile());
  case v1::Command::kGetCustomer:
    return read_with(m, "get_customer", m.get_customer());
  case v1::Command::kGetBalance:
    return read_with(m, "get_balance", m.get_balance());
  case v1::Command::kGetCharge:
    return read_with(m, "get_charge", m.get_charge());
  case v1::Command::kGetInvoice:
    return read_with(m, "get_invoice", m.get_invoice());
  case v1::Command::kListInvoices:
    return read_with(m, "list_invoices", m.list_invoices());
  case v1::Command::kGetAccounts:
    return read_with(m, "get_accounts", m.get_accounts());
  case v1::Command::kPutCatalog:
    return read_with(m, "put_catalog", m.put_catalog());
  case v1::Command::kGetCatalog:
    return read_with(m, "get_catalog", m.get_catalog());
  case v1::Command::kGetQuote:
    return read_with(m, "get_quote", m.get_quote());
  case v1::Command::kAuthorizeGrant:
    return read_with(m, "authorize_grant", m.authorize_grant());
  case v1::Command::kSettleGrant:
    return read_with(m, "settle_grant", m.settle_grant());
  case v1::Command::kRefundGrant:
    return read_with(m, "refund_grant", m.refund_grant());
  case v1::Command::kWriteOffGrant:
    return read_with(m, "write_off_grant", m.write_off_grant());
  case v1::Command::kWriteOffInvoice:
    return read_with(m, "write_off_invoice", m.write_off_invoice());
  case v1::Command::kVoidGrant:
    return read_with(m, "void_grant", m.void_grant());
  case v1::Command::kCorrectCharge:
    return read_with(m, "correct_charge", m.correct_charge());
  case v1::Command::kRecognize:
    return read_with(m, "recognize", m.recognize());
  case v1::Command::kReserve:
    return read_with(m, "reserve", m.reserve());
  case v1::Command::kSettleReservation:
    return read_with(m, "settle_reservation", m.settle_reservation());
  case v1::Command::kReleaseReservation:
    return read_with(m, "release_reservation", m.release_reservation());
  case v1::Command::kExtendReservation:
    return read_with(m, "extend_reservation", m.extend_reservation());
  case v1::Command::kGetGrant:
    return read_with(m, "get_grant", m.get_grant());
  case v1::Command::kListGrants:
    return read_with(m, "list_grants", m.list_grants());
  case v1::Command::kGetReservation:
    return read_with(m, "get_reservation", m.get_reservation());
  case v1::Command::kListTransactions:
    return read_with(m, "list_transactions", m.list_transactions());
  case v1::Command::kOpenBalances:
    return read_with(m, "open_balances", m.open_balances());
  case v1::Command::kConsoleLine:
    return read_with(m, "console_line", m.console_line());
  case v1::Command::kGetStatus:
    return read_with(m, "get_status", m.get_status());
  case v1::Command::kInspect:
    return read_with(m, "inspect", m.inspect());
  case v1::Command::kListCustomers:
    return read_with(m, "list_customers", m.list_customers());
  case v1::Command::kListQuarantine:
    return read_with(m, "list_quarantine", m.list_quarantine());
  case v1::Command::kLiftQuarantine:
    return read_with(m, "lift_quarantine", m.lift_quarantine());
  case v1::Command::BODY_NOT_SET:
    break;
  }
  if (!has_unknown_fields(m))
    return refuse(errc::validation, "The command has no body: say what is to be done.", "body");
  return refuse(errc::unsupported_operation,
                "This server does not know the command, or a field of it; it speaks version 1.",
                "body");
}

} // namespace accrue::wire
