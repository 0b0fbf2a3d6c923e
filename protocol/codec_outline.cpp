// A request's id and the number of its commands, straight from the bytes: no protobuf objects.
// What the commands say is codec_calls.cpp's.
#include "protocol/codec.hpp"

namespace accrue::wire {

namespace {

// Tags as protobuf writes them: field number << 3 | wire type (0 varint, 2 length-delimited).
constexpr std::uint64_t frame_request = 3 << 3 | 2;
constexpr std::uint64_t request_id = 1 << 3 | 0;
constexpr std::uint64_t request_command = 2 << 3 | 2;

/// Takes a varint off the front; nothing where none is whole.
std::optional<std::uint64_t> take_varint(std::string_view& from) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < from.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(from[i]);
    value |= std::uint64_t{byte & 0x7fU} << (7 * i);
    if (byte < 0x80) {
      from.remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

/// Takes a length and so many bytes off the front.
std::optional<std::string_view> take_bytes(std::string_view& from) noexcept {
  const auto length = take_varint(from);
  if (!length || *length > from.size())
    return std::nullopt;
  const auto taken = from.substr(0, *length);
  from.remove_prefix(*length);
  return taken;
}

} // namespace

std::optional<request_outline> outline_request(std::string_view payload,
                                               std::uint32_t batch_max) noexcept {
  if (take_varint(payload) != frame_request)
    return std::nullopt;
  auto request = take_bytes(payload);
  if (!request || !payload.empty())
    return std::nullopt;
  request_outline seen;
  while (!request->empty()) {
    const auto tag = take_varint(*request);
    if (tag == request_id) {
      const auto id = take_varint(*request);
      if (!id)
        return std::nullopt;
      seen.id = *id;
    } else if (tag == request_command) {
      if (!take_bytes(*request))
        return std::nullopt;
      ++seen.commands;
    } else {
      return std::nullopt;
    }
  }
  if (seen.commands == 0 || seen.commands > batch_max)
    return std::nullopt;
  return seen;
}

} // namespace accrue::wire
