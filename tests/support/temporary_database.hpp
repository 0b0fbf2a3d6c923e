// Databases for tests: one private cluster for the whole test process, a fresh database for each test.
// A test that needs one fails where PostgreSQL is missing, unless ACCRUE_TEST_PG=skip is set.
#pragma once

#include "persistence/migrate.hpp"
#include "persistence/pg.hpp"

#include <filesystem>
#include <span>
#include <string>

namespace accrue::testing {

/// A directory name for a cluster or other files, unused so far and not yet created; all that is in
/// it goes away with this object.
class temporary_directory {
public:
  temporary_directory();
  ~temporary_directory();
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
  std::filesystem::path path_;
};

/// A database of its own, dropped at the end. With migrations it is copied from a template to which
/// they were applied once in the process. The cluster is not durable: kills of the server belong to
/// tests that start an `embedded_cluster` themselves.
class temporary_database {
public:
  explicit temporary_database(std::span<const migration> wanted = {});
  ~temporary_database();
  temporary_database(const temporary_database&) = delete;
  temporary_database& operator=(const temporary_database&) = delete;

  [[nodiscard]] const std::string& conninfo() const noexcept { return conninfo_; }
  /// A new blocking session; throws when it cannot be opened.
  [[nodiscard]] pg::session session() const;

private:
  std::string name_;
  std::string conninfo_;
};

} // namespace accrue::testing
