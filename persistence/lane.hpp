// A lane: commits batches one at a time while the next one fills. What all lanes share; how a batch
// reaches its store is in pg_lane.hpp and memory_store.hpp.
#pragma once

#include "persistence/unit_batch.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace accrue {

/// What a lane tells its owner. Called from the lane's own thread.
struct lane_events {
  /// The store refuses a unit of this life: from `from` on everything of it is gone, and its callers are
  /// told. All before is stored. Only this customer has to be loaded again.
  std::function<void(
      const customer_key&, std::uint32_t life, sequence from, const std::string& why)>
      discarded;
  /// The store refuses what is nobody's fault (a missing right, a missing table): tried again, and loudly.
  std::function<void(const std::string& what)> troubled;
  /// Somebody else owns the shards now: this server must stop.
  std::function<void(const std::string& why)> fenced;
  /// A backend of a connection that is gone still holds the lane's row, and does not end when it is
  /// told to: it hangs. Or the database hangs, and this is the backend of the last connection. Who can
  /// end it otherwise should.
  std::function<void(int backend)> held_up;
  /// The store went away (and why) or is back: once at each change.
  std::function<void(bool available, const std::string& why)> moved;
};

/// Counts since the start, for status and tests.
struct lane_counts {
  std::uint64_t batches = 0;
  std::uint64_t units = 0;
  std::uint64_t retries = 0;
  std::uint64_t reconnects = 0;
  std::uint64_t discarded = 0;
};

class lane {
public:
  lane(reply_sink& replies, lane_events events) : replies_(&replies), events_(std::move(events)) {}
  virtual ~lane() = default;
  lane(const lane&) = delete;
  lane& operator=(const lane&) = delete;

  /// Lets `write(unit_batch&)` add to the batch that is filling. From any thread; the lock is held
  /// only for the call. Everything added in one call stays together. Returns the batch's ticket.
  /// A batch that is full waits its turn, in order, and the next one fills.
  template <class Write>
  std::uint64_t append(Write&& write) {
    std::uint64_t ticket = 0;
    bool asleep = false;
    {
      const std::lock_guard lock(mutex_);
      if (filling_.full())
        next_batch();
      write(filling_);
      ticket = filling_ticket_;
      asleep = !awake_;
      awake_ = true;
    }
    if (asleep)
      wake_up();
    return ticket;
  }

  /// Bytes of customers' states in the batch that fills, which are bounded (`engine_limits`).
  [[nodiscard]] std::size_t state_bytes() const {
    const std::lock_guard lock(mutex_);
    return filling_.state_bytes;
  }

  /// The last ticket all of whose units are durable (or discarded).
  [[nodiscard]] std::uint64_t durable() const noexcept {
    return durable_.load(std::memory_order_acquire);
  }
  /// False while the store is away: new commands are refused at once, reads of customers with
  /// nothing in flight go on.
  [[nodiscard]] bool available() const noexcept {
    return available_.load(std::memory_order_relaxed);
  }
  /// How many lives were discarded so far: who sees it rise has to ask whether it was his.
  [[nodiscard]] std::uint64_t discards() const noexcept {
    return discards_.load(std::memory_order_acquire);
  }
  /// Whether something of this life was discarded: what it knows beyond the store must not be told.
  [[nodiscard]] bool lost(const customer_key& owner, std::uint32_t life) const;
  /// Whether this server may still answer: its lease has not lapsed by the steady clock.
  [[nodiscard]] virtual bool owns() const noexcept = 0;
  [[nodiscard]] lane_counts counts() const;

protected:
  /// There is a batch to take. Called without the lock, at most once until `take` came back empty.
  virtual void wake_up() = 0;

  /// Takes the oldest batch out, without the rows of discarded lives; false when there is none, and then
  /// the next append wakes again.
  bool take(unit_batch& into);
  /// Lets go of everything that waited for the batch taken last; refuses what tells of discarded units.
  void release(unit_batch& batch, instant now);
  /// Tells callers whose deadline has passed that the outcome is unknown: of this batch, and of those that
  /// wait or fill behind it. Follow-ups with a deadline are told as well; they must not append.
  void expire(unit_batch& batch, instant now);
  void expire_filling(instant now);
  /// Gives up the units of a life from `from` on.
  void
  discard(const customer_key& owner, std::uint32_t life, sequence from, const std::string& why);
  void set_available(bool on) noexcept { available_.store(on, std::memory_order_relaxed); }

  lane_counts counts_; ///< under the lock
  mutable std::mutex mutex_;
  reply_sink* replies_;
  lane_events events_;

private:
  void next_batch();

  std::deque<unit_batch> full_; ///< wait to be taken, oldest first
  unit_batch filling_;          ///< behind them
  std::uint64_t filling_ticket_ = 1;
  bool awake_ = false;
  std::atomic<std::uint64_t> durable_{0};
  std::atomic<std::uint64_t> discards_{0};
  std::atomic<bool> available_{true};
  struct discarded_life {
    std::uint32_t life = 0;
    sequence from;
  };
  [[nodiscard]] bool
  is_discarded(const customer_key& owner, std::uint32_t life, sequence unit) const;
  void forget(const customer_key& owner, std::uint32_t life);

  /// Lives of which something may still be under way. Changed by the lane's thread only, under the lock.
  std::map<customer_key, discarded_life> discarded_;
};

} // namespace accrue
