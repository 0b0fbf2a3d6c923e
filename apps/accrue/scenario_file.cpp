// JSON to scenarios. The parser of JSON forgets lines, so they are found by a scan of their own.
#include "apps/accrue/scenario_file.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <utility>

namespace accrue::cli {

namespace {

using nlohmann::json;

/// The lines on which the vectors and their steps begin, in a text that is JSON.
class line_index {
public:
  explicit line_index(std::string_view text) {
    std::size_t line = 1;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (c == '\n')
        ++line;
      else if (c == '"')
        i = string_from(text, i);
      else if (c == '{' || c == '[')
        open(c == '[', line);
      else if (c == '}' || c == ']')
        stack_.pop_back();
      else if (c == ',' && stack_.back().list)
        ++stack_.back().index;
    }
  }

  /// `step` from 0; none: the vector's own.
  [[nodiscard]] std::size_t of(std::size_t vector, std::optional<std::size_t> step) const {
    const auto& lines = step ? steps_ : vectors_;
    const auto it = lines.find({vector, step.value_or(0)});
    return it == lines.end() ? 1 : it->second;
  }

private:
  struct level {
    bool list;
    std::string key; ///< the member that the innermost value belongs to
    std::size_t index = 0;
  };

  std::size_t string_from(std::string_view text, std::size_t begin) {
    auto end = begin + 1;
    while (text[end] != '"')
      end += text[end] == '\\' ? 2 : 1;
    if (!stack_.empty() && !stack_.back().list)
      stack_.back().key = text.substr(begin + 1, end - begin - 1);
    return end;
  }

  void open(bool list, std::size_t line) {
    const auto in = [&](std::size_t depth, const char* key) {
      return stack_.size() > depth + 1 && stack_[depth].key == key && stack_[depth + 1].list;
    };
    if (!list && stack_.size() == 2 && in(0, "vectors"))
      vectors_[{stack_[1].index, 0}] = line;
    if (!list && stack_.size() == 4 && in(0, "vectors") && in(2, "steps"))
      steps_[{stack_[1].index, stack_[3].index}] = line;
    stack_.push_back({list, {}, 0});
  }

  std::vector<level> stack_;
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> vectors_;
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> steps_;
};

tl::unexpected<refusal> wrong(const std::string& name, std::size_t line, const std::string& text) {
  return refuse(errc::validation, name + ":" + std::to_string(line) + ": " + text, name);
}

/// The first member that is not among the names; empty: none.
std::string unknown_member(const json& object, const std::set<std::string>& names) {
  for (const auto& [name, _] : object.items())
    if (!names.contains(name))
      return name;
  return {};
}

std::string malformed_vector(const json& v) {
  static const std::set<std::string> names = {
      "id", "steps", "needs", "description", "note", "kind", "verified", "source"};
  if (!v.is_object() || !v.contains("id") || !v["id"].is_string() || !v.contains("steps") ||
      !v["steps"].is_array())
    return "a vector is an object with an 'id' and 'steps'";
  if (const auto unknown = unknown_member(v, names); !unknown.empty())
    return "vector " + v["id"].get<std::string>() + ": unknown field '" + unknown + "'";
  if (v.contains("needs") &&
      !(v["needs"].is_array() &&
        std::ranges::all_of(v["needs"], [](const json& x) { return x.is_string(); })))
    return "vector " + v["id"].get<std::string>() + ": 'needs' must be a list of strings";
  return {};
}

std::string malformed_file(const json& file) {
  static const std::set<std::string> names = {"schema_version",
                                              "defaults",
                                              "vectors",
                                              "description",
                                              "note",
                                              "source",
                                              "kind",
                                              "verified",
                                              "needs"};
  if (!file.is_object())
    return "a scenario file is an object with 'vectors'";
  if (const auto unknown = unknown_member(file, names); !unknown.empty())
    return "unknown field '" + unknown + "'";
  if (file.value("schema_version", json()) != 1)
    return "'schema_version' must be 1";
  if (!file.contains("vectors") || !file["vectors"].is_array())
    return "'vectors' must be a list";
  if (const auto defaults = file.value("defaults", json::object());
      !defaults.is_object() || !defaults.empty())
    return "'defaults' must be empty: those of docs/scenarios.md hold";
  return {};
}

} // namespace

result<std::vector<scenario>> parse_scenarios(const std::string& text, const std::string& name) {
  json file;
  try {
    file = json::parse(text);
  } catch (const json::parse_error& e) {
    const auto upto = std::min(e.byte, text.size());
    const auto line =
        1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(upto), '\n');
    return wrong(name, static_cast<std::size_t>(line), "this is not JSON");
  }
  if (const auto why = malformed_file(file); !why.empty())
    return wrong(name, 1, why);
  const line_index lines(text);
  std::vector<scenario> all;
  std::set<std::string> ids;
  const auto& vectors = file["vectors"];
  for (std::size_t v = 0; v < vectors.size(); ++v) {
    const auto& from = vectors[v];
    if (const auto why = malformed_vector(from); !why.empty())
      return wrong(name, lines.of(v, {}), why);
    scenario s{from["id"].get<std::string>(), from.value("needs", std::vector<std::string>()), {}};
    if (!ids.insert(s.id).second)
      return wrong(name, lines.of(v, {}), "vector " + s.id + ": the id is taken");
    for (std::size_t n = 0; n < from["steps"].size(); ++n) {
      const auto& step = from["steps"][n];
      const auto line = lines.of(v, n);
      if (const auto why = malformed(step); !why.empty()) {
        const bool has_op = step.is_object() && step.contains("op") && step["op"].is_string();
        return wrong(name,
                     line,
                     "vector " + s.id + " step " + std::to_string(n + 1) +
                         (has_op ? " (" + step["op"].get<std::string>() + ")" : "") + ": " + why);
      }
      s.steps.push_back({step["op"].get<std::string>(), step, line});
    }
    all.push_back(std::move(s));
  }
  return all;
}

result<std::vector<scenario>> read_scenarios(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in)
    return refuse(errc::validation, path + ": cannot be read", path);
  return parse_scenarios({std::istreambuf_iterator<char>(in), {}}, path);
}

} // namespace accrue::cli
