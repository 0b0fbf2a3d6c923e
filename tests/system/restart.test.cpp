// A customer is the same after everything that takes it out of memory: a clean restart, retirement
// when idle, a snapshot in front of thousands of units. Crashes are in durability.test.cpp.
#include "tests/domain/catalog/random_catalog.hpp"
#include "tests/support/server_process.hpp"
#include "tests/support/temporary_database.hpp"
#include "tests/system/proof.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace accrue;
using namespace accrue::testing;

namespace {

template <class Body>
wire::call call(const std::string& customer, Body body, const std::string& key = {}) {
  wire::call c;
  c.customer = customer;
  c.key = key;
  c.body = command::any(std::move(body));
  return c;
}

instant at(const char* text) { return parse_instant(text).value(); }

command::create_charge charge(const char* id, const char* amount, const char* invoice_at) {
  command::create_charge c;
  c.id = id;
  c.amount = decimal::parse(amount).value();
  c.currency = "USD";
  c.service_period = {at("2024-03-01T00:00:00Z"), at("2024-04-01T00:00:00Z")};
  c.invoice_at = at(invoice_at);
  return c;
}

/// A life that touches everything this version has, up to a charge that the scheduler invoices.
std::vector<wire::call> first_half(const std::string& who) {
  auto credit_only = charge("from-credit", "3.33", "2024-04-01T00:00:00Z");
  credit_only.mode = settlement_mode::credit_only;
  command::put_customer tax;
  tax.tax.emplace(rating::tax_rate::make("VAT", decimal::parse("0.19").value()).value());
  return {
      call({}, command::create_credit_unit{"POINTS", 4}, "points"),
      call({}, command::put_billing_profile{false, {}, {}}, "profile"),
      call({}, command::put_catalog{random_catalog(5).catalog()}, "catalog"),
      calls::put_customer(who),
      call(who, tax, "tax"),
      calls::grant(who, "welcome", "50"),
      calls::grant(who, "points", "1.00006", "POINTS"),
      call(who, command::open_credit{"old", decimal::parse("7.77").value(), "USD", {}, {}}),
      calls::consume(who, "c1", "10.01"),
      calls::consume(who, "c2", "0.0003", "POINTS"),
      call(who, credit_only),
      call(who, command::advance_charge{"from-credit"}, "advance"),
      call(who, charge("march", "120", "2024-04-01T00:00:00Z")),
  };
}

/// What is done with its invoice, and a charge that waits for its own.
std::vector<wire::call> second_half(const std::string& who) {
  return {
      call(who, command::approve_invoice{"#1"}, "approve"),
      call(who, command::authorize_payment{"#1", decimal::parse("5").value()}, "authorize"),
      call(who, command::settle_payment{"#1", decimal::parse("2").value()}, "settle"),
      call(who, charge("later", "7", "2199-01-01T00:00:00Z")),
  };
}

std::vector<wire::call> questions(const std::string& who) {
  command::get_quote quote;
  quote.plan = "plan";
  quote.service_period = {at("2024-03-01T00:00:00Z"), at("2024-04-01T00:00:00Z")};
  return {calls::get_balance(who),
          calls::get_customer(who),
          call(who, command::get_charge{"march"}),
          call(who, command::get_charge{"later"}),
          call(who, command::get_charge{"from-credit"}),
          call(who, command::get_invoice{"#1"}),
          call(who, command::list_invoices{}),
          call({}, command::get_catalog{}),
          call(who, quote),
          call(who, command::get_accounts{})};
}

std::vector<reply::receipt> all_of(wire_client& client, const std::vector<wire::call>& asked) {
  std::vector<reply::receipt> given;
  for (const auto& one : asked) {
    INFO(given.size());
    given.push_back(client.receipt(one));
  }
  return given;
}

/// Asks again and again, for at most twenty seconds; whether it came true.
template <class Question>
bool soon(Question is_so) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < until)
    if (is_so())
      return true;
  return false;
}

bool all_retired(wire_client& client) {
  return soon([&] { return client.status("active_customers") == "0"; });
}

/// The commands of a whole life and their receipts.
struct lived {
  std::vector<wire::call> commands;
  std::vector<reply::receipt> receipts;
};

lived live(wire_client& client, const std::string& who) {
  lived life{first_half(who), {}};
  life.receipts = all_of(client, life.commands);
  REQUIRE(soon([&] {
    const auto answer = client.ask(call(who, command::get_invoice{"#1"}));
    return std::holds_alternative<reply::receipt>(answer.body);
  }));
  const auto rest = second_half(who);
  for (auto& given : all_of(client, rest))
    life.receipts.push_back(std::move(given));
  life.commands.insert(life.commands.end(), rest.begin(), rest.end());
  return life;
}

} // namespace

TEST_CASE("a restart changes nothing: state, invoices, charges, and the reply to every key [D6]",
          "[pg][D6][D65]") {
  const server_directory directory;
  server_process server(directory.path());
  const auto asked = questions("acme");
  lived life;
  std::vector<reply::receipt> answers;
  {
    wire_client client(server.port());
    life = live(client, "acme");
    answers = all_of(client, asked);
  }
  const auto& invoice = std::get<reply::invoice_view>(answers[5].body);
  CHECK(invoice.number == "ACME-000001");
  CHECK((invoice.authorized == 500));
  CHECK((invoice.settled == 200));
  CHECK(server.stop() == 0);
  for (int again = 0; again < 2;
       ++again) { // the second time with what the first one added: nothing
    server.restart();
    wire_client client(server.port());
    CHECK(all_of(client, asked) == answers);
    CHECK(all_of(client, life.commands) == life.receipts);
    CHECK(client.refused(calls::consume("acme", "c1", "10.02")).code == errc::idempotency_conflict);
    CHECK(all_of(client, asked) == answers);
    proven(server.conninfo());
    CHECK(server.stop() == 0);
  }
}

TEST_CASE("an idle customer is let go and comes back as it was, its commands in order [D65]",
          "[pg][D6][D65]") {
  const server_directory directory;
  server_process server(directory.path(), {"--sweep-ms", "100"});
  wire_client client(server.port());
  const auto life = live(client, "idle");
  const auto answers = all_of(client, questions("idle"));
  // One with a tail long enough for a snapshot on its way out.
  client.receipt(calls::put_customer("busy"));
  client.receipt(calls::grant("busy", "g", "100"));
  std::vector<wire::call> many;
  for (int i = 0; i < 400; ++i)
    many.push_back(calls::consume("busy", std::to_string(i), "0.01"));
  REQUIRE(client.answers(client.send(many), many.size()).size() == many.size());
  REQUIRE(all_retired(client));

  CHECK(all_of(client, questions("idle")) == answers);
  CHECK(all_of(client, life.commands) == life.receipts);
  REQUIRE(all_retired(client));

  // Activation in the middle of a stream of commands.
  many.clear();
  for (int i = 400; i < 800; ++i)
    many.push_back(calls::consume("busy", std::to_string(i), "0.01"));
  const auto first = client.send_each(many);
  std::vector<std::uint64_t> sequences(many.size());
  for (std::size_t i = 0; i < many.size(); ++i) {
    const auto answer = client.next_answer();
    REQUIRE(std::holds_alternative<reply::receipt>(answer.body));
    sequences[answer.to.request_id - first] = std::get<reply::receipt>(answer.body).sequence.value;
  }
  for (std::size_t i = 0; i < many.size(); ++i)
    CHECK(sequences[i] == 403 + i);
  CHECK(settled(state_of(client, "busy")) == 10'000 - 800);
  proven(server.conninfo());
  CHECK(server.stop() == 0);
}

TEST_CASE("thousands of units later, and after a restart, the first keys are still known [D6]",
          "[pg][D6]") {
  constexpr int units = 5200; // more than one snapshot and many times the exact keys
  const server_directory directory;
  server_process server(directory.path());
  auto with_key = calls::consume("long", "with-key", "0.01");
  with_key.key = "order-1";
  std::vector<wire::call> early{calls::put_customer("long"),
                                calls::grant("long", "g", "1000"),
                                with_key,
                                calls::consume("long", "0", "0.01")};
  std::vector<reply::receipt> receipts;
  {
    wire_client client(server.port());
    receipts = all_of(client, early);
    for (int from = 1; from < units; from += 650) {
      std::vector<wire::call> batch;
      for (int i = from; i < from + 650 && i < units; ++i)
        batch.push_back(calls::consume("long", std::to_string(i), "0.01"));
      const auto answers = client.answers(client.send(batch), batch.size());
      CHECK(std::holds_alternative<reply::receipt>(answers.back().body));
    }
  }
  const auto still_known = [&] {
    wire_client client(server.port());
    const auto before = state_of(client, "long");
    CHECK(before.sequence.value == units + 3);
    CHECK(settled(before) == 100'000 - units - 1);
    CHECK(all_of(client, early) == receipts);
    CHECK(client.receipt(calls::consume("long", "with-key", "0.01")) == receipts[2]);
    const auto conflict = errc::idempotency_conflict;
    CHECK(client.refused(calls::put_customer("long", "create", "EUR")).code == conflict);
    CHECK(client.refused(calls::grant("long", "g", "1001")).code == conflict);
    CHECK(client.refused(calls::consume("long", "0", "0.02")).code == conflict);
    auto other_id = calls::consume("long", "never-seen", "0.01");
    other_id.key = "order-1";
    CHECK(client.refused(other_id).code == conflict);
    CHECK(state_of(client, "long") == before);
  };
  still_known();
  auto database = pg::session::open(server.conninfo());
  REQUIRE(database);
  const auto snapshots = database->query("select 1 from snapshot where sequence > 4000");
  REQUIRE(snapshots);
  CHECK(snapshots->rows() == 1);
  CHECK(server.stop() == 0);
  server.restart();
  still_known();
  {
    wire_client client(server.port());
    CHECK(client.receipt(calls::consume("long", "new", "0.01")).sequence.value == units + 4);
  }
  proven(server.conninfo());
  CHECK(server.stop() == 0);
}
