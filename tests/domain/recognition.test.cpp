// Recognition: which accrued value becomes earnings, and that it goes back with what was used.
// Source: D11, D47; ledger.md 8.
#include "domain/ledger/realization.hpp"
#include "tests/domain/credit_support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;
using command::over_settlement;

namespace {

command::recognize recognised(std::optional<instant> as_of = {},
                              command::recognizable what = command::recognizable::credit) {
  return {as_of, what};
}

/// What the command says became earnings, "USD 5000"; nothing of zeros.
std::string said(const reply::receipt& r) {
  std::string text;
  for (const auto& s : std::get<reply::recognized>(r.body).amounts)
    if (s.amount != 0)
      text += (text.empty() ? "" : ", ") + s.code + " " + to_string(s.amount);
  return text;
}

} // namespace

TEST_CASE("what credit paid for is recognised once", "[recognition][D11]") {
  // S-R1, S-R2: 30 and 40 of a grant of 70 at par, and promotional 5 of a consume.
  credit_harness h;
  h.ok(bought("g", "70"));
  h.ok(credit("free", "5"));
  h.now = at("2026-01-02");
  h.use("a", "30");
  h.use("b", "40");
  h.ok(consume("c", "5"));
  CHECK(said(h.ok(recognised())) == "USD 7500");
  CHECK(h.standing() == lines{"receivable.open USD @1 = -70.00",
                              "wash USD @0 = -5.00",
                              "earnings USD @0 = 5.00",
                              "earnings USD @1 = 70.00"});
  CHECK(h.standing_of("g", "a") == lines{"fbo USD @1 p100 = -30.00", "earnings USD @1 = 30.00"});
  CHECK(h.standing_of("g", "b") == lines{"fbo USD @1 p100 = -40.00", "earnings USD @1 = 40.00"});
  CHECK(h.standing_of("free", "c") == lines{"fbo USD @0 p100 = -5.00", "earnings USD @0 = 5.00"});
  const auto before = h.standing();
  CHECK(said(h.ok(recognised())).empty());
  CHECK(h.journal.back().transactions.empty());
  CHECK(h.standing() == before);
}

TEST_CASE("only what is new is recognised the next time", "[recognition][D11]") {
  credit_harness h;
  h.ok(credit("g", "100"));
  h.ok(consume("c1", "10"));
  h.ok(recognised());
  h.ok(consume("c2", "7"));
  h.use("f", "3");
  h.ok(reserve("r", "20"));
  h.ok(finish("r", "5"));
  CHECK(said(h.ok(recognised())) == "USD 1500");
  CHECK(h.standing() ==
        lines{"fbo USD @0 p100 = 75.00", "wash USD @0 = -100.00", "earnings USD @0 = 25.00"});
}

TEST_CASE("each currency is recognised in its own", "[recognition][D11][D63]") {
  credit_harness h;
  h.ok(command::create_credit_unit{"ACME", 2});
  h.ok(credit("u", "9", "USD"));
  auto a = bought("a", "8", "0.25", "ACME");
  a.fiat_currency = "USD";
  h.ok(a);
  h.ok(consume("c", "2"));
  h.ok(consume("d", "3", {}, "ACME"));
  h.ok(recognised());
  CHECK(h.standing_of("u") ==
        lines{"fbo USD @0 p100 = 7.00", "wash USD @0 = -9.00", "earnings USD @0 = 2.00"});
  CHECK(h.standing_of("a") == lines{"fbo ACME @0.25 p100 = 5.00",
                                    "receivable.open ACME @0.25 = -8.00",
                                    "earnings ACME @0.25 = 3.00"});
}

TEST_CASE("what an invoice billed stays, and has a command of its own", "[recognition][D11]") {
  // r6: 50 of credit at par and 30 billed, both at cost basis 1.
  credit_harness h;
  h.ok(bought("g", "50"));
  h.ok(fee("f", "80"));
  h.ok(command::invoice_pending{});
  CHECK(said(h.ok(recognised())) == "USD 5000");
  CHECK(h.standing_of("g", "f") == lines{"fbo USD @1 p100 = -50.00", "earnings USD @1 = 50.00"});
  CHECK(h.standing() == lines{"receivable.open USD @1 = -80.00",
                              "accrued USD @1 = 30.00",
                              "earnings USD @1 = 50.00"});
  CHECK(said(h.ok(recognised())).empty());
  CHECK(said(h.ok(recognised({}, command::recognizable::invoiced))) == "USD 3000");
  CHECK(h.standing() == lines{"receivable.open USD @1 = -80.00", "earnings USD @1 = 80.00"});
  CHECK(said(h.ok(recognised({}, command::recognizable::invoiced))).empty());
}

TEST_CASE("recognition looks at what is booked by an instant", "[recognition][D11]") {
  // r7: a fee in arrears counts from its period's end.
  credit_harness h;
  h.ok(manual_approval());
  h.ok(credit("g", "50"));
  auto f = fee("f", "20");
  f.service_period = from_to("2026-01-02", "2026-02-01");
  f.invoice_at = at("2026-01-20");
  f.term = payment_term::in_arrears;
  h.ok(f);
  h.now = at("2026-01-20");
  h.use("h", "10");
  h.ok(consume("c", "5"));
  h.ok(command::invoice_pending{});
  h.now = at("2026-01-31");
  CHECK(said(h.ok(recognised(at("2026-01-19")))).empty());
  CHECK(said(h.ok(recognised(at("2026-01-20")))) == "USD 1500");
  CHECK(said(h.ok(recognised())).empty());
  h.now = at("2026-02-01");
  CHECK(said(h.ok(recognised())) == "USD 2000");
  CHECK(h.standing_of("g", "f") == lines{"fbo USD @0 p100 = -20.00", "earnings USD @0 = 20.00"});
  CHECK(h.refused(recognised(plus_ns(h.now, 1))) == errc::validation);
}

TEST_CASE("advance is recognised when somebody has covered it", "[recognition][D11]") {
  credit_harness h;
  h.ok(policy(over_settlement::advance));
  h.ok(consume("c", "10"));
  h.use("f", "10");
  CHECK(said(h.ok(recognised())).empty());
  h.ok(credit("g", "10")); // half of each
  CHECK(said(h.ok(recognised())) == "USD 1000");
  CHECK(h.standing() == lines{"receivable.open USD @none = -10.00",
                              "accrued USD @none = 10.00",
                              "wash USD @0 = -10.00",
                              "earnings USD @0 = 10.00"});
  h.ok(bought("b", "100"));
  CHECK(said(h.ok(recognised())) == "USD 1000");
  CHECK(h.standing_of("b", "c") ==
        lines{"receivable.open USD @1 = -5.00", "earnings USD @1 = 5.00"});
}

TEST_CASE("opening credit has no price and is never recognised", "[recognition][D64][D68]") {
  credit_harness h;
  h.ok(command::open_credit{"old", dec("12"), "USD", {}, {}});
  h.use("f", "7");
  h.ok(consume("c", "2"));
  CHECK(said(h.ok(recognised())).empty());
  CHECK(h.standing_of("old", "f") ==
        lines{"fbo USD @none p100 = -7.00", "accrued USD @none = 7.00"});
}

TEST_CASE("no other command recognises", "[recognition][D47]") {
  credit_harness h;
  h.ok(bought("g", "10"));
  h.use("f", "4");
  h.ok(settle("g"));
  h.ok(credit("h", "1"));
  h.ok(command::run_due{});
  CHECK(h.standing_of("g", "f") == lines{"fbo USD @1 p100 = -4.00", "accrued USD @1 = 4.00"});
}

// Undone

TEST_CASE("what is given back is no revenue any more", "[recognition][corrections]") {
  // S-FF7d, S-FF23: 30 used, recognised, and all of it given back.
  credit_harness h;
  h.ok(credit("p", "30"));
  h.now = at("2026-01-02");
  h.use("f", "30");
  h.ok(recognised());
  CHECK(h.standing_of("p", "f") == lines{"fbo USD @0 p100 = -30.00", "earnings USD @0 = 30.00"});
  h.ok(correct("f"));
  CHECK(h.standing() == lines{"fbo USD @0 p100 = 30.00", "wash USD @0 = -30.00"});
  CHECK(h.standing_of("p", "f").empty());
  CHECK(said(h.ok(recognised())).empty());
}

TEST_CASE("a part that is given back leaves the rest recognised", "[recognition][corrections]") {
  credit_harness h;
  h.ok(credit("one", "4"));
  h.ok(bought("two", "26"));
  h.ok(consume("c", "10"));
  h.ok(reserve("r", "10"));
  h.ok(finish("r", "10"));
  h.ok(recognised());
  h.ok(correct("c", "8")); // 6 of two, 2 of one
  CHECK(h.standing_of("one") ==
        lines{"fbo USD @0 p100 = 2.00", "wash USD @0 = -4.00", "earnings USD @0 = 2.00"});
  CHECK(h.standing_of("two", "c").empty());
  h.ok(correct("r", "1"));
  CHECK(h.standing_of("two", "r") == lines{"fbo USD @1 p100 = -9.00", "earnings USD @1 = 9.00"});
  CHECK(said(h.ok(recognised())).empty());
}

TEST_CASE("of an advance what is recognised comes back first, the newest cover of it first",
          "[recognition][corrections][D8][D60]") {
  // 30 of advance: 10 by a and 15 by b, recognised; then 5 by c. Back come 3, 22 and 5.
  credit_harness h;
  h.use("f", "30");
  h.ok(credit("a", "10"));
  h.ok(bought("b", "15", "0.5"));
  CHECK(said(h.ok(recognised())) == "USD 2500");
  h.ok(bought("c", "5", "0.8"));
  h.ok(correct("f", "3"));
  CHECK(h.standing() == lines{"fbo USD @0.5 p100 = 3.00",
                              "receivable.open USD @0.5 = -15.00",
                              "receivable.open USD @0.8 = -5.00",
                              "accrued USD @0.8 = 5.00",
                              "wash USD @0 = -10.00",
                              "earnings USD @0 = 10.00",
                              "earnings USD @0.5 = 12.00"});
  h.ok(correct("f", "22"));
  CHECK(h.standing() == lines{"fbo USD @0 p100 = 10.00",
                              "fbo USD @0.5 p100 = 15.00",
                              "receivable.open USD @0.5 = -15.00",
                              "receivable.open USD @0.8 = -5.00",
                              "accrued USD @0.8 = 5.00",
                              "wash USD @0 = -10.00"});
  h.ok(correct("f", "5"));
  CHECK(h.standing_of("c") ==
        lines{"fbo USD @0.8 p100 = 5.00", "receivable.open USD @0.8 = -5.00"});
}

TEST_CASE("recognised value of credit that has ended goes to breakage",
          "[recognition][corrections][D61]") {
  credit_harness h;
  h.ok(until(credit("g", "10"), at("2026-01-10")));
  h.ok(consume("c", "6"));
  h.ok(recognised());
  h.now = at("2026-01-20");
  h.ok(correct("c", "4"));
  CHECK(h.standing() ==
        lines{"wash USD @0 = -10.00", "earnings USD @0 = 2.00", "breakage USD @0 = 8.00"});
}
