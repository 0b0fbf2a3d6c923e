// Single fields of protobuf messages, read into domain values and written from them. For the codec's
// own files: nothing outside protocol/ includes this, so that protobuf stays in here.
#pragma once

#include "accrue/v1/values.pb.h"
#include "domain/commands.hpp"
#include "domain/money.hpp"
#include "domain/time.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace accrue::wire {

template <class Repeated>
concept repeated_text = requires(const Repeated& r) {
  { *r.begin() } -> std::convertible_to<const std::string&>;
};

/// Whether a message holds fields of a newer version. Generated classes without reflection keep the
/// answer in a protected member; a pointer to member, named by a derived class, reaches it.
[[nodiscard]] inline bool has_unknown_fields(const google::protobuf::MessageLite& m) noexcept {
  struct opened : google::protobuf::MessageLite {
    static constexpr auto metadata() noexcept { return &opened::_internal_metadata_; }
  };
  return (m.*opened::metadata()).have_unknown_fields();
}

/// Reads the fields of one message and remembers the first that is wrong: the reading goes on with
/// empty values, and whoever started it asks `failed` once, at the end.
/// Strict, as a server reads commands: unknown fields and enum values are errors. Lenient, as a client
/// reads replies: unknown fields are nothing.
class field_reader {
public:
  enum class strictness : std::uint8_t { strict, lenient };

  /// `message` is put in front of field names: "grant_credit" gives "grant_credit.amount".
  field_reader(strictness s, std::string_view message) noexcept
      : strict_(s == strictness::strict), message_(message) {}

  [[nodiscard]] bool failed() const noexcept { return failure_.has_value(); }
  [[nodiscard]] tl::unexpected<refusal> failure() && {
    return tl::unexpected(std::move(*failure_));
  }
  /// Records what is wrong with a field, unless something was before.
  void fail(std::string_view field, std::string_view wish, errc code = errc::validation);

  /// Fields that this version does not know.
  void only_known(const google::protobuf::MessageLite& m, std::string_view field = {}) {
    if (strict_ && has_unknown_fields(m)) [[unlikely]]
      fail(field, "has fields that version 1 of this server does not know.");
  }

  /// A reference or feature key: check_reference. `optional_` ones may be empty.
  std::string reference(std::string_view field, const std::string& text);
  std::string optional_reference(std::string_view field, const std::string& text);
  template <repeated_text Texts>
  std::vector<std::string>
  references(std::string_view field, const Texts& texts, std::size_t count_max) {
    std::vector<std::string> read;
    if (static_cast<std::size_t>(texts.size()) > count_max) {
      fail(field, "has too many entries.");
      return read;
    }
    read.reserve(static_cast<std::size_t>(texts.size()));
    for (const auto& text : texts)
      read.push_back(reference(field, text));
    return read;
  }
  /// "USD", or the code of a credit unit; whether it exists is the domain's question.
  std::string currency_code(std::string_view field, const std::string& text);
  decimal number(std::string_view field, const std::string& text);
  /// `known`: whether this version has the value of `flag`, a protobuf enum.
  template <class Domain, class Wire>
  Domain choice(std::string_view field, Wire flag, bool known, Domain unset) {
    if (known) [[likely]]
      return static_cast<Domain>(flag);
    fail(field, "has a value that this version does not know.");
    return unset;
  }

  std::optional<instant>
  optional_instant(std::string_view field, bool present, const v1::Instant& m);
  instant required_instant(std::string_view field, bool present, const v1::Instant& m);
  /// Both ends required; make_period.
  period required_period(std::string_view field, bool present, const v1::Period& m);

  /// Replies only: the currency of a view, its code put into `code`.
  currency
  required_currency(std::string_view field, bool present, const v1::Currency& m, std::string& code);
  /// Replies only: an amount as `put_amount` writes it.
  int128 amount(std::string_view field, const std::string& text, currency c);
  /// Likewise, of a field that earlier servers do not write: there it is zero.
  int128 later_amount(std::string_view field, const std::string& text, currency c);

private:
  bool strict_;
  std::string_view message_;
  std::optional<refusal> failure_;
};

/// "12.34" of the currency's exponent, whole 128-bit range; more or fewer digits after the point are
/// refused. errc: validation.
[[nodiscard]] result<int128> parse_amount(std::string_view text, currency c);

/// Text that is UTF-8 for sure: bytes that are none become '?'. Texts of errors quote their input.
[[nodiscard]] std::string printable(std::string_view text);

inline void put_instant(v1::Instant& m, instant t) { m.set_unix_ns(t.ns); }
inline void put_period(v1::Period& m, const period& p) {
  put_instant(*m.mutable_from(), p.from);
  put_instant(*m.mutable_to(), p.to);
}
inline void put_currency(v1::Currency& m, currency c, std::string_view code) {
  m.set_code(code.data(), code.size());
  m.set_number(c.number());
  m.set_exponent(static_cast<std::uint32_t>(c.exponent()));
}
inline std::string amount_text(int128 minor, currency c) { return to_string(money{minor, c}); }

} // namespace accrue::wire
