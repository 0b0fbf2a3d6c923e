// Credit as clients meet it, through the real server and PostgreSQL: payments, holds, corrections and the past,
// also after a kill. The numbers themselves are the domain's tests.
#include "tests/support/server_process.hpp"
#include "tests/system/proof.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace accrue;
using namespace accrue::testing;

namespace {

constexpr std::int64_t minute_ns = 60 * ns_per_second;

wire::call of(command::any body, std::string key = {}) {
  wire::call c;
  c.customer = "acme";
  c.key = std::move(key);
  c.body = std::move(body);
  return c;
}

decimal dec(std::string_view text) { return decimal::parse(text).value(); }

command::grant_credit half_price(const std::string& id) {
  command::grant_credit g;
  g.id = id;
  g.amount = dec("100");
  g.currency = "USD";
  g.funding = command::grant_funding::external;
  g.cost_basis = dec("0.5");
  return g;
}

command::reserve
reserve(const std::string& id, std::string_view amount, const std::string& currency = "USD") {
  return {id, dec(amount), currency, {}, 10 * minute_ns, false};
}

reply::balance balance(wire_client& client, const std::string& currency = "USD") {
  const auto r = client.receipt(of(command::get_balance{currency, {}, {}}));
  return std::get<reply::balances>(r.body).items.at(0);
}

struct outcome {
  int code;
  std::string out;
};
outcome accrue_program(const std::string& arguments) {
  FILE* pipe = popen((std::string(ACCRUE_BIN_DIR) + "/accrue " + arguments + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string out;
  std::array<char, 4096> buffer{};
  while (const auto n = std::fread(buffer.data(), 1, buffer.size(), pipe))
    out.append(buffer.data(), n);
  return {WEXITSTATUS(pclose(pipe)), out};
}

} // namespace

TEST_CASE("payments, holds, corrections and the past outlive a kill", "[credit]") {
  const server_directory data;
  server_process server(data.path());
  {
    wire_client client(server.port());
    client.receipt(calls::put_customer("acme"));
    client.receipt(of(half_price("pack")));
    client.receipt(of(command::authorize_grant{"pack", dec("20")}, "pay-1"));
    client.receipt(of(reserve("run", "30")));
    client.receipt(calls::consume("acme", "job", "12"));
    client.receipt(of(command::correct_charge{"job", dec("2")}, "c-1"));
  }
  server.kill();
  server.restart();
  wire_client client(server.port());
  // 100 granted, 12 used, 2 given back: 90, of which 30 are held.
  CHECK(balance(client).settled == 9000);
  CHECK(balance(client).reserved == 3000);
  CHECK(balance(client).live == 6000);
  const auto operators = (data.path() / "asked").string();
  std::ofstream(operators) << "inspect acme\n";
  const auto told = accrue_program("--server 127.0.0.1:" + std::to_string(server.port()) +
                                   " console < " + operators);
  CHECK(told.out.find("reservations 1, the first ends ") != std::string::npos);
  CHECK(told.out.find("units since the last snapshot and statement block 6,") != std::string::npos);
  // The same keys again: nothing happens.
  client.receipt(of(command::authorize_grant{"pack", dec("20")}, "pay-1"));
  client.receipt(of(command::correct_charge{"job", dec("2")}, "c-1"));
  const auto g = std::get<reply::grant_view>(client.receipt(of(command::get_grant{"pack"})).body);
  CHECK(g.fiat_amount == 5000);
  CHECK(g.authorized == 2000);
  client.receipt(of(command::settle_reservation{"run", dec("25")}));
  client.receipt(of(command::correct_charge{"run", std::nullopt}, "c-2"));
  CHECK(balance(client).settled == 9000);
  CHECK(balance(client).reserved == 0);
  CHECK(client.refused(of(command::settle_reservation{"run", dec("26")})).code ==
        errc::idempotency_conflict);
  CHECK(client.refused(of(command::release_reservation{"none"})).code == errc::not_found);
  // 10 of the consume are left to be earned: the reservation gave everything back.
  const auto earned =
      std::get<reply::recognized>(client.receipt(of(command::recognize{}, "r-1")).body);
  REQUIRE(earned.amounts.size() == 1);
  CHECK(earned.amounts[0].amount == 1000);
  // What is free and unpaid goes without a trace: 60 were not authorised, 30 are the customer's 15.00.
  client.receipt(of(command::void_grant{"pack", false}, "v-1"));
  CHECK(balance(client).settled == 0);
  CHECK(proven(server.conninfo()).found == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("the past is told row by row", "[credit]") {
  const server_directory data;
  server_process server(data.path());
  wire_client client(server.port());
  client.receipt(calls::put_customer("acme"));
  CHECK(std::get<reply::transactions>(client.receipt(of(command::list_transactions{})).body)
            .rows.empty());
  client.receipt(calls::grant("acme", "g", "100"));
  constexpr int jobs = 1500; // more than is read at once
  std::vector<wire::call> all;
  for (int n = 0; n < jobs; ++n)
    all.push_back(calls::consume("acme", "job-" + std::to_string(n), "0.01"));
  for (int from = 0; from < jobs; from += 100)
    CHECK(
        client
            .answers(client.send(std::span(all).subspan(static_cast<std::size_t>(from), 100)), 100)
            .size() == 100);
  client.receipt(of(command::correct_charge{"job-7", std::nullopt}, "c"));
  command::list_transactions q;
  q.limit = 100;
  std::size_t rows = 0;
  int128 newer = 10000 - jobs + 1;
  do {
    const auto page = std::get<reply::transactions>(client.receipt(of(q)).body);
    for (const auto& r : page.rows) {
      CHECK(r.after == newer);
      newer = r.before;
    }
    rows += page.rows.size();
    q.after = page.next;
  } while (!q.after.empty());
  CHECK(rows == jobs + 2);
  CHECK(newer == 0);
  q.after = "yesterday";
  CHECK(client.refused(of(q)).code == errc::validation);
  const auto before = client.receipt(of(command::get_balance{"USD", {}, instant{0}}));
  CHECK(std::get<reply::balances>(before.body).items.at(0).settled == 0);
  CHECK(std::get<reply::balances>(before.body).items.at(0).historical);
}

TEST_CASE("a long past is told from blocks, which are made again where they are gone",
          "[credit][D35]") {
  const server_directory data;
  server_process server(data.path());
  constexpr int jobs = 9000; // two blocks of 4,096 units, and some
  const auto rows_of = [&] {
    wire_client client(server.port());
    std::vector<reply::transactions::row> all;
    command::list_transactions q;
    q.limit = 100;
    do {
      const auto page = std::get<reply::transactions>(client.receipt(of(q)).body);
      all.insert(all.end(), page.rows.begin(), page.rows.end());
      q.after = page.next;
    } while (!q.after.empty());
    return all;
  };
  {
    wire_client client(server.port());
    client.receipt(calls::put_customer("acme"));
    client.receipt(calls::grant("acme", "g", "100"));
    std::vector<wire::call> some;
    for (int n = 0; n < jobs; ++n) {
      some.push_back(calls::consume("acme", "job-" + std::to_string(n), "0.01"));
      if (some.size() < 500)
        continue;
      CHECK(client.answers(client.send(some), some.size()).size() == some.size());
      some.clear();
    }
  }
  const auto rows = rows_of();
  REQUIRE(rows.size() == jobs + 1);
  for (std::size_t i = 0; i < jobs; ++i)
    if (rows[i].reference != "job-" + std::to_string(jobs - 1 - i) ||
        rows[i].after != 10000 - (jobs - static_cast<int>(i)))
      FAIL("row " << i << " is " << rows[i].reference << ", " << to_string(rows[i].after));
  const auto blocks = [&] {
    auto database = pg::session::open(server.conninfo()).value();
    return std::string(database.execute("select count(*) from statement_block").value().text(0, 0));
  };
  CHECK(blocks() == "2");
  server.kill();
  server.restart();
  CHECK(rows_of() == rows);
  (void)pg::session::open(server.conninfo()).value().execute("delete from statement_block").value();
  CHECK(rows_of() == rows);
  CHECK(blocks() == "2");
  CHECK(proven(server.conninfo()).found == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("many reserve and settle on one customer at once, and nothing is lost", "[credit]") {
  const server_directory data;
  server_process server(data.path());
  constexpr int connections = 64;
  constexpr int each = 157; // 10,048 in all
  const auto [currency, granted, held, cost] =
      GENERATE(std::tuple("USD", "1000000", "5.00", "3.21"),
               std::tuple("NANO", "1000", "0.000000050", "0.000000021"));
  {
    wire_client client(server.port());
    wire::call unit;
    unit.key = "unit";
    unit.body = command::any(command::create_credit_unit{"NANO", 9});
    client.receipt(unit);
    client.receipt(calls::put_customer("acme"));
    client.receipt(calls::grant("acme", "g", granted, currency));
  }
  const auto start = balance(*std::make_unique<wire_client>(server.port()), currency).settled;
  std::mutex lock;
  std::vector<double> waits;
  int wrong = 0;
  std::vector<std::thread> clients;
  for (int c = 0; c < connections; ++c)
    clients.emplace_back([&, c] {
      std::vector<double> mine;
      int bad = 0;
      wire_client client(server.port());
      for (int n = 0; n < each; ++n) {
        const auto id = "r-" + std::to_string(c) + "-" + std::to_string(n);
        const auto from = std::chrono::steady_clock::now();
        for (const auto& call :
             {of(reserve(id, held, currency)), of(command::settle_reservation{id, dec(cost)})}) {
          const auto answer = client.ask(call);
          const auto* r = std::get_if<reply::receipt>(&answer.body);
          bad += r == nullptr || r->after.at(0).settled < 0 || r->after.at(0).live < 0 ? 1 : 0;
        }
        mine.push_back(
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - from)
                .count());
      }
      const std::lock_guard held_lock(lock);
      waits.insert(waits.end(), mine.begin(), mine.end());
      wrong += bad;
    });
  for (auto& t : clients)
    t.join();
  std::ranges::sort(waits);
  std::printf("%s: %zu pairs over %d connections, p50 %.2f ms, p99 %.2f ms a pair\n",
              currency,
              waits.size(),
              connections,
              waits[waits.size() / 2],
              waits[waits.size() * 99 / 100]);
  CHECK(wrong == 0);
  wire_client client(server.port());
  const auto end = balance(client, currency);
  const auto price = exact_money(dec(cost), end.currency).value().minor;
  CHECK(end.settled == start - price * connections * each);
  CHECK(end.reserved == 0);
  CHECK(end.live == end.settled);
  CHECK(proven(server.conninfo()).found == 0);
}

TEST_CASE("an import opens each customer whole, and again what is missing", "[credit][D68]") {
  const server_directory data;
  const server_process server(data.path());
  const auto file = data.path() / "balances.jsonl";
  std::ofstream(file)
      << R"({"customer": "a", "credits": [{"id": "o", "amount": "40", "currency": "USD"}]})"
      << "\n"
      << R"({"customer": "b", "credits": [{"id": "o", "amount": "7", "currency": "USD"},)"
      << R"( {"id": "p", "amount": "0", "currency": "USD"}]})"
      << "\n"
      << R"({"customer": "c", "advances": [{"id": "o", "amount": "5", "currency": "USD"}]})"
      << "\n";
  const auto import = [&] {
    return accrue_program("--server 127.0.0.1:" + std::to_string(server.port()) +
                          " import credits " + file.string());
  };
  auto first = import();
  INFO(first.out);
  CHECK(first.code == 1);
  CHECK(first.out.find("2 customers opened, 1 refused") != std::string::npos);
  CHECK(first.out.find("balances.jsonl:2: b: validation") != std::string::npos);
  wire_client client(server.port());
  const auto settled_of = [&](const std::string& customer) {
    const auto all = std::get<reply::balances>(client.receipt(calls::get_balance(customer)).body);
    return all.items.empty() ? int128{0} : all.items.at(0).settled;
  };
  CHECK(settled_of("a") == 4000);
  CHECK(settled_of("b") == 0);
  CHECK(settled_of("c") == -500);
  first = import();
  CHECK(settled_of("a") == 4000);
  CHECK(settled_of("c") == -500);
  std::ofstream(file) << "{\"customer\": \"a\", \"credit\": []}\n";
  const auto bad = import();
  CHECK(bad.code == 2);
  CHECK(bad.out.find("balances.jsonl:1") != std::string::npos);
}

TEST_CASE("an operator sees a customer's credit from the console, also one that nobody uses",
          "[credit]") {
  const server_directory data;
  server_process server(data.path());
  {
    wire_client client(server.port());
    client.receipt(calls::put_customer("acme"));
    client.receipt(of(half_price("pack")));
    client.receipt(calls::consume("acme", "job", "12"));
  }
  server.kill();
  server.restart();
  const auto lines = (data.path() / "lines").string();
  const auto say = [&](const std::string& text) {
    std::ofstream(lines) << text;
    return accrue_program("--server 127.0.0.1:" + std::to_string(server.port()) + " console < " +
                          lines);
  };
  const auto seen =
      say("balance acme\ngrants acme\ntransactions acme\nrecognize acme\nledger acme\n"
          "invoices acme\nrun-due acme\n");
  CHECK(seen.code == 0);
  CHECK(seen.out.find("USD         88.00  88.00") != std::string::npos);
  CHECK(seen.out.find("pack") != std::string::npos);
  CHECK(seen.out.find("consumed") != std::string::npos);
  // Half of 12 in money.
  CHECK(seen.out.find(" 6.00 USD") != std::string::npos);
  CHECK(seen.out.find("earnings") != std::string::npos);
  CHECK(say("balance nobody\n").code == 1);
  CHECK(say("help\n").out.find("ledger CUSTOMER") != std::string::npos);
  CHECK(server.stop() == 0);
}
