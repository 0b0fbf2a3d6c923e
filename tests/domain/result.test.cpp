// The names of the refusal codes and the invariant check.
// What each function refuses is tested beside that function.
#include "domain/result.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>

using namespace accrue;

TEST_CASE("every refusal code has the wire name that the decisions list", "[D62]") {
  constexpr std::array<std::string_view, 31> names{"validation",
                                                   "overflow",
                                                   "unauthenticated",
                                                   "forbidden",
                                                   "not_owner",
                                                   "overloaded",
                                                   "storage_unavailable",
                                                   "deadline_exceeded",
                                                   "quarantined",
                                                   "unsupported_operation",
                                                   "not_found",
                                                   "idempotency_conflict",
                                                   "conflict",
                                                   "illegal_transition",
                                                   "insufficient_funds",
                                                   "over_authorization",
                                                   "over_settlement",
                                                   "not_externally_funded",
                                                   "period_closing",
                                                   "period_closed",
                                                   "period_invoiced",
                                                   "period_adjusted",
                                                   "period_not_ended",
                                                   "invalid_period",
                                                   "invalid_range",
                                                   "invoice_paid",
                                                   "invoice_create_no_lines",
                                                   "invoice_lines_not_billable",
                                                   "invoice_action_not_available",
                                                   "invoice_cannot_advance",
                                                   "internal"};
  STATIC_REQUIRE(static_cast<std::size_t>(errc::validation) == 1);
  STATIC_REQUIRE(static_cast<std::size_t>(errc::internal) == names.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    CHECK(to_string(static_cast<errc>(i + 1)) == names[i]);
}

TEST_CASE("a refusal carries its code, the id it concerns and a sentence", "[D62]") {
  const result<int> refused = refuse(errc::conflict, "It is closed.", "invoice-7");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error() == refusal{errc::conflict, "invoice-7", "It is closed."});
}

TEST_CASE("a broken invariant is thrown as a defect that names its place") {
  const auto text = [] {
    try {
      ENSURE(1 + 1 == 3);
    } catch (const defect& d) {
      return d.what;
    }
    return std::string{};
  }();
  CHECK(text.find("result.test.cpp") != std::string::npos);
  CHECK(text.find("1 + 1 == 3") != std::string::npos);
  CHECK_NOTHROW(ENSURE(1 + 1 == 2));
}
