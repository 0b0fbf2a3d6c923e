// Memory of idle customers in a running server: makes N customers with 2 grants, 10 keys and a charge each,
// and compares the server's resident set before and after. Usage: idle_memory PORT SERVER_PID [CUSTOMERS]
#include "protocol/codec.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace {

using namespace accrue;
using boost::asio::ip::tcp;

// Resident bytes of a process; 0 where it is gone.
std::size_t resident(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("VmRSS:"))
      return std::strtoull(line.c_str() + 6, nullptr, 10) * 1024;
  return 0;
}

class client {
public:
  explicit client(const char* port) : socket_(io_) {
    boost::asio::connect(socket_, tcp::resolver(io_).resolve("127.0.0.1", port));
    std::string out;
    wire::print(out, wire::hello{"default", "", "idle_memory"});
    send(out);
    (void)await(1);
  }
  void send(const std::string& bytes) { boost::asio::write(socket_, boost::asio::buffer(bytes)); }
  /// Waits for this many frames; how many were refusals.
  std::size_t await(std::size_t frames) {
    std::size_t refused = 0;
    while (frames != 0) {
      const auto room = reader_.prepare();
      reader_.commit(socket_.read_some(boost::asio::buffer(room.data(), room.size())));
      for (auto f = reader_.next(); f && *f && frames != 0; f = reader_.next()) {
        const auto parsed = wire::parse_server_frame(**f);
        if (const auto* a = parsed ? std::get_if<wire::answer>(&*parsed) : nullptr)
          refused += std::holds_alternative<wire::refused>(a->body);
        --frames;
      }
    }
    return refused;
  }

private:
  boost::asio::io_context io_;
  tcp::socket socket_;
  wire::frame_reader reader_;
};

// The ten commands of one customer, each with a key of its own.
std::vector<wire::call> life_of(const std::string& name) {
  std::vector<wire::call> calls;
  const auto add = [&](command::any body, std::string key = {}) {
    calls.push_back({name, std::move(key), {}, {}, std::move(body)});
  };
  const auto amount = [](const char* text) { return *decimal::parse(text); };
  add(command::put_customer{"USD", {}, {}}, "create");
  add(command::grant_credit{"a", amount("100"), "USD", 100, {}, {}});
  add(command::grant_credit{"b", amount("50"), "USD", 200, {"api"}, {}});
  for (int i = 0; i < 6; ++i)
    add(command::consume{"use-" + std::to_string(i), amount("1.5"), "USD", {}});
  command::create_charge fee;
  fee.id = "fee";
  fee.amount = amount("20");
  fee.currency = "USD";
  fee.service_period = {*parse_instant("2040-01-01T00:00:00Z"),
                        *parse_instant("2040-02-01T00:00:00Z")};
  add(fee);
  return calls;
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: idle_memory PORT SERVER_PID [CUSTOMERS]\n");
    return 2;
  }
  const std::size_t customers = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 20000;
  client c(argv[1]);
  constexpr std::size_t window = 50;
  std::uint64_t request = 1;
  std::size_t refused = 0;
  const auto make = [&](const std::string& prefix, std::size_t count) {
    for (std::size_t n = 0; n < count; n += window) {
      std::string out;
      std::size_t answers = 0;
      for (std::size_t i = n; i < std::min(count, n + window); ++i) {
        const auto calls = life_of(prefix + std::to_string(i));
        wire::print(out, request++, calls);
        answers += calls.size();
      }
      c.send(out);
      refused += c.await(answers);
    }
  };
  make("warm-", 1000); // buffers and pools reach their size
  const auto before = resident(argv[2]);
  make("idle-", customers);
  const auto after = resident(argv[2]);
  std::printf("%zu customers, %zu refusals: %.1f MB before, %.1f MB after, %.0f bytes a customer\n",
              customers,
              refused,
              double(before) / 1e6,
              double(after) / 1e6,
              double(after - before) / double(customers));
  return refused == 0 ? 0 : 1;
}
