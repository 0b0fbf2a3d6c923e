// The server, its database or both are taken away in the middle of a load, at no chosen instant, and
// must then stand by every word they said: nothing acknowledged is missing, nothing is there twice.
#include "persistence/postgres_process.hpp"
#include "tests/support/server_process.hpp"
#include "tests/support/temporary_database.hpp"
#include "tests/system/load.hpp"
#include "tests/system/proof.hpp"

#include <catch2/catch_test_macros.hpp>

#include <csignal>
#include <string>
#include <thread>

using namespace accrue;
using namespace accrue::testing;

namespace {

/// All that the clients know holds, in the engine's words and in the rows.
void stands_by_its_word(remembering_clients& clients,
                        std::uint16_t port,
                        const std::string& conninfo) {
  clients.settle(port);
  clients.compare(port);
  INFO(clients.breaches());
  CHECK(clients.breaches().empty());
  CHECK(clients.open() == 0);
  CHECK(proven(conninfo).units > 0);
}

/// A process of the cluster that serves a connection of the server.
pid_t some_backend(const std::string& conninfo) {
  auto database = pg::session::open(conninfo);
  REQUIRE(database);
  const auto found = database->query("select pid from pg_stat_activity where backend_type = "
                                     "'client backend' and pid <> pg_backend_pid() order by "
                                     "(query like '%journal%') desc limit 1");
  REQUIRE(found);
  REQUIRE(found->rows() == 1);
  return found->i32(0, 0);
}

} // namespace

TEST_CASE("kill -9 of the server in mid-load loses nothing acknowledged and doubles nothing",
          "[pg][D6][D65]") {
  const server_directory directory;
  server_process server(directory.path());
  remembering_clients clients({.name = "killed"});
  for (const std::size_t receipts : {1500, 400, 2500}) {
    clients.start(server.port());
    clients.wait_for_receipts(receipts);
    server.kill();
    clients.wait_for_end();
    CHECK(clients.open() > 0); // it was in mid-load
    server.restart();
    stands_by_its_word(clients, server.port(), server.conninfo());
  }
  CHECK(server.stop() == 0);
}

TEST_CASE("kill -9 of a database backend in mid-load: the server recovers by itself", "[pg][D6]") {
  const server_directory directory;
  server_process server(directory.path());
  remembering_clients clients({.name = "backend"});
  clients.start(server.port());
  for (int round = 0; round < 2; ++round) {
    clients.wait_for_receipts(1000);
    REQUIRE(::kill(some_backend(server.conninfo()), SIGKILL) == 0);
  }
  clients.wait_for_receipts(3000);
  clients.finish();
  CHECK(clients.ends().empty()); // no connection to the server was lost
  stands_by_its_word(clients, server.port(), server.conninfo());
  CHECK(server.stop() == 0);
}

TEST_CASE("kill -9 of the database in mid-load: it is started again, and the server goes on",
          "[pg][D6]") {
  const server_directory directory;
  server_process server(directory.path());
  remembering_clients clients({.name = "database", .deadline_ms = 1000});
  clients.start(server.port());
  for (int round = 0; round < 2; ++round) {
    clients.wait_for_receipts(1000);
    REQUIRE(::kill(server.postmaster(), SIGKILL) == 0);
  }
  clients.wait_for_receipts(1000);
  clients.finish();
  CHECK(clients.ends().empty()); // no connection to the server was lost
  for (const auto& [code, _] : clients.refusals())
    CHECK((code == errc::storage_unavailable || code == errc::deadline_exceeded));
  stands_by_its_word(clients, server.port(), server.conninfo());
  CHECK(wire_client(server.port()).status("database").find("started again 2 times") !=
        std::string::npos);
  CHECK(server.stop() == 0);
  CHECK(postgres::servers_in(directory.path() / "data").empty());
}

TEST_CASE("SIGTERM in mid-load: all that was taken is answered, and the exit is clean", "[pg]") {
  const server_directory directory;
  server_process server(directory.path());
  remembering_clients clients({.name = "stopped"});
  clients.start(server.port());
  clients.wait_for_receipts(1000);

  // Meanwhile a second server on the same directory says why it cannot, and disturbs nobody.
  server_process second(directory.path(), {}, server_process::until::spawned);
  CHECK(second.wait_for_end() == 1);
  CHECK(second.output().find("is in use by process " + std::to_string(server.pid())) !=
        std::string::npos);
  clients.wait_for_receipts(200);

  // A batch of which one command is answered was taken whole.
  wire_client client(server.port());
  client.receipt(calls::put_customer("batch"));
  client.receipt(calls::grant("batch", "g", "100"));
  std::vector<wire::call> batch;
  for (int i = 0; i < 500; ++i)
    batch.push_back(calls::consume("batch", std::to_string(i), "0.01"));
  client.send(batch);
  std::size_t answered = std::holds_alternative<reply::receipt>(client.next_answer().body);
  server.signal(SIGTERM);
  while (answered < batch.size() &&
         std::holds_alternative<reply::receipt>(client.next_answer().body))
    ++answered;
  CHECK(answered == batch.size());
  CHECK(client.farewell().code == errc::storage_unavailable);

  CHECK(server.wait_for_end() == 0);
  CHECK(server.output().find("without an answer") == std::string::npos);
  clients.wait_for_end();
  CHECK(clients.refusals().empty());
  for (const auto& [how, count] : clients.ends()) {
    INFO(how);
    CHECK(how.find("the server stops") != std::string::npos);
  }
  server.restart();
  stands_by_its_word(clients, server.port(), server.conninfo());
  CHECK(server.stop() == 0);
}

TEST_CASE("SIGTERM during the start is an orderly end as well", "[pg]") {
  const server_directory directory;
  server_process server(directory.path(), {}, server_process::until::spawned);
  const auto cluster = directory.path() / "data";
  while (postgres::read_pid_file(cluster).pid == 0 && server.output().empty())
    std::this_thread::yield();
  CHECK(server.stop() == 0);
  CHECK(postgres::read_pid_file(cluster).pid == 0);
}

namespace {

/// The options of servers that share a database.
std::vector<std::string> sharing(const temporary_database& database, bool take_over = false) {
  std::vector<std::string> options{"--database-url", database.conninfo(), "--lease-ms", "1000"};
  if (take_over)
    options.emplace_back("--take-over");
  return options;
}

} // namespace

TEST_CASE("a second server on one database waits for the first one's lease", "[pg]") {
  const temporary_database database;
  const temporary_directory one, two;
  server_process first(one.path(), sharing(database));
  remembering_clients clients({.name = "lease"});
  clients.start(first.port());
  clients.wait_for_receipts(500);
  clients.finish();

  server_process second(two.path(), sharing(database), server_process::until::spawned);
  CHECK(second.wait_for_end() == 1);
  CHECK(second.output().find("another server owns this database") != std::string::npos);
  clients.start(first.port());
  clients.wait_for_receipts(500);

  first.kill();
  const auto killed_at = std::chrono::steady_clock::now();
  clients.wait_for_end();
  second.restart();
  CHECK(std::chrono::steady_clock::now() - killed_at <
        std::chrono::seconds(1 + 4)); // and its start
  stands_by_its_word(clients, second.port(), database.conninfo());
  CHECK(second.stop() == 0);
}

TEST_CASE("a server that was taken over while it stood still acknowledges nothing new", "[pg]") {
  constexpr auto lease = std::chrono::seconds(1);
  const temporary_database database;
  const temporary_directory one, two;
  server_process first(one.path(), sharing(database));
  remembering_clients clients({.name = "frozen"});
  clients.start(first.port());
  clients.wait_for_receipts(500);
  first.signal(SIGSTOP);
  const auto stopped_at = std::chrono::steady_clock::now();

  server_process second(two.path(), sharing(database, true));
  wire_client elsewhere(second.port());
  elsewhere.receipt(calls::put_customer("elsewhere"));
  elsewhere.receipt(calls::grant("elsewhere", "g", "1000"));
  for (int i = 0; std::chrono::steady_clock::now() < stopped_at + lease; ++i)
    elsewhere.receipt(calls::consume("elsewhere", std::to_string(i), "0.01"));

  // Answers that had left the store before it stood still may still come: they are in the database.
  clients.mark();
  first.signal(SIGCONT);
  CHECK(first.wait_for_end() == 3);
  clients.wait_for_end();
  CHECK(clients.receipts_after_mark() == 0);
  CHECK(first.output().find("ownership lost") != std::string::npos);
  stands_by_its_word(clients, second.port(), database.conninfo());
  CHECK(second.stop() == 0);
}
