// Applies migrations one by one, each in its own transaction, under a lock of the bookkeeping
// table. No SQL of the product: only the table accrue_migration.
#include "persistence/migrate.hpp"

#include "persistence/crash_point.hpp"
#include "persistence/digest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace accrue {
namespace {

struct applied_migration {
  int number;
  std::string name;
  std::string checksum;
};

tl::unexpected<refusal> failed(const pg::error& why, const std::string& doing) {
  const bool away = why.kind == pg::failure::reconnect || why.kind == pg::failure::unavailable;
  return refuse(away ? errc::storage_unavailable : errc::internal,
                fmt::format("{}: {}", doing, why.text),
                why.sqlstate);
}

std::string label(const migration& it) { return fmt::format("{:04}_{}", it.number, it.name); }

pg::outcome<std::vector<applied_migration>> applied(pg::session& database) {
  auto rows = database.query("SELECT number, name, checksum FROM accrue_migration ORDER BY number");
  if (!rows)
    return tl::unexpected<pg::error>(rows.error());
  std::vector<applied_migration> out;
  for (int row = 0; row < rows->rows(); ++row)
    out.push_back(
        {rows->i32(row, 0), std::string(rows->text(row, 1)), std::string(rows->text(row, 2))});
  return out;
}

/// Whether what is in the database is a prefix of what this program knows.
result<void> compare(const std::vector<applied_migration>& there,
                     std::span<const migration> wanted) {
  for (std::size_t i = 0; i < there.size(); ++i) {
    const auto& had = there[i];
    const std::string had_label = fmt::format("{:04}_{}", had.number, had.name);
    if (i >= wanted.size() || wanted[i].number > had.number)
      return refuse(errc::conflict,
                    fmt::format("the database has migration {}, which this program does not know: "
                                "it was used by a newer version; start that version instead",
                                had_label),
                    had_label);
    if (wanted[i].number < had.number)
      return refuse(errc::conflict,
                    fmt::format("migration {} is missing in the database although the later {} was "
                                "applied; migrations must be applied in order",
                                label(wanted[i]),
                                had_label),
                    label(wanted[i]));
    if (checksum(wanted[i]) != had.checksum)
      return refuse(errc::conflict,
                    fmt::format("migration {} was changed after it had been applied (the database "
                                "has checksum {}, this program {}); put the old text back and make "
                                "a new migration",
                                had_label,
                                had.checksum,
                                checksum(wanted[i])),
                    had_label);
  }
  return {};
}

/// One step in its own transaction. Returns whether there was anything left to apply.
result<bool>
apply_next(pg::session& database, std::span<const migration> wanted, migration_report& report) {
  // Servers that start at the same time wait here; the second one then finds the work done.
  auto locked = database.execute("BEGIN; LOCK TABLE accrue_migration IN EXCLUSIVE MODE");
  if (!locked)
    return failed(locked.error(), "cannot lock the table of migrations");
  const auto there = applied(database);
  if (!there)
    return failed(there.error(), "cannot read the table of migrations");
  if (auto same = compare(*there, wanted); !same)
    return tl::unexpected<refusal>(same.error());
  report.version = there->empty() ? 0 : there->back().number;
  if (there->size() == wanted.size())
    return false;

  const migration& next = wanted[there->size()];
  if (auto done = database.execute(std::string(next.sql)); !done)
    return failed(done.error(), fmt::format("migration {} failed", label(next)));
  pg::parameters row;
  row.int4(next.number).text(next.name).text(checksum(next));
  if (auto noted = database.query("INSERT INTO accrue_migration (number, name, checksum) "
                                  "VALUES ($1::int4, $2::text, $3::text)",
                                  row);
      !noted)
    return failed(noted.error(), fmt::format("cannot note migration {}", label(next)));
  pass(crash_point::migration_open);
  if (auto kept = database.execute("COMMIT"); !kept)
    return failed(kept.error(), fmt::format("cannot commit migration {}", label(next)));
  report.version = next.number;
  ++report.applied;
  return true;
}

} // namespace

std::string checksum(const migration& which) { return to_hex(digest_of(which.sql)); }

result<migration_report> migrate(pg::session& database, std::span<const migration> wanted) {
  ENSURE(std::ranges::adjacent_find(wanted, std::ranges::greater_equal{}, &migration::number) ==
         wanted.end());
  auto made =
      database.execute("CREATE TABLE IF NOT EXISTS accrue_migration ("
                       "number int PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, "
                       "applied_at timestamptz NOT NULL DEFAULT now())");
  // Two servers may create it at the same instant: one of them meets a unique violation of the
  // catalog.
  if (!made && made.error().sqlstate != "23505" && made.error().sqlstate != "42P07")
    return failed(made.error(), "cannot create the table of migrations");
  migration_report report;
  for (;;) {
    const auto more = apply_next(database, wanted, report);
    if (!more || !*more)
      database.execute("ROLLBACK"); // nothing was done, or it must not stay
    if (!more)
      return tl::unexpected<refusal>(more.error());
    if (!*more)
      return report;
  }
}

} // namespace accrue
