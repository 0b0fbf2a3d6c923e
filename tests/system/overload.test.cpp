// More than the server can or will take: floods, slow and silent clients, many connections, too few files. What
// was accepted is done, the rest is told so at once, and memory stays flat. Figures are bench/overload.cpp's.
#include "tests/support/server_process.hpp"
#include "tests/support/temporary_database.hpp"
#include "tests/support/wire_client.hpp"
#include "tests/system/proof.hpp"

#include <catch2/catch_test_macros.hpp>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <deque>
#include <filesystem>
#include <fstream>
#include <thread>

using namespace accrue;
using namespace accrue::testing;

namespace {

/// Customers with credit, named PREFIX-0 and on.
void make_customers(std::uint16_t port, const std::string& prefix, std::size_t count) {
  wire_client client(port);
  for (std::size_t i = 0; i < count; ++i) {
    const auto name = prefix + "-" + std::to_string(i);
    client.receipt(calls::put_customer(name));
    client.receipt(calls::grant(name, "g", "1000000"));
  }
}

/// So many consumes, dealt to `customers` customers in turn, with ids of their own.
std::vector<wire::call>
consumes(const std::string& prefix, std::size_t customers, std::size_t count) {
  static std::atomic<std::uint64_t> ids{0};
  std::vector<wire::call> all;
  for (std::size_t i = 0; i < count; ++i) {
    const auto id = ++ids;
    all.push_back(calls::consume(
        prefix + "-" + std::to_string(id % customers), "c" + std::to_string(id), "0.01"));
  }
  return all;
}

struct outcome {
  std::size_t done = 0;
  std::size_t overloaded = 0;
};

/// Takes so many answers; everything else than a receipt or `overloaded` fails the test.
outcome take(wire_client& client, std::size_t count) {
  outcome seen;
  for (std::size_t i = 0; i < count; ++i) {
    const auto answer = client.next_answer();
    const auto* no = std::get_if<wire::refused>(&answer.body);
    if (no == nullptr) {
      ++seen.done;
      continue;
    }
    INFO(describe(no->reason));
    REQUIRE(no->reason.code == errc::overloaded);
    CHECK(no->retry.advice == wire::retry_advice::later);
    ++seen.overloaded;
  }
  return seen;
}

/// The server's database connections stand still while this lives: nothing is committed.
class stopped_store {
public:
  explicit stopped_store(const std::string& conninfo) {
    auto database = pg::session::open(conninfo);
    REQUIRE(database);
    const auto found = database->query("select pid from pg_stat_activity where backend_type = "
                                       "'client backend' and pid <> pg_backend_pid()");
    REQUIRE(found);
    REQUIRE(found->rows() > 0);
    for (int row = 0; row < found->rows(); ++row)
      stopped_.push_back(found->i32(row, 0));
    for (const auto pid : stopped_)
      REQUIRE(::kill(pid, SIGSTOP) == 0);
  }
  ~stopped_store() { go_on(); }
  stopped_store(const stopped_store&) = delete;
  stopped_store& operator=(const stopped_store&) = delete;
  void go_on() {
    for (const auto pid : std::exchange(stopped_, {}))
      ::kill(pid, SIGCONT);
  }

private:
  std::vector<pid_t> stopped_;
};

// Sanitizers' own notes take several times of what is noted, and freed memory waits in quarantine.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool memory_is_ours = false;
#else
constexpr bool memory_is_ours = true;
#endif

std::size_t resident_bytes(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("VmRSS:"))
      return std::stoull(line.substr(6)) * 1024;
  FAIL("no such process");
  return 0;
}

/// What is added to the nice value of a thread that goes first: ten steps, where this user may do that and
/// there is more than one core.
int head_start() {
  if (std::thread::hardware_concurrency() == 1)
    return 0;
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0)
    ::_exit(::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) - 10) == 0 ? 0 : 1);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status == 0 ? -10 : 0;
}

std::size_t open_files(pid_t pid) {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

constexpr std::size_t megabyte = std::size_t{1} << 20;

/// A socket that sends without end and never reads.
class deaf_client {
public:
  explicit deaf_client(std::uint16_t port)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // What the kernel keeps for it is small, so that the server's buffers are what fills.
    const int small = 4096;
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    REQUIRE(::connect(socket_, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0);
  }
  ~deaf_client() { ::close(socket_); }
  deaf_client(const deaf_client&) = delete;
  deaf_client& operator=(const deaf_client&) = delete;

  [[nodiscard]] int socket() const noexcept { return socket_; }
  /// Sends what the socket takes of `bytes`, over and over; false when the server has cut it.
  bool push(std::string_view bytes) {
    for (;;) {
      const auto n =
          ::send(socket_, bytes.data() + sent_, bytes.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0)
        return errno == EAGAIN;
      sent_ = (sent_ + static_cast<std::size_t>(n)) % bytes.size();
    }
  }

private:
  int socket_;
  std::size_t sent_ = 0; ///< of the round
};

/// A connection, as soon as the server has room for one.
wire_client admitted_in_time(std::uint16_t port) {
  const auto until = std::chrono::steady_clock::now() + wire_client::patience;
  for (;;)
    try {
      return wire_client(port);
    } catch (const connection_over&) {
      if (std::chrono::steady_clock::now() > until)
        throw;
    }
}

/// A server that takes 64 commands at a time.
server_process& narrow_server() {
  static const server_directory directory;
  static server_process it(directory.path(), {"--in-flight-max", "64"});
  return it;
}

constexpr std::size_t connections_max = 40;

/// A server with few connections and little patience.
server_process& strict_server() {
  static const server_directory directory;
  static server_process it(directory.path(),
                           {"--connections-max",
                            std::to_string(connections_max),
                            "--hello-timeout-ms",
                            "1000",
                            "--frame-timeout-ms",
                            "1500",
                            "--buffers-mib",
                            "8"});
  return it;
}

/// A server as it comes.
server_process& usual_server() {
  static const server_directory directory;
  static server_process it(directory.path());
  return it;
}

} // namespace

TEST_CASE("what is too much is refused without waiting for a commit, and what was accepted is done",
          "[pg]") {
  auto& server = narrow_server();
  make_customers(server.port(), "stopped", 50);
  wire_client client(server.port());
  wire_client other(server.port());
  stopped_store store(server.conninfo());
  client.send_each(consumes("stopped", 50, 200));
  // Of 64 one connection may have as many as it leaves free: 32. Nothing is committed meanwhile.
  CHECK(take(client, 168).overloaded == 168);
  // A batch is refused command by command, unread where there is no room for one of it.
  const auto batch = consumes("stopped", 50, 100);
  client.send(batch);
  CHECK(take(client, 100).overloaded == 100);
  // And so is what comes after it on another connection: 16 are free to it, the rest is told.
  other.send_each(consumes("stopped", 50, 20));
  CHECK(take(other, 4).overloaded == 4);
  // An operator still gets an answer.
  CHECK_FALSE(wire_client(server.port()).status("active_customers").empty());
  store.go_on();
  CHECK(take(client, 32).done == 32);
  CHECK(take(other, 16).done == 16);
  client.send_each(consumes("stopped", 50, 30));
  CHECK(take(client, 30).done == 30);
  proven(server.conninfo());
}

TEST_CASE("while commands wait too long the thread that refuses goes before those that work",
          "[pg]") {
  auto& server = usual_server();
  make_customers(server.port(), "hurried", 50);
  // Of the server's first thread, which is the gateway's.
  const auto nice = [&] { return ::getpriority(PRIO_PROCESS, server.pid()); };
  const auto becomes = [&](int wanted) {
    const auto until = std::chrono::steady_clock::now() + wire_client::patience;
    while (nice() != wanted && std::chrono::steady_clock::now() < until)
      std::this_thread::yield();
    return nice() == wanted;
  };
  const auto usual = ::getpriority(PRIO_PROCESS, 0); // inherited from here
  REQUIRE(becomes(usual));                           // an earlier flood is over
  wire_client client(server.port());
  constexpr std::size_t standing = 2000; // more than is let in where a queue stands
  {
    stopped_store store(server.conninfo());
    client.send_each(consumes("hurried", 50, standing));
    CHECK(becomes(std::max(usual + head_start(), -20)));
  }
  CHECK(take(client, standing).done == standing);
  CHECK(becomes(usual));
}

TEST_CASE("a flood of one customer from eight connections leaves room for everybody else", "[pg]") {
  constexpr std::size_t floods = 8;
  constexpr std::size_t gentle = 25;
  auto& server = narrow_server();
  make_customers(server.port(), "flooded", 1);
  make_customers(server.port(), "gentle", gentle);
  std::deque<wire_client> flooding, others;
  for (std::size_t i = 0; i < floods; ++i)
    flooding.emplace_back(server.port());
  for (std::size_t i = 0; i < gentle; ++i)
    others.emplace_back(server.port());
  stopped_store store(server.conninfo());
  // 32 commands of the customer are taken, whoever they come from, and 768 refused while nothing moves.
  for (std::size_t i = 0; i < floods; ++i) {
    const std::size_t refused = i == 0 ? 100 - 32 : 100;
    flooding[i].send_each(consumes("flooded", 1, 100));
    CHECK(take(flooding[i], refused).overloaded == refused);
  }
  for (std::size_t i = 0; i < gentle; ++i)
    others[i].send(calls::consume("gentle-" + std::to_string(i), "only", "1"));
  store.go_on();
  for (auto& client : others)
    CHECK(take(client, 1).done == 1);
  wire_client asking(server.port());
  CHECK((settled(state_of(asking, "flooded-0")) == 100'000'000 - 32));
}

TEST_CASE("commands of connections that have closed stay counted until they are answered", "[pg]") {
  auto& server = narrow_server();
  make_customers(server.port(), "fleeting", 50);
  {
    stopped_store store(server.conninfo());
    // Each takes half of what is free and leaves: 32, 16, 8, 4, 2, 1, and 1 for who holds nothing yet.
    for (const std::size_t admitted : {32, 16, 8, 4, 2, 1, 1, 0, 0}) {
      wire_client client(server.port());
      client.send_each(consumes("fleeting", 50, 200));
      CHECK(take(client, 200 - admitted).overloaded == 200 - admitted);
    }
  }
  // They were all taken, once; and answers to nobody make room again.
  wire_client client(server.port());
  int128 left = 0;
  for (int i = 0; i < 50; ++i) {
    const auto customer = "fleeting-" + std::to_string(i);
    while (std::holds_alternative<wire::refused>(client.ask(calls::get_balance(customer)).body))
      continue; // until those before are answered
    left += settled(state_of(client, customer));
  }
  CHECK((left == int128{50} * 100'000'000 - 64));
  client.send_each(consumes("fleeting", 50, 32));
  CHECK(take(client, 32).done == 32);
}

TEST_CASE("clients that do not read are bounded and cut, and disturb nobody", "[pg]") {
  auto& server = strict_server();
  make_customers(server.port(), "deaf", 2);
  wire_client gentle(server.port());
  std::string hello, questions;
  wire::print(hello, wire::hello{"default", {}, "deaf"});
  for (std::uint64_t i = 0; i < 1000; ++i)
    wire::print(questions, i, calls::get_customer("deaf-0"));
  const auto before = resident_bytes(server.pid());
  std::size_t most = 0;
  std::deque<deaf_client> clients;
  for (std::size_t i = 0; i < connections_max - 2; ++i) {
    clients.emplace_back(server.port());
    REQUIRE(::send(clients.back().socket(), hello.data(), hello.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(hello.size()));
  }
  std::vector<bool> cut(clients.size());
  while (std::ranges::find(cut, false) != cut.end()) {
    for (std::size_t i = 0; i < clients.size(); ++i)
      cut[i] = cut[i] || !clients[i].push(questions);
    (void)state_of(gentle, "deaf-1");
    most = std::max(most, resident_bytes(server.pid()));
  }
  INFO("resident " << before / megabyte << " MiB before, at most " << most / megabyte);
  if (memory_is_ours)
    CHECK(most < before + 64 * megabyte); // buffers of 8 MiB, and what is in flight
}

TEST_CASE("a byte now and then, silence and half a frame do not hold a connection", "[pg]") {
  auto& server = strict_server();
  wire_client idle(server.port());
  auto silent = wire_client::silent(server.port());
  auto dripping = wire_client::silent(server.port()); // slower than its hello may take
  dripping.send_bytes(std::string(2, '\0'));
  wire_client half(server.port());
  half.send_bytes(std::string("\0\0\1\0x", 5));
  CHECK(silent.farewell().code == errc::unauthenticated);
  CHECK(dripping.farewell().code == errc::unauthenticated);
  CHECK(half.farewell().code == errc::validation);
  CHECK_FALSE(idle.status("active_customers").empty());
}

TEST_CASE("half frames of many connections are bounded together: the largest go", "[pg]") {
  auto& server = strict_server();
  const auto before = resident_bytes(server.pid());
  std::string large("\0\x0f\xff\xff", 4);
  large.resize(900'000, 'x');
  std::deque<wire_client> clients;
  for (std::size_t i = 0; i < connections_max - 4; ++i) {
    clients.emplace_back(server.port());
    try {
      clients.back().send_bytes(large);
    } catch (const connection_over&) { // it held the most
      continue;
    }
  }
  wire_client asking(server.port());
  CHECK_FALSE(asking.status("active_customers").empty());
  if (memory_is_ours)
    CHECK(resident_bytes(server.pid()) < before + 32 * megabyte);
}

TEST_CASE("connections above the limit are told so, and there is room again when one has gone",
          "[pg]") {
  auto& server = strict_server();
  std::deque<wire_client> all;
  all.push_back(
      admitted_in_time(server.port())); // connections of tests before are seen to have ended
  while (all.size() < connections_max)
    all.emplace_back(server.port());
  for (int i = 0; i < 10; ++i)
    CHECK(wire_client::silent(server.port()).farewell().code == errc::overloaded);
  for (auto& client : all)
    CHECK_FALSE(client.status("active_customers").empty());
  all.pop_front();
  CHECK_FALSE(admitted_in_time(server.port()).status("active_customers").empty());
}

TEST_CASE("without files for more connections those that are there are served, and others wait",
          "[pg]") {
  if (!memory_is_ours)
    SKIP("UBSan asks by way of a pipe whether memory can be read; without a file left, none can");
  const server_directory directory;
  server_process server(directory.path());
  make_customers(server.port(), "files", 1);
  wire_client served(server.port());
  std::deque<wire_client> some;
  for (int i = 0; i < 3; ++i)
    some.emplace_back(server.port());
  const auto now = open_files(server.pid());
  const rlimit limit{now, now};
  REQUIRE(::prlimit(server.pid(), RLIMIT_NOFILE, &limit, nullptr) == 0);
  auto waiting = wire_client::silent(server.port());
  waiting.send_hello();
  for (int i = 0; i < 20; ++i)
    (void)state_of(served, "files-0");
  some.clear(); // makes room
  const auto welcome = waiting.receive();
  REQUIRE(welcome);
  CHECK(std::holds_alternative<wire::welcome>(*welcome));
  CHECK_FALSE(waiting.status("active_customers").empty());
}

TEST_CASE("a thousand connections with traffic on all, and a storm of five thousand", "[pg]") {
  constexpr std::size_t count = 1000;
  auto& server = usual_server();
  make_customers(server.port(), "many", 100);
  std::deque<wire_client> all;
  for (std::size_t i = 0; i < count; ++i)
    all.emplace_back(server.port());
  for (int round = 0; round < 3; ++round) {
    for (auto& client : all)
      client.send_each(consumes("many", 100, 1));
    for (auto& client : all)
      CHECK(take(client, 1).done == 1);
  }
  for (int i = 0; i < 5000; ++i)
    (void)wire_client::silent(server.port());
  for (auto& client : all)
    client.send_each(consumes("many", 100, 1));
  for (auto& client : all)
    CHECK(take(client, 1).done == 1);
  proven(server.conninfo());
}

TEST_CASE("memory stays flat under a flood, and all that was accepted is in the books", "[pg]") {
  constexpr std::size_t floods = 8;
  constexpr std::size_t batch = 1000;
  auto& server = usual_server();
  make_customers(server.port(), "flood", 100);
  std::atomic<std::size_t> done{0};
  std::atomic<std::size_t> overloaded{0};
  std::atomic<std::size_t> lost{0}; ///< connections
  const auto flood = [&](int rounds) {
    std::vector<std::jthread> threads;
    for (std::size_t n = 0; n < floods; ++n)
      threads.emplace_back([&, rounds] {
        try {
          wire_client client(server.port());
          for (int r = 0; r < rounds; ++r) {
            for (int i = 0; i < 5; ++i)
              client.send(consumes("flood", 100, batch));
            for (std::size_t i = 0; i < 5 * batch; ++i)
              (std::holds_alternative<reply::receipt>(client.next_answer().body) ? done
                                                                                 : overloaded) += 1;
          }
        } catch (const std::exception&) {
          ++lost;
        }
      });
  };
  flood(2); // buffers and pools reach their size
  const auto before = resident_bytes(server.pid());
  flood(8);
  const auto after = resident_bytes(server.pid());
  INFO(done << " done, " << overloaded << " refused; resident " << before / megabyte
            << " MiB, then " << after / megabyte);
  CHECK(lost == 0);
  CHECK(overloaded > 0);
  if (memory_is_ours)
    CHECK(after < before + 64 * megabyte);
  wire_client client(server.port());
  int128 left = 0;
  for (int i = 0; i < 100; ++i)
    left += settled(state_of(client, "flood-" + std::to_string(i)));
  CHECK((left == int128{100} * 100'000'000 - static_cast<int128>(done)));
  proven(server.conninfo());
}
