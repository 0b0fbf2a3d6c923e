// Invoices that nobody pays: written off line by line, tax included, and recovered by a late payment.
// Source: D14, D64.
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
  return h;
}

const command::write_off_invoice give_up{"#1"};

} // namespace

TEST_CASE("what is open of an uncollectible invoice is written off", "[write_off][D14]") {
  auto h = issued_80();
  h.ok(command::authorize_payment{"#1", dec("40")}); // a 30, b 10
  h.ok(command::settle_payment{"#1", dec("35")});    // a 30, b 5
  h.ok(give_up);
  CHECK(h.invoice("#1").status == "uncollectible");
  CHECK(h.invoice("#1").written_off == 4000);
  CHECK(h.trial() == lines{"receivable.authorized USD @1 = -5.00",
                           "accrued USD @1 = 80.00",
                           "wash USD @1 = -35.00",
                           "write_off USD @1 = -40.00"});
  CHECK(h.refused(give_up) == errc::invoice_action_not_available);
}

TEST_CASE("a late payment of an uncollectible invoice reverses the write-off first",
          "[write_off][D14]") {
  auto h = issued_80();
  h.ok(give_up);
  h.ok(command::authorize_payment{"#1", dec("35")}); // a 30, b 5
  CHECK(h.booked() ==
        lines{"receivable.write_off @2026-01-01T00:00:00Z: write_off USD @1 30.00; receivable.open "
              "USD @1 -30.00",
              "customer.receivable.payment.authorize @2026-01-01T00:00:00Z: receivable.authorized "
              "USD @1 -30.00; receivable.open USD @1 30.00",
              "receivable.write_off @2026-01-01T00:00:00Z: write_off USD @1 5.00; receivable.open "
              "USD @1 -5.00",
              "customer.receivable.payment.authorize @2026-01-01T00:00:00Z: receivable.authorized "
              "USD @1 -5.00; receivable.open USD @1 5.00"});
  CHECK(h.invoice("#1").status == "uncollectible");
  CHECK(h.invoice("#1").written_off == 4500);
  CHECK(h.refused(command::authorize_payment{"#1", dec("45.01")}) == errc::over_authorization);
  h.ok(command::pay_invoice{"#1"});
  CHECK(h.invoice("#1").status == "paid");
  CHECK(h.invoice("#1").written_off == 0);
  CHECK(h.charge("b").status == "final");
  CHECK(h.trial() == lines{"accrued USD @1 = 80.00", "wash USD @1 = -80.00"});
}

TEST_CASE("an uncollectible invoice wholly authorised after all waits for its money",
          "[write_off][D14]") {
  auto h = issued_80();
  h.ok(give_up);
  h.ok(command::authorize_payment{"#1", {}});
  CHECK(h.invoice("#1").status == "payment_processing.authorized");
  CHECK(h.trial() == lines{"receivable.authorized USD @1 = -80.00", "accrued USD @1 = 80.00"});
}

TEST_CASE("tax is written off with the rest", "[write_off][D14][D53][D64]") {
  harness h;
  h.ok(taxed("GST", "0.1"));
  h.ok(fee("a", "30"));
  h.ok(command::invoice_pending{});
  h.ok(give_up);
  CHECK(h.trial() ==
        lines{"accrued USD @1 = 30.00", "write_off USD @1 = -33.00", "tax_payable USD @1 = 3.00"});
  h.ok(command::pay_invoice{"#1"});
  CHECK(h.trial() ==
        lines{"accrued USD @1 = 30.00", "wash USD @1 = -33.00", "tax_payable USD @1 = 3.00"});
}

TEST_CASE("an overdue invoice can be given up, and is not overdue again", "[write_off][D25][D55]") {
  auto h = issued_80();
  h.now = at("2026-03-01");
  h.ok(command::run_due{});
  REQUIRE(h.invoice("#1").status == "overdue");
  h.ok(give_up);
  h.ok(command::run_due{});
  CHECK(h.invoice("#1").status == "uncollectible");
  auto k = issued_80();
  k.ok(give_up);
  k.now = at("2026-03-01");
  k.ok(command::run_due{});
  CHECK(k.invoice("#1").status == "uncollectible");
}

TEST_CASE("drafts, paid and unknown invoices are not written off", "[write_off]") {
  harness h;
  h.ok(manual_approval());
  h.ok(fee("a", "30"));
  h.ok(command::invoice_pending{});
  CHECK(h.refused(give_up) == errc::invoice_action_not_available);
  h.ok(command::approve_invoice{"#1"});
  h.ok(command::pay_invoice{"#1"});
  CHECK(h.refused(give_up) == errc::invoice_action_not_available);
  CHECK(h.refused(command::write_off_invoice{"#9"}) == errc::not_found);
}
