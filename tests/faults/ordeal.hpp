// A server under load from clients that remember, and what has to hold after each fault. The faults
// themselves are in attacks_at_home.cpp and attacks_on_the_line.cpp.
#pragma once

#include "tests/faults/fault_tally.hpp"
#include "tests/faults/journal_witness.hpp"
#include "tests/support/server_process.hpp"
#include "tests/support/temporary_database.hpp"
#include "tests/system/load.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace accrue::testing {

/// Where the database is: in the server's own directory, or elsewhere.
struct ordeal_place {
  std::string database_url{}; ///< empty: in its directory
  std::string direct{};       ///< how the test reaches the same database; empty: as the server
  std::vector<std::string> arguments{};
};

/// What breaks a promise is noted with the clients; nothing here fails a test by itself.
class ordeal {
  // Before the server, which works in one of them.
  ordeal_place where_;
  std::unique_ptr<server_directory> cluster_;
  temporary_directory one_, two_;

public:
  using clock = std::chrono::steady_clock;
  using scope = remembering_clients::scope;

  ordeal(load_plan load, ordeal_place where);

  server_process server;
  remembering_clients clients;
  /// How the test reaches the database.
  [[nodiscard]] std::string database() const;

  /// All clients send, from now on.
  void begin_load();
  /// The same, until so many receipts came.
  void begin_load(std::size_t receipts);
  /// Lets the load run for so long.
  static void run_for(std::chrono::milliseconds so_long);
  /// Waits until the server, which has lived all the time, commits a new command. Notes how long that
  /// took since the fault was over.
  void recovers(clock::time_point fault_over = clock::now());

  /// kill -9 of the server, and the ends of its clients. Nothing where it has ended already.
  void kill_server();
  /// Waits for a server that kills itself, and for the ends of its clients.
  void server_kills_itself();
  /// Starts it as it was, and for this life with some more arguments.
  void restart(const std::vector<std::string>& this_time = {},
               server_process::until when = server_process::until::ready);
  /// Starts it after a kill until it commits a new command, and notes how long that took.
  void comes_back();
  /// Another server on the same database, in a directory of its own.
  [[nodiscard]] server_process successor() const;

  /// All that was promised holds: the journal explains all that was told, every key again gives the same
  /// receipt, nothing is missing or there twice, and the database proves.
  void holds(scope which = scope::recent);
  /// The last word: the same for everything that was ever sent, charges run to their ends, `accrue
  /// verify` agrees with the server, every message has left, and the server stops in order.
  void ends();
  /// What was counted since the last time, as one round of a kind of fault.
  void count_into(fault_tally& tally);

private:
  void probe();
  void note_end();
  void all_messages_left();

  std::size_t probes_ = 0;
  std::size_t lost_before_ = 0; ///< connections, before the load began
  std::size_t acknowledged_counted_ = 0;
  std::size_t sent_again_counted_ = 0;
  std::size_t refused_counted_ = 0;
  std::size_t broken_counted_ = 0;
  std::size_t open_before_ = 0; ///< commands without a receipt before the load began
  fault_tally news_;            ///< since it was counted last
};

} // namespace accrue::testing
