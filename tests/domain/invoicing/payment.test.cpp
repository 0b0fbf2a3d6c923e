// Payments of invoices: parts, limits, both steps at once, and what each step books.
#include "tests/domain/support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;

namespace {

/// An issued invoice with lines of 30 (charge a) and 50 (charge b), due on 31 January.
harness issued_80() {
  harness h;
  h.ok(fee("a", "30"));
  h.ok(fee("b", "50"));
  h.ok(command::invoice_pending{});
  REQUIRE(h.invoice("#1").total == 8000);
  return h;
}

command::authorize_payment authorize(std::string_view amount) { return {"#1", dec(amount)}; }
command::settle_payment settle(std::string_view amount) { return {"#1", dec(amount)}; }

/// Spend (charge number) and cents of each receivable posting to the authorized stage.
std::string authorized_by_charge(const harness& h) {
  std::string text;
  for (const auto& t : h.journal.back().transactions)
    for (const auto& p : t.postings())
      if (h.customer.book.at(p.account).route.stage == ledger::stage::authorized)
        text += std::to_string(p.spend.number()) + ":" + to_string(p.amount) + " ";
  return text;
}

} // namespace

TEST_CASE("part payments fill lines in line order, a charge is paid when its share is full",
          "[payment][D46][D12]") {
  auto h = issued_80();
  h.ok(authorize("40")); // a 30, b 10
  CHECK(authorized_by_charge(h) == "1:-3000 2:-1000 ");
  CHECK(h.invoice("#1").status == "payment_processing.pending");
  h.ok(settle("35")); // a 30, b 5
  CHECK(authorized_by_charge(h) == "1:3000 2:500 ");
  CHECK(h.charge("a").status == "final");
  CHECK(h.charge("b").detailed_status == "active.awaiting_payment_settlement");
  CHECK(h.trial() == lines{"receivable.authorized USD @1 = -5.00",
                           "receivable.open USD @1 = -40.00",
                           "accrued USD @1 = 80.00",
                           "wash USD @1 = -35.00"});
  h.ok(authorize("40")); // b 40
  CHECK(h.invoice("#1").status == "payment_processing.authorized");
  h.ok(settle("44.99"));
  CHECK(h.invoice("#1").status == "payment_processing.authorized");
  h.ok(settle("0.01"));
  CHECK(h.invoice("#1").status == "paid");
  CHECK(h.charge("b").status == "final");
  CHECK(h.trial() == lines{"accrued USD @1 = 80.00", "wash USD @1 = -80.00"});
}

TEST_CASE("more than is open or authorized is refused and changes nothing", "[payment][D12]") {
  auto h = issued_80();
  CHECK(h.refused(authorize("80.01")) == errc::over_authorization);
  CHECK(h.refused(settle("0.01")) == errc::over_settlement);
  h.ok(authorize("50"));
  CHECK(h.refused(authorize("30.01")) == errc::over_authorization);
  CHECK(h.refused(settle("50.01")) == errc::over_settlement);
  h.ok(settle("50"));
  CHECK(h.refused(settle("0.01")) == errc::over_settlement);
  h.ok(authorize("30"));
  CHECK(h.refused(authorize("0.01")) != errc::internal);
}

TEST_CASE("amounts of payments are exact", "[payment][D2]") {
  auto h = issued_80();
  for (const auto* amount : {"0", "-1", "1.001", "0.005"}) {
    CHECK(h.refused(authorize(amount)) == errc::validation);
    CHECK(h.refused(settle(amount)) == errc::validation);
  }
}

TEST_CASE("without an amount all that is open is authorized, all that is authorized settled",
          "[payment]") {
  auto h = issued_80();
  h.ok(authorize("10"));
  h.ok(command::settle_payment{"#1", {}});
  CHECK(h.invoice("#1").settled == 1000);
  h.ok(command::authorize_payment{"#1", {}});
  CHECK(h.invoice("#1").authorized == 8000);
  h.ok(command::settle_payment{"#1", {}});
  CHECK(h.invoice("#1").status == "paid");
}

TEST_CASE("paid at once is authorized, then settled, each a fact of its own", "[payment][D20]") {
  auto h = issued_80();
  h.ok(command::pay_invoice{"#1"});
  std::vector<ledger::template_code> codes;
  for (const auto& t : h.journal.back().transactions)
    codes.push_back(t.code());
  using enum ledger::template_code;
  REQUIRE(codes.size() == 4);
  for (const auto first : {authorize, settle})
    CHECK(std::ranges::count(codes, first) == 2);
  CHECK(codes.front() == authorize);
  CHECK(codes.back() == settle);
  CHECK(h.invoice("#1").status == "paid");
  CHECK(h.trial() == lines{"accrued USD @1 = 80.00", "wash USD @1 = -80.00"});
}

TEST_CASE("paid after a part authorizes and settles only the rest", "[payment][D20]") {
  auto h = issued_80();
  h.ok(authorize("40"));
  h.ok(settle("10"));
  h.ok(command::pay_invoice{"#1"});
  CHECK(h.invoice("#1").status == "paid");
  CHECK(h.trial() == lines{"accrued USD @1 = 80.00", "wash USD @1 = -80.00"});
  // Where all is authorized, only the settling is left (the retry of D50).
  auto k = issued_80();
  k.ok(authorize("80"));
  k.ok(command::pay_invoice{"#1"});
  for (const auto& t : k.journal.back().transactions)
    CHECK(t.code() == ledger::template_code::settle);
  CHECK(k.invoice("#1").status == "paid");
}

TEST_CASE("drafts and paid invoices take no payment", "[payment]") {
  harness h;
  h.ok(manual_approval());
  h.ok(fee("a", "30"));
  h.ok(command::invoice_pending{});
  CHECK(h.refused(authorize("30")) == errc::invoice_action_not_available);
  CHECK(h.refused(settle("30")) == errc::invoice_action_not_available);
  CHECK(h.refused(command::pay_invoice{"#1"}) == errc::invoice_action_not_available);
  h.ok(command::approve_invoice{"#1"});
  h.ok(command::pay_invoice{"#1"});
  CHECK(h.refused(authorize("1")) != errc::internal);
  CHECK(h.refused(settle("1")) != errc::internal);
  CHECK(h.refused(command::pay_invoice{"#1"}) != errc::internal);
}

TEST_CASE("a part paid on an overdue invoice leaves it overdue", "[payment][D46][D55]") {
  auto h = issued_80();
  h.now = at("2026-03-01");
  h.ok(command::run_due{});
  CHECK(h.invoice("#1").status == "overdue");
  h.ok(authorize("40"));
  h.ok(settle("40"));
  CHECK(h.invoice("#1").status == "overdue");
  h.ok(authorize("40"));
  CHECK(h.invoice("#1").status == "payment_processing.authorized");
  h.ok(settle("40"));
  CHECK(h.invoice("#1").status == "paid");
}

TEST_CASE("a payment is booked at its own instant", "[payment][D3]") {
  auto h = issued_80();
  h.now = at("2026-01-05T06:07:08.9Z");
  h.ok(authorize("40"));
  for (const auto& t : h.journal.back().transactions)
    CHECK(t.booked_at() == h.now);
}

TEST_CASE("two invoices are paid apart", "[payment]") {
  auto h = issued_80();
  h.ok(fee("c", "20"));
  h.ok(command::invoice_pending{});
  h.ok(command::pay_invoice{"ACME-000002"});
  CHECK(h.invoice("#1").authorized == 0);
  CHECK(h.charge("c").status == "final");
  CHECK(h.trial() == lines{"receivable.open USD @1 = -80.00",
                           "accrued USD @1 = 100.00",
                           "wash USD @1 = -20.00"});
}
