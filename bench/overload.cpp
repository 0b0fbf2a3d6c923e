// A server under more load than it can carry: finds the most it commits, offers half and twice of that in open
// loop, and prints what the accepted and the refused waited, and the server's memory.
// Usage: overload PORT SERVER_PID [CONNECTIONS] [CUSTOMERS] [SECONDS]
#include "protocol/codec.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace accrue;
using clock_type = std::chrono::steady_clock;

// Resident bytes of a process; 0 where it is gone.
std::size_t resident(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("VmRSS:"))
      return std::strtoull(line.c_str() + 6, nullptr, 10) * 1024;
  return 0;
}

double ms(clock_type::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

/// Waiting times, and what they say.
class waits {
public:
  void add(clock_type::duration d) { all_.push_back(static_cast<float>(ms(d))); }
  [[nodiscard]] std::size_t count() const { return all_.size(); }
  /// In milliseconds; 1 is the longest.
  double quantile(double q) {
    if (all_.empty())
      return 0;
    const auto n = std::min(all_.size() - 1, static_cast<std::size_t>(q * double(all_.size())));
    std::nth_element(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(n), all_.end());
    return double(all_[n]);
  }

private:
  std::vector<float> all_;
};

/// The frame of one consume whose request id and key are written over the last ones: sending must cost less
/// than serving, or the driver is measured.
class consume_frame {
public:
  explicit consume_frame(const std::string& customer) {
    wire::call c;
    c.customer = customer;
    c.body = command::any(
        command::consume{std::string(digits, '#'), *decimal::parse("0.01"), "USD", {}});
    wire::print(bytes_, first_id, c);
    id_at_ = bytes_.find(std::string("\x08\x80\x80\x80\x80\x01", 6)) + 1;
    key_at_ = bytes_.find(std::string(digits, '#'));
  }
  void append_to(std::string& out, std::uint64_t request, std::uint64_t key) {
    auto id = first_id + request; // five bytes as a varint
    for (std::size_t i = 0; i < 5; ++i, id >>= 7)
      bytes_[id_at_ + i] = static_cast<char>((id & 0x7f) | (i < 4 ? 0x80 : 0));
    for (std::size_t i = digits; i-- > 0; key /= 10)
      bytes_[key_at_ + i] = static_cast<char>('0' + key % 10);
    out += bytes_;
  }
  static constexpr std::uint64_t first_id = 1 << 28;

private:
  static constexpr std::size_t digits = 16;
  std::string bytes_;
  std::size_t id_at_ = 0, key_at_ = 0;
};

struct connection {
  int socket = -1;
  std::string out;
  std::size_t sent = 0;
  std::uint64_t next = 0;
  std::vector<clock_type::time_point> asked; ///< by request, in a ring
  wire::frame_reader in{wire::answer_bytes_max};
  static constexpr std::size_t ring = 1 << 16;
};

struct phase {
  double rate = 0;        ///< commands a second; 0: closed loop
  std::size_t window = 0; ///< of a connection, in closed loop
  double seconds = 0;
  waits accepted, refused;
  double answered_seconds = 0;
};

class driver {
public:
  driver(std::uint16_t port, std::size_t connections, std::size_t customers)
      : epoll_(::epoll_create1(0)), run_(std::uint64_t(::getpid()) % 90'000 + 10'000) {
    for (std::size_t i = 0; i < connections; ++i)
      open(port);
    for (std::size_t i = 0; i < customers; ++i)
      create("overload-" + std::to_string(i));
  }

  void run(phase& p) {
    now_ = &p;
    const auto start = clock_type::now();
    const auto end = start + std::chrono::duration_cast<clock_type::duration>(
                                 std::chrono::duration<double>(p.seconds));
    if (p.rate == 0)
      for (auto& c : all_)
        for (std::size_t i = 0; i < p.window; ++i)
          ask(c, start);
    std::uint64_t due = 0;
    std::size_t turn = 0;
    for (auto t = start; t < end; t = clock_type::now()) {
      if (p.rate > 0) {
        const auto wanted =
            static_cast<std::uint64_t>(std::chrono::duration<double>(t - start).count() * p.rate);
        // In groups, connection by connection, as many small clients would come.
        for (; due < wanted; ++due)
          ask(all_[turn++ / 4 % all_.size()],
              start + std::chrono::duration_cast<clock_type::duration>(
                          std::chrono::duration<double>(double(due) / p.rate)));
      }
      for (auto& c : all_)
        flush(c);
      receive(1, p.rate == 0); // never spins: the server needs the core
    }
    p.answered_seconds = std::chrono::duration<double>(clock_type::now() - start).count();
    const auto counted = p;
    const auto patience = clock_type::now() + std::chrono::seconds(10);
    while (in_flight_ > 0 && clock_type::now() < patience) {
      for (auto& c : all_)
        flush(c);
      receive(1, false);
    }
    p.answered_seconds = counted.answered_seconds;
    if (in_flight_ > 0)
      std::printf("%zu commands were left without an answer\n", in_flight_);
  }

private:
  void open(std::uint16_t port) {
    auto& c = all_.emplace_back();
    c.asked.resize(connection::ring);
    c.socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(c.socket, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0)
      throw std::runtime_error("cannot connect");
    const int on = 1;
    ::setsockopt(c.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::fcntl(c.socket, F_SETFL, O_NONBLOCK);
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.u64 = all_.size() - 1;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, c.socket, &e);
    wire::print(c.out, wire::hello{"default", "", "overload"});
    flush(c);
  }

  void create(const std::string& name) {
    wire::call c;
    c.customer = name;
    c.key = "create";
    c.body = command::any(command::put_customer{"USD", {}, {}});
    wire::call g;
    g.customer = name;
    g.body =
        command::any(command::grant_credit{"g", *decimal::parse("1000000000"), "USD", 100, {}, {}});
    const wire::call both[] = {c, g};
    wire::print(all_[0].out, 1, both);
    setup_ += 2;
    while (setup_ > 0) {
      flush(all_[0]);
      receive(10, false);
    }
    frames_.emplace_back(name);
  }

  void ask(connection& c, clock_type::time_point intended) {
    c.asked[c.next % connection::ring] = intended;
    const auto key = run_ * 100'000'000'000 + keys_++;
    frames_[keys_ * 7919 % frames_.size()].append_to(c.out, c.next++, key);
    ++in_flight_;
  }

  static void flush(connection& c) {
    while (c.sent < c.out.size()) {
      const auto n = ::send(c.socket, c.out.data() + c.sent, c.out.size() - c.sent, MSG_NOSIGNAL);
      if (n < 0) {
        if (errno == EAGAIN)
          return;
        throw std::runtime_error("the connection is over");
      }
      c.sent += static_cast<std::size_t>(n);
    }
    c.out.clear();
    c.sent = 0;
  }

  void receive(int wait_ms, bool again) {
    epoll_event ready[64];
    const int n = ::epoll_wait(epoll_, ready, 64, wait_ms);
    for (int i = 0; i < n; ++i) {
      auto& c = all_[ready[i].data.u64];
      const auto room = c.in.prepare();
      const auto got = ::recv(c.socket, room.data(), room.size(), 0);
      if (got == 0)
        throw std::runtime_error("the server closed the connection");
      if (got < 0)
        continue;
      c.in.commit(static_cast<std::size_t>(got));
      const auto now = clock_type::now();
      for (auto f = c.in.next(); f && *f; f = c.in.next())
        take(c, **f, now, again);
      flush(c);
    }
  }

  static std::uint64_t varint(std::string_view& from) {
    std::uint64_t value = 0;
    for (int shift = 0; !from.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(from.front());
      from.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80)
        break;
    }
    return value;
  }

  // Of Frame.answer only the request and which body it has; a parser would take the machine's time.
  void take(connection& c, std::string_view frame, clock_type::time_point now, bool again) {
    if (varint(frame) != (4 << 3 | 2))
      return; // the welcome
    varint(frame);
    std::uint64_t request = 0;
    bool no = false;
    while (!frame.empty()) {
      const auto tag = varint(frame);
      if (tag == (1 << 3)) {
        request = varint(frame);
      } else if ((tag & 7) == 0) {
        varint(frame);
      } else {
        no = tag == (4 << 3 | 2);
        break;
      }
    }
    if (request < consume_frame::first_id) {
      --setup_;
      return;
    }
    --in_flight_;
    const auto waited = now - c.asked[(request - consume_frame::first_id) % connection::ring];
    (no ? now_->refused : now_->accepted).add(waited);
    if (again)
      ask(c, now);
  }

  int epoll_;
  std::uint64_t run_; ///< keeps the keys of runs apart
  std::vector<connection> all_;
  std::vector<consume_frame> frames_;
  std::uint64_t keys_ = 0;
  std::size_t in_flight_ = 0;
  std::size_t setup_ = 0;
  phase* now_ = nullptr;
};

void print(const char* name, phase& p, const std::string& pid) {
  const auto total = double(p.accepted.count() + p.refused.count());
  std::printf(
      "%-22s %9.0f /s | accepted %8.0f /s  p50 %7.2f  p99 %7.2f  max %7.2f ms | overloaded %8.0f "
      "/s  p50 %6.2f  p99 %6.2f  max %6.2f ms | RSS %6.1f MB\n",
      name,
      p.rate > 0 ? p.rate : total / p.answered_seconds,
      double(p.accepted.count()) / p.answered_seconds,
      p.accepted.quantile(0.5),
      p.accepted.quantile(0.99),
      p.accepted.quantile(1),
      double(p.refused.count()) / p.answered_seconds,
      p.refused.quantile(0.5),
      p.refused.quantile(0.99),
      p.refused.quantile(1),
      double(resident(pid)) / 1e6);
  std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: overload PORT SERVER_PID [CONNECTIONS] [CUSTOMERS] [SECONDS]\n");
    return 2;
  }
  const auto number = [&](int i, unsigned long other) {
    return argc > i ? std::strtoul(argv[i], nullptr, 10) : other;
  };
  const double seconds = double(number(5, 5));
  driver all(static_cast<std::uint16_t>(number(1, 0)), number(3, 64), number(4, 1000));
  phase warm{0, 16, 1, {}, {}, 0};
  all.run(warm);
  phase most{0, 16, 3, {}, {}, 0};
  all.run(most);
  print("closed loop, 16 each", most, argv[2]);
  const auto maximum = double(most.accepted.count()) / most.answered_seconds;
  for (const auto& [name, share] : {std::pair{"half of it, open loop", 0.5},
                                    std::pair{"all of it", 1.0},
                                    std::pair{"twice as much", 2.0},
                                    std::pair{"twice as much, again", 2.0},
                                    std::pair{"half again", 0.5}}) {
    phase p{maximum * share, 0, seconds, {}, {}, 0};
    all.run(p);
    print(name, p, argv[2]);
  }
  return 0;
}
