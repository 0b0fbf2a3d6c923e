// The integers of the journal's bytes: LEB128 up to 128 bits, zigzag for signed ones, with the writer
// and the reader of them. What the integers mean is said in journal_fields.hpp and journal_codec.cpp.
#pragma once

#include "domain/int128.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

namespace accrue {

/// Signed integers so that small ones of either sign are small: 0, -1, 1, -2 … are 0, 1, 2, 3 …
[[nodiscard]] constexpr uint128 zigzag(int128 value) noexcept {
  return (static_cast<uint128>(value) << 1) ^ static_cast<uint128>(value >> 127);
}
[[nodiscard]] constexpr int128 unzigzag(uint128 value) noexcept {
  return static_cast<int128>((value >> 1) ^ (uint128{0} - (value & 1)));
}

/// Bytes that a 128-bit integer takes at most.
inline constexpr std::size_t varint_bytes_max = 19;

/// Appends to bytes that somebody else owns.
class byte_writer {
public:
  explicit byte_writer(std::vector<std::byte>& out) noexcept : out_(&out) {}

  void byte(std::uint8_t value) { out_->push_back(static_cast<std::byte>(value)); }
  /// Seven bits a byte, the lowest first; all bytes but the last have their high bit set.
  void varint(uint128 value) {
    if (value < 128)
      return byte(static_cast<std::uint8_t>(value));
    std::array<std::byte, varint_bytes_max> digits{};
    std::size_t count = 0;
    for (; value >= 128; value >>= 7)
      digits[count++] = static_cast<std::byte>(static_cast<std::uint8_t>(value) | 128U);
    digits[count++] = static_cast<std::byte>(value);
    out_->insert(out_->end(), digits.begin(), digits.begin() + static_cast<std::ptrdiff_t>(count));
  }
  void bytes(std::string_view text) {
    const auto raw = std::as_bytes(std::span(text));
    out_->insert(out_->end(), raw.begin(), raw.end());
  }

private:
  std::vector<std::byte>* out_;
};

/// Reads bytes of unknown origin. After the first thing that is wrong it stays failed, has nothing
/// left and gives zeros, so that callers check once at the end. Takes integers only in the one form
/// that `byte_writer` gives them.
class byte_reader {
public:
  explicit byte_reader(std::span<const std::byte> bytes) noexcept : rest_(bytes) {}

  [[nodiscard]] bool failed() const noexcept { return reason_ != nullptr; }
  /// What was wrong; null while nothing is.
  [[nodiscard]] const char* reason() const noexcept { return reason_; }
  [[nodiscard]] std::size_t left() const noexcept { return rest_.size(); }
  void fail(const char* reason) noexcept {
    if (reason_ == nullptr)
      reason_ = reason;
    rest_ = {};
  }

  [[nodiscard]] std::uint8_t byte() noexcept {
    if (rest_.empty()) {
      fail("the bytes end too early");
      return 0;
    }
    const auto value = std::to_integer<std::uint8_t>(rest_.front());
    rest_ = rest_.subspan(1);
    return value;
  }
  [[nodiscard]] uint128 varint() noexcept {
    uint128 value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto digit = byte();
      if (failed())
        return 0;
      // The last byte of 128 bits has room for two of them; an idle last byte is a second form.
      if ((shift == 126 && digit > 3) || (shift > 0 && digit == 0)) {
        fail("an integer is not in its shortest form");
        return 0;
      }
      value |= static_cast<uint128>(digit & 127U) << shift;
      if (digit < 128)
        return value;
    }
  }
  template <std::unsigned_integral Int>
  [[nodiscard]] Int number() noexcept {
    const auto value = varint();
    if (value > std::numeric_limits<Int>::max()) {
      fail("a number is too big");
      return 0;
    }
    return static_cast<Int>(value);
  }
  /// A count of things that take at least `bytes_each` bytes: never more than could follow.
  [[nodiscard]] std::size_t count(std::size_t bytes_each) noexcept {
    const auto value = varint();
    if (value > left() / bytes_each) {
      fail("a count is bigger than what follows");
      return 0;
    }
    return static_cast<std::size_t>(value);
  }
  /// Valid as long as the bytes.
  [[nodiscard]] std::string_view bytes(std::size_t size) noexcept {
    if (size > left()) {
      fail("the bytes end too early");
      return {};
    }
    const auto taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }

private:
  std::span<const std::byte> rest_;
  const char* reason_ = nullptr;
};

} // namespace accrue
