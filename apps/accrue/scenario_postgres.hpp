// A real database behind scenarios: the engine runs in virtual time as ever, but nothing counts before
// PostgreSQL has it, and after a restart nothing is known but what PostgreSQL gives back.
#pragma once

#include "actors/simulation.hpp"

#include <memory>
#include <string>

namespace accrue::cli {

class scenario_postgres {
public:
  /// Takes a database; an empty URL: a private cluster in a temporary directory, which goes away with this.
  /// Blocks. errc: as embedded_cluster::start and pg_store::open.
  [[nodiscard]] static result<std::unique_ptr<scenario_postgres>> open(const std::string& url);
  ~scenario_postgres();
  scenario_postgres(const scenario_postgres&) = delete;
  scenario_postgres& operator=(const scenario_postgres&) = delete;

  /// For one scenario: a namespace of its own. errc: storage_unavailable.
  [[nodiscard]] result<simulation_options> fresh();
  /// `accrue verify` over everything so far; what was found, empty if nothing.
  [[nodiscard]] std::string verify();

private:
  struct parts;
  explicit scenario_postgres(std::unique_ptr<parts> it) noexcept;
  std::unique_ptr<parts> it_;
};

} // namespace accrue::cli
