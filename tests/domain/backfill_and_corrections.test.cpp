// Advance that later grants cover, and credit that is given back: who gets what, and when it counts.
// What comes back of expiring credit, and recognition, have files of their own.
#include "domain/ledger/realization.hpp"
#include "tests/domain/credit_support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;
using command::over_settlement;

namespace {

const auto expiry = at("2026-01-10");

} // namespace

// Cover

TEST_CASE("a grant covers advance before it is credit", "[backfill][D16]") {
  // S-CP2: advance 40, then promotional 100.
  auto h = used_up({}, "40");
  CHECK(h.standing() == lines{"receivable.open USD @none = -40.00", "accrued USD @none = 40.00"});
  h.ok(credit("g", "100"));
  CHECK(h.templates() == lines{"customer.accrued.cost_basis.translate",
                               "customer.receivable.advance.attribute",
                               "customer.receivable.issue",
                               "customer.receivable.payment.authorize",
                               "customer.receivable.payment.settle"});
  CHECK(h.standing() ==
        lines{"fbo USD @0 p100 = 60.00", "accrued USD @0 = 40.00", "wash USD @0 = -100.00"});
  CHECK(h.balance().settled == 6000); // -40 + 100
}

TEST_CASE("a grant that is too small covers a part and is no credit", "[backfill][D22]") {
  auto h = used_up({}, "40");
  h.ok(credit("g", "25"));
  CHECK(h.standing() == lines{"receivable.open USD @none = -15.00",
                              "accrued USD @0 = 25.00",
                              "accrued USD @none = 15.00",
                              "wash USD @0 = -25.00"});
  h.ok(credit("g2", "15"));
  CHECK(h.standing() == lines{"accrued USD @0 = 40.00", "wash USD @0 = -40.00"});
}

TEST_CASE("cover is spread in proportion, with largest remainder", "[backfill][D10]") {
  // cp15: 5 over 10 and 5 is 3.33 and 1.67.
  auto h = used_up({}, "10");
  h.use("f2", "5");
  h.ok(bought("g", "5", "0.5"));
  CHECK(h.standing() == lines{"receivable.open USD @0.5 = -5.00",
                              "receivable.open USD @none = -10.00",
                              "accrued USD @0.5 = 5.00",
                              "accrued USD @none = 10.00"});
  CHECK(h.standing_of("g", "f") ==
        lines{"receivable.open USD @0.5 = -3.33", "accrued USD @0.5 = 3.33"});
  CHECK(h.standing_of("g", "f2") ==
        lines{"receivable.open USD @0.5 = -1.67", "accrued USD @0.5 = 1.67"});
}

TEST_CASE("single cents of a cover go to the earlier spend", "[backfill][D10][D65]") {
  // 1 over three times 1: 33 1/3 cents each, and one left.
  auto h = used_up({}, "1");
  h.use("f2", "1");
  h.use("f3", "1");
  h.ok(bought("g", "1"));
  CHECK(h.standing_of("g", "f") ==
        lines{"receivable.open USD @1 = -0.34", "accrued USD @1 = 0.34"});
  for (const auto* id : {"f2", "f3"})
    CHECK(h.standing_of("g", id) ==
          lines{"receivable.open USD @1 = -0.33", "accrued USD @1 = 0.33"});
}

TEST_CASE("restricted credit covers advance for its features only", "[backfill]") {
  // S-CP14; ledger.md 6.4.
  auto h = used_up({}, "40", "api");
  h.use("f2", "30", "storage");
  h.ok(only_for(bought("g", "100", "0.5"), {"api"}));
  CHECK(h.standing() == lines{"fbo USD @0.5 p100 [api] = 60.00",
                              "receivable.open USD @0.5 [api] = -100.00",
                              "receivable.open USD @none [storage] = -30.00",
                              "accrued USD @0.5 = 40.00",
                              "accrued USD @none = 30.00"});
}

TEST_CASE("restricted credit does not cover advance without a feature", "[backfill]") {
  // S-CP14.
  auto h = used_up({}, "40");
  h.ok(only_for(bought("g", "100", "0.5"), {"api"}));
  CHECK(h.standing() == lines{"fbo USD @0.5 p100 [api] = 100.00",
                              "receivable.open USD @0.5 [api] = -100.00",
                              "receivable.open USD @none = -40.00",
                              "accrued USD @none = 40.00"});
  CHECK(h.balance().settled == 6000);
}

TEST_CASE("unrestricted credit covers any advance, and owes as what it is", "[backfill]") {
  auto h = used_up({}, "40", "api");
  h.use("f2", "10");
  h.ok(bought("g", "60", "0.5"));
  CHECK(h.standing() == lines{"fbo USD @0.5 p100 = 10.00",
                              "receivable.open USD @0.5 = -60.00",
                              "accrued USD @0.5 = 50.00"});
}

TEST_CASE("a grant of the past covers in the past", "[backfill][D16]") {
  // S-CP10.
  credit_harness h;
  h.now = at("2026-01-01T09:00:00Z");
  h.ok(command::open_advance{"s1", dec("40"), "USD", {}, {}});
  h.now = at("2026-01-01T12:00:00Z");
  const auto begins = at("2026-01-01T10:00:00Z");
  h.ok(from(bought("g", "100", "0.5"), begins));
  CHECK(h.standing(plus_ns(begins, -1)) ==
        lines{"receivable.open USD @none = -40.00", "accrued USD @none = 40.00"});
  CHECK(h.standing(begins) == lines{"fbo USD @0.5 p100 = 60.00",
                                    "receivable.open USD @0.5 = -100.00",
                                    "accrued USD @0.5 = 40.00"});
}

TEST_CASE("a grant for later covers now, and no other one covers the same",
          "[backfill][D16][D33]") {
  // S-CP11.
  credit_harness h;
  h.now = at("2026-01-01T12:00:00Z");
  h.ok(command::open_advance{"s1", dec("40"), "USD", {}, {}});
  const auto begins = at("2026-01-01T14:00:00Z");
  h.ok(from(bought("g", "100", "0.5"), begins));
  CHECK(h.standing() == lines{"receivable.open USD @0.5 = -40.00", "accrued USD @0.5 = 40.00"});
  CHECK(h.standing(begins) == lines{"fbo USD @0.5 p100 = 60.00",
                                    "receivable.open USD @0.5 = -100.00",
                                    "accrued USD @0.5 = 40.00"});
  CHECK(h.balance().settled == 0);
  CHECK(h.balance().pending == 6000);
  h.ok(from(bought("g2", "100", "0.5"), begins));
  CHECK(h.balance().pending == 16000);
  CHECK(h.balance_as_of(begins).settled == 16000);
  CHECK(h.balance_as_of(begins).pending == 0);
}

TEST_CASE("an opening debt is covered and never given back", "[backfill][D68]") {
  credit_harness h;
  h.ok(command::open_advance{"debt", dec("40"), "USD", {}, {}});
  h.ok(credit("g", "100"));
  CHECK(h.standing() ==
        lines{"fbo USD @0 p100 = 60.00", "accrued USD @0 = 40.00", "wash USD @0 = -100.00"});
  CHECK(h.refused(correct("debt")) == errc::not_found);
  CHECK(h.refused(correct("debt", "1")) == errc::not_found);
}

TEST_CASE("what opening credit paid for is not taken for advance", "[backfill][D68]") {
  // Both stand on accrued of unknown cost: 12 of it is paid, 5 is owed.
  auto h = used_up({}, "5");
  h.ok(command::open_credit{"old", dec("12"), "USD", {}, {}});
  CHECK(h.standing() == lines{"fbo USD @none p100 = 12.00",
                              "receivable.open USD @none = -5.00",
                              "accrued USD @none = 5.00",
                              "wash USD @none = -12.00"}); // it covers nothing itself
  h.use("f2", "12");
  h.ok(credit("g", "10"));
  CHECK(h.standing() == lines{"fbo USD @0 p100 = 5.00",
                              "accrued USD @0 = 5.00",
                              "accrued USD @none = 12.00",
                              "wash USD @0 = -10.00",
                              "wash USD @none = -12.00"});
}

// Expiring credit that covers

TEST_CASE("expiring credit that covers advance expires without it", "[backfill]") {
  // S-B3: advance 8, promotional 12; S-B4: then the usage is given back.
  auto h = used_up({}, "8");
  h.ok(until(credit("g", "12"), expiry));
  CHECK(h.standing() ==
        lines{"fbo USD @0 p100 = 4.00", "accrued USD @0 = 8.00", "wash USD @0 = -12.00"});
  CHECK(h.standing(expiry) ==
        lines{"accrued USD @0 = 8.00", "wash USD @0 = -12.00", "breakage USD @0 = 4.00"});
  h.now = at("2026-01-03");
  h.ok(correct("f"));
  CHECK(h.standing() == lines{"fbo USD @0 p100 = 12.00", "wash USD @0 = -12.00"});
  CHECK(h.standing(expiry) == lines{"wash USD @0 = -12.00", "breakage USD @0 = 12.00"});
  h.ok(take_back("g")); // re-issued credit goes with the rest
  CHECK(h.standing().empty());
  CHECK(h.standing(expiry).empty());
}

// Corrections

TEST_CASE("what was used comes back, the last collected first", "[corrections][D8]") {
  // S-FF7b: 30 of a, then 20 of b; 35 come back.
  auto h = used_up({ranked(credit("b", "20"), 2), ranked(credit("a", "30"), 1)}, "50");
  h.ok(correct("f", "35"));
  CHECK(h.standing() == lines{"fbo USD @0 p1 = 15.00",
                              "fbo USD @0 p2 = 20.00",
                              "accrued USD @0 = 15.00",
                              "wash USD @0 = -50.00"});
}

TEST_CASE("advance comes back before credit", "[corrections][D8]") {
  // S-FF7a, S-FF7c, S-ADV3.
  auto h = used_up({ranked(credit("a", "20"), 1)}, "30");
  h.ok(correct("f", "4"));
  CHECK(h.standing() == lines{"receivable.open USD @none = -6.00",
                              "accrued USD @0 = 20.00",
                              "accrued USD @none = 6.00",
                              "wash USD @0 = -20.00"});
  h.ok(correct("f", "26"));
  CHECK(h.standing() == lines{"fbo USD @0 p1 = 20.00", "wash USD @0 = -20.00"});
  CHECK(h.balance().settled == 2000);
}

TEST_CASE("of two grants on one route the second gets back first", "[corrections][D8]") {
  // co13.
  auto h = used_up({credit("one", "10"), credit("two", "20")}, "30");
  h.ok(correct("f", "15"));
  CHECK(h.standing_of("one") == lines{"accrued USD @0 = 10.00", "wash USD @0 = -10.00"});
  CHECK(h.standing_of("two") ==
        lines{"fbo USD @0 p100 = 15.00", "accrued USD @0 = 5.00", "wash USD @0 = -20.00"});
}

TEST_CASE("two corrections in a row are one of their sum, and no more than was used",
          "[corrections][D8]") {
  // co15: 4 and 6; 5, then 3; then more than the 2 that remain.
  auto h = used_up({credit("one", "4"), credit("two", "6")}, "10");
  h.ok(correct("f", "5"));
  CHECK(h.standing_of("two") ==
        lines{"fbo USD @0 p100 = 5.00", "accrued USD @0 = 1.00", "wash USD @0 = -6.00"});
  h.ok(correct("f", "3"));
  CHECK(h.standing_of("two") == lines{"fbo USD @0 p100 = 6.00", "wash USD @0 = -6.00"});
  CHECK(h.standing_of("one") ==
        lines{"fbo USD @0 p100 = 2.00", "accrued USD @0 = 2.00", "wash USD @0 = -4.00"});
  CHECK(h.refused(correct("f", "3")) == errc::insufficient_funds);
  h.ok(correct("f", "2"));
  CHECK(h.refused(correct("f", "0.01")) == errc::insufficient_funds);
  CHECK(h.standing() == lines{"fbo USD @0 p100 = 10.00", "wash USD @0 = -10.00"});
}

TEST_CASE("corrections are exact, positive and of something that used credit",
          "[corrections][D2][D62]") {
  auto h = used_up({credit("g", "10")}, "10");
  for (const auto* amount : {"0", "-1", "0.001"})
    CHECK(h.refused(correct("f", amount)) == errc::validation);
  CHECK(h.refused(correct("nobody")) == errc::not_found);
  CHECK(h.refused(correct("g")) == errc::not_found); // a grant
}

TEST_CASE("consumes and settled reservations are given back as charges are",
          "[corrections][D67][D8]") {
  credit_harness h;
  h.ok(credit("one", "4"));
  h.ok(credit("two", "16"));
  h.ok(consume("c", "10"));
  h.ok(reserve("r", "10"));
  h.ok(finish("r", "8"));
  h.now = at("2026-01-02");
  h.ok(correct("c", "5"));
  h.ok(correct("c", "3"));
  CHECK(h.standing_of("one", "c") == lines{"fbo USD @0 p100 = -2.00", "accrued USD @0 = 2.00"});
  CHECK(h.standing_of("two", "c").empty());
  CHECK(h.refused(correct("c", "2.01")) == errc::insufficient_funds);
  const auto r = h.ok(correct("r"));
  CHECK(std::get<reply::corrected>(r.body).amount == 800);
  CHECK(r.after.at(0).settled == 1800);
  CHECK(h.standing() ==
        lines{"fbo USD @0 p100 = 18.00", "accrued USD @0 = 2.00", "wash USD @0 = -20.00"});
}

TEST_CASE("an advance that was consumed and covered becomes credit of who covered it",
          "[corrections][D67][D9]") {
  // 10 of g, 4 advance, covered by h; 6 come back: 4 of h, then 2 of g.
  credit_harness h;
  h.ok(policy(over_settlement::advance));
  h.ok(credit("g", "10"));
  h.ok(consume("c", "14"));
  h.ok(ranked(bought("h", "20", "0.5"), 7));
  CHECK(h.standing_of("h", "c") ==
        lines{"receivable.open USD @0.5 = -4.00", "accrued USD @0.5 = 4.00"});
  h.ok(correct("c", "6"));
  CHECK(h.standing() == lines{"fbo USD @0 p100 = 2.00",
                              "fbo USD @0.5 p7 = 20.00",
                              "receivable.open USD @0.5 = -20.00",
                              "accrued USD @0 = 8.00",
                              "wash USD @0 = -10.00"});
  h.ok(authorize("h"));
  h.ok(settle("h")); // 10 for all of it, as if nothing had been covered
  CHECK(h.standing_of("h") ==
        lines{"fbo USD @0.5 p7 = 20.00", "wash USD @0.5 = -10.00", "brokerage USD @0.5 = -10.00"});
}

TEST_CASE("of two grants that covered one advance the newest gives back first",
          "[corrections][D60][D8]") {
  // 30 of advance: 10 by a, 15 by b, 5 by nobody. Back come 12, 5, 8 and 5.
  auto h = used_up({}, "30");
  h.ok(credit("a", "10"));
  h.ok(bought("b", "15", "0.5"));
  h.ok(correct("f", "12"));
  CHECK(h.standing() == lines{"fbo USD @0.5 p100 = 12.00",
                              "receivable.open USD @0.5 = -15.00",
                              "receivable.open USD @none = -5.00",
                              "accrued USD @0 = 10.00",
                              "accrued USD @0.5 = 3.00",
                              "accrued USD @none = 5.00",
                              "wash USD @0 = -10.00"});
  h.ok(correct("f", "5"));
  CHECK(h.standing() == lines{"fbo USD @0 p100 = 2.00",
                              "fbo USD @0.5 p100 = 15.00",
                              "receivable.open USD @0.5 = -15.00",
                              "receivable.open USD @none = -5.00",
                              "accrued USD @0 = 8.00",
                              "accrued USD @none = 5.00",
                              "wash USD @0 = -10.00"});
  h.ok(correct("f", "8"));
  h.ok(correct("f", "5"));
  CHECK(h.standing() == lines{"fbo USD @0 p100 = 10.00",
                              "fbo USD @0.5 p100 = 15.00",
                              "receivable.open USD @0.5 = -15.00",
                              "wash USD @0 = -10.00"});
  CHECK(h.refused(correct("f", "0.01")) == errc::insufficient_funds);
}

TEST_CASE("credit that comes back does not cover other advance by itself",
          "[corrections][D16][D10]") {
  // S-UB12 as D10 has it, with fees.
  auto h = used_up({}, "20");
  h.use("f2", "20");
  h.ok(bought("b1", "25", "0.5")); // 12.5 each
  h.ok(correct("f2", "9"));
  CHECK(h.standing() == lines{"fbo USD @0.5 p100 = 9.00",
                              "receivable.open USD @0.5 = -25.00",
                              "receivable.open USD @none = -15.00",
                              "accrued USD @0.5 = 16.00",
                              "accrued USD @none = 15.00"});
  h.ok(bought("b2", "10", "0.8")); // 7.5 each are open: 5 each
  h.ok(correct("f2", "11"));       // 5 of b2, 3.5 of b1, 2.5 of nobody
  CHECK(h.standing() == lines{"fbo USD @0.5 p100 = 12.50",
                              "fbo USD @0.8 p100 = 5.00",
                              "receivable.open USD @0.5 = -25.00",
                              "receivable.open USD @0.8 = -10.00",
                              "receivable.open USD @none = -2.50",
                              "accrued USD @0.5 = 12.50",
                              "accrued USD @0.8 = 5.00",
                              "accrued USD @none = 2.50"});
}

TEST_CASE("restricted credit that covered comes back restricted", "[corrections][D9]") {
  // S-UB10: api 30, storage 40; 20 at 0.5 for api.
  auto h = used_up({}, "30", "api");
  h.use("f2", "40", "storage");
  h.ok(ranked(only_for(bought("g", "20", "0.5"), {"api"}), 9));
  h.ok(correct("f2"));
  CHECK(h.standing() == lines{"receivable.open USD @0.5 [api] = -20.00",
                              "receivable.open USD @none [api] = -10.00",
                              "accrued USD @0.5 = 20.00",
                              "accrued USD @none = 10.00"});
  h.ok(correct("f"));
  CHECK(h.standing() ==
        lines{"fbo USD @0.5 p9 [api] = 20.00", "receivable.open USD @0.5 [api] = -20.00"});
}
