// Cutting printed bytes into payloads, for tests of the codec.
#pragma once

#include "protocol/codec.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace accrue::wire {

/// Lets a reader have all bytes.
inline void feed(frame_reader& reader, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto room = reader.prepare();
    const auto count = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), count);
    reader.commit(count);
    bytes.remove_prefix(count);
  }
}

/// The payload of the one frame in `bytes`.
inline std::string_view only_payload(std::string_view bytes) {
  REQUIRE(bytes.size() > prefix_bytes);
  return bytes.substr(prefix_bytes);
}

/// What the client made of one printed answer.
inline answer read_answer(std::string_view bytes) {
  auto frame = parse_server_frame(only_payload(bytes));
  INFO((frame ? "" : frame.error().text));
  REQUIRE(frame);
  return std::get<answer>(std::move(*frame));
}

/// What the server made of one printed request.
inline request read_request(std::string_view bytes) {
  auto frame = parse_client_frame(only_payload(bytes));
  INFO((frame ? "" : frame.error().text));
  REQUIRE(frame);
  return std::get<request>(std::move(*frame));
}

} // namespace accrue::wire
