// The part that a customer and a namespace have in common: numbering units, deciding whether a key is
// new, chaining, and handing rows and replies to the lane. No actor, no rule about money.
#pragma once

#include "actors/context.hpp"
#include "domain/past.hpp"
#include "persistence/key_index.hpp"

#include <optional>
#include <string>

namespace accrue {

/// The fingerprints of a command's keys and content.
struct command_prints {
  fingerprint key{}; ///< of `kind:id` where the command has an id, else of the given key
  std::optional<fingerprint> second; ///< of the given key, where both are there
  fingerprint content{};
};

/// errc: validation for a command without any key, or with one over 128 bytes.
[[nodiscard]] result<command_prints> prints_of(const envelope& e, const catalog& cat);

/// The answer to a repeat whose unit was not durable by its deadline.
[[nodiscard]] tl::unexpected<refusal> too_late_to_tell();

/// Whether the unit was recorded under one of these keys: the row's own, or a second one among its facts.
[[nodiscard]] bool
answers_to(const stored_row& row, const entry& unit, const command_prints& p) noexcept;

/// The fingerprint that a key has in the journal.
[[nodiscard]] fingerprint print_of_key(std::string_view key) noexcept;

class recorder {
public:
  recorder(engine_context& context, namespace_id space, std::string reference, std::uint32_t life);

  /// The state up to the last unit decided.
  customer value;
  [[nodiscard]] customer_key key() const noexcept { return {space_, value.number}; }
  /// What replies wait for: a customer nobody created waits for nobody.
  [[nodiscard]] customer_key reply_key() const noexcept {
    return value.exists ? key() : customer_key{space_, customer_id(~std::uint64_t{0})};
  }
  [[nodiscard]] namespace_id space() const noexcept { return space_; }
  [[nodiscard]] engine_context& context() const noexcept { return *context_; }
  [[nodiscard]] std::uint32_t life() const noexcept { return life_; }
  [[nodiscard]] lane& its_lane() const;

  /// Takes the stored customer in: snapshot, segments, rows. errc: internal when they do not fit
  /// together; the customer must then not be used.
  [[nodiscard]] result<void> restore(const stored_customer& stored, catalog* replayed = nullptr);

  /// What is known about the keys.
  enum class known : std::uint8_t { fresh, repeated, other_content, ask_journal };
  struct verdict {
    known what = known::fresh;
    sequence where;
    std::vector<sequence> to_ask; ///< units of which the journal has to tell their keys
  };
  [[nodiscard]] verdict look_up(const command_prints& p) const;

  /// Journals a decided unit: rows, projections, key, chain, now and then a snapshot; the reply leaves with
  /// its commit.
  void record(const unit& u, const envelope& e, const command_prints& p, const catalog& cat);

  // Answers. All wait for what they were computed from; at once, where nothing is in flight.
  void reply(const envelope& e, const reply::receipt& r);
  void refuse(const envelope& e, const refusal& why);
  /// Runs on the lane's thread when everything so far is durable (true), or was discarded or is not
  /// durable by the deadline (false).
  void after_commit(std::function<void(bool)> run, instant deadline = ledger::never);
  /// The last word of this life: runs when nothing of it is under way any more.
  void end_life(std::function<void()> run);
  /// Tells all callers at once, without waiting: for a life that is over.
  void refuse_now(const envelope& e, const refusal& why);

  /// When the customer wants to be woken next.
  [[nodiscard]] std::optional<instant> due() const noexcept {
    return due_ == ledger::never ? std::nullopt : std::optional(due_);
  }
  /// Nothing of this customer is on its way to the store.
  [[nodiscard]] bool all_durable() const { return its_lane().durable() >= last_ticket_; }
  /// Something of this life is not in the store and will not be: its end is on its way.
  [[nodiscard]] bool lost() const { return its_lane().lost(key(), life_); }
  /// Units since the last snapshot.
  [[nodiscard]] std::uint64_t since_snapshot() const noexcept { return since_snapshot_; }
  /// The past since `blocks_end`. What was before is in blocks of the store's.
  [[nodiscard]] past past_since_blocks() const;
  [[nodiscard]] sequence blocks_end() const noexcept {
    return sequence(value.last.value - since_snapshot_);
  }
  /// Stores a block of the units of these bytes, made again: it was not there.
  void restore_block(const statement_block& b, std::span<const std::byte> units);
  /// Adds a snapshot, the key segment and the statement block up to here to the batch that fills, if it has
  /// room for one more; the next time otherwise.
  void snapshot() { add_snapshot(false); }

private:
  result<void> replay(const stored_customer& stored, catalog* replayed);
  void answer(const envelope& e, const std::function<void(std::string&)>& print);
  [[nodiscard]] bool may_answer_now();
  void add_snapshot(bool without_room);
  void note(const entry& e, instant before);

  engine_context* context_;
  key_index keys_;
  std::vector<std::byte> units_; ///< what the units since the last block did (statement_codec.hpp)
  digest tip_{};
  namespace_id space_;
  std::uint32_t life_;
  std::uint32_t since_snapshot_ = 0;
  std::uint32_t discards_seen_ = 0; ///< of the lane, modulo 2^32; none of them was this life's
  std::uint64_t last_ticket_ = 0;
  instant due_ = ledger::never; ///< next_due(value)
};

} // namespace accrue
