// Frames on a byte stream: a 4-byte big-endian length, then that many bytes.
// What is in them is codec.hpp's; sockets are the gateway's.
#pragma once

#include "domain/result.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace google::protobuf {
class MessageLite;
}

namespace accrue::wire {

/// Bytes of the length in front of each frame.
inline constexpr std::size_t prefix_bytes = 4;
/// Largest frame that a server accepts, without its length, unless configured otherwise.
inline constexpr std::size_t frame_bytes_max_default = std::size_t{1} << 20;
/// Largest frame that a client accepts: answers may list much.
inline constexpr std::size_t answer_bytes_max = std::size_t{64} << 20;

/// Cuts what a socket delivers into frames, without copying them:
///
///     reader.commit(socket.read_some(reader.prepare()));
///     for (auto frame = reader.next(); frame && *frame; frame = reader.next())
///       use(**frame);
///
/// Grows only with what has arrived, never with what a length announces: to about twice the limit at
/// most, provided that `next` has given all before each `prepare`. Who cannot take more stops reading.
class frame_reader {
public:
  explicit frame_reader(std::size_t frame_bytes_max = frame_bytes_max_default) noexcept;

  /// Room for the next read, never empty. What `next` gave before is void from here on.
  [[nodiscard]] std::span<char> prepare();
  /// Takes the first `count` bytes of that room as arrived.
  void commit(std::size_t count);
  /// The next whole frame's payload, valid until `prepare`; nothing while it is incomplete.
  /// errc: validation for a length of zero or above the limit, as soon as the length is there. After
  /// that the stream has lost its step: every further call says the same, and the connection must go.
  [[nodiscard]] result<std::optional<std::string_view>> next();

  /// Gives the buffer back where nothing is pending, so that an idle connection holds none. What `next`
  /// gave before is void then.
  void rest() noexcept;

  /// Bytes that arrived and belong to no frame given yet.
  [[nodiscard]] std::size_t pending_bytes() const noexcept { return end_ - begin_; }
  /// Size of the buffer now.
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

private:
  void move_to(std::size_t capacity);

  std::size_t frame_bytes_max_;
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0; ///< first byte not given yet
  std::size_t end_ = 0;   ///< behind the last byte that arrived
};

/// Appends length and message to what will be sent.
void append_frame(std::string& out, const google::protobuf::MessageLite& message);

} // namespace accrue::wire
