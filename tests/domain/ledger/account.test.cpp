// Routes and features: which account takes which dimension, and what credit may pay for.
#include "domain/ledger/account.hpp"

#include "tests/domain/support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::ledger;
using accrue::testing::dec;
using accrue::testing::usd;

namespace {

const currency acme{1000, 2};

route with_stage(stage s) {
  route r{usd, {}, {}, 0, s, {}};
  return r;
}

bool good(account_type a, const route& r) {
  const auto checked = check_route(a, r);
  if (!checked)
    CHECK(checked.error().code == errc::validation);
  return checked.has_value();
}

} // namespace

TEST_CASE("each account takes exactly its dimensions", "[ledger]") {
  // ledger.md 2.2: priority on fbo only and required there, stage on receivable only and required.
  using enum account_type;
  for (int i = 1; i <= static_cast<int>(account_type_count); ++i) {
    const auto a = static_cast<account_type>(i);
    INFO(to_string(a));
    CHECK(good(a, {usd, {}, {}, 0, stage::none, {}}) == (a != fbo && a != receivable));
    CHECK(good(a, {usd, {}, {}, 1, stage::none, {}}) == (a == fbo));
    CHECK(good(a, with_stage(stage::open)) == (a == receivable));
    CHECK(good(a, with_stage(stage::authorized)) == (a == receivable));
    CHECK(good(a, {usd, {}, {}, 1, stage::open, {}}) == false);
  }
}

TEST_CASE("features stand on fbo and receivable only", "[ledger]") {
  // ledger.md 4, R3.
  using enum account_type;
  const std::vector<std::string> api{"api"};
  CHECK(good(fbo, {usd, {}, {}, 100, stage::none, api}));
  CHECK(good(receivable, {usd, {}, {}, 0, stage::open, api}));
  for (const auto a : {accrued, wash, earnings, brokerage, breakage, write_off, tax_payable})
    CHECK_FALSE(good(a, {usd, {}, {}, 0, stage::none, api}));
}

TEST_CASE("features of a route are sorted and unique", "[ledger]") {
  CHECK_FALSE(good(account_type::fbo, {usd, {}, {}, 100, stage::none, {"b", "a"}}));
  CHECK_FALSE(good(account_type::fbo, {usd, {}, {}, 100, stage::none, {"a", "a"}}));
  CHECK_FALSE(good(account_type::fbo, {usd, {}, {}, 100, stage::none, {""}}));
}

TEST_CASE("a cost basis is not negative, and only credit units name its currency",
          "[ledger][D64]") {
  // ledger.md 2.3; D64: cost basis 0 needs no cost basis currency.
  const auto fbo_route = [](currency c, const char* basis, std::optional<currency> in) {
    return route{c, dec(basis), in, 100, stage::none, {}};
  };
  using enum account_type;
  CHECK(good(fbo, fbo_route(usd, "0", {})));
  CHECK_FALSE(good(fbo, fbo_route(usd, "-0.5", {})));
  CHECK_FALSE(good(fbo, fbo_route(usd, "0.5", usd)));
  CHECK(good(fbo, fbo_route(acme, "0.5", usd)));
  CHECK(good(fbo, fbo_route(acme, "0", {})));
  CHECK_FALSE(good(fbo, fbo_route(acme, "0.5", {})));
  CHECK_FALSE(good(fbo, fbo_route(acme, "0.5", acme)));
}

TEST_CASE("credit pays for the features it names, unrestricted credit for everything", "[ledger]") {
  // ledger.md 6.4.
  CHECK(may_pay({}, ""));
  CHECK(may_pay({}, "a"));
  CHECK(may_pay({"a", "b"}, "a"));
  CHECK(may_pay({"a", "b"}, "b"));
  CHECK_FALSE(may_pay({"a", "b"}, "c"));
  CHECK_FALSE(may_pay({"a", "b"}, ""));
  CHECK_FALSE(may_pay({"ab"}, "a"));
}

TEST_CASE("feature lists are sorted and duplicates collapse", "[ledger]") {
  CHECK(make_features({"b", "a", "b"}).value() == std::vector<std::string>{"a", "b"});
  CHECK(make_features({}).value().empty());
  CHECK(make_features({"a", ""}).error().code == errc::validation);
  CHECK(make_features({std::string(1000, 'x')}).error().code == errc::validation);
}

TEST_CASE("two routes are one exactly when all dimensions are", "[ledger][D63]") {
  const route base{usd, dec("0.7"), {}, 7, stage::none, {"a"}};
  auto other = base;
  other.cost_basis = dec("0.70");
  CHECK(other == base);
  other.cost_basis.reset();
  CHECK_FALSE(other == base);
  CHECK_FALSE(same_value(other, base));
  other = base;
  other.features = {"a", "b"};
  CHECK_FALSE(other == base);
  CHECK(same_value(other, base));
  other.currency = currency(1000, 2);
  CHECK_FALSE(same_value(other, base));
}
