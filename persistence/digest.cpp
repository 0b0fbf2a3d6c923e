// SHA-256 by OpenSSL's low-level functions. EVP with a prefetched algorithm was measured beside
// them and is slower for the short rows that are hashed here (docs/decisions/0001-journal-form.md).
#include "persistence/digest.hpp"

#include <algorithm>

// Deprecated since OpenSSL 3.0 in favour of EVP, and still there; see above for why.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace accrue {

digester::digester() noexcept { SHA256_Init(&state_); }

digester& digester::add(std::span<const std::byte> piece) noexcept {
  SHA256_Update(&state_, piece.data(), piece.size());
  return *this;
}

digester& digester::add(std::string_view piece) noexcept {
  return add(std::as_bytes(std::span(piece)));
}

digest digester::finish() noexcept {
  digest out;
  SHA256_Final(reinterpret_cast<unsigned char*>(out.data()), &state_);
  SHA256_Init(&state_);
  return out;
}

digest digest_of(std::initializer_list<std::span<const std::byte>> pieces) noexcept {
  digester hash;
  for (const auto piece : pieces)
    hash.add(piece);
  return hash.finish();
}

digest digest_of(std::string_view text) noexcept { return digester{}.add(text).finish(); }

fingerprint fingerprint_of(const digest& full) noexcept {
  fingerprint out;
  std::copy_n(full.begin(), out.size(), out.begin());
  return out;
}

std::string to_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::byte it : bytes) {
    out.push_back(digits[std::to_integer<std::size_t>(it >> 4)]);
    out.push_back(digits[std::to_integer<std::size_t>(it & std::byte{15})]);
  }
  return out;
}

} // namespace accrue
