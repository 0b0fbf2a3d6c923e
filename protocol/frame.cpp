// Cutting bytes into frames and putting the length in front of messages.
// Nothing here looks into a frame.
#include "protocol/frame.hpp"

#include <google/protobuf/message_lite.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace accrue::wire {

namespace {

constexpr std::size_t capacity_min = std::size_t{16} * 1024;
/// Less room than this is not worth a read.
constexpr std::size_t room_min = 4096;
/// A buffer that grew beyond this for a large frame is given back when it is empty.
constexpr std::size_t capacity_kept_max = 8 * capacity_min;

std::uint32_t read_length(const char* bytes) noexcept {
  const auto byte = [&](int i) { return std::uint32_t{static_cast<unsigned char>(bytes[i])}; };
  return byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
}

void write_length(char* bytes, std::uint32_t length) noexcept {
  for (int i = 3; i >= 0; --i, length >>= 8)
    bytes[i] = static_cast<char>(length & 0xFF);
}

} // namespace

frame_reader::frame_reader(std::size_t frame_bytes_max) noexcept
    : frame_bytes_max_(frame_bytes_max) {}

void frame_reader::move_to(std::size_t capacity) {
  auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
  if (begin_ != end_)
    std::memcpy(bytes.get(), bytes_.get() + begin_, end_ - begin_);
  bytes_ = std::move(bytes);
  capacity_ = capacity;
  end_ -= begin_;
  begin_ = 0;
}

std::span<char> frame_reader::prepare() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (capacity_ == 0 || capacity_ > capacity_kept_max)
      move_to(capacity_min);
  } else if (capacity_ - end_ < room_min) {
    const std::size_t pending = end_ - begin_;
    if (capacity_ - pending >= capacity_ / 2) { // moves no byte twice before reading as many again
      std::memmove(bytes_.get(), bytes_.get() + begin_, pending);
      begin_ = 0;
      end_ = pending;
    } else {
      move_to(capacity_ * 2);
    }
  }
  return {bytes_.get() + end_, capacity_ - end_};
}

void frame_reader::commit(std::size_t count) {
  ENSURE(count <= capacity_ - end_);
  end_ += count;
}

result<std::optional<std::string_view>> frame_reader::next() {
  const std::size_t pending = end_ - begin_;
  if (pending < prefix_bytes)
    return std::nullopt;
  const std::size_t length = read_length(bytes_.get() + begin_);
  if (length == 0)
    return refuse(errc::validation, "A frame of no bytes; the length comes first, big-endian.");
  if (length > frame_bytes_max_)
    return refuse(errc::validation,
                  "A frame of " + std::to_string(length) + " bytes; at most " +
                      std::to_string(frame_bytes_max_) + " are accepted, send smaller batches.");
  if (pending - prefix_bytes < length)
    return std::nullopt;
  const std::string_view payload{bytes_.get() + begin_ + prefix_bytes, length};
  begin_ += prefix_bytes + length;
  return payload;
}

void frame_reader::rest() noexcept {
  if (begin_ != end_)
    return;
  bytes_.reset();
  capacity_ = begin_ = end_ = 0;
}

void append_frame(std::string& out, const google::protobuf::MessageLite& message) {
  const std::size_t length = message.ByteSizeLong();
  ENSURE(length <= std::uint32_t{0xFFFFFFFF});
  const std::size_t at = out.size();
  out.resize(at + prefix_bytes + length);
  write_length(out.data() + at, static_cast<std::uint32_t>(length));
  message.SerializeWithCachedSizesToArray(
      reinterpret_cast<std::uint8_t*>(out.data() + at + prefix_bytes));
}

} // namespace accrue::wire
