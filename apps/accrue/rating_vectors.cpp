// The kinds of rating vectors, each a function from input to output.
#include "apps/accrue/rating_vectors.hpp"

#include "apps/accrue/price_json.hpp"
#include "domain/charges/flat_fee.hpp"
#include "domain/rating/amount.hpp"
#include "domain/rating/line.hpp"
#include "domain/rating/texts.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace accrue::cli {

namespace {

using nlohmann::json;

/// Text of an amount in minor units.
std::string shown(int128 amount, currency c) { return to_string(money{amount, c}); }

currency currency_of(const json_reader& v) {
  return v.has("currency") ? v.at("currency").accept(find_iso_currency(v.text("currency")))
                           : currency{840, 2};
}

int128 amount_in(const json_reader& from, currency c) {
  return from.accept(rating::amount_of(from.as_number(), c));
}

/// Why rating said no, in the word the vectors use.
json error_of(const refusal& no) { return {{"expected_error", no.subject}}; }

json json_of(const rating::totals& t, currency c) {
  return {{"amount", shown(t.amount, c)},
          {"chargesTotal", shown(t.charges, c)},
          {"discountsTotal", shown(t.discounts, c)},
          {"taxesInclusiveTotal", shown(t.taxes_inclusive, c)},
          {"taxesExclusiveTotal", shown(t.taxes_exclusive, c)},
          {"taxesTotal", shown(t.taxes(), c)},
          {"creditsTotal", shown(t.credits, c)},
          {"total", shown(t.total(), c)}};
}

rating::totals totals_in(const json_reader& from, currency c) {
  rating::totals t;
  t.amount = amount_in(from.at("amount"), c);
  t.charges = amount_in(from.at("chargesTotal"), c);
  t.discounts = amount_in(from.at("discountsTotal"), c);
  t.taxes_inclusive = amount_in(from.at("taxesInclusiveTotal"), c);
  t.taxes_exclusive = amount_in(from.at("taxesExclusiveTotal"), c);
  t.credits = amount_in(from.at("creditsTotal"), c);
  return t;
}

json json_of(const std::optional<rating::discounted_usage>& d, const std::string& correlation_id) {
  if (!d)
    return nullptr;
  json out{{"child_ref", rating::discount_reference(correlation_id)},
           {"quantity", d->quantity.to_string()},
           {"pre_line_quantity", nullptr}};
  if (!d->before.is_zero())
    out["pre_line_quantity"] = d->before.to_string();
  return out;
}

rating::usage usage_in(const json_reader& v) {
  const auto u = v.at("usage");
  u.only({"line_quantity", "pre_line_quantity"});
  return {u.number("line_quantity"), u.number("pre_line_quantity")};
}

const rating::tiered_price& tiers_of(const json_reader& v, const rating::price& p) {
  const auto* tiered = std::get_if<rating::tiered_price>(&p.terms());
  if (tiered == nullptr)
    v.at("price").wrong("must be tiered");
  return *tiered;
}

json maximum_of(const rating::detailed_line& d, const decimal& maximum, currency c) {
  return {{"child_ref", rating::maximum_reference},
          {"amount", shown(*d.maximum_discount, c)},
          {"reason", rating::maximum_reason},
          {"description", rating::maximum_description(maximum, c).value_or("")}};
}

// rate_line

/// A `rate_line` vector as the rater takes it.
struct line_input {
  rating::price price;
  rating::discounts discounts;
  std::optional<rating::unit_conversion> conversion;
  rating::line line;
  rating::options options;
  std::string name;
  std::vector<int128> credits;
  std::vector<std::string> credit_texts;
};

rating::options options_in(const json_reader& v) {
  rating::options o;
  o.conversion_enabled = v.flag_or("unit_config_enabled", false);
  for (const auto& option : v.list("options")) {
    const auto text = option.as_text();
    if (text == "ignore_minimum_commitment")
      o.ignore_minimum = true;
    else if (text == "disable_credits")
      o.ignore_credits = true;
    else
      option.wrong("unknown option");
  }
  return o;
}

line_input line_in(const json_reader& v) {
  line_input in{parse_price(v.at("price")), {}, {}, {}, options_in(v), v.text("line_name"), {}, {}};
  if (v.has("discounts"))
    in.discounts = parse_discounts(v.at("discounts"));
  if (v.has("unit_config"))
    in.conversion = parse_conversion(v.at("unit_config"));
  auto& l = in.line;
  l.period = v.range("period");
  l.currency = currency_of(v);
  l.usage = usage_in(v);
  l.previously_billed = amount_in(v.at("previously_billed_amount"), l.currency);
  const auto full = v.range("full_period");
  if (v.flag_or("progressively_billed", false))
    l.split_of = full;
  else if (full != l.period)
    v.at("full_period").wrong("differs from the period of a line that is not split");
  for (const auto& credit : v.list("credits_applied")) {
    in.credits.push_back(amount_in(credit.at("amount"), l.currency));
    in.credit_texts.push_back(credit.text_or("description", ""));
  }
  return in;
}

json discounts_of(const line_input& in, const rating::detailed_line& d) {
  const auto c = in.line.currency;
  json all = json::array();
  if (d.percentage_discount)
    all.push_back(
        {{"child_ref", rating::discount_reference(in.discounts.percentage->correlation_id)},
         {"amount", shown(*d.percentage_discount, c)},
         {"reason", rating::percentage_reason},
         {"description", nullptr}});
  if (d.maximum_discount)
    all.push_back(maximum_of(d, *in.price.commitments()->maximum, c));
  return all;
}

json json_of(const line_input& in, const rating::rated_line& rated, std::size_t place) {
  const auto& d = rated.lines[place];
  const auto c = in.line.currency;
  json credits = json::array();
  for (const auto& part : rated.credits)
    if (part.line == place)
      credits.push_back(
          {{"amount", shown(part.amount, c)}, {"description", in.credit_texts[part.credit]}});
  json period = nullptr; // null: that of the line
  if (d.is_commitment()) {
    const auto p = rating::period_of(d, in.line);
    period = {{"from", to_string(p.from)}, {"to", to_string(p.to)}};
  }
  return {{"name", rating::name_of(d, in.name)},
          {"child_ref", rating::child_reference(d)},
          {"quantity", d.quantity.to_string()},
          {"per_unit_amount", d.per_unit.to_string()},
          {"payment_term", to_string(d.term)},
          {"category", rating::category_of(d)},
          {"period", std::move(period)},
          {"discounts", discounts_of(in, d)},
          {"credits", std::move(credits)},
          {"totals", json_of(d.totals(), c)}};
}

json rate_line(const json_reader& v) {
  auto in = line_in(v);
  in.line.credits = in.credits;
  const auto tariff = rating::tariff::make(in.price, in.discounts, in.conversion);
  if (!tariff)
    return error_of(tariff.error());
  const auto rated = rating::rate(*tariff, in.line, in.options);
  if (!rated)
    return error_of(rated.error());
  json lines = json::array();
  for (std::size_t i = 0; i < rated->lines.size(); ++i)
    lines.push_back(json_of(in, *rated, i));
  const auto& usage_discount = in.discounts.usage;
  return {{"expected_error", nullptr},
          {"expected_lines", std::move(lines)},
          {"expected_totals", json_of(rated->totals, in.line.currency)},
          {"expected_total", shown(rated->totals.total(), in.line.currency)},
          {"expected_final_usage",
           {{"quantity", rated->billed.quantity.to_string()},
            {"pre_line_quantity", rated->billed.before.to_string()},
            {"metered_quantity", in.line.usage.quantity.to_string()},
            {"metered_pre_line_quantity", in.line.usage.before.to_string()}}},
          {"expected_usage_discount",
           json_of(rated->free_of_charge, usage_discount ? usage_discount->correlation_id : "")}};
}

// The steps of it.

/// What the pieces of a walk cost, and how the vectors see them.
json walked(const json_reader& v) {
  const auto price = parse_price(v.at("price"));
  const auto c = currency_of(v);
  const auto before = v.number("from_quantity");
  const auto quantity = v.accept(subtract(v.number("to_quantity"), before));
  int128 total = 0;
  json seen = json::array();
  const rating::measured m{{quantity, before}};
  const auto done = rating::walk(tiers_of(v, price), m, [&](const rating::stretch& s) {
    const auto used = v.accept(s.quantity());
    if (s.billed)
      seen.push_back({{"tier_index", s.place},
                      {"at_tier_boundary", s.enters},
                      {"quantity", used.to_string()},
                      {"previous_total_amount", shown(total, c)}});
    if (s.enters && s.tier->flat)
      total += v.accept(rating::amount_of(*s.tier->flat, c));
    if (s.tier->unit)
      total += v.accept(rating::amount_of(*s.tier->unit, used, {}, c));
    return result<void>();
  });
  if (!done)
    return error_of(done.error());
  return {{"expected_callbacks", std::move(seen)}, {"expected_total", shown(total, c)}};
}

json volume_tier(const json_reader& v) {
  const auto price = parse_price(v.at("price"));
  const auto place = rating::volume_tier(tiers_of(v, price), {{v.number("quantity"), {}}});
  return {{"expected_tier_index", v.accept(place)}};
}

json package_count(const json_reader& v) {
  const auto begun = rating::packages_begun(v.number("quantity"), v.number("quantity_per_package"));
  return {{"expected_packages", v.accept(begun).to_string()}};
}

rating::detailed_line detailed_line_in(const json_reader& from, currency c) {
  rating::detailed_line d{rating::component::usage};
  d.per_unit = from.number("per_unit_amount");
  d.quantity = from.number("quantity");
  d.amount = from.accept(rating::amount_of(d.per_unit, d.quantity, {}, c));
  return d;
}

json max_spend_discount(const json_reader& v) {
  const auto c = currency_of(v);
  std::array lines{detailed_line_in(v.at("line"), c)};
  rating::limit_spend(
      lines, amount_in(v.at("max_spend"), c), amount_in(v.at("billed_before_line"), c));
  if (!lines.front().maximum_discount)
    return {{"expected_discount", nullptr}};
  return {{"expected_discount", maximum_of(lines.front(), v.number("max_spend"), c)}};
}

json usage_discount(const json_reader& v) {
  rating::measured m{usage_in(v)};
  const auto taken = v.accept(rating::take_discount(m, v.number("discount_quantity")));
  return {{"expected_usage",
           {{"line_quantity", m.undivided.quantity.to_string()},
            {"pre_line_quantity", m.undivided.before.to_string()}}},
          {"expected_line_discount", json_of(taken, v.text("correlation_id"))}};
}

json unit_config(const json_reader& v) {
  const auto price = v.has("price") ? parse_price(v.at("price"))
                                    : rating::price::make(rating::unit_price{}).value();
  const auto tariff = rating::tariff::make(price, {}, parse_conversion(v.at("unit_config")));
  if (!tariff)
    return error_of(tariff.error());
  const auto m = v.accept(rating::convert(usage_in(v), tariff->conversion()));
  return {{"expected_error", nullptr},
          {"expected_usage",
           {{"line_quantity", v.accept(m.shown(m.undivided.quantity)).to_string()},
            {"pre_line_quantity", v.accept(m.shown(m.undivided.before)).to_string()}}}};
}

json credit_allocation(const json_reader& v) {
  const auto c = currency_of(v);
  std::vector<rating::detailed_line> lines;
  for (const auto& line : v.list("lines")) {
    lines.push_back(detailed_line_in(line, c));
    for (const auto& credit : line.list("existing_credits"))
      lines.back().credits += amount_in(credit, c);
  }
  std::vector<int128> credits;
  for (const auto& credit : v.list("credits"))
    credits.push_back(amount_in(credit, c));
  std::vector<rating::applied_credit> applied;
  if (const auto paid = rating::apply_credits(lines, credits, applied); !paid)
    return error_of(paid.error());
  json added(lines.size(), json::array());
  for (const auto& part : applied)
    added[part.line].push_back(shown(part.amount, c));
  return {{"expected_new_credits", std::move(added)}};
}

json invoice_totals(const json_reader& v) {
  const auto c = currency_of(v);
  rating::totals sum;
  for (const auto& line : v.list("line_totals"))
    sum += totals_in(line, c);
  return {{"expected_totals", json_of(sum, c)}};
}

json currency_round(const json_reader& v) {
  const auto c = currency_of(v);
  return {{"expected", shown(amount_in(v.at("amount"), c), c)}};
}

json flat_proration(const json_reader& v) {
  const auto c = currency_of(v);
  const money whole{amount_in(v.at("amount"), c), c};
  if (!v.flag_or("prorate", true))
    return {{"expected_amount", to_string(whole)}};
  const auto part =
      flat_fee::prorate(whole, v.range("service_period"), v.range("full_service_period"));
  return {{"expected_amount", to_string(v.accept(part))}};
}

/// A month of a plan, an add-on and what was used above the included quantity, with tax. All of it
/// are lines like any others; the vector counts in cents.
json rollup(const json_reader& v) {
  const auto c = currency_of(v);
  const auto in = v.at("inputs");
  const auto metered = in.at("metered");
  const auto cents = [](const json_reader& from, const char* name) {
    return from.accept(decimal::make(from.integer(name), 2));
  };
  const auto fee = [&](const char* name) -> rating::price::any {
    return rating::flat_price{cents(in, name), payment_term::in_arrears};
  };
  json lines = json::array();
  rating::totals sum;
  const auto add = [&](const char* kind, rating::price::any price, rating::discounts discounts) {
    const auto tariff = v.accept(rating::tariff::make(
        v.accept(rating::price::make(std::move(price))), std::move(discounts)));
    rating::line l;
    l.currency = c;
    l.usage.quantity = metered.number("used");
    const auto rated = v.accept(rating::rate(tariff, l));
    sum += rated.totals;
    for (const auto& d : rated.lines) {
      json line{{"kind", kind}, {"amount_cents", static_cast<std::int64_t>(d.amount)}};
      if (d.what == rating::component::unit_usage) {
        line["quantity"] = d.quantity.to_string();
        line["unit_cents"] = metered.integer("unit_cents");
      }
      lines.push_back(std::move(line));
    }
  };
  add("plan_base", fee("plan_base_cents"), {});
  add("addon", fee("addon_cents"), {});
  add("overage",
      rating::unit_price{cents(metered, "unit_cents"), {}},
      {{}, rating::usage_discount{metered.number("included"), {}}});
  const auto percent = v.number("gst_percent");
  const auto rate = v.accept(decimal::make(percent.coefficient(), percent.scale() + 2));
  const auto tax = v.accept(rating::tax_on(sum, v.accept(rating::tax_rate::make("GST", rate)), c));
  if (tax)
    lines.push_back({{"kind", "tax"}, {"amount_cents", static_cast<std::int64_t>(tax->amount)}});
  const auto all = rating::with_tax(sum, tax);
  return {{"expected_lines", std::move(lines)},
          {"expected",
           {{"subtotal_cents", static_cast<std::int64_t>(sum.total())},
            {"tax_cents", static_cast<std::int64_t>(all.taxes())},
            {"total_cents", static_cast<std::int64_t>(all.total())}}}};
}

struct kind {
  std::string_view name;
  json (*run)(const json_reader&);
};

constexpr std::array<kind, 13> kinds{{{"rate_line", rate_line},
                                      {"graduated_total", walked},
                                      {"graduated_walk", walked},
                                      {"find_volume_tier", volume_tier},
                                      {"package_count", package_count},
                                      {"max_spend_discount", max_spend_discount},
                                      {"usage_discount", usage_discount},
                                      {"unit_config", unit_config},
                                      {"credit_allocation", credit_allocation},
                                      {"invoice_totals", invoice_totals},
                                      {"currency_round", currency_round},
                                      {"flat_proration", flat_proration},
                                      {"rollup", rollup}}};

/// What a vector expects, without what says nothing: a discount's description that is null stands for
/// any, and an error leaves nothing else to compare.
json expectations(const json& fields) {
  json expected = json::object();
  for (const auto& [name, value] : fields.items())
    if (name.starts_with("expected"))
      expected[name] = value;
  if (const auto error = expected.find("expected_error");
      error != expected.end() && !error->is_null())
    return {{"expected_error", *error}};
  if (expected.contains("expected_lines"))
    for (auto& line : expected["expected_lines"])
      if (line.contains("discounts"))
        for (auto& discount : line["discounts"])
          if (discount.value("description", json()).is_null())
            discount.erase("description");
  return expected;
}

void check(const json_reader& v) {
  // clang-format off
  v.only({"id", "kind", "name", "note", "source", "source_test", "description", "verified", "price",
          "line_mode", "progressively_billed", "period", "full_period", "usage",
          "previously_billed_amount", "discounts", "unit_config", "unit_config_enabled",
          "credits_applied", "options", "currency", "line_name", "from_quantity", "to_quantity",
          "quantity", "quantity_per_package", "line", "max_spend", "billed_before_line",
          "discount_quantity", "correlation_id", "credits", "lines", "line_totals", "amount",
          "payment_term", "service_period", "full_service_period", "prorate", "inputs",
          "gst_percent", "rerun_without_force", "rerun_with_force", "expected", "expected_amount",
          "expected_callbacks", "expected_discount", "expected_error", "expected_final_usage",
          "expected_line_discount", "expected_lines", "expected_new_credits", "expected_packages",
          "expected_tier_index", "expected_total", "expected_totals", "expected_usage",
          "expected_usage_discount"});
  // clang-format on
  if (std::ranges::find(kinds, v.text("kind"), &kind::name) == kinds.end())
    v.at("kind").wrong("unknown kind");
  if (expectations(v.value()).empty())
    v.wrong("it expects nothing: give it an expected… field");
}

} // namespace

result<std::vector<rating_vector>> read_rating_vectors(const std::string& path) {
  const auto file = read_json(path);
  if (!file)
    return tl::unexpected(file.error());
  try {
    const json_reader document(*file, "");
    document.only({"schema_version", "description", "note", "source", "defaults", "vectors"});
    if (document.integer("schema_version") != 1)
      document.at("schema_version").wrong("must be 1");
    std::vector<rating_vector> all;
    std::set<std::string> ids;
    for (const auto& v : document.list("vectors")) {
      check(v);
      all.push_back({v.text("id"), v.text("kind"), v.place(), v.value()});
      if (!ids.insert(all.back().id).second)
        v.at("id").wrong("the id is taken");
    }
    return all;
  } catch (const misplaced& m) {
    return refuse(errc::validation, path + ": " + m.as_refusal().text, m.place);
  }
}

result<vector_outcome> run_vector(const rating_vector& v) {
  const auto found = std::ranges::find(kinds, std::string_view(v.kind), &kind::name);
  ENSURE(found != kinds.end());
  try {
    return vector_outcome{expectations(v.fields), found->run({v.fields, v.place})};
  } catch (const misplaced& m) {
    return tl::unexpected(m.as_refusal());
  }
}

} // namespace accrue::cli
