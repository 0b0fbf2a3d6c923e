// The flat fee's machine: its transition table, proration, dates and what each row asks of the book.
// What a whole life books is tested in flat_fee_life.test.cpp.
#include "domain/charges/flat_fee.hpp"

#include "tests/domain/support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::flat_fee;
using accrue::testing::at;
using accrue::testing::dollars;
using accrue::testing::from_to;

namespace {

/// 100.00 for February, invoiced on the tenth of it.
terms fee(settlement_mode mode,
          payment_term term = payment_term::in_advance,
          std::string_view amount = "100") {
  terms t;
  t.id = charge_id(1);
  t.reference = "f";
  t.mode = mode;
  t.term = term;
  t.amount = dollars(amount);
  t.service_period = from_to("2026-02-01", "2026-03-01");
  t.invoice_at = at("2026-02-10");
  return t;
}

const terms cti = fee(settlement_mode::credit_then_invoice);
const instant early = at("2026-01-01");
const instant due = at("2026-02-10");

run billed(int128 amount, int128 authorized = 0, int128 settled = 0) {
  run r;
  r.invoice = invoice_id(1);
  r.credits = {{grant_id(1), sub_account_id(0), 10000 - amount}};
  if (amount == 10000)
    r.credits.clear();
  r.billed = amount;
  r.authorized = authorized;
  r.settled = settled;
  return r;
}

credit_collected collected(int128 taken, int128 advanced = 0) {
  credit_collected e;
  if (taken != 0)
    e.credit.slices = {{grant_id(1), sub_account_id(0), taken}};
  e.credit.taken = taken;
  e.credit.advanced = advanced;
  return e;
}

errc code_of(const result<decision>& d) {
  REQUIRE_FALSE(d.has_value());
  return d.error().code;
}

const std::vector<state> one_of_each_state = {
    created{},
    active{},
    collecting_credit{invoice_id(1)},
    waiting_for_collection{billed(7000)},
    processing{billed(7000)},
    awaiting_payment{billed(7000)},
    finished{billed(7000, 7000, 7000)},
    deleted{},
};

const std::vector<event> one_of_each_event = {
    advanced{early},
    line_assigned{invoice_id(1), early},
    collected(3000),
    collection_completed{},
    invoice_issued{},
    payment_authorized{1, early},
    payment_settled{1, early},
    removed{},
};

/// A line a legal row: "created + advanced -> created, active, finished".
std::string transition_table() {
  std::string text;
  for (const auto& s : one_of_each_state)
    for (const auto& e : one_of_each_event)
      std::visit(
          [&]<class S, class E>(const S&, const E&) {
            if constexpr (legal<S, E>) {
              using row = decltype(on(std::declval<const S&>(),
                                      std::declval<const E&>(),
                                      std::declval<const terms&>(),
                                      std::declval<effects&>()));
              text += testing::type_name<S>() + " + " + testing::type_name<E>() + " -> " +
                      testing::names_of(static_cast<const row*>(nullptr)) + "\n";
            }
          },
          s,
          e);
  return text;
}

} // namespace

TEST_CASE("the transition table of the flat fee is the one on file", "[flat_fee]") {
  CHECK(transition_table() == testing::file_text("tests/domain/charges/flat_fee.table.txt"));
}

TEST_CASE("an event without a row is an illegal transition", "[flat_fee]") {
  REQUIRE(one_of_each_state.size() == std::variant_size_v<state>);
  REQUIRE(one_of_each_event.size() == std::variant_size_v<event>);
  for (const auto& s : one_of_each_state)
    for (const auto& e : one_of_each_event) {
      const bool is_legal =
          std::visit([]<class S, class E>(const S&, const E&) { return legal<S, E>; }, s, e);
      const auto decided = decide(s, e, cti);
      INFO(to_string(s) << " + event " << e.index());
      if (!is_legal)
        CHECK(code_of(decided) == errc::illegal_transition);
    }
}

TEST_CASE("3.03 for 25 of 30 days is 2.53", "[flat_fee][D2][D1]") {
  // 3.03 x 25 / 30 = 2.525, half away from zero.
  const auto part = from_to("2026-04-06", "2026-05-01");
  const auto full = from_to("2026-04-01", "2026-05-01");
  CHECK(prorate(dollars("3.03"), part, full).value() == dollars("2.53"));
}

TEST_CASE("proration counts seconds and never exceeds the whole", "[flat_fee][D2]") {
  const auto day = from_to("2026-04-01", "2026-04-02");
  const period second{at("2026-04-01"), at("2026-04-01T00:00:01Z")};
  // 864.00 x 1 / 86400 = 0.01; 431.99 x 1 / 86400 = 0.0049999 -> 0; 432 -> 0.005 -> 0.01.
  CHECK(prorate(dollars("864"), second, day).value() == dollars("0.01"));
  CHECK(prorate(dollars("432"), second, day).value() == dollars("0.01"));
  CHECK(prorate(dollars("431.99"), second, day).value() == dollars("0"));
  CHECK(prorate(dollars("5"), from_to("2026-04-01", "2026-06-01"), day).value() == dollars("5"));
  CHECK(prorate(dollars("5"), day, day).value() == dollars("5"));
}

TEST_CASE("a period or full period without length is not prorated", "[flat_fee]") {
  // charges.md 1.8: only where both lengths are above zero.
  const auto nothing = from_to("2026-04-01", "2026-04-01");
  const auto month = from_to("2026-04-01", "2026-05-01");
  CHECK(prorate(dollars("5"), nothing, month).value() == dollars("5"));
  CHECK(prorate(dollars("5"), month, nothing).value() == dollars("5"));
}

TEST_CASE("proration of an enormous amount is exact", "[flat_fee][D2]") {
  // 6 x 10^37 minor units times 2,160,000 seconds does not fit 128 bits; the quotient does.
  auto huge = dollars("1");
  huge.minor = 6 * power_of_ten(37);
  const auto got =
      prorate(huge, from_to("2026-04-06", "2026-05-01"), from_to("2026-04-01", "2026-05-01"));
  REQUIRE(got.has_value());
  CHECK(got->minor == 5 * power_of_ten(37));
}

TEST_CASE("value counts at the period's start or end", "[flat_fee]") {
  CHECK(cti.booked_at() == at("2026-02-01"));
  CHECK(fee(settlement_mode::credit_only, payment_term::in_arrears).booked_at() ==
        at("2026-03-01"));
}

TEST_CASE("a fee becomes active at its invoice instant, not before", "[flat_fee][D4]") {
  CHECK(decide(created{}, advanced{plus_ns(due, -1)}, cti)->state == state(created{}));
  CHECK(decide(created{}, advanced{due}, cti)->state == state(active{}));
  CHECK(decide(active{}, advanced{due}, cti)->state == state(active{}));
  CHECK(advance_after(created{}, cti) == due);
}

TEST_CASE("a zero fee is final at its invoice instant without a run", "[flat_fee][D22]") {
  for (const auto mode : {settlement_mode::credit_then_invoice,
                          settlement_mode::credit_only,
                          settlement_mode::invoice_only}) {
    const auto zero = fee(mode, payment_term::in_advance, "0");
    CHECK(decide(created{}, advanced{plus_ns(due, -1)}, zero)->state == state(created{}));
    const auto d = decide(created{}, advanced{due}, zero);
    REQUIRE(d.has_value());
    CHECK(to_string(d->state) == "final");
    CHECK(current_run(d->state) == nullptr);
    CHECK(d->effects.empty());
    CHECK_FALSE(billable(created{}, zero, due));
    CHECK_FALSE(billable(active{}, zero, due));
  }
}

TEST_CASE("credit_only waits for invoice and booking instants, then takes the whole",
          "[flat_fee]") {
  // charges.md 4.2.
  const auto arrears = fee(settlement_mode::credit_only, payment_term::in_arrears);
  const auto waiting = decide(created{}, advanced{due}, arrears);
  CHECK(waiting->state == state(active{}));
  CHECK(advance_after(active{}, arrears) == at("2026-03-01"));
  CHECK(decide(active{}, advanced{plus_ns(at("2026-03-01"), -1)}, arrears)->state ==
        state(active{}));
  const auto asking = decide(active{}, advanced{at("2026-03-01")}, arrears);
  REQUIRE(asking->effects.size() == 1);
  const auto& need = std::get<collect_credit>(asking->effects[0]);
  CHECK(need.amount == 10000);
  CHECK(need.whole);
  // In advance both instants are over at once: created to the question in one call.
  const auto at_once = decide(created{}, advanced{due}, fee(settlement_mode::credit_only));
  CHECK(std::holds_alternative<collecting_credit>(at_once->state));
}

TEST_CASE("credit_only is final when all of it is collected or advanced", "[flat_fee]") {
  const auto only = fee(settlement_mode::credit_only);
  const auto d = decide(collecting_credit{}, collected(3000, 7000), only);
  REQUIRE(d.has_value());
  CHECK(to_string(d->state) == "final");
  REQUIRE(current_run(d->state) != nullptr);
  CHECK(current_run(d->state)->credited() == 10000);
  CHECK(current_run(d->state)->advanced == 7000);
  CHECK(current_run(d->state)->billed == 0);
  CHECK(d->effects.empty());
  CHECK_FALSE(advance_after(d->state, only).has_value());
}

TEST_CASE("an answer that gives more than asked, or too little of a whole, is not taken",
          "[flat_fee]") {
  // charges.md 7.3: hard errors.
  const auto goes_through = [](const terms& t, const credit_collected& answer) {
    const bool invoiced = t.mode != settlement_mode::credit_only;
    try {
      return decide(collecting_credit{invoice_id(invoiced ? 1 : 0)}, answer, t).has_value();
    } catch (const defect&) {
      return false;
    }
  };
  const auto only = fee(settlement_mode::credit_only);
  CHECK(goes_through(only, collected(10000)));
  CHECK_FALSE(goes_through(only, collected(9999)));
  CHECK_FALSE(goes_through(only, collected(10000, 1)));
  CHECK(goes_through(cti, collected(9999)));
  CHECK_FALSE(goes_through(cti, collected(10001)));
  CHECK_FALSE(goes_through(cti, collected(3000, 1)));
}

TEST_CASE("a line takes what credit there is and bills the rest", "[flat_fee][D19]") {
  const auto asking = decide(active{}, line_assigned{invoice_id(4), due}, cti);
  REQUIRE(asking.has_value());
  const auto& need = std::get<collect_credit>(asking->effects.at(0));
  CHECK(need.amount == 10000);
  CHECK_FALSE(need.whole);
  const auto d = decide(asking->state, collected(3000), cti);
  CHECK(to_string(d->state) == "active.realization.waiting_for_collection");
  CHECK(current_run(d->state)->invoice == invoice_id(4));
  CHECK(current_run(d->state)->billed == 7000);
}

TEST_CASE("invoice_only never asks for credit and bills the whole", "[flat_fee][D19]") {
  const auto only = fee(settlement_mode::invoice_only);
  const auto d = decide(active{}, line_assigned{invoice_id(4), due}, only);
  REQUIRE(d.has_value());
  CHECK(d->effects.empty());
  CHECK(to_string(d->state) == "active.realization.waiting_for_collection");
  CHECK(current_run(d->state)->billed == 10000);
}

TEST_CASE("credit_only has no lines", "[flat_fee]") {
  const auto only = fee(settlement_mode::credit_only);
  CHECK_FALSE(decide(active{}, line_assigned{invoice_id(4), due}, only).has_value());
  CHECK_FALSE(billable(active{}, only, at("2027-01-01")));
}

TEST_CASE("a line waits for its invoice instant", "[flat_fee][D4]") {
  CHECK_FALSE(billable(created{}, cti, plus_ns(due, -1)));
  CHECK(billable(created{}, cti, due));
  CHECK(billable(active{}, cti, due));
  for (std::size_t i = 2; i < one_of_each_state.size(); ++i)
    CHECK_FALSE(billable(one_of_each_state[i], cti, due));
}

TEST_CASE("issuing accrues what is billed, and nothing where credit paid all", "[flat_fee][D22]") {
  const auto ready = decide(waiting_for_collection{billed(7000)}, collection_completed{}, cti);
  CHECK(to_string(ready->state) == "active.realization.processing");
  const auto issued = decide(ready->state, invoice_issued{}, cti);
  CHECK(to_string(issued->state) == "active.awaiting_payment_settlement");
  REQUIRE(issued->effects.size() == 1);
  CHECK(std::get<accrue_billed>(issued->effects[0]).amount == 7000);
  const auto credited = decide(processing{billed(0)}, invoice_issued{}, cti);
  CHECK(to_string(credited->state) == "final");
  CHECK(credited->effects.empty());
}

TEST_CASE("payment in parts makes a fee final when all is settled", "[flat_fee][D46]") {
  const auto first = decide(awaiting_payment{billed(7000)}, payment_authorized{3000, due}, cti);
  CHECK(std::get<book_authorized>(first->effects.at(0)).amount == 3000);
  CHECK(std::get<book_authorized>(first->effects.at(0)).at == due);
  const auto settled = decide(first->state, payment_settled{3000, due}, cti);
  CHECK(std::get<book_settled>(settled->effects.at(0)).amount == 3000);
  CHECK(to_string(settled->state) == "active.awaiting_payment_settlement");
  const auto rest = decide(settled->state, payment_authorized{4000, due}, cti);
  const auto last = decide(rest->state, payment_settled{4000, due}, cti);
  CHECK(to_string(last->state) == "final");
  CHECK(*current_run(last->state) == billed(7000, 7000, 7000));
}

TEST_CASE("a fee takes no more payment than it bills", "[flat_fee][D12]") {
  const auto refused = [](const event& e) {
    try {
      return !decide(awaiting_payment{billed(7000, 5000, 1000)}, e, cti).has_value();
    } catch (const defect&) {
      return true;
    }
  };
  CHECK(refused(payment_authorized{2001, due}));
  CHECK_FALSE(refused(payment_authorized{2000, due}));
  CHECK(refused(payment_settled{4001, due}));
  CHECK_FALSE(refused(payment_settled{4000, due}));
}

TEST_CASE("a fee presses on live from its invoice instant until its credits are booked",
          "[flat_fee][D36][D19]") {
  CHECK(outstanding(created{}, cti, plus_ns(due, -1)) == 0);
  CHECK(outstanding(created{}, cti, due) == 10000);
  CHECK(outstanding(active{}, cti, due) == 10000);
  for (std::size_t i = 3; i < one_of_each_state.size(); ++i)
    CHECK(outstanding(one_of_each_state[i], cti, due) == 0);
  CHECK(outstanding(active{}, fee(settlement_mode::invoice_only), due) == 0);
  const auto arrears = fee(settlement_mode::credit_only, payment_term::in_arrears);
  CHECK(outstanding(active{}, arrears, due) == 10000);
}

TEST_CASE("a status is the part before the first dot", "[flat_fee]") {
  CHECK(status(created{}) == "created");
  CHECK(status(awaiting_payment{}) == "active");
  CHECK(status(finished{}) == "final");
  CHECK(status(deleted{}) == "deleted");
}
