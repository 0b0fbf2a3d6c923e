// Grants of credit: bought and paid in parts, for later, with an end, and what is said of them.
// Voids, and what grants cover and get back, have files of their own.
#include "domain/grant.hpp"
#include "tests/domain/credit_support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;
using command::grant_state;

namespace {

command::grant_credit paid_in(command::grant_credit c, std::string fiat) {
  c.fiat_currency = std::move(fiat);
  return c;
}

/// "g h", the references of all grants in a state.
std::string listed(credit_harness& h, grant_state state) {
  const auto found = std::get<reply::grants>(h.ok(command::list_grants{state}).body);
  std::string text;
  for (const auto& g : found.items)
    text += (text.empty() ? "" : " ") + g.id;
  return text;
}

} // namespace

// Payment

TEST_CASE("credit bought at par is owed, promised and paid at its face", "[grants][D64][D20]") {
  // S-V8: no brokerage where the price is the face.
  credit_harness h;
  h.ok(bought("g", "100"));
  CHECK(h.standing() == lines{"fbo USD @1 p100 = 100.00", "receivable.open USD @1 = -100.00"});
  h.ok(authorize("g"));
  CHECK(h.standing() ==
        lines{"fbo USD @1 p100 = 100.00", "receivable.authorized USD @1 = -100.00"});
  h.ok(settle("g"));
  CHECK(h.standing() == lines{"fbo USD @1 p100 = 100.00", "wash USD @1 = -100.00"});
  CHECK(h.balance().settled == 10000);
}

TEST_CASE("credit at half its face is paid in parts, the rest is brokerage", "[grants][D12][D64]") {
  // d64-parts-at-half: 20 of 50 stand for 40 of 100.
  credit_harness h;
  h.ok(bought("g", "100", "0.5"));
  h.ok(authorize("g", "20"));
  CHECK(h.standing() == lines{"fbo USD @0.5 p100 = 100.00",
                              "receivable.authorized USD @0.5 = -20.00",
                              "receivable.open USD @0.5 = -60.00",
                              "brokerage USD @0.5 = -20.00"});
  CHECK(h.refused(authorize("g", "30.01")) == errc::over_authorization);
  CHECK(h.refused(settle("g", "20.01")) == errc::over_settlement);
  h.ok(settle("g", "5"));
  CHECK(h.refused(settle("g", "15.01")) == errc::over_settlement);
  h.ok(authorize("g"));
  CHECK(h.standing() == lines{"fbo USD @0.5 p100 = 100.00",
                              "receivable.authorized USD @0.5 = -45.00",
                              "wash USD @0.5 = -5.00",
                              "brokerage USD @0.5 = -50.00"});
  CHECK(h.refused(authorize("g", "0.01")) == errc::over_authorization);
  h.ok(settle("g"));
  CHECK(h.standing() == lines{"fbo USD @0.5 p100 = 100.00",
                              "wash USD @0.5 = -50.00",
                              "brokerage USD @0.5 = -50.00"});
}

TEST_CASE("the face of a part follows what was paid so far, so that parts sum to the whole",
          "[grants][D64]") {
  // 10.00 at 0.333 cost 3.33. So far 1, 2 and 3.33 stand for round(300.3), round(600.6) and 1000 cents.
  credit_harness h;
  h.ok(bought("g", "10", "0.333"));
  CHECK(h.grant("g").fiat_amount == 333);
  h.ok(authorize("g", "1"));
  CHECK(h.standing() == lines{"fbo USD @0.333 p100 = 10.00",
                              "receivable.authorized USD @0.333 = -1.00",
                              "receivable.open USD @0.333 = -7.00",
                              "brokerage USD @0.333 = -2.00"});
  h.ok(authorize("g", "1"));
  CHECK(h.standing() == lines{"fbo USD @0.333 p100 = 10.00",
                              "receivable.authorized USD @0.333 = -2.00",
                              "receivable.open USD @0.333 = -3.99",
                              "brokerage USD @0.333 = -4.01"});
  h.ok(authorize("g", "1.33"));
  CHECK(h.standing() == lines{"fbo USD @0.333 p100 = 10.00",
                              "receivable.authorized USD @0.333 = -3.33",
                              "brokerage USD @0.333 = -6.67"});
}

TEST_CASE("a rounded price is paid in two halves", "[grants][D64]") {
  // d64-parts-round: 3 at 0.333 cost round(0.999).
  credit_harness h;
  h.ok(bought("g", "3", "0.333"));
  h.ok(authorize("g", "0.50"));
  CHECK(h.standing() == lines{"fbo USD @0.333 p100 = 3.00",
                              "receivable.authorized USD @0.333 = -0.50",
                              "receivable.open USD @0.333 = -1.50",
                              "brokerage USD @0.333 = -1.00"});
  h.ok(authorize("g", "0.50"));
  CHECK(h.refused(authorize("g", "0.01")) == errc::over_authorization);
  CHECK(h.standing() == lines{"fbo USD @0.333 p100 = 3.00",
                              "receivable.authorized USD @0.333 = -1.00",
                              "brokerage USD @0.333 = -2.00"});
}

TEST_CASE("credit for half a cent is paid with a cent", "[grants][D64][D1]") {
  // S-CP6.
  credit_harness h;
  h.ok(ranked(bought("g", "1", "0.005"), 20));
  h.ok(authorize("g"));
  CHECK(h.standing() == lines{"fbo USD @0.005 p20 = 1.00",
                              "receivable.authorized USD @0.005 = -0.01",
                              "brokerage USD @0.005 = -0.99"});
  h.ok(settle("g"));
  CHECK(h.standing() == lines{"fbo USD @0.005 p20 = 1.00",
                              "wash USD @0.005 = -0.01",
                              "brokerage USD @0.005 = -0.99"});
}

TEST_CASE("prices are rounded half away from zero", "[grants][D1][D64]") {
  // balances.md 3.1.
  credit_harness h;
  auto price = [&h, n = 0](const char* amount, const char* basis) mutable {
    return std::get<reply::grant_view>(h.ok(bought("g" + std::to_string(n++), amount, basis)).body)
        .fiat_amount;
  };
  CHECK(price("1", "1.004") == 100);
  CHECK(price("1", "1.005") == 101);
  CHECK(price("1", "2.675") == 268);
  CHECK(price("2", "1.0025") == 201);
  CHECK(price("100.12", "0.5") == 5006);
}

TEST_CASE("a provider that says paid at once is believed step by step", "[grants][D20]") {
  credit_harness h;
  h.ok(bought("g", "100", "0.5"));
  h.ok(settle("g"));
  CHECK(h.templates() ==
        lines{"customer.receivable.payment.settle", "receivable.payment.authorize"});
  CHECK(h.standing() == lines{"fbo USD @0.5 p100 = 100.00",
                              "wash USD @0.5 = -50.00",
                              "brokerage USD @0.5 = -50.00"});
  CHECK(h.grant("g").internal_status == "final");
  CHECK(h.refused(settle("g")) == errc::unsupported_operation);
}

TEST_CASE("payments are for what somebody buys, exact and positive", "[grants][D2][D12][D62]") {
  credit_harness h;
  h.ok(credit("free", "10"));
  h.ok(command::open_credit{"old", dec("10"), "USD", {}, {}});
  h.ok(bought("g", "10"));
  for (const auto* id : {"free", "old"}) {
    CHECK(h.refused(authorize(id)) == errc::not_externally_funded);
    CHECK(h.refused(settle(id)) == errc::not_externally_funded);
  }
  CHECK(h.refused(authorize("nobody")) == errc::not_found);
  CHECK(h.refused(settle("nobody")) == errc::not_found);
  for (const auto* amount : {"0", "-1", "0.001"}) {
    CHECK(h.refused(authorize("g", amount)) == errc::validation);
    CHECK(h.refused(settle("g", amount)) == errc::validation);
  }
  CHECK(h.refused(settle("g", "1")) == errc::over_settlement); // nothing is authorised
}

TEST_CASE("payments stand in the grant and move no balance", "[grants]") {
  credit_harness h;
  CHECK(h.ok(bought("g", "30", "0.5")).after.at(0).settled == 3000);
  auto g = h.grant("g");
  CHECK(g.funding == "external");
  CHECK(g.internal_status == "active.payment.pending");
  CHECK(g.payment == "pending");
  CHECK(g.fiat_amount == 1500);
  CHECK(g.fiat_code == "USD");
  h.ok(authorize("g"));
  g = h.grant("g");
  CHECK(g.internal_status == "active.payment.authorized");
  CHECK(g.payment == "authorized");
  CHECK(g.authorized == 1500);
  h.ok(settle("g"));
  g = h.grant("g");
  CHECK(g.internal_status == "final");
  CHECK(g.payment == "settled");
  CHECK(g.settled == 1500);
  CHECK(g.status == "active");
  CHECK(h.balance().settled == 3000);
  h.ok(credit("free", "1"));
  CHECK(h.grant("free").internal_status == "final");
  CHECK(h.grant("free").payment.empty());
}

// Credit units

TEST_CASE("a credit unit is bought in fiat through brokerage", "[grants][D63][D64]") {
  // S-CC1: 40 of advance, then 100 ACME at 0.25 dollars.
  credit_harness h;
  h.ok(command::create_credit_unit{"ACME", 2});
  h.use("f", "40", {}, "ACME");
  CHECK(h.standing() == lines{"receivable.open ACME @none = -40.00", "accrued ACME @none = 40.00"});
  h.ok(paid_in(bought("g", "100", "0.25", "ACME"), "USD"));
  CHECK(h.standing() == lines{"fbo ACME @0.25 p100 = 60.00",
                              "receivable.open ACME @0.25 = -100.00",
                              "accrued ACME @0.25 = 40.00"});
  h.ok(authorize("g", "10")); // 10 of 25 dollars stand for 40 of 100
  CHECK(h.standing() == lines{"fbo ACME @0.25 p100 = 60.00",
                              "receivable.authorized USD @0.25 = -10.00",
                              "receivable.open ACME @0.25 = -60.00",
                              "accrued ACME @0.25 = 40.00",
                              "brokerage ACME @0.25 = -40.00",
                              "brokerage USD @0.25 = 10.00"});
  CHECK(h.refused(authorize("g", "15.01")) == errc::over_authorization);
  h.ok(authorize("g"));
  CHECK(h.standing() == lines{"fbo ACME @0.25 p100 = 60.00",
                              "receivable.authorized USD @0.25 = -25.00",
                              "accrued ACME @0.25 = 40.00",
                              "brokerage ACME @0.25 = -100.00",
                              "brokerage USD @0.25 = 25.00"});
  h.ok(settle("g"));
  CHECK(h.standing() == lines{"fbo ACME @0.25 p100 = 60.00",
                              "accrued ACME @0.25 = 40.00",
                              "wash USD @0.25 = -25.00",
                              "brokerage ACME @0.25 = -100.00",
                              "brokerage USD @0.25 = 25.00"});
}

TEST_CASE("the price of a credit unit is rounded to its fiat", "[grants][D63][D1]") {
  // S-CC2: 1 ACME at 1.005 is 1.01; 1.5 of a unit of nine decimals at 0.01 is round(0.015).
  credit_harness h;
  h.ok(command::create_credit_unit{"ACME", 2});
  h.ok(command::create_credit_unit{"NANO", 9});
  h.ok(paid_in(bought("g", "1", "1.005", "ACME"), "USD"));
  h.ok(settle("g"));
  CHECK(h.standing() == lines{"fbo ACME @1.005 p100 = 1.00",
                              "wash USD @1.005 = -1.01",
                              "brokerage ACME @1.005 = -1.00",
                              "brokerage USD @1.005 = 1.01"});
  h.ok(paid_in(bought("n", "1.5", "0.01", "NANO"), "USD"));
  CHECK(h.grant("n").fiat_amount == 2);
}

TEST_CASE("a credit unit is paid in the customer's currency where nothing else is said",
          "[grants][D63]") {
  credit_harness h;
  h.ok(command::create_credit_unit{"ACME", 2});
  command::put_customer c;
  c.currency = "EUR";
  h.ok(c);
  h.ok(bought("g", "100", "0.25", "ACME"));
  CHECK(h.grant("g").fiat_code == "EUR");
  h.ok(settle("g"));
  CHECK(h.standing() == lines{"fbo ACME @0.25 p100 = 100.00",
                              "wash EUR @0.25 = -25.00",
                              "brokerage ACME @0.25 = -100.00",
                              "brokerage EUR @0.25 = 25.00"});
}

// Input

TEST_CASE("prices that make no sense are refused", "[grants][D64][D62]") {
  credit_harness h;
  h.ok(command::create_credit_unit{"ACME", 2});
  for (const auto* basis : {"0", "-1"})
    CHECK(h.refused(bought("g", "1", basis)) == errc::validation);
  auto free = credit("g", "1");
  free.cost_basis = dec("0.5");
  CHECK(h.refused(free) == errc::validation);
  free.cost_basis = dec("-1");
  CHECK(h.refused(free) == errc::validation);
  CHECK(h.refused(bought("g", "0.01", "0.4")) == errc::validation); // 0.004 of a dollar
  CHECK(h.refused(paid_in(bought("g", "1", "0.5"), "EUR")) == errc::validation);
  CHECK(h.refused(paid_in(bought("g", "1", "0.5", "ACME"), "ACME")) == errc::validation);
  CHECK(h.refused(paid_in(bought("g", "1", "0.5", "ACME"), "NOPE")) == errc::validation);
  h.ok(bought("g", "0.01", "0.5")); // half a cent is a cent
  CHECK(h.grant("g").fiat_amount == 1);
}

TEST_CASE("grants that round to nothing or name a feature twice are refused", "[grants][D2]") {
  credit_harness h;
  CHECK(h.refused(bought("g", "0.004")) == errc::validation);
  CHECK(h.refused(only_for(credit("g", "1"), {"a", "a"})) == errc::validation);
  CHECK(h.refused(only_for(credit("g", "1"), {""})) == errc::validation);
}

TEST_CASE("credit ends after it begins", "[grants][D17][D3]") {
  credit_harness h;
  h.now = at("2026-01-01T00:00:10.5Z");
  for (const auto* end : {"2025-12-31", "2026-01-01T00:00:10Z", "2026-01-01T00:00:10.9Z"})
    CHECK(h.refused(until(credit("g", "1"), at(end))) == errc::validation);
  h.ok(until(credit("g", "1"), at("2026-01-01T00:00:11Z")));
  const auto later = from(credit("h", "1"), at("2026-02-01"));
  CHECK(h.refused(until(later, at("2026-02-01"))) == errc::validation);
  CHECK(h.refused(until(later, at("2026-01-15"))) == errc::validation);
  h.ok(until(later, at("2026-02-01T00:00:01.9Z")));
  CHECK(h.grant("h").expires_at == at("2026-02-01T00:00:01Z")); // floored to seconds
}

// For later

TEST_CASE("credit for later is booked at its instant and is pending until then",
          "[grants][D16][D33][D34]") {
  // S-CP9.
  credit_harness h;
  h.now = at("2026-04-17T11:23:00Z");
  const auto begins = at("2026-04-18T09:30:00Z");
  h.ok(from(credit("g", "25"), begins));
  CHECK(h.standing(plus_ns(begins, -1)).empty());
  CHECK(h.standing(begins) == lines{"fbo USD @0 p100 = 25.00", "wash USD @0 = -25.00"});
  auto b = h.balance();
  CHECK(b.settled == 0);
  CHECK(b.live == 0);
  CHECK(b.pending == 2500);
  CHECK(h.grant("g").status == "pending");
  CHECK(h.refused(consume("c", "1")) == errc::insufficient_funds);
  h.now = begins;
  b = h.balance();
  CHECK(b.settled == 2500);
  CHECK(b.pending == 0);
  CHECK(h.grant("g").status == "active");
  h.ok(consume("c", "1"));
}

TEST_CASE("pending is told of any instant and in any view", "[grants][D32][D33]") {
  credit_harness h;
  h.ok(from(only_for(credit("g", "25"), {"api"}), at("2026-01-03")));
  CHECK(h.balance("USD", only_unrestricted).pending == 0);
  CHECK(h.balance("USD", for_feature("api")).pending == 2500);
  CHECK(h.balance("USD", for_feature("disk")).pending == 0);
  h.now = at("2026-01-02");
  CHECK(h.balance_as_of(at("2025-12-31")).pending == 0); // not recorded yet
  CHECK(h.balance_as_of(at("2026-01-01")).pending == 2500);
  const auto later = h.balance_as_of(at("2026-01-03"));
  CHECK(later.pending == 0);
  CHECK(later.settled == 2500);
  CHECK(later.historical); // live and reserved are of now only
}

// Expiry

TEST_CASE("the end of credit is booked ahead", "[grants][D4]") {
  // S-CP18.
  credit_harness h;
  const auto end = at("2026-02-01");
  h.ok(until(bought("g", "100", "0.5"), end));
  const lines whole = {"fbo USD @0.5 p100 = 100.00", "receivable.open USD @0.5 = -100.00"};
  CHECK(h.standing() == whole);
  CHECK(h.standing(plus_ns(end, -1)) == whole);
  const lines gone = {"receivable.open USD @0.5 = -100.00", "breakage USD @0.5 = 100.00"};
  CHECK(h.standing(end) == gone);
  CHECK(h.standing(at("2027-01-01")) == gone);
  CHECK(h.balance_as_of(plus_ns(end, -1)).settled == 10000);
  CHECK(h.balance_as_of(end).settled == 0);
  h.now = plus_ns(end, -1);
  CHECK(h.balance().settled == 10000);
  CHECK(h.grant("g").status == "active");
  h.now = end; // no job ran
  CHECK(h.balance().settled == 0);
  CHECK(h.balance().live == 0);
  CHECK(h.grant("g").status == "expired");
  CHECK(h.refused(consume("c", "0.01")) == errc::insufficient_funds);
}

TEST_CASE("what was used does not expire", "[grants]") {
  // S-B2: 10, of which 6 are used.
  credit_harness h;
  h.ok(until(credit("g", "10"), at("2026-01-10")));
  h.now = at("2026-01-02");
  h.ok(consume("c", "6"));
  CHECK(h.templates() == lines{"customer.fbo.breakage.release", "customer.fbo.collect"});
  CHECK(h.standing() ==
        lines{"fbo USD @0 p100 = 4.00", "accrued USD @0 = 6.00", "wash USD @0 = -10.00"});
  CHECK(h.standing(at("2026-01-10")) ==
        lines{"accrued USD @0 = 6.00", "wash USD @0 = -10.00", "breakage USD @0 = 4.00"});
}

TEST_CASE("grants are listed by the state they are seen in", "[grants][D34]") {
  credit_harness h;
  h.ok(until(credit("gone", "1"), at("2026-01-05")));
  h.ok(credit("voided", "1"));
  h.ok(until(credit("voided-gone", "1"), at("2026-01-05")));
  h.ok(from(credit("later", "1"), at("2026-02-01")));
  h.ok(bought("here", "1"));
  h.ok(take_back("voided"));
  h.ok(take_back("voided-gone"));
  h.now = at("2026-01-05");
  CHECK(listed(h, grant_state::pending) == "later");
  CHECK(listed(h, grant_state::active) == "here");
  CHECK(listed(h, grant_state::expired) == "gone");
  CHECK(listed(h, grant_state::voided) == "voided voided-gone");
  CHECK(listed(h, grant_state::any) == "gone voided voided-gone later here");
}
