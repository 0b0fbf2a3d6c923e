// Collection: the order of credit, who may use it, what is visible when, and advances.
#include "domain/ledger/collection.hpp"

#include "domain/ledger/posting_rules.hpp"
#include "tests/domain/support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::ledger;
using accrue::testing::at;
using accrue::testing::dec;
using accrue::testing::dollars;
using accrue::testing::usd;

namespace {

const spend_id spend = spend_id::of(charge_id(1));

struct credit {
  std::uint32_t grant;
  const char* amount;
  std::uint16_t priority = default_priority;
  std::vector<std::string> features = {};
  const char* cost_basis = "0";
  instant from = at("2026-01-01");
  instant expires = never;
};

/// A book with grants of credit on it.
book book_with(const std::vector<credit>& grants) {
  book b;
  for (const auto& g : grants) {
    book_overlay top(b);
    credit_terms terms{
        grant_id(g.grant), dollars(g.amount), dec(g.cost_basis), g.priority, g.features};
    REQUIRE(issue_credit(top, terms, g.from).has_value());
    for (const auto& a : top.opened())
      b.open(a);
    for (const auto& t : top.transactions())
      b.apply(t, at("2026-02-01"), [&](grant_id) { return lifetime{g.from, g.expires}; });
  }
  return b;
}

collection_terms
asks(const char* amount, std::string_view feature = {}, instant as_of = at("2026-02-01")) {
  return {dollars(amount), feature, spend, at("2026-02-01"), as_of};
}

/// "1:30 2:50", grant and cents, in the order taken.
std::string taken(const book& b, const collection_terms& terms) {
  const book_overlay top(b);
  std::string text;
  for (const auto& s : plan_collection(top, terms).slices)
    text += (text.empty() ? "" : " ") + std::to_string(s.grant.value) + ":" + to_string(s.amount);
  return text;
}

std::optional<int128> no_limit() { return std::nullopt; }

int128 total(const book_overlay& top, account_type a) {
  return top.sum([a](const sub_account& s) { return s.account == a; });
}

} // namespace

TEST_CASE("lower priority is taken first", "[ledger][D15]") {
  // co1: p2 50, p1 30; 60 takes 30 of p1, then 30 of p2.
  const auto b = book_with({{1, "50", 2}, {2, "30", 1}});
  CHECK(taken(b, asks("60")) == "2:3000 1:3000");
}

TEST_CASE("restricted credit goes before unrestricted of the same priority", "[ledger][D15]") {
  const auto b = book_with({{1, "10"}, {2, "10", 100, {"api"}}});
  CHECK(taken(b, asks("15", "api")) == "2:1000 1:500");
}

TEST_CASE("priority wins over restriction", "[ledger][D15]") {
  const auto b = book_with({{1, "10", 1}, {2, "10", 2, {"api"}}});
  CHECK(taken(b, asks("15", "api")) == "1:1000 2:500");
}

TEST_CASE("restriction wins over expiry, expiry over recording, never comes last",
          "[ledger][D15]") {
  const auto soon = at("2026-03-01");
  const auto later = at("2026-04-01");
  const auto b = book_with({{1, "1"},
                            {2, "1", 100, {}, "0", at("2026-01-01"), later},
                            {3, "1", 100, {}, "0", at("2026-01-01"), soon},
                            {4, "1", 100, {"api"}}});
  CHECK(taken(b, asks("4", "api")) == "4:100 3:100 2:100 1:100");
}

TEST_CASE("the order of recording breaks ties, not cost and not the time of effect",
          "[ledger][D15]") {
  const auto b = book_with({{1, "10", 100, {}, "0.9", at("2026-01-20")},
                            {2, "10", 100, {}, "0", at("2026-01-01")},
                            {3, "10", 100, {}, "0.1", at("2026-01-10")}});
  CHECK(taken(b, asks("25")) == "1:1000 2:1000 3:500");
}

TEST_CASE("two grants on one sub-account are two slices in order", "[ledger][D15]") {
  const auto b = book_with({{1, "10"}, {2, "10"}});
  CHECK(b.sub_accounts().size() == 2); // fbo and receivable, shared
  CHECK(taken(b, asks("15")) == "1:1000 2:500");
}

TEST_CASE("a feature sees its own and unrestricted credit, no feature only unrestricted",
          "[ledger]") {
  // ledger.md 6.4.
  const auto b =
      book_with({{1, "10"}, {2, "10", 100, {"api"}}, {3, "10", 100, {"api", "storage"}}});
  CHECK(taken(b, asks("99", "api")) == "2:1000 3:1000 1:1000");
  CHECK(taken(b, asks("99", "storage")) == "3:1000 1:1000");
  CHECK(taken(b, asks("99", "other")) == "1:1000");
  CHECK(taken(b, asks("99")) == "1:1000");
}

TEST_CASE("credit that comes later than the cut-off is invisible", "[ledger][D4]") {
  const auto b = book_with({{1, "10", 100, {}, "0", at("2026-01-10")}});
  CHECK(taken(b, asks("5", "", at("2026-01-09T23:59:59Z"))).empty());
  CHECK(taken(b, asks("5", "", at("2026-01-10"))) == "1:500");
}

TEST_CASE("credit is gone at its expiry and whole just before", "[ledger][D4]") {
  const auto b = book_with({{1, "10", 100, {}, "0", at("2026-01-01"), at("2026-02-01")}});
  CHECK(taken(b, asks("5", "", plus_ns(at("2026-02-01"), -1))) == "1:500");
  CHECK(taken(b, asks("5", "", at("2026-02-01"))).empty());
}

TEST_CASE("credit of another currency is never taken", "[ledger][D63]") {
  auto b = book_with({{1, "10"}});
  const book_overlay top(b);
  collection_terms terms = asks("5");
  terms.amount = money{500, currency(978, 2)};
  CHECK(plan_collection(top, terms).slices.empty());
  terms.amount = money{500, currency(1000, 2)};
  CHECK(plan_collection(top, terms).slices.empty());
}

TEST_CASE("collecting books one transaction, accrued by cost basis and source", "[ledger][D9]") {
  // ledger.md 5.6: 30 at cost 0 of grant 1, 50 at 0.5 of grant 2.
  const auto b = book_with({{1, "30", 1}, {2, "80", 100, {}, "0.5"}});
  book_overlay top(b);
  const auto got = collect(top, asks("80"));
  REQUIRE(got.has_value());
  CHECK(got->taken == 8000);
  CHECK(got->advanced == 0);
  REQUIRE(top.transactions().size() == 1);
  const auto& t = top.transactions()[0];
  CHECK(t.code() == template_code::collect);
  CHECK(t.booked_at() == at("2026-02-01"));
  std::string text;
  for (const auto& p : t.postings()) {
    CHECK(p.spend == spend);
    const auto& where = top.at(p.account);
    text += std::string(to_string(where.account)) + "@" + where.route.cost_basis->to_string() +
            "#" + std::to_string(p.source.value) + " " + to_string(p.amount) + "; ";
  }
  CHECK(text == "fbo@0#1 -3000; fbo@0.5#2 -5000; accrued@0#1 3000; accrued@0.5#2 5000; ");
}

TEST_CASE("what a unit took is not there a second time", "[ledger]") {
  const auto b = book_with({{1, "30"}, {2, "20"}});
  book_overlay top(b);
  REQUIRE(collect(top, asks("25"))->taken == 2500);
  CHECK(top.left(b.sources()[0]) == 500);
  const auto second = collect(top, asks("40"));
  CHECK(second->taken == 2500);
  CHECK(second->slices.size() == 2);
  CHECK(total(top, account_type::fbo) == 0);
  CHECK(total(top, account_type::accrued) == 5000);
}

TEST_CASE("nothing to collect books nothing", "[ledger][D22]") {
  const book empty;
  book_overlay top(empty);
  const auto got = collect(top, asks("5"));
  REQUIRE(got.has_value());
  CHECK(got->taken == 0);
  CHECK(got->slices.empty());
  CHECK(top.transactions().empty());
  CHECK(top.opened().empty());
}

TEST_CASE("an advance is issued at unknown cost and consumed at once", "[ledger][D69]") {
  // ledger.md 6.5: 30 without credit: fbo 0, open receivable -30, accrued 30, all of unknown cost.
  const book empty;
  book_overlay top(empty);
  REQUIRE(advance(top, asks("30"), dollars("30"), no_limit()).has_value());
  CHECK(top.transactions().size() == 2);
  CHECK(total(top, account_type::fbo) == 0);
  CHECK(total(top, account_type::receivable) == -3000);
  CHECK(total(top, account_type::accrued) == 3000);
  for (const auto& a : top.opened()) {
    CHECK_FALSE(a.route.cost_basis.has_value());
    CHECK(a.route.priority == (a.account == account_type::fbo ? default_priority : 0));
  }
}

TEST_CASE("an advance for a feature stands on that feature's route", "[ledger]") {
  const book empty;
  book_overlay top(empty);
  REQUIRE(advance(top, asks("30", "api"), dollars("30"), no_limit()).has_value());
  for (const auto& a : top.opened())
    CHECK(a.route.features == (a.account == account_type::accrued
                                   ? std::vector<std::string>{}
                                   : std::vector<std::string>{"api"}));
}

TEST_CASE("an advance may reach its limit and not pass it", "[ledger][D69]") {
  const book empty;
  book_overlay top(empty);
  REQUIRE(advance(top, asks("30"), dollars("30"), 5000).has_value());
  // Counted over all features: 30 are open already.
  CHECK(advance(top, asks("20.01", "api"), dollars("20.01"), 5000).error().code ==
        errc::insufficient_funds);
  CHECK(total(top, account_type::accrued) == 3000);
  CHECK(advance(top, asks("20", "api"), dollars("20"), 5000).has_value());
  CHECK(advance(top, asks("0.01"), dollars("0.01"), 5000).error().code == errc::insufficient_funds);
  CHECK(total(top, account_type::receivable) == -5000);
}

TEST_CASE("a limit in one currency does not count advances of another", "[ledger][D69][D63]") {
  const book empty;
  book_overlay top(empty);
  collection_terms other = asks("30");
  other.amount = money{4000, currency(978, 2)};
  REQUIRE(advance(top, other, other.amount, no_limit()).has_value());
  CHECK(advance(top, asks("50"), dollars("50"), 5000).has_value());
}
