// Whole frames: what is around commands and receipts, and the reused protobuf objects.
// Commands, receipts and their fields are in codec_*.cpp and fields.cpp.
#include "protocol/codec.hpp"

#include "protocol/fields.hpp"
#include "protocol/messages.hpp"

#include <google/protobuf/arena.h>

#include <array>

namespace accrue::wire {

namespace {

/// Frames are read into one arena a thread: its first block serves all usual frames without malloc.
class frame_arena {
public:
  frame_arena() : arena_(first_.data(), first_.size()) {
    // Protobuf would write a line to stderr for each text that is not UTF-8; the peer is told instead.
    [[maybe_unused]] static auto* const before = google::protobuf::SetLogHandler(nullptr);
  }

  /// The frame, valid until the next call; null for bytes that are none.
  const v1::Frame* parse(std::string_view payload) {
    arena_.Reset();
    auto* const frame = google::protobuf::Arena::CreateMessage<v1::Frame>(&arena_);
    const bool good = payload.size() <= std::size_t{INT32_MAX} &&
                      frame->ParseFromArray(payload.data(), static_cast<int>(payload.size()));
    return good ? frame : nullptr;
  }

private:
  alignas(8) std::array<char, std::size_t{32} * 1024> first_;
  google::protobuf::Arena arena_;
};

const v1::Frame* parse_frame(std::string_view payload) {
  thread_local frame_arena arena;
  return arena.parse(payload);
}

/// A frame kept for the next one of its sort; what a large one grew it to is given back.
class kept_frame {
public:
  v1::Frame& frame() noexcept { return frame_; }
  void append_to(std::string& out) {
    constexpr std::size_t kept_bytes_max = std::size_t{64} * 1024;
    const std::size_t before = out.size();
    append_frame(out, frame_);
    if (out.size() - before > kept_bytes_max) {
      v1::Frame fresh;
      frame_.Swap(&fresh);
    }
  }

private:
  v1::Frame frame_;
};

/// The kept answer, addressed. Its oneofs are never cleared as a whole, which would free them.
kept_frame& answer_frame(answer_to to) {
  thread_local kept_frame kept;
  auto& m = *kept.frame().mutable_answer();
  m.set_request_id(to.request_id);
  m.set_index(to.index);
  return kept;
}

void write_error(const refusal& no, std::optional<std::uint32_t> retry_after_ms, v1::Error& m) {
  const auto& row = entry(no.code);
  m.set_code(static_cast<v1::Error::Code>(row.number));
  m.set_subject(printable(no.subject));
  m.set_text(printable(no.text));
  m.set_retry(static_cast<v1::Error::Retry>(row.retry.advice));
  m.set_retry_after_ms(retry_after_ms.value_or(row.retry.after_ms));
}

refused read_error(const v1::Error& m) {
  refused read;
  read.reason = {code_of(static_cast<std::uint32_t>(m.code())), m.subject(), m.text()};
  if (v1::Error::Retry_IsValid(m.retry()))
    read.retry = {static_cast<retry_advice>(m.retry()), m.retry_after_ms()};
  return read;
}

static_assert(v1::Error::RETRY_SAME_KEY == static_cast<int>(retry_advice::same_key));
static_assert(v1::Error::RETRY_LATER == static_cast<int>(retry_advice::later));

result<client_frame> read_hello(const v1::Hello& m) {
  field_reader in(field_reader::strictness::strict, "hello");
  if (m.protocol_version() != protocol_version)
    in.fail("protocol_version",
            "must be 1: this server speaks no other version.",
            errc::unsupported_operation);
  in.only_known(m);
  hello h{in.reference("namespace", m.namespace_()),
          m.credentials(),
          in.optional_reference("client_name", m.client_name())};
  if (in.failed())
    return std::move(in).failure();
  return h;
}

result<client_frame> read_request(const v1::Request& m, std::uint32_t batch_max) {
  field_reader in(field_reader::strictness::strict, "request");
  in.only_known(m);
  const auto count = static_cast<std::size_t>(m.commands_size());
  if (count == 0 || count > batch_max)
    in.fail("commands", "must be 1 to " + std::to_string(batch_max) + ".");
  if (in.failed())
    return std::move(in).failure();
  request r;
  r.id = m.request_id();
  r.calls.reserve(count);
  for (const auto& command : m.commands())
    r.calls.push_back(read_call(command));
  return r;
}

result<server_frame> read_welcome(const v1::Welcome& m) {
  if (m.protocol_version() != protocol_version)
    return refuse(errc::unsupported_operation,
                  "The server speaks another version than 1.",
                  "welcome.protocol_version");
  return welcome{
      m.server_name(),
      {m.limits().frame_bytes_max(), m.limits().batch_max(), m.limits().in_flight_max()}};
}

result<server_frame> read_answer(const v1::Answer& m) {
  const answer_to to{m.request_id(), m.index()};
  switch (m.body_case()) {
  case v1::Answer::kError:
    return answer{to, read_error(m.error())};
  case v1::Answer::kReceipt: {
    auto receipt = read_receipt(m.receipt());
    if (!receipt)
      return tl::unexpected(std::move(receipt.error()));
    return std::visit(
        [&](auto& read) -> server_frame {
          return answer{to, std::move(read)};
        },
        *receipt);
  }
  case v1::Answer::BODY_NOT_SET:
    break;
  }
  return refuse(errc::unsupported_operation, "The answer is neither receipt nor error.", "answer");
}

} // namespace

result<client_frame> parse_client_frame(std::string_view payload, std::uint32_t batch_max) {
  const auto* const frame = parse_frame(payload);
  if (frame == nullptr)
    return refuse(errc::validation, "These bytes are no Frame of accrue.v1.", "frame");
  if (has_unknown_fields(*frame))
    return refuse(errc::validation,
                  "The frame has fields that version 1 of this server does not know.",
                  "frame");
  switch (frame->body_case()) {
  case v1::Frame::kHello:
    return read_hello(frame->hello());
  case v1::Frame::kRequest:
    return read_request(frame->request(), batch_max);
  case v1::Frame::kWelcome:
  case v1::Frame::kAnswer:
  case v1::Frame::kError:
  case v1::Frame::BODY_NOT_SET:
    break;
  }
  return refuse(
      errc::validation, "A client sends Hello first, then Requests; nothing else.", "frame");
}

result<server_frame> parse_server_frame(std::string_view payload) {
  const auto* const frame = parse_frame(payload);
  if (frame == nullptr)
    return refuse(errc::validation, "These bytes are no Frame of accrue.v1.", "frame");
  switch (frame->body_case()) {
  case v1::Frame::kWelcome:
    return read_welcome(frame->welcome());
  case v1::Frame::kAnswer:
    return read_answer(frame->answer());
  case v1::Frame::kError:
    return farewell{read_error(frame->error().error())};
  case v1::Frame::kHello:
  case v1::Frame::kRequest:
  case v1::Frame::BODY_NOT_SET:
    break;
  }
  return refuse(
      errc::validation, "A server sends Welcome, Answers and Errors; nothing else.", "frame");
}

void print(std::string& out, const welcome& w) {
  v1::Frame frame;
  auto& m = *frame.mutable_welcome();
  m.set_protocol_version(protocol_version);
  m.set_server_name(w.server_name);
  m.mutable_limits()->set_frame_bytes_max(w.limits.frame_bytes_max);
  m.mutable_limits()->set_batch_max(w.limits.batch_max);
  m.mutable_limits()->set_in_flight_max(w.limits.in_flight_max);
  append_frame(out, frame);
}

void print(std::string& out, answer_to to, const reply::receipt& r) {
  auto& kept = answer_frame(to);
  write_receipt(r, *kept.frame().mutable_answer()->mutable_receipt());
  kept.append_to(out);
}

void print(std::string& out, answer_to to, const operator_reply& r) {
  auto& kept = answer_frame(to);
  write_receipt(r, *kept.frame().mutable_answer()->mutable_receipt());
  kept.append_to(out);
}

void print(std::string& out,
           answer_to to,
           const refusal& no,
           std::optional<std::uint32_t> retry_after_ms) {
  auto& kept = answer_frame(to);
  write_error(no, retry_after_ms, *kept.frame().mutable_answer()->mutable_error());
  kept.append_to(out);
}

void print_farewell(std::string& out, const refusal& why) {
  v1::Frame frame;
  write_error(why, std::nullopt, *frame.mutable_error()->mutable_error());
  append_frame(out, frame);
}

void print(std::string& out, const hello& h) {
  v1::Frame frame;
  auto& m = *frame.mutable_hello();
  m.set_protocol_version(protocol_version);
  m.set_namespace_(h.namespace_reference);
  m.set_credentials(h.credentials);
  m.set_client_name(h.client_name);
  append_frame(out, frame);
}

void print(std::string& out, std::uint64_t request_id, std::span<const call> calls) {
  thread_local kept_frame kept;
  auto& m = *kept.frame().mutable_request();
  m.set_request_id(request_id);
  auto& commands = *m.mutable_commands();
  const auto count = static_cast<int>(calls.size());
  while (commands.size() > count)
    commands.RemoveLast();
  while (commands.size() < count)
    commands.Add();
  for (int i = 0; i < count; ++i)
    write_call(calls[static_cast<std::size_t>(i)], commands[i]);
  kept.append_to(out);
}

} // namespace accrue::wire
