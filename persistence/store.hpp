// The store as the engine sees it: lanes that write, and reads that bring a customer back.
// Two of them behind this interface: PostgreSQL, and memory for the simulator and tests.
#pragma once

#include "domain/quarantine.hpp"
#include "persistence/lane.hpp"

#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace accrue {

/// A journal row read back.
struct stored_row {
  accrue::sequence sequence;
  instant at;
  std::int16_t kind = 0;
  fingerprint key{};
  fingerprint content{};
  digest hash{};
  std::vector<std::byte> body;
};

/// What bringing a customer back takes: its latest snapshot, and the journal from a window of recent
/// keys before it on. A customer nobody created has no number.
struct stored_customer {
  std::optional<customer_id> number;
  std::string reference;
  std::optional<std::pair<accrue::sequence, std::vector<std::byte>>> snapshot;
  std::vector<std::vector<std::byte>> segments; ///< of the key filter, in order
  std::vector<stored_row> rows;
};

/// A block of a customer's statement, by its last unit: its sums, or its items.
struct stored_sums {
  sequence through;
  std::vector<std::byte> bytes;
};
struct stored_items {
  sequence through;
  std::vector<std::byte> bytes;
};

/// Recent keys that are kept exactly (D6).
inline constexpr std::uint64_t exact_keys = 1000;

struct due_wakeup {
  customer_key owner;
  instant due;
  std::string reference;
};

/// A place in a shard's wake-ups, as they are ordered; the default is before the first.
struct wakeup_place {
  instant due{std::numeric_limits<std::int64_t>::min()};
  customer_key owner;
};

struct waiting_message {
  customer_key owner;
  accrue::sequence sequence;
  std::int16_t place = 0;
  std::string topic;
  std::string subject;
  std::string reference; ///< of the customer
};

/// A customer in a listing.
struct customer_line {
  customer_id number;
  std::string reference;
  sequence last; ///< of its durable units
};

template <class T>
using stored = std::function<void(result<T>)>;

/// Who was in quarantine when the last server ended.
struct quarantine_row {
  customer_key owner;
  quarantine what;
};

/// A namespace as it was left: its own journal (customer 0) and the last number used in each shard.
struct stored_namespace {
  namespace_id number;
  std::vector<stored_row> rows;
  std::vector<std::uint64_t> last_customer; ///< by shard; 0: none
  std::vector<quarantine_row> quarantined;
};

/// Reads answer later, on the store's own thread, and may answer `storage_unavailable`. A read sees
/// everything that was durable when it was asked.
class store {
public:
  virtual ~store() = default;

  [[nodiscard]] virtual lane& lane_of(std::uint32_t shard) = 0;
  [[nodiscard]] virtual std::vector<lane*> lanes() = 0;

  /// Finds or creates a namespace. Before the engine starts; may block.
  [[nodiscard]] virtual result<stored_namespace> open_namespace(const std::string& reference) = 0;

  virtual void
  load_customer(namespace_id space, std::string reference, stored<stored_customer> done) = 0;
  /// One journal row; not_found where there is none.
  virtual void load_row(customer_key owner, sequence s, stored<stored_row> done) = 0;
  /// Rows of a customer's journal behind `after`, in order, at most `limit`.
  virtual void load_rows(customer_key owner,
                         sequence after,
                         std::uint32_t limit,
                         stored<std::vector<stored_row>> done) = 0;
  /// Those of these units that are there, in any order.
  virtual void load_units(customer_key owner,
                          std::vector<sequence> units,
                          stored<std::vector<stored_row>> done) = 0;
  /// The sums of all blocks of a customer's statement, in order; the items of some, in any.
  virtual void load_sums(customer_key owner, stored<std::vector<stored_sums>> done) = 0;
  virtual void load_blocks(customer_key owner,
                           std::vector<sequence> blocks,
                           stored<std::vector<stored_items>> done) = 0;
  /// Wake-ups of a shard in order of (due, customer), after a place, at most `limit`.
  virtual void wakeups(std::uint32_t shard,
                       wakeup_place after,
                       std::uint32_t limit,
                       stored<std::vector<due_wakeup>> done) = 0;
  /// Messages of a shard that have not left yet, oldest first, at most `limit`.
  virtual void waiting_messages(std::uint32_t shard,
                                std::uint32_t limit,
                                stored<std::vector<waiting_message>> done) = 0;
  /// Notes that these messages have left; all or none.
  virtual void
  mark_delivered(std::span<const waiting_message> left, instant at, stored<bool> done) = 0;
  /// Customers of a namespace by reference, after `after`, at most `limit`.
  virtual void list_customers(namespace_id space,
                              std::string after,
                              std::uint32_t limit,
                              stored<std::vector<customer_line>> done) = 0;

  /// A namespace's own journal, whole.
  virtual void load_namespace(namespace_id space, stored<std::vector<stored_row>> done) = 0;
  /// Notes a quarantine, in the place of an earlier one. `not_owner` when another server took over.
  virtual void put_quarantine(customer_key owner, quarantine what, stored<void> done) = 0;
  /// Takes the one noted at `since` off, if it is there: an answer that was lost may leave a change behind
  /// that happens later, and must not meet another one. `not_owner` as above.
  virtual void drop_quarantine(customer_key owner, instant since, stored<void> done) = 0;
};

} // namespace accrue
