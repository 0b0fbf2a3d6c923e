// One server in virtual time: the engine on a memory database, its scheduler and its routes in our hands.
// Several may share a database; who they are, when they run and what fails is said from outside.
#pragma once

#include "actors/engine.hpp"
#include "persistence/memory_store.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace caf::scheduler {
class test_coordinator;
}

namespace accrue {

/// What a virtual server stands on, and whom it tells.
struct virtual_server_parts {
  memory_database* database = nullptr;
  time_source* time = nullptr;  ///< what its schedulers see
  std::function<instant()> now; ///< the store's clock: of deadlines and of the lease
  engine_limits limits;
  std::string space = "default";
  fail_points* failures = nullptr;
  std::optional<std::int64_t> lease_ns; ///< none: it owns the database for ever
  /// Which of so many waiting jobs runs next; empty: the oldest.
  std::function<std::size_t(std::size_t)> pick;
  std::function<void(reply_address, wire::answer)> answered;
  std::function<std::size_t(std::span<const waiting_message>)> deliver;
  /// The lane was woken; true when there may be more to do.
  std::function<bool(memory_lane&)> serve_lane;
  std::function<void(const std::string&)> stop_process;
};

/// Not thread-safe: one thread, nothing runs by itself.
class virtual_server : private reply_sink, private route_table {
public:
  /// Takes the database over; its first messages wait to be run.
  explicit virtual_server(virtual_server_parts parts);
  /// As kill -9: what is not durable is gone, and its replies too.
  ~virtual_server() override;

  /// Runs one job, picked by `pick`; false when there is none.
  bool step();
  /// Runs jobs until none is left.
  void settle();
  [[nodiscard]] bool has_job() const noexcept;
  /// Fires the timers of the actors that are due after so much more time.
  void advance_timers(std::int64_t ns);

  /// A command came in: it goes to its customer, which is activated where it is not there.
  void execute(const std::string& customer, std::shared_ptr<const envelope> e);
  /// As an operator does: lifts a quarantine, and tells where the customer goes on or why it does not. An
  /// empty reference: the namespace itself.
  void lift(const std::string& customer, std::function<void(result<sequence>)> done);
  /// The lane has something to do: an answer came, or commits are let go again.
  void wake_lane();
  /// Time to look for idle customers.
  void sweep();

  [[nodiscard]] memory_lane& the_lane() noexcept { return store_->the_lane(); }
  [[nodiscard]] engine_context& context() noexcept { return engine_->context(); }

private:
  void deliver(reply_address to, std::string_view frame) override;
  void
  refuse(reply_address to, std::uint64_t request, std::uint32_t index, const refusal& why) override;
  void opened(const activate& who, customer_actor to) override;
  void close(std::vector<activate> who, directory_actor answer_to) override;

  struct route {
    customer_actor to;
    std::uint32_t life = 0;
    std::vector<std::shared_ptr<const envelope>> pending;
  };

  virtual_server_parts parts_;
  caf::actor_system_config settings_;
  std::unique_ptr<caf::actor_system> system_;
  caf::scheduler::test_coordinator* scheduler_ = nullptr;
  std::shared_ptr<ledger_writer_actor> writer_;
  std::unique_ptr<memory_store> store_;
  std::unique_ptr<engine> engine_;
  bool alive_ = true;
  std::map<std::string, route> routes_;
};

} // namespace accrue
