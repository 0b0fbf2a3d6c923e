// Units of work on their way to the store, and the replies that leave once they are durable.
// Filled by customers under the lane's lock, emptied by the lane.
#pragma once

#include "persistence/rows.hpp"

#include <functional>
#include <limits>
#include <string_view>

namespace accrue {

/// No account: the answer is counted for nobody but its session.
inline constexpr std::uint32_t no_account = 0xffffffff;

/// Where a reply goes: a slot of the gateway and its generation (slots are used again), and the customer's
/// account there, of what it has in flight.
struct reply_address {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  std::uint32_t account = no_account;

  friend bool operator==(const reply_address&, const reply_address&) = default;
};

/// The slot of nobody: wake-ups and other work that no client asked for.
inline constexpr std::uint32_t no_session = 0xffffffff;

/// What takes replies to their sessions; called by the lane with finished frames.
class reply_sink {
public:
  virtual ~reply_sink() = default;
  /// Takes the finished frame of one answer. From any thread; a session that has gone is ignored.
  virtual void deliver(reply_address to, std::string_view frame) = 0;
  /// Answers a command with a refusal instead: its unit was discarded, or the lease is gone.
  virtual void
  refuse(reply_address to, std::uint64_t request, std::uint32_t index, const refusal& why) = 0;
};

/// Where a row stands in the order in which a customer's rows have to land: by unit, and a state (a
/// snapshot, a segment) behind the unit it was taken after.
struct row_place {
  customer_key owner;
  sequence unit;
  bool is_state = false;

  friend auto operator<=>(const row_place&, const row_place&) = default;

  /// The first unit that goes where the store refuses this row. A state takes nothing away from the unit it
  /// was taken after.
  [[nodiscard]] sequence lost_from() const noexcept {
    return is_state ? sequence(unit.value + 1) : unit;
  }
};

/// One batch. Vectors keep their memory from batch to batch, except what a burst made large.
class unit_batch {
public:
  /// At so many rows or replies, or so many bytes of either, what comes next goes into the next batch.
  /// One unit may pass it by its own size.
  static constexpr std::size_t rows_max = 2048;
  static constexpr std::size_t bytes_max = std::size_t{4} << 20;

  struct reply {
    reply_address to;
    std::uint64_t request = 0;
    std::uint32_t index = 0;
    extent frame;       ///< in `frames`
    customer_key owner; ///< whose units it waits for
    std::uint32_t life = 0;
    sequence unit;    ///< the last one it was computed from
    instant deadline; ///< after it the caller is told that the outcome is unknown
  };
  /// Something to do once the batch is durable (true), or its customer was discarded or the deadline
  /// has passed (false).
  struct follow_up {
    customer_key owner;
    std::uint32_t life = 0;
    sequence unit; ///< the last one it waits for
    std::function<void(bool)> run;
    instant deadline{std::numeric_limits<std::int64_t>::max()};
    bool ends_life = false; ///< nothing of this life comes behind it
  };

  std::vector<journal_row> journal;
  std::vector<customer_row> customers;
  std::vector<grant_row> grants;
  std::vector<object_row> charges;
  std::vector<object_row> invoices;
  std::vector<wakeup_row> wakeups;
  std::vector<outbox_row> outbox;
  std::vector<state_row> snapshots;
  std::vector<state_row> segments;
  std::vector<block_row> blocks;
  std::vector<std::byte> bytes; ///< bodies of all rows
  std::size_t state_bytes = 0;  ///< those of snapshots, segments and blocks among them
  std::vector<reply> replies;
  std::string frames;
  std::vector<follow_up> follow_ups;

  /// Nothing to store: replies may leave at once.
  [[nodiscard]] bool writes_nothing() const noexcept {
    return journal.empty() && snapshots.empty() && segments.empty() && blocks.empty();
  }
  [[nodiscard]] bool empty() const noexcept {
    return writes_nothing() && replies.empty() && follow_ups.empty();
  }
  [[nodiscard]] bool full() const noexcept {
    return journal.size() >= rows_max || replies.size() >= rows_max || bytes.size() >= bytes_max ||
           frames.size() >= bytes_max;
  }
  [[nodiscard]] std::span<const std::byte> at(extent e) const noexcept {
    return {bytes.data() + e.offset, e.size};
  }
  [[nodiscard]] std::string_view frame(extent e) const noexcept {
    return std::string_view(frames).substr(e.offset, e.size);
  }
  extent keep(std::span<const std::byte> body);
  /// A reply of whose frame only the bytes are known yet.
  void keep_reply(reply row, std::string_view frame);
  /// A customer's whole state and the filter over its keys since the state before.
  void keep_state(const customer_key& owner,
                  sequence unit,
                  std::uint32_t life,
                  std::span<const std::byte> state,
                  std::span<const std::byte> filter);
  /// A block of its statement.
  void keep_block(block_row row, std::span<const std::byte> sums, std::span<const std::byte> items);
  void clear() noexcept;

  /// The places of all rows, each once, in order.
  [[nodiscard]] std::vector<row_place> places() const;
  /// The rows whose places satisfy `wanted`, without replies: a part of a batch that failed.
  [[nodiscard]] unit_batch rows_of(const std::function<bool(const row_place&)>& wanted) const;
  /// Takes the rows of another batch in, behind its own.
  void add_rows(const unit_batch& other);
  /// Drops a customer's rows from this unit on.
  void drop_from(const customer_key& owner, sequence unit);
};

/// The digest that a batch row keeps over its journal rows: their hashes in order of (namespace,
/// customer, sequence). The rows have to be in that order.
[[nodiscard]] digest digest_of_rows(std::span<const journal_row> rows) noexcept;

/// The hash of a batch row: over the batch before, its own columns and its rows' digest.
[[nodiscard]] digest chain_batch(const digest& before,
                                 std::int16_t lane,
                                 std::int64_t number,
                                 std::int64_t epoch,
                                 std::int32_t rows,
                                 const digest& rows_digest) noexcept;

/// The hash of a journal row: over the row before it in its customer's journal and its own stored
/// columns, so that any change, removal or reordering shows.
[[nodiscard]] digest
chain_row(const digest& before, const journal_row& row, std::span<const std::byte> body) noexcept;

} // namespace accrue
