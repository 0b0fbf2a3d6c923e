// Reservations: what they hold and for how long, who does not see it, and what settling them books.
// Source: reservations.md.
#include "domain/holds.hpp"
#include "tests/domain/credit_support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;
using command::over_settlement;

namespace {

const auto start = at("2026-03-01");

/// A customer of the first of March with these grants.
credit_harness holding(const std::vector<command::grant_credit>& grants) {
  credit_harness h;
  h.now = start;
  for (const auto& g : grants)
    h.ok(g);
  return h;
}

reply::reservation_view held(credit_harness& h, const command::reserve& c) {
  return std::get<reply::reservation_view>(h.ok(c).body);
}
reply::consumed settled(credit_harness& h, const command::settle_reservation& c) {
  return std::get<reply::consumed>(h.ok(c).body);
}
std::optional<instant> extended(credit_harness& h, std::string id, std::int64_t ttl_ns) {
  const auto r = h.ok(command::extend_reservation{std::move(id), ttl_ns});
  return std::get<reply::reservation_view>(r.body).expires_at;
}

/// "100 = 40 live, 60 reserved", in minor units.
std::string balance_text(credit_harness& h, const std::string& code = "USD") {
  const auto b = h.balance(code);
  return to_string(b.settled) + " = " + to_string(b.live) + " live, " + to_string(b.reserved) +
         " reserved";
}

/// Refused because it is over: the reason stands in the text.
void check_over(credit_harness& h, const command::any& c, const char* reason) {
  const auto no = h.refusal_of(c);
  CHECK(no.code == errc::not_found);
  INFO(no.text);
  CHECK(no.text.find(reason) != std::string::npos);
}

} // namespace

// Reserve

TEST_CASE("a reservation holds credit and books nothing", "[reservations]") {
  auto h = holding({credit("g", "100")});
  const auto before = h.standing();
  const auto r = h.ok(reserve("r", "60"));
  CHECK(h.journal.back().transactions.empty());
  CHECK(h.standing() == before);
  const auto& v = std::get<reply::reservation_view>(r.body);
  CHECK(v.status == "held");
  CHECK(v.held == 6000);
  CHECK(v.expires_at == at("2026-03-01T00:01:00Z"));
  CHECK(text_of_slices(v.slices) == "g:6000");
  CHECK(h.reservation("r") == v);
  REQUIRE(r.after.size() == 1);
  CHECK(r.after[0].settled == 10000);
  CHECK(r.after[0].reserved == 6000);
  CHECK(balance_text(h) == "10000 = 4000 live, 6000 reserved");
}

TEST_CASE("all or nothing: too little free credit holds nothing", "[reservations]") {
  // rv-all-or-nothing.
  auto h = holding({credit("g", "100")});
  h.ok(reserve("a", "70"));
  CHECK(h.refused(reserve("b", "40")) == errc::insufficient_funds);
  CHECK(h.refused(reserve("b", "30.01")) == errc::insufficient_funds);
  h.ok(reserve("c", "30"));
  CHECK(balance_text(h) == "10000 = 0 live, 10000 reserved");
}

TEST_CASE("up to: what is free, one minor unit at least", "[reservations]") {
  // rv-up-to.
  auto h = holding({credit("g", "25")});
  h.ok(reserve("x", "24.99"));
  CHECK(held(h, up_to(reserve("a", "40"))).held == 1);
  CHECK(h.refused(up_to(reserve("b", "1"))) == errc::insufficient_funds);
  h.ok(command::release_reservation{"x"});
  CHECK(held(h, up_to(reserve("b", "7"))).held == 700);
}

TEST_CASE("credit is held in collection order, as the feature sees it", "[reservations][D15]") {
  // rv-order-and-features.
  auto h = holding({credit("any", "50"), only_for(credit("api", "20"), {"api"})});
  const auto r = held(h, reserve("r", "30", 60 * second_ns, "api"));
  CHECK(text_of_slices(r.slices) == "api:2000 any:1000");
  h.ok(reserve("s", "40"));
  CHECK(h.refused(reserve("t", "0.01")) == errc::insufficient_funds);
  CHECK(settled(h, finish("r", "25")).booked == 2500);
  CHECK(h.standing_of("api") == lines{"accrued USD @0 = 20.00", "wash USD @0 = -20.00"});
  CHECK(h.standing_of("any") ==
        lines{"fbo USD @0 p100 = 45.00", "accrued USD @0 = 5.00", "wash USD @0 = -50.00"});
  CHECK(balance_text(h) == "4500 = 500 live, 4000 reserved");
}

TEST_CASE("a reservation without a feature holds unrestricted credit only", "[reservations]") {
  auto h = holding({only_for(credit("api", "20"), {"api"}), credit("any", "5")});
  CHECK(h.refused(reserve("r", "5.01")) == errc::insufficient_funds);
  CHECK(text_of_slices(held(h, up_to(reserve("r", "25"))).slices) == "any:500");
}

TEST_CASE("credit that is not there yet is not held, and none is advanced", "[reservations]") {
  auto h = holding({from(credit("later", "10"), at("2026-03-02"))});
  h.ok(policy(over_settlement::advance));
  CHECK(h.refused(reserve("r", "1")) == errc::insufficient_funds);
  CHECK(h.refused(up_to(reserve("r", "1"))) == errc::insufficient_funds);
  h.now = at("2026-03-02");
  CHECK(held(h, reserve("r", "1")).held == 100);
}

TEST_CASE("amounts and times to live are exact", "[reservations][D2]") {
  auto h = holding({credit("g", "100")});
  for (const auto* amount : {"0", "-1", "0.001"})
    CHECK(h.refused(reserve("r", amount)) == errc::validation);
  CHECK(h.refused(reserve("r", "1", 60 * second_ns, {}, "NOPE")) == errc::validation);
  CHECK(h.refused(reserve("", "1")) == errc::validation);
  for (const auto ttl : {std::int64_t{0}, second_ns - 1, 24 * hour_ns + 1, -hour_ns})
    CHECK(h.refused(reserve("r", "1", ttl)) == errc::validation);
  h.ok(reserve("short", "1", second_ns));
  h.ok(reserve("long", "1", 24 * hour_ns));
  for (const auto ttl : {std::int64_t{0}, second_ns - 1, 24 * hour_ns + 1})
    CHECK(h.refused(command::extend_reservation{"long", ttl}) == errc::validation);
  for (const auto* actual : {"-1", "0.001"})
    CHECK(h.refused(finish("long", actual)) == errc::validation);
}

TEST_CASE("a unit of nine decimals is held and settled to its last digit",
          "[reservations][D63][D2]") {
  credit_harness h;
  h.ok(command::create_credit_unit{"NANO", 9});
  h.ok(credit("g", "1.5", "NANO"));
  h.ok(reserve("r", "0.000000004", 30 * second_ns, {}, "NANO"));
  CHECK(balance_text(h, "NANO") == "1500000000 = 1499999996 live, 4 reserved");
  h.ok(finish("r", "0.000000003"));
  CHECK(balance_text(h, "NANO") == "1499999997 = 1499999997 live, 0 reserved");
  CHECK(h.refused(reserve("s", "0.0000000001", 30 * second_ns, {}, "NANO")) == errc::validation);
}

// Who does not see it

TEST_CASE("held credit is invisible to everybody else", "[reservations][D67]") {
  auto h = holding({credit("g", "10")});
  h.ok(reserve("r", "7"));
  CHECK(h.refused(consume("c", "4")) == errc::insufficient_funds); // cs-sees-free-only
  h.ok(consume("c", "1"));
  h.use("f", "5"); // rv-charge-cannot-take-held: 2 of credit, 3 of advance
  CHECK(h.standing() == lines{"fbo USD @0 p100 = 7.00",
                              "receivable.open USD @none = -3.00",
                              "accrued USD @0 = 3.00",
                              "accrued USD @none = 3.00",
                              "wash USD @0 = -10.00"});
  CHECK(balance_text(h) == "400 = -300 live, 700 reserved");
  h.ok(finish("r", "7"));
  CHECK(balance_text(h) == "-300 = -300 live, 0 reserved");
}

TEST_CASE("an invoice takes and presses on free credit only", "[reservations]") {
  auto h = holding({credit("g", "100")});
  h.ok(reserve("r", "70"));
  auto f = fee("f", "50");
  f.service_period = from_to("2026-03-01", "2026-04-01");
  f.invoice_at = start;
  h.ok(f);
  CHECK(balance_text(h) == "10000 = 0 live, 7000 reserved"); // bounded by the 30 that are free
  h.ok(command::invoice_pending{});
  CHECK(h.invoice("#1").credits == 3000);
  CHECK(balance_text(h) == "7000 = 0 live, 7000 reserved");
}

TEST_CASE("what is given back is free, whatever is held", "[reservations]") {
  auto h = holding({credit("g", "10")});
  h.ok(consume("c", "6"));
  h.ok(reserve("r", "4"));
  h.ok(correct("c", "5"));
  CHECK(balance_text(h) == "900 = 500 live, 400 reserved");
  h.ok(finish("r", "4"));
  CHECK(balance_text(h) == "500 = 500 live, 0 reserved");
}

// Settle

TEST_CASE("settling less frees the rest", "[reservations]") {
  // rv-settle-less.
  auto h = holding({credit("g", "100")});
  h.ok(reserve("r", "60"));
  const auto r = settled(h, finish("r", "42.50"));
  CHECK(r.booked == 4250);
  CHECK(r.uncovered == 0);
  CHECK(text_of_slices(r.slices) == "g:4250");
  CHECK(balance_text(h) == "5750 = 5750 live, 0 reserved");
  CHECK(h.standing_of("g", "r") == lines{"fbo USD @0 p100 = -42.50", "accrued USD @0 = 42.50"});
}

TEST_CASE("settling nothing books nothing and ends the reservation", "[reservations][D22]") {
  auto h = holding({credit("g", "10")});
  h.ok(reserve("r", "10"));
  CHECK(settled(h, finish("r", "0")).booked == 0);
  CHECK(h.journal.back().transactions.empty());
  CHECK(balance_text(h) == "1000 = 1000 live, 0 reserved");
  CHECK(h.refused(command::release_reservation{"r"}) == errc::not_found);
}

TEST_CASE("settling more takes free credit after what is held", "[reservations]") {
  // rv-over-settlement-free; what is held comes first, whatever has come since.
  auto h = holding({credit("g", "10")});
  h.ok(reserve("r", "6"));
  h.ok(ranked(credit("first", "2"), 1));
  const auto r = settled(h, finish("r", "9"));
  CHECK(r.booked == 900);
  CHECK(h.standing_of("first", "r") == lines{"fbo USD @0 p1 = -2.00", "accrued USD @0 = 2.00"});
  CHECK(h.standing_of("g", "r") == lines{"fbo USD @0 p100 = -7.00", "accrued USD @0 = 7.00"});
  h.ok(reserve("s", "1"));
  h.ok(ranked(credit("early", "5"), 1));
  CHECK(text_of_slices(settled(h, finish("s", "1")).slices) == "g:100");
}

TEST_CASE("settling more than there is: refused, and the hold stays", "[reservations][D67]") {
  // rv-over-settlement-refuse; what others hold is not free.
  auto h = holding({credit("g", "20")});
  h.ok(reserve("other", "10"));
  h.ok(reserve("r", "10"));
  CHECK(h.refused(finish("r", "10.01")) == errc::insufficient_funds);
  CHECK(balance_text(h) == "2000 = 0 live, 2000 reserved");
  h.ok(finish("r", "10"));
  CHECK(balance_text(h) == "1000 = 0 live, 1000 reserved");
}

TEST_CASE("settling more than there is: capped, and said how much", "[reservations][D67]") {
  auto h = holding({credit("g", "10"), credit("h", "1")});
  h.ok(policy(over_settlement::cap));
  h.ok(reserve("r", "10"));
  const auto r = settled(h, finish("r", "13"));
  CHECK(r.booked == 1100);
  CHECK(r.uncovered == 200);
  CHECK(h.standing() == lines{"accrued USD @0 = 11.00", "wash USD @0 = -11.00"});
}

TEST_CASE("settling more than there is: advanced, within the limit", "[reservations][D67][D69]") {
  // rv-over-settlement-advance.
  auto h = holding({credit("g", "10")});
  command::put_customer c;
  c.over_settlement = over_settlement::advance;
  c.advance_limit.emplace().emplace("USD", dec("3"));
  h.ok(c);
  h.ok(reserve("r", "10", 60 * second_ns, "api"));
  CHECK(h.refused(finish("r", "13.01")) == errc::insufficient_funds);
  CHECK(settled(h, finish("r", "13")).booked == 1300);
  CHECK(h.standing() == lines{"receivable.open USD @none [api] = -3.00",
                              "accrued USD @0 = 10.00",
                              "accrued USD @none = 3.00",
                              "wash USD @0 = -10.00"});
  CHECK(balance_text(h) == "-300 = -300 live, 0 reserved");
  h.ok(bought("b", "5")); // covers it as any advance
  CHECK(h.standing_of("b", "r") ==
        lines{"receivable.open USD @1 = -3.00", "accrued USD @1 = 3.00"});
}

TEST_CASE("what is settled of expiring credit does not expire", "[reservations]") {
  auto h = holding({until(credit("g", "10"), at("2026-04-01"))});
  h.ok(reserve("r", "8"));
  h.ok(finish("r", "6"));
  CHECK(h.standing(at("2026-04-01")) ==
        lines{"accrued USD @0 = 6.00", "wash USD @0 = -10.00", "breakage USD @0 = 4.00"});
}

// Its end

TEST_CASE("a released reservation is over", "[reservations]") {
  auto h = holding({credit("g", "10")});
  h.ok(reserve("r", "10"));
  h.ok(command::release_reservation{"r"});
  CHECK(h.journal.back().transactions.empty());
  CHECK(balance_text(h) == "1000 = 1000 live, 0 reserved");
  CHECK(h.reservation("r").status == "released");
  check_over(h, finish("r", "1"), "released");
  check_over(h, command::extend_reservation{"r", hour_ns}, "released");
  CHECK(h.refused(finish("nobody", "1")) == errc::not_found);
  CHECK(h.refused(command::release_reservation{"nobody"}) == errc::not_found);
  CHECK(h.refused(command::get_reservation{"nobody"}) == errc::not_found);
}

TEST_CASE("a hold ends with its time, whether anybody looks or not", "[reservations][D4]") {
  // rv-expiry-of-hold.
  auto h = holding({credit("g", "10")});
  const auto end = held(h, reserve("r", "10")).expires_at.value();
  CHECK(next_due(h.customer) == end);
  h.now = plus_ns(end, -1);
  CHECK(balance_text(h) == "1000 = 0 live, 1000 reserved");
  CHECK(h.refused(consume("c", "1")) == errc::insufficient_funds);
  h.now = end;
  CHECK(balance_text(h) == "1000 = 1000 live, 0 reserved");
  CHECK(h.reservation("r").status == "expired");
  check_over(h, finish("r", "5"), "expired");
  check_over(h, command::release_reservation{"r"}, "expired");
  check_over(h, command::extend_reservation{"r", hour_ns}, "expired");
  h.ok(reserve("s", "4")); // no tick has come
  h.ok(consume("c", "6"));
  CHECK(balance_text(h) == "400 = 0 live, 400 reserved");
  check_over(h, finish("r", "5"), "expired");
}

TEST_CASE("a hold can be settled until just before its end", "[reservations][D4]") {
  auto h = holding({credit("g", "10")});
  const auto end = held(h, reserve("r", "10")).expires_at.value();
  h.now = plus_ns(end, -1);
  CHECK(settled(h, finish("r", "10")).booked == 1000);
}

TEST_CASE("the tick writes down that a hold ended", "[reservations]") {
  auto h = holding({credit("g", "10")});
  h.now = held(h, reserve("r", "10")).expires_at.value();
  h.ok(command::run_due{});
  const auto& facts = h.journal.back().facts;
  REQUIRE(facts.size() == 1);
  const auto& ended = std::get<fact::hold_ended>(facts[0]);
  CHECK(ended.reference == "r");
  CHECK(ended.how == hold_end::expired);
  CHECK(h.customer.extras->holds.size() == 0);
  CHECK(h.customer.book.sources()[0].held == 0);
  CHECK_FALSE(next_due(h.customer).has_value());
  check_over(h, finish("r", "5"), "expired");
}

TEST_CASE("a hold never outlives the credit under it", "[reservations]") {
  // rv-hold-never-outlives-credit; the earliest end of the slices that are held.
  const auto soon = at("2026-03-01T00:00:30Z");
  const auto later = at("2026-03-01T00:10:00Z");
  auto h = holding({until(ranked(credit("b", "10"), 1), later),
                    until(ranked(credit("a", "10"), 2), soon),
                    credit("c", "10")});
  CHECK(held(h, reserve("only b", "10", hour_ns)).expires_at == later);
  h.ok(command::release_reservation{"only b"});
  const auto r = held(h, reserve("r", "25", hour_ns));
  CHECK(r.expires_at == soon);
  CHECK(text_of_slices(r.slices) == "b:1000 a:1000 c:500");
  CHECK(r.slices.at(0).expires_at == later);
  CHECK(r.slices.at(2).expires_at == std::nullopt);
  CHECK(extended(h, "r", hour_ns) == soon);
  h.now = soon;
  CHECK(balance_text(h) == "2000 = 2000 live, 0 reserved");
  CHECK(h.standing() == lines{"fbo USD @0 p1 = 10.00",
                              "fbo USD @0 p100 = 10.00",
                              "wash USD @0 = -30.00",
                              "breakage USD @0 = 10.00"});
}

TEST_CASE("extending moves the end from now, never backwards", "[reservations]") {
  auto h = holding({credit("g", "10")});
  h.ok(reserve("r", "10", hour_ns));
  h.now = plus_ns(start, hour_ns / 2);
  const auto longer = plus_ns(start, hour_ns / 2 + hour_ns);
  CHECK(extended(h, "r", hour_ns) == longer);
  CHECK(extended(h, "r", second_ns) == longer);
  CHECK(h.reservation("r").expires_at == longer);
  h.now = plus_ns(start, hour_ns); // the end that was
  CHECK(balance_text(h) == "1000 = 0 live, 1000 reserved");
  CHECK(extended(h, "r", hour_ns) == plus_ns(start, 2 * hour_ns));
  h.now = plus_ns(start, 2 * hour_ns);
  CHECK(balance_text(h) == "1000 = 1000 live, 0 reserved");
}

TEST_CASE("reserved is known of now only", "[reservations][D32]") {
  auto h = holding({credit("g", "10")});
  h.ok(reserve("r", "10", hour_ns));
  h.now = plus_ns(start, second_ns);
  const auto b = h.balance_as_of(start);
  CHECK(b.settled == 1000);
  CHECK(b.historical);
}
