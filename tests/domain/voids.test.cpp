// Voids: what is left of a grant goes, by how far it was paid, and what is said of it then.
// Source: D13, D59, D64.
#include "domain/grant.hpp"
#include "tests/domain/credit_support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;

namespace {

using steps = std::vector<command::any>;

/// 100 at half its face, what happened to it, and a void on the third.
credit_harness half_priced_void(const steps& before, bool refund) {
  credit_harness h;
  h.ok(bought("g", "100", "0.5"));
  h.now = at("2026-01-02");
  for (const auto& step : before)
    h.ok(step);
  h.now = at("2026-01-03");
  h.ok(take_back("g", refund));
  return h;
}

} // namespace

TEST_CASE("a promotional grant is taken back against wash", "[voids][D13][D64]") {
  // S-V1, with receivable and wash as D13 has them; S-V2.
  credit_harness h;
  h.ok(credit("g", "100"));
  h.now = at("2026-01-02");
  h.ok(take_back("g"));
  CHECK(h.templates() == lines{"credit.void.promotional"});
  CHECK(h.standing().empty());
  CHECK(h.standing(at("2026-01-01")) == lines{"fbo USD @0 p100 = 100.00", "wash USD @0 = -100.00"});
  CHECK(h.grant("g").status == "voided");
  CHECK(h.grant("g").voided_at == at("2026-01-02"));
  CHECK(h.balance().settled == 0);

  h.now = at("2026-01-03"); // again: nothing more, and as it was
  h.ok(take_back("g"));
  CHECK(h.templates().empty());
  CHECK(h.grant("g").voided_at == at("2026-01-02"));
}

TEST_CASE("wash keeps what was used of a promotional grant", "[voids][D13]") {
  credit_harness h;
  h.ok(credit("g", "100"));
  h.ok(consume("c", "40"));
  h.ok(take_back("g"));
  CHECK(h.standing() == lines{"accrued USD @0 = 40.00", "wash USD @0 = -40.00"});
  CHECK(h.refused(consume("d", "0.01")) == errc::insufficient_funds);
}

TEST_CASE("a void leaves what is owed for the used part, and the claim on the paid one",
          "[voids][D13][D59][D64]") {
  // 100 at 0.5: 50 dollars. r is what is left, fiat(r) half of it.
  struct row {
    const char* what;
    steps before;
    bool refund;
    lines expected;
  };
  const command::any half_used = consume("c", "30");
  const steps partly = {authorize("g", "20"), settle("g", "20")}; // pays for 40 of the face
  const std::vector<row> rows = {
      {"unpaid", {}, false, {}},
      {"unpaid, a refund asked", {}, true, {}},
      {"unpaid, 30 used",
       {half_used},
       false,
       {"receivable.open USD @0.5 = -30.00", "accrued USD @0.5 = 30.00"}},
      // fbo -100, brokerage +50, open +50
      {"authorised",
       {authorize("g")},
       false,
       {"receivable.authorized USD @0.5 = -50.00", "receivable.open USD @0.5 = 50.00"}},
      // The authorisation is released first, then it is as if it were not.
      {"authorised, refund", {authorize("g")}, true, {}},
      {"paid",
       {settle("g")},
       false,
       {"receivable.open USD @0.5 = 50.00", "wash USD @0.5 = -50.00"}},
      {"paid, refund", {settle("g")}, true, {}},
      // r = 70: fbo -70, brokerage +35, open +35
      {"paid, 30 used",
       {settle("g"), half_used},
       false,
       {"receivable.open USD @0.5 = 35.00",
        "accrued USD @0.5 = 30.00",
        "wash USD @0.5 = -50.00",
        "brokerage USD @0.5 = -15.00"}},
      {"paid, 30 used, refund",
       {settle("g"), half_used},
       true,
       {"accrued USD @0.5 = 30.00", "wash USD @0.5 = -15.00", "brokerage USD @0.5 = -15.00"}},
      // r = 70: 60 not authorised: open +60; 10 paid: brokerage +5, open +5
      {"20 of 50 paid, 30 used",
       {partly[0], partly[1], half_used},
       false,
       {"receivable.open USD @0.5 = 5.00",
        "accrued USD @0.5 = 30.00",
        "wash USD @0.5 = -20.00",
        "brokerage USD @0.5 = -15.00"}},
      {"20 of 50 paid, 30 used, refund",
       {partly[0], partly[1], half_used},
       true,
       {"accrued USD @0.5 = 30.00", "wash USD @0.5 = -15.00", "brokerage USD @0.5 = -15.00"}},
      // r = 50, all of it not authorised: 10 of the face stay owed, and nothing is paid back.
      {"20 of 50 paid, 50 used, refund",
       {partly[0], partly[1], command::any(consume("c", "50"))},
       true,
       {"receivable.open USD @0.5 = -10.00",
        "accrued USD @0.5 = 50.00",
        "wash USD @0.5 = -20.00",
        "brokerage USD @0.5 = -20.00"}},
      // Released: 30 of 50 that were not paid yet; then 60 unpaid and 40 paid of the face go.
      {"20 paid, 30 authorised, refund", {partly[0], partly[1], authorize("g")}, true, {}},
  };
  for (const auto& r : rows) {
    INFO(r.what);
    const auto h = half_priced_void(r.before, r.refund);
    CHECK(h.standing() == r.expected);
  }
}

TEST_CASE("a void at par leaves the money that was promised or paid", "[voids][D13]") {
  // S-V8.
  credit_harness h;
  for (const auto* id : {"unpaid", "promised", "paid"})
    h.ok(bought(id, "100"));
  h.ok(authorize("promised"));
  h.ok(settle("paid"));
  for (const auto* id : {"unpaid", "promised", "paid"})
    h.ok(take_back(id));
  CHECK(h.standing_of("unpaid").empty());
  CHECK(h.standing_of("promised") ==
        lines{"receivable.authorized USD @1 = -100.00", "receivable.open USD @1 = 100.00"});
  CHECK(h.standing_of("paid") == lines{"receivable.open USD @1 = 100.00", "wash USD @1 = -100.00"});
}

TEST_CASE("money that was promised before the void still arrives", "[voids][D13]") {
  // Payment entries are never reversed without a refund (ledger.md 7.6).
  auto h = half_priced_void({authorize("g")}, false);
  h.ok(settle("g"));
  CHECK(h.standing() == lines{"receivable.open USD @0.5 = 50.00", "wash USD @0.5 = -50.00"});
}

TEST_CASE("the claim is rounded as the price was", "[voids][D64][D1]") {
  // 3 at 0.333 cost 1.00; 1 is used; of 2, fiat is round(0.666).
  credit_harness h;
  h.ok(bought("g", "3", "0.333"));
  h.ok(settle("g"));
  h.ok(consume("c", "1"));
  h.ok(take_back("g"));
  CHECK(h.standing() == lines{"receivable.open USD @0.333 = 0.67",
                              "accrued USD @0.333 = 1.00",
                              "wash USD @0.333 = -1.00",
                              "brokerage USD @0.333 = -0.67"});
}

TEST_CASE("nobody pays for what was taken back before", "[voids][D59]") {
  auto h = half_priced_void({}, false);
  const auto code = h.refused(authorize("g", "1"));
  CHECK(code != errc::internal);
  CHECK(code != errc::validation);
  h.refused(settle("g"));
}

TEST_CASE("what is left of a credit unit goes through brokerage", "[voids][D63][D64]") {
  // r = 60: brokerage ACME +60, brokerage USD -15, open USD +15.
  credit_harness h;
  h.ok(command::create_credit_unit{"ACME", 2});
  for (const auto* id : {"paid", "unpaid"}) {
    auto c = bought(id, "100", "0.25", "ACME");
    c.fiat_currency = "USD";
    h.ok(c);
  }
  h.ok(settle("paid"));
  h.ok(consume("c", "40", {}, "ACME"));
  h.ok(take_back("paid"));
  h.ok(take_back("unpaid"));
  CHECK(h.standing_of("paid") == lines{"receivable.open USD @0.25 = 15.00",
                                       "accrued ACME @0.25 = 40.00",
                                       "wash USD @0.25 = -25.00",
                                       "brokerage ACME @0.25 = -40.00",
                                       "brokerage USD @0.25 = 10.00"});
  CHECK(h.standing_of("unpaid").empty());
  h.ok(credit("free", "7", "ACME"));
  h.ok(take_back("free"));
  CHECK(h.standing_of("free").empty());
}

TEST_CASE("the end of what is taken back does not come", "[voids]") {
  credit_harness h;
  h.ok(until(credit("g", "100"), at("2026-01-31")));
  h.ok(until(bought("p", "100", "0.5"), at("2026-01-31")));
  h.ok(settle("p"));
  h.now = at("2026-01-02");
  h.ok(take_back("g"));
  h.ok(take_back("p", true));
  CHECK(h.standing().empty());
  CHECK(h.standing(at("2026-01-31")).empty());
  h.now = at("2026-01-31");
  CHECK(h.grant("g").status == "voided"); // before expired
}

TEST_CASE("only the grant that is named goes", "[voids]") {
  // S-V7.
  credit_harness h;
  h.ok(only_for(credit("g", "100"), {"api"}));
  h.ok(credit("h", "7"));
  h.ok(take_back("g"));
  CHECK(h.standing() == lines{"fbo USD @0 p100 = 7.00", "wash USD @0 = -7.00"});
}

TEST_CASE("opening credit is taken back against wash", "[voids][D64][D68]") {
  credit_harness h;
  h.ok(command::open_credit{"old", dec("12"), "USD", {}, {}});
  h.ok(consume("c", "5"));
  h.ok(take_back("old"));
  CHECK(h.standing() == lines{"accrued USD @none = 5.00", "wash USD @none = -5.00"});
}

TEST_CASE("there is nothing to take back of what is gone, used, to come or unknown", "[voids]") {
  credit_harness h;
  const auto end = at("2026-01-10");
  h.ok(until(credit("expiring", "5"), end));
  h.ok(from(credit("later", "5"), at("2026-01-20")));
  h.ok(ranked(credit("used", "5"), 1));
  h.ok(consume("c", "5"));
  CHECK(h.refused(take_back("later")) == errc::conflict);
  CHECK(h.refused(take_back("used")) == errc::conflict);
  CHECK(h.refused(take_back("nobody")) == errc::not_found);
  h.now = end;
  CHECK(h.refused(take_back("expiring")) == errc::conflict);
  h.now = at("2026-01-20");
  h.ok(take_back("later"));
}

TEST_CASE("advance that a grant covered stays covered", "[voids][D13]") {
  credit_harness h;
  h.use("f", "40");
  h.ok(credit("g", "100"));
  h.ok(take_back("g"));
  CHECK(h.standing() == lines{"accrued USD @0 = 40.00", "wash USD @0 = -40.00"});
  h.use("f2", "5");
  h.ok(credit("all covered", "5"));
  CHECK(h.refused(take_back("all covered")) == errc::conflict);
}

TEST_CASE("held credit counts as used", "[voids]") {
  credit_harness h;
  h.ok(credit("g", "100"));
  h.ok(reserve("r", "100"));
  CHECK(h.refused(take_back("g")) == errc::conflict);
  h.ok(command::release_reservation{"r"});
  h.ok(reserve("s", "60"));
  h.ok(take_back("g"));
  CHECK(h.standing() == lines{"fbo USD @0 p100 = 60.00", "wash USD @0 = -60.00"});
  h.ok(finish("s", "60"));
  CHECK(h.standing() == lines{"accrued USD @0 = 60.00", "wash USD @0 = -60.00"});
}

namespace {

/// So many of a unit that cannot be divided, bought in dollars.
void buy_whole(credit_harness& h, std::string_view amount, std::string_view cost_basis) {
  h.ok(command::create_credit_unit{"WHOLE", 0});
  auto g = bought("g", amount, cost_basis, "WHOLE");
  g.fiat_currency = "USD";
  h.ok(g);
}

} // namespace

TEST_CASE("what was paid for credit too small to divide is the customer's, to the cent",
          "[voids][D13][D59][D64]") {
  // A credit that costs 10 dollars and cannot be divided: 4.99 stand for none of it, 5.00 for all.
  for (const auto* paid : {"4.99", "5.00"}) {
    CAPTURE(paid);
    credit_harness h;
    buy_whole(h, "1", "10");
    h.ok(authorize("g", paid));
    h.ok(settle("g", paid));
    h.ok(take_back("g", true));
    // All of it was settled, nothing stays: all of it is paid back, and nothing can be paid any more.
    CHECK(h.standing().empty());
    CHECK(h.refused(authorize("g")) == errc::unsupported_operation);
    CHECK(h.refused(authorize("g", "0.01")) == errc::over_authorization);
  }
}

TEST_CASE("what was authorised before a void can still be settled", "[voids][D12][D64]") {
  // 3 credits for 3 dollars, not divisible: 1.40 stand for one of them.
  credit_harness h;
  buy_whole(h, "3", "1");
  h.ok(authorize("g", "1.40"));
  h.ok(take_back("g"));
  h.ok(settle("g", "1.00"));
  CHECK(h.grant("g").payment != "settled");
  h.ok(settle("g", "0.40"));
  CHECK(h.grant("g").payment == "settled");
  CHECK(h.refused(authorize("g", "0.01")) == errc::over_authorization);
}
