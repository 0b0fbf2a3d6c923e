// The wire as values: frames to commands and replies, and back. Protobuf stays behind this header.
// No sockets, no clock, no business rule: what comes out is well-formed, not yet decided.
#pragma once

#include "domain/commands.hpp"
#include "domain/ids.hpp"
#include "domain/quarantine.hpp"
#include "domain/replies.hpp"
#include "domain/result.hpp"
#include "protocol/errors.hpp"
#include "protocol/frame.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace accrue::wire {

inline constexpr std::uint32_t protocol_version = 1;

// Operators' commands: answered by the console, never by a customer.
/// One line typed at the console.
struct console_line {
  std::string line;
  friend bool operator==(const console_line&, const console_line&) = default;
};
struct get_status {
  friend bool operator==(const get_status&, const get_status&) = default;
};
struct inspect {
  std::string customer;
  friend bool operator==(const inspect&, const inspect&) = default;
};
/// Customers in order of their references.
struct list_customers {
  static constexpr std::uint32_t limit_default = 100;
  static constexpr std::uint32_t limit_max = 1000;
  std::string after; ///< exclusive; empty: from the first
  std::uint32_t limit = limit_default;
  friend bool operator==(const list_customers&, const list_customers&) = default;
};
/// Who may not write, longest first.
struct list_quarantine {
  std::uint32_t limit = list_customers::limit_default; ///< at most `list_customers::limit_max`
  friend bool operator==(const list_quarantine&, const list_quarantine&) = default;
};
/// Loads a customer again and lets it write.
struct lift_quarantine {
  static constexpr std::size_t reason_bytes_max = 1000;
  std::string customer; ///< empty: the namespace itself
  std::string reason;
  friend bool operator==(const lift_quarantine&, const lift_quarantine&) = default;
};
using operator_command = std::
    variant<console_line, get_status, inspect, list_customers, list_quarantine, lift_quarantine>;

// Their replies.
struct console_text {
  std::vector<std::string> lines;
  friend bool operator==(const console_text&, const console_text&) = default;
};
struct status {
  std::vector<std::pair<std::string, std::string>> entries;
  friend bool operator==(const status&, const status&) = default;
};
struct customers {
  struct item {
    std::string reference;
    accrue::sequence sequence;
    friend bool operator==(const item&, const item&) = default;
  };
  std::vector<item> items;
  friend bool operator==(const customers&, const customers&) = default;
};
struct quarantined {
  struct item {
    quarantine what;
    std::uint64_t refused = 0; ///< commands since, or since the server's start
    friend bool operator==(const item&, const item&) = default;
  };
  std::vector<item> items;
  std::uint64_t total = 0; ///< how many there are; the list may be shorter
  friend bool operator==(const quarantined&, const quarantined&) = default;
};
struct quarantine_lifted {
  std::string customer;
  accrue::sequence sequence; ///< where it goes on
  friend bool operator==(const quarantine_lifted&, const quarantine_lifted&) = default;
};
using operator_reply =
    std::variant<console_text, status, customers, quarantined, quarantine_lifted>;

/// What a connection may do; told in the welcome.
struct limits {
  std::uint32_t frame_bytes_max = frame_bytes_max_default;
  std::uint32_t batch_max = 1000;     ///< commands of one request
  std::uint32_t in_flight_max = 4096; ///< commands of one connection without an answer
  friend bool operator==(const limits&, const limits&) = default;
};

/// A client's first frame.
struct hello {
  std::string namespace_reference;
  std::string credentials;
  std::string client_name;
  friend bool operator==(const hello&, const hello&) = default;
};

/// The server's first frame.
struct welcome {
  std::string server_name;
  wire::limits limits;
  friend bool operator==(const welcome&, const welcome&) = default;
};

/// One command with what travels beside it.
struct call {
  std::string customer; ///< reference; empty for the namespace's and operators' commands
  std::string key;      ///< idempotency key as given; empty: none given (the default is `kind:id`)
  std::optional<sequence> expected_sequence;
  std::optional<std::uint32_t> deadline_ms; ///< from arrival; at least 1
  std::variant<command::any, operator_command> body;
};

/// A batch of at least one. A command that is not well-formed is a refusal in its place, to be
/// answered under its index; the others are not touched by it.
struct request {
  std::uint64_t id = 0;
  std::vector<result<call>> calls;
};

/// Which command of which request is answered.
struct answer_to {
  std::uint64_t request_id = 0;
  std::uint32_t index = 0;
  friend bool operator==(const answer_to&, const answer_to&) = default;
};

/// A refusal as a client sees it.
struct refused {
  refusal reason;
  wire::retry retry;
  friend bool operator==(const refused&, const refused&) = default;
};

struct answer {
  answer_to to;
  std::variant<reply::receipt, operator_reply, refused> body;
  friend bool operator==(const answer&, const answer&) = default;
};

/// The server's last frame: about the connection, which it closes.
struct farewell {
  refused reason;
  friend bool operator==(const farewell&, const farewell&) = default;
};

using client_frame = std::variant<hello, request>;
using server_frame = std::variant<welcome, answer, farewell>;

// Server.

/// Reads what a client sent. An error is the connection's: print it with `print_farewell` and close.
/// errc: validation for bytes that are no frame, unknown fields around the commands, a batch that is
/// empty or above `batch_max`; unsupported_operation for another protocol version.
/// The refusals of single commands name the field in `subject`, e.g. "grant_credit.amount"; errc:
/// validation, invalid_period; unsupported_operation for a command this version does not know.
[[nodiscard]] result<client_frame> parse_client_frame(std::string_view payload,
                                                      std::uint32_t batch_max = limits{}.batch_max);

/// What a refusal needs to know of a request: whom to answer, and how often.
struct request_outline {
  std::uint64_t id = 0;
  std::uint32_t commands = 0;
  friend bool operator==(const request_outline&, const request_outline&) = default;
};

/// Reads a request's id and counts its commands without looking into them: a tenth of the work of parsing, for
/// a server that can take none of them. Nothing for everything else and for whatever is not plainly well-formed:
/// `parse_client_frame` has the last word there.
[[nodiscard]] std::optional<request_outline>
outline_request(std::string_view payload, std::uint32_t batch_max = limits{}.batch_max) noexcept;

/// Each appends one frame, its length included, to what will be sent. They may be called from any
/// thread; the protobuf objects are per thread and reused.
void print(std::string& out, const welcome& w);
void print(std::string& out, answer_to to, const reply::receipt& r);
void print(std::string& out, answer_to to, const operator_reply& r);
/// With the retry advice of its code; `retry_after_ms` replaces the table's waiting time.
void print(std::string& out,
           answer_to to,
           const refusal& no,
           std::optional<std::uint32_t> retry_after_ms = std::nullopt);
void print_farewell(std::string& out, const refusal& why);

// Client.

/// Reads what a server sent. Unknown fields are ignored, an unknown error code is `internal`.
/// errc: validation for bytes that are no frame of a server; unsupported_operation for a reply that
/// only a newer client can read.
[[nodiscard]] result<server_frame> parse_server_frame(std::string_view payload);

void print(std::string& out, const hello& h);
/// One request of one command or a batch; their indexes are the places in `calls`.
void print(std::string& out, std::uint64_t request_id, std::span<const call> calls);
inline void print(std::string& out, std::uint64_t request_id, const call& c) {
  print(out, request_id, std::span(&c, 1));
}

} // namespace accrue::wire
