// The book and its overlay: numbering, merging, savepoints, overflow; and the posting rules.
#include "domain/ledger/book.hpp"

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

constexpr auto most = static_cast<int128>(~uint128{0} >> 1);
const auto noon = at("2026-01-01T12:00:00Z");
const spend_id spend = spend_id::of(charge_id(3));

credit_terms credit(std::uint32_t grant, money amount, std::vector<std::string> features = {}) {
  return {grant_id(grant), amount, decimal(0), default_priority, std::move(features)};
}

result<void> grant_promotional(book_overlay& top, const credit_terms& c, instant when) {
  if (auto ok = issue_credit(top, c, when); !ok)
    return ok;
  return pay_promotional(top, c, when);
}

void merge(book& base, const book_overlay& top) {
  const std::vector<sub_account> opened(top.opened().begin(), top.opened().end());
  const std::vector<transaction> made(top.transactions().begin(), top.transactions().end());
  for (const auto& a : opened)
    base.open(a);
  for (const auto& t : made)
    base.apply(t, noon, [](grant_id) { return lifetime{noon, never}; });
}

int128 sum(const book_overlay& top, account_type a, stage s = stage::none) {
  return top.sum([&](const sub_account& x) { return x.account == a && x.route.stage == s; });
}

} // namespace

TEST_CASE("an address is opened once and keeps its number", "[ledger]") {
  book base;
  const sub_account cash{account_type::wash, {usd, dec("1"), {}, 0, stage::none, {}}};
  const sub_account free{account_type::wash, {usd, dec("0"), {}, 0, stage::none, {}}};
  CHECK(base.open(cash) == sub_account_id(0));
  book_overlay top(base);
  CHECK(top.resolve(cash).value() == sub_account_id(0));
  CHECK(top.resolve(free).value() == sub_account_id(1));
  CHECK(top.resolve(free).value() == sub_account_id(1));
  CHECK(top.opened().size() == 1);
  CHECK(top.at(sub_account_id(1)) == free);
  CHECK(base.find(free) == std::nullopt);
  CHECK(top.resolve({account_type::fbo, {usd, {}, {}, 0, stage::none, {}}}).error().code ==
        errc::validation);
}

TEST_CASE("an overlay merged into its book is what the overlay showed", "[ledger]") {
  book base;
  book_overlay top(base);
  REQUIRE(grant_promotional(top, credit(1, dollars("100")), noon).has_value());
  const auto shown = sum(top, account_type::fbo);
  CHECK(base.sub_accounts().empty());
  merge(base, top);
  const book_overlay after(base);
  CHECK(sum(after, account_type::fbo) == shown);
  CHECK(base.sources().size() == 1);
  CHECK(base.sources()[0].amount == 10000);
  CHECK(base.sources()[0].available_from == noon);
}

TEST_CASE("a copy of the overlay is a savepoint", "[ledger][D21]") {
  const book base;
  book_overlay top(base);
  REQUIRE(accrue_invoiced(top, dollars("30"), spend, noon).has_value());
  const auto mark = top;
  REQUIRE(accrue_invoiced(top, dollars("50"), spend, noon).has_value());
  CHECK(sum(top, account_type::accrued) == 8000);
  top = mark;
  CHECK(sum(top, account_type::accrued) == 3000);
  CHECK(top.transactions().size() == 1);
}

TEST_CASE("used-up credit is no source any more", "[ledger]") {
  book base;
  book_overlay first(base);
  REQUIRE(grant_promotional(first, credit(1, dollars("10")), noon).has_value());
  merge(base, first);
  book_overlay second(base);
  const auto fbo = base.sources()[0].account;
  const auto accrued =
      second.resolve({account_type::accrued, {usd, dec("0"), {}, 0, stage::none, {}}}).value();
  REQUIRE(second
              .post(template_code::collect,
                    direction::forward,
                    noon,
                    {{fbo, grant_id(1), spend, -1000}, {accrued, grant_id(1), spend, 1000}})
              .has_value());
  CHECK(second.left(base.sources()[0]) == 0);
  merge(base, second);
  for (const auto& s : base.sources())
    CHECK(s.amount == 0);
}

TEST_CASE("a promotional grant leaves credit and wash, no receivable", "[ledger][D64]") {
  // S-CP1: fbo(0) 100, receivables 0, wash(0) -100.
  const book base;
  book_overlay top(base);
  REQUIRE(grant_promotional(top, credit(1, dollars("100"), {"api"}), noon).has_value());
  CHECK(sum(top, account_type::fbo) == 10000);
  CHECK(sum(top, account_type::receivable, stage::open) == 0);
  CHECK(sum(top, account_type::receivable, stage::authorized) == 0);
  CHECK(sum(top, account_type::wash) == -10000);
  std::vector<template_code> codes;
  for (const auto& t : top.transactions()) {
    codes.push_back(t.code());
    CHECK(t.booked_at() == noon);
  }
  using enum template_code;
  CHECK(codes == std::vector{issue, authorize, settle});
  for (const auto& a : top.opened()) {
    CHECK(a.route.cost_basis == dec("0"));
    // Features are lost at the cash boundary (ledger.md 2.2).
    CHECK(a.route.features.empty() == (a.account == account_type::wash));
  }
}

TEST_CASE("invoiced value moves from open to authorized to cash at cost basis 1", "[ledger]") {
  // S-FF8, S-FF10 with 40.
  const book base;
  book_overlay top(base);
  REQUIRE(accrue_invoiced(top, dollars("40"), spend, noon).has_value());
  CHECK(sum(top, account_type::receivable, stage::open) == -4000);
  CHECK(sum(top, account_type::accrued) == 4000);
  REQUIRE(authorize_invoiced(top, dollars("40"), spend, noon).has_value());
  CHECK(sum(top, account_type::receivable, stage::open) == 0);
  CHECK(sum(top, account_type::receivable, stage::authorized) == -4000);
  CHECK(sum(top, account_type::wash) == 0);
  REQUIRE(settle_invoiced(top, dollars("40"), spend, noon).has_value());
  CHECK(sum(top, account_type::receivable, stage::authorized) == 0);
  CHECK(sum(top, account_type::wash) == -4000);
  for (const auto& a : top.opened())
    CHECK(a.route.cost_basis == dec("1"));
}

TEST_CASE("opening balances", "[ledger][D68][D64]") {
  const book base;
  book_overlay top(base);
  auto seed = credit(1, dollars("12"));
  seed.cost_basis.reset();
  REQUIRE(open_credit(top, seed, noon).has_value());
  CHECK(sum(top, account_type::fbo) == 1200);
  CHECK(sum(top, account_type::wash) == -1200);
  REQUIRE(open_advance(top, dollars("5"), {"api"}, spend, noon).has_value());
  CHECK(sum(top, account_type::receivable, stage::open) == -500);
  CHECK(sum(top, account_type::accrued) == 500);
}

TEST_CASE("zero books nothing in every rule", "[ledger][D22]") {
  const book base;
  book_overlay top(base);
  CHECK(accrue_invoiced(top, dollars("0"), spend, noon).has_value());
  CHECK(authorize_invoiced(top, dollars("0"), spend, noon).has_value());
  CHECK(settle_invoiced(top, dollars("0"), spend, noon).has_value());
  CHECK(issue_credit(top, credit(1, dollars("0")), noon).has_value());
  CHECK(grant_promotional(top, credit(1, dollars("0")), noon).has_value());
  CHECK(open_credit(top, credit(1, dollars("0")), noon).has_value());
  CHECK(open_advance(top, dollars("0"), {}, spend, noon).has_value());
  CHECK(top.transactions().empty());
}

TEST_CASE("a balance beyond 128 bits is an overflow", "[ledger][D2]") {
  book base;
  book_overlay first(base);
  REQUIRE(grant_promotional(first, credit(1, {most, usd}), noon).has_value());
  merge(base, first);
  book_overlay second(base);
  const auto no = grant_promotional(second, credit(2, {1, usd}), noon);
  REQUIRE_FALSE(no.has_value());
  CHECK(no.error().code == errc::overflow);
}

TEST_CASE("an overflow inside one unit is seen too", "[ledger][D2]") {
  const book base;
  book_overlay top(base);
  REQUIRE(accrue_invoiced(top, {most, usd}, spend, noon).has_value());
  const auto no = accrue_invoiced(top, {2, usd}, spend, noon);
  REQUIRE_FALSE(no.has_value());
  CHECK(no.error().code == errc::overflow);
}
