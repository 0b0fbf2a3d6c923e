// Reading single fields, with sentences that name them.
// Which fields a message has is in the codec_*.cpp files.
#include "protocol/fields.hpp"

#include "domain/ids.hpp"

#include <algorithm>

namespace accrue::wire {

namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

bool is_currency_code(std::string_view text) noexcept {
  constexpr std::size_t iso_length = 3;
  constexpr std::size_t unit_length_max = 24;
  const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (text.size() == iso_length)
    return std::ranges::all_of(text, capital);
  return text.size() > iso_length && text.size() <= unit_length_max &&
         std::ranges::all_of(
             text, [&](char c) { return capital(c) || is_digit(c) || c == '_' || c == '-'; });
}

} // namespace

void field_reader::fail(std::string_view field, std::string_view wish, errc code) {
  if (failure_)
    return;
  std::string path(message_);
  if (!field.empty())
    path.append(path.empty() ? "" : ".").append(field);
  std::string text = path + " ";
  text += wish;
  failure_ = refusal{code, std::move(path), std::move(text)};
}

std::string field_reader::reference(std::string_view field, const std::string& text) {
  if (const auto good = check_reference(text, {}); !good) [[unlikely]]
    fail(field, std::string_view(good.error().text).substr(1)); // " must not …" of an unnamed thing
  return text;
}

std::string field_reader::optional_reference(std::string_view field, const std::string& text) {
  return text.empty() ? text : reference(field, text);
}

std::string field_reader::currency_code(std::string_view field, const std::string& text) {
  if (!is_currency_code(text)) [[unlikely]]
    fail(field,
         "must be a currency's code: three letters A to Z, or 4 to 24 of A-Z 0-9 _ - for a "
         "credit unit.");
  return text;
}

decimal field_reader::number(std::string_view field, const std::string& text) {
  if (text.empty()) [[unlikely]] {
    fail(field, "is missing: write a decimal such as 12.34.");
    return {};
  }
  auto read = decimal::parse(text);
  if (!read) [[unlikely]] {
    fail(field, "is wrong: " + read.error().text, read.error().code);
    return {};
  }
  return *read;
}

std::optional<instant>
field_reader::optional_instant(std::string_view field, bool present, const v1::Instant& m) {
  if (!present)
    return std::nullopt;
  only_known(m, field);
  return instant{m.unix_ns()};
}

instant field_reader::required_instant(std::string_view field, bool present, const v1::Instant& m) {
  if (!present)
    fail(field, "is missing.");
  only_known(m, field);
  return instant{m.unix_ns()};
}

period field_reader::required_period(std::string_view field, bool present, const v1::Period& m) {
  if (!present || !m.has_from() || !m.has_to()) {
    fail(field, "needs both its ends, from and to.");
    return {};
  }
  only_known(m, field);
  const auto from = required_instant(field, true, m.from());
  const auto to = required_instant(field, true, m.to());
  if (!strict_)
    return {from, to}; // a reply is not judged again
  const auto made = make_period(from, to);
  if (!made) {
    fail(field, "is wrong: " + made.error().text, made.error().code);
    return {};
  }
  return *made;
}

currency field_reader::required_currency(std::string_view field,
                                         bool present,
                                         const v1::Currency& m,
                                         std::string& code) {
  constexpr std::uint32_t exponent_max = 18;
  if (!present || m.exponent() > exponent_max) {
    fail(field, present ? "has an impossible exponent." : "is missing.");
    return {};
  }
  code = m.code();
  return {m.number(), static_cast<std::uint8_t>(m.exponent())};
}

int128 field_reader::amount(std::string_view field, const std::string& text, currency c) {
  const auto read = parse_amount(text, c);
  if (read) [[likely]]
    return *read;
  fail(field, read.error().text);
  return 0;
}

int128 field_reader::later_amount(std::string_view field, const std::string& text, currency c) {
  return text.empty() ? 0 : amount(field, text, c);
}

result<int128> parse_amount(std::string_view text, currency c) {
  const auto wrong = [] {
    return refuse(errc::validation, "is no amount with its currency's digits.");
  };
  const bool negative = text.starts_with('-');
  std::string_view digits = text.substr(negative ? 1 : 0);
  std::string_view fraction;
  if (const auto after = static_cast<std::size_t>(c.exponent()); after > 0) {
    if (digits.size() < after + 2 || digits[digits.size() - after - 1] != '.')
      return wrong();
    fraction = digits.substr(digits.size() - after);
    digits.remove_suffix(after + 1);
  }
  if (digits.empty())
    return wrong();
  int128 minor = 0; // counted downwards: the lowest number has no positive twin
  for (const auto part : {digits, fraction})
    for (const char d : part)
      if (!is_digit(d) || __builtin_mul_overflow(minor, 10, &minor) ||
          __builtin_sub_overflow(minor, d - '0', &minor))
        return wrong();
  if (!negative && __builtin_sub_overflow(int128{0}, minor, &minor))
    return wrong();
  return minor;
}

std::string printable(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  const auto lead_bytes = [](unsigned char lead) -> std::size_t {
    if (lead >= 0xC2 && lead <= 0xDF)
      return 2;
    if (lead >= 0xE0 && lead <= 0xEF)
      return 3;
    return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
  };
  while (!text.empty()) {
    const auto plain = std::ranges::find_if(text, [](char c) { return (c & 0x80) != 0; });
    clean.append(text.begin(), plain);
    text.remove_prefix(static_cast<std::size_t>(plain - text.begin()));
    if (text.empty())
      break;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const std::size_t bytes = lead_bytes(byte(0));
    bool good = bytes > 0 && bytes <= text.size();
    for (std::size_t i = 1; good && i < bytes; ++i)
      good = byte(i) >= 0x80 && byte(i) <= 0xBF;
    if (good && bytes > 2) { // overlong forms, surrogates, beyond U+10FFFF
      const unsigned start = unsigned{byte(0)} << 8 | byte(1);
      good = start >= 0xE0A0 && !(start >= 0xEDA0 && start <= 0xEDBF) &&
             !(start >= 0xF000 && start <= 0xF08F) && start <= 0xF48F;
    }
    const std::size_t taken = good ? bytes : 1;
    clean.append(good ? text.substr(0, taken) : std::string_view("?"));
    text.remove_prefix(taken);
  }
  return clean;
}

} // namespace accrue::wire
