// One bad unit, one corrupt row, one throw: with the real server and PostgreSQL, under load of others who
// must not notice, and through the eyes of an operator. The rules are in tests/actors/quarantine.test.cpp.
#include "persistence/pg.hpp"
#include "tests/support/program.hpp"
#include "tests/support/server_process.hpp"
#include "tests/system/load.hpp"
#include "tests/system/proof.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace accrue;
using namespace accrue::testing;

namespace {

void run(const server_process& server, const std::string& sql) {
  auto database = pg::session::open(server.conninfo());
  REQUIRE(database);
  const auto done = database->query(sql);
  INFO((done ? "" : done.error().text));
  REQUIRE(done);
}

/// What an operator types at a terminal.
class console {
public:
  explicit console(const server_process& server)
      : where_("--server 127.0.0.1:" + std::to_string(server.port()) + " "),
        data_(server.data().string()) {}

  [[nodiscard]] program_outcome type(const std::string& command, const std::string& in = {}) const {
    return run_program("accrue", where_ + command, in);
  }
  /// What `quarantine list --json` says of a customer; null where it is not there.
  [[nodiscard]] nlohmann::json held(const std::string& customer) const {
    const auto list = type("--json quarantine list");
    REQUIRE(list.code == 0);
    const auto document = nlohmann::json::parse(list.out);
    for (const auto& item : document["quarantine"]["items"])
      if (item["customer"] == customer)
        return item;
    return nullptr;
  }
  /// Of the running server: rows and what it says are compared.
  [[nodiscard]] int verify() const { return type("verify --data-dir '" + data_ + "'").code; }

private:
  std::string where_;
  std::string data_;
};

void open_with_credit(wire_client& client, const std::string& customer) {
  client.receipt(calls::put_customer(customer));
  client.receipt(calls::grant(customer, "g", "100"));
}

/// The answer of a client that sends the same key again, as it is told to, while its customer is loaded.
wire::answer patient(wire_client& client, const wire::call& one) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (;;) {
    auto answer = client.ask(one);
    const auto* no = std::get_if<wire::refused>(&answer.body);
    if (no == nullptr || no->reason.code != errc::storage_unavailable)
      return answer;
    REQUIRE(std::chrono::steady_clock::now() < until);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void is_held(wire_client& client, const wire::call& one) {
  const auto answer = patient(client, one);
  REQUIRE(std::holds_alternative<wire::refused>(answer.body));
  CHECK(std::get<wire::refused>(answer.body).reason.code == errc::quarantined);
}

/// Others, who work all the time and are never refused anything.
class others {
public:
  explicit others(server_process& server) : server_(server), clients_({.name = "others"}) {
    start();
  }
  void start() {
    clients_.start(server_.port());
    go_on();
  }
  /// They get on, whatever happened.
  void go_on() { clients_.wait_for_receipts(300); }
  void pause() { clients_.finish(); }
  /// Nothing was refused to them so far. Before `did_not_notice`, which sends everything again at once: that
  /// may well be more than is let in.
  void were_not_refused() {
    pause();
    for (const auto& [code, count] : clients_.refusals())
      FAIL_CHECK(count << " were refused as " << to_string(code));
    CHECK(clients_.ends().empty());
  }
  void did_not_notice() {
    were_not_refused();
    clients_.settle(server_.port());
    clients_.compare(server_.port());
    INFO(clients_.breaches());
    CHECK(clients_.breaches().empty());
    CHECK(clients_.open() == 0);
  }

private:
  server_process& server_;
  remembering_clients clients_;
};

/// Waits until nobody is in memory: nothing is asked meanwhile but this.
void until_all_sleep(wire_client& client) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (client.status("active_customers") != "0") {
    REQUIRE(std::chrono::steady_clock::now() < until);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

} // namespace

TEST_CASE("a unit that the database refuses stops its customer, and nobody else",
          "[pg][quarantine]") {
  struct refusal_by {
    const char* name;
    std::vector<const char*> make;
    const char* unmake;
    const char* says; ///< part of what the operator reads
  };
  const std::vector<refusal_by> all = {
      {"check",
       {"alter table credit_grant add constraint no_gold check (reference <> 'gold')"},
       "alter table credit_grant drop constraint no_gold",
       "no_gold"},
      {"trigger",
       {"create function no_gold() returns trigger language plpgsql as $$ begin"
        " if new.reference = 'gold' then raise exception 'gold is not for sale'; end if;"
        " return new; end $$",
        "create trigger no_gold before insert on credit_grant for each row"
        " execute function no_gold()"},
       "drop function no_gold cascade",
       "gold is not for sale"}};
  const server_directory directory;
  server_process server(directory.path());
  others load(server);
  std::optional<wire_client> client(server.port());
  for (const auto& by : all) {
    INFO(by.name);
    const console operators(server); // the port is another one after each restart
    const std::string bad = std::string("bad-") + by.name;
    open_with_credit(*client, bad);
    for (const auto* statement : by.make)
      run(server, statement);
    const std::vector<wire::call> batch{calls::consume(bad, "before", "10"),
                                        calls::grant(bad, "gold", "1"),
                                        calls::consume(bad, "behind", "1"),
                                        calls::get_balance(bad)};
    const auto answers = client->answers(client->send(batch), batch.size());
    // What came before it is stored and was told; all that was computed from it is not.
    const auto stored = std::get<reply::receipt>(answers[0].body);
    CHECK(stored.sequence.value == 3);
    for (std::size_t i = 1; i < answers.size(); ++i)
      CHECK(std::get<wire::refused>(answers[i].body).reason.code == errc::storage_unavailable);
    is_held(*client, batch[1]);
    is_held(*client, batch[2]);
    CHECK(client->receipt(batch[0]) == stored);
    CHECK(settled(state_of(*client, bad)) == 9000);
    load.go_on();

    const auto why = operators.held(bad);
    REQUIRE(why.is_object());
    CHECK(why["kind"] == "store_refused");
    CHECK(why["last_good"] == 3);
    CHECK(why["refused"] == 2);
    CHECK(why["why"].get<std::string>().find(by.says) != std::string::npos);
    const auto list = operators.type("quarantine list");
    CHECK(list.code == 0);
    CHECK(list.out.find(bad) != std::string::npos);
    const auto lines =
        operators.type("console", "quarantine\nstuck\ninspect " + bad + "\nstatus\n");
    CHECK(lines.out.find(bad + "  since ") != std::string::npos);
    CHECK(lines.out.find("in quarantine since ") != std::string::npos);
    CHECK(client->status("quarantined_customers") == "1");
    CHECK(server.output().find("quarantine: customer " + bad) != std::string::npos);
    CHECK(server.output().find(by.says) != std::string::npos);

    // Lifted with the cause still there: the same unit brings it back.
    CHECK(operators.type("quarantine lift " + bad).out == bad + " goes on at sequence 3.\n");
    CHECK(client->receipt(calls::consume(bad, "meanwhile", "1")).sequence.value == 4);
    CHECK(client->refused(batch[1]).code == errc::storage_unavailable);
    is_held(*client, batch[1]);

    // A killed server comes back with it.
    load.pause();
    server.kill();
    server.restart();
    client.emplace(server.port());
    is_held(*client, batch[1]);
    load.start();

    run(server, by.unmake);
    const console again(server);
    CHECK(again.held(bad)["last_good"] == 4);
    const auto lifted = again.type("quarantine lift " + bad + " --reason 'sold out'");
    CHECK(lifted.code == 0);
    CHECK(server.output().find("lifted by accrue: sold out") != std::string::npos);
    CHECK(client->receipt(batch[1]).sequence.value == 5);
    CHECK(client->receipt(batch[2]).sequence.value == 6);
    // 100.00 and 1.00 of credit, less 10.00, 1.00 and 1.00.
    CHECK(settled(state_of(*client, bad)) == 8900);
    CHECK(again.type("quarantine lift " + bad).code == 1);
    CHECK(again.type("quarantine list").out == "Nobody is in quarantine.\n");
  }
  load.did_not_notice();
  CHECK(console(server).verify() == 0);
  CHECK(proven(server.conninfo()).units > 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("stored state that was damaged stops its customer at its next use, and nobody else",
          "[pg][quarantine]") {
  // $C stands for the customer's number.
  struct damage {
    const char* name;
    const char* sql;
  };
  const std::vector<damage> all = {
      {"body", "update journal set body = '\\x00' where customer = $C and sequence = 2"},
      {"value", "update journal set at = at + 1 where customer = $C and sequence = 3"},
      {"hash", "update journal set hash = sha256(hash) where customer = $C and sequence = 3"},
      {"row", "delete from journal where customer = $C and sequence = 3"},
      {"all", "delete from journal where customer = $C"},
      {"foreign",
       "update journal set body = (select body from journal j where j.customer = $C and"
       " j.sequence = 2) where customer = $C and sequence = 4"},
      {"snapshot", "update snapshot set body = '\\x55555555' where customer = $C"},
      {"segment", "update key_segment set body = '\\x55555555' where customer = $C"}};
  const auto with_number = [](std::string sql, const std::string& customer) {
    const auto number = "(select customer from customer where reference = '" + customer + "')";
    for (auto at = sql.find("$C"); at != std::string::npos; at = sql.find("$C"))
      sql.replace(at, 2, number);
    return sql;
  };
  const server_directory directory;
  server_process server(directory.path(), {"--sweep-ms", "50"});
  {
    wire_client client(server.port());
    for (const auto& d : all) {
      open_with_credit(client, d.name);
      // A snapshot is written before leaving where 250 units are not in one.
      std::vector<wire::call> units;
      for (int i = 0; i < 300; ++i)
        units.push_back(calls::consume(d.name, std::to_string(i), "0.01"));
      for (const auto& a : client.answers(client.send(units), units.size()))
        REQUIRE(std::holds_alternative<reply::receipt>(a.body));
    }
    until_all_sleep(client);
  }
  const std::vector<std::string> tables{"journal", "snapshot", "key_segment"};
  for (const auto& t : tables)
    run(server, fmt::format("create table whole_{0} as select * from {0}", t));
  for (const auto& d : all)
    run(server, with_number(d.sql, d.name));
  others load(server);
  const auto all_held = [&] {
    wire_client client(server.port());
    for (const auto& d : all) {
      INFO(d.name);
      is_held(client, calls::consume(d.name, "new", "0.01"));
      is_held(client, calls::get_balance(d.name));
      is_held(client, calls::consume(d.name, "0", "0.01"));
    }
    CHECK(client.status("quarantined_customers") == std::to_string(all.size()));
  };
  {
    wire_client client(server.port());
    for (const auto& d : all)
      CHECK(client.refused(calls::get_balance(d.name)).code == errc::storage_unavailable);
  }
  all_held();
  load.go_on();
  const console operators(server);
  for (const auto& d : all) {
    INFO(d.name);
    const auto why = operators.held(d.name);
    REQUIRE(why.is_object());
    CHECK(why["kind"] == "corrupt_state");
    CHECK(server.output().find(std::string("quarantine: customer ") + d.name) != std::string::npos);
    const auto lifted = operators.type(std::string("quarantine lift ") + d.name);
    CHECK(lifted.code == 1);
    CHECK(lifted.err.find("in quarantine again") != std::string::npos);
  }
  all_held();
  load.were_not_refused();
  CHECK(operators.verify() != 0);
  CHECK(server.stop() == 0);
  server.restart();
  CHECK(server.output().find(fmt::format("in quarantine: {};", all.size())) != std::string::npos);
  load.start();
  all_held();

  // Repaired by hand, as after a restore: each goes on where it was, with its keys.
  for (const auto& t : tables) {
    run(server,
        fmt::format("delete from {0} where (namespace, customer) in"
                    " (select namespace, customer from quarantine)",
                    t));
    run(server,
        fmt::format("insert into {0} select w.* from whole_{0} w join quarantine q"
                    " using (namespace, customer)",
                    t));
    run(server, "drop table whole_" + t);
  }
  const console again(server);
  wire_client client(server.port());
  for (const auto& d : all) {
    INFO(d.name);
    CHECK(again.type(std::string("quarantine lift ") + d.name).out ==
          std::string(d.name) + " goes on at sequence 302.\n");
    CHECK(client.receipt(calls::consume(d.name, "0", "0.01")).sequence.value == 3);
    CHECK(client.receipt(calls::consume(d.name, "new", "0.01")).sequence.value == 303);
    // 100.00 less 301 times 0.01.
    CHECK(settled(state_of(client, d.name)) == 9699);
  }
  load.did_not_notice();
  CHECK(again.verify() == 0);
  CHECK(proven(server.conninfo()).units > 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("a decision that throws stops its customer, and nobody else", "[pg][quarantine]") {
  const server_directory directory;
  {
    server_process server(directory.path());
    wire_client client(server.port());
    open_with_credit(client, "acme");
    CHECK(server.stop() == 0);
  }
  {
    server_process server(directory.path(), {"--throw-in", "acme"});
    others load(server);
    wire_client client(server.port());
    CHECK(settled(state_of(client, "acme")) == 10000);
    const std::vector<wire::call> batch{calls::consume("acme", "a", "1"),
                                        calls::consume("acme", "b", "1")};
    for (const auto& a : client.answers(client.send(batch), batch.size()))
      CHECK(std::get<wire::refused>(a.body).reason.code == errc::storage_unavailable);
    is_held(client, batch[0]);
    CHECK(settled(state_of(client, "acme")) == 10000);
    const auto why = console(server).held("acme");
    REQUIRE(why.is_object());
    CHECK(why["kind"] == "defect");
    CHECK(why["why"].get<std::string>().find("made to fail") != std::string::npos);
    load.did_not_notice();
    CHECK(server.stop() == 0);
  }
  server_process server(directory.path());
  wire_client client(server.port());
  is_held(client, calls::consume("acme", "a", "1"));
  const auto lifted = console(server).type("console", "lift acme the defect is gone\n");
  CHECK(lifted.out == "acme goes on at sequence 2\n");
  CHECK(server.output().find("the defect is gone") != std::string::npos);
  CHECK(client.receipt(calls::consume("acme", "a", "1")).sequence.value == 3);
  CHECK(console(server).verify() == 0);
  CHECK(proven(server.conninfo()).units > 0);
  CHECK(server.stop() == 0);
}
