// Finding out whether the cluster runs already, and where its socket is.
// How a cluster is started and stopped is embedded_cluster's.
#include "apps/accrue/database.hpp"

#include <cstdlib>
#include <fstream>

namespace accrue::cli {

namespace fs = std::filesystem;

namespace {

/// Of the server that runs on a cluster: its postmaster.pid has the port in the fourth line and the
/// socket's directory in the fifth. Source: PostgreSQL, miscadmin.h, LOCK_FILE_LINE_*.
std::optional<std::string> running_conninfo(const fs::path& directory) {
  std::ifstream in(directory / "data" / "postmaster.pid");
  std::string line;
  std::string port;
  std::string sockets;
  for (int number = 1; std::getline(in, line); ++number) {
    if (number == 4)
      port = line;
    if (number == 5)
      sockets = line;
  }
  if (port.empty() || sockets.empty())
    return std::nullopt;
  return "host=" + sockets + " port=" + port + " user=postgres dbname=postgres";
}

result<pg::session> session_for(const std::string& conninfo) {
  auto session = pg::session::open(conninfo);
  if (!session)
    return refuse(errc::storage_unavailable, session.error().text);
  return std::move(*session);
}

} // namespace

fs::path default_data_directory() {
  if (const char* given = std::getenv("ACCRUE_DATA_DIR"); given != nullptr && *given != '\0')
    return given;
  std::error_code failed;
  if (fs::exists("accrue-data", failed))
    return "accrue-data";
  const char* home = std::getenv("HOME");
  return fs::path(home == nullptr ? "/" : home) / ".local/share/accrue";
}

result<open_database> open(const database_place& place) {
  if (!place.url.empty()) {
    auto session = session_for(place.url);
    if (!session)
      return tl::unexpected(std::move(session.error()));
    return open_database{std::nullopt, std::move(*session)};
  }
  const auto& directory = place.directory;
  std::error_code failed;
  if (!fs::exists(directory / "data" / "PG_VERSION", failed)) // `start` would make a new one
    return refuse(errc::not_found,
                  failed ? failed.message()
                         : "There is no database; name its place with --data-dir.",
                  directory.string());
  cluster_settings settings;
  settings.directory = directory;
  settings.outlives_owner = false;
  auto started = embedded_cluster::start(settings);
  std::optional<std::string> conninfo;
  if (started)
    conninfo = started->conninfo();
  else if (started.error().code == errc::conflict) // its owner is at work
    conninfo = running_conninfo(directory);
  if (!conninfo)
    return tl::unexpected(std::move(started.error()));
  auto session = session_for(*conninfo);
  if (!session)
    return tl::unexpected(std::move(session.error()));
  if (!started)
    return open_database{std::nullopt, std::move(*session)};
  return open_database{std::move(*started), std::move(*session)};
}

} // namespace accrue::cli
