// What one unit of work leaves in each table, as plain rows; how SQL takes them is in pg_lane.cpp.
// The journal row is the truth, the others are projections of it.
#pragma once

#include "domain/customer.hpp"
#include "persistence/digest.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace accrue {

/// A customer among all namespaces.
struct customer_key {
  namespace_id space;
  customer_id customer;

  friend auto operator<=>(const customer_key&, const customer_key&) = default;
};

/// The shard of a customer's number (D65).
[[nodiscard]] constexpr std::uint32_t shard_of(customer_id c) noexcept {
  return static_cast<std::uint32_t>(c.value % shard_count);
}

/// Bytes of a row within its batch's arena.
struct extent {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

struct journal_row {
  customer_key owner;
  accrue::sequence sequence;
  instant at;
  std::int16_t kind = 0;
  /// Which life of the customer's actor wrote it: a discarded life's later rows are dropped.
  std::uint32_t life = 0;
  fingerprint key{};
  fingerprint content{};
  digest hash{};
  extent body;
};

struct customer_row {
  customer_key owner;
  std::string reference;
  instant created_at;
  accrue::sequence sequence; ///< of the unit it belongs to, as in the other rows
};

struct grant_row {
  customer_key owner;
  std::uint32_t number = 0;
  std::string reference;
  std::string currency;
  std::string amount; ///< decimal text
  std::int32_t priority = 0;
  instant effective_at;
  accrue::sequence sequence;
};

/// A charge or an invoice: searchable columns, and the whole object as bytes.
struct object_row {
  customer_key owner;
  std::uint32_t number = 0;
  std::string reference; ///< of a charge; the name of an invoice
  std::string status;
  std::string currency;
  std::string amount; ///< of a charge; the total of an invoice
  accrue::sequence sequence;
  extent body;
};

/// `due` none: nothing to wake for.
struct wakeup_row {
  customer_key owner;
  std::optional<instant> due;
  accrue::sequence sequence;
};

struct outbox_row {
  customer_key owner;
  accrue::sequence sequence;
  std::int16_t place = 0;
  std::string topic;
  std::string subject;
  instant queued_at;
};

/// A block of a customer's statement. `sequence` is only where it stands among the rows: behind this unit.
struct block_row {
  customer_key owner;
  accrue::sequence sequence;
  std::uint32_t life = 0; ///< as of a journal row
  accrue::sequence through;
  extent sums;
  extent items;
};

/// A snapshot, or a segment of the key filter.
struct state_row {
  customer_key owner;
  accrue::sequence sequence;
  std::uint32_t life = 0; ///< as of a journal row
  extent body;
};

} // namespace accrue
