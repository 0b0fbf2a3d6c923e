// Expiring credit that is given back: what its end takes then, before its time and after it.
// Source: ledger.md 7.3, 7.5; D61.
#include "domain/ledger/realization.hpp"
#include "tests/domain/credit_support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;

namespace {

const auto e1 = at("2026-01-05");
const auto e2 = at("2026-01-10");
const auto late = at("2026-01-20");

} // namespace

TEST_CASE("what comes back before its end expires with the rest", "[corrections]") {
  // S-B5: 12, of which 5 are used and come back. S-B6: 8 used, 3 come back.
  auto h = used_up({until(credit("g", "12"), e2)}, "5");
  h.ok(correct("f"));
  CHECK(h.standing() == lines{"fbo USD @0 p100 = 12.00", "wash USD @0 = -12.00"});
  CHECK(h.standing(e2) == lines{"wash USD @0 = -12.00", "breakage USD @0 = 12.00"});
  h.use("f2", "8");
  h.ok(correct("f2", "3"));
  CHECK(h.standing() ==
        lines{"fbo USD @0 p100 = 7.00", "accrued USD @0 = 5.00", "wash USD @0 = -12.00"});
  CHECK(h.standing(e2) ==
        lines{"accrued USD @0 = 5.00", "wash USD @0 = -12.00", "breakage USD @0 = 7.00"});
}

TEST_CASE("credit of a later end comes back before that of an earlier one", "[corrections][D8]") {
  // ledger.md 7.5 B: 5 until e1, 5 until e2; 8 used, 4 come back.
  auto h = used_up({until(credit("g1", "5"), e1), until(credit("g2", "5"), e2)}, "8");
  CHECK(h.standing(e2) ==
        lines{"accrued USD @0 = 8.00", "wash USD @0 = -10.00", "breakage USD @0 = 2.00"});
  h.ok(correct("f", "4"));
  CHECK(h.standing() ==
        lines{"fbo USD @0 p100 = 6.00", "accrued USD @0 = 4.00", "wash USD @0 = -10.00"});
  CHECK(h.standing_of("g1") ==
        lines{"fbo USD @0 p100 = 1.00", "accrued USD @0 = 4.00", "wash USD @0 = -5.00"});
  CHECK(h.standing(e1) == lines{"fbo USD @0 p100 = 5.00",
                                "accrued USD @0 = 4.00",
                                "wash USD @0 = -10.00",
                                "breakage USD @0 = 1.00"});
  CHECK(h.standing(e2) ==
        lines{"accrued USD @0 = 4.00", "wash USD @0 = -10.00", "breakage USD @0 = 6.00"});
}

TEST_CASE("credit without an end comes back before credit with one", "[corrections][D8]") {
  // ledger.md 7.5 C.
  auto h = used_up({until(credit("ends", "5"), e2), credit("stays", "5")}, "8");
  h.ok(correct("f", "4"));
  CHECK(h.standing_of("stays") == lines{"fbo USD @0 p100 = 5.00", "wash USD @0 = -5.00"});
  CHECK(h.standing(e2) == lines{"fbo USD @0 p100 = 5.00",
                                "accrued USD @0 = 4.00",
                                "wash USD @0 = -10.00",
                                "breakage USD @0 = 1.00"});
}

TEST_CASE("only the plan of what comes back is opened again", "[corrections]") {
  // co14: restricted 30 is used first although it ends later; 10 of 40 come back.
  auto h = used_up(
      {only_for(until(credit("r", "30"), e2), {"api"}), until(credit("n", "10"), e1)}, "40", "api");
  h.ok(correct("f", "10"));
  CHECK(h.standing_of("n") == lines{"fbo USD @0 p100 = 10.00", "wash USD @0 = -10.00"});
  CHECK(h.standing(e2, "n") == lines{"wash USD @0 = -10.00", "breakage USD @0 = 10.00"});
  CHECK(h.standing(e2, "r") == lines{"accrued USD @0 = 30.00", "wash USD @0 = -30.00"});
}

// After the end

TEST_CASE("credit given back after its end expires at once, when it is given back",
          "[corrections][D61]") {
  // 10 until e2, 6 of them used: 4 expired then; the 6 come back on the twentieth.
  auto h = used_up({until(credit("g", "10"), e2)}, "6");
  h.now = late;
  h.ok(correct("f", "6"));
  CHECK(h.standing(plus_ns(late, -1)) ==
        lines{"accrued USD @0 = 6.00", "wash USD @0 = -10.00", "breakage USD @0 = 4.00"});
  CHECK(h.standing() == lines{"wash USD @0 = -10.00", "breakage USD @0 = 10.00"});
  CHECK(h.balance().settled == 0);
  CHECK(h.refused(consume("c", "0.01")) == errc::insufficient_funds);
  CHECK(h.grant("g").status == "expired");
}

TEST_CASE("at its end credit is gone, just before it comes back to be gone then",
          "[corrections][D61][D4]") {
  for (const auto when : {plus_ns(e2, -1), e2}) {
    auto h = used_up({until(credit("g", "10"), e2)}, "10");
    h.now = when;
    h.ok(correct("f", "3"));
    CHECK(h.balance().settled == (when < e2 ? 300 : 0));
    CHECK(h.standing(e2) ==
          lines{"accrued USD @0 = 7.00", "wash USD @0 = -10.00", "breakage USD @0 = 3.00"});
  }
}

TEST_CASE("advance covered by credit that has ended comes back as nothing", "[corrections][D61]") {
  // S-B4, after the end: 8 of 12 covered an advance.
  auto h = used_up({}, "8");
  h.ok(until(credit("g", "12"), e2));
  h.now = late;
  h.ok(correct("f", "5"));
  CHECK(h.standing() ==
        lines{"accrued USD @0 = 3.00", "wash USD @0 = -12.00", "breakage USD @0 = 9.00"});
  CHECK(h.balance().settled == 0);
  CHECK(h.refused(consume("c", "0.01")) == errc::insufficient_funds);
}

TEST_CASE("of a mixed use only what has ended expires", "[corrections][D61]") {
  // 5 until e1, 5 for ever; 8 used. 4 come back late: 3 to stay, 1 that has ended.
  auto h = used_up({until(credit("ends", "5"), e1), credit("stays", "5")}, "8");
  h.now = late;
  h.ok(correct("f", "4"));
  CHECK(h.standing() == lines{"fbo USD @0 p100 = 5.00",
                              "accrued USD @0 = 4.00",
                              "wash USD @0 = -10.00",
                              "breakage USD @0 = 1.00"});
  CHECK(h.balance().settled == 500);
}

TEST_CASE("what came back expires once and is not taken back", "[corrections][D61]") {
  auto h = used_up({until(credit("g", "10"), e2)}, "10");
  h.ok(correct("f", "4")); // to expire with e2
  h.now = late;
  h.ok(correct("f", "2")); // at once
  CHECK(h.standing() ==
        lines{"accrued USD @0 = 4.00", "wash USD @0 = -10.00", "breakage USD @0 = 6.00"});
  CHECK(h.refused(take_back("g")) == errc::conflict);
}

TEST_CASE(
    "credit given back before its end can be used until then, whenever its use was to be booked",
    "[corrections][D61]") {
  credit_harness h;
  h.now = at("2026-01-01");
  auto g = credit("g", "100");
  g.expires_at = at("2026-01-31");
  h.ok(g);
  h.now = at("2026-01-20");
  command::create_charge c;
  c.id = "c";
  c.amount = dec("100");
  c.currency = "USD";
  c.service_period = {at("2026-02-01"), at("2026-03-01")};
  c.invoice_at = at("2026-01-20");
  c.term = payment_term::in_advance;
  h.ok(c);
  h.ok(command::invoice_pending{});
  h.now = at("2026-01-25");
  h.ok(command::correct_charge{"c", std::nullopt});
  h.ok(consume("x", "10"));
  CHECK(h.balance().settled == 9000);
  h.now = at("2026-02-02"); // the rest has ended, and what was given back with it
  CHECK(h.balance().settled == 0);
  CHECK(h.refused(consume("y", "0.01")) == errc::insufficient_funds);
}
