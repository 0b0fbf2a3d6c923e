// A blocking client of the gateway: connect, say hello, ask, wait for the answers; one connection.
// How answers look on a terminal, and which exit code they give, is not said here.
#pragma once

#include "protocol/codec.hpp"

#include <tl/expected.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace accrue::client {

struct endpoint {
  std::string host;
  std::string port;
};
/// "HOST:PORT", "[::1]:PORT" or a host alone, which gets the default port. errc: validation.
[[nodiscard]] result<endpoint> parse_endpoint(std::string_view text);

/// How long a person would write it: "500ms", "10s", "2m", "1h"; a bare number is seconds.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_wait(std::string_view text);

inline constexpr std::string_view default_server = "127.0.0.1:7117";

struct settings {
  std::string server{default_server};
  std::string namespace_reference = "default";
  std::string client_name = "accrue";
  std::chrono::milliseconds timeout{10'000}; ///< for connecting, and for each answer
};

/// Why there is no answer.
struct failure {
  enum class origin : std::uint8_t {
    connection, ///< no server, or the connection was lost or not understood
    server,     ///< the server said no
  };
  failure::origin origin = origin::connection;
  wire::refused why;
};

template <class T>
using outcome = tl::expected<T, failure>;

using answer_body = decltype(wire::answer::body);

/// What a client says of a connection that broke: the outcome of what was asked is unknown.
[[nodiscard]] failure connection_failure(std::string server, std::string what);
/// A refusal with the advice of its code.
[[nodiscard]] failure server_failure(refusal no);

class connection {
public:
  /// Connects and exchanges hello and welcome.
  [[nodiscard]] static outcome<connection> open(const settings& how);

  ~connection();
  connection(connection&&) noexcept;
  connection& operator=(connection&&) noexcept;

  [[nodiscard]] const wire::welcome& welcome() const noexcept;

  /// One command and its answer; a refusal is a failure.
  [[nodiscard]] outcome<answer_body> ask(const wire::call& what);

  /// Is told the place of a call and its answer, which may be a refusal; in any order.
  using visit = std::function<void(std::size_t index, answer_body& answer)>;
  /// Many commands, pipelined in batches within the server's limits. Commands of one customer are
  /// decided in their order. The timeout counts from the last answer.
  [[nodiscard]] outcome<void> ask_all(std::span<const wire::call> calls, const visit& seen);

private:
  struct open_socket;
  explicit connection(std::unique_ptr<open_socket> it) noexcept;
  std::unique_ptr<open_socket> it_;
};

} // namespace accrue::client
