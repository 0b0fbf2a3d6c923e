// The blocking client over Asio: each wait is an asynchronous operation run up to its deadline.
// Frames and their content are protocol's.
#include "apps/accrue/client.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>
#include <vector>

namespace accrue::client {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using clock = std::chrono::steady_clock;
using error_code = boost::system::error_code;

namespace {

constexpr std::string_view default_port = "7117";
/// Commands of one pipelined request, and of all that are under way, at most.
constexpr std::size_t batch_size_max = 200;
constexpr std::size_t window_max = 2000;
/// How much longer than the server's own deadline the client waits for the server's word on it.
constexpr std::chrono::milliseconds answer_slack{500};

std::uint32_t whole_ms(std::chrono::milliseconds wait) {
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(wait.count(), 1, std::int64_t{24} * 3'600'000));
}

} // namespace

result<endpoint> parse_endpoint(std::string_view text) {
  endpoint e;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos)
      return refuse(errc::validation, "Write the address as [ADDRESS]:PORT.", std::string(text));
    e.host = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
    if (!text.empty() && !text.starts_with(':'))
      return refuse(errc::validation, "Write the address as [ADDRESS]:PORT.", e.host);
    e.port = text.empty() ? default_port : text.substr(1);
  } else {
    const auto colon = text.rfind(':');
    e.host = text.substr(0, colon);
    e.port = colon == std::string_view::npos ? default_port : text.substr(colon + 1);
  }
  unsigned number = 0;
  const auto [end, wrong] = std::from_chars(e.port.data(), e.port.data() + e.port.size(), number);
  if (e.host.empty() || wrong != std::errc() || end != e.port.data() + e.port.size() ||
      number == 0 || number > 65535)
    return refuse(
        errc::validation, "Write the server as HOST:PORT, e.g. 127.0.0.1:7117.", std::string(text));
  return e;
}

std::optional<std::chrono::milliseconds> parse_wait(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (wrong != std::errc() || number < 0 || number > 1'000'000'000)
    return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit == "ms")
    return std::chrono::milliseconds(number);
  if (unit.empty() || unit == "s")
    return std::chrono::seconds(number);
  if (unit == "m")
    return std::chrono::minutes(number);
  if (unit == "h")
    return std::chrono::hours(number);
  return std::nullopt;
}

failure connection_failure(std::string server, std::string what) {
  return {failure::origin::connection,
          {{errc::storage_unavailable, std::move(server), std::move(what)},
           {wire::retry_advice::same_key, 0}}};
}

failure server_failure(refusal no) {
  const auto retry = wire::entry(no.code).retry;
  return {failure::origin::server, {std::move(no), retry}};
}

struct connection::open_socket {
  explicit open_socket(settings s) : how(std::move(s)), socket(io) {}

  settings how;
  asio::io_context io{1};
  tcp::socket socket;
  wire::frame_reader reader{std::size_t{64} << 20}; ///< answers may be larger than requests
  wire::welcome greeting;
  std::uint64_t next_request = 1;

  [[nodiscard]] failure lost(std::string what) const {
    return connection_failure(how.server, std::move(what));
  }

  /// Runs what was started until it is done or the deadline passes; then the socket is closed.
  bool run_until(clock::time_point deadline) {
    io.restart();
    io.run_until(deadline);
    if (io.stopped())
      return true;
    error_code ignored;
    socket.close(ignored);
    io.run();
    return false;
  }

  outcome<void> connect() {
    const auto where = parse_endpoint(how.server);
    if (!where)
      return tl::unexpected(lost(where.error().text));
    tcp::resolver resolver(io);
    error_code failed;
    const auto found = resolver.resolve(where->host, where->port, failed);
    if (failed)
      return tl::unexpected(lost(failed.message()));
    asio::async_connect(socket, found, [&](error_code e, const tcp::endpoint&) { failed = e; });
    if (!run_until(clock::now() + how.timeout))
      return tl::unexpected(lost("it does not answer in time"));
    if (failed)
      return tl::unexpected(lost(failed.message()));
    socket.set_option(tcp::no_delay(true), failed);
    return {};
  }

  outcome<void> send(const std::string& bytes, clock::time_point deadline) {
    error_code failed;
    asio::async_write(socket, asio::buffer(bytes), [&](error_code e, std::size_t) { failed = e; });
    if (!run_until(deadline))
      return tl::unexpected(lost("it does not take what is sent"));
    if (failed)
      return tl::unexpected(lost(failed.message()));
    return {};
  }

  /// A farewell is a failure here; of the server, as it has a code and a sentence.
  outcome<wire::server_frame> receive(clock::time_point deadline) {
    for (;;) {
      const auto frame = reader.next();
      if (!frame)
        return tl::unexpected(lost("no Accrue server: " + frame.error().text));
      if (*frame) {
        auto read = wire::parse_server_frame(**frame);
        if (!read)
          return tl::unexpected(lost("no answer of an Accrue server: " + read.error().text));
        if (auto* bye = std::get_if<wire::farewell>(&*read))
          return tl::unexpected(failure{failure::origin::server, std::move(bye->reason)});
        return std::move(*read);
      }
      const auto room = reader.prepare();
      error_code failed;
      std::size_t count = 0;
      socket.async_read_some(asio::buffer(room.data(), room.size()),
                             [&](error_code e, std::size_t n) { failed = e, count = n; });
      if (!run_until(deadline))
        return tl::unexpected(
            server_failure({errc::deadline_exceeded, how.server, "No answer in time."}));
      if (failed)
        return tl::unexpected(lost(failed == asio::error::eof ? "the server closed the connection"
                                                              : failed.message()));
      reader.commit(count);
    }
  }
};

connection::connection(std::unique_ptr<open_socket> it) noexcept : it_(std::move(it)) {}
connection::~connection() = default;
connection::connection(connection&&) noexcept = default;
connection& connection::operator=(connection&&) noexcept = default;

const wire::welcome& connection::welcome() const noexcept { return it_->greeting; }

outcome<connection> connection::open(const settings& how) {
  auto it = std::make_unique<open_socket>(how);
  if (auto done = it->connect(); !done)
    return tl::unexpected(std::move(done.error()));
  const auto deadline = clock::now() + how.timeout;
  std::string out;
  wire::print(out, wire::hello{how.namespace_reference, {}, how.client_name});
  if (auto done = it->send(out, deadline); !done)
    return tl::unexpected(std::move(done.error()));
  auto frame = it->receive(deadline);
  if (!frame)
    return tl::unexpected(std::move(frame.error()));
  auto* welcome = std::get_if<wire::welcome>(&*frame);
  if (welcome == nullptr)
    return tl::unexpected(it->lost("the server did not say welcome"));
  it->greeting = std::move(*welcome);
  return connection(std::move(it));
}

outcome<answer_body> connection::ask(const wire::call& what) {
  outcome<answer_body> given = tl::unexpected(it_->lost("no answer"));
  const auto done = ask_all(std::span(&what, 1), [&](std::size_t, answer_body& answer) {
    if (auto* no = std::get_if<wire::refused>(&answer))
      given = tl::unexpected(failure{failure::origin::server, std::move(*no)});
    else
      given = std::move(answer);
  });
  if (!done)
    return tl::unexpected(done.error());
  return given;
}

outcome<void> connection::ask_all(std::span<const wire::call> calls, const visit& seen) {
  const auto& limits = it_->greeting.limits;
  const std::size_t window = std::clamp<std::size_t>(limits.in_flight_max, 1, window_max);
  const std::size_t batch =
      std::min(std::clamp<std::size_t>(limits.batch_max, 1, batch_size_max), (window + 1) / 2);
  const std::uint64_t first_request = it_->next_request; // + place of the request's first call
  it_->next_request += calls.size();
  const auto patience = it_->how.timeout + answer_slack;

  std::vector<wire::call> some;
  std::vector<bool> has_answer(calls.size());
  std::string out;
  std::size_t sent = 0;
  std::size_t answered = 0;
  while (answered < calls.size()) {
    out.clear();
    while (sent < calls.size() &&
           (sent == answered || sent - answered + batch <= window)) { // whole batches only
      std::size_t count = std::min(batch, calls.size() - sent);
      const std::size_t before = out.size();
      for (;; count = (count + 1) / 2) {
        out.resize(before);
        some.assign(calls.begin() + static_cast<std::ptrdiff_t>(sent),
                    calls.begin() + static_cast<std::ptrdiff_t>(sent + count));
        for (auto& call : some)
          if (!call.deadline_ms)
            call.deadline_ms = whole_ms(it_->how.timeout);
        wire::print(out, first_request + sent, some);
        if (count == 1 || out.size() - before <= limits.frame_bytes_max)
          break;
      }
      sent += count;
    }
    const auto deadline = clock::now() + patience;
    if (!out.empty())
      if (auto done = it_->send(out, deadline); !done)
        return done;
    auto frame = it_->receive(deadline);
    if (!frame)
      return tl::unexpected(std::move(frame.error()));
    auto* answer = std::get_if<wire::answer>(&*frame);
    if (answer == nullptr)
      return tl::unexpected(it_->lost("a second welcome"));
    const std::uint64_t place = answer->to.request_id - first_request + answer->to.index;
    if (place >= sent || has_answer[place])
      return tl::unexpected(it_->lost("an answer to nothing that was asked"));
    has_answer[place] = true;
    ++answered;
    seen(place, answer->body);
  }
  return {};
}

} // namespace accrue::client
