// Everything a client can do wrong, over a real socket to the real server on its own PostgreSQL: each
// gets its typed error, and nothing has changed. What the codec makes of bytes is tested in protocol.
#include "tests/support/server_process.hpp"
#include "tests/support/temporary_database.hpp"
#include "tests/support/wire_client.hpp"
#include "tests/system/proof.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <map>
#include <set>

using namespace accrue;
using namespace accrue::testing;

namespace {

constexpr std::chrono::milliseconds slow_limit{1500};

/// One server for this file: each test brings customers of its own.
server_process& server() {
  static const server_directory directory;
  static server_process it(directory.path(),
                           {"--hello-timeout-ms",
                            std::to_string(slow_limit.count()),
                            "--frame-timeout-ms",
                            std::to_string(slow_limit.count())});
  return it;
}

wire_client connect() { return wire_client(server().port()); }

/// A customer with 100.00 USD that must be as it was at the end.
class bystander {
public:
  explicit bystander(const std::string& name) : name_(name) {
    auto client = connect();
    client.receipt(calls::put_customer(name));
    client.receipt(calls::grant(name, "g", "100"));
    before_ = state_of(client, name);
  }
  /// Asked on a connection of its own, so that it works after the test's one was closed.
  void must_be_unchanged() const {
    auto client = connect();
    CHECK(state_of(client, name_) == before_);
  }
  [[nodiscard]] const reply::receipt& before() const noexcept { return before_; }

private:
  std::string name_;
  reply::receipt before_;
};

// Protobuf by hand, for what the codec would never write.
std::string varint(std::uint64_t value) {
  std::string out;
  for (; value > 0x7f; value >>= 7)
    out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}
std::string number(std::uint32_t field, std::uint64_t value) {
  return varint(std::uint64_t{field} << 3) + varint(value);
}
std::string bytes(std::uint32_t field, std::string_view content) {
  return varint(std::uint64_t{field} << 3 | 2) + varint(content.size()) + std::string(content);
}
std::string with_length(std::string_view payload, std::size_t announced) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(announced >> shift);
  return out.append(payload);
}
std::string framed(std::string_view payload) { return with_length(payload, payload.size()); }

// Field numbers of frame.proto and commands.proto.
std::string raw_request(std::string_view command) {
  return framed(bytes(3, number(1, 1) + bytes(2, command)));
}
std::string
raw_consume(const std::string& customer, std::string_view amount, std::string_view currency) {
  return bytes(1, customer) + bytes(12, bytes(1, "raw") + bytes(2, amount) + bytes(3, currency));
}
std::string
raw_grant(const std::string& customer, std::string_view amount, std::string_view currency) {
  return bytes(1, customer) + bytes(11, bytes(1, "raw") + bytes(2, amount) + bytes(3, currency));
}
std::string raw_hello(std::uint32_t version, std::string_view space) {
  return framed(bytes(1, number(1, version) + bytes(2, space)));
}

refusal refusal_of(const wire::answer& a) {
  const auto* no = std::get_if<wire::refused>(&a.body);
  REQUIRE(no != nullptr);
  return no->reason;
}

const reply::receipt& receipt_of(const wire::answer& a) {
  const auto* no = std::get_if<wire::refused>(&a.body);
  INFO((no == nullptr ? "" : describe(no->reason)));
  const auto* given = std::get_if<reply::receipt>(&a.body);
  REQUIRE(given != nullptr);
  return *given;
}

} // namespace

TEST_CASE("bytes that are no request end the connection with a reason, and nothing has changed",
          "[pg]") {
  const bystander someone("malformed");
  const std::string command = raw_consume("malformed", "1", "USD");
  const std::size_t limit = wire::frame_bytes_max_default;
  std::string empty_batch = framed(bytes(3, number(1, 1)));
  std::string large_batch = number(1, 1);
  for (int i = 0; i <= 1000; ++i)
    large_batch += bytes(2, command);
  const std::map<std::string, std::string> bad{
      {"a length of zero", with_length("", 0)},
      {"a length above the limit", with_length("", limit + 1)},
      {"the largest length", with_length("", 0xffffffff)},
      {"a frame above the limit, sent whole", framed(std::string(3 * limit, 'x'))},
      {"text", framed("GET / HTTP/1.1\r\n\r\n")},
      {"a message that is cut off", framed(bytes(3, command).substr(0, 20))},
      {"an empty frame body", framed(number(9, 1))},
      {"an unknown field beside the body", framed(bytes(3, bytes(2, command)) + number(99, 1))},
      {"an unknown field in the request", framed(bytes(3, bytes(2, command) + number(99, 1)))},
      {"a frame that only servers send", framed(bytes(2, number(1, 1)))},
      {"a batch of nothing", empty_batch},
      {"a batch above the limit", framed(bytes(3, large_batch))},
  };
  for (const auto& [what, sent] : bad) {
    INFO(what);
    auto client = connect();
    client.send_bytes(sent);
    CHECK(client.farewell().code == errc::validation);
  }
  someone.must_be_unchanged();
  proven(server().conninfo());
}

TEST_CASE("a frame that is cut off by the end of the connection does nothing", "[pg]") {
  const bystander someone("truncated");
  const auto whole = raw_request(raw_consume("truncated", "1", "USD"));
  for (std::size_t length = 1; length < whole.size(); length += 7) {
    auto client = connect();
    client.send_bytes(std::string_view(whole).substr(0, length));
  }
  someone.must_be_unchanged();
}

TEST_CASE("a slow frame and a silent connection are closed in time, a quiet one is not", "[pg]") {
  const bystander someone("slow");
  auto quiet = connect();
  auto silent = wire_client::silent(server().port());
  auto slow = connect();
  const auto whole = raw_request(raw_consume("slow", "1", "USD"));
  slow.send_bytes(std::string_view(whole).substr(0, whole.size() - 1));
  CHECK(silent.farewell().code == errc::unauthenticated);
  CHECK(slow.farewell().code == errc::validation);
  CHECK(state_of(quiet, "slow") == someone.before());
  someone.must_be_unchanged();
}

TEST_CASE("without a proper hello nothing is served", "[pg]") {
  const bystander someone("hello");
  const auto ask = raw_request(raw_consume("hello", "1", "USD"));
  struct row {
    const char* what;
    std::string sent;
    errc code;
  };
  const row rows[] = {
      {"a request first", ask, errc::unauthenticated},
      {"another version", raw_hello(2, "default") + ask, errc::unsupported_operation},
      {"no version", raw_hello(0, "default") + ask, errc::unsupported_operation},
      {"an unknown namespace", raw_hello(1, "nobody's") + ask, errc::not_found},
      {"no namespace", raw_hello(1, "") + ask, errc::validation},
      {"a second hello", raw_hello(1, "default") + raw_hello(1, "default") + ask, errc::validation},
  };
  for (const auto& r : rows) {
    INFO(r.what);
    auto client = wire_client::silent(server().port());
    client.send_bytes(r.sent);
    CHECK(client.farewell().code == r.code);
  }
  someone.must_be_unchanged();
}

TEST_CASE("a customer that nobody created is not found, and is not created by asking", "[pg]") {
  auto client = connect();
  const command::any commands[] = {
      std::get<command::any>(calls::consume("nobody", "c", "1").body),
      std::get<command::any>(calls::grant("nobody", "g", "1").body),
      command::advance_charge{"x"},
      command::invoice_pending{},
      command::pay_invoice{"#1"},
      command::get_balance{},
      command::get_customer{},
      command::list_invoices{},
      command::get_accounts{},
  };
  for (const auto& body : commands) {
    INFO(command::kind(body));
    wire::call c;
    c.customer = "nobody";
    c.key = "k";
    c.body = body;
    CHECK(client.refused(c).code == errc::not_found);
  }
  client.send_bytes(raw_request(raw_consume("", "1", "USD")));
  CHECK(refusal_of(client.next_answer()).code == errc::validation);
  CHECK(client.receipt(calls::put_customer("nobody")).sequence == sequence(1));
}

TEST_CASE("amounts that are none, wrong or too large are refused with their code [D2]",
          "[pg][D2]") {
  const bystander someone("amounts");
  struct row {
    const char* amount;
    const char* currency;
    errc consume;
    errc grant;
  };
  constexpr auto bad = errc::validation;
  const std::string digits_39(39, '9');
  const std::string digits_38(38, '9');
  const row rows[] = {
      {"-1", "USD", bad, bad},
      {"-0.01", "USD", bad, bad},
      {"0", "USD", bad, bad},
      {"0.00", "USD", bad, bad},
      {"", "USD", bad, bad},
      {"abc", "USD", bad, bad},
      {"1e3", "USD", bad, bad},
      {"+1", "USD", bad, bad},
      {" 1", "USD", bad, bad},
      {"1,00", "USD", bad, bad},
      {"1.", "USD", bad, bad},
      {".5", "USD", bad, bad},
      {"NaN", "USD", bad, bad},
      {"0.0000000000000000001", "USD", bad, bad},
      {digits_39.c_str(), "USD", bad, bad},
      {digits_38.c_str(), "USD", errc::overflow, errc::overflow},
      {"12676506002282294014967032053.77", "USD", errc::overflow, errc::overflow},
      {"0.004", "USD", bad, bad}, // a grant is rounded first, to nothing
      {"1", "usd", bad, bad},
      {"1", "US", bad, bad},
      {"1", "", bad, bad},
      {"1", "ZZZ", bad, bad},
      {"1", "NO-SUCH-UNIT", bad, bad},
  };
  auto client = connect();
  for (const auto& r : rows) {
    INFO(r.amount << " " << r.currency);
    client.send_bytes(raw_request(raw_consume("amounts", r.amount, r.currency)));
    CHECK(refusal_of(client.next_answer()).code == r.consume);
    client.send_bytes(raw_request(raw_grant("amounts", r.amount, r.currency)));
    CHECK(refusal_of(client.next_answer()).code == r.grant);
  }
  // Too precise: refused where it is taken, rounded where it is given.
  CHECK(client.refused(calls::consume("amounts", "c1", "0.001")).code == errc::validation);
  CHECK(client.refused(calls::consume("amounts", "c2", "1.5", "JPY")).code == errc::validation);
  // Another currency than the credit's, and more than there is.
  CHECK(client.refused(calls::consume("amounts", "c3", "1", "EUR")).code ==
        errc::insufficient_funds);
  CHECK(client.refused(calls::consume("amounts", "c4", "100.01")).code == errc::insufficient_funds);
  someone.must_be_unchanged();
  proven(server().conninfo());
}

TEST_CASE("balances of the largest amounts stay exact, and one cent more is overflow [D2]",
          "[pg][D2]") {
  const std::string largest = "12676506002282294014967032053.76"; // 2^100 cents
  auto client = connect();
  client.receipt(calls::put_customer("large"));
  int128 sum = 0;
  for (int i = 0; i < 5; ++i) {
    const auto done = client.receipt(calls::grant("large", "g" + std::to_string(i), largest));
    sum += int128{1} << 100;
    REQUIRE(done.after.size() == 1);
    CHECK((done.after.front().settled == sum));
  }
  const auto before = state_of(client, "large");
  CHECK(client.refused(calls::grant("large", "more", "12676506002282294014967032053.77")).code ==
        errc::overflow);
  CHECK(state_of(client, "large") == before);
  const auto taken = client.receipt(calls::consume("large", "all", largest));
  CHECK((taken.after.front().settled == sum - (int128{1} << 100)));
  proven(server().conninfo());
}

TEST_CASE("a key that comes again gives the same reply, and with other content a conflict [D6]",
          "[pg][D6]") {
  auto client = connect();
  CHECK(client.refused(calls::put_customer("keys", "")).code == errc::validation);
  CHECK(client.refused(calls::put_customer("keys", std::string(129, 'k'))).code ==
        errc::validation);
  const auto created = client.receipt(calls::put_customer("keys"));
  const auto granted = client.receipt(calls::grant("keys", "g", "100.004"));
  const auto consumed = client.receipt(calls::consume("keys", "c", "5"));
  auto with_key = calls::consume("keys", "d", "6");
  with_key.key = "order-17";
  const auto ordered = client.receipt(with_key);
  const auto before = state_of(client, "keys");

  SECTION("same content") {
    CHECK(client.receipt(calls::put_customer("keys")) == created);
    CHECK(client.receipt(calls::grant("keys", "g", "100.004")) == granted);
    CHECK(client.receipt(calls::grant("keys", "g", "100")) == granted); // rounded before compared
    CHECK(client.receipt(calls::consume("keys", "c", "5.00")) == consumed);
    CHECK(client.receipt(with_key) == ordered);
    CHECK(client.receipt(calls::consume("keys", "d", "6")) == ordered); // the id is a key as well
  }
  SECTION("other content") {
    const auto conflict = errc::idempotency_conflict;
    CHECK(client.refused(calls::put_customer("keys", "create", "EUR")).code == conflict);
    CHECK(client.refused(calls::grant("keys", "g", "100.01")).code == conflict);
    CHECK(client.refused(calls::consume("keys", "c", "5.01")).code == conflict);
    CHECK(client.refused(calls::consume("keys", "c", "5", "EUR")).code == conflict);
    auto other = calls::consume("keys", "e", "6"); // the key of "d"
    other.key = "order-17";
    CHECK(client.refused(other).code == conflict);
    auto id_again = calls::consume("keys", "d", "7");
    id_again.key = "order-18";
    CHECK(client.refused(id_again).code == conflict);
    auto default_key = calls::consume("keys", "f", "1"); // spells the default key of "c"
    default_key.key = "consume:c";
    CHECK(client.refused(default_key).code == conflict);
  }
  CHECK(state_of(client, "keys") == before);
  // Every section leaves the customer as it was, so the next finds the same receipts.
}

TEST_CASE("a refused command does not use up its key, and a repeat waits for the first [D6]",
          "[pg][D6]") {
  auto client = connect();
  client.receipt(calls::put_customer("again"));
  const auto wanted = calls::consume("again", "c", "5");
  CHECK(client.refused(wanted).code == errc::insufficient_funds);
  client.receipt(calls::grant("again", "g", "100"));
  const auto first = client.receipt(wanted);
  CHECK(settled(state_of(client, "again")) == 9500);
  CHECK(client.receipt(wanted) == first);
  // Ten times in one write: nine of them while the first is in flight.
  const std::vector<wire::call> same(10, calls::consume("again", "d", "1"));
  client.send_each(same);
  std::vector<reply::receipt> given;
  for (std::size_t i = 0; i < same.size(); ++i)
    given.push_back(receipt_of(client.next_answer()));
  for (const auto& one : given)
    CHECK(one == given.front());
  CHECK(settled(state_of(client, "again")) == 9400);
  proven(server().conninfo());
}

TEST_CASE("expected_sequence is a conflict when the customer has moved on", "[pg]") {
  auto client = connect();
  const bystander someone("expected");
  auto late = calls::consume("expected", "c", "1");
  late.expected_sequence = sequence(1);
  CHECK(client.refused(late).code == errc::conflict);
  late.expected_sequence = sequence(3);
  CHECK(client.refused(late).code == errc::conflict);
  someone.must_be_unchanged();
  late.expected_sequence = sequence(2);
  const auto done = client.receipt(late);
  CHECK(done.sequence == sequence(3));
  CHECK(client.receipt(late) == done); // a repeat is a repeat, wherever the customer is now
}

TEST_CASE("a bad command in a batch is refused in its place, the others are done", "[pg]") {
  const bystander someone("batch");
  auto client = connect();
  const auto command = [](const char* id, const char* amount) {
    return bytes(2,
                 bytes(1, "batch") + bytes(12, bytes(1, id) + bytes(2, amount) + bytes(3, "USD")));
  };
  client.send_bytes(framed(bytes(3,
                                 number(1, 1) + command("a", "1") + command("b", "1 dollar") +
                                     command("c", "1000") + command("d", "2"))));
  auto answers = client.answers(1, 4);
  CHECK(receipt_of(answers[0]).sequence == sequence(3));
  CHECK(refusal_of(answers[1]).code == errc::validation);
  CHECK(refusal_of(answers[2]).code == errc::insufficient_funds);
  CHECK(receipt_of(answers[3]).sequence == sequence(4));
  CHECK(settled(state_of(client, "batch")) == 9700);
}

TEST_CASE("unknown fields and enum values of commands are refused", "[pg]") {
  const bystander someone("unknown");
  auto client = connect();
  const std::string good = bytes(1, "raw") + bytes(2, "1") + bytes(3, "USD");
  const std::string to = bytes(1, "unknown");
  struct row {
    const char* what;
    std::string command;
    errc code;
  };
  const row rows[] = {
      {"field of a command", to + bytes(12, good + number(77, 1)), errc::validation},
      {"field of the envelope", to + bytes(12, good) + number(77, 1), errc::validation},
      {"command", to + bytes(78, good), errc::unsupported_operation},
      {"no command", to, errc::validation},
      {"enum value", to + bytes(2, "k") + bytes(10, number(2, 9)), errc::validation},
      {"unset enum value", to + bytes(2, "k") + bytes(10, number(2, 0)), errc::validation},
      {"deadline of zero", to + number(4, 0) + bytes(12, good), errc::validation},
      {"text that is not UTF-8",
       to + bytes(12, bytes(1, "\xff") + good.substr(5)),
       errc::validation},
  };
  for (const auto& r : rows) {
    INFO(r.what);
    if (r.command.find('\xff') != std::string::npos) {
      auto another = connect(); // no message at all: the connection's error
      another.send_bytes(raw_request(r.command));
      CHECK(another.farewell().code == r.code);
      continue;
    }
    client.send_bytes(raw_request(r.command));
    CHECK(refusal_of(client.next_answer()).code == r.code);
  }
  someone.must_be_unchanged();
}

TEST_CASE("commands of one customer are decided in the order sent, activation included [D65]",
          "[pg][D65]") {
  constexpr std::uint64_t count = 1000;
  std::vector<wire::call> all{calls::put_customer("ordered"), calls::grant("ordered", "g", "100")};
  for (std::uint64_t i = 0; i < count; ++i)
    all.push_back(calls::consume("ordered", "c" + std::to_string(i), "0.01"));
  auto client = connect();
  const auto first = client.send_each(all);
  std::map<std::uint64_t, sequence> got;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto answer = client.next_answer();
    got.emplace(answer.to.request_id, receipt_of(answer).sequence);
  }
  REQUIRE(got.size() == all.size());
  for (const auto& [request, where] : got)
    CHECK(where == sequence(request - first + 1));
  CHECK(settled(state_of(client, "ordered")) == 10'000 - static_cast<int128>(count));
}

TEST_CASE("whatever is in flight is answered once, or refused as overloaded", "[pg]") {
  constexpr std::size_t connections = 4;
  constexpr std::size_t batches = 6; // 6,000 commands: above what one connection may have in flight
  auto setup = connect();
  std::vector<wire::call> batch;
  for (int c = 0; c < 50; ++c) {
    const auto name = "crowd-" + std::to_string(c);
    setup.receipt(calls::put_customer(name));
    setup.receipt(calls::grant(name, "g", "1000"));
  }
  std::vector<wire_client> clients;
  for (std::size_t n = 0; n < connections; ++n)
    clients.push_back(connect());
  for (std::size_t b = 0; b < batches; ++b)
    for (std::size_t n = 0; n < connections; ++n) {
      batch.clear();
      for (int i = 0; i < 1000; ++i)
        batch.push_back(
            calls::consume("crowd-" + std::to_string(i % 50),
                           std::to_string(n) + "." + std::to_string(b) + "." + std::to_string(i),
                           "0.01"));
      clients[n].send(batch);
    }
  std::size_t done = 0;
  for (auto& client : clients) {
    std::set<std::pair<std::uint64_t, std::uint32_t>> seen;
    for (std::size_t i = 0; i < batches * 1000; ++i) {
      const auto answer = client.next_answer();
      REQUIRE(seen.emplace(answer.to.request_id, answer.to.index).second);
      if (std::holds_alternative<reply::receipt>(answer.body))
        ++done;
      else
        REQUIRE(refusal_of(answer).code == errc::overloaded);
    }
  }
  int128 left = 0;
  for (int c = 0; c < 50; ++c)
    left += settled(state_of(setup, "crowd-" + std::to_string(c)));
  CHECK((left == 50 * 100'000 - static_cast<int128>(done)));
  proven(server().conninfo());
}
