// The command line and the load driver as programs: arguments, what they print, exit codes. They talk
// to a server in this file that says what a test told it to; the real one is in the other tests.
#include "protocol/codec.hpp"
#include "tests/support/program.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

using namespace accrue;
using namespace accrue::testing;

namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using reply_body = std::variant<reply::receipt, wire::operator_reply, refusal>;
using script = std::function<reply_body(const wire::call&)>;

/// Answers every command as the script says, on a thread of its own.
class scripted_server {
public:
  explicit scripted_server(script answers) : answers_(std::move(answers)) {
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~scripted_server() {
    io_.stop();
    thread_.join();
  }
  scripted_server(const scripted_server&) = delete;
  scripted_server& operator=(const scripted_server&) = delete;

  [[nodiscard]] std::string option() const {
    return " --server 127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + " ";
  }
  /// For what the script shares with the test.
  template <class F>
  auto between_answers(F&& look) const {
    const std::lock_guard lock(answering_);
    return look();
  }

private:
  struct session {
    explicit session(tcp::socket s) : socket(std::move(s)) {}
    tcp::socket socket;
    wire::frame_reader reader;
    std::string out;
  };

  void accept() {
    acceptor_.async_accept([this](boost::system::error_code failed, tcp::socket socket) {
      if (!failed)
        read(std::make_shared<session>(std::move(socket)));
      accept();
    });
  }
  void read(const std::shared_ptr<session>& s) {
    const auto room = s->reader.prepare();
    s->socket.async_read_some(asio::buffer(room.data(), room.size()),
                              [this, s](boost::system::error_code failed, std::size_t count) {
                                if (failed)
                                  return;
                                s->reader.commit(count);
                                s->out.clear();
                                for (auto f = s->reader.next(); f && *f; f = s->reader.next())
                                  answer(**f, s->out);
                                boost::system::error_code ignored;
                                asio::write(s->socket, asio::buffer(s->out), ignored);
                                read(s);
                              });
  }
  void answer(std::string_view payload, std::string& out) {
    const auto frame = wire::parse_client_frame(payload);
    if (!frame)
      return wire::print_farewell(out, frame.error());
    const auto* request = std::get_if<wire::request>(&*frame);
    if (request == nullptr)
      return wire::print(out, wire::welcome{"scripted", {}});
    for (std::uint32_t i = 0; i < request->calls.size(); ++i) {
      const wire::answer_to to{request->id, i};
      const auto& call = request->calls[i];
      const reply_body body =
          call ? between_answers([&] { return answers_(*call); }) : reply_body(call.error());
      std::visit([&](const auto& b) { wire::print(out, to, b); }, body);
    }
  }

  script answers_;
  mutable std::mutex answering_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_, {asio::ip::address_v4::loopback(), 0}};
  std::thread thread_;
};

program_outcome accrue_program(const std::string& arguments, const std::string& input = "") {
  return run_program("accrue", arguments, input);
}

const currency usd(840, 2);

reply::receipt receipt_of(reply::body body) { return {sequence(7), std::move(body), {}}; }

instant at(std::string_view text) { return parse_instant(text).value(); }

reply::account_view account(ledger::account_type type, int128 balance) {
  reply::account_view v;
  v.address.account = type;
  v.address.route.currency = usd;
  v.address.route.cost_basis = decimal::make(5, 1).value();
  if (type == ledger::account_type::fbo) {
    v.address.route.priority = ledger::default_priority;
    v.address.route.features = {"api", "ui"};
  }
  v.code = "USD";
  v.balance = balance;
  v.money = money{balance / 2, usd};
  return v;
}

int lines_of(const std::string& text) { return static_cast<int>(std::ranges::count(text, '\n')); }

} // namespace

TEST_CASE("wrong usage is exit code 2 and asks no server", "[cli]") {
  // A server that is not there would be exit code 3.
  for (const std::string arguments : {"",
                                      "nonsense",
                                      "--server nowhere: status",
                                      "consume acme 1,5 USD",
                                      "consume acme 1e3 USD",
                                      "consume acme",
                                      "grant acme 1 USD --priority 0",
                                      "charge create acme 1 USD --from 2026-01-01",
                                      "charge create acme 1 USD --from 2026-02-01 --to 2026-01-01",
                                      "ledger",
                                      "ledger acme --all",
                                      "balance acme --feature api --unrestricted",
                                      "customer create acme --advance-limit USD",
                                      "customer create acme --over-settlement maybe",
                                      "profile set",
                                      "--timeout soon status",
                                      "--key k balance acme",
                                      "verify --data-dir x --database-url y",
                                      "quarantine",
                                      "quarantine lift",
                                      "quarantine lift acme --catalog",
                                      "unit create TOKENS 10"}) {
    INFO("accrue " << arguments);
    const auto o = accrue_program("--server 127.0.0.1:1 " + arguments);
    CHECK(o.code == 2);
    CHECK(o.out.empty());
    CHECK_FALSE(o.err.empty());
  }
  CHECK(accrue_program("nonsense").err.find("no command 'nonsense'") != std::string::npos);
}

TEST_CASE("help and version are no errors", "[cli]") {
  CHECK(accrue_program("--help").code == 0);
  CHECK(accrue_program("invoice show --help").code == 0);
  CHECK(accrue_program("--version").out == ACCRUE_VERSION "\n");
  CHECK(run_program("accrue-load", "--version").out == ACCRUE_VERSION "\n");
}

TEST_CASE("without a server it is exit code 3 and says how to start one", "[cli]") {
  const auto o = accrue_program("--server 127.0.0.1:1 status");
  CHECK(o.code == 3);
  CHECK(o.out.empty());
  CHECK(o.err.find("127.0.0.1:1") != std::string::npos);
  CHECK(o.err.find("`accrued`") != std::string::npos);
  CHECK(lines_of(o.err) == 1);
  CHECK(run_program("accrue-load", "--server 127.0.0.1:1").code == 3);
}

TEST_CASE("verify finds nothing to read where no database is, and makes none", "[cli]") {
  const scratch_directory here;
  const auto o = accrue_program("verify --data-dir " + here.path().string());
  CHECK(o.code == 3);
  CHECK(o.out.empty());
  CHECK(o.err.find(here.path().string()) != std::string::npos);
  CHECK(std::filesystem::is_empty(here.path()));
}

TEST_CASE("a refusal is one line on stderr: code, subject, sentence, retry", "[cli]") {
  const scripted_server server([](const wire::call& call) -> reply_body {
    if (call.customer == "busy")
      return refusal{errc::overloaded, "busy", "The queue is full."};
    return refusal{errc::insufficient_funds, "job", "Only 1.00 USD is free"};
  });
  const auto no = accrue_program(server.option() + "consume acme 5 USD --id job");
  CHECK(no.code == 1);
  CHECK(no.out.empty());
  CHECK(no.err == "accrue: insufficient_funds: job: Only 1.00 USD is free. A retry cannot help.\n");

  const auto later = accrue_program(server.option() + "--json consume busy 5 USD");
  CHECK(later.code == 1);
  CHECK(
      later.err.starts_with("accrue: overloaded: busy: The queue is full. Nothing happened: retry "
                            "after 50 ms. Repeat it with --id "));
  const auto document = nlohmann::json::parse(later.out);
  CHECK(document["error"]["code"] == "overloaded");
  CHECK(document["error"]["retry"] == "later");
  CHECK(document["error"]["retry_after_ms"] == 50);
}

TEST_CASE("a command that changes something always has an id or a key", "[cli]") {
  const scripted_server server([](const wire::call& call) -> reply_body {
    const auto& c = std::get<command::any>(call.body);
    const std::string id(command::given_id(c));
    if (command::is_query(c) || (id.empty() && call.key.empty()))
      return refusal{errc::internal, "test", "no id and no key"};
    return receipt_of(reply::consumed{id.empty() ? call.key : id, usd, "USD", 150, 0, {}});
  });
  const auto given = accrue_program(server.option() + "consume acme 1.5 USD --id job-1");
  CHECK(given.out == "Consumed  1.50 USD\nCustomer  acme\nId        job-1\n");
  const auto made = accrue_program(server.option() + "consume acme 1.5 USD --json");
  CHECK(nlohmann::json::parse(made.out)["consumed"]["id"].get<std::string>().size() == 24);
  for (const std::string command : {"invoice pending acme",
                                    "invoice approve acme '#1'",
                                    "pay settle acme A-1",
                                    "run-due acme",
                                    "profile set --due-after P7D"})
    CHECK(accrue_program(server.option() + command).code == 0);
  CHECK(accrue_program(server.option() + "run-due acme --key mine").out.find("mine") !=
        std::string::npos);
}

TEST_CASE("an invoice is printed like an invoice", "[cli]") {
  const period january{at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z")};
  reply::invoice_view invoice;
  invoice.name = invoice.number = "ACME-000001";
  invoice.currency = usd;
  invoice.code = "USD";
  invoice.status = "payment_processing.pending";
  invoice.issued_at = at("2026-02-01T00:00:00Z");
  invoice.due_at = at("2026-03-03T12:30:00Z");
  invoice.lines = {{"plan", january, 10000, 8000, 2000, "charge"},
                   {"Größe", january, 5, 0, 5, "charge"},
                   {"GST", january, 201, 0, 201, "tax"}};
  invoice.taxes = {{"GST", decimal::parse("0.1").value(), 2005, 201}};
  invoice.amount = 10005;
  invoice.credits = 8000;
  invoice.total = 2206;
  invoice.settled = 2000;
  const scripted_server server(
      [&](const wire::call&) -> reply_body { return receipt_of(invoice); });

  const auto o = accrue_program(server.option() + "invoice show acme ACME-000001");
  CHECK(o.code == 0);
  CHECK(o.out == R"(Invoice ACME-000001

Customer  acme
Status    payment_processing.pending
Issued    2026-02-01
Due       2026-03-03 12:30:00

Line              Period                   Amount  Credits  Total
----------------  -----------------------  ------  -------  -----
plan              2026-01-01 - 2026-02-01  100.00    80.00  20.00
Größe             2026-01-01 - 2026-02-01    0.05     0.00   0.05
GST 0.1 on 20.05                                             2.01
                                           ------  -------  -----
Total USD                                  100.05    80.00  22.06
Authorised                                                   0.00
Settled                                                     20.00
To pay                                                       2.06
)");
  const auto document = nlohmann::json::parse(
      accrue_program("--json invoice show acme ACME-000001" + server.option()).out);
  CHECK(document["sequence"] == 7);
  CHECK(document["invoice"]["total"] == "22.06");
  CHECK(document["invoice"]["taxes"][0]["base"] == "20.05");
  CHECK(document["invoice"]["issued_at"] == "2026-02-01T00:00:00Z");
  CHECK(document["invoice"]["lines"][1]["name"] == "Größe");
}

TEST_CASE("a ledger ends with its sums, and one that does not balance is exit code 1", "[cli]") {
  int128 wash = -1234567;
  const scripted_server server([&](const wire::call& call) -> reply_body {
    if (std::holds_alternative<wire::operator_command>(call.body))
      return wire::operator_reply(wire::customers{{{"acme", sequence(7)}, {"beta", sequence(7)}}});
    return receipt_of(reply::accounts{
        {account(ledger::account_type::wash, wash), account(ledger::account_type::fbo, 1234567)}});
  });
  const auto one = accrue_program(server.option() + "ledger acme");
  CHECK(one.code == 0);
  // Half of 12345.67, cut.
  CHECK(one.out ==
        R"(Account       Stage  Currency  Cost basis  Priority  Features    Balance         Money
------------  -----  --------  ----------  --------  --------  ---------  ------------
fbo                  USD              0.5       100  api, ui    12345.67   6172.83 USD
wash                 USD              0.5                      -12345.67  -6172.83 USD
                                                               ---------
Sum                  USD                                            0.00
Sum of money                                                                  0.00 USD
)");
  const auto all = accrue_program(server.option() + "ledger --all");
  CHECK(all.code == 0);
  CHECK(all.out.find("fbo                  USD               2   24691.34   12345.66 USD\n") !=
        std::string::npos);
  CHECK(all.out.ends_with("\n2 customers.\n"));

  server.between_answers([&] { wash = -1; });
  const auto broken = accrue_program(server.option() + "ledger acme");
  CHECK(broken.code == 1);
  CHECK(broken.out.find("NOT ZERO") != std::string::npos);
  CHECK(broken.err.find("does not balance") != std::string::npos);
  // The money has a sum of its own: half of 12345.69 is 6172.84.
  server.between_answers([&] { wash = -1234569; });
  const auto unpaid = accrue_program(server.option() + "--json ledger acme");
  CHECK(unpaid.code == 1);
  CHECK(nlohmann::json::parse(unpaid.out)["money_sums"][0]["sum"] == "-0.01");
}

TEST_CASE("the console takes piped lines without a prompt", "[cli]") {
  const scripted_server server([](const wire::call& call) -> reply_body {
    const auto& line =
        std::get<wire::console_line>(std::get<wire::operator_command>(call.body)).line;
    if (line == "bad")
      return refusal{errc::validation, "line", "No such command"};
    return wire::operator_reply(wire::console_text{{"said " + line, "twice"}});
  });
  const auto good = accrue_program(server.option() + "console", "status\n\n  help  \nquit\nlost\n");
  CHECK(good.code == 0);
  CHECK(good.out == "said status\ntwice\nsaid help\ntwice\n");
  const auto bad = accrue_program(server.option() + "console", "bad\nstatus");
  CHECK(bad.code == 1);
  CHECK(bad.out == "said status\ntwice\n");
}

TEST_CASE("the load driver counts, records, and compares what it sends again", "[cli]") {
  std::map<std::string, std::uint64_t> sequences;
  const scripted_server server([&](const wire::call& call) -> reply_body {
    const auto& c = std::get<command::any>(call.body);
    const auto* consume = std::get_if<command::consume>(&c);
    if (consume == nullptr)
      return receipt_of(reply::ran_due{});
    const auto at = sequences.try_emplace(consume->id, sequences.size() + 1).first;
    if (at->second == 50)
      return refusal{errc::insufficient_funds, consume->id, "No."};
    return reply::receipt{
        sequence(at->second), reply::consumed{consume->id, usd, "USD", 1, 0, {}}, {}};
  });
  const scratch_directory here;
  const std::string record = (here.path() / "record").string();
  const std::string options = server.option() + "--connections 3 --in-flight 2 --batch 4 " +
                              "--customers 10 --ids-from 5 --record " + record + " --json - ";

  const auto first = run_program("accrue-load", options + "--count 100");
  CHECK(first.code == 1); // one was refused
  auto document = nlohmann::json::parse(first.out);
  CHECK(document["acknowledged"] == 99);
  CHECK(document["unanswered"] == 0);
  CHECK(document["refused"]["insufficient_funds"] == 1);
  CHECK(document["refused_latency_ms"]["insufficient_funds"]["p50"] > 0);
  CHECK(document["ended"] == "count");
  CHECK(lines_of(contents(record)) == 99);
  CHECK(contents(record).find(" load-0-5 0.01 ") != std::string::npos);
  const auto known = [&] { return server.between_answers([&] { return sequences.size(); }); };
  CHECK(known() == 100);

  // All of the record, the refused one, and what may have been in flight: 3 x 2 x 4.
  const auto again = run_program("accrue-load", options + "--resend");
  document = nlohmann::json::parse(again.out);
  CHECK(document["resent"]["equal"] == 99);
  CHECK(document["resent"]["different"] == 0);
  CHECK(document["resent"]["unrecorded"] == 24);
  CHECK(known() == 124);
  CHECK(lines_of(contents(record)) == 99);
}

TEST_CASE("an open loop counts from when a command was due", "[cli]") {
  int answered = 0;
  const scripted_server server([&](const wire::call& call) -> reply_body {
    const auto& c = std::get<command::any>(call.body);
    if (!std::holds_alternative<command::consume>(c))
      return receipt_of(reply::ran_due{});
    if (++answered == 50) // the server stalls; users go on coming
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return reply::receipt{sequence(1), reply::consumed{"id", usd, "USD", 1, 0, {}}, {}};
  });
  const auto ran =
      run_program("accrue-load",
                  server.option() + "--connections 2 --in-flight 1000 --customers 1 --rate 1000 "
                                    "--arrivals even --warmup 0s --duration 200ms --intervals 2 "
                                    "--json -");
  CHECK(ran.code == 0);
  const auto document = nlohmann::json::parse(ran.out);
  CHECK(document["loop"] == "open");
  CHECK(document["unsent"] == 0);
  // One a millisecond for 400 ms, none left out, late answers neither.
  const auto offered = document["commands_offered"].get<int>();
  CHECK(offered >= 399);
  CHECK(offered <= 400);
  CHECK(document["commands"] == offered);
  REQUIRE(document["intervals"].size() == 2);
  CHECK(document["intervals"][0]["commands"].get<int>() +
            document["intervals"][1]["commands"].get<int>() ==
        offered);
  // The stall begins 50 ms after the start or later. Who was due between 51 and 150 ms, a quarter of
  // all, waits 200 ms or longer; a closed loop would have had two such commands.
  CHECK(document["latency_ms"]["p90"] >= 200);
}
