// Recognition by the scheduler, in virtual time: planned hours are wake-ups like all others.
#include "domain/recognition.hpp"

#include "tests/actors/virtual_clients.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;

TEST_CASE("the scheduler recognises what was used, at the customer's hour",
          "[simulation][recognition][D47]") {
  simulation_options options;
  options.limits.recognize_every_hours = 24;
  virtual_engine e(options);
  e.ok("acme", command::put_customer{});
  e.ok("acme", credit("g", "100"));
  for (int n = 0; n < 2500; ++n)
    e.ok("acme", consume("c" + std::to_string(n), "0.01"));
  const auto earned = [&e] {
    const auto all = std::get<reply::accounts>(e.ok("acme", command::get_accounts{}).body);
    for (const auto& a : all.items)
      if (a.address.account == ledger::account_type::earnings)
        return to_string(money{a.balance, a.address.route.currency});
    return std::string("nothing");
  };
  const auto due =
      start_of_hour(recognition_hour(e.key_of("acme").customer, plus_ns(at("2026-01-01"), 1), 24));
  e.advance(plus_ns(due, -1));
  CHECK(earned() == "nothing");
  // A thousand units at a time, one wake-up after the other.
  e.advance(plus_ns(due, ns_per_second));
  CHECK(earned() == "25.00");
  const auto units = e.journal("acme").size();
  e.advance(plus_ns(due, 49 * 3600 * ns_per_second));
  CHECK(e.journal("acme").size() == units); // nothing to do, nothing on record
  CHECK(e.verify().empty());
}

TEST_CASE("a planned recognition outlives a crash", "[simulation][recognition][D47]") {
  simulation_options options;
  options.limits.recognize_every_hours = 24;
  virtual_engine e(options);
  e.ok("acme", command::put_customer{});
  e.ok("acme", credit("g", "100"));
  e.ok("acme", consume("c", "1"));
  e.crash();
  e.advance(at("2026-01-03"));
  const auto kinds = e.journal("acme").back().kind;
  CHECK(kinds == command::any(command::recognize{}).index());
  CHECK(e.verify().empty());
}

TEST_CASE("what is due and cannot be done does not keep a customer from its hour",
          "[simulation][recognition][D47]") {
  simulation_options options;
  options.limits.recognize_every_hours = 24;
  virtual_engine e(options);
  command::put_customer limited;
  limited.advance_limit = {{"USD", dec("5")}};
  e.ok("acme", limited);
  e.ok("acme", credit("g", "60"));
  e.ok("acme", consume("c", "60"));
  auto f = fee("f", "50", settlement_mode::credit_only); // more than the limit lets it advance
  f.invoice_at = at("2026-01-01T00:30:00Z");
  f.service_period = {at("2025-12-01"), at("2026-01-01")};
  e.ok("acme", f);
  e.advance(at("2026-01-03"));
  const auto all = std::get<reply::accounts>(e.ok("acme", command::get_accounts{}).body);
  int128 earned = 0;
  for (const auto& a : all.items)
    if (a.address.account == ledger::account_type::earnings)
      earned += a.balance;
  CHECK(earned == 6000);
  CHECK(std::get<reply::charge_view>(e.ok("acme", command::get_charge{"f"}).body).status ==
        "created");
  CHECK(e.verify().empty());
}
