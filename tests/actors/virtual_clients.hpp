// What tests of the engine in virtual time share: an engine with one customer, and its answers as values.
// Expectations stand in the tests.
#pragma once

#include "actors/simulation.hpp"
#include "tests/domain/support.hpp"

#include <spdlog/spdlog.h>

namespace accrue::testing {

/// An engine on 2026-01-01; faults that a test plays are not logged.
class virtual_engine : public simulation {
public:
  explicit virtual_engine(simulation_options options = {})
      : simulation(on_new_year(std::move(options))) {}

  /// A command that must succeed.
  reply::receipt ok(const std::string& customer, command::any c, std::string key = {}) {
    auto done = ask(customer, std::move(c), std::move(key));
    if (!done)
      FAIL(to_string(done.error().code)
           << " " << done.error().subject << ": " << done.error().text);
    return *done;
  }
  /// A command that must be refused.
  errc refused(const std::string& customer, command::any c, std::string key = {}) {
    const auto done = ask(customer, std::move(c), std::move(key));
    if (done)
      FAIL("it was accepted");
    return done.error().code;
  }
  /// The receipt of a command sent earlier; it must be there.
  reply::receipt receipt(std::uint64_t request) {
    const auto* a = answer_of(request);
    REQUIRE(a != nullptr);
    if (const auto* no = std::get_if<wire::refused>(&a->body))
      FAIL(to_string(no->reason.code) << ": " << no->reason.text);
    return std::get<reply::receipt>(a->body);
  }
  /// Why it was refused.
  errc refusal_of(std::uint64_t request) {
    const auto* a = answer_of(request);
    REQUIRE(a != nullptr);
    REQUIRE(std::holds_alternative<wire::refused>(a->body));
    return std::get<wire::refused>(a->body).reason.code;
  }

  std::string settled(const std::string& customer, const std::string& code = "USD") {
    const auto done = ok(customer, command::get_balance{code, {}});
    const auto& b = std::get<reply::balances>(done.body).items.at(0);
    return to_string(money{b.settled, b.currency});
  }
  reply::invoice_view invoice(const std::string& customer, const std::string& name) {
    return std::get<reply::invoice_view>(ok(customer, command::get_invoice{name}).body);
  }
  std::vector<entry> journal(const std::string& customer) { return journal_of(customer).value(); }
  /// How often a consume of this id is on record.
  std::size_t times_consumed(const std::string& customer, const std::string& id) {
    std::size_t times = 0;
    for (const auto& e : journal(customer))
      for (const auto& f : e.facts)
        if (const auto* c = std::get_if<fact::consumed>(&f); c && c->id == id)
          ++times;
    return times;
  }
  customer_key key_of(const std::string& customer) {
    for (const auto& [name, number] : database().numbers)
      if (name.second == customer)
        return {name.first, number};
    FAIL("no such customer");
    return {};
  }
  /// What is stored of it.
  memory_database::customer_rows& rows_of(const std::string& customer) {
    return database().customers.at(key_of(customer));
  }

  [[nodiscard]] std::uint32_t activations() { return context().lives.load(); }

private:
  static simulation_options on_new_year(simulation_options options) {
    spdlog::set_level(spdlog::level::off);
    options.start = at("2026-01-01");
    return options;
  }
};

} // namespace accrue::testing
