// The rules of references and the shard of a customer.
// The id types themselves are in the header.
#include "domain/ids.hpp"

namespace accrue {

namespace {

constexpr std::size_t not_text = 0;

/// Bytes of the well-formed UTF-8 character at the start of `text`, or `not_text`. Overlong forms,
/// surrogates and values above U+10FFFF are not well formed (Unicode 15, table 3-7).
std::size_t character_bytes(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80)
    return 1;
  std::size_t bytes = 0;
  unsigned second_min = 0x80;
  unsigned second_max = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    bytes = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    bytes = 3;
    if (lead == 0xE0)
      second_min = 0xA0;
    if (lead == 0xED)
      second_max = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    bytes = 4;
    if (lead == 0xF0)
      second_min = 0x90;
    if (lead == 0xF4)
      second_max = 0x8F;
  }
  if (bytes == 0 || text.size() < bytes || byte(1) < second_min || byte(1) > second_max)
    return not_text;
  for (std::size_t i = 2; i < bytes; ++i)
    if (byte(i) < 0x80 || byte(i) > 0xBF)
      return not_text;
  return bytes;
}

/// U+0000 to U+001F and U+007F to U+009F.
bool is_control(std::string_view character) noexcept {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1)
    return first < 0x20 || first == 0x7F;
  return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
}

tl::unexpected<refusal> bad_reference(std::string_view what, const char* wish) {
  return refuse(errc::validation, std::string(what) + " " + wish);
}

std::uint64_t fnv1a(std::uint64_t hash, std::string_view bytes) noexcept {
  constexpr std::uint64_t prime = 0x100000001b3;
  for (const char c : bytes)
    hash = (hash ^ static_cast<unsigned char>(c)) * prime;
  return hash;
}

} // namespace

result<void> check_reference(std::string_view text, std::string_view what) {
  if (text.empty())
    return bad_reference(what, "must not be empty.");
  if (text.size() > reference_bytes_max)
    return bad_reference(what, "must not be longer than 128 bytes.");
  while (!text.empty()) {
    const std::size_t bytes = character_bytes(text);
    if (bytes == not_text)
      return bad_reference(what, "must be valid UTF-8.");
    if (is_control(text.substr(0, bytes)))
      return bad_reference(what, "must not contain control characters.");
    text.remove_prefix(bytes);
  }
  return {};
}

std::uint32_t shard_of(std::string_view namespace_reference,
                       std::string_view customer_reference) noexcept {
  constexpr std::uint64_t offset_basis = 0xcbf29ce484222325;
  // No reference contains a zero byte, so it keeps "ab" + "c" and "a" + "bc" apart.
  const auto in_namespace = fnv1a(fnv1a(offset_basis, namespace_reference), {"\0", 1});
  return static_cast<std::uint32_t>(fnv1a(in_namespace, customer_reference) % shard_count);
}

} // namespace accrue
