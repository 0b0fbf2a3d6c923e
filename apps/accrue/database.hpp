// Opening the database behind a server without the server: by its URL, or the private cluster in a
// data directory, which is started for the time where it does not run. Reading it is verify.hpp's.
#pragma once

#include "persistence/embedded_cluster.hpp"
#include "persistence/pg.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace accrue::cli {

struct database_place {
  std::filesystem::path directory;
  std::string url; ///< instead of the directory
};

/// $ACCRUE_DATA_DIR, else accrue-data here if there is one, else ~/.local/share/accrue.
[[nodiscard]] std::filesystem::path default_data_directory();

struct open_database {
  std::optional<embedded_cluster> cluster; ///< where it was started here; stops with this object
  pg::session session;
};

/// errc: not_found where no database is, storage_unavailable where it cannot be opened, conflict where
/// somebody else is just starting or stopping it.
[[nodiscard]] result<open_database> open(const database_place& place);

} // namespace accrue::cli
