// Loading, killing, restarting, checking, counting. See ordeal.hpp.
#include "tests/faults/ordeal.hpp"

#include "persistence/pg.hpp"
#include "persistence/postgres_process.hpp"
#include "persistence/verify.hpp"
#include "tests/system/proof.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <set>
#include <stdexcept>
#include <thread>

namespace accrue::testing {
namespace {

namespace fs = std::filesystem;
using broken = broken_promise::sort;

constexpr auto patience_to_recover = std::chrono::seconds(60);
constexpr auto patience_with_messages = std::chrono::seconds(20);
const std::string probed = "probe";

std::vector<std::string> arguments_of(const ordeal_place& where) {
  auto all = where.arguments;
  if (!where.database_url.empty())
    all.insert(all.end(), {"--database-url", where.database_url});
  return all;
}

pg::session open(const std::string& conninfo) {
  auto database = pg::session::open(conninfo);
  if (!database)
    throw std::runtime_error(database.error().text);
  return std::move(*database);
}

/// The keys of the messages in an outbox file, as it writes them.
void read_messages(const fs::path& file, std::set<std::string>& keys) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);)
    if (const auto begin = line.find(R"("key":")"); begin != std::string::npos)
      keys.insert(line.substr(begin + 7, line.find('"', begin + 7) - begin - 7));
}

} // namespace

ordeal::ordeal(load_plan load, ordeal_place where)
    : where_(std::move(where)),
      cluster_(where_.database_url.empty() ? std::make_unique<server_directory>() : nullptr),
      server(cluster_ ? cluster_->path() : one_.path(), arguments_of(where_)),
      clients(std::move(load)) {
  wire_client first(server.port());
  first.receipt(calls::put_customer(probed));
  first.receipt(calls::grant(probed, "all", "1000000"));
}

std::string ordeal::database() const {
  if (!where_.direct.empty())
    return where_.direct;
  return where_.database_url.empty() ? server.conninfo() : where_.database_url;
}

void ordeal::begin_load() {
  open_before_ = clients.open();
  lost_before_ = clients.connections_lost();
  clients.start(server.port());
}

void ordeal::begin_load(std::size_t receipts) {
  begin_load();
  clients.wait_for_receipts(receipts);
}

void ordeal::run_for(std::chrono::milliseconds so_long) { std::this_thread::sleep_for(so_long); }

// A new command of a customer of its own, with the same key until it has its receipt.
void ordeal::probe() {
  const auto until = clock::now() + patience_to_recover;
  auto next = calls::consume(probed, fmt::format("{}", ++probes_), "0.01");
  next.deadline_ms = 500;
  wire_client connection(server.port());
  for (;;) {
    const auto answer = connection.ask(next);
    const auto* const no = std::get_if<wire::refused>(&answer.body);
    if (no == nullptr)
      return;
    if (!remembering_clients::passes(no->reason.code))
      throw unexpected_answer("a probe: " + describe(no->reason));
    if (clock::now() > until)
      throw unexpected_answer("the server does not recover: " + describe(no->reason));
    run_for(std::chrono::milliseconds(1));
  }
}

void ordeal::recovers(clock::time_point fault_over) {
  probe();
  news_.by_itself.push_back(
      std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - fault_over));
}

void ordeal::comes_back() {
  const auto from = clock::now();
  restart();
  probe();
  news_.after_kill.push_back(
      std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - from));
}

void ordeal::note_end() {
  clients.wait_for_end();
  ++news_.kills;
  news_.in_doubt += clients.open() - std::min(open_before_, clients.open());
}

void ordeal::kill_server() {
  if (server.pid() == 0)
    return;
  if (const auto lost = clients.connections_lost() - lost_before_; lost != 0)
    clients.breach(fmt::format("{} connections ended while the server ran", lost));
  server.kill();
  note_end();
}

void ordeal::server_kills_itself() {
  try {
    if (const auto status = server.wait_for_end(std::chrono::seconds(20)); status != -SIGKILL)
      clients.breach(fmt::format("the server ended with {}", status));
  } catch (const std::runtime_error&) {
    clients.breach("the server came past no such point");
    server.kill();
  }
  note_end();
}

void ordeal::restart(const std::vector<std::string>& this_time, server_process::until when) {
  server.restart(this_time, when);
}

server_process ordeal::successor() const {
  return server_process(server.data() == one_.path() ? two_.path() : one_.path(),
                        arguments_of(where_));
}

// First of all the journal as the fault left it: what clients send again would fill the gaps.
void ordeal::holds(scope which) {
  question_the_journal(clients, database());
  clients.settle(server.port(), which);
  clients.compare(server.port());
  wire_client asking(server.port());
  if (const auto at = state_of(asking, probed).sequence.value; at != 2 + probes_)
    clients.breach(at < 2 + probes_ ? broken::lost : broken::doubled,
                   fmt::format("{} probes, and they are at sequence {}", probes_, at));
  if (const auto left = clients.open(); left != 0)
    clients.breach(broken::lost, fmt::format("{} commands cannot be settled", left));
  auto session = open(database());
  const auto proof = verify(session);
  if (!proof)
    throw std::runtime_error(proof.error().text);
  for (const auto& f : proof->findings)
    clients.breach(broken::unproven,
                   fmt::format("{} at {}: {}", to_string(f.what), f.where, f.text));
}

void ordeal::ends() {
  holds(scope::all);
  question_the_journal(clients, database());
  all_messages_left();
  const auto program = fs::read_symlink("/proc/self/exe").parent_path() / "accrue";
  const postgres::account self{::geteuid(), ::getegid(), {}, false};
  const auto verified = postgres::run({program.string(),
                                       "--server",
                                       fmt::format("127.0.0.1:{}", server.port()),
                                       "verify",
                                       "--database-url",
                                       database()},
                                      self);
  if (verified.status != 0)
    clients.breach(broken::unproven, verified.output);
  if (const auto status = server.stop(); status != 0)
    clients.breach(fmt::format("the server stopped with {}: {}", status, server.output()));
}

// Once or more often: each is in a file, and none waits.
void ordeal::all_messages_left() {
  auto session = open(database());
  const auto until = clock::now() + patience_with_messages;
  for (;;) {
    const auto waiting = session.query("select count(*) from outbox where delivered_at is null");
    if (!waiting)
      throw std::runtime_error(waiting.error().text);
    if (waiting->i64(0, 0) == 0)
      break;
    if (clock::now() > until)
      return clients.breach(broken::lost,
                            fmt::format("{} messages do not leave", waiting->i64(0, 0)));
    run_for(std::chrono::milliseconds(20));
  }
  std::set<std::string> left;
  for (const auto& directory : {server.data(), one_.path(), two_.path()})
    read_messages(directory / "outbox.jsonl", left);
  const auto messages = session.query("select namespace, customer, sequence, place from outbox");
  if (!messages)
    throw std::runtime_error(messages.error().text);
  for (int i = 0; i < messages->rows(); ++i) {
    const auto key = fmt::format("{}/{}/{}/{}",
                                 messages->i32(i, 0),
                                 messages->i32(i, 1),
                                 messages->i64(i, 2),
                                 messages->i16(i, 3));
    if (!left.contains(key))
      clients.breach(broken::lost, "message " + key + " is marked and has not left");
  }
}

void ordeal::count_into(fault_tally& tally) {
  const auto since = [](std::size_t now, std::size_t& counted) {
    return now - std::exchange(counted, now);
  };
  news_.rounds = 1;
  news_.acknowledged = since(clients.acknowledged(), acknowledged_counted_);
  news_.sent_again = since(clients.sent_again(), sent_again_counted_);
  std::size_t refused = 0;
  for (const auto& [code, count] : clients.refusals())
    if (remembering_clients::passes(code))
      refused += count;
  news_.refused = since(refused, refused_counted_);
  for (; broken_counted_ < clients.broken().size(); ++broken_counted_)
    ++news_.broken[static_cast<std::size_t>(clients.broken()[broken_counted_].what)];
  tally.add(std::exchange(news_, {}));
}

} // namespace accrue::testing
