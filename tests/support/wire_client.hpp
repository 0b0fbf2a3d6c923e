// A blocking client of the server's socket for tests: frames, raw bytes, and a deadline on every wait.
// It knows the wire and nothing of the server's processes.
#pragma once

#include "protocol/codec.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace accrue::testing {

/// The connection is over, or was never made.
struct connection_over : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Something else than expected came, or nothing in time.
struct unexpected_answer : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One connection, for one thread. All waits end after ten seconds unless told otherwise.
class wire_client {
public:
  static constexpr std::chrono::milliseconds patience{10'000};

  /// Connects, says hello and takes the welcome.
  explicit wire_client(std::uint16_t port, std::string_view space = "default");
  /// Connects and says nothing.
  [[nodiscard]] static wire_client silent(std::uint16_t port);
  ~wire_client();
  wire_client(wire_client&& other) noexcept;
  wire_client& operator=(wire_client&&) = delete;

  /// Sends what is given, byte by byte as it is.
  void send_bytes(std::string_view bytes);
  void send_hello(std::string_view space = "default");
  /// Sends one request; its id, which counts from 1.
  std::uint64_t send(const wire::call& one) { return send(std::span(&one, 1)); }
  std::uint64_t send(std::span<const wire::call> batch);
  /// Takes these calls for sent one by one, in one write; the first one's id, the others follow.
  std::uint64_t send_each(std::span<const wire::call> calls);

  /// The next frame; none when the server has closed. Throws `connection_over` for a reset.
  [[nodiscard]] std::optional<wire::server_frame>
  receive(std::chrono::milliseconds wait = patience);
  /// The next answer, whatever it answers. Throws `connection_over` at a farewell or the end.
  [[nodiscard]] wire::answer next_answer(std::chrono::milliseconds wait = patience);
  /// The answers of one request, in order of their indexes, while nothing else is in flight.
  [[nodiscard]] std::vector<wire::answer> answers(std::uint64_t request, std::size_t count);

  /// Sends one command and waits for its answer, while nothing else is in flight.
  [[nodiscard]] wire::answer ask(const wire::call& one);
  /// The receipt of one; throws `unexpected_answer` where it was refused.
  reply::receipt receipt(const wire::call& one);
  /// The refusal of one; throws `unexpected_answer` where it was not refused.
  [[nodiscard]] refusal refused(const wire::call& one);
  /// The farewell that must come next, after answers that nobody waited for, and the end behind it.
  [[nodiscard]] refusal farewell(std::chrono::milliseconds wait = patience);
  /// Both are what an operator's get_status says: the value of a key; throws where it is not there.
  [[nodiscard]] std::string status(std::string_view key);

  /// Ends the connection; who waits on another thread, finds it over. From any thread.
  void shut_down() noexcept;

private:
  explicit wire_client(int socket) noexcept : socket_(socket) {}
  [[nodiscard]] bool wait_for(short events, std::chrono::steady_clock::time_point until) const;

  int socket_;
  std::uint64_t requests_ = 0;
  wire::frame_reader reader_{wire::answer_bytes_max};
};

/// "validation: grant_credit.amount: …", for messages of failed tests.
[[nodiscard]] std::string describe(const refusal& no);

// Commands, ready to send. Amounts are decimals in text; a bad one throws.
namespace calls {

[[nodiscard]] wire::call put_customer(const std::string& customer,
                                      const std::string& key = "create",
                                      std::optional<std::string> currency = "USD");
[[nodiscard]] wire::call grant(const std::string& customer,
                               const std::string& id,
                               std::string_view amount,
                               const std::string& currency = "USD");
[[nodiscard]] wire::call consume(const std::string& customer,
                                 const std::string& id,
                                 std::string_view amount,
                                 const std::string& currency = "USD");
[[nodiscard]] wire::call get_balance(const std::string& customer);
[[nodiscard]] wire::call get_customer(const std::string& customer);

} // namespace calls

} // namespace accrue::testing
