// Reading JSON that people write: every value by name and type, every error with its place.
// What the values mean is said by those who read.
#pragma once

#include "domain/decimal.hpp"
#include "domain/time.hpp"

#include <nlohmann/json.hpp>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace accrue::cli {

/// Thrown by a reader: what is wrong, and where ("plans[0].rate_cards[2].price.amount"). Does not
/// leave the functions that parse a whole document.
struct misplaced {
  std::string place;
  std::string text;

  [[nodiscard]] refusal as_refusal() const {
    return {errc::validation, place, (place.empty() ? "" : place + ": ") + text};
  }
};

/// One value of a document. Reading what is missing or of another type throws `misplaced`; null
/// counts as missing. Decimals are strings.
class json_reader {
public:
  json_reader(const nlohmann::json& value, std::string place)
      : value_(&value), place_(std::move(place)) {}

  [[nodiscard]] const nlohmann::json& value() const noexcept { return *value_; }
  [[nodiscard]] const std::string& place() const noexcept { return place_; }
  [[noreturn]] void wrong(const std::string& text) const { throw misplaced{place_, text}; }

  /// Refuses a value that is no object, and members that are not among these.
  void only(std::initializer_list<std::string_view> names) const;
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] json_reader at(std::string_view name) const;
  /// The elements of a list; none where it is missing.
  [[nodiscard]] std::vector<json_reader> list(std::string_view name) const;

  [[nodiscard]] std::string text(std::string_view name) const { return at(name).as_text(); }
  [[nodiscard]] std::string text_or(std::string_view name, std::string otherwise) const;
  [[nodiscard]] decimal number(std::string_view name) const { return at(name).as_number(); }
  [[nodiscard]] std::optional<decimal> optional_number(std::string_view name) const;
  [[nodiscard]] std::int64_t integer(std::string_view name) const { return at(name).as_integer(); }
  [[nodiscard]] std::int64_t integer_or(std::string_view name, std::int64_t otherwise) const;
  [[nodiscard]] bool flag_or(std::string_view name, bool otherwise) const;
  [[nodiscard]] period range(std::string_view name) const;

  [[nodiscard]] std::string as_text() const;
  [[nodiscard]] decimal as_number() const;
  [[nodiscard]] std::int64_t as_integer() const;

  /// A value made from this one, or its refusal at this place; the refusal's subject goes on from it.
  template <class T>
  T accept(result<T> made) const {
    if (!made)
      throw misplaced{inside(made.error().subject), made.error().text};
    return std::move(*made);
  }

private:
  [[nodiscard]] std::string inside(std::string_view name) const;

  const nlohmann::json* value_;
  std::string place_;
};

/// A whole document from text or from a file. errc: validation, with the line where it is no JSON.
[[nodiscard]] result<nlohmann::json> parse_json(const std::string& text, const std::string& name);
[[nodiscard]] result<nlohmann::json> read_json(const std::string& path);

} // namespace accrue::cli
