// One of everything that travels: each command and each reply, with all fields set, and with none.
// The tests of the codec go through these lists, so that a new alternative is missed by no test.
#pragma once

#include "protocol/codec.hpp"
#include "tests/domain/catalog/random_catalog.hpp"

#include <limits>
#include <string>
#include <variant>
#include <vector>

namespace accrue::wire::samples {

inline decimal number(std::string_view text) { return *decimal::parse(text); }

inline const currency usd{840, 2};
inline const currency jpy{392, 0};
inline const currency tokens{1001, 9};
inline constexpr int128 largest = static_cast<int128>(~uint128{0} >> 1);
inline constexpr int128 smallest = -largest - 1;
inline constexpr instant noon{1'767'268'800'000'000'000};
inline constexpr instant later{1'769'947'200'123'456'789};
inline constexpr period january{{1'767'225'600'000'000'000}, {1'769'904'000'000'000'000}};

/// A grant and a charge with what they must have.
inline command::grant_credit grant() {
  command::grant_credit c;
  c.id = "g-1";
  c.amount = number("12.345");
  c.currency = "USD";
  return c;
}
inline command::create_charge charge() {
  command::create_charge c;
  c.id = "ch";
  c.amount = number("80.25");
  c.currency = "USD";
  c.service_period = january;
  return c;
}
/// A charge with all that it can have.
inline command::create_charge full_charge() {
  auto c = charge();
  c.mode = settlement_mode::invoice_only;
  c.full_service_period = period{{0}, january.to};
  c.invoice_at = later;
  c.term = payment_term::in_advance;
  c.feature = "f";
  return c;
}

inline product::catalog catalog() { return testing::random_catalog(1).catalog(); }
inline rating::tax_rate gst() { return rating::tax_rate::make("GST", number("0.1")).value(); }
inline command::put_customer with_tax(std::optional<rating::tax_rate> tax) {
  command::put_customer c;
  c.tax = std::move(tax);
  return c;
}
/// A question with all that it can have.
inline command::get_quote full_quote() {
  command::get_quote c;
  c.plan = "studio";
  c.version = 2;
  c.phase = "main";
  c.add_ons = {"storage", "storage", "support"};
  c.usage = {{"calls", number("0.5")}, {"hours", number("2160")}};
  c.service_period = january;
  c.full_service_period = period{{0}, january.to};
  return c;
}
inline command::get_quote quote() {
  command::get_quote c;
  c.plan = "studio";
  c.service_period = january;
  return c;
}

/// Each alternative of command::any at least once.
inline std::vector<command::any> commands() {
  using namespace command;
  std::vector<any> all{
      put_customer{},
      put_customer{.currency = "USD",
                   .over_settlement = command::over_settlement::advance,
                   .advance_limit = {{{"USD", number("100.5")}, {"TOKENS", number("0")}}}},
      grant(),
      grant_credit{.id = "Grüße 1",
                   .amount = number("99999999999999999999999999999999999999"),
                   .currency = "API_CALLS-2",
                   .priority = 65535,
                   .features = {"a", "b"},
                   .effective_at = later},
      consume{"c-1", number("0.000000000000000001"), "JPY", {}},
      consume{std::string(128, 'x'), number("-5"), "USD", "f"},
      charge(),
      full_charge(),
      advance_charge{"ch"},
      invoice_pending{},
      invoice_pending{.currency = "EUR", .as_of = instant{-1}, .charges = {"ch", "ci"}},
      approve_invoice{"#1"},
      advance_invoice{"ACME-000012"},
      retry_invoice{"#2"},
      authorize_payment{"#1", {}},
      authorize_payment{"#1", number("1.50")},
      settle_payment{"#1", {}},
      settle_payment{"#1", number("3")},
      pay_invoice{"#1"},
      open_credit{
          .id = "o", .amount = number("5"), .currency = "USD", .features = {"f"}, .at = noon},
      open_advance{.id = "o", .amount = number("5"), .currency = "USD", .features = {}, .at = {}},
      run_due{},
      create_credit_unit{"TOKENS", 9},
      put_billing_profile{},
      put_billing_profile{.auto_advance = false, .draft_period_ns = 0, .due_after_ns = 1},
      put_billing_profile{{}, {}, {}, invoicing::recognition_policy::at_period_end},
      get_customer{},
      get_balance{},
      get_balance{"USD", {feature_view::feature, "f"}},
      get_balance{{}, {feature_view::unrestricted, {}}},
      get_charge{"ch"},
      get_invoice{"#1"},
      list_invoices{},
      get_accounts{},
      with_tax(gst()),
      with_tax(std::nullopt),
      put_catalog{},
      put_catalog{catalog()},
      get_catalog{},
      quote(),
      full_quote(),
      grant_credit{.id = "p",
                   .amount = number("100"),
                   .currency = "TOKENS",
                   .features = {"f"},
                   .effective_at = noon,
                   .expires_at = later,
                   .funding = grant_funding::external,
                   .cost_basis = number("0.005"),
                   .fiat_currency = "USD"},
      open_credit{.id = "e",
                  .amount = number("5"),
                  .currency = "USD",
                  .features = {},
                  .at = noon,
                  .expires_at = later},
      get_balance{"USD", {}, noon},
      authorize_grant{"g", {}},
      authorize_grant{"g", number("0.50")},
      settle_grant{"g", {}},
      settle_grant{"g", number("7")},
      void_grant{"g", false},
      void_grant{"g", true},
      refund_grant{"g", {}},
      refund_grant{"g", number("0.50")},
      write_off_grant{"g"},
      write_off_invoice{"#1"},
      correct_charge{"ch", {}},
      correct_charge{"ch", number("1.25")},
      recognize{},
      recognize{noon, recognizable::invoiced},
      recognize{noon, recognizable::both},
      reserve{"r", number("3"), "USD", "", 1'000'000'000, false},
      reserve{"r", number("0.000000001"), "TOKENS", "f", -1, true},
      settle_reservation{"r", number("0")},
      release_reservation{"r"},
      extend_reservation{"r", 86'400'000'000'000},
      get_grant{"g"},
      list_grants{},
      list_grants{grant_state::voided},
      get_reservation{"r"},
      list_transactions{},
      list_transactions{"USD",
                        row_type::adjusted,
                        {feature_view::feature, "f"},
                        later,
                        "1.2.3.4",
                        "4.3.2.1",
                        100},
      open_balances{
          "b",
          {{.id = "o", .amount = number("5"), .currency = "USD", .features = {"f"}, .at = noon},
           {.id = "p", .amount = number("6"), .currency = "JPY", .features = {}, .at = {}}},
          {{.id = "q", .amount = number("7"), .currency = "USD", .features = {}, .at = {}}}},
      open_balances{"c", {}, {}}};
  return all;
}

inline std::vector<operator_command> operator_commands() {
  return {console_line{"status all"},
          get_status{},
          inspect{"acme"},
          list_customers{},
          list_customers{"acme", 1000},
          list_quarantine{},
          list_quarantine{1000},
          lift_quarantine{},
          lift_quarantine{"acme", "disk replaced"}};
}

/// A call around each command; the envelope is full or empty in turn.
inline std::vector<call> calls() {
  std::vector<call> all;
  for (auto& body : commands()) {
    const bool full = all.size() % 2 == 0;
    call c;
    c.customer = command::is_for_namespace(body) ? "" : "acme";
    c.key = full ? "key " + std::to_string(all.size()) : "";
    if (full)
      c.expected_sequence = sequence(all.size());
    if (full)
      c.deadline_ms = 1500;
    c.body = std::move(body);
    all.push_back(std::move(c));
  }
  for (auto& body : operator_commands())
    all.push_back({{}, {}, {}, {}, std::move(body)});
  return all;
}

inline reply::balance balance(currency c, std::string code, int128 amount) {
  return {c, std::move(code), amount, amount, 0, 1};
}

inline reply::invoice_view invoice() {
  reply::invoice_view v;
  v.name = v.number = "ACME-000012";
  v.currency = usd;
  v.code = "USD";
  v.status = "payment_processing.pending";
  v.lines = {{"ch", january, 8000, 3000, 5000, "charge"},
             {"ci", january, largest, 0, smallest, ""},
             {"GST", january, 500, 0, 500, "tax"}};
  v.taxes = {{"GST", number("0.1"), 5000, 500}};
  v.amount = 8000;
  v.credits = 3000;
  v.total = 5000;
  v.authorized = 1;
  v.settled = -1;
  v.written_off = 17;
  v.issues = {{true, "booking", "text"}, {false, "note", ""}};
  v.draft_until = noon;
  v.issued_at = later;
  v.due_at = instant{std::numeric_limits<std::int64_t>::max()};
  v.revision = 3;
  return v;
}

inline reply::grant_view paid_grant() {
  reply::grant_view v{"g", tokens, "TOKENS", 100, noon};
  v.funding = "external";
  v.status = "active";
  v.internal_status = "active.payment.pending";
  v.payment = "pending";
  v.priority = 7;
  v.features = {"a", "b"};
  v.expires_at = later;
  v.voided_at = noon;
  v.cost_basis = number("0.005");
  v.fiat = usd;
  v.fiat_code = "USD";
  v.fiat_amount = 50;
  v.authorized = 20;
  v.settled = 10;
  v.written_off = 13;
  v.claim = 3;
  v.refunded = 1;
  return v;
}

inline reply::balances past_balances() {
  reply::balance b{usd, "USD", 5, 0, 7, 0};
  b.historical = true;
  return {{b}};
}

/// Each alternative of reply::body at least once.
inline std::vector<reply::body> bodies() {
  using namespace reply;
  reply::invoice_view draft;
  draft.name = "#1";
  draft.currency = jpy;
  draft.code = "JPY";
  ledger::sub_account credit{ledger::account_type::fbo, {}};
  credit.route.currency = tokens;
  credit.route.cost_basis = number("0.0005");
  credit.route.cost_basis_currency = usd;
  credit.route.priority = 100;
  credit.route.features = {"a", "b"};
  ledger::sub_account owed{ledger::account_type::receivable, {}};
  owed.route.currency = usd;
  owed.route.stage = ledger::stage::authorized;
  return {customer_view{"acme", customer_id(65), "USD", command::over_settlement::cap, noon},
          customer_view{},
          grant_view{"g", tokens, "TOKENS", 1, later},
          consumed{"c", usd, "USD", 1234, 0, {{"g", 1000}, {"", 234}}},
          consumed{"c", jpy, "JPY", 0, 5, {}},
          charge_view{"ch",
                      usd,
                      "USD",
                      settlement_mode::credit_only,
                      8000,
                      january,
                      noon,
                      "active",
                      "active.awaiting_payment_settlement",
                      later,
                      {{{100, -200}, 8000, -100, 8100}, {}}},
          charge_view{},
          invoice(),
          draft,
          invoices{},
          invoices{{invoice(), draft}},
          accounts{{{credit, "TOKENS", smallest}, {owed, "USD", -5, money{-3, usd}}}},
          balances{{balance(usd, "USD", -1), balance(tokens, "TOKENS", largest)}},
          opened{"o", usd, "USD", 5},
          ran_due{7},
          credit_unit_view{"TOKENS", 9},
          billing_profile_view{{false, 3, 5}},
          customer_view{"acme",
                        customer_id(65),
                        "",
                        command::over_settlement::advance,
                        noon,
                        "GST",
                        number("0.1")},
          catalog_stored{1, 2, 3, 4},
          catalog_view{},
          catalog_view{catalog()},
          quote_view{"p", 1, jpy, "JPY", january, {}, 0, {}, 0, {}},
          quote_view{"studio",
                     2,
                     usd,
                     "USD",
                     january,
                     {{"overage",
                       "Hours",
                       672,
                       -1,
                       {{"Hours: usage in period",
                         "unit-price-usage",
                         number("672"),
                         number("0.01"),
                         672,
                         0}}},
                      {"addon", "Addon: x", 0, 0, {}}},
                     largest,
                     {{"GST", number("0.1"), 672, 67}},
                     smallest,
                     quote_view::paid_part{1, -2, 3}},
          paid_grant(),
          past_balances(),
          reservation_view{"r", {}, {}, "expired", 0, {}, {}},
          reservation_view{
              "r", tokens, "TOKENS", "held", largest, later, {{"g", 5, later}, {"h", -1, {}}}},
          corrected{"c", usd, "USD", 12},
          recognized{},
          recognized{{{usd, "USD", 5}, {tokens, "TOKENS", largest}}, sequence(77)},
          grants{},
          grants{{paid_grant(), grant_view{"g", usd, "USD", 1, later}}},
          transactions{},
          transactions{
              {{"adjusted", noon, later, true, tokens, "TOKENS", 5, smallest, 7, "c", "1.2.3.4"}},
              "1.2.3.4",
              "4.3.2.1"}};
}

inline std::vector<reply::receipt> receipts() {
  std::vector<reply::receipt> all;
  for (auto& body : bodies()) {
    reply::receipt r{sequence(all.size()), std::move(body), {}};
    if (all.size() % 2 == 1)
      r.after = {balance(usd, "USD", 99), balance(jpy, "JPY", -7)};
    all.push_back(std::move(r));
  }
  return all;
}

inline std::vector<operator_reply> operator_replies() {
  return {console_text{},
          console_text{{"one", "", "three"}},
          status{{{"k", "v"}, {"l", ""}}},
          customers{{{"acme", sequence(12)}, {"bee", sequence(0)}}},
          quarantined{},
          quarantined{{{{"acme", noon, quarantine_kind::store_refused, "a check", sequence(12)}, 3},
                       {{"", later, quarantine_kind::corrupt_state, "", sequence(0)}, 0}},
                      5},
          quarantine_lifted{"acme", sequence(12)}};
}

} // namespace accrue::wire::samples
