// The money column of trial balances. Source: D11.
#include "domain/trial_balance.hpp"

#include "tests/domain/credit_life.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;
using ledger::account_type;
using ledger::template_code;

namespace {

reply::accounts report(const credit_harness& h) {
  return trial_balance(h.customer, h.catalog, h.now).value();
}

/// "account = balance, money", of those that are not zero, in the order of account types.
lines worth(const credit_harness& h) {
  std::vector<std::pair<int, std::string>> found;
  for (const auto& row : report(h).items) {
    if (row.balance == 0 && (!row.money || row.money->is_zero()))
      continue;
    const money balance{row.balance, row.address.route.currency};
    found.emplace_back(static_cast<int>(row.address.account),
                       text_of(row.address, h.catalog) + " = " + to_string(balance) + ", " +
                           (row.money ? to_string(*row.money) : "unknown"));
  }
  std::ranges::sort(found);
  lines text;
  for (auto& [_, line] : found)
    text.push_back(std::move(line));
  return text;
}

command::grant_credit tokens(std::string id, std::string_view amount, std::string_view basis) {
  auto c = bought(std::move(id), amount, basis, "ACME");
  c.fiat_currency = "USD";
  return c;
}

} // namespace

TEST_CASE("credit is worth what it cost, wherever it went", "[money_column][D11]") {
  credit_harness h;
  h.ok(until(bought("g", "100", "0.5"), at("2026-01-31")));
  CHECK(worth(h) ==
        lines{"fbo USD @0.5 p100 = 100.00, 50.00", "receivable.open USD @0.5 = -100.00, -50.00"});
  h.ok(authorize("g"));
  // 50 of the face had no price: the house bears them in faces, and nobody in money.
  CHECK(worth(h) == lines{"fbo USD @0.5 p100 = 100.00, 50.00",
                          "receivable.authorized USD @0.5 = -50.00, -50.00",
                          "brokerage USD @0.5 = -50.00, 0.00"});
  h.ok(settle("g"));
  h.ok(consume("c", "60"));
  h.ok(command::recognize{});
  h.ok(consume("d", "10"));
  h.now = at("2026-01-31");
  CHECK(worth(h) == lines{"accrued USD @0.5 = 10.00, 5.00",
                          "wash USD @0.5 = -50.00, -50.00",
                          "earnings USD @0.5 = 60.00, 30.00",
                          "brokerage USD @0.5 = -50.00, 0.00",
                          "breakage USD @0.5 = 30.00, 15.00"});
}

TEST_CASE("a claim is money already, beside the debt of others on its receivable",
          "[money_column][D11][D13]") {
  credit_harness h;
  h.ok(bought("paid", "100", "0.5"));
  h.ok(settle("paid"));
  h.ok(consume("c", "30"));
  h.ok(take_back("paid")); // 35 dollars are the customer's
  CHECK(worth(h) == lines{"receivable.open USD @0.5 = 35.00, 35.00",
                          "accrued USD @0.5 = 30.00, 15.00",
                          "wash USD @0.5 = -50.00, -50.00",
                          "brokerage USD @0.5 = -15.00, 0.00"});
  h.ok(bought("owed", "100", "0.5")); // owes 50: 35 - 50
  h.ok(command::refund_grant{"paid", dec("5")});
  CHECK(worth(h) == lines{"fbo USD @0.5 p100 = 100.00, 50.00",
                          "receivable.open USD @0.5 = -70.00, -20.00",
                          "accrued USD @0.5 = 30.00, 15.00",
                          "wash USD @0.5 = -45.00, -45.00",
                          "brokerage USD @0.5 = -15.00, 0.00"});
}

TEST_CASE("what is free is worth nothing, and what has no price yet is not known",
          "[money_column][D11]") {
  credit_harness h;
  h.use("f", "40");
  CHECK(worth(h) ==
        lines{"receivable.open USD @none = -40.00, unknown", "accrued USD @none = 40.00, unknown"});
  h.ok(credit("g", "100"));
  CHECK(worth(h) == lines{"fbo USD @0 p100 = 60.00, 0.00",
                          "accrued USD @0 = 40.00, 0.00",
                          "wash USD @0 = -100.00, 0.00"});
}

TEST_CASE("credit in a unit is worth the fiat it is paid in", "[money_column][D11][D63]") {
  credit_harness h;
  h.ok(command::create_credit_unit{"ACME", 4});
  h.ok(tokens("g", "100", "0.25"));
  h.ok(settle("g"));
  h.ok(consume("c", "40", {}, "ACME"));
  h.ok(tokens("unpaid", "10", "0.25"));
  h.ok(credit("free", "7", "ACME")); // worth nothing in any currency
  CHECK(worth(h) == lines{"fbo ACME @0 p100 = 7.0000, unknown",
                          "fbo ACME @0.25 p100 = 70.0000, 17.50",
                          "receivable.open ACME @0.25 = -10.0000, -2.50",
                          "accrued ACME @0.25 = 40.0000, 10.00",
                          "wash ACME @0 = -7.0000, unknown",
                          "wash USD @0.25 = -25.00, -25.00",
                          "brokerage ACME @0.25 = -100.0000, -25.00",
                          "brokerage USD @0.25 = 25.00, 25.00"});
}

TEST_CASE("what was written off is money", "[money_column][D11][D14]") {
  credit_harness h;
  h.ok(bought("g", "100", "0.5"));
  h.ok(command::write_off_grant{"g"});
  CHECK(worth(h) == lines{"fbo USD @0.5 p100 = 100.00, 50.00",
                          "brokerage USD @0.5 = -50.00, 0.00",
                          "write_off USD @0.5 = -50.00, -50.00"});
}

TEST_CASE("what rounding leaves stands on brokerage, also where nothing was booked there",
          "[money_column][D11][D1]") {
  // 0.02 at 0.333 cost 0.01 (0.00666), and are owed so. Of the credit, 0.01 is worth 0.00 (0.00333), twice.
  credit_harness h;
  h.ok(bought("g", "0.02", "0.333"));
  h.ok(consume("c", "0.01"));
  CHECK(worth(h) == lines{"fbo USD @0.333 p100 = 0.01, 0.00",
                          "receivable.open USD @0.333 = -0.02, -0.01",
                          "accrued USD @0.333 = 0.01, 0.00",
                          "brokerage USD @0.333 = 0.00, 0.01"});
}

namespace {

/// What a posting is worth by D11, in millionths of a dollar's cent; brokerage is the balancing figure and
/// what has no price is nobody's money.
std::optional<int128>
exact_worth(const credit_harness& h, template_code t, const ledger::posting& p) {
  const auto& a = h.customer.book.at(p.account);
  const auto& r = a.route;
  constexpr int128 cent = 1'000'000;
  if (!r.cost_basis || a.account == account_type::brokerage)
    return std::nullopt;
  if (r.cost_basis->is_zero())
    return 0;
  using enum template_code;
  const bool open = a.account == account_type::receivable && r.stage == ledger::stage::open;
  const bool claimed = open && r.currency == usd && p.amount != 0 &&
                       ((t == void_paid || t == void_paid_unit) || t == refund);
  if (claimed || a.account == account_type::wash || a.account == account_type::write_off ||
      (a.account == account_type::receivable && !open))
    return p.amount * cent;
  // A token has 4 digits, a dollar 2; prices have 4 at most.
  auto worth = p.amount * r.cost_basis->coefficient();
  for (int scale = r.cost_basis->scale(); scale < 4; ++scale)
    worth *= 10;
  return worth * (r.currency == usd ? 100 : 1);
}

} // namespace

TEST_CASE("the money of each row is that of its postings, and sums to zero",
          "[property][money_column][D11]") {
  constexpr int128 cent = 1'000'000;
  int brokered = 0;
  int claims = 0;
  CHECK(over_credit_lives(1000, 100, [&](const credit_life& steps) {
    credit_story s(true);
    s.live(steps);
    // Each end that a purchase can have, for the last ones.
    const auto grants = s.h.customer.grants;
    for (std::size_t n = 0; n < std::min<std::size_t>(grants.size(), 12); ++n) {
      const auto& id = grants[grants.size() - 1 - n].reference;
      if (n % 3 == 0)
        (void)s.h.run(settle(id));
      if (n % 2 == 0)
        (void)s.h.run(take_back(id));
      if (n % 3 == 0)
        (void)s.h.run(command::refund_grant{id, dec("0.37")});
      if (n % 3 == 1)
        (void)s.h.run(command::write_off_grant{id});
    }
    std::map<sub_account_id, int128> exact;
    for (const auto& e : s.h.journal)
      for (const auto& t : e.transactions)
        for (const auto& p : t.postings())
          if (const auto w = exact_worth(s.h, t.code(), p); w && t.booked_at() <= s.h.now) {
            exact[p.account] += *w;
            claims += t.code() == template_code::refund;
          }
    int128 sum = 0;
    const auto all = report(s.h);
    for (std::size_t n = 0; n < all.items.size(); ++n) {
      const auto& row = all.items[n];
      if (!row.money)
        continue;
      RC_ASSERT(row.money->currency == usd);
      sum += row.money->minor;
      if (row.address.account == account_type::brokerage) {
        ++brokered;
        continue;
      }
      const auto off =
          row.money->minor * cent - exact[sub_account_id(static_cast<std::uint32_t>(n))];
      RC_ASSERT(2 * (off < 0 ? -off : off) <= cent);
    }
    RC_ASSERT(sum == 0);
  }));
  CHECK(brokered > 200);
  CHECK(claims > 100);
}
