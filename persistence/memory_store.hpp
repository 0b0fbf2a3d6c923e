// The store in memory: the same interface for the simulator and for tests of the engine. What is
// committed lives in a database value that outlives the engine, so that a crash can be played.
#pragma once

#include "persistence/store.hpp"

#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace accrue {

/// Who owns the database's one lane, and the last batch that landed.
struct memory_lane_row {
  std::int64_t epoch = 0;
  std::int64_t batch = 0;
  instant expires_at{std::numeric_limits<std::int64_t>::min()}; ///< by the database's clock
};

/// Everything durable, as PostgreSQL would hold it.
struct memory_database {
  struct object {
    std::string name;
    std::vector<std::byte> body;
    std::string status;
  };
  struct stored_block {
    std::vector<std::byte> sums;
    std::vector<std::byte> items;
  };
  struct customer_rows {
    std::string reference;
    std::map<std::uint64_t, stored_row> journal; ///< by sequence
    std::optional<std::pair<sequence, std::vector<std::byte>>> snapshot;
    std::map<std::uint64_t, std::vector<std::byte>> segments;
    std::map<std::uint64_t, stored_block> blocks; ///< by their last unit
    std::map<std::uint32_t, object> charges;
    std::map<std::uint32_t, object> invoices;
    std::optional<instant> wakeup;
  };
  std::map<std::string, namespace_id> namespaces;
  std::map<customer_key, customer_rows> customers;
  std::map<std::pair<namespace_id, std::string>, customer_id> numbers;
  std::vector<waiting_message> outbox;
  std::vector<waiting_message> delivered;
  std::map<customer_key, quarantine> quarantined;
  std::uint64_t batches = 0;
  std::uint64_t reads = 0; ///< asked for
  memory_lane_row lane;

  /// Has to keep every batch before it is kept here; none: nobody.
  std::function<void(const unit_batch&)> mirror;

  // Faults.
  bool away = false;                     ///< nothing can be stored or read
  std::uint32_t failing_reads = 0;       ///< so many of the next reads fail
  std::uint32_t lost_answers = 0;        ///< quarantines change, and say they did not
  std::optional<customer_key> untakable; ///< whose quarantine it never takes
  std::set<std::pair<customer_key, sequence>> refused_units; ///< as a constraint would have it
};

/// What a commit does instead of succeeding.
enum class commit_fault : std::uint8_t {
  none,
  retry,    ///< fails for a passing reason; the same batch is sent again
  in_doubt, ///< lands, but the answer is lost; the lane has to find out
  poison,   ///< the first unit of the batch cannot be stored
  lost,     ///< the connection is lost before anything landed; the lane has to find that out, too
};

struct memory_lane_options {
  /// The virtual clock: of deadlines, of the lease and of the database.
  std::function<instant()> now;
  /// Called when there is something for `work`; leads to it sooner or later.
  std::function<void()> wake;
  /// How long a batch or a renewal makes the lane ours; none: for ever, as for a server that is alone.
  std::optional<std::int64_t> lease_ns;
};

/// A lane whose commits happen when somebody says so. It owns, fences and asks what landed by the rules
/// of pg_lane.hpp: the lane row under its epoch, the lease from the moment a batch was sent.
class memory_lane final : public lane {
public:
  /// Takes the lane row over under a new epoch, whoever has it: whether the lease of the owner before has
  /// lapsed is the caller's to ask.
  memory_lane(memory_database& db,
              reply_sink& replies,
              lane_events events,
              memory_lane_options options);
  [[nodiscard]] bool owns() const noexcept override;

  /// The server's side: sends the next batch, or takes the answer of the last. True when something was
  /// done.
  bool work();
  /// The database's side: commits the batch that was sent, or fails at it. It happens between two `work`s,
  /// also while the server stands still. Whose row was refused, if one was.
  std::optional<customer_key> commit(commit_fault fault);
  /// Whether the lane row is still under this server's epoch.
  [[nodiscard]] bool is_ours() const noexcept { return db_->lane.epoch == epoch_; }
  /// A batch was sent and the database has not dealt with it.
  [[nodiscard]] bool in_flight() const noexcept { return phase_ == phase::sent; }
  /// Both sides at once, with the next of `faults`; true when there may be more to do.
  bool step();
  /// What the timer of a lane does: extends the lease of a quiet one, and tells those who wait too long.
  void renew();

  std::vector<commit_fault> faults; ///< of `step`; consumed front to back

private:
  enum class phase : std::uint8_t { idle, sent, answered, waiting, fenced };
  enum class outcome : std::uint8_t { landed, retry, at_fence, lost, poisoned };
  /// A row that cannot be stored: what its life wrote from there on is left out.
  struct refused_row {
    row_place place;
    std::uint32_t life = 0;
  };

  void wake_up() override { options_.wake(); }
  bool send_next();
  void resend();
  void take_answer();
  void ask_what_landed();
  void landed();
  void leave_out_refused();
  void finish();
  void wait_for_store();
  void fence();
  void extend_lease(instant asked_at) noexcept;
  [[nodiscard]] const unit_batch& rows() const noexcept { return part_ ? *part_ : batch_; }
  [[nodiscard]] std::optional<refused_row> first_refused(commit_fault fault) const;
  void store(const unit_batch& batch);

  memory_database* db_;
  memory_lane_options options_;
  std::int64_t epoch_ = 0;
  std::int64_t last_batch_ = 0;
  instant lease_until_;
  instant sent_at_;
  phase phase_ = phase::idle;
  outcome outcome_ = outcome::landed;
  bool undecided_ = false; ///< sent and not known to have landed
  unit_batch batch_;
  std::optional<unit_batch> part_; ///< what is left of the batch once a unit of it was refused
  std::map<customer_key, refused_row> refused_; ///< discarded as soon as the rest has landed
};

class memory_store final : public store {
public:
  memory_store(memory_database& db,
               reply_sink& replies,
               lane_events events,
               memory_lane_options options);

  [[nodiscard]] memory_lane& the_lane() noexcept { return lane_; }
  lane& lane_of(std::uint32_t) override { return lane_; }
  std::vector<lane*> lanes() override { return {&lane_}; }
  result<stored_namespace> open_namespace(const std::string& reference) override;
  void
  load_customer(namespace_id space, std::string reference, stored<stored_customer> done) override;
  void load_row(customer_key owner, sequence s, stored<stored_row> done) override;
  void load_rows(customer_key owner,
                 sequence after,
                 std::uint32_t limit,
                 stored<std::vector<stored_row>> done) override;
  void load_units(customer_key owner,
                  std::vector<sequence> units,
                  stored<std::vector<stored_row>> done) override;
  void load_sums(customer_key owner, stored<std::vector<stored_sums>> done) override;
  void load_blocks(customer_key owner,
                   std::vector<sequence> blocks,
                   stored<std::vector<stored_items>> done) override;
  void wakeups(std::uint32_t shard,
               wakeup_place after,
               std::uint32_t limit,
               stored<std::vector<due_wakeup>> done) override;
  void waiting_messages(std::uint32_t shard,
                        std::uint32_t limit,
                        stored<std::vector<waiting_message>> done) override;
  void
  mark_delivered(std::span<const waiting_message> left, instant at, stored<bool> done) override;
  void list_customers(namespace_id space,
                      std::string after,
                      std::uint32_t limit,
                      stored<std::vector<customer_line>> done) override;
  void load_namespace(namespace_id space, stored<std::vector<stored_row>> done) override;
  void put_quarantine(customer_key owner, quarantine what, stored<void> done) override;
  void drop_quarantine(customer_key owner, instant since, stored<void> done) override;

private:
  /// Whether this read is one of those that fail.
  bool fails();
  /// Why quarantines cannot be changed now, if so.
  result<void> may_change();
  void answer_change(const result<void>& may, const stored<void>& done);

  memory_database* db_;
  memory_lane lane_;
};

} // namespace accrue
