// What nobody will pay of a grant, and what is paid back of one: written off, recovered by a late payment, refunded.
// Source: D13, D14, D59, D64.
#include "tests/domain/credit_support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;

namespace {

command::write_off_grant give_up(std::string grant) { return {std::move(grant)}; }
command::refund_grant refund(std::string grant, std::string_view amount = {}) {
  return {std::move(grant), maybe(amount)};
}

/// 100 at half its face; 20 of the 50 dollars are paid, which stand for 40 of the face.
credit_harness partly_paid() {
  credit_harness h;
  h.ok(bought("g", "100", "0.5"));
  h.ok(authorize("g", "20"));
  h.ok(settle("g", "20"));
  return h;
}

/// 100 at half its face, paid whole, of which 30 were used before the rest was taken back: 35 are the customer's.
credit_harness with_claim() {
  credit_harness h;
  h.ok(bought("g", "100", "0.5"));
  h.ok(settle("g"));
  h.ok(consume("c", "30"));
  h.ok(take_back("g"));
  return h;
}

} // namespace

TEST_CASE("what nobody will pay for a grant is written off, its face in brokerage",
          "[write_off][D64]") {
  // 30 dollars for 60 of the face: open +60, write_off -30, brokerage -30; of the payment before, -20.
  auto h = partly_paid();
  h.ok(give_up("g"));
  CHECK(h.templates() == lines{"receivable.write_off.purchase"});
  CHECK(h.standing() == lines{"fbo USD @0.5 p100 = 100.00",
                              "wash USD @0.5 = -20.00",
                              "brokerage USD @0.5 = -50.00",
                              "write_off USD @0.5 = -30.00"});
  const auto g = h.grant("g");
  CHECK(g.written_off == 3000);
  CHECK(g.authorized == 2000);
  CHECK(g.payment == "pending");
  CHECK(g.status == "active"); // the credit stays until somebody voids it
}

TEST_CASE("a late payment recovers what it needs of a write-off first", "[write_off][D14][D64]") {
  auto h = partly_paid();
  h.ok(give_up("g"));
  h.ok(authorize("g", "10"));
  CHECK(h.templates() == lines{"receivable.payment.authorize", "receivable.write_off.purchase"});
  CHECK(h.standing() == lines{"fbo USD @0.5 p100 = 100.00",
                              "receivable.authorized USD @0.5 = -10.00",
                              "wash USD @0.5 = -20.00",
                              "brokerage USD @0.5 = -50.00",
                              "write_off USD @0.5 = -20.00"});
  CHECK(h.refused(authorize("g", "20.01")) == errc::over_authorization);
  h.ok(settle("g"));
  h.ok(settle("g")); // nothing waits: both steps for all that is left
  CHECK(h.standing() == lines{"fbo USD @0.5 p100 = 100.00",
                              "wash USD @0.5 = -50.00",
                              "brokerage USD @0.5 = -50.00"});
  CHECK(h.grant("g").written_off == 0);
  CHECK(h.grant("g").payment == "settled");
}

TEST_CASE("steps of a payment and of a write-off share one running total of the face",
          "[write_off][D64][D1]") {
  // 10.00 at 0.333 cost 3.33. 1.00 stands for round(3.003) = 3.00, 2.00 for round(6.006) = 6.01, all for 10.00.
  credit_harness h;
  h.ok(bought("g", "10", "0.333"));
  h.ok(authorize("g", "1"));
  h.ok(give_up("g")); // 2.33 for 7.00
  CHECK(h.standing() == lines{"fbo USD @0.333 p100 = 10.00",
                              "receivable.authorized USD @0.333 = -1.00",
                              "brokerage USD @0.333 = -6.67",
                              "write_off USD @0.333 = -2.33"});
  h.ok(authorize("g", "1")); // 1.00 for 3.00 is recovered, and paid
  CHECK(h.standing() == lines{"fbo USD @0.333 p100 = 10.00",
                              "receivable.authorized USD @0.333 = -2.00",
                              "brokerage USD @0.333 = -6.67",
                              "write_off USD @0.333 = -1.33"});
}

TEST_CASE("credit in a unit is written off in the fiat it was to be paid in",
          "[write_off][D63][D64]") {
  // 100 ACME at 0.25: 25 dollars, 10 of them authorised for 40 ACME.
  credit_harness h;
  h.ok(command::create_credit_unit{"ACME", 2});
  auto c = bought("g", "100", "0.25", "ACME");
  c.fiat_currency = "USD";
  h.ok(c);
  h.ok(authorize("g", "10"));
  h.ok(give_up("g"));
  CHECK(h.templates() == lines{"receivable.write_off.unit"});
  CHECK(h.standing() == lines{"fbo ACME @0.25 p100 = 100.00",
                              "receivable.authorized USD @0.25 = -10.00",
                              "brokerage ACME @0.25 = -100.00",
                              "brokerage USD @0.25 = 25.00",
                              "write_off USD @0.25 = -15.00"});
  h.ok(settle("g"));
  h.ok(settle("g"));
  CHECK(h.standing() == lines{"fbo ACME @0.25 p100 = 100.00",
                              "wash USD @0.25 = -25.00",
                              "brokerage ACME @0.25 = -100.00",
                              "brokerage USD @0.25 = 25.00"});
}

TEST_CASE("what is voided of a grant that was given up is owed by nobody", "[write_off][D13]") {
  // 30 of 100 were used: 15 dollars of what was written off stay so.
  credit_harness h;
  h.ok(bought("g", "100", "0.5"));
  h.ok(consume("c", "30"));
  h.ok(give_up("g"));
  h.ok(take_back("g"));
  CHECK(h.standing() == lines{"accrued USD @0.5 = 30.00",
                              "brokerage USD @0.5 = -15.00",
                              "write_off USD @0.5 = -15.00"});
  CHECK(h.grant("g").written_off == 1500);
  CHECK(h.refused(give_up("g")) == errc::conflict);
  h.ok(settle("g")); // somebody pays for what was used
  CHECK(h.standing() ==
        lines{"accrued USD @0.5 = 30.00", "wash USD @0.5 = -15.00", "brokerage USD @0.5 = -15.00"});
}

TEST_CASE("there is nothing to write off of what is paid, free or unknown", "[write_off]") {
  credit_harness h;
  h.ok(credit("free", "10"));
  h.ok(bought("paid", "10"));
  h.ok(settle("paid"));
  h.ok(bought("promised", "10"));
  h.ok(authorize("promised"));
  CHECK(h.refused(give_up("free")) == errc::not_externally_funded);
  CHECK(h.refused(give_up("paid")) == errc::conflict);
  CHECK(h.refused(give_up("promised")) == errc::conflict);
  CHECK(h.refused(give_up("nobody's")) == errc::not_found);
  h.ok(bought("unpaid", "10"));
  h.ok(give_up("unpaid"));
  CHECK(h.refused(give_up("unpaid")) == errc::conflict);
}

TEST_CASE("the claim that a void left is paid back, in parts", "[refund][D13][D59][D64]") {
  auto h = with_claim();
  CHECK(h.grant("g").claim == 3500);
  h.ok(refund("g", "15"));
  CHECK(h.templates() == lines{"receivable.refund"});
  CHECK(h.standing() == lines{"receivable.open USD @0.5 = 20.00",
                              "accrued USD @0.5 = 30.00",
                              "wash USD @0.5 = -35.00",
                              "brokerage USD @0.5 = -15.00"});
  CHECK(h.grant("g").claim == 2000);
  CHECK(h.grant("g").refunded == 1500);
  CHECK(h.refused(refund("g", "20.01")) == errc::conflict);
  h.ok(refund("g"));
  // As if the void had paid back at once.
  CHECK(h.standing() ==
        lines{"accrued USD @0.5 = 30.00", "wash USD @0.5 = -15.00", "brokerage USD @0.5 = -15.00"});
  CHECK(h.refused(refund("g")) == errc::conflict);
}

TEST_CASE("what was only promised is paid back once it has arrived", "[refund][D59]") {
  credit_harness h;
  h.ok(bought("g", "100", "0.5"));
  h.ok(authorize("g"));
  h.ok(take_back("g"));
  CHECK(h.grant("g").claim == 0);
  CHECK(h.refused(refund("g")) == errc::conflict);
  h.ok(settle("g", "20"));
  CHECK(h.grant("g").claim == 2000);
  h.ok(refund("g"));
  h.ok(settle("g"));
  h.ok(refund("g"));
  CHECK(h.standing().empty());
}

TEST_CASE("the claim of a unit is in the fiat that was paid", "[refund][D63]") {
  credit_harness h;
  h.ok(command::create_credit_unit{"ACME", 2});
  auto c = bought("g", "100", "0.25", "ACME");
  c.fiat_currency = "USD";
  h.ok(c);
  h.ok(settle("g"));
  h.ok(take_back("g"));
  h.ok(refund("g"));
  CHECK(h.standing().empty());
}

TEST_CASE("a refund is exact, positive and of a grant that somebody paid", "[refund][D2]") {
  auto h = with_claim();
  for (const auto* amount : {"0", "-1", "1.001"})
    CHECK(h.refused(refund("g", amount)) == errc::validation);
  h.ok(credit("free", "10"));
  CHECK(h.refused(refund("free")) == errc::not_externally_funded);
  CHECK(h.refused(refund("nobody's")) == errc::not_found);
}

TEST_CASE("a refund later pays back what a void with refund does", "[refund][D59]") {
  // 100 at par, 50 used, 60 of 100 settled: 10 more than the price of what stays.
  for (const bool at_once : {true, false}) {
    CAPTURE(at_once);
    credit_harness h;
    h.ok(bought("g", "100"));
    h.ok(consume("c", "50"));
    h.ok(authorize("g"));
    h.ok(settle("g", "60"));
    h.ok(take_back("g", at_once));
    if (!at_once)
      h.ok(refund("g"));
    CHECK(h.grant("g").refunded == 1000);
    CHECK(h.refused(refund("g")) == errc::conflict);
  }
}

TEST_CASE("cash for what is used stays, whatever is taken back again", "[refund][D59]") {
  // 30 settled of 100, 49 used in the end.
  credit_harness h;
  h.ok(bought("g", "100"));
  h.ok(authorize("g", "30"));
  h.ok(settle("g"));
  h.ok(consume("c", "50"));
  h.ok(take_back("g"));
  h.ok(correct("c", "1"));
  h.ok(take_back("g", true));
  CHECK(h.grant("g").refunded == 0);
  CHECK(h.standing() ==
        lines{"receivable.open USD @1 = -19.00", "accrued USD @1 = 49.00", "wash USD @1 = -30.00"});
}

TEST_CASE("what stays of a void and is worth less than a cent is owed by nobody",
          "[voids][write_off][D12][D64]") {
  // 0.02 at 0.333 cost 0.01 (0.00666). 0.01 was used: 0.00 (0.00333).
  const lines used{"accrued USD @0.333 = 0.01", "brokerage USD @0.333 = -0.01"};
  credit_harness h;
  h.ok(bought("g", "0.02", "0.333"));
  h.ok(consume("c", "0.01"));
  SECTION("voided") { h.ok(take_back("g")); }
  SECTION("voided after it was promised") {
    h.ok(authorize("g"));
    h.ok(take_back("g", true));
  }
  SECTION("voided after it was given up") {
    h.ok(give_up("g"));
    h.ok(take_back("g"));
  }
  CHECK(h.standing() == used);
  CHECK(h.refused(give_up("g")) == errc::conflict);
  CHECK(h.refused(authorize("g", "0.01")) == errc::over_authorization);
  CHECK(h.refused(settle("g")) == errc::unsupported_operation);
}

TEST_CASE("what stays of a unit worth less than a cent can be voided after it was given up",
          "[voids][write_off][D63][D64]") {
  // 1.0000 at 0.02 costs 0.02; 0.0002 of it is worth nothing.
  credit_harness h;
  h.ok(command::create_credit_unit{"ACME", 4});
  auto c = bought("g", "1", "0.02", "ACME");
  c.fiat_currency = "USD";
  h.ok(c);
  h.ok(consume("c", "0.0002", {}, "ACME"));
  h.ok(give_up("g"));
  h.ok(take_back("g"));
  CHECK(h.standing() == lines{"accrued ACME @0.02 = 0.0002", "brokerage ACME @0.02 = -0.0002"});
}

TEST_CASE("a grant that is not effective yet is not written off", "[write_off]") {
  credit_harness h;
  h.ok(from(bought("g", "100"), at("2026-02-01")));
  CHECK(h.refused(give_up("g")) == errc::conflict);
  h.now = at("2026-02-01");
  h.ok(give_up("g"));
}
