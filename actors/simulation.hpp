// The whole engine in virtual time: the same actors and state machines on a memory store, with every
// message and timer in our hands. `accrue simulate` and the deterministic tests run it.
#pragma once

#include "actors/virtual_server.hpp"

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace accrue {

/// Every invariant of the engine and the ledger over all that a database holds; what does not hold.
[[nodiscard]] std::vector<std::string> verify(const memory_database& db);

struct simulation_options {
  /// 0: messages run in the order they were sent. Else the seed picks which actor runs next: one seed is
  /// one history.
  std::uint64_t seed = 0;
  instant start;
  engine_limits limits;
  std::string space = "default";
  /// Before the first server starts, and before each one after a crash: what it will find.
  std::function<void(memory_database&)> prepare = {};
};

/// An engine whose clients, clock, store and scheduler are all driven from here. Not thread-safe: one
/// thread, nothing runs by itself.
class simulation {
public:
  explicit simulation(simulation_options options = {});
  ~simulation();

  // Time.
  [[nodiscard]] instant now() const noexcept { return now_; }
  /// Moves the clock; triggers nothing.
  void set_clock(instant to);
  /// Fires what is due at the clock's instant, also what becomes due by that, and waits until all is
  /// quiet. What was tried and stays due waits for a later instant.
  void run_due();
  /// Moves to an instant, firing each wake-up at its own.
  void advance(instant to);

  // Commands. The key is made up where none is given.
  /// Sends a command; the answer is there after `settle`.
  std::uint64_t send(const std::string& customer,
                     command::any body,
                     std::string key = {},
                     std::optional<sequence> expected = std::nullopt);
  /// The answer of a command, once it is there.
  [[nodiscard]] const wire::answer* answer_of(std::uint64_t request) const;
  /// Sends, lets everything run, and gives the answer. errc: as refused.
  result<reply::receipt> ask(const std::string& customer, command::any body, std::string key = {});

  /// Runs one job, picked by the seed; false when there is none.
  bool step();
  /// Runs until all is quiet.
  void settle();
  /// Nothing becomes durable while commits are held; the replies wait with them.
  void hold_commits(bool hold);

  /// Everything in memory is gone, as after kill -9: units that were not committed and their replies too.
  /// A new engine starts on what is durable. By itself it triggers nothing that was not fired before.
  void crash();
  /// As an operator does: lifts a quarantine; where the customer goes on. errc: not_found, quarantined,
  /// storage_unavailable. An empty reference: the namespace itself.
  result<sequence> lift(const std::string& customer);
  /// Lets go of everybody idle, twice over, so that all customers are loaded again on their next use.
  void retire_all();

  [[nodiscard]] memory_database& database() noexcept { return db_; }
  [[nodiscard]] fail_points& failures() noexcept { return failures_; }
  [[nodiscard]] std::vector<commit_fault>& commit_faults() noexcept {
    return server_->the_lane().faults;
  }
  [[nodiscard]] engine_context& context() noexcept { return server_->context(); }
  /// Messages that left through the outbox.
  std::vector<waiting_message> delivered;
  bool outbox_fails = false;

  /// The customer's journal, read back from the store. errc: not_found, internal.
  [[nodiscard]] result<std::vector<entry>> journal_of(const std::string& customer) const;
  /// As `verify` of the database, and what its clients met and must never meet.
  [[nodiscard]] std::vector<std::string> verify() const;

private:
  struct virtual_time;
  void start_server();

  simulation_options options_;
  std::mt19937_64 random_;
  instant now_;
  memory_database db_;
  fail_points failures_;
  std::unique_ptr<virtual_time> time_;
  std::unique_ptr<virtual_server> server_;
  bool holding_ = false;
  std::uint64_t next_request_ = 1;
  std::map<std::uint64_t, wire::answer> answers_;
  std::vector<std::string> findings_; ///< what clients met and must never meet
};

} // namespace accrue
