// Which operations there are and which fields each may have: docs/scenarios.md as a table.
// What stands in the language but is not offered yet is marked, so that it fails by name.
#include "apps/accrue/scenario_file.hpp"
#include "domain/decimal.hpp"
#include "domain/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>

namespace accrue::cli {

namespace {

using nlohmann::json;

/// A field: its type, or its values separated by '|'; '!' after it: required; '~': not built yet.
struct field_rule {
  std::string type;
  bool required = false;
  bool later = false;
};

struct operation {
  bool later = false;
  std::map<std::string, field_rule, std::less<>> fields;
};

struct row {
  const char* op; ///< with '~': not built yet
  const char* fields;
};

constexpr row rows[] = {
    {"advance_clock", "to:instant!"},
    {"run_due", ""},
    {"advance", "to:instant!"},
    {"credit_unit", "code:text! exponent:count!"},
    {"customer",
     "id:text! currency:text timezone:text~ tax_rate:decimal tax_name:text "
     "late_usage:reject|adjust~ over_settlement:refuse|cap|advance "
     "advance_limit:limit period:monthly|weekly|quarterly~"},
    {"billing_profile",
     "auto_advance:flag draft_period:duration due_after:duration "
     "collection_interval:duration alignment:any progressive:flag "
     "recognition:on_collection|at_period_end "
     "settlement_mode:credit_then_invoice|credit_only|invoice_only"},
    {"grant",
     "id:text! amount:decimal! funding:promotional|external|invoice! currency:text! "
     "effective_at:instant expires_at:instant priority:count features:texts "
     "cost_basis:decimal fiat_currency:text"},
    {"seed_credit", "amount:decimal! currency:text! features:texts expires_at:instant"},
    {"seed_advance", "amount:decimal! spend:text! currency:text features:texts"},
    {"charge",
     "id:text! kind:flat_fee|usage_based! "
     "mode:credit_then_invoice|credit_only|invoice_only amount:decimal "
     "unit_price:decimal~ price:any~ service_period:period! full_service_period:period "
     "billing_period:period~ invoice_at:instant feature:text currency:text! "
     "payment_term:in_advance|in_arrears discounts:any~ prorate:flag"},
    {"advance_charge", "charge:text!"},
    {"invoice_pending", "currency:text as_of:instant lines:texts"},
    {"advance_invoice", "invoice:text!"},
    {"approve", "invoice:text!"},
    {"retry", "invoice:text!"},
    {"authorize", "grant:text invoice:text amount:decimal"},
    {"settle", "grant:text invoice:text amount:decimal"},
    {"paid", "invoice:text!"},
    {"consume", "id:text! amount:decimal! currency:text feature:text"},
    {"fail_next",
     "point:collection|line_finalization|invoicing_sync|charge_booking|"
     "payment_authorized|payment_settled|commit! times:count"},
    {"query_balance", "currency:text! as_of:instant feature_filter:filter"},
    {"query_ledger",
     "account:fbo|receivable_open|receivable_authorized|accrued|wash|earnings|"
     "brokerage|breakage|write_off|tax_payable! cost_basis:cost features:texts "
     "currency:text as_of:instant grant:text charge:text"},
    {"query_charge", "charge:text!"},
    {"query_invoice", "invoice:text!"},
    {"query_currencies", ""},
    {"verify", ""},
    {"meter",
     "key:text! aggregation:sum|count|min|max|avg|unique_count|latest! unit:text "
     "idempotency_key:text"},
    {"feature", "key:text! meter:text idempotency_key:text"},
    {"plan", "key:text! currency:text! rate_cards:list! add_ons:list idempotency_key:text"},
    {"quote", "plan:text! add_ons:texts usage:quantities! period:period"},

    {"subscribe~", "id:text! plan:text! from:instant! to:instant add_ons:texts deployment:text"},
    {"issue_invoice~", "grant:text!"},
    {"payment_failed~", "invoice:text!"},
    {"uncollectible", "grant:text invoice:text"},
    {"refund", "grant:text! amount:decimal"},
    {"void", "grant:text! payment_adjustment:none|refund"},
    {"delete_grant~", "grant:text! at:instant"},
    {"patch_charge~",
     "charge:text! kind:extend|shrink|delete! service_period_to:instant "
     "invoice_at:instant"},
    {"correct_charge", "charge:text! amount:decimal"},
    {"void_invoice~", "invoice:text!"},
    {"delete_invoice~", "invoice:text!"},
    {"snapshot~", "invoice:text!"},
    {"usage~", "feature:text! quantity:decimal! at:instant! stored_at:instant id:text"},
    {"usage_batch~", "events:list!"},
    {"close_period~", "period:text!"},
    {"reopen_period~", "period:text!"},
    {"roll_up~", "period:text! force:flag"},
    {"recognize", "as_of:instant invoiced:flag"},
    {"reserve",
     "id:text! amount:decimal! currency:text feature:text ttl:decimal! "
     "mode:all_or_nothing|up_to"},
    {"settle_reservation", "id:text! amount:decimal!"},
    {"release", "id:text!"},
    {"extend_reservation", "id:text! ttl:decimal!"},
    {"query_transactions",
     "currency:text type:text as_of:instant feature_filter:filter "
     "limit:count after:text before:text save_next:text "
     "save_previous:text"},
    {"query_grant", "grant:text!"},
    {"query_grants", "status:text"},
    {"query_period~", "period:text!"},
    {"query_usage~", "meter:text! from:instant! to:instant! group_by:texts filter:any window:any"},
};

std::map<std::string, operation, std::less<>> read_table() {
  std::map<std::string, operation, std::less<>> all;
  for (const auto& r : rows) {
    std::string name = r.op;
    operation o;
    o.later = name.ends_with('~');
    if (o.later)
      name.pop_back();
    std::istringstream words(r.fields);
    for (std::string word; words >> word;) {
      field_rule f;
      for (; word.ends_with('!') || word.ends_with('~'); word.pop_back())
        (word.back() == '!' ? f.required : f.later) = true;
      const auto colon = word.find(':');
      f.type = word.substr(colon + 1);
      o.fields.emplace(word.substr(0, colon), std::move(f));
    }
    all.emplace(std::move(name), std::move(o));
  }
  return all;
}

const std::map<std::string, operation, std::less<>>& table() {
  static const auto all = read_table();
  return all;
}

bool is_decimal(const json& v) {
  return v.is_string() && decimal::parse(v.get_ref<const std::string&>()).has_value();
}
bool is_instant(const json& v) {
  return v.is_string() && parse_instant(v.get_ref<const std::string&>()).has_value();
}
bool is_texts(const json& v) {
  return v.is_array() && std::ranges::all_of(v, [](const json& x) { return x.is_string(); });
}

/// Whether a value is of a type; `says`: how to write it.
bool is_of(const std::string& type, const json& v, std::string& says) {
  const auto check = [&](bool good, const char* how) {
    says = how;
    return good;
  };
  if (type == "any")
    return true;
  if (type == "text")
    return check(v.is_string(), "a string");
  if (type == "decimal")
    return check(is_decimal(v), "a decimal in a string, such as \"12.50\"");
  if (type == "instant")
    return check(is_instant(v), "an instant such as \"2026-01-31T00:00:00Z\"");
  if (type == "duration")
    return check(v.is_string() && parse_duration(v.get_ref<const std::string&>()).has_value(),
                 R"(a duration such as "P30D" or "PT1H")");
  if (type == "flag")
    return check(v.is_boolean(), "true or false");
  if (type == "count")
    return check(v.is_number_integer(), "a whole number");
  if (type == "texts")
    return check(is_texts(v), "a list of strings");
  if (type == "list")
    return check(v.is_array(), "a list");
  if (type == "period")
    return check(v.is_array() && v.size() == 2 && is_instant(v[0]) && is_instant(v[1]),
                 "[from, to], two instants");
  if (type == "quantities")
    return check(v.is_object() && std::ranges::all_of(v, is_decimal), R"({rate card: decimal})");
  if (type == "filter")
    return check(v == "unrestricted" || (v.is_object() && v.size() == 1 && v.contains("feature") &&
                                         v["feature"].is_string()),
                 R"("unrestricted" or {"feature": key})");
  if (type == "cost")
    return check(v == "any" || v == "none" || is_decimal(v), R"("any", "none" or a decimal)");
  if (type == "limit")
    return check(is_decimal(v) || v.is_null() ||
                     (v.is_object() && std::ranges::all_of(v, is_decimal)),
                 "a decimal in a string, or {currency: decimal}");
  says = "one of " + type;
  return v.is_string() &&
         ("|" + type + "|").find("|" + v.get<std::string>() + "|") != std::string::npos;
}

/// Fields that every step may have.
std::string malformed_common(const std::string& name, const json& value) {
  if (name == "op" || name == "expect")
    return {};
  if (name == "restart")
    return value.is_boolean() ? "" : "'restart' must be true or false";
  return value.is_string() ? "" : "'" + name + "' must be a string";
}

bool is_common(std::string_view name) {
  constexpr std::string_view names[] = {
      "op", "as", "expect", "expect_error", "restart", "customer", "key"};
  return std::ranges::find(names, name) != std::end(names);
}

} // namespace

std::string malformed(const json& step) {
  if (!step.is_object() || !step.contains("op") || !step["op"].is_string())
    return "a step is an object with an 'op'";
  const auto op = step["op"].get<std::string>();
  const auto known = table().find(op);
  if (known == table().end())
    return "unknown operation '" + op + "'";
  const auto& fields = known->second.fields;
  for (const auto& [name, value] : step.items()) {
    const auto rule = fields.find(name);
    if (rule == fields.end()) {
      if (!is_common(name))
        return "unknown field '" + name + "'";
      if (auto why = malformed_common(name, value); !why.empty())
        return why;
      continue;
    }
    std::string says;
    if (!is_of(rule->second.type, value, says))
      return fmt::format("'{}' must be {}", name, says);
  }
  for (const auto& [name, rule] : fields)
    if (rule.required && !step.contains(name))
      return "'" + name + "' is missing";
  if (step.contains("expect") && step.contains("expect_error"))
    return "'expect' and 'expect_error' exclude each other";
  if ((op == "authorize" || op == "settle" || op == "uncollectible") &&
      step.contains("grant") == step.contains("invoice"))
    return "'grant' or 'invoice' is needed";
  return {};
}

std::optional<std::string> not_built(const scenario_step& s) {
  const auto& known = table().at(s.op);
  if (known.later)
    return s.op;
  for (const auto& [name, rule] : known.fields)
    if (rule.later && s.fields.contains(name))
      return s.op + "." + name;
  return std::nullopt;
}

} // namespace accrue::cli
