// The store in memory: the same interface for the simulator and for tests of the engine. What is
// committed lives in a database value that outlives the engine, so that a crash can be played.
#pragma once

#include "persistence/store.hpp"

#include <map>
#include <set>
#include <utility>

namespace accrue {

/// Everything durable, as PostgreSQL would hold it.
struct memory_database {
  struct object {
    std::string name;
    std::vector<std::byte> body;
    std::string status;
  };
  struct customer_rows {
    std::string reference;
    std::map<std::uint64_t, stored_row> journal; ///< by sequence
    std::optional<std::pair<sequence, std::vector<std::byte>>> snapshot;
    std::map<std::uint64_t, std::vector<std::byte>> segments;
    std::map<std::uint32_t, object> charges;
    std::map<std::uint32_t, object> invoices;
    std::optional<instant> wakeup;
  };
  std::map<std::string, namespace_id> namespaces;
  std::map<customer_key, customer_rows> customers;
  std::map<std::pair<namespace_id, std::string>, customer_id> numbers;
  std::vector<waiting_message> outbox;
  std::vector<waiting_message> delivered;
  std::uint64_t batches = 0;
};

/// What the next commits do instead of succeeding; consumed front to back.
enum class commit_fault : std::uint8_t {
  none,
  retry,    ///< fails for a passing reason; the same batch is sent again
  in_doubt, ///< lands, but the answer is lost; the lane has to find out
  poison,   ///< the first unit of the batch cannot be stored
};

/// A lane whose commits happen when somebody says `step`.
class memory_lane final : public lane {
public:
  /// `wake`: called when there is a batch to commit; leads to `step` sooner or later.
  memory_lane(memory_database& db,
              reply_sink& replies,
              lane_events events,
              std::function<void()> wake,
              std::function<instant()> now);
  [[nodiscard]] bool owns() const noexcept override { return owns_; }
  void set_owner(bool owns) noexcept { owns_ = owns; }

  /// Commits at most one batch; true when there may be more to do.
  bool step();
  std::vector<commit_fault> faults;

private:
  void wake_up() override { wake_(); }
  void store(const unit_batch& batch);

  memory_database* db_;
  std::function<void()> wake_;
  std::function<instant()> now_;
  bool owns_ = true;
  unit_batch batch_;
  bool pending_ = false;
};

class memory_store final : public store {
public:
  memory_store(memory_database& db,
               reply_sink& replies,
               lane_events events,
               std::function<void()> wake,
               std::function<instant()> now);

  [[nodiscard]] memory_lane& the_lane() noexcept { return lane_; }
  lane& lane_of(std::uint32_t) override { return lane_; }
  std::vector<lane*> lanes() override { return {&lane_}; }
  result<stored_namespace> open_namespace(const std::string& reference) override;
  void
  load_customer(namespace_id space, std::string reference, stored<stored_customer> done) override;
  void load_row(customer_key owner, sequence s, stored<stored_row> done) override;
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

private:
  memory_database* db_;
  memory_lane lane_;
};

} // namespace accrue
