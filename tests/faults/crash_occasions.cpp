// An occasion for each crash point. See crash_occasions.hpp.
#include "tests/faults/crash_occasions.hpp"

#include "tests/faults/database_faults.hpp"
#include "tests/support/lane_backend.hpp"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <stdexcept>

namespace accrue::testing {
namespace {

enum class occasion : std::uint8_t {
  start,        ///< nothing else
  load,         ///< clients
  activation,   ///< clients; a few times only
  quiet,        ///< nobody, for a while
  idle_clients, ///< clients that fall silent
  lost_backend, ///< a process of the database dies under load
  poison,       ///< a unit of somebody else cannot be stored
  stop,         ///< SIGTERM under load
};

occasion occasion_of(crash_point point) {
  switch (point) {
  case crash_point::nowhere:
  case crash_point::migration_open:
  case crash_point::cluster_ready:
  case crash_point::lane_taken:
  case crash_point::namespace_opened:
    return occasion::start;
  case crash_point::snapshot_added:
    return occasion::idle_clients;
  case crash_point::landing_asked:
  case crash_point::landing_known:
    return occasion::lost_backend;
  case crash_point::batch_halved:
  case crash_point::part_committed:
    return occasion::poison;
  case crash_point::renewal_sent:
  case crash_point::renewal_done:
    return occasion::quiet;
  case crash_point::stop_begun:
  case crash_point::stop_flushed:
  case crash_point::lease_returned:
    return occasion::stop;
  case crash_point::load_asked:
  case crash_point::load_answered:
  case crash_point::message_delivered:
    return occasion::activation;
  case crash_point::unit_added:
  case crash_point::batch_taken:
  case crash_point::batch_encoded:
  case crash_point::pipeline_half_sent:
  case crash_point::batch_sent:
  case crash_point::batch_committed:
  case crash_point::replies_half_released:
  case crash_point::replies_released:
    break;
  }
  return occasion::load;
}

/// Commands of customers that are in nobody's memory, and none of whose `consume`s can be stored from now
/// on. Several, so that one of them meets others in its batch; new ones each time, as who was refused once
/// stays in quarantine.
std::vector<wire::call> poisoned_commands(ordeal& it) {
  std::vector<wire::call> commands;
  wire_client client(it.server.port());
  for (int n = 0; n < 5; ++n) {
    const auto victim = fmt::format("poisoned-{}-{}", it.server.pid(), n);
    client.receipt(calls::put_customer(victim));
    client.receipt(calls::grant(victim, "all", "1000"));
    commands.push_back(calls::consume(victim, "never", "0.01"));
  }
  poison_units_of("poisoned-", it.database());
  return commands;
}

/// False when it died before it served.
bool starts(ordeal& it, const std::vector<std::string>& options) {
  it.restart(options, server_process::until::spawned);
  try {
    it.server.wait_until_ready();
  } catch (const std::runtime_error&) {
    return false;
  }
  return true;
}

void load(ordeal& it, occasion when, const std::vector<wire::call>& poisoned) {
  it.begin_load();
  switch (when) {
  case occasion::idle_clients:
    it.clients.wait_for_receipts(6000); // of few customers: enough for a snapshot
    return it.clients.finish();
  case occasion::lost_backend:
    it.clients.wait_for_receipts(200);
    return signal_within_a_batch(it.database(), SIGKILL);
  case occasion::poison: {
    it.clients.wait_for_receipts(200);
    wire_client poisoner(it.server.port());
    for (const auto& command : poisoned) {
      poisoner.send(command);
      ordeal::run_for(std::chrono::milliseconds(5));
    }
    return;
  }
  case occasion::stop:
    it.clients.wait_for_receipts(200);
    return it.server.signal(SIGTERM);
  case occasion::start:
  case occasion::quiet:
  case occasion::load:
  case occasion::activation:
    return;
  }
}

} // namespace

std::vector<std::string> crash_at(std::string_view point, std::uint64_t pass) {
  return {"--crash-at", fmt::format("{}:{}", point, pass)};
}

void crash(ordeal& it, crash_point point, std::string_view name, std::mt19937_64& random) {
  const auto when = occasion_of(point);
  auto options = crash_at(name);
  std::vector<wire::call> poisoned;
  if (when == occasion::load)
    options = crash_at(name, 1 + random() % 200);
  else if (when == occasion::activation)
    options = crash_at(name, 1 + random() % 3);
  else if (when == occasion::quiet)
    options.insert(options.end(), {"--lease-ms", "500"});
  else if (when == occasion::idle_clients)
    options.insert(options.end(), {"--sweep-ms", "50"});
  else if (when == occasion::poison)
    poisoned = poisoned_commands(it);

  it.server.kill();
  const bool alone = when == occasion::start || when == occasion::quiet;
  if (alone)
    it.restart(options, server_process::until::spawned);
  else if (starts(it, options))
    try {
      load(it, when, poisoned);
    } catch (const unexpected_answer&) { // it has died before, or does not: told next
    } catch (const connection_over&) {
    }
  it.server_kills_itself();
  if (when == occasion::poison)
    lift_poison(it.database());
}

} // namespace accrue::testing
