// Access by name and type; documents from text and files.
#include "apps/accrue/json_reader.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace accrue::cli {

using nlohmann::json;

std::string json_reader::inside(std::string_view name) const {
  if (name.empty() || place_.empty())
    return place_ + std::string(name);
  return place_ + "." + std::string(name);
}

void json_reader::only(std::initializer_list<std::string_view> names) const {
  if (!value_->is_object())
    wrong("must be an object");
  for (const auto& [name, _] : value_->items())
    if (std::ranges::find(names, name) == names.end())
      throw misplaced{inside(name), "unknown field"};
}

bool json_reader::has(std::string_view name) const {
  if (!value_->is_object())
    wrong("must be an object");
  const auto it = value_->find(name);
  return it != value_->end() && !it->is_null();
}

json_reader json_reader::at(std::string_view name) const {
  if (!has(name))
    throw misplaced{inside(name), "is missing"};
  return {*value_->find(name), inside(name)};
}

std::vector<json_reader> json_reader::list(std::string_view name) const {
  std::vector<json_reader> elements;
  if (!has(name))
    return elements;
  const auto all = at(name);
  if (!all.value().is_array())
    all.wrong("must be a list");
  for (std::size_t i = 0; i < all.value().size(); ++i)
    elements.emplace_back(all.value()[i], all.place() + "[" + std::to_string(i) + "]");
  return elements;
}

std::string json_reader::text_or(std::string_view name, std::string otherwise) const {
  return has(name) ? text(name) : std::move(otherwise);
}

std::optional<decimal> json_reader::optional_number(std::string_view name) const {
  return has(name) ? std::optional(number(name)) : std::nullopt;
}

std::int64_t json_reader::integer_or(std::string_view name, std::int64_t otherwise) const {
  return has(name) ? integer(name) : otherwise;
}

bool json_reader::flag_or(std::string_view name, bool otherwise) const {
  if (!has(name))
    return otherwise;
  const auto flag = at(name);
  if (!flag.value().is_boolean())
    flag.wrong("must be true or false");
  return flag.value().get<bool>();
}

period json_reader::range(std::string_view name) const {
  const auto both = at(name);
  both.only({"from", "to"});
  const auto end = [&](std::string_view which) {
    const auto text = both.at(which);
    return text.accept(parse_instant(text.as_text()));
  };
  return both.accept(make_period(end("from"), end("to")));
}

std::string json_reader::as_text() const {
  if (!value_->is_string())
    wrong("must be a string");
  return value_->get<std::string>();
}

decimal json_reader::as_number() const {
  if (!value_->is_string())
    wrong("must be a decimal in quotes, like \"0.25\"");
  return accept(decimal::parse(value_->get_ref<const std::string&>()));
}

std::int64_t json_reader::as_integer() const {
  if (!value_->is_number_integer())
    wrong("must be a whole number without quotes");
  return value_->get<std::int64_t>();
}

result<json> parse_json(const std::string& text, const std::string& name) {
  try {
    return json::parse(text);
  } catch (const json::parse_error& e) {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(e.byte, text.size()));
    const auto line = 1 + std::count(text.begin(), end, '\n');
    return refuse(errc::validation, name + ":" + std::to_string(line) + ": this is not JSON", name);
  }
}

result<json> read_json(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in)
    return refuse(errc::validation, path + ": cannot be read", path);
  return parse_json({std::istreambuf_iterator<char>(in), {}}, path);
}

} // namespace accrue::cli
