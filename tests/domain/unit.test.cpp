// The unit of work: its time, its savepoints, its place, and the conversation with charges.
#include "domain/unit.hpp"

#include "tests/domain/support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;

TEST_CASE("the customer's time never runs backwards", "[unit][D3]") {
  harness h;
  h.now = at("2026-01-10");
  h.ok(credit("g", "10"));
  const auto late = h.customer.clock;
  CHECK(late == at("2026-01-10"));
  const unit u(h.customer, h.catalog, at("2026-01-05"), 0);
  CHECK(u.now() == late);
  unit v(h.customer, h.catalog, at("2026-01-05"), 0);
  REQUIRE(h.decide_on(v, consume("c", "4")).has_value());
  CHECK(v.finish().at == late);
  CHECK(v.finish().transactions.at(0).booked_at() == late);
}

TEST_CASE("a unit is the next in its customer's journal", "[unit][D65]") {
  harness h;
  for (std::uint64_t i = 2; i < 6; ++i) {
    const unit u(h.customer, h.catalog, h.now, 0);
    CHECK(u.number() == sequence(i));
    h.ok(credit("g" + std::to_string(i), "1"));
    CHECK(h.customer.last == sequence(i));
    CHECK(h.journal.back().number == sequence(i));
  }
}

TEST_CASE("a unit that is dropped leaves no trace", "[unit]") {
  harness h;
  h.ok(credit("g", "10"));
  const auto before = h.customer;
  {
    unit u(h.customer, h.catalog, h.now, 0);
    REQUIRE(h.decide_on(u, fee("f", "10")).has_value());
    CHECK(u.charges().size() == 1);
  }
  CHECK(h.customer == before);
}

TEST_CASE("a unit is a value: what came after a mark is undone", "[unit][D21]") {
  harness h;
  h.ok(credit("g", "10"));
  unit u(h.customer, h.catalog, h.now, 0);
  REQUIRE(decide_now(u, consume("a", "4")).has_value());
  const auto mark = u;
  const auto entry_at_mark = u.finish();
  REQUIRE(decide_now(u, consume("b", "4")).has_value());
  CHECK_FALSE(u.finish() == entry_at_mark);
  u = mark;
  CHECK(u.finish() == entry_at_mark);
}

TEST_CASE("objects of a unit hide those of its customer", "[unit]") {
  harness h;
  h.ok(fee("f", "10"));
  unit u(h.customer, h.catalog, h.now, 0);
  auto changed = *u.find_charge(charge_id(1));
  changed.state = flat_fee::deleted{};
  u.put(changed);
  REQUIRE(u.charges().size() == 1);
  CHECK(u.charges()[0]->state == flat_fee::state(flat_fee::deleted{}));
  CHECK(h.customer.find_charge("f")->state == flat_fee::state(flat_fee::created{}));
  CHECK(u.find_charge(charge_id(2)) == nullptr);
  CHECK(u.next_charge() == charge_id(2));
  CHECK(u.next_invoice() == invoice_id(1));
}

TEST_CASE("a failure point fails as often as it was told", "[unit]") {
  fail_points points;
  CHECK_FALSE(points.fails("charge_booking"));
  points.left["charge_booking"] = 2;
  CHECK(points.fails("charge_booking"));
  CHECK_FALSE(points.fails("collection"));
  CHECK(points.fails("charge_booking"));
  CHECK_FALSE(points.fails("charge_booking"));
}

TEST_CASE("a conversation carried by hand gives what driving it gives", "[unit]") {
  const auto life = [](bool by_hand) {
    harness h;
    int asked = 0;
    if (by_hand)
      h.before_charge = [&asked](const to_charge&) { ++asked; };
    h.ok(credit("g", "30"));
    h.ok(fee("a", "20"));
    h.ok(fee("b", "50"));
    h.ok(fee("c", "5", settlement_mode::credit_only));
    h.ok(command::invoice_pending{});
    h.ok(command::pay_invoice{"#1"});
    h.ok(command::run_due{});
    h.before_charge = nullptr;
    CHECK((asked > 0) == by_hand);
    return h.journal;
  };
  CHECK(life(true) == life(false));
}

TEST_CASE("a simple command is decided alike with and without a conversation", "[unit]") {
  harness h;
  h.ok(credit("g", "30"));
  for (const command::any& c : {command::any(consume("a", "10")),
                                command::any(consume("b", "31")),
                                command::any(credit("h", "5"))}) {
    REQUIRE(is_simple(c));
    unit fast(h.customer, h.catalog, h.now, 1);
    unit slow(h.customer, h.catalog, h.now, 1);
    auto talk = decide(slow, c);
    const auto now = decide_now(fast, c);
    const auto talked = drive(slow, talk);
    REQUIRE(talked.has_value() == now.has_value());
    if (now)
      CHECK(fast.finish() == slow.finish());
    else
      CHECK(talked.error() == now.error());
  }
}
