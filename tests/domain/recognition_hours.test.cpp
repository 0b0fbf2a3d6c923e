// When customers recognise by themselves: the hour that a unit plans, and what happens when it has come.
// Source: D11, D47.
#include "domain/decisions.hpp"
#include "domain/recognition.hpp"
#include "tests/domain/credit_life.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;
using command::recognizable;

namespace {

/// A customer of a server that recognises once a day: number 7, whose hour is from 07:00 on.
credit_harness daily() {
  credit_harness h;
  h.catalog.recognize_every_hours = 24;
  return h;
}

std::optional<instant> planned(const credit_harness& h) {
  if (h.customer.recognizes_at == 0)
    return std::nullopt;
  return start_of_hour(h.customer.recognizes_at);
}

/// The last unit's plan; nothing where it planned nothing.
bool plans(const credit_harness& h) {
  return std::ranges::any_of(h.journal.back().facts, [](const fact::any& f) {
    return std::holds_alternative<fact::recognition_planned>(f);
  });
}

/// What the scheduler has a customer do at its hour.
void come_due(credit_harness& h) {
  h.now = std::max(h.now, planned(h).value());
  const auto due = due_recognition(h.customer, h.now);
  REQUIRE(due.has_value());
  REQUIRE(due->what == recognizable::both);
  h.ok(*due);
}

command::put_billing_profile at_period_end() {
  command::put_billing_profile c;
  c.recognition = invoicing::recognition_policy::at_period_end;
  return c;
}

} // namespace

TEST_CASE("a customer's hours are its own", "[recognition][D47]") {
  const auto hour = [](std::uint64_t number, const char* eligible, std::uint32_t every) {
    return to_string(start_of_hour(recognition_hour(customer_id(number), at(eligible), every)));
  };
  // The first hour of 2026-01-01 is 490896 = 24 x 20454 hours after 1970; 80 is the second of shard 16: 1 + 16 = 17.
  CHECK(hour(7, "2026-01-01", 24) == "2026-01-01T07:00:00Z");
  CHECK(hour(80, "2026-01-01", 24) == "2026-01-01T17:00:00Z");
  CHECK(hour(80, "2026-01-01T17:00:00Z", 24) == "2026-01-01T17:00:00Z");
  CHECK(hour(80, "2026-01-01T17:00:00.000000001Z", 24) == "2026-01-02T17:00:00Z");
  CHECK(hour(81, "2026-01-01T00:00:01Z", 1) == "2026-01-01T01:00:00Z");
  CHECK(hour(24, "2026-01-01T00:00:01Z", 24) == "2026-01-02T00:00:00Z");
  // 490896 = 7 x 70128: of every seven hours the first is 00:00; 10 = 7 + 3.
  CHECK(hour(10, "2026-01-01", 7) == "2026-01-01T03:00:00Z");
}

TEST_CASE("what is used is earned at the customer's next hour", "[recognition][D11][D47]") {
  auto h = daily();
  h.ok(bought("g", "100"));
  CHECK_FALSE(planned(h));
  h.now = at("2026-01-01T10:00:00Z");
  h.ok(consume("c", "30"));
  CHECK(planned(h) == at("2026-01-02T07:00:00Z"));
  CHECK(next_due(h.customer) == planned(h));
  h.ok(consume("d", "5")); // the hour is planned already
  CHECK_FALSE(plans(h));
  h.now = at("2026-01-02T06:59:59Z");
  CHECK_FALSE(due_recognition(h.customer, h.now));
  come_due(h);
  CHECK(h.standing() == lines{"fbo USD @1 p100 = 65.00",
                              "receivable.open USD @1 = -100.00",
                              "earnings USD @1 = 35.00"});
  CHECK_FALSE(planned(h));
  CHECK_FALSE(next_due(h.customer));
  h.ok(consume("e", "1"));
  CHECK(planned(h) == at("2026-01-02T07:00:00Z")); // it is just that
}

TEST_CASE("a server that recognises by command only plans nothing", "[recognition][D47]") {
  credit_harness h;
  h.ok(credit("g", "100"));
  h.ok(consume("c", "30"));
  CHECK_FALSE(planned(h));
  // One that was switched over drops its plan with the next recognition.
  h.catalog.recognize_every_hours = 24;
  h.ok(consume("d", "1"));
  CHECK(planned(h));
  h.catalog.recognize_every_hours = 0;
  come_due(h);
  CHECK_FALSE(planned(h));
}

TEST_CASE("advance is earned after a grant gave it its price", "[recognition][D11][D16]") {
  auto h = daily();
  h.use("f", "40");
  CHECK_FALSE(planned(h));
  h.now = at("2026-01-05T08:00:00Z");
  h.ok(credit("g", "100"));
  CHECK(planned(h) == at("2026-01-06T07:00:00Z"));
  come_due(h);
  CHECK(h.standing_of("g") ==
        lines{"fbo USD @0 p100 = 60.00", "wash USD @0 = -100.00", "earnings USD @0 = 40.00"});
}

TEST_CASE("with at_period_end a charge's credit is earned when its period is over",
          "[recognition][D11]") {
  auto h = daily();
  h.ok(at_period_end());
  h.ok(credit("g", "100"));
  h.use("f", "40"); // until 2026-01-31
  CHECK(planned(h) == at("2026-01-31T07:00:00Z"));
  h.ok(consume("c", "5")); // which has no period
  CHECK(planned(h) == at("2026-01-01T07:00:00Z"));
  come_due(h);
  CHECK(h.standing_of("g", "c") == lines{"fbo USD @0 p100 = -5.00", "earnings USD @0 = 5.00"});
  CHECK(h.standing_of("g", "f") == lines{"fbo USD @0 p100 = -40.00", "accrued USD @0 = 40.00"});
  CHECK(planned(h) == at("2026-01-31T07:00:00Z"));
  h.now = at("2026-01-30T23:59:59Z");
  h.ok(command::recognize{}); // by command neither
  CHECK(h.standing_of("g", "f") == lines{"fbo USD @0 p100 = -40.00", "accrued USD @0 = 40.00"});
  come_due(h);
  CHECK(h.standing_of("g", "f") == lines{"fbo USD @0 p100 = -40.00", "earnings USD @0 = 40.00"});
  CHECK_FALSE(planned(h));
}

TEST_CASE("what an invoice billed is earned when the service is done", "[recognition][D11]") {
  // In advance: billed on 1 January for January. 50 of it credit paid.
  auto h = daily();
  h.ok(bought("g", "50"));
  auto f = fee("f", "80");
  f.term = payment_term::in_advance;
  f.service_period = {at("2026-01-01"), at("2026-02-01")};
  f.invoice_at = at("2026-01-01");
  h.ok(f);
  h.ok(command::invoice_pending{});
  CHECK(planned(h) == at("2026-01-01T07:00:00Z"));
  come_due(h);
  CHECK(h.standing() == lines{"receivable.open USD @1 = -80.00",
                              "accrued USD @1 = 30.00",
                              "earnings USD @1 = 50.00"});
  CHECK(planned(h) == at("2026-02-01T07:00:00Z"));
  come_due(h);
  CHECK(h.standing() == lines{"receivable.open USD @1 = -80.00", "earnings USD @1 = 80.00"});
  CHECK_FALSE(planned(h));
}

TEST_CASE("who asks for what was billed gets it before the service is done", "[recognition][D11]") {
  auto h = daily();
  auto f = fee("f", "80");
  f.term = payment_term::in_advance;
  f.service_period = {at("2026-01-01"), at("2026-02-01")};
  f.invoice_at = at("2026-01-01");
  h.ok(f);
  h.ok(command::invoice_pending{});
  CHECK(planned(h) == at("2026-02-01T07:00:00Z"));
  h.ok(command::recognize{{}, recognizable::invoiced});
  CHECK(h.standing() == lines{"receivable.open USD @1 = -80.00", "earnings USD @1 = 80.00"});
  come_due(h); // nothing is left for the hour
  CHECK_FALSE(planned(h));
}

TEST_CASE("more than one command takes goes on at once", "[recognition]") {
  auto h = daily();
  h.ok(credit("g", "100"));
  for (int n = 0; n < 1500; ++n)
    h.ok(consume("c" + std::to_string(n), "0.01"));
  come_due(h);
  CHECK(h.standing().at(1) ==
        "accrued USD @0 = 5.02"); // the grant's unit and the customer's are two of 1000
  REQUIRE(planned(h));
  CHECK(*planned(h) <= h.now);
  come_due(h);
  CHECK(h.standing() ==
        lines{"fbo USD @0 p100 = 85.00", "wash USD @0 = -100.00", "earnings USD @0 = 15.00"});
  CHECK_FALSE(planned(h));
}

TEST_CASE("recognition of the past leaves what came after it its hour", "[recognition][D11]") {
  auto h = daily();
  h.ok(credit("g", "100"));
  h.ok(consume("c", "1"));
  h.now = at("2026-01-03T12:00:00Z");
  h.ok(consume("d", "2"));
  h.ok(command::recognize{at("2026-01-02")});
  CHECK(h.standing_of("g", "d") == lines{"fbo USD @0 p100 = -2.00", "accrued USD @0 = 2.00"});
  CHECK(planned(h) == at("2026-01-01T07:00:00Z")); // overdue here, as nobody woke the customer
}

TEST_CASE("recognition by command moves no hour forward", "[recognition][D11][D47]") {
  // 15 dollars of January; on 1 February the seller closes the month, five minutes after midnight.
  auto h = daily();
  h.now = at("2026-01-31T12:00:00Z");
  h.ok(credit("g", "100"));
  for (int n = 0; n < 1500; ++n)
    h.ok(consume("c" + std::to_string(n), "0.01"));
  h.now = at("2026-02-01T00:05:00Z");
  h.ok(command::recognize{at("2026-02-01")});
  CHECK(planned(h) == at("2026-02-01T07:00:00Z")); // there is more, and it waits
  h.ok(command::recognize{at("2026-02-01")});
  CHECK(h.standing(at("2026-02-01")) ==
        lines{"fbo USD @0 p100 = 85.00", "wash USD @0 = -100.00", "earnings USD @0 = 15.00"});
  CHECK_FALSE(planned(h));
  // Of another time than that of what is left: its hour stays.
  h.ok(consume("late", "1"));
  h.ok(command::recognize{at("2026-01-01")});
  CHECK(planned(h) == at("2026-02-01T07:00:00Z"));
}

TEST_CASE("a period that ends with time itself has no hour", "[recognition][D11]") {
  auto h = daily();
  h.ok(at_period_end());
  h.ok(credit("g", "100"));
  auto f = fee("f", "40", settlement_mode::credit_only);
  f.term = payment_term::in_advance;
  f.service_period = {at("2026-01-01"), at("2262-04-11T23:30:00Z")};
  f.invoice_at = at("2026-01-01");
  h.ok(f);
  h.ok(command::advance_charge{"f"});
  CHECK(h.standing_of("g", "f") == lines{"fbo USD @0 p100 = -40.00", "accrued USD @0 = 40.00"});
  CHECK_FALSE(planned(h));
  CHECK(recognition_hour(customer_id(7), ledger::never, 24) == 0);
  CHECK(recognition_hour(customer_id(7), ledger::never, 8784) == 0);
}

TEST_CASE("who accrued before the server recognised by itself plans with the next unit",
          "[recognition][D47]") {
  credit_harness h;
  h.ok(credit("g", "100"));
  h.ok(consume("c", "30"));
  h.catalog.recognize_every_hours = 24;
  h.now = at("2026-03-01T12:00:00Z");
  h.ok(credit("another", "1"));
  CHECK(planned(h) == at("2026-03-02T07:00:00Z"));
  come_due(h);
  CHECK(h.standing_of("g", "c") == lines{"fbo USD @0 p100 = -30.00", "earnings USD @0 = 30.00"});
  h.ok(credit("more", "1"));
  CHECK_FALSE(planned(h));
}

TEST_CASE("what was planned before it was switched off is done whole", "[recognition][D47]") {
  auto h = daily();
  h.ok(credit("g", "100"));
  for (int n = 0; n < 1500; ++n)
    h.ok(consume("c" + std::to_string(n), "0.01"));
  h.catalog.recognize_every_hours = 0;
  come_due(h);
  come_due(h);
  CHECK_FALSE(planned(h));
  CHECK(h.standing().back() == "earnings USD @0 = 15.00");
}

TEST_CASE("a unit takes a thousand charges at most", "[recognition]") {
  auto h = daily();
  h.ok(credit("g", "100"));
  for (int n = 0; n < 1200; ++n)
    h.use("f" + std::to_string(n), "0.01");
  come_due(h);
  CHECK(h.standing().at(1) == "accrued USD @0 = 2.00");
  come_due(h);
  come_due(h); // three thousand units of charges, which the consumes' turn reads as well
  CHECK_FALSE(planned(h));
  CHECK(h.standing().back() == "earnings USD @0 = 12.00");
}

TEST_CASE("whatever happened, at the planned hours all that may be earned is earned",
          "[property][recognition][D11][D47]") {
  int hours = 0;
  CHECK(over_credit_lives(300, 80, [&hours](const credit_life& steps) {
    credit_story s(true);
    auto& h = s.h;
    h.catalog.recognize_every_hours = 24;
    s.live(steps);
    h.ok(command::run_due{});
    for (int n = 0; planned(h); ++n, ++hours) {
      RC_ASSERT(n < 200);
      h.now = std::max(h.now, *planned(h));
      h.ok(command::run_due{});
      if (const auto due = due_recognition(h.customer, h.now))
        h.ok(*due);
    }
    for (std::uint32_t n = 0; n < h.customer.book.sub_accounts().size(); ++n) {
      const auto& a = h.customer.book.at(sub_account_id(n));
      if (a.account == ledger::account_type::accrued && a.route.cost_basis)
        RC_ASSERT(h.customer.book.balance(sub_account_id(n)) == 0);
    }
  }));
  CHECK(hours > 100);
}
