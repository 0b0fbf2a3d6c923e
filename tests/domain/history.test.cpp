// Sums over a journal: each filter alone, and the same totals as the book has.
#include "domain/history.hpp"

#include "tests/domain/support.hpp"

using namespace accrue;
using namespace accrue::testing;

namespace {

using ledger::account_type;

posting_filter of(account_type account) {
  posting_filter wanted;
  wanted.account = account;
  wanted.currency = usd;
  return wanted;
}

std::string total(const harness& h, const posting_filter& wanted) {
  return to_string(history(h.journal).sum(wanted).value());
}

/// Two grants, one of them restricted, a fee that takes from both and is invoiced for the rest.
harness billed() {
  harness h;
  auto restricted = credit("api", "10");
  restricted.features = {"api"};
  h.ok(restricted);
  h.ok(credit("any", "20"));
  auto charge = fee("fee", "50");
  charge.feature = "api";
  h.ok(charge);
  h.ok(command::invoice_pending{});
  h.now = at("2026-01-10");
  h.ok(command::pay_invoice{"#1"});
  h.now = at("2026-01-20");
  h.ok(credit("late", "7"));
  h.ok(consume("use", "2"));
  return h;
}

} // namespace

TEST_CASE("a history sums what each account holds", "[history]") {
  const auto h = billed();
  CHECK(total(h, of(account_type::fbo)) == "5.00");
  CHECK(total(h, of(account_type::accrued)) == "52.00");
  CHECK(total(h, of(account_type::wash)) == "-57.00");
  CHECK(total(h, of(account_type::receivable)) == "0.00");
  CHECK(total(h, of(account_type::earnings)) == "0.00");
}

TEST_CASE("a history asks what the value cost", "[history]") {
  auto h = billed();
  auto wanted = of(account_type::accrued);
  wanted.cost_basis = {cost_basis_filter::kind::value, dec("1")};
  CHECK(total(h, wanted) == "20.00");
  wanted.cost_basis.value = dec("0");
  CHECK(total(h, wanted) == "32.00");
  wanted.cost_basis = {cost_basis_filter::kind::none, {}};
  CHECK(total(h, wanted) == "0.00");
  h.ok(policy(command::over_settlement::advance));
  h.ok(consume("more", "8"));
  CHECK(total(h, wanted) == "3.00");
}

TEST_CASE("a history asks for a set of features exactly", "[history]") {
  const auto h = billed();
  auto wanted = of(account_type::fbo);
  wanted.as_of = at("2026-01-01");
  wanted.features = std::vector<std::string>{"api"};
  CHECK(total(h, wanted) == "0.00");
  wanted.features = std::vector<std::string>{};
  CHECK(total(h, wanted) == "0.00");
  wanted.as_of = ledger::never;
  CHECK(total(h, wanted) == "5.00");
  wanted.features = std::vector<std::string>{"api", "storage"};
  CHECK(total(h, wanted) == "0.00");
}

TEST_CASE("a history asks for the stage of a receivable and for an instant", "[history]") {
  harness h;
  auto charge = fee("fee", "50");
  h.ok(charge);
  h.ok(command::invoice_pending{});
  h.now = at("2026-01-10");
  h.ok(command::authorize_payment{"#1", {}});
  auto wanted = of(account_type::receivable);
  wanted.stage = ledger::stage::authorized;
  CHECK(total(h, wanted) == "-50.00");
  wanted.as_of = plus_ns(h.now, -1);
  CHECK(total(h, wanted) == "0.00");
  wanted.stage = ledger::stage::open;
  CHECK(total(h, wanted) == "-50.00");
  wanted.as_of = h.now; // an instant counts what is booked at it
  CHECK(total(h, wanted) == "0.00");
}

TEST_CASE("a history follows a grant and a spender", "[history][D9]") {
  const auto h = billed();
  const history past(h.journal);
  auto wanted = of(account_type::fbo);
  wanted.source = past.find_grant("late");
  CHECK(total(h, wanted) == "5.00");
  wanted = of(account_type::accrued);
  wanted.source = past.find_grant("api");
  CHECK(total(h, wanted) == "10.00");
  wanted.source.reset();
  wanted.spend = past.find_spend("fee");
  CHECK(total(h, wanted) == "50.00");
  wanted.spend = past.find_spend("use");
  CHECK(total(h, wanted) == "2.00");
  CHECK_FALSE(past.find_grant("fee"));
  CHECK_FALSE(past.find_spend("late"));
}

TEST_CASE("currencies are never added to each other", "[history]") {
  auto h = billed();
  h.ok(credit("yen", "900", "JPY"));
  auto wanted = of(account_type::fbo);
  wanted.currency = jpy;
  CHECK(total(h, wanted) == "900");
  CHECK(total(h, of(account_type::fbo)) == "5.00");
}

TEST_CASE("an opening advance is found by its id", "[history][D68]") {
  harness h;
  h.ok(command::open_advance{"debt", dec("40"), "USD", {}, {}});
  const history past(h.journal);
  auto wanted = of(account_type::accrued);
  wanted.spend = past.find_spend("debt");
  REQUIRE(wanted.spend);
  CHECK(total(h, wanted) == "40.00");
}
