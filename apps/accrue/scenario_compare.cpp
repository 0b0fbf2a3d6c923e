// The rules of `expect`: decimals and instants by value, null is absent, lists whole and in order,
// a few answers as sets.
#include "apps/accrue/scenario_compare.hpp"

#include "domain/decimal.hpp"
#include "domain/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace accrue::cli {

namespace {

using nlohmann::json;

/// Fields of answers that a later version brings; list indexes are left out.
constexpr std::array later_fields = {
    "query_invoice.actions", "query_invoice.lines.detailed", "query_charge.runs.quantity"};

/// Fields that are names even where they look like numbers.
bool is_name(std::string_view path) {
  constexpr std::array names = {"name",
                                "number",
                                "id",
                                "grant",
                                "code",
                                "currency",
                                "status",
                                "detailed_status",
                                "type",
                                "severity"};
  const auto last = path.substr(path.rfind('.') + 1);
  return std::ranges::find(names, last) != names.end();
}

std::string shown(const json& v) {
  if (v.is_null())
    return "nothing";
  return v.is_string() ? v.get<std::string>() : v.dump();
}

bool same_value(const std::string& a, const std::string& b) {
  if (a == b)
    return true;
  const auto x = decimal::parse(a);
  const auto y = decimal::parse(b);
  if (x && y)
    return *x == *y;
  const auto s = parse_instant(a);
  const auto t = parse_instant(b);
  return s && t && *s == *t;
}

class comparison_of {
public:
  explicit comparison_of(std::string_view op) : op_(op) {}

  /// `path`: as people read it, "lines[0].total"; `field`: the same without indexes, "lines.total".
  std::optional<mismatch> values(const std::string& path,
                                 const std::string& field,
                                 const json& expected,
                                 const json& got) const {
    if (expected.is_object())
      return objects(path, field, expected, got);
    if (expected.is_array())
      return lists(path, field, expected, got);
    const bool same = expected.is_string() && got.is_string()
                          ? (is_name(field) ? expected == got
                                            : same_value(expected.get_ref<const std::string&>(),
                                                         got.get_ref<const std::string&>()))
                      : expected.type() == got.type() || both_integers(expected, got)
                          ? expected == got
                          : false;
    return same ? std::nullopt : differs(path, expected, got);
  }

private:
  static bool both_integers(const json& a, const json& b) {
    return a.is_number_integer() && b.is_number_integer();
  }

  static std::optional<mismatch>
  differs(const std::string& path, const json& expected, const json& got) {
    return mismatch{(path.empty() ? "" : path + " ") + "expected " + shown(expected) + ", got " +
                    shown(got)};
  }

  static std::string below(const std::string& path, const std::string& name) {
    return path.empty() ? name : fmt::format("{}.{}", path, name);
  }

  std::optional<mismatch> objects(const std::string& path,
                                  const std::string& field,
                                  const json& expected,
                                  const json& got) const {
    if (!got.is_object())
      return differs(path, expected, got);
    for (const auto& [name, wanted] : expected.items()) {
      const auto inner_path = below(path, name);
      const auto inner_field = below(field, name);
      const auto full = std::string(op_) + "." + inner_field;
      if (std::ranges::find(later_fields, full) != later_fields.end())
        return mismatch{full, true};
      if (!got.contains(name))
        return mismatch{inner_path + " expected " + shown(wanted) + ", but " + std::string(op_) +
                        " has no such field"};
      if (auto found = values(inner_path, inner_field, wanted, got[name]))
        return found;
    }
    return std::nullopt;
  }

  std::optional<mismatch> lists(const std::string& path,
                                const std::string& field,
                                const json& expected,
                                const json& got) const {
    if (!got.is_array() || got.size() != expected.size())
      return differs(path, expected, got);
    if (op_ == "query_currencies") {
      for (const auto& x : expected)
        if (std::ranges::count(got, x) != 1 || std::ranges::count(expected, x) != 1)
          return differs(path, expected, got);
      return std::nullopt;
    }
    for (std::size_t i = 0; i < expected.size(); ++i)
      if (auto found = values(path + "[" + std::to_string(i) + "]", field, expected[i], got[i]))
        return found;
    return std::nullopt;
  }

  std::string_view op_;
};

} // namespace

std::optional<mismatch> compare(std::string_view op, const json& expected, const json& got) {
  return comparison_of(op).values("", "", expected, got);
}

} // namespace accrue::cli
