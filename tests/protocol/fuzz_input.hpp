// What is done with bytes from nowhere: read as a stream, as a client's frame and as a server's.
// Shared by the libFuzzer target and by the deterministic test.
#pragma once

#include "protocol/codec.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

namespace accrue::wire {

/// What parses must print, and parse again.
inline void exercise_payload(std::string_view payload) {
  constexpr std::uint32_t batch_max = 16;
  if (auto parsed = parse_client_frame(payload, batch_max); parsed)
    if (const auto* const r = std::get_if<request>(&*parsed); r != nullptr)
      for (const auto& c : r->calls) {
        if (!c) {
          ENSURE(!c.error().text.empty());
          continue;
        }
        std::string out;
        print(out, r->id, *c);
        const auto again = parse_client_frame(std::string_view(out).substr(prefix_bytes));
        ENSURE(again && std::get<request>(*again).calls[0]);
      }
  if (auto parsed = parse_server_frame(payload); parsed)
    if (const auto* const a = std::get_if<answer>(&*parsed); a != nullptr)
      if (const auto* const r = std::get_if<reply::receipt>(&a->body); r != nullptr) {
        std::string out;
        print(out, a->to, *r);
        const auto again = parse_server_frame(std::string_view(out).substr(prefix_bytes));
        ENSURE(again && *again == *parsed);
      }
}

/// The bytes as a stream, in reads of `step`.
inline void exercise_stream(std::string_view bytes, std::size_t step) {
  frame_reader reader(64 * 1024);
  while (!bytes.empty()) {
    const auto room = reader.prepare();
    const auto count = std::min({room.size(), bytes.size(), std::max<std::size_t>(step, 1)});
    std::memcpy(room.data(), bytes.data(), count);
    reader.commit(count);
    bytes.remove_prefix(count);
    auto frame = reader.next();
    for (; frame && *frame; frame = reader.next())
      exercise_payload(**frame);
    if (!frame)
      return;
  }
}

} // namespace accrue::wire
