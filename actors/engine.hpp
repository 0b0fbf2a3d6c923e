// The engine: wires the actors to a store, from top to bottom, and takes them down in order. The same
// engine runs the server and the simulation; only what is handed in differs.
#pragma once

#include "actors/context.hpp"

#include <caf/actor_system.hpp>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace accrue {

struct engine_parts {
  accrue::store* store = nullptr;
  reply_sink* replies = nullptr;
  time_source* time = nullptr;
  route_table* routes = nullptr;
  engine_limits limits;
  std::vector<std::string> namespaces{"default"};
  std::function<std::size_t(std::span<const waiting_message>)> deliver;
  std::function<std::string()> database_status;
  std::function<void(const std::string&)> stop_process;
  /// Commits a batch of a lane that has no thread of its own.
  std::function<bool()> step;
  fail_points* failures = nullptr;
};

/// What a supervised actor's end means: schedulers, outboxes and the console hold nothing that the store
/// does not have, and start again; the others take the process with them.
struct supervise {};

class engine {
public:
  /// Opens the namespaces (blocks for the store) and spawns everything.
  [[nodiscard]] static result<std::unique_ptr<engine>> start(caf::actor_system& system,
                                                             engine_parts parts);
  ~engine();

  [[nodiscard]] engine_context& context() noexcept { return context_; }
  /// Lane events to hand to a store that is made before the engine: they reach the ledger writer once it
  /// is there.
  [[nodiscard]] static lane_events events_for(const std::shared_ptr<ledger_writer_actor>& writer);

  /// Tells all actors to end; the engine has to be there until they have (await_all_actors_done).
  /// Customers with units in flight must be flushed first (store.stop).
  void stop();

private:
  engine(caf::actor_system& system, engine_parts parts);
  void spawn_scheduler(std::uint32_t shard);
  void spawn_outbox(std::uint32_t shard);

  caf::actor_system& system_;
  engine_parts parts_;
  engine_context context_;
  caf::actor supervisor_;
  bool stopped_ = false;
};

} // namespace accrue
