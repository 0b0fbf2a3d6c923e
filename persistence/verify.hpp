// Proof that what is stored is what was promised: everything is recomputed from the journal's rows and
// compared with the rest of the database. Nothing is changed and nothing repaired.
#pragma once

#include "persistence/pg.hpp"
#include "persistence/rows.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace accrue {

/// What can be wrong with a database.
enum class breach : std::uint8_t {
  chain,      ///< a unit was changed, removed, added or moved
  body,       ///< a unit's bytes cannot be read
  ledger,     ///< a unit does not follow from those before it, or its postings do not prove
  batch,      ///< units or batches went missing or came from elsewhere
  key,        ///< one idempotency key is on several units
  projection, ///< a table beside the journal says something else
  snapshot,   ///< a stored state is not what the journal leads to
  owner,      ///< rows of a namespace or customer that does not exist
};
[[nodiscard]] std::string_view to_string(breach b) noexcept;

struct finding {
  breach what = breach::chain;
  std::string where; ///< "namespace 1, customer 64, sequence 3", "lane 0, batch 7"
  std::string text;
};

struct verify_options {
  std::size_t findings_max = 100; ///< that are kept; all are counted
  /// Called once for every customer, and every namespace (its customer 0), whose units all prove, in
  /// order, with the state they lead to and the hash of the last one. Not kept by `verify`.
  std::function<void(const customer_key&, const customer&, const digest& tip)> on_customer;
};

/// What was looked at and what was found.
struct verification {
  std::uint64_t customers = 0; ///< with units; namespaces not counted
  std::uint64_t units = 0;
  std::uint64_t transactions = 0;
  std::uint64_t postings = 0;
  std::uint64_t batches = 0;
  std::uint64_t found = 0;
  std::vector<finding> findings; ///< the first of them

  [[nodiscard]] bool clean() const noexcept { return found == 0; }
  /// One line for people.
  [[nodiscard]] std::string summary() const;
};

/// Reads all of the database as it is at one instant, beside running engines; a customer at a time is
/// in memory. For every unit: place and hash in its customer's chain; every transaction proved again
/// by `ledger::transaction::make`; the same balances after it; no key twice. For every customer:
/// balances that sum to zero per currency and per cost basis; customer, grant, charge, invoice,
/// wake-up and outbox rows, statement blocks and the snapshot as the units lead to them. For every lane: its batches'
/// numbers, counts and hashes up to the last one its row knows. A failure of the database is no
/// finding.
[[nodiscard]] pg::outcome<verification> verify(pg::session& database,
                                               const verify_options& options = {});

} // namespace accrue
