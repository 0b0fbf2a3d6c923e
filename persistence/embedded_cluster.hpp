// A private PostgreSQL server in a data directory: created, started and stopped by the program that
// uses it. Connecting to it and what is stored in it are not done here.
#pragma once

#include "domain/result.hpp"

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

namespace accrue {

/// What a private cluster may use. Durable unless a test says otherwise.
struct cluster_settings {
  std::filesystem::path directory;     ///< data directory; created when missing
  std::uint32_t shared_buffers_mb = 0; ///< 0: a sixteenth of the memory, 256 MB to 1 GB
  std::uint32_t max_wal_size_mb = 8192;
  std::uint32_t max_connections = 40;
  bool durable = true; ///< false: fsync and synchronous_commit off, for tests of plain SQL only
  bool outlives_owner = true; ///< false: the kernel ends the server with the thread that started it
  std::string extra; ///< further lines for the server's configuration; the last one of a name wins
};

/// A running private cluster; the destructor stops it. All calls block: for `main` before the
/// engine starts and after it has ended, for tools and for tests.
///
/// The directory holds `data/` (the cluster), `run/` (the socket), `server.log` and `lock`. Only
/// one process at a time can hold it. A server left over from a killed owner is stopped and started
/// anew, which rolls back what that owner had under way. Started by root, the server runs as the
/// user `postgres`.
class embedded_cluster {
public:
  /// Takes the directory, creates the cluster where there is none, and starts it. Refuses with
  /// `validation` for a directory that cannot be used, `conflict` when another process holds it,
  /// `storage_unavailable` when the server does not start; the text has the server's own words.
  [[nodiscard]] static result<embedded_cluster> start(const cluster_settings& settings);

  ~embedded_cluster();
  embedded_cluster(embedded_cluster&&) noexcept;
  embedded_cluster& operator=(embedded_cluster&&) noexcept;

  /// Connection string of the cluster's superuser for a database that exists.
  [[nodiscard]] std::string conninfo(const std::string& database = "postgres") const;
  /// Directory of the unix socket.
  [[nodiscard]] const std::filesystem::path& socket_directory() const noexcept;
  /// Process id of the server; 0 after its end was noticed.
  [[nodiscard]] pid_t server_pid() const noexcept;

  /// Whether the server runs; notices its end.
  [[nodiscard]] bool is_running() noexcept;
  /// Starts a server that has ended by itself anew, in the directory that is still ours: what it left
  /// behind is ended first. Waits until it takes connections, recovery included; a stop request ends
  /// the attempt. Refuses like `start`; may then be called again.
  result<void> start_again(const std::stop_token& stopping = {});
  /// Kills a backend of the server that no request can end. All sessions end with it, and the server
  /// recovers. Does nothing for a process that is not the server's.
  void kill_backend(pid_t backend) const;

  /// Fast shutdown: open transactions are rolled back, all is flushed. Waits, and leaves no process
  /// behind, also where the server has died. Idempotent.
  result<void> stop();

private:
  struct running;
  explicit embedded_cluster(std::unique_ptr<running> it) noexcept;
  std::unique_ptr<running> it_;
};

/// The directory with PostgreSQL's programs: /usr/lib/postgresql/15/bin, else what `pg_config
/// --bindir` says, else the place of `initdb` in PATH. Refuses with `storage_unavailable` when
/// there is none.
[[nodiscard]] result<std::filesystem::path> postgres_programs();

} // namespace accrue
