// The socket under the client: poll before every read and write, so that no wait is for ever.
// What commands mean is the tests' affair.
#include "tests/support/wire_client.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace accrue::testing {

using clock = std::chrono::steady_clock;

namespace {

int connect_to(std::uint16_t port) {
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(made, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) {
    const std::string why = std::strerror(errno);
    ::close(made);
    throw connection_over("cannot connect: " + why);
  }
  const int on = 1;
  ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::fcntl(made, F_SETFL, O_NONBLOCK);
  return made;
}

[[noreturn]] void over(std::string_view doing) {
  throw connection_over(fmt::format("while {}: {}", doing, std::strerror(errno)));
}

} // namespace

wire_client::wire_client(std::uint16_t port, std::string_view space)
    : wire_client(connect_to(port)) {
  send_hello(space);
  const auto first = receive();
  if (!first)
    throw connection_over("closed instead of welcomed");
  if (const auto* bye = std::get_if<wire::farewell>(&*first))
    throw connection_over(describe(bye->reason.reason));
  if (!std::holds_alternative<wire::welcome>(*first))
    throw unexpected_answer("an answer before the welcome");
}

wire_client wire_client::silent(std::uint16_t port) { return wire_client(connect_to(port)); }

wire_client::~wire_client() {
  if (socket_ >= 0)
    ::close(socket_);
}

wire_client::wire_client(wire_client&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), requests_(other.requests_),
      reader_(std::move(other.reader_)) {}

void wire_client::shut_down() noexcept { ::shutdown(socket_, SHUT_RDWR); }

bool wire_client::wait_for(short events, clock::time_point until) const {
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - clock::now()).count();
    pollfd it{socket_, events, 0};
    const int ready = ::poll(&it, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready > 0)
      return true;
    if (ready == 0)
      return false;
    if (errno != EINTR)
      over("waiting");
  }
}

void wire_client::send_bytes(std::string_view bytes) {
  const auto until = clock::now() + patience;
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EAGAIN && errno != EINTR) {
      over("sending");
    } else if (!wait_for(POLLOUT, until)) {
      throw unexpected_answer("the server does not take what is sent");
    }
  }
}

void wire_client::send_hello(std::string_view space) {
  std::string out;
  wire::print(out, wire::hello{std::string(space), {}, "test"});
  send_bytes(out);
}

std::uint64_t wire_client::send(std::span<const wire::call> batch) {
  std::string out;
  wire::print(out, ++requests_, batch);
  send_bytes(out);
  return requests_;
}

std::uint64_t wire_client::send_each(std::span<const wire::call> calls) {
  std::string out;
  const auto first = requests_ + 1;
  for (const auto& one : calls)
    wire::print(out, ++requests_, one);
  send_bytes(out);
  return first;
}

std::optional<wire::server_frame> wire_client::receive(std::chrono::milliseconds wait) {
  const auto until = clock::now() + wait;
  for (;;) {
    const auto frame = reader_.next();
    if (!frame)
      throw unexpected_answer(describe(frame.error()));
    if (*frame) {
      auto read = wire::parse_server_frame(**frame);
      if (!read)
        throw unexpected_answer(describe(read.error()));
      return std::move(*read);
    }
    if (!wait_for(POLLIN, until))
      throw unexpected_answer("no answer in time");
    const auto room = reader_.prepare();
    const auto got = ::recv(socket_, room.data(), room.size(), 0);
    if (got == 0)
      return std::nullopt;
    if (got > 0)
      reader_.commit(static_cast<std::size_t>(got));
    else if (errno != EAGAIN && errno != EINTR)
      over("receiving");
  }
}

wire::answer wire_client::next_answer(std::chrono::milliseconds wait) {
  auto frame = receive(wait);
  if (!frame)
    throw connection_over("the server closed the connection");
  if (const auto* bye = std::get_if<wire::farewell>(&*frame))
    throw connection_over(describe(bye->reason.reason));
  if (auto* answer = std::get_if<wire::answer>(&*frame))
    return std::move(*answer);
  throw unexpected_answer("a second welcome");
}

std::vector<wire::answer> wire_client::answers(std::uint64_t request, std::size_t count) {
  std::vector<wire::answer> all;
  while (all.size() < count) {
    all.push_back(next_answer());
    if (all.back().to.request_id != request)
      throw unexpected_answer("an answer to another request");
  }
  std::ranges::sort(all, {}, [](const wire::answer& a) { return a.to.index; });
  return all;
}

wire::answer wire_client::ask(const wire::call& one) { return answers(send(one), 1).front(); }

reply::receipt wire_client::receipt(const wire::call& one) {
  auto answer = ask(one);
  if (auto* given = std::get_if<reply::receipt>(&answer.body))
    return std::move(*given);
  if (const auto* no = std::get_if<wire::refused>(&answer.body))
    throw unexpected_answer(describe(no->reason));
  throw unexpected_answer("an operator's reply");
}

refusal wire_client::refused(const wire::call& one) {
  const auto answer = ask(one);
  if (const auto* no = std::get_if<wire::refused>(&answer.body))
    return no->reason;
  throw unexpected_answer("it was not refused");
}

refusal wire_client::farewell(std::chrono::milliseconds wait) {
  std::optional<refusal> reason;
  while (auto frame = receive(wait)) {
    if (reason)
      throw unexpected_answer("something after the farewell");
    if (const auto* bye = std::get_if<wire::farewell>(&*frame))
      reason = bye->reason.reason;
  }
  if (!reason)
    throw unexpected_answer("closed without a farewell");
  return *reason;
}

std::string wire_client::status(std::string_view key) {
  wire::call question;
  question.body = wire::operator_command(wire::get_status{});
  const auto answer = ask(question);
  if (const auto* said = std::get_if<wire::operator_reply>(&answer.body))
    if (const auto* list = std::get_if<wire::status>(said))
      for (const auto& [name, value] : list->entries)
        if (name == key)
          return value;
  throw unexpected_answer("no such status");
}

std::string describe(const refusal& no) {
  return fmt::format("{}: {}: {}", to_string(no.code), no.subject, no.text);
}

namespace calls {

namespace {

decimal amount_of(std::string_view text) {
  const auto read = decimal::parse(text);
  if (!read)
    throw std::invalid_argument(read.error().text);
  return *read;
}

wire::call made(const std::string& customer, command::any body) {
  wire::call c;
  c.customer = customer;
  c.body = std::move(body);
  return c;
}

} // namespace

wire::call put_customer(const std::string& customer,
                        const std::string& key,
                        std::optional<std::string> currency) {
  command::put_customer body;
  body.currency = std::move(currency);
  auto c = made(customer, std::move(body));
  c.key = key;
  return c;
}

wire::call grant(const std::string& customer,
                 const std::string& id,
                 std::string_view amount,
                 const std::string& currency) {
  command::grant_credit body;
  body.id = id;
  body.amount = amount_of(amount);
  body.currency = currency;
  return made(customer, std::move(body));
}

wire::call consume(const std::string& customer,
                   const std::string& id,
                   std::string_view amount,
                   const std::string& currency) {
  return made(customer, command::consume{id, amount_of(amount), currency, {}});
}

wire::call get_balance(const std::string& customer) {
  return made(customer, command::get_balance{});
}

wire::call get_customer(const std::string& customer) {
  return made(customer, command::get_customer{});
}

} // namespace calls

} // namespace accrue::testing
