// SHA-256 over pieces, for hash chains, fingerprints and checksums. What is hashed, and in what
// order, is said by who stores it.
#pragma once

#include <openssl/sha.h>

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace accrue {

/// A SHA-256 value.
using digest = std::array<std::byte, 32>;

/// The first 16 bytes of a digest, where equality of content is all that is asked.
using fingerprint = std::array<std::byte, 16>;

/// SHA-256 in pieces. The pieces are hashed as one string: where lengths vary, hash the lengths
/// too.
class digester {
public:
  digester() noexcept;
  digester& add(std::span<const std::byte> piece) noexcept;
  digester& add(std::string_view piece) noexcept;
  /// An integer as its bytes in network order.
  template <class Int>
  requires std::is_integral_v<Int> digester& number(Int value) noexcept {
    std::array<std::byte, sizeof(Int)> wide;
    auto rest = static_cast<std::make_unsigned_t<Int>>(value);
    for (std::size_t i = sizeof(Int); i-- > 0;) {
      wide[i] = static_cast<std::byte>(rest & 0xff);
      if constexpr (sizeof(Int) > 1)
        rest >>= 8;
    }
    return add(wide);
  }
  /// The value so far; the digester is then at its start again.
  [[nodiscard]] digest finish() noexcept;

private:
  SHA256_CTX state_;
};

/// SHA-256 of the pieces, one after the other.
[[nodiscard]] digest digest_of(std::initializer_list<std::span<const std::byte>> pieces) noexcept;
[[nodiscard]] digest digest_of(std::string_view text) noexcept;

[[nodiscard]] fingerprint fingerprint_of(const digest& full) noexcept;

/// Lower-case hexadecimal.
[[nodiscard]] std::string to_hex(std::span<const std::byte> bytes);

} // namespace accrue
