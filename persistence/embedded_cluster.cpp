// How a private PostgreSQL server is created, started, found again after a crash, and stopped.
// Nothing here speaks SQL or knows what the cluster stores.
#include "persistence/embedded_cluster.hpp"

#include "persistence/digest.hpp"
#include "persistence/postgres_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>
#include <vector>

namespace accrue {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

using postgres::account;
using postgres::open_file;

constexpr std::string_view socket_name = "/.s.PGSQL.5432";
constexpr std::size_t socket_path_max = 107;

std::string because() { return std::strerror(errno); }

/// Creates the directory where it is missing and gives what is new to the server's account.
result<void> make_directory(const fs::path& path, const account& owner) {
  std::error_code failed;
  if (fs::is_directory(path, failed))
    return {};
  if (path.has_parent_path() && !fs::exists(path.parent_path(), failed))
    fs::create_directories(path.parent_path(), failed);
  if (failed || ::mkdir(path.c_str(), 0700) != 0)
    return refuse(errc::validation,
                  fmt::format("cannot create the directory {}: {}",
                              path.string(),
                              failed ? failed.message() : because()),
                  path.string());
  if (owner.changed && ::chown(path.c_str(), owner.user, owner.group) != 0)
    return refuse(errc::validation,
                  fmt::format("cannot give the directory {} to the user 'postgres': {}",
                              path.string(),
                              because()),
                  path.string());
  return {};
}

/// The lock that makes this process the only one on the directory, until it ends however it ends.
result<open_file> take_lock(const fs::path& directory) {
  const fs::path path = directory / "lock";
  open_file lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.get() < 0)
    return refuse(errc::validation,
                  fmt::format("cannot open {}: {}", path.string(), because()),
                  path.string());
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    std::string holder = postgres::slurp(path);
    while (!holder.empty() && holder.back() == '\n')
      holder.pop_back();
    return refuse(errc::conflict,
                  fmt::format("the data directory {} is in use by process {}: stop that one first, "
                              "or use another directory",
                              directory.string(),
                              holder.empty() ? "(unknown)" : holder),
                  directory.string());
  }
  const std::string own = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock.get(), 0) != 0 || ::pwrite(lock.get(), own.data(), own.size(), 0) < 0)
    return refuse(errc::validation,
                  fmt::format("cannot write {}: {}", path.string(), because()),
                  path.string());
  return lock;
}

/// `run/` in the directory, or a short private place where that path does not fit into a socket
/// address or has characters that connection strings treat specially.
result<fs::path> socket_place(const fs::path& directory, const account& owner) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-+").find(c) != std::string_view::npos;
  };
  fs::path path = directory / "run";
  const std::string& text = path.native();
  if (text.size() + socket_name.size() > socket_path_max || !std::ranges::all_of(text, plain)) {
    const char* const runtime = owner.changed ? nullptr : std::getenv("XDG_RUNTIME_DIR");
    fs::path parent = runtime != nullptr && *runtime == '/' ? runtime : "/tmp";
    if (parent.native().size() > 60 || !std::ranges::all_of(parent.native(), plain))
      parent = "/tmp";
    path =
        parent / ("accrue-" + to_hex(fingerprint_of(digest_of(directory.native()))).substr(0, 16));
  }
  if (auto made = make_directory(path, owner); !made)
    return tl::unexpected<refusal>(made.error());
  // A place in /tmp may have been put there by somebody else.
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0 || !S_ISDIR(found.st_mode) || found.st_uid != owner.user ||
      (found.st_mode & 077) != 0)
    return refuse(errc::validation,
                  fmt::format("the socket directory {} must be a directory that only the server's "
                              "user can open (mode 0700); remove it or put that right",
                              path.string()),
                  path.string());
  return path;
}

std::uint32_t shared_buffers_mb(const cluster_settings& settings) {
  if (settings.shared_buffers_mb != 0)
    return settings.shared_buffers_mb;
  const auto pages = static_cast<std::uint64_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES)));
  const auto page = static_cast<std::uint64_t>(std::max(0L, ::sysconf(_SC_PAGESIZE)));
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(pages * page >> 24, 256, 1024));
}

std::string configuration(const cluster_settings& settings, const fs::path& sockets) {
  const char* const durable = settings.durable ? "on" : "off";
  return fmt::format("# Written at every start; changes made here do not last.\n"
                     "listen_addresses = ''\n"
                     "port = 5432\n"
                     "unix_socket_directories = '{}'\n"
                     "unix_socket_permissions = 0700\n"
                     "max_connections = {}\n"
                     "shared_buffers = {}MB\n"
                     "fsync = {}\n"
                     "synchronous_commit = {}\n"
                     "full_page_writes = {}\n"
                     "wal_compression = lz4\n"
                     "min_wal_size = {}MB\n"
                     "max_wal_size = {}MB\n"
                     "checkpoint_timeout = 15min\n"
                     "jit = off\n"
                     "timezone = 'UTC'\n"
                     "log_timezone = 'UTC'\n"
                     "log_line_prefix = '%m [%p] '\n"
                     "{}\n",
                     sockets.string(),
                     settings.max_connections,
                     shared_buffers_mb(settings),
                     durable,
                     durable,
                     durable,
                     std::max(80U, settings.max_wal_size_mb / 8),
                     settings.max_wal_size_mb,
                     settings.extra);
}

/// PostgreSQL fills each new segment of its log with zeros before the commit that needs it goes on: 50 ms
/// for the usual 16 MB, and so in one percent of all answers of a young cluster. With 1 MB it is 3 ms.
///
/// initdb into a place of its own that is renamed when complete: a half-made cluster is never used.
result<void> create_cluster(const fs::path& programs,
                            const cluster_settings& settings,
                            const fs::path& directory,
                            const account& as) {
  const fs::path fresh = directory / "data.new";
  std::error_code failed;
  fs::remove_all(fresh, failed);
  if (auto made = make_directory(fresh, as); !made)
    return made;
  std::vector<std::string> command{(programs / "initdb").string(),
                                   "-D",
                                   fresh.string(),
                                   "--username=postgres",
                                   "--auth=trust",
                                   "--encoding=UTF8",
                                   "--locale=C",
                                   "--wal-segsize=1"};
  if (!settings.durable)
    command.emplace_back("--no-sync");
  const postgres::finished done = postgres::run(command, as);
  if (done.status != 0)
    return refuse(
        errc::storage_unavailable,
        fmt::format("initdb could not create a cluster in {}{}:\n{}",
                    fresh.string(),
                    as.changed ? " as user 'postgres' (who must be able to reach it)" : "",
                    done.output),
        directory.string());
  {
    std::ofstream main(fresh / "postgresql.conf", std::ios::app);
    main << "\ninclude 'accrue.conf'\n";
    if (!main.flush())
      return refuse(errc::validation, "cannot write " + (fresh / "postgresql.conf").string());
  }
  fs::rename(fresh, directory / "data", failed);
  if (failed)
    return refuse(errc::validation,
                  fmt::format("cannot rename {}: {}", fresh.string(), failed.message()));
  const open_file parent(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (settings.durable)
    ::fsync(parent.get());
  return {};
}

result<void> write_configuration(const fs::path& data, const std::string& text, const account& as) {
  const fs::path path = data / "accrue.conf";
  std::ofstream out(path, std::ios::trunc);
  out << text;
  if (!out.flush() || (as.changed && ::chown(path.c_str(), as.user, as.group) != 0))
    return refuse(errc::validation, fmt::format("cannot write {}: {}", path.string(), because()));
  return {};
}

/// Deals with the server of an owner that was killed, and with what a killed server left behind.
result<void> clear_the_way(const fs::path& data) {
  const pid_t pid = postgres::read_pid_file(data).pid;
  switch (postgres::look_at(pid, data)) {
  case postgres::process::our_server:
    if (!postgres::shut_down(pid, false, data))
      return refuse(errc::storage_unavailable,
                    fmt::format("a server (process {}) was left over in {} and does not stop; "
                                "stop it by hand",
                                pid,
                                data.string()));
    break;
  case postgres::process::a_stranger: {
    // The number was given to another process since. We hold the lock, so the file is stale.
    std::error_code ignored;
    fs::remove(data / "postmaster.pid", ignored);
    break;
  }
  case postgres::process::gone:
  case postgres::process::dying:
    break;
  }
  if (!postgres::end_orphans(data))
    return refuse(errc::storage_unavailable,
                  fmt::format("processes of a dead server are left over in {} and cannot be ended",
                              data.string()));
  return {};
}

/// Whether a start failed only because remains of a killed server have not gone yet.
bool passes_by_itself(std::string_view log) {
  return log.find("already exists") != std::string_view::npos ||
         log.find("pre-existing shared memory block") != std::string_view::npos;
}

struct launch {
  fs::path programs;
  fs::path data;
  fs::path log;
  bool tied = false;
};

/// Starts the server and waits until it takes connections; recovery may take its time.
result<pid_t>
launch_server(const launch& what, const account& as, const std::stop_token& stopping = {}) {
  const auto retry_until = clock::now() + 10s;
  for (;;) {
    const open_file log(::open(what.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (log.get() < 0)
      return refuse(errc::validation,
                    fmt::format("cannot open {}: {}", what.log.string(), because()));
    const auto log_start = static_cast<std::uintmax_t>(::lseek(log.get(), 0, SEEK_END));
    const pid_t child =
        postgres::spawn({(what.programs / "postgres").string(), "-D", what.data.string()},
                        as,
                        log.get(),
                        what.tied);
    if (child < 0)
      return refuse(errc::storage_unavailable, "cannot fork: " + because());
    while (::waitpid(child, nullptr, WNOHANG) == 0) {
      const postgres::pid_file now = postgres::read_pid_file(what.data);
      if (now.pid == child && now.ready)
        return child;
      if (stopping.stop_requested()) {
        (void)postgres::shut_down(child, true, what.data);
        return refuse(errc::storage_unavailable, "the start was given up: this program stops");
      }
      std::this_thread::sleep_for(5ms);
    }
    const std::string said = postgres::slurp(what.log, log_start);
    if (!passes_by_itself(said) || clock::now() >= retry_until || stopping.stop_requested())
      return refuse(errc::storage_unavailable,
                    fmt::format("PostgreSQL did not start in {}:\n{}",
                                what.data.string(),
                                said.size() > 4000 ? said.substr(said.size() - 4000) : said),
                    what.data.string());
    std::this_thread::sleep_for(100ms);
  }
}

} // namespace

struct embedded_cluster::running {
  open_file lock;
  fs::path directory;
  fs::path data;
  fs::path sockets;
  launch how;
  account as{};
  pid_t server = 0;
};

result<fs::path> postgres_programs() {
  std::error_code failed;
  const fs::path usual = "/usr/lib/postgresql/15/bin";
  if (fs::exists(usual / "initdb", failed))
    return usual;
  const char* const path = std::getenv("PATH");
  std::istringstream places(path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin");
  std::optional<fs::path> in_path;
  for (std::string place; std::getline(places, place, ':');) {
    if (place.empty())
      continue;
    if (!in_path && fs::exists(fs::path(place) / "initdb", failed))
      in_path = place;
    if (!fs::exists(fs::path(place) / "pg_config", failed))
      continue;
    const account self{::geteuid(), ::getegid(), {}, false};
    const postgres::finished said =
        postgres::run({(fs::path(place) / "pg_config").string(), "--bindir"}, self);
    if (said.status == 0 && fs::exists(fs::path(said.output) / "initdb", failed))
      return fs::path(said.output);
  }
  if (in_path)
    return *in_path;
  return refuse(errc::storage_unavailable,
                "PostgreSQL's programs (initdb, postgres) were not found in "
                "/usr/lib/postgresql/15/bin, by pg_config, or in PATH: install postgresql-15, or "
                "use an existing server with --database-url");
}

result<embedded_cluster> embedded_cluster::start(const cluster_settings& settings) {
  const auto no = [](auto& failed) { return tl::unexpected<refusal>(std::move(failed.error())); };
  auto programs = postgres_programs();
  if (!programs)
    return no(programs);
  auto as = postgres::server_account();
  if (!as)
    return no(as);
  std::error_code failed;
  if (settings.directory.empty())
    return refuse(errc::validation, "the data directory has an empty name");
  const fs::path wanted = fs::absolute(settings.directory, failed).lexically_normal();
  if (auto made = make_directory(wanted, *as); !made)
    return no(made);
  auto it = std::make_unique<running>();
  it->directory = fs::canonical(wanted, failed);
  if (failed)
    return refuse(errc::validation,
                  fmt::format("cannot use {}: {}", wanted.string(), failed.message()));
  it->data = it->directory / "data";

  auto lock = take_lock(it->directory);
  if (!lock)
    return no(lock);
  it->lock = std::move(*lock);
  if (fs::exists(it->data / "PG_VERSION", failed)) {
    if (auto clear = clear_the_way(it->data); !clear)
      return no(clear);
  } else if (auto made = create_cluster(*programs, settings, it->directory, *as); !made) {
    return no(made);
  }
  auto sockets = socket_place(it->directory, *as);
  if (!sockets)
    return no(sockets);
  it->sockets = std::move(*sockets);
  if (auto written = write_configuration(it->data, configuration(settings, it->sockets), *as);
      !written)
    return no(written);
  const fs::path log = it->directory / "server.log";
  if (fs::exists(log, failed) && fs::file_size(log, failed) > (16U << 20))
    fs::rename(log, it->directory / "server.log.1", failed);
  it->how = {*programs, it->data, log, !settings.outlives_owner};
  it->as = *as;
  auto server = launch_server(it->how, it->as);
  if (!server)
    return no(server);
  it->server = *server;
  return embedded_cluster(std::move(it));
}

embedded_cluster::embedded_cluster(std::unique_ptr<running> it) noexcept : it_(std::move(it)) {}
embedded_cluster::embedded_cluster(embedded_cluster&&) noexcept = default;
embedded_cluster::~embedded_cluster() {
  if (it_)
    (void)stop();
}
embedded_cluster& embedded_cluster::operator=(embedded_cluster&& other) noexcept {
  std::swap(it_, other.it_);
  return *this;
}

std::string embedded_cluster::conninfo(const std::string& database) const {
  return fmt::format("host={} port=5432 user=postgres dbname={}", it_->sockets.string(), database);
}

const fs::path& embedded_cluster::socket_directory() const noexcept { return it_->sockets; }
pid_t embedded_cluster::server_pid() const noexcept { return it_->server; }

bool embedded_cluster::is_running() noexcept {
  if (it_->server != 0 && ::waitpid(it_->server, nullptr, WNOHANG) != 0)
    it_->server = 0;
  return it_->server != 0;
}

result<void> embedded_cluster::start_again(const std::stop_token& stopping) {
  if (is_running())
    return {};
  if (it_->lock.get() < 0)
    return refuse(errc::conflict, "the cluster was stopped", it_->directory.string());
  if (auto clear = clear_the_way(it_->data); !clear)
    return clear;
  auto server = launch_server(it_->how, it_->as, stopping);
  if (!server)
    return tl::unexpected<refusal>(std::move(server.error()));
  it_->server = *server;
  return {};
}

void embedded_cluster::kill_backend(pid_t backend) const {
  if (backend != it_->server &&
      postgres::look_at(backend, it_->data) == postgres::process::our_server)
    ::kill(backend, SIGKILL);
}

result<void> embedded_cluster::stop() {
  if (it_->lock.get() < 0)
    return {};
  const pid_t server = is_running() ? std::exchange(it_->server, 0) : 0;
  if (server != 0 && !postgres::shut_down(server, true, it_->data))
    return refuse(errc::storage_unavailable,
                  fmt::format("the PostgreSQL server (process {}) in {} does not stop",
                              server,
                              it_->directory.string()));
  if (server == 0)
    if (auto clear = clear_the_way(it_->data); !clear)
      return clear;
  std::error_code ignored;
  if (it_->sockets.parent_path() != it_->directory)
    fs::remove(it_->sockets, ignored);
  it_->lock = open_file();
  return {};
}

} // namespace accrue
