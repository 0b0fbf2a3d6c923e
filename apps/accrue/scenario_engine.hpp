// Steps of a scenario on a simulated engine: fields to commands, answers to JSON.
// What a step was expected to give is compared elsewhere (scenario_compare.hpp).
#pragma once

#include "actors/simulation.hpp"
#include "apps/accrue/scenario_file.hpp"
#include "domain/history.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace accrue::cli {

/// Why a step gave nothing.
struct step_failure {
  enum class kind : std::uint8_t {
    refused,   ///< the engine said no
    not_built, ///< `why.text`: the operation, field or value that a later version brings
    broken,    ///< it cannot be carried out, or an invariant does not hold
  };
  kind what = kind::refused;
  refusal why;
};
using step_answer = tl::expected<nlohmann::json, step_failure>;

/// One scenario's engine: fresh, with a customer named "customer" and more on first use.
class scenario_engine {
public:
  explicit scenario_engine(simulation_options options = {}) : engine_(std::move(options)) {}
  /// What a step did: its answer; the customer it was for stands in `customer_of`.
  [[nodiscard]] step_answer perform(const scenario_step& s, std::size_t number);
  /// Everything in memory is gone; what is durable comes back.
  void restart() { engine_.crash(); }

  [[nodiscard]] static std::string customer_of(const scenario_step& s);
  /// The customer exists from here on.
  [[nodiscard]] step_answer ensure(const std::string& customer);
  /// Units on record of a customer and of the namespace: equal, where nothing has changed.
  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> units(const std::string& customer);
  [[nodiscard]] const memory_database& database() noexcept { return engine_.database(); }

private:
  struct step {
    const nlohmann::json& fields;
    const std::string customer;
    std::string key; ///< idempotency key
  };
  using action = step_answer (scenario_engine::*)(const step&);
  [[nodiscard]] static action find_action(std::string_view op);

  // Clock.
  step_answer advance_clock(const step& s);
  step_answer run_due(const step& s);
  step_answer advance(const step& s);
  // What exists.
  step_answer credit_unit(const step& s);
  step_answer customer(const step& s);
  step_answer billing_profile(const step& s);
  step_answer meter(const step& s);
  step_answer feature(const step& s);
  step_answer plan(const step& s);
  step_answer quote(const step& s);
  // Credit.
  step_answer grant(const step& s);
  step_answer seed_credit(const step& s);
  step_answer seed_advance(const step& s);
  step_answer consume(const step& s);
  step_answer void_grant(const step& s);
  step_answer refund(const step& s);
  step_answer uncollectible(const step& s);
  step_answer correct_charge(const step& s);
  step_answer recognize(const step& s);
  step_answer reserve(const step& s);
  step_answer settle_reservation(const step& s);
  step_answer release(const step& s);
  step_answer extend_reservation(const step& s);
  // Charges and invoices.
  step_answer charge(const step& s);
  step_answer advance_charge(const step& s);
  step_answer invoice_pending(const step& s);
  step_answer advance_invoice(const step& s);
  step_answer approve(const step& s);
  step_answer retry(const step& s);
  step_answer authorize(const step& s);
  step_answer settle(const step& s);
  step_answer paid(const step& s);
  step_answer fail_next(const step& s);
  // Questions.
  step_answer query_balance(const step& s);
  step_answer query_ledger(const step& s);
  step_answer query_charge(const step& s);
  step_answer query_invoice(const step& s);
  step_answer query_currencies(const step& s);
  step_answer query_grant(const step& s);
  step_answer query_grants(const step& s);
  step_answer query_transactions(const step& s);
  step_answer verify(const step& s);

  step_answer ask(const step& s, command::any c);
  /// Takes a changed catalog, a document of catalog_json.hpp, in the place of the one before.
  step_answer replace_catalog(const step& s, nlohmann::json changed);
  /// What a balance or a listing looks at.
  [[nodiscard]] static command::feature_filter view_of(const step& s);
  /// Remembers what a step made under its `as`, and gives its answer on.
  step_answer named(const step& s, step_answer answer, const std::string& reference);
  [[nodiscard]] std::string resolve(const step& s, const char* field) const;
  [[nodiscard]] result<std::vector<reply::account_view>> accounts(const std::string& customer);
  [[nodiscard]] result<currency> find_currency(const std::string& customer,
                                               const std::string& code);
  [[nodiscard]] result<posting_filter> filter_of(const step& s, const history& past);

  simulation engine_;
  std::set<std::string> customers_; ///< that exist
  std::map<std::string, std::map<std::string, std::string>>
      names_;                                     ///< of a customer: `as` → reference
  std::map<std::string, std::string> cursors_;    ///< of pages, by the name they were saved under
  std::map<std::string, std::string> currencies_; ///< of customers that have their own
  std::map<std::string, std::uint8_t> units_;     ///< credit units and their exponents
  std::string default_mode_ = "credit_then_invoice";
  nlohmann::json catalog_{{"schema_version", 1}}; ///< as in a catalog file
};

} // namespace accrue::cli
