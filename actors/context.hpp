// What every actor of the engine is given: the store, the way back to clients, time, limits.
// Wiring is in engine.cpp.
#pragma once

#include "actors/interfaces.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace accrue {

/// The only clock: read where commands come in and by the scheduler, nowhere below (D3).
class time_source {
public:
  virtual ~time_source() = default;
  /// The present instant.
  [[nodiscard]] virtual instant now() = 0;
};

/// Opens and closes the gateway's routes to customers; implemented where the routes live.
class route_table {
public:
  virtual ~route_table() = default;
  /// A customer is ready to take commands. From any thread.
  virtual void opened(const activate& who, customer_actor to) = 0;
  /// Forgets the routes to these lives, or, where the list is empty, those that were idle since the last
  /// call; then sends those that were there as `routes_closed` to the directory: no command is under way to
  /// them any more.
  virtual void close(std::vector<activate> who, directory_actor answer_to) = 0;
};

/// How much may wait, where (docs/architecture.md lists all limits).
struct engine_limits {
  std::size_t customer_queue = 4096; ///< commands of one customer that are not decided yet
  std::size_t features_of_grant = 64;
  std::uint64_t snapshot_every = 4096; ///< units of a customer
  /// Bytes of snapshots and key segments that a batch is given, the last of them whole. Customers that began
  /// together are due together, and every answer of a batch waits for all of it. Who finds no room tries
  /// with its next unit; after twice `snapshot_every` it does not ask.
  std::size_t states_of_batch = std::size_t{256} << 10;
  std::int64_t sweep_ns = 10 * ns_per_second; ///< a customer unused for up to twice this is let go
  std::int64_t retry_due_ns =
      60 * ns_per_second;                  ///< what is due and did not succeed is tried again
  std::uint32_t recognize_every_hours = 0; ///< of each customer; 0: by command only (D47)
  std::int64_t wake_pause_ns =
      20'000'000; ///< of a scheduler that has woken as many as it may at once
};

struct engine_context {
  accrue::store* store = nullptr;
  reply_sink* replies = nullptr;
  time_source* time = nullptr;
  route_table* routes = nullptr;
  engine_limits limits;
  /// Latest stamp given at ingress: how late it is, for those who must not read a clock.
  std::atomic<std::int64_t> latest_stamp{0};
  /// Sees to messages that leave, in their order: how many of them have left for sure. The others are
  /// tried again later.
  std::function<std::size_t(std::span<const waiting_message>)> deliver;
  /// How the private database is, for operators; empty where there is none.
  std::function<std::string()> database_status;
  /// The process has to end: ownership is lost.
  std::function<void(const std::string&)> stop_process;
  fail_points* failures = nullptr; ///< simulations only

  // Wired once, before anything runs.
  directory_actor directory;
  ledger_writer_actor writer;
  console_actor console;
  std::vector<scheduler_actor> schedulers; ///< by shard
  std::vector<outbox_actor> outboxes;      ///< by shard
  struct namespace_entry {
    space of;
    namespace_actor actor;
    std::shared_ptr<const catalog> first_catalog;
  };
  std::vector<namespace_entry> namespaces;
  std::atomic<std::uint32_t> lives{0}; ///< numbers the activations of this process

  [[nodiscard]] namespace_entry* find_namespace(std::string_view reference) noexcept;
  [[nodiscard]] namespace_entry* find_namespace(namespace_id number) noexcept;
};

} // namespace accrue
