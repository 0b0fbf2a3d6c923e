// Holds a table until the lane waits for it. See lane_backend.hpp.
#include "tests/support/lane_backend.hpp"

#include "persistence/pg.hpp"

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <thread>

namespace accrue::testing {

void signal_within_a_batch(const std::string& conninfo, int number) {
  auto holding = pg::session::open(conninfo);
  auto looking = pg::session::open(conninfo);
  if (!holding || !looking || !holding->execute("begin; lock table batch in exclusive mode"))
    throw std::runtime_error("the table cannot be held");
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < patience) {
    const auto found =
        looking->query("select pid from pg_stat_activity where application_name like 'accrue lane%'"
                       " and wait_event_type = 'Lock'");
    if (!found)
      throw std::runtime_error(found.error().text);
    if (found->rows() == 1) {
      ::kill(found->i32(0, 0), number);
      (void)holding->execute("rollback"); // fails where all sessions have ended with that one
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  throw std::runtime_error("no batch within half a minute");
}

} // namespace accrue::testing
