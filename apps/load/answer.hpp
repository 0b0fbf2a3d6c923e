// The few fields of an answer that a load run looks at, read without making the whole reply.
// Everything else is codec.hpp's.
#pragma once

#include "domain/result.hpp"
#include "protocol/errors.hpp"

#include <google/protobuf/io/coded_stream.h>

#include <cstdint>
#include <optional>
#include <string_view>

namespace accrue::load {

struct answer {
  std::uint64_t request_id = 0;
  std::uint32_t index = 0;
  std::uint64_t sequence = 0;
  std::optional<errc> refused;
};

/// Nothing for a frame that is no answer, or none that makes sense: ask wire::parse_server_frame.
[[nodiscard]] inline std::optional<answer> read_answer(std::string_view payload) {
  using stream = google::protobuf::io::CodedInputStream;
  // Field numbers of protocol/accrue/v1/frame.proto, replies.proto and errors.proto.
  constexpr std::uint32_t varint = 0;
  constexpr std::uint32_t length = 2;
  constexpr auto field = [](std::uint32_t number, std::uint32_t type) {
    return number << 3 | type;
  };

  stream in(reinterpret_cast<const std::uint8_t*>(payload.data()),
            static_cast<int>(payload.size()));
  std::uint32_t size = 0;
  if (in.ReadTag() != field(4, length) || !in.ReadVarint32(&size))
    return std::nullopt;
  answer a;
  bool has_body = false;
  while (const auto tag = in.ReadTag()) {
    if (tag == field(1, varint)) {
      if (!in.ReadVarint64(&a.request_id))
        return std::nullopt;
    } else if (tag == field(2, varint)) {
      if (!in.ReadVarint32(&a.index))
        return std::nullopt;
    } else if (tag == field(3, length) || tag == field(4, length)) {
      // In both, the first field is the number wanted; the rest is passed over.
      std::uint64_t first = 0;
      if (!in.ReadVarint32(&size))
        return std::nullopt;
      const int end = in.CurrentPosition() + static_cast<int>(size);
      if (size == 0 || in.ReadTag() != field(1, varint) || !in.ReadVarint64(&first) ||
          !in.Skip(end - in.CurrentPosition()))
        return std::nullopt;
      has_body = true;
      if (tag == field(3, length))
        a.sequence = first;
      else
        a.refused = wire::code_of(static_cast<std::uint32_t>(first));
    } else {
      return std::nullopt;
    }
  }
  return has_body && in.ConsumedEntireMessage() ? std::optional(a) : std::nullopt;
}

} // namespace accrue::load
