// Signals to PostgreSQL's processes, and a constraint that no unit of a customer satisfies.
#include "tests/faults/database_faults.hpp"

#include "domain/commands.hpp"
#include "persistence/pg.hpp"

#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace accrue::testing {
namespace {

pg::result ask(const std::string& conninfo, const std::string& sql) {
  auto database = pg::session::open(conninfo);
  if (!database)
    throw std::runtime_error(database.error().text);
  auto done = database->query(sql);
  if (!done)
    throw std::runtime_error(done.error().text);
  return std::move(*done);
}

} // namespace

pid_t backend_of(const std::string& conninfo, const std::string& name) {
  const auto found =
      ask(conninfo,
          fmt::format("select pid from pg_stat_activity where application_name like '{}%'", name));
  if (found.rows() == 0)
    throw std::runtime_error("no connection of the server: " + name);
  return found.i32(0, 0);
}

std::vector<pid_t> processes_of(pid_t postmaster) {
  std::vector<pid_t> all{postmaster};
  const auto list = fmt::format("/proc/{0}/task/{0}/children", postmaster);
  std::ifstream children(list);
  for (pid_t child = 0; children >> child;)
    all.push_back(child);
  return all;
}

void signal_all(const std::vector<pid_t>& processes, int number) {
  for (const auto one : processes)
    ::kill(one, number);
}

void poison_units_of(const std::string& customers, const std::string& conninfo) {
  const auto numbers = ask(conninfo,
                           fmt::format("select string_agg(customer::text, ',') from customer"
                                       " where reference like '{}%'",
                                       customers));
  lift_poison(conninfo);
  (void)ask(conninfo,
            fmt::format("alter table journal add constraint poisoned check (customer not in ({}) or"
                        " kind <> {}) not valid",
                        numbers.text(0, 0),
                        command::any(command::consume{}).index()));
}

void lift_poison(const std::string& conninfo) {
  (void)ask(conninfo, "alter table journal drop constraint if exists poisoned");
}

} // namespace accrue::testing
