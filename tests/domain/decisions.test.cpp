// What commands lead to: customers, grants, consuming, openings and balances.
// Charges, invoices and payments have files of their own.
#include "domain/decisions.hpp"

#include "tests/domain/support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;
using command::over_settlement;

namespace {

reply::consumed taken(harness& h, const command::consume& c) {
  return std::get<reply::consumed>(h.ok(c).body);
}

std::string slices(const reply::consumed& r) {
  std::string text;
  for (const auto& s : r.slices)
    text += (text.empty() ? "" : " ") + s.grant + ":" + to_string(s.amount);
  return text;
}

command::put_customer limit(std::map<std::string, decimal> limits) {
  command::put_customer c;
  c.advance_limit = std::move(limits);
  return c;
}

command::grant_credit for_features(command::grant_credit c, std::vector<std::string> features) {
  c.features = std::move(features);
  return c;
}

command::grant_credit with_priority(command::grant_credit c, std::uint16_t priority) {
  c.priority = priority;
  return c;
}

const command::feature_filter unrestricted{command::feature_view::unrestricted, {}};
command::feature_filter view_of_feature(std::string f) {
  return {command::feature_view::feature, std::move(f)};
}

} // namespace

// Customers

TEST_CASE("a customer that was never made is not found", "[decisions]") {
  const catalog cat;
  customer nobody;
  nobody.reference = "nobody";
  for (const command::any& c : {command::any(credit("g", "1")),
                                command::any(consume("c", "1")),
                                command::any(fee("f", "1")),
                                command::any(command::run_due{})}) {
    unit u(nobody, cat, at("2026-01-01"), 0);
    auto talk = decide(u, c);
    const auto done = drive(u, talk);
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().code == errc::not_found);
  }
}

TEST_CASE("settings that are not named stay as they are", "[decisions]") {
  harness h;
  const auto made_at = h.customer.created_at;
  h.now = at("2026-01-02");
  command::put_customer c;
  c.currency = "EUR";
  c.over_settlement = over_settlement::advance;
  h.ok(c);
  h.ok(limit({{"USD", dec("5")}, {"JPY", dec("7")}}));
  CHECK(h.customer.settings.default_currency == find_iso_currency("EUR").value());
  CHECK(h.customer.settings.over_settlement == over_settlement::advance);
  CHECK(h.customer.settings.advance_limit(usd) == 500);
  CHECK(h.customer.settings.advance_limit(jpy) == 7);
  h.ok(limit({}));
  CHECK(h.customer.settings.advance_limits->empty());
  CHECK(h.customer.created_at == made_at);
}

TEST_CASE("settings that make no sense are refused", "[decisions][D2]") {
  harness h;
  CHECK(h.refused(limit({{"USD", dec("-1")}})) == errc::validation);
  CHECK(h.refused(limit({{"USD", dec("1.001")}})) == errc::validation);
  CHECK(h.refused(limit({{"NOPE", dec("1")}})) == errc::validation);
  command::put_customer c;
  c.currency = "usd";
  CHECK(h.refused(c) == errc::validation);
}

// Grants

TEST_CASE("a promotional grant leaves credit and wash", "[decisions][D64]") {
  harness h;
  const auto receipt = h.ok(credit("g", "100"));
  CHECK(h.trial() == lines{"fbo USD @0 p100 = 100.00", "wash USD @0 = -100.00"});
  CHECK(receipt.after.at(0).settled == 10000);
  CHECK(receipt.after.at(0).live == 10000);
  CHECK(receipt.sequence == sequence(2));
}

TEST_CASE("a grant is rounded half away from zero on entry", "[decisions][D1][D2]") {
  harness h;
  const auto amount = [&h](const char* id, const char* text) {
    return std::get<reply::grant_view>(h.ok(credit(id, text)).body).amount;
  };
  CHECK(amount("a", "10.005") == 1001);
  CHECK(amount("b", "10.004999999999999999") == 1000);
  CHECK(amount("c", "0.005") == 1);
  auto yen = credit("d", "0.5", "JPY");
  CHECK(std::get<reply::grant_view>(h.ok(yen).body).amount == 1);
}

TEST_CASE("content that rounds alike is alike", "[decisions][D6][D2]") {
  const catalog cat;
  const auto same = [&cat](command::any a, command::any b) {
    const auto left = normalised(a, cat).value();
    const auto right = normalised(b, cat).value();
    return std::get<command::grant_credit>(left).amount ==
           std::get<command::grant_credit>(right).amount;
  };
  CHECK(same(credit("g", "10.005"), credit("g", "10.01")));
  CHECK_FALSE(same(credit("g", "10.005"), credit("g", "10.00")));
}

TEST_CASE("grants that make no sense are refused", "[decisions]") {
  harness h;
  for (const auto* amount : {"0", "-1", "0.004"})
    CHECK(h.refused(credit("g", amount)) == errc::validation);
  CHECK(h.refused(credit("", "1")) == errc::validation);
  CHECK(h.refused(credit(std::string(129, 'x'), "1")) == errc::validation);
  CHECK(h.refused(credit("g", "1", "NOPE")) == errc::validation);
  CHECK(h.refused(with_priority(credit("g", "1"), 0)) == errc::validation);
  CHECK(h.refused(with_priority(credit("g", "1"), 1001)) == errc::validation);
  CHECK(h.refused(for_features(credit("g", "1"), {""})) == errc::validation);
}

TEST_CASE("a grant takes effect now, or earlier where it says so", "[decisions][D3]") {
  harness h;
  h.now = at("2026-01-10T10:00:00.5Z");
  const auto effective = [&h] { return h.customer.grants.back().effective_at; };
  h.ok(credit("default", "1"));
  CHECK(effective() == h.now); // defaults are exact
  auto past = credit("past", "1");
  past.effective_at = at("2026-01-05T00:00:00.9Z");
  h.ok(past);
  CHECK(effective() == at("2026-01-05")); // given instants are floored to seconds
  for (const auto& t : h.journal.back().transactions)
    CHECK(t.booked_at() == at("2026-01-05"));
  auto future = credit("future", "1"); // or later (D17)
  future.effective_at = at("2026-01-11");
  h.ok(future);
  CHECK(effective() == at("2026-01-11"));
}

// Consuming

TEST_CASE("consume takes credit in collection order and says from where", "[decisions][D67][D15]") {
  harness h;
  h.ok(credit("plain", "10"));
  h.ok(for_features(credit("api", "10"), {"api"}));
  h.ok(with_priority(credit("first", "10"), 1));
  const auto r = taken(h, consume("c", "25", "api"));
  CHECK(slices(r) == "first:1000 api:1000 plain:500");
  CHECK(r.booked == 2500);
  CHECK(r.uncovered == 0);
  CHECK(h.trial() ==
        lines{"fbo USD @0 p100 = 5.00", "accrued USD @0 = 25.00", "wash USD @0 = -30.00"});
  CHECK(h.booked().size() == 1);
}

TEST_CASE("refuse: all or nothing", "[decisions][D67]") {
  harness h;
  h.ok(credit("g", "10"));
  h.ok(for_features(credit("api", "90"), {"api"}));
  CHECK(h.refused(consume("c", "10.01")) == errc::insufficient_funds);
  CHECK(h.refused(consume("c", "100.01", "api")) == errc::insufficient_funds);
  CHECK(taken(h, consume("c", "100", "api")).booked == 10000);
  CHECK(h.refused(consume("d", "0.01")) == errc::insufficient_funds);
}

TEST_CASE("cap: what there is, and how much was missing", "[decisions][D67]") {
  harness h;
  h.ok(policy(over_settlement::cap));
  h.ok(credit("g", "10"));
  const auto r = taken(h, consume("c", "12.5"));
  CHECK(r.booked == 1000);
  CHECK(r.uncovered == 250);
  CHECK(h.trial() == lines{"accrued USD @0 = 10.00", "wash USD @0 = -10.00"});
  const auto nothing = taken(h, consume("d", "1"));
  CHECK(nothing.booked == 0);
  CHECK(nothing.uncovered == 100);
  CHECK(h.booked().empty());
}

TEST_CASE("advance: the missing part is owed", "[decisions][D67]") {
  harness h;
  h.ok(policy(over_settlement::advance));
  h.ok(credit("g", "10"));
  const auto r = taken(h, consume("c", "14"));
  CHECK(r.booked == 1400);
  CHECK(r.uncovered == 0);
  CHECK(slices(r) == "g:1000");
  CHECK(h.trial() == lines{"receivable.open USD @none = -4.00",
                           "accrued USD @0 = 10.00",
                           "accrued USD @none = 4.00",
                           "wash USD @0 = -10.00"});
  CHECK(h.balance().settled == -400);
  CHECK(h.balance().live == -400);
}

TEST_CASE("an advance stops at its limit", "[decisions][D69]") {
  // cs-advance-limit: 10 of credit, limit 5: 14, then 2 is too much, then 1.
  harness h;
  h.ok(policy(over_settlement::advance));
  h.ok(limit({{"USD", dec("5")}}));
  h.ok(credit("g", "10"));
  h.ok(consume("a", "14"));
  CHECK(h.refused(consume("b", "2")) == errc::insufficient_funds);
  h.ok(consume("c", "1"));
  CHECK(h.balance().settled == -500);
  CHECK(h.refused(consume("d", "0.01")) == errc::insufficient_funds);
  h.ok(limit({}));
  h.ok(consume("d", "0.01"));
  h.ok(limit({{"USD", dec("0")}}));
  CHECK(h.refused(consume("e", "0.01")) == errc::insufficient_funds);
}

TEST_CASE("an opening advance counts against the limit", "[decisions][D68][D69]") {
  harness h;
  h.ok(policy(over_settlement::advance));
  h.ok(limit({{"USD", dec("5")}}));
  h.ok(command::open_advance{"old", dec("4"), "USD", {}, {}});
  CHECK(h.refused(consume("a", "1.01")) == errc::insufficient_funds);
  h.ok(consume("a", "1"));
}

TEST_CASE("amounts to consume are exact and positive", "[decisions][D2]") {
  harness h;
  h.ok(credit("g", "10"));
  for (const auto* amount : {"0", "-1", "0.001", "1.005"})
    CHECK(h.refused(consume("c", amount)) == errc::validation);
  CHECK(h.refused(consume("", "1")) == errc::validation);
  CHECK(h.refused(consume("c", "1", "", "NOPE")) == errc::validation);
  CHECK(h.refused(consume("c", "1", std::string(200, 'f'))) == errc::validation);
}

TEST_CASE("consumed value is spent by its own unit, now", "[decisions][D67][D9]") {
  harness h;
  h.ok(credit("g", "10"));
  h.now = at("2026-01-03T04:05:06.7Z");
  h.ok(consume("c", "4"));
  const auto& t = h.journal.back().transactions.at(0);
  CHECK(t.booked_at() == h.now);
  for (const auto& p : t.postings()) {
    CHECK(p.spend == ledger::spend_id::of(h.journal.back().number));
    CHECK(p.source == grant_id(1));
  }
}

TEST_CASE("credit units: nine digits, own balances, never added to another",
          "[decisions][D63][D2]") {
  harness h;
  h.ok(command::create_credit_unit{"NANO", 9});
  h.ok(credit("g", "0.0000000015", "NANO")); // rounded on entry to 2 x 10^-9
  CHECK(h.balance("NANO").settled == 2);
  CHECK(h.refused(consume("c", "0.0000000001", "", "NANO")) == errc::validation);
  CHECK(h.refused(consume("c", "0.01")) == errc::insufficient_funds);
  h.ok(consume("c", "0.000000001", "", "NANO"));
  CHECK(h.trial() == lines{"fbo NANO @0 p100 = 0.000000001",
                           "accrued NANO @0 = 0.000000001",
                           "wash NANO @0 = -0.000000002"});
}

TEST_CASE("amounts whose sums could leave 128 bits are an overflow and change nothing",
          "[decisions][D2]") {
  harness h;
  // 1.2 x 10^28 dollars are 1.2 x 10^30 cents, just below 2^100.
  const std::string large = "12" + std::string(27, '0');
  const std::string huge = "13" + std::string(27, '0');
  for (const auto& amount : {huge, "1" + std::string(36, '0'), "1" + std::string(37, '0')}) {
    CHECK(h.refused(credit("g", amount)) == errc::overflow);
    CHECK(h.refused(fee("f", amount)) == errc::overflow);
    CHECK(h.refused(consume("c", amount)) == errc::overflow);
    CHECK(h.refused(command::open_credit{"o", dec(amount), "USD", {}, {}}) == errc::overflow);
    CHECK(h.refused(command::open_advance{"o", dec(amount), "USD", {}, {}}) == errc::overflow);
  }
  h.ok(credit("g", large));
  h.ok(credit("h", large));
  h.ok(command::open_credit{"o", dec(large), "USD", {}, {}});
  for (const auto* id : {"a", "b", "c", "d"})
    h.ok(fee(id, large, settlement_mode::credit_only));
  const auto minor = 12 * power_of_ten(29);
  CHECK(h.balance().settled == 3 * minor);
  CHECK(h.balance().live == -minor);
  for (const auto* id : {"x", "y"})
    h.ok(fee(id, large));
  h.ok(command::invoice_pending{});
  CHECK(h.invoice("#1").amount == 2 * minor);
}

// Openings

TEST_CASE("opening balances are credit and debt of unknown cost", "[decisions][D68][D64]") {
  harness h;
  command::open_credit c{"old", dec("12"), "USD", {}, at("2025-12-31")};
  h.ok(c);
  h.ok(command::open_advance{"debt", dec("5"), "USD", {"api"}, {}});
  CHECK(h.trial() == lines{"fbo USD @none p100 = 12.00",
                           "receivable.open USD @none [api] = -5.00",
                           "accrued USD @none = 5.00",
                           "wash USD @none = -12.00"});
  CHECK(h.balance().settled == 700);
  CHECK(h.balance("USD", unrestricted).settled == 1200);
  CHECK(taken(h, consume("c", "12")).booked == 1200);
  CHECK(h.refused(command::open_credit{"x", dec("1.001"), "USD", {}, {}}) == errc::validation);
  CHECK(h.refused(command::open_credit{"x", dec("0"), "USD", {}, {}}) == errc::validation);
  CHECK(h.refused(command::open_advance{"x", dec("-1"), "USD", {}, {}}) == errc::validation);
}

// Balances

TEST_CASE("views of features overlap", "[decisions]") {
  // balances.md 1.5.
  harness h;
  h.ok(credit("plain", "1"));
  h.ok(for_features(credit("ab", "10"), {"b", "a"}));
  h.ok(for_features(credit("c", "100"), {"c"}));
  CHECK(h.balance().settled == 11100);
  CHECK(h.balance("USD", unrestricted).settled == 100);
  CHECK(h.balance("USD", view_of_feature("a")).settled == 1100);
  CHECK(h.balance("USD", view_of_feature("b")).settled == 1100);
  CHECK(h.balance("USD", view_of_feature("unknown")).settled == 100);
}

TEST_CASE("live takes bounded fees from credit and unbounded ones from anything", "[decisions]") {
  // balances.md 1.3: 100 credit, bounded 80, unbounded 150: 100 - 80 - 150.
  harness h;
  h.ok(credit("g", "100"));
  h.ok(fee("bounded", "80"));
  h.ok(fee("unbounded", "150", settlement_mode::credit_only));
  CHECK(h.balance().settled == 10000);
  CHECK(h.balance().live == -13000);
  h.ok(fee("bounded too", "500")); // 20 are left for it
  CHECK(h.balance().live == -15000);
  h.ok(fee("billed", "500", settlement_mode::invoice_only));
  CHECK(h.balance().live == -15000);
}

TEST_CASE("a bounded fee without credit does nothing to live", "[decisions]") {
  harness h;
  h.ok(policy(over_settlement::advance));
  h.ok(consume("c", "40"));
  h.ok(fee("f", "80"));
  CHECK(h.balance().settled == -4000);
  CHECK(h.balance().live == -4000);
}

TEST_CASE("a fee presses on live from its invoice instant until it is on a draft",
          "[decisions][D36][D4]") {
  harness h;
  h.ok(manual_approval());
  h.ok(credit("g", "30"));
  auto c = fee("f", "100");
  c.invoice_at = at("2026-01-10");
  h.ok(c);
  h.now = plus_ns(at("2026-01-10"), -1);
  CHECK(h.balance().live == 3000);
  h.now = at("2026-01-10");
  CHECK(h.balance().live == 0);
  h.ok(command::invoice_pending{});
  CHECK(h.balance().settled == 0);
  h.ok(credit("h", "50"));
  CHECK(h.balance().live == 5000); // invoiced and unpaid, but it cannot take credit any more
}

TEST_CASE("a receipt's live balance knows the credit of its own grant", "[decisions][D36][D6]") {
  harness h;
  h.ok(fee("f", "100"));
  const auto r = h.ok(credit("g", "30"));
  CHECK(r.after.at(0).settled == 3000);
  CHECK(r.after.at(0).live == 0); // the open fee would take all of it
  CHECK(h.balance().live == 0);
}

TEST_CASE("restricted credit does not stand in for a fee without a feature", "[decisions]") {
  harness h;
  h.ok(for_features(credit("api", "30"), {"api"}));
  h.ok(credit("plain", "10"));
  h.ok(fee("f", "25"));
  CHECK(h.balance().live == 3000); // only the 10 unrestricted can be taken
}

TEST_CASE("without a currency all of the customer's balances are told", "[decisions]") {
  harness h;
  h.ok(credit("g", "1"));
  h.ok(credit("h", "2", "JPY"));
  const auto all = std::get<reply::balances>(h.ok(command::get_balance{}).body);
  CHECK(all.items.size() == 2);
  CHECK(h.balance("EUR").settled == 0);
  CHECK(h.refused(command::get_balance{"NOPE", {}}) == errc::validation);
  CHECK(h.refused(command::get_charge{"nobody"}) == errc::not_found);
}

TEST_CASE("a receipt tells the balances of what it touched", "[decisions][D6]") {
  harness h;
  h.ok(credit("g", "10"));
  h.ok(credit("h", "500", "JPY"));
  const auto r = h.ok(consume("c", "4"));
  REQUIRE(r.after.size() == 1);
  CHECK(r.after[0].code == "USD");
  CHECK(r.after[0].settled == 600);
}
