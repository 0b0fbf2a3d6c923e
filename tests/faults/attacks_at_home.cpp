// Attacks on a server, its private PostgreSQL, and the disk under that. See attacks.hpp.
#include "persistence/crash_point.hpp"
#include "tests/faults/attacks.hpp"
#include "tests/faults/crash_occasions.hpp"
#include "tests/faults/database_faults.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <stdexcept>

namespace accrue::testing {
namespace {

using namespace std::chrono_literals;
using clock = ordeal::clock;

/// What is done to a database at home.
class home {
public:
  home(ordeal& it, faulty_disk& disk, std::mt19937_64& random)
      : it_(it), disk_(disk), random_(random) {}

  [[nodiscard]] std::chrono::milliseconds up_to(unsigned most_ms) const {
    return std::chrono::milliseconds(random_() % most_ms);
  }
  void load() const { it_.begin_load(100 + random_() % 400); }

  void kill_backend(const char* name) const {
    load();
    const auto lane = backend_of(it_.database(), "accrue lane");
    const auto since = clock::now();
    signal_all({backend_of(it_.database(), name)}, SIGKILL);
    wait("the other backends end, too", [&] { return ::kill(lane, 0) != 0; });
    it_.recovers(since);
  }
  void kill_postmaster() const {
    load();
    const auto since = clock::now();
    const auto first = it_.server.postmaster();
    signal_all({first}, SIGKILL);
    wait_for_start_after(first); // its orphans serve for a while
    it_.recovers(since);
  }
  /// All of it, and once more as soon as it is started again.
  void kill_database_twice() const {
    load();
    const auto since = clock::now();
    const auto first = it_.server.postmaster();
    signal_all(processes_of(first), SIGKILL);
    const auto second = wait_for_start_after(first);
    signal_all({second}, SIGKILL);
    wait_for_start_after(second);
    it_.recovers(since);
  }
  void stand_still() const {
    load();
    const auto all = processes_of(it_.server.postmaster());
    signal_all(all, SIGSTOP);
    ordeal::run_for(up_to(3000)); // a patience of 2 s may pass
    signal_all(all, SIGCONT);
    it_.recovers();
  }
  void kill_beside_a_database_that_stands_still() const {
    load();
    signal_all(processes_of(it_.server.postmaster()), SIGSTOP); // nobody continues it
    ordeal::run_for(up_to(200));
    it_.kill_server();
  }
  /// One that nobody continues: it has to be found out and ended.
  void hang_backend() const {
    load();
    const auto since = clock::now();
    signal_all({backend_of(it_.database(), "accrue lane")}, SIGSTOP);
    it_.recovers(since);
  }

  /// A fault of the disk in mid-load: it stays until it has met somebody and a while longer.
  void break_disk(const std::function<void()>& breaks) const {
    load();
    meet(breaks);
    ordeal::run_for(up_to(300));
    disk_.heal();
    it_.recovers();
  }
  void kill_with_full_disk() const {
    load();
    meet([&] { disk_.fail_growth(ENOSPC); });
    it_.kill_server();
    disk_.heal();
  }
  void break_reading() const {
    it_.server.kill(); // so that nothing is in the database's memory
    it_.restart();
    it_.begin_load();
    meet([&] {
      disk_.only("/base/");
      disk_.every(2);
      disk_.fail_reads(EIO);
    });
    ordeal::run_for(up_to(300));
    disk_.heal();
    it_.recovers();
  }
  void slow_disk() const {
    load();
    disk_.delay_syncs(5ms);
    it_.clients.wait_for_receipts(200);
    if (random_() % 2 == 0) {
      it_.kill_server(); // with a sync under way
      return disk_.heal();
    }
    disk_.heal();
    it_.recovers();
  }

private:
  void meet(const std::function<void()>& breaks) const {
    const auto before = disk_.failures();
    breaks();
    wait("the disk's fault meets somebody", [&] { return disk_.failures() > before; });
  }
  pid_t wait_for_start_after(pid_t former) const {
    pid_t now = former;
    wait("PostgreSQL is started again", [&] {
      now = it_.server.postmaster_now();
      return now != former && now != 0;
    });
    return now;
  }
  template <class F>
  static void wait(const char* what, F&& happened) {
    const auto until = clock::now() + 30s;
    while (!happened()) {
      if (clock::now() > until)
        throw std::runtime_error(fmt::format("it does not come to this: {}", what));
      ordeal::run_for(2ms);
    }
  }

  ordeal& it_;
  faulty_disk& disk_;
  std::mt19937_64& random_;
};

} // namespace

std::vector<attack> attacks_at_home(ordeal& it, faulty_disk& disk, std::mt19937_64& random) {
  const home at(it, disk, random);
  const auto broken_disk = [at](std::function<void()> breaks) {
    return [at, breaks = std::move(breaks)] { at.break_disk(breaks); };
  };
  std::vector<attack> all{
      {"kill -9 of the server",
       [&it, at] {
         it.begin_load(1);
         ordeal::run_for(at.up_to(150));
       }},
      {"kill -9 of a lane's backend", [at] { at.kill_backend("accrue lane"); }},
      {"kill -9 of the reader's backend", [at] { at.kill_backend("accrue reader"); }},
      {"kill -9 of the postmaster", [at] { at.kill_postmaster(); }},
      {"kill -9 of all PostgreSQL, twice", [at] { at.kill_database_twice(); }},
      {"PostgreSQL stands still", [at] { at.stand_still(); }},
      {"PostgreSQL stands still, server killed",
       [at] { at.kill_beside_a_database_that_stands_still(); }},
      {"a backend hangs for ever", [at] { at.hang_backend(); }},
      {"disk full: tables", broken_disk([&disk] {
         disk.only("/base/");
         disk.fail_growth(ENOSPC);
       })},
      {"disk full: log", broken_disk([&disk] {
         disk.only("/pg_wal/");
         disk.fail_writes(ENOSPC); // of files that are there as well, as where writes copy
       })},
      {"disk full, server killed", [at] { at.kill_with_full_disk(); }},
      {"disk fails to write the log", broken_disk([&disk] {
         disk.only("/pg_wal/");
         disk.every(3);
         disk.fail_writes(EIO);
       })},
      {"disk fails to sync", broken_disk([&disk] { disk.fail_syncs(EIO); })},
      {"disk fails to read", [at] { at.break_reading(); }},
      {"disk slow: 5 ms a sync", [at] { at.slow_disk(); }},
  };
  for (const auto& [point, name] : crash_points)
    if (point != crash_point::migration_open)
      all.push_back({fmt::format("crash at {}", name), [&it, &random, point = point, name = name] {
                       crash(it, point, name, random);
                     }});
  return all;
}

} // namespace accrue::testing
