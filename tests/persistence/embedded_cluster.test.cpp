// The private cluster's life: created, restarted, held by one process, and found again after kills.
#include "persistence/embedded_cluster.hpp"

#include "persistence/pg.hpp"
#include "persistence/postgres_process.hpp"
#include "tests/support/temporary_database.hpp"

#include <catch2/catch_test_macros.hpp>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <stop_token>
#include <thread>

namespace accrue {
namespace {

namespace fs = std::filesystem;
using testing::temporary_directory;

cluster_settings small(const fs::path& directory) {
  cluster_settings out;
  out.directory = directory;
  out.shared_buffers_mb = 32;
  out.max_wal_size_mb = 128;
  return out;
}

std::string one_value(const embedded_cluster& cluster, const std::string& sql) {
  auto database = pg::session::open(cluster.conninfo());
  if (!database)
    return database.error().text;
  const auto rows = database->execute(sql);
  if (!rows)
    return rows.error().text;
  return rows->rows() > 0 ? std::string(rows->text(0, 0)) : "";
}

/// This thread has no CAP_SYS_PTRACE while it lives.
class no_tracing {
public:
  no_tracing() {
    REQUIRE(::syscall(SYS_capget, &mine_, before_) == 0);
    auto now = before_[0];
    now.effective &= ~(1U << CAP_SYS_PTRACE);
    const __user_cap_data_struct both[]{now, before_[1]};
    REQUIRE(::syscall(SYS_capset, &mine_, both) == 0);
  }
  ~no_tracing() { ::syscall(SYS_capset, &mine_, before_); }
  no_tracing(const no_tracing&) = delete;
  no_tracing& operator=(const no_tracing&) = delete;

private:
  __user_cap_header_struct mine_{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct before_[2]{};
};

/// Starts a cluster in another process, which writes one row and is then killed. The server stays.
pid_t leave_a_server_behind(const fs::path& directory) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t owner = ::fork();
  if (owner == 0) {
    const auto cluster = embedded_cluster::start(small(directory));
    pid_t server = 0;
    if (cluster && one_value(*cluster, "CREATE TABLE t AS SELECT 42 AS id").empty())
      server = cluster->server_pid();
    (void)!::write(ends[1], &server, sizeof server);
    ::kill(::getpid(), SIGKILL);
  }
  pid_t server = 0;
  REQUIRE(::read(ends[0], &server, sizeof server) == sizeof server);
  REQUIRE(::waitpid(owner, nullptr, 0) == owner);
  ::close(ends[0]);
  ::close(ends[1]);
  REQUIRE(server > 0);
  return server;
}

TEST_CASE("a cluster is created, durable, private, and keeps its data over a restart", "[pg]") {
  const temporary_directory place;
  {
    auto cluster = embedded_cluster::start(small(place.path()));
    REQUIRE(cluster);
    CHECK(one_value(*cluster, "SHOW fsync") == "on");
    CHECK(one_value(*cluster, "SHOW synchronous_commit") == "on");
    CHECK(one_value(*cluster, "SHOW full_page_writes") == "on");
    CHECK(one_value(*cluster, "SHOW listen_addresses").empty());
    CHECK(cluster->socket_directory() == fs::canonical(place.path()) / "run");
    CHECK((fs::status(cluster->socket_directory()).permissions() & fs::perms::all) ==
          fs::perms::owner_all);
    CHECK(one_value(*cluster, "CREATE TABLE t AS SELECT 42 AS id").empty());
    REQUIRE(cluster->stop());
    REQUIRE(cluster->stop());
    CHECK_FALSE(pg::session::open(cluster->conninfo()));
  }
  const auto again = embedded_cluster::start(small(place.path()));
  REQUIRE(again);
  CHECK(one_value(*again, "SELECT id FROM t") == "42");
}

TEST_CASE("a second owner of the directory is told the process id of the first", "[pg]") {
  const temporary_directory place;
  auto first = embedded_cluster::start(small(place.path()));
  REQUIRE(first);
  const auto second = embedded_cluster::start(small(place.path()));
  REQUIRE_FALSE(second);
  CHECK(second.error().code == errc::conflict);
  CHECK(second.error().text.find("process " + std::to_string(::getpid())) != std::string::npos);
  REQUIRE(first->stop());
  CHECK(embedded_cluster::start(small(place.path())));
}

TEST_CASE("a server left over from a killed owner is replaced and nothing is lost", "[pg]") {
  const temporary_directory place;
  const pid_t left_over = leave_a_server_behind(place.path());
  REQUIRE(::kill(left_over, 0) == 0);
  const auto cluster = embedded_cluster::start(small(place.path()));
  REQUIRE(cluster);
  CHECK(cluster->server_pid() != left_over);
  CHECK(one_value(*cluster, "SELECT id FROM t") == "42");
}

TEST_CASE("a server left over that stands still is stopped in order", "[pg]") {
  const temporary_directory place;
  const pid_t left_over = leave_a_server_behind(place.path());
  for (const pid_t one : postgres::servers_in(place.path() / "data"))
    REQUIRE(::kill(one, SIGSTOP) == 0);
  const auto cluster = embedded_cluster::start(small(place.path()));
  REQUIRE(cluster);
  CHECK(cluster->server_pid() != left_over);
  CHECK(one_value(*cluster, "SELECT id FROM t") == "42");
  // Not by force, half a minute later: there was nothing to recover.
  CHECK(postgres::slurp(place.path() / "server.log").find("not properly shut down") ==
        std::string::npos);
}

TEST_CASE("a server that was killed with its owner recovers", "[pg]") {
  const temporary_directory place;
  REQUIRE(::kill(leave_a_server_behind(place.path()), SIGKILL) == 0);
  const auto cluster = embedded_cluster::start(small(place.path()));
  REQUIRE(cluster);
  CHECK(one_value(*cluster, "SELECT id FROM t") == "42");
}

TEST_CASE("a pid file that names an unrelated process is stale", "[pg]") {
  const temporary_directory place;
  REQUIRE(embedded_cluster::start(small(place.path())));
  std::ofstream(place.path() / "data" / "postmaster.pid") << ::getpid() << "\n/nowhere\n";
  CHECK(embedded_cluster::start(small(place.path())));
}

TEST_CASE("a cluster that was half made is made anew", "[pg]") {
  const temporary_directory place;
  REQUIRE(embedded_cluster::start(small(place.path())));
  fs::rename(place.path() / "data", place.path() / "data.new");
  fs::remove(place.path() / "data.new" / "PG_VERSION");
  CHECK(embedded_cluster::start(small(place.path())));
}

TEST_CASE("a directory whose path is too long or odd for a socket gets a short one", "[pg]") {
  const temporary_directory place;
  const fs::path odd = place.path() / ("it's odd, " + std::string(90, 'x'));
  fs::path sockets;
  {
    const auto cluster = embedded_cluster::start(small(odd));
    REQUIRE(cluster);
    sockets = cluster->socket_directory();
    CHECK(sockets.native().size() < 90);
    CHECK(one_value(*cluster, "SELECT 'well'") == "well");
  }
  CHECK_FALSE(fs::exists(sockets));
}

TEST_CASE("a directory that cannot be used is refused in plain words", "[pg]") {
  const auto nowhere = embedded_cluster::start(small("/proc/none/accrue"));
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().code == errc::validation);
  CHECK(nowhere.error().text.starts_with("cannot create the directory"));
  const temporary_directory place;
  std::ofstream(place.path()) << "a file";
  const auto file = embedded_cluster::start(small(place.path()));
  REQUIRE_FALSE(file);
  CHECK(file.error().code == errc::validation);
}

TEST_CASE("settings that the server does not accept are told in its own words", "[pg]") {
  const temporary_directory place;
  auto wrong = small(place.path());
  wrong.extra = "no_such_setting = 1";
  const auto cluster = embedded_cluster::start(wrong);
  REQUIRE_FALSE(cluster);
  CHECK(cluster.error().code == errc::storage_unavailable);
  CHECK(cluster.error().text.find("no_such_setting") != std::string::npos);
  CHECK(embedded_cluster::start(small(place.path())));
}

TEST_CASE("a server that died by itself can be stopped and started again", "[pg]") {
  const temporary_directory place;
  auto cluster = embedded_cluster::start(small(place.path()));
  REQUIRE(cluster);
  REQUIRE(::kill(cluster->server_pid(), SIGKILL) == 0);
  CHECK(cluster->stop());
  CHECK(embedded_cluster::start(small(place.path())));
}

TEST_CASE("a server that died is started again in place, and its orphans are ended first", "[pg]") {
  const temporary_directory place;
  auto cluster = embedded_cluster::start(small(place.path()));
  REQUIRE(cluster);
  CHECK(cluster->is_running());
  CHECK(one_value(*cluster, "CREATE TABLE t AS SELECT 42 AS id").empty());
  // An orphan that stands still would keep the shared memory for ever.
  auto session = pg::session::open(cluster->conninfo());
  REQUIRE(session);
  const pid_t orphan = session->query("SELECT pg_backend_pid()")->i32(0, 0);
  REQUIRE(::kill(orphan, SIGSTOP) == 0);
  const pid_t first = cluster->server_pid();
  REQUIRE(::kill(first, SIGKILL) == 0);
  while (cluster->is_running())
    std::this_thread::yield();
  CHECK(cluster->server_pid() == 0);
  REQUIRE(cluster->start_again());
  CHECK(cluster->is_running());
  CHECK(cluster->server_pid() != first);
  CHECK(one_value(*cluster, "SELECT id FROM t") == "42");
  CHECK(cluster->start_again()); // it runs: nothing to do
  REQUIRE(cluster->stop());
  CHECK(postgres::servers_in(place.path() / "data").empty());
  CHECK_FALSE(cluster->start_again());
}

TEST_CASE("an attempt to start ends when it is told to stop", "[pg]") {
  const temporary_directory place;
  auto cluster = embedded_cluster::start(small(place.path()));
  REQUIRE(cluster);
  REQUIRE(::kill(cluster->server_pid(), SIGKILL) == 0);
  while (cluster->is_running())
    std::this_thread::yield();
  std::stop_source stopping;
  stopping.request_stop();
  CHECK_FALSE(cluster->start_again(stopping.get_token()));
  CHECK(postgres::servers_in(place.path() / "data").empty());
  CHECK(cluster->start_again());
}

TEST_CASE("root that may not look into other users' processes still knows its servers", "[pg]") {
  const temporary_directory directory;
  auto cluster = embedded_cluster::start(small(directory.path()));
  REQUIRE(cluster);
  const fs::path data = directory.path() / "data";
  const auto all = postgres::servers_in(data);
  {
    const no_tracing as_in_a_container;
    CHECK(postgres::look_at(cluster->server_pid(), data) == postgres::process::our_server);
    CHECK(postgres::look_at(::getpid(), data) == postgres::process::a_stranger);
    CHECK(postgres::servers_in(data).size() >=
          2); // the postmaster and what it always has beside it
  }
  CHECK(all.size() >= 2);
  CHECK(cluster->stop());
}

TEST_CASE("a killed backend takes all sessions with it, and the server recovers", "[pg]") {
  const temporary_directory place;
  auto cluster = embedded_cluster::start(small(place.path()));
  REQUIRE(cluster);
  auto session = pg::session::open(cluster->conninfo());
  REQUIRE(session);
  const pid_t backend = session->query("SELECT pg_backend_pid()")->i32(0, 0);
  REQUIRE(::kill(backend, SIGSTOP) == 0);
  cluster->kill_backend(::getpid());            // not its own
  cluster->kill_backend(cluster->server_pid()); // no backend
  cluster->kill_backend(backend);
  while (postgres::look_at(backend, place.path() / "data") == postgres::process::our_server)
    std::this_thread::yield();
  CHECK(cluster->is_running());
  // The sessions end; new ones are taken when it has recovered.
  while (one_value(*cluster, "SELECT 1") != "1")
    std::this_thread::yield();
}

} // namespace
} // namespace accrue
