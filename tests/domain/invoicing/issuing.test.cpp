// Making and issuing invoices: drafts, review, failing bookings and their retry, numbers, due dates.
// Payments are tested in payment.test.cpp.
#include "tests/domain/support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;
using enum settlement_mode;

namespace {

command::put_billing_profile review_of(std::string_view draft, std::string_view due) {
  command::put_billing_profile c;
  c.auto_advance = true;
  c.draft_period_ns = parse_duration(draft).value();
  c.due_after_ns = parse_duration(due).value();
  return c;
}

/// Two fees of 30 and 50 on a draft that waits for approval.
harness draft_of_two() {
  harness h;
  h.ok(manual_approval());
  h.ok(fee("a", "30"));
  h.ok(fee("b", "50"));
  h.ok(command::invoice_pending{});
  return h;
}

/// Makes the next booking fail once the first line is through.
void fail_second_line(harness& h) {
  h.before_charge = [&h, asked = 0](const to_charge& m) mutable {
    if (std::holds_alternative<flat_fee::invoice_issued>(m.event) && ++asked == 1)
      return;
    if (asked >= 1)
      h.failures.left["charge_booking"] = 1;
  };
}

} // namespace

TEST_CASE("without review an invoice is issued when it is made", "[invoice][D45]") {
  harness h;
  h.ok(review_of("P0D", "P7D"));
  h.ok(fee("f", "100"));
  h.ok(command::invoice_pending{});
  const auto i = h.invoice("#1");
  CHECK(i.status == "payment_processing.pending");
  CHECK(i.number == "ACME-000001");
  CHECK(i.issued_at == at("2026-01-01"));
  CHECK(i.due_at == at("2026-01-08"));
  CHECK(i.issues.empty());
  CHECK(h.refused(command::advance_invoice{"#1"}) == errc::invoice_cannot_advance);
  CHECK(h.refused(command::retry_invoice{"#1"}) == errc::invoice_action_not_available);
  CHECK(h.refused(command::approve_invoice{"#1"}) == errc::invoice_action_not_available);
}

TEST_CASE("a draft waits for its review time", "[invoice][D4][D45]") {
  harness h;
  h.ok(review_of("PT1H", "P30D"));
  h.ok(fee("f", "100"));
  h.ok(command::invoice_pending{});
  CHECK(h.invoice("#1").status == "draft.waiting_auto_approval");
  CHECK(h.invoice("#1").draft_until == at("2026-01-01T01:00:00Z"));
  CHECK(h.invoice("#1").number.empty());
  CHECK_FALSE(h.invoice("#1").issued_at.has_value());
  h.now = plus_ns(at("2026-01-01T01:00:00Z"), -1);
  h.ok(command::run_due{});
  CHECK(h.invoice("#1").status == "draft.waiting_auto_approval");
  CHECK(h.refused(command::advance_invoice{"#1"}) == errc::invoice_cannot_advance);
  h.now = at("2026-01-01T01:00:00Z");
  CHECK(next_due(h.customer) == h.now);
  h.ok(command::run_due{});
  CHECK(h.invoice("#1").status == "payment_processing.pending");
  CHECK(h.invoice("#1").issued_at == h.now);
}

TEST_CASE("an approval ends the review early, the due date stays", "[invoice]") {
  // invoicing.md 3.3: draft_until + due_after.
  harness h;
  h.ok(review_of("P3D", "P10D"));
  h.ok(fee("f", "100"));
  h.ok(command::invoice_pending{});
  h.now = at("2026-01-02");
  h.ok(command::approve_invoice{"#1"});
  CHECK(h.invoice("#1").issued_at == at("2026-01-02"));
  CHECK(h.invoice("#1").due_at == at("2026-01-14"));
}

TEST_CASE("manual approval waits for ever and counts from the issue", "[invoice]") {
  harness h;
  h.ok(manual_approval());
  h.ok(fee("f", "100"));
  h.ok(command::invoice_pending{});
  h.now = at("2027-01-01");
  h.ok(command::run_due{});
  CHECK(h.invoice("#1").status == "draft.manual_approval_needed");
  CHECK_FALSE(h.invoice("#1").draft_until.has_value());
  CHECK(h.refused(command::advance_invoice{"#1"}) == errc::invoice_cannot_advance);
  h.ok(command::approve_invoice{"#1"});
  CHECK(h.invoice("#1").due_at == at("2027-01-31"));
}

TEST_CASE("a profile counts for invoices made from now on", "[invoice]") {
  auto h = draft_of_two();
  h.ok(review_of("P0D", "P1D"));
  CHECK(h.invoice("#1").status == "draft.manual_approval_needed");
  h.ok(command::approve_invoice{"#1"});
  CHECK(h.invoice("#1").due_at == at("2026-01-31"));
}

TEST_CASE("a line is invoiced once, one invoice a currency", "[invoice]") {
  harness h;
  h.ok(fee("a", "30"));
  auto yen = fee("b", "500");
  yen.currency = "JPY";
  h.ok(yen);
  h.ok(fee("c", "20"));
  const auto made = std::get<reply::invoices>(h.ok(command::invoice_pending{}).body);
  REQUIRE(made.items.size() == 2);
  const auto& dollar = made.items[made.items[0].code == "USD" ? 0 : 1];
  REQUIRE(dollar.lines.size() == 2);
  CHECK(dollar.lines[0].name == "a");
  CHECK(dollar.lines[1].name == "c");
  CHECK(dollar.total == 5000);
  CHECK(h.refused(command::invoice_pending{}) == errc::invoice_create_no_lines);
}

TEST_CASE("invoicing by currency, by charge and as of an instant", "[invoice][D4]") {
  harness h;
  h.ok(fee("a", "30"));
  auto later = fee("b", "50");
  later.invoice_at = at("2026-01-10");
  h.ok(later);
  CHECK(h.refused(command::invoice_pending{"JPY", {}, {}}) == errc::invoice_create_no_lines);
  h.now = at("2026-01-20");
  CHECK(h.refused(command::invoice_pending{{}, at("2026-01-21"), {}}) == errc::validation);
  h.ok(command::invoice_pending{{}, plus_ns(at("2026-01-10"), -ns_per_second), {}});
  CHECK(h.invoice("#1").lines.size() == 1);
  CHECK(h.refused(command::invoice_pending{{}, {}, {"a"}}) != errc::internal);
  h.ok(command::invoice_pending{{}, at("2026-01-10"), {"b"}});
  CHECK(h.invoice("#2").total == 5000);
  CHECK(h.refused(command::invoice_pending{{}, {}, {"nobody"}}) != errc::internal);
}

TEST_CASE("a failing second line leaves the first booked, the retry books only the rest",
          "[invoice][D21][D51]") {
  auto h = draft_of_two();
  fail_second_line(h);
  h.ok(command::approve_invoice{"#1"});
  h.before_charge = nullptr;
  const auto failed = h.invoice("#1");
  CHECK(failed.status == "issuing.charge_booking_failed");
  CHECK_FALSE(failed.issued_at.has_value());
  CHECK(failed.number.empty());
  REQUIRE(failed.issues.size() == 1);
  CHECK(failed.issues[0].critical);
  CHECK(h.trial() == lines{"receivable.open USD @1 = -30.00", "accrued USD @1 = 30.00"});
  CHECK(h.charge("a").detailed_status == "active.awaiting_payment_settlement");
  CHECK(h.charge("b").detailed_status == "active.realization.processing");
  CHECK(h.refused(command::pay_invoice{"#1"}) == errc::invoice_action_not_available);
  CHECK(h.refused(command::approve_invoice{"#1"}) == errc::invoice_action_not_available);

  h.now = at("2026-01-03");
  h.failures.left.clear();
  h.ok(command::retry_invoice{"#1"});
  CHECK(h.journal.back().transactions.size() == 1);
  const auto issued = h.invoice("#1");
  CHECK(issued.status == "payment_processing.pending");
  CHECK(issued.issued_at == at("2026-01-03"));
  CHECK(issued.number == "ACME-000001");
  CHECK(issued.issues.empty());
  CHECK(h.trial() == lines{"receivable.open USD @1 = -80.00", "accrued USD @1 = 80.00"});
}

TEST_CASE("a failing first line does not keep the second from being booked", "[invoice][D21]") {
  auto h = draft_of_two();
  h.failures.left["charge_booking"] = 1;
  h.ok(command::approve_invoice{"#1"});
  CHECK(h.invoice("#1").status == "issuing.charge_booking_failed");
  h.ok(command::retry_invoice{"#1"});
  CHECK(h.invoice("#1").status == "payment_processing.pending");
  CHECK(h.trial() == lines{"receivable.open USD @1 = -80.00", "accrued USD @1 = 80.00"});
}

TEST_CASE("a booking that fails again and again never takes credit twice", "[invoice][D21]") {
  harness h;
  h.ok(manual_approval());
  h.ok(credit("g", "100"));
  h.ok(fee("f", "130"));
  h.ok(command::invoice_pending{});
  h.failures.left["charge_booking"] = 3;
  h.ok(command::approve_invoice{"#1"});
  h.ok(command::retry_invoice{"#1"});
  h.ok(command::retry_invoice{"#1"});
  CHECK(h.invoice("#1").status == "issuing.charge_booking_failed");
  CHECK(h.invoice("#1").issues.size() == 1);
  CHECK(h.trial() == lines{"accrued USD @0 = 100.00", "wash USD @0 = -100.00"});
  h.ok(command::retry_invoice{"#1"});
  CHECK(h.trial() == lines{"receivable.open USD @1 = -30.00",
                           "accrued USD @0 = 100.00",
                           "accrued USD @1 = 30.00",
                           "wash USD @0 = -100.00"});
}

TEST_CASE("an invoice paid by credit alone accrues nothing", "[invoice][D22]") {
  harness h;
  h.ok(credit("g", "100"));
  h.ok(fee("a", "30"));
  h.ok(fee("b", "50"));
  h.ok(command::invoice_pending{});
  CHECK(h.invoice("#1").total == 0);
  CHECK(h.invoice("#1").number == "ACME-000001");
  CHECK(h.trial() ==
        lines{"fbo USD @0 p100 = 20.00", "accrued USD @0 = 80.00", "wash USD @0 = -100.00"});
  for (const auto& t : h.journal.back().transactions)
    CHECK(t.code() == ledger::template_code::collect);
}

TEST_CASE("lines take credit in line order", "[invoice]") {
  harness h;
  h.ok(manual_approval());
  h.ok(credit("g", "40"));
  h.ok(fee("a", "30"));
  h.ok(fee("b", "50"));
  h.ok(command::invoice_pending{});
  CHECK(h.invoice("#1").lines.at(0).credits == 3000);
  CHECK(h.invoice("#1").lines.at(1).credits == 1000);
  CHECK(h.invoice("#1").lines.at(1).total == 4000);
}

TEST_CASE("final numbers count in the order of issue, drafts have none", "[invoice][D66]") {
  harness h;
  h.ok(manual_approval());
  for (const auto* id : {"a", "b", "c"}) {
    h.ok(fee(id, "10"));
    h.ok(command::invoice_pending{});
  }
  h.ok(command::approve_invoice{"#3"});
  CHECK(h.invoice("#3").number == "ACME-000001");
  CHECK(h.invoice("#3").name == "ACME-000001");
  CHECK(h.invoice("#1").number.empty());
  CHECK(h.invoice("#1").name == "#1");
  h.failures.left["charge_booking"] = 1;
  h.ok(command::approve_invoice{"#1"}); // fails: takes no number
  h.ok(command::approve_invoice{"#2"});
  CHECK(h.invoice("#2").number == "ACME-000002");
  h.ok(command::retry_invoice{"#1"});
  CHECK(h.invoice("ACME-000003").name == h.invoice("#1").name);
  CHECK(h.refused(command::get_invoice{"ACME-000004"}) == errc::not_found);
  CHECK(h.refused(command::get_invoice{"#4"}) == errc::not_found);
}

TEST_CASE("the number of a discarded unit is given again", "[invoice][D66]") {
  auto h = draft_of_two();
  {
    unit lost(h.customer, h.catalog, h.now, 0);
    REQUIRE(h.decide_on(lost, command::approve_invoice{"#1"}).has_value());
  } // the store failed: never numbered, never applied
  CHECK(h.invoice("#1").number.empty());
  h.ok(command::approve_invoice{"#1"});
  CHECK(h.invoice("#1").number == "ACME-000001");
}

TEST_CASE("an invoice not wholly authorized is overdue on its due date", "[invoice][D55][D25]") {
  for (const auto* authorized : {"0", "79.99", "80"}) {
    auto h = draft_of_two();
    h.ok(command::approve_invoice{"#1"});
    if (dec(authorized) != dec("0"))
      h.ok(command::authorize_payment{"#1", dec(authorized)});
    h.now = plus_ns(at("2026-01-31"), -1);
    h.ok(command::run_due{});
    CHECK(h.invoice("#1").status != "overdue");
    h.now = at("2026-01-31");
    h.ok(command::run_due{});
    CHECK((h.invoice("#1").status == "overdue") == (dec(authorized) != dec("80")));
    h.ok(command::pay_invoice{"#1"});
    CHECK(h.invoice("#1").status == "paid");
    CHECK(h.trial() == lines{"accrued USD @1 = 80.00", "wash USD @1 = -80.00"});
  }
}

TEST_CASE("nothing to pay is wholly authorized and never overdue", "[invoice][D55][D22]") {
  harness h;
  h.ok(credit("g", "100"));
  h.ok(fee("f", "100"));
  h.ok(command::invoice_pending{});
  h.now = at("2026-06-01");
  h.ok(command::run_due{});
  CHECK(h.invoice("#1").status != "overdue");
}

TEST_CASE("a wake-up that comes late uses now for the document and the deadline", "[invoice][D3]") {
  harness h;
  h.ok(review_of("P1D", "P10D"));
  h.ok(fee("f", "100"));
  h.ok(command::invoice_pending{});
  h.now = at("2026-01-20");
  h.ok(command::run_due{});
  CHECK(h.invoice("#1").issued_at == at("2026-01-20"));
  CHECK(h.invoice("#1").due_at == at("2026-01-30"));
  CHECK(h.invoice("#1").status == "payment_processing.pending");
}

TEST_CASE("everything that is due is run, a refused advance holds nobody up", "[invoice]") {
  harness h;
  h.ok(review_of("P1D", "P10D"));
  h.ok(fee("over", "99", credit_only));
  command::put_customer limited;
  limited.advance_limit = {{"USD", dec("10")}};
  h.ok(limited);
  h.ok(fee("within", "5", credit_only));
  h.ok(fee("billed", "100"));
  h.ok(command::invoice_pending{});
  h.now = at("2026-01-02");
  h.ok(command::run_due{});
  CHECK(h.invoice("#1").status == "payment_processing.pending");
  CHECK(h.charge("within").status == "final");
  CHECK(h.charge("over").status != "final");
}

TEST_CASE("the next wake-up is the earliest of what waits", "[invoice]") {
  harness h;
  CHECK_FALSE(next_due(h.customer).has_value());
  auto later = fee("a", "10");
  later.invoice_at = at("2026-01-20");
  h.ok(later);
  CHECK(next_due(h.customer) == at("2026-01-20"));
  auto only = fee("b", "10", credit_only);
  only.term = payment_term::in_arrears;
  only.invoice_at = at("2026-01-10");
  h.ok(only);
  CHECK(next_due(h.customer) == at("2026-01-10"));
  h.now = at("2026-01-10");
  h.ok(command::run_due{});
  CHECK(next_due(h.customer) == at("2026-01-20")); // b waits for its period's end
  h.now = at("2026-01-20");
  h.ok(command::advance_charge{"a"});
  CHECK(next_due(h.customer) == at("2026-01-20")); // active, and its line still to be invoiced
  h.ok(command::run_due{});
  CHECK(next_due(h.customer) == at("2026-02-01")); // b again; the invoice is due on 19 February
  h.now = at("2026-02-01");
  h.ok(command::run_due{});
  CHECK(next_due(h.customer) == at("2026-02-19"));
  h.ok(command::pay_invoice{"#1"});
  CHECK_FALSE(next_due(h.customer).has_value());
}

TEST_CASE("unknown invoices are not found", "[invoice]") {
  harness h;
  for (const auto* name : {"#1", "ACME-000001", "", "#", "#x", "#99999999999999999999"}) {
    CHECK(h.refused(command::approve_invoice{name}) == errc::not_found);
    CHECK(h.refused(command::pay_invoice{name}) == errc::not_found);
  }
}
