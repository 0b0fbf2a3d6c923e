// What a namespace defines: credit units and the billing profile, and how its commands are decided.
#include "domain/catalog.hpp"

#include "tests/domain/support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;

namespace {

errc refused_unit(const catalog& c, std::string_view code, std::uint8_t exponent) {
  const auto made = c.with_credit_unit(code, exponent);
  INFO(code);
  REQUIRE_FALSE(made.has_value());
  return made.error().code;
}

} // namespace

TEST_CASE("a credit unit has a code of 4 to 24 characters and an exponent of 0 to 9",
          "[catalog][D63]") {
  const catalog empty;
  for (const auto* code : {"ACME", "A-_9", "ABCDEFGHIJKLMNOPQRSTUVWX"})
    CHECK(empty.with_credit_unit(code, 9).has_value());
  for (const auto* code : {"",
                           "ACM",
                           "ABCDEFGHIJKLMNOPQRSTUVWXY",
                           "acme",
                           "AC ME",
                           "AC|ME",
                           "\xc3\x84"
                           "CME",
                           "ACME\n"})
    CHECK(refused_unit(empty, code, 0) == errc::validation);
  CHECK(refused_unit(empty, "ACME", 10) == errc::validation);
  CHECK(refused_unit(empty, "USD", 2) == errc::validation);
}

TEST_CASE("a code is defined once", "[catalog][D63]") {
  const auto one = catalog{}.with_credit_unit("TOKEN", 4).value();
  CHECK(refused_unit(one, "TOKEN", 4) == errc::conflict);
  CHECK(refused_unit(one, "TOKEN", 5) == errc::conflict);
  CHECK(one.with_credit_unit("TOKEN2", 4).has_value());
}

TEST_CASE("codes lead to currencies and back", "[catalog][D63]") {
  const auto two =
      catalog{}.with_credit_unit("TOKEN", 4).value().with_credit_unit("GPU-HOUR", 0).value();
  const auto token = two.find_currency("TOKEN").value();
  const auto hour = two.find_currency("GPU-HOUR").value();
  CHECK(token.is_credit_unit());
  CHECK(token.exponent() == 4);
  CHECK_FALSE(token == hour);
  CHECK(two.code(token) == "TOKEN");
  CHECK(two.code(hour) == "GPU-HOUR");
  CHECK(two.find_currency("USD").value() == usd);
  CHECK(two.code(usd) == "USD");
  for (const auto* code : {"", "usd", "ZZZ", "token", "NOTHING"})
    CHECK(two.find_currency(code).error().code == errc::validation);
}

TEST_CASE("an older snapshot of the catalog stays as it was", "[catalog]") {
  const catalog empty;
  const auto one = empty.with_credit_unit("TOKEN", 4);
  CHECK(empty.credit_units.empty());
  CHECK(empty.find_currency("TOKEN").error().code == errc::validation);
}

TEST_CASE("commands of the namespace change its catalog by facts", "[catalog][D65]") {
  harness h;
  h.ok(command::create_credit_unit{"TOKEN", 4});
  CHECK(h.refused(command::create_credit_unit{"TOKEN", 4}) == errc::conflict);
  CHECK(h.refused(command::create_credit_unit{"TKN", 4}) == errc::validation);
  CHECK(h.catalog.find_currency("TOKEN").value().exponent() == 4);
  command::put_billing_profile p;
  p.draft_period_ns = 60 * ns_per_second;
  h.ok(p);
  CHECK(h.catalog.profile.draft_period_ns == 60 * ns_per_second);
  CHECK(h.catalog.profile.auto_advance);
  CHECK(h.catalog.profile.due_after_ns == invoicing::profile{}.due_after_ns);
  p.draft_period_ns = -1;
  CHECK(h.refused(p) == errc::validation);
  CHECK(h.registry.last == sequence(2));
}
