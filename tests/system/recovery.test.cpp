// The database hangs, refuses, or goes away and stays away: the server says so at once, and goes on by
// itself when that is over. What happens to units in mid-load is proved in durability.test.cpp as well.
#include "domain/ids.hpp"
#include "persistence/pg.hpp"
#include "persistence/postgres_process.hpp"
#include "tests/support/lane_backend.hpp"
#include "tests/support/server_process.hpp"
#include "tests/system/load.hpp"
#include "tests/system/proof.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <thread>

using namespace accrue;
using namespace accrue::testing;

namespace {

namespace fs = std::filesystem;

void stands_by_its_word(remembering_clients& clients, const server_process& server) {
  clients.settle(server.port());
  clients.compare(server.port());
  INFO(clients.breaches());
  CHECK(clients.breaches().empty());
  CHECK(clients.open() == 0);
  CHECK(proven(server.conninfo()).units > 0);
}

pg::result run(const server_process& server, const std::string& sql) {
  auto database = pg::session::open(server.conninfo());
  REQUIRE(database);
  auto rows = database->query(sql);
  if (!rows)
    FAIL(rows.error().text);
  return std::move(*rows);
}

/// One customer's commands, one after another; each may be sent again with its key.
class witness {
public:
  explicit witness(std::uint16_t port) : client_(port) {
    client_.receipt(calls::put_customer("witness"));
    client_.receipt(calls::grant("witness", "g", "1000"));
    client_.receipt(calls::put_customer("probe"));
    client_.receipt(calls::grant("probe", "g", "1000"));
  }
  /// The answer to the next command: its code, or none for a receipt, which must be the next unit's.
  std::optional<errc> ask() {
    auto next = calls::consume("witness", std::to_string(done_), "0.01");
    next.deadline_ms = 1000;
    const auto answer = client_.ask(next);
    if (const auto* no = std::get_if<wire::refused>(&answer.body))
      return no->reason.code;
    CHECK(std::get<reply::receipt>(answer.body).sequence.value == ++done_);
    return std::nullopt;
  }
  /// Sends new commands until one is refused because the store is away. The key of one that is under
  /// way would not do: what became of it is unknown until the store is back.
  void until_away() {
    for (;;) {
      auto fresh = calls::consume("probe", std::to_string(++probes_), "0.01");
      fresh.deadline_ms = 1000;
      const auto answer = client_.ask(fresh);
      const auto* no = std::get_if<wire::refused>(&answer.body);
      if (no != nullptr && no->reason.code == errc::storage_unavailable)
        return;
      CHECK((no == nullptr || no->reason.code == errc::deadline_exceeded));
    }
  }
  void until_back() {
    for (auto code = ask(); code; code = ask()) {
      CHECK((*code == errc::deadline_exceeded || *code == errc::storage_unavailable));
      std::this_thread::sleep_for(std::chrono::milliseconds(20)); // as a good client does
    }
  }
  wire_client& client() { return client_; }

private:
  wire_client client_;
  std::uint64_t done_ = 2;
  std::uint64_t probes_ = 0;
};

/// N of "…, try N to start it: …", 0 without it.
unsigned long tries_told(const std::string& status) {
  const std::string before = ", try ";
  const auto at = status.find(before);
  return at == std::string::npos ? 0 : std::stoul(status.substr(at + before.size()));
}

void signal_all(const fs::path& data, int number) {
  for (const auto pid : postgres::servers_in(data / "data"))
    ::kill(pid, number);
}

} // namespace

TEST_CASE("a backend that hangs under a batch is got rid of, and nothing is lost", "[pg][D6]") {
  const server_directory directory;
  server_process server(directory.path(), {"--lease-ms", "1000"});
  witness somebody(server.port());
  remembering_clients clients({.name = "hung", .deadline_ms = 1000});
  clients.start(server.port());
  clients.wait_for_receipts(500);
  signal_within_a_batch(server.conninfo(), SIGSTOP);
  somebody.until_away();
  CHECK(somebody.client().status("store").find("away") != std::string::npos);
  // Nobody continues it: the statement's time passes, and the backend is ended.
  clients.wait_for_receipts(500);
  somebody.until_back();
  clients.finish();
  CHECK(clients.ends().empty());
  CHECK(server.output().find("hangs and holds up a lane") != std::string::npos);
  stands_by_its_word(clients, server);
  CHECK(server.stop() == 0);
}

TEST_CASE("a whole database that stands still is waited for, and commands are refused meanwhile",
          "[pg][D6]") {
  const server_directory directory;
  server_process server(directory.path());
  witness somebody(server.port());
  remembering_clients clients({.name = "still", .deadline_ms = 1000});
  clients.start(server.port());
  clients.wait_for_receipts(500);
  signal_all(directory.path(), SIGSTOP);
  somebody.until_away();
  // A customer that nobody knows cannot be read, and is not waited for without end.
  CHECK(somebody.client().refused(calls::get_balance("stranger")).code ==
        errc::storage_unavailable);
  signal_all(directory.path(), SIGCONT);
  somebody.until_back();
  clients.wait_for_receipts(500);
  clients.finish();
  CHECK(clients.ends().empty());
  stands_by_its_word(clients, server);
  CHECK(server.stop() == 0);
}

TEST_CASE("a database that cannot be started is tried again and again; the server stays", "[pg]") {
  const server_directory directory;
  server_process server(directory.path());
  witness somebody(server.port());
  const auto settings = directory.path() / "data" / "postgresql.conf";
  fs::rename(settings, directory.path() / "aside.conf");
  REQUIRE(::kill(server.postmaster(), SIGKILL) == 0);
  somebody.until_away();
  while (tries_told(somebody.client().status("database")) < 3)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(somebody.ask() == errc::storage_unavailable);

  SECTION("it goes on when the fault has passed") {
    fs::rename(directory.path() / "aside.conf", settings);
    somebody.until_back();
    CHECK(server.stop() == 0);
  }
  SECTION("it can be stopped, and nothing stays behind") {
    CHECK(server.stop() == 0);
    CHECK(postgres::servers_in(directory.path() / "data").empty());
    fs::rename(directory.path() / "aside.conf", settings);
    server.restart();
    CHECK(wire_client(server.port())
              .receipt(calls::consume("witness", "next", "0.01"))
              .sequence.value >= 3);
    CHECK(server.stop() == 0);
  }
}

TEST_CASE("a disk that is full or fails is waited for", "[pg][D6]") {
  const server_directory directory;
  server_process server(directory.path());
  run(server, "create table fault (code text)");
  run(server, "grant select on fault to public");
  run(server,
      "create function fail() returns trigger language plpgsql as $$ begin"
      " if exists (select 1 from fault) then"
      "  raise exception 'injected' using errcode = (select code from fault); end if;"
      " return new; end $$");
  run(server, "create trigger fail before insert on batch for each row execute function fail()");
  witness somebody(server.port());
  remembering_clients clients({.name = "disk", .deadline_ms = 1000});
  for (const char* const code : {"53100", "58030"}) {
    clients.start(server.port());
    clients.wait_for_receipts(300);
    run(server, fmt::format("insert into fault values ('{}')", code));
    somebody.until_away();
    run(server, "delete from fault");
    somebody.until_back();
    clients.wait_for_receipts(300);
    clients.finish();
    CHECK(clients.ends().empty());
  }
  stands_by_its_word(clients, server);
  CHECK(server.stop() == 0);
}

TEST_CASE("a reading connection that is lost is opened again, and nobody is refused for it",
          "[pg]") {
  const server_directory directory;
  server_process server(directory.path());
  wire_client client(server.port());
  for (int i = 0; i < 5; ++i) {
    run(server,
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where application_name = 'accrue reader'");
    CHECK(client.receipt(calls::put_customer("reader-" + std::to_string(i))).sequence.value == 1);
  }
  CHECK(server.stop() == 0);
}

TEST_CASE("numbers of customers and namespaces end at 31 bits with a refusal", "[pg][D65]") {
  const server_directory directory;
  // The greatest 31-bit number of a shard: 2^31 - 64 + shard.
  const auto shard = shard_of("default", "one-too-many");
  {
    server_process server(directory.path());
    run(server,
        fmt::format("insert into customer select namespace, {}, 'the-last', 0 from namespace",
                    2147483584U + shard));
    run(server, "insert into namespace values (2147483647, 'the-last')");
    CHECK(server.stop() == 0);
  }
  server_process server(directory.path());
  wire_client client(server.port());
  CHECK(client.refused(calls::put_customer("one-too-many")).code == errc::overflow);
  CHECK(client.refused(calls::put_customer("one-too-many", "again")).code == errc::overflow);
  std::string elsewhere = "elsewhere";
  while (shard_of("default", elsewhere) == shard)
    elsewhere += "-";
  CHECK(client.receipt(calls::put_customer(elsewhere)).sequence.value == 1);
  CHECK(server.stop() == 0);

  server_process second(
      directory.path(), {"--space", "one-too-many"}, server_process::until::spawned);
  CHECK(second.wait_for_end() == 1);
  CHECK(second.output().find("no namespace number is left") != std::string::npos);
}
