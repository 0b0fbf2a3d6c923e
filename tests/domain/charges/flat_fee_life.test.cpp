// Lives of flat fees, from creation to their last booking, in the three settlement modes.
// Single transitions are tested in flat_fee.test.cpp, several lines in the invoicing folder.
#include "tests/domain/support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;
using enum settlement_mode;

namespace {

command::create_charge in_arrears(command::create_charge c) {
  c.term = payment_term::in_arrears;
  c.invoice_at.reset();
  return c;
}

command::create_charge prorated(std::string_view amount, std::string_view from) {
  auto c = fee("f", amount);
  c.service_period = from_to(from, "2026-05-01");
  c.full_service_period = from_to("2026-04-01", "2026-05-01");
  c.invoice_at = at("2026-05-01");
  return c;
}

std::string amount_after(const command::create_charge& c) {
  harness h;
  return to_string(money{std::get<reply::charge_view>(h.ok(c).body).amount, usd});
}

} // namespace

TEST_CASE("credit_then_invoice in advance, 30 of 100 from credit", "[flat_fee][D19]") {
  // S-FF12 without the purchase: 100 = 30 credit + 70 invoiced.
  harness h;
  h.ok(manual_approval());
  h.ok(credit("g", "30"));
  h.ok(fee("f", "100"));
  CHECK(h.charge("f").detailed_status == "created");
  CHECK(h.trial() == lines{"fbo USD @0 p100 = 30.00", "wash USD @0 = -30.00"});

  h.ok(command::invoice_pending{});
  CHECK(h.charge("f").detailed_status == "active.realization.processing");
  CHECK(h.trial() == lines{"accrued USD @0 = 30.00", "wash USD @0 = -30.00"});

  h.ok(command::approve_invoice{"#1"});
  CHECK(h.charge("f").detailed_status == "active.awaiting_payment_settlement");
  CHECK(h.trial() == lines{"receivable.open USD @1 = -70.00",
                           "accrued USD @0 = 30.00",
                           "accrued USD @1 = 70.00",
                           "wash USD @0 = -30.00"});

  h.ok(command::authorize_payment{"#1", {}});
  CHECK(h.trial() == lines{"receivable.authorized USD @1 = -70.00",
                           "accrued USD @0 = 30.00",
                           "accrued USD @1 = 70.00",
                           "wash USD @0 = -30.00"});

  h.ok(command::settle_payment{"#1", {}});
  CHECK(h.charge("f").detailed_status == "final");
  CHECK(h.trial() == lines{"accrued USD @0 = 30.00",
                           "accrued USD @1 = 70.00",
                           "wash USD @0 = -30.00",
                           "wash USD @1 = -70.00"});
}

TEST_CASE("the run of a charge shows its parts", "[flat_fee]") {
  harness h;
  h.ok(manual_approval());
  h.ok(credit("g", "30"));
  h.ok(fee("f", "100"));
  CHECK(h.charge("f").runs.empty());
  h.ok(command::invoice_pending{});
  const auto runs = h.charge("f").runs;
  REQUIRE(runs.size() == 1);
  CHECK(runs[0].credits == std::vector<int128>{3000});
  CHECK(runs[0].amount == 10000);
  CHECK(runs[0].credit_total == 3000);
  CHECK(runs[0].total == 7000);
}

TEST_CASE("a fee in advance is booked at its period's start", "[flat_fee]") {
  // charges.md 1.8: credits and accrual at the period's start; payments at their own instant.
  harness h;
  h.now = at("2025-12-20");
  h.ok(credit("g", "30"));
  h.ok(fee("f", "100"));
  h.now = at("2026-01-10T08:00:00Z");
  h.ok(command::invoice_pending{});
  CHECK(h.booked() ==
        lines{"customer.fbo.collect @2026-01-01T00:00:00Z: fbo USD @0 p100 -30.00; accrued USD @0 "
              "30.00",
              "receivable.invoice.accrue @2026-01-01T00:00:00Z: receivable.open USD @1 -70.00; "
              "accrued USD @1 70.00"});
  h.now = at("2026-01-12T09:00:00.5Z");
  h.ok(command::pay_invoice{"#1"});
  CHECK(
      h.booked() ==
      lines{"customer.receivable.payment.authorize @2026-01-12T09:00:00.5Z: receivable.authorized "
            "USD @1 -70.00; receivable.open USD @1 70.00",
            "customer.receivable.payment.settle @2026-01-12T09:00:00.5Z: wash USD @1 -70.00; "
            "receivable.authorized USD @1 70.00"});
}

TEST_CASE("a fee in arrears is booked at its period's end", "[flat_fee]") {
  harness h;
  h.ok(credit("g", "30"));
  h.ok(in_arrears(fee("f", "100")));
  CHECK(h.charge("f").invoice_at == at("2026-02-01"));
  CHECK(h.refused(command::invoice_pending{}) == errc::invoice_create_no_lines);
  h.now = at("2026-02-03");
  h.ok(command::invoice_pending{});
  for (const auto& t : h.journal.back().transactions)
    CHECK(t.booked_at() == at("2026-02-01"));
  CHECK(h.journal.back().transactions.size() == 2);
}

TEST_CASE("credit_only takes credit and advances the rest", "[flat_fee]") {
  // S-FF21 without the purchase: 30 credit, 70 of unknown cost.
  harness h;
  h.ok(credit("g", "30"));
  h.ok(fee("f", "100", credit_only));
  h.ok(command::advance_charge{"f"});
  CHECK(h.charge("f").detailed_status == "final");
  CHECK(h.charge("f").runs.at(0).credits == std::vector<int128>{3000, 7000});
  CHECK(h.charge("f").runs.at(0).total == 0);
  CHECK_FALSE(h.charge("f").advance_after.has_value());
  CHECK(h.trial() == lines{"receivable.open USD @none = -70.00",
                           "accrued USD @0 = 30.00",
                           "accrued USD @none = 70.00",
                           "wash USD @0 = -30.00"});
  CHECK(h.refused(command::invoice_pending{}) == errc::invoice_create_no_lines);
}

TEST_CASE("credit_only in arrears waits for the period's end", "[flat_fee][D4]") {
  harness h;
  auto c = in_arrears(fee("f", "100", credit_only));
  c.invoice_at = at("2026-01-10");
  h.ok(c);
  h.now = at("2026-01-10");
  h.ok(command::advance_charge{"f"});
  CHECK(h.charge("f").detailed_status == "active");
  CHECK(h.charge("f").advance_after == at("2026-02-01"));
  h.now = plus_ns(at("2026-02-01"), -1);
  h.ok(command::run_due{});
  CHECK(h.charge("f").detailed_status == "active");
  CHECK(h.trial().empty());
  h.now = at("2026-02-01");
  h.ok(command::run_due{});
  CHECK(h.charge("f").detailed_status == "final");
  CHECK(h.trial() == lines{"receivable.open USD @none = -100.00", "accrued USD @none = 100.00"});
}

TEST_CASE("advancing a fee that is not due, or final, changes nothing", "[flat_fee][D4]") {
  harness h;
  h.ok(credit("g", "100"));
  auto c = fee("f", "100", credit_only);
  c.invoice_at = at("2026-01-10");
  h.ok(c);
  h.now = plus_ns(at("2026-01-10"), -1);
  h.ok(command::advance_charge{"f"});
  CHECK(h.charge("f").detailed_status == "created");
  h.now = at("2026-01-10");
  h.ok(command::advance_charge{"f"});
  const auto after = h.trial();
  h.ok(command::advance_charge{"f"});
  CHECK(h.trial() == after);
  CHECK(h.booked().empty());
}

TEST_CASE("credit that takes effect after the invoice instant is not used", "[flat_fee]") {
  // charges.md 1.8: the cut-off is invoice_at, whenever collection runs.
  for (const bool late : {false, true}) {
    harness h;
    auto c = fee("f", "100", credit_only);
    c.invoice_at = at("2026-01-10");
    h.ok(c);
    h.now = at("2026-01-15");
    auto g = credit("g", "40");
    if (!late)
      g.effective_at = at("2026-01-10");
    h.ok(g);
    h.ok(command::advance_charge{"f"});
    CHECK(h.charge("f").runs.at(0).credits ==
          (late ? std::vector<int128>{10000} : std::vector<int128>{4000, 6000}));
  }
}

TEST_CASE("invoice_only leaves credit alone and accrues the whole at cost basis 1",
          "[flat_fee][D19]") {
  harness h;
  h.ok(credit("g", "100"));
  h.ok(fee("f", "40", invoice_only));
  CHECK(h.balance().live == 10000);
  h.ok(command::invoice_pending{});
  CHECK(h.invoice("#1").credits == 0);
  CHECK(h.invoice("#1").total == 4000);
  CHECK(h.trial() == lines{"fbo USD @0 p100 = 100.00",
                           "receivable.open USD @1 = -40.00",
                           "accrued USD @1 = 40.00",
                           "wash USD @0 = -100.00"});
  CHECK(h.balance().settled == 10000);
  CHECK(h.balance().live == 10000);
  h.ok(command::pay_invoice{"#1"});
  CHECK(h.charge("f").status == "final");
  CHECK(h.trial() == lines{"fbo USD @0 p100 = 100.00",
                           "accrued USD @1 = 40.00",
                           "wash USD @0 = -100.00",
                           "wash USD @1 = -40.00"});
}

TEST_CASE("a fee's feature decides which credit it may use", "[flat_fee]") {
  harness h;
  h.ok(manual_approval());
  auto g = credit("g", "30");
  g.features = {"api"};
  h.ok(g);
  h.ok(fee("plain", "10"));
  auto c = fee("api", "10");
  c.feature = "api";
  h.ok(c);
  h.ok(command::invoice_pending{});
  CHECK(h.invoice("#1").lines.at(0).credits == 0);
  CHECK(h.invoice("#1").lines.at(1).credits == 1000);
}

TEST_CASE("amounts of charges are rounded on entry and then prorated", "[flat_fee][D2][D1]") {
  CHECK(amount_after(prorated("3.03", "2026-04-06")) == "2.53"); // 25 of 30 days
  CHECK(amount_after(prorated("3.034", "2026-04-06")) == "2.53");
  // 0.005 becomes 0.01 on entry; half a month of it is 0.005, half away 0.01.
  CHECK(amount_after(prorated("0.005", "2026-04-16")) == "0.01");
  CHECK(amount_after(prorated("0.004", "2026-04-16")) == "0.00");
  CHECK(amount_after(fee("f", "10.005")) == "10.01");
}

TEST_CASE("periods of charges are floored to seconds before anything counts", "[flat_fee][D3]") {
  harness h;
  auto c = prorated("864", "2026-04-30");
  c.service_period.from = at("2026-04-30T23:59:59.999Z");
  c.full_service_period = from_to("2026-04-30", "2026-05-01");
  c.invoice_at = at("2026-05-01T00:00:00.9Z");
  const auto view = std::get<reply::charge_view>(h.ok(c).body);
  CHECK(view.amount == 1); // one second of 86,400
  CHECK(view.service_period.from == at("2026-04-30T23:59:59Z"));
  CHECK(view.invoice_at == at("2026-05-01"));
}

TEST_CASE("a zero fee becomes final without a line, a run or a booking", "[flat_fee][D22]") {
  for (const auto mode : {credit_then_invoice, credit_only, invoice_only}) {
    harness h;
    h.ok(credit("g", "10"));
    h.ok(fee("f", "0", mode));
    CHECK(h.refused(command::invoice_pending{}) == errc::invoice_create_no_lines);
    h.ok(command::advance_charge{"f"});
    CHECK(h.charge("f").detailed_status == "final");
    CHECK(h.charge("f").runs.empty());
    CHECK(h.trial() == lines{"fbo USD @0 p100 = 10.00", "wash USD @0 = -10.00"});
  }
}

TEST_CASE("a fee wholly paid by credit is final when its invoice is issued", "[flat_fee][D22]") {
  // S-FF16.
  harness h;
  h.ok(credit("g", "5"));
  h.ok(fee("f", "5"));
  h.ok(command::invoice_pending{});
  CHECK(h.invoice("#1").status == "payment_processing.pending");
  CHECK(h.charge("f").status == "final");
  const lines expected{"accrued USD @0 = 5.00", "wash USD @0 = -5.00"};
  CHECK(h.trial() == expected);
  h.ok(command::pay_invoice{"#1"});
  CHECK(h.invoice("#1").status == "paid");
  CHECK(h.trial() == expected);
}

TEST_CASE("charges that make no sense are refused", "[flat_fee]") {
  harness h;
  const auto with = [](auto change) {
    auto c = fee("f", "10");
    change(c);
    return c;
  };
  CHECK(h.refused(with([](auto& c) { c.amount = dec("-1"); })) == errc::validation);
  CHECK(h.refused(with([](auto& c) { c.id = ""; })) == errc::validation);
  CHECK(h.refused(with([](auto& c) { c.id = std::string(129, 'x'); })) == errc::validation);
  CHECK(h.refused(with([](auto& c) { c.currency = "XXQ"; })) == errc::validation);
  CHECK(h.refused(with([](auto& c) {
    c.service_period = {at("2026-02-01"), at("2026-01-01")};
  })) == errc::invalid_period);
  CHECK(h.refused(with([](auto& c) {
    c.full_service_period = period{at("2026-02-01"), at("2026-01-01")};
  })) == errc::invalid_period);
  CHECK(h.customer.charges.empty());
}

TEST_CASE("nothing in a credit unit reaches an invoice", "[flat_fee][D63]") {
  harness h;
  h.ok(command::create_credit_unit{"TOKEN", 4});
  auto c = fee("f", "10");
  c.currency = "TOKEN";
  h.refused(c);
  c.mode = invoice_only;
  h.refused(c);
  c.mode = credit_only;
  h.ok(credit("g", "4.0001", "TOKEN"));
  h.ok(c);
  h.ok(command::advance_charge{"f"});
  // 10 = 4.0001 credit + 5.9999 advance.
  CHECK(h.trial() == lines{"receivable.open TOKEN @none = -5.9999",
                           "accrued TOKEN @0 = 4.0001",
                           "accrued TOKEN @none = 5.9999",
                           "wash TOKEN @0 = -4.0001"});
}

TEST_CASE("an advance beyond the limit leaves a credit_only fee as it was", "[flat_fee][D69]") {
  harness h;
  command::put_customer limited;
  limited.advance_limit = {{"USD", dec("50")}};
  h.ok(limited);
  h.ok(credit("g", "30"));
  h.ok(fee("f", "80.01", credit_only));
  CHECK(h.refused(command::advance_charge{"f"}) == errc::insufficient_funds);
  CHECK(h.trial() == lines{"fbo USD @0 p100 = 30.00", "wash USD @0 = -30.00"});
  h.ok(credit("h", "0.01"));
  h.ok(command::advance_charge{"f"});
  CHECK(h.charge("f").status == "final");
  CHECK(h.balance().settled == -5000);
}
