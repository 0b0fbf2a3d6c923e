// JSON to catalogs and back. The names of fields are those of places in refusals.
#include "apps/accrue/catalog_json.hpp"

#include "apps/accrue/price_json.hpp"

#include <array>
#include <limits>

namespace accrue::cli {

namespace {

using nlohmann::json;

/// The value whose name stands there.
template <class Value, std::size_t Count>
Value named(const json_reader& from, const std::array<Value, Count>& all) {
  const auto text = from.as_text();
  std::string names;
  for (const auto value : all) {
    if (to_string(value) == text)
      return value;
    names += (names.empty() ? "" : ", ") + std::string(to_string(value));
  }
  from.wrong("'" + text + "' is none of " + names);
}

constexpr std::array aggregations{product::aggregation::sum,
                                  product::aggregation::count,
                                  product::aggregation::min,
                                  product::aggregation::max,
                                  product::aggregation::avg,
                                  product::aggregation::unique_count,
                                  product::aggregation::latest};
constexpr std::array card_types{product::card_type::flat_fee, product::card_type::usage_based};
constexpr std::array modes{settlement_mode::credit_then_invoice,
                           settlement_mode::credit_only,
                           settlement_mode::invoice_only};

product::cadence cadence_at(const json_reader& from) {
  return from.accept(product::cadence::parse(from.as_text()));
}

std::optional<product::cadence> optional_cadence(const json_reader& from, const char* name) {
  return from.has(name) ? std::optional(cadence_at(from.at(name))) : std::nullopt;
}

std::optional<instant> optional_instant(const json_reader& from, const char* name) {
  if (!from.has(name))
    return std::nullopt;
  const auto text = from.at(name);
  return text.accept(parse_instant(text.as_text()));
}

currency currency_at(const json_reader& from) {
  return from.accept(find_iso_currency(from.as_text()));
}

product::rate_card card_in(const json_reader& from) {
  from.only({"key",
             "name",
             "feature",
             "type",
             "price",
             "discounts",
             "unit_config",
             "cadence",
             "included"});
  product::rate_card c;
  c.key = from.text("key");
  c.name = from.text_or("name", "");
  c.feature = from.text_or("feature", "");
  c.type = named(from.at("type"), card_types);
  c.cadence = optional_cadence(from, "cadence");
  c.included = from.optional_number("included").value_or(decimal());
  for (const auto* name : {"discounts", "unit_config"})
    if (from.has(name) && !from.has("price"))
      from.at(name).wrong("needs a price");
  if (!from.has("price"))
    return c;
  rating::discounts discounts;
  if (from.has("discounts"))
    discounts = parse_discounts(from.at("discounts"));
  std::optional<rating::unit_conversion> conversion;
  if (from.has("unit_config"))
    conversion = parse_conversion(from.at("unit_config"));
  c.tariff = from.accept(
      rating::tariff::make(parse_price(from.at("price")), std::move(discounts), conversion)
          .map_error(rating::in_rate_card));
  return c;
}

std::vector<product::rate_card> cards_in(const json_reader& from) {
  std::vector<product::rate_card> cards;
  for (const auto& card : from.list("rate_cards"))
    cards.push_back(card_in(card));
  return cards;
}

product::add_on add_on_in(const json_reader& from) {
  from.only({"key", "name", "currency", "multiple", "rate_cards"});
  return {from.text("key"),
          from.text_or("name", ""),
          currency_at(from.at("currency")),
          from.flag_or("multiple", false),
          cards_in(from)};
}

product::plan plan_in(const json_reader& from) {
  from.only({"key",
             "version",
             "name",
             "currency",
             "billing_cadence",
             "prorate",
             "settlement_mode",
             "effective_from",
             "effective_to",
             "phases",
             "add_ons"});
  product::plan p;
  p.key = from.text("key");
  const auto version = from.integer_or("version", 1);
  if (version < 1 || version > std::numeric_limits<std::int32_t>::max())
    from.at("version").wrong("must be 1 or more");
  p.version = static_cast<std::uint32_t>(version);
  p.name = from.text_or("name", "");
  p.currency = currency_at(from.at("currency"));
  p.billing_cadence = optional_cadence(from, "billing_cadence").value_or(product::cadence());
  p.prorate = from.flag_or("prorate", true);
  if (from.has("settlement_mode"))
    p.mode = named(from.at("settlement_mode"), modes);
  p.effective_from = optional_instant(from, "effective_from");
  p.effective_to = optional_instant(from, "effective_to");
  for (const auto& phase : from.list("phases")) {
    phase.only({"key", "name", "duration", "rate_cards"});
    p.phases.push_back({phase.text("key"),
                        phase.text_or("name", ""),
                        optional_cadence(phase, "duration"),
                        cards_in(phase)});
  }
  for (const auto& key : from.list("add_ons"))
    p.add_ons.push_back(key.as_text());
  return p;
}

product::listing listing_in(const json_reader& from) {
  from.only({"schema_version", "meters", "features", "add_ons", "plans"});
  if (from.integer("schema_version") != 1)
    from.at("schema_version").wrong("must be 1");
  product::listing l;
  for (const auto& m : from.list("meters")) {
    m.only({"key", "aggregation", "unit"});
    l.meters.push_back(
        {m.text("key"), named(m.at("aggregation"), aggregations), m.text_or("unit", "")});
  }
  for (const auto& f : from.list("features")) {
    f.only({"key", "meter", "archived"});
    l.features.push_back({f.text("key"), f.text_or("meter", ""), f.flag_or("archived", false)});
  }
  for (const auto& a : from.list("add_ons"))
    l.add_ons.push_back(add_on_in(a));
  for (const auto& p : from.list("plans"))
    l.plans.push_back(plan_in(p));
  return l;
}

// Out. What has its default is left out.

void put(json& to, const char* name, const std::string& text) {
  if (!text.empty())
    to[name] = text;
}

json json_of(const product::rate_card& c) {
  json out{{"key", c.key}, {"type", to_string(c.type)}};
  put(out, "name", c.name);
  put(out, "feature", c.feature);
  if (c.cadence)
    out["cadence"] = c.cadence->to_string();
  if (!c.included.is_zero())
    out["included"] = c.included.to_string();
  if (!c.tariff)
    return out;
  out["price"] = to_json(c.tariff->price());
  if (c.tariff->discounts() != rating::discounts{})
    out["discounts"] = to_json(c.tariff->discounts());
  if (c.tariff->conversion())
    out["unit_config"] = to_json(*c.tariff->conversion());
  return out;
}

json json_of(const product::meter& m);
json json_of(const product::feature& f);
json json_of(const product::add_on& a);
json json_of(const product::phase& p);
json json_of(const product::plan& p);

template <class T>
json list_of(const std::vector<T>& all) {
  json out = json::array();
  for (const auto& one : all)
    out.push_back(json_of(one));
  return out;
}

json json_of(const product::meter& m) {
  json out{{"key", m.key}, {"aggregation", to_string(m.aggregation)}};
  put(out, "unit", m.unit);
  return out;
}

json json_of(const product::feature& f) {
  json out{{"key", f.key}};
  put(out, "meter", f.meter);
  if (f.archived)
    out["archived"] = true;
  return out;
}

json json_of(const product::add_on& a) {
  json out{
      {"key", a.key}, {"currency", iso_code(a.currency)}, {"rate_cards", list_of(a.rate_cards)}};
  put(out, "name", a.name);
  if (a.multiple)
    out["multiple"] = true;
  return out;
}

json json_of(const product::phase& p) {
  json out{{"key", p.key}, {"rate_cards", list_of(p.rate_cards)}};
  put(out, "name", p.name);
  if (p.duration)
    out["duration"] = p.duration->to_string();
  return out;
}

json json_of(const product::plan& p) {
  json out{{"key", p.key},
           {"version", p.version},
           {"currency", iso_code(p.currency)},
           {"billing_cadence", p.billing_cadence.to_string()},
           {"settlement_mode", to_string(p.mode)},
           {"prorate", p.prorate},
           {"phases", list_of(p.phases)}};
  put(out, "name", p.name);
  if (p.effective_from)
    out["effective_from"] = to_string(*p.effective_from);
  if (p.effective_to)
    out["effective_to"] = to_string(*p.effective_to);
  if (!p.add_ons.empty())
    out["add_ons"] = p.add_ons;
  return out;
}

} // namespace

result<product::catalog> parse_catalog(const json& document) {
  try {
    return product::catalog::make(listing_in({document, ""})).map_error([](const refusal& no) {
      return misplaced{no.subject, no.text}.as_refusal();
    });
  } catch (const misplaced& m) {
    return tl::unexpected(m.as_refusal());
  }
}

result<product::catalog> read_catalog(const std::string& path) {
  return read_json(path).and_then(parse_catalog).map_error([&](refusal no) {
    if (no.subject != path)
      no.text = path + ": " + no.text;
    return no;
  });
}

json to_json(const product::catalog& c) {
  return {{"schema_version", 1},
          {"meters", list_of(c.all().meters)},
          {"features", list_of(c.all().features)},
          {"add_ons", list_of(c.all().add_ons)},
          {"plans", list_of(c.all().plans)}};
}

} // namespace accrue::cli
