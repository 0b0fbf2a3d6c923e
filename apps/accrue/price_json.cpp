// JSON to prices and back.
#include "apps/accrue/price_json.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace accrue::cli {

namespace {

using nlohmann::json;

/// Words of a field and what they stand for.
template <class Value, std::size_t Count>
using words = std::array<std::pair<std::string_view, Value>, Count>;

template <class Value, std::size_t Count>
Value choose(const json_reader& from, const words<Value, Count>& all) {
  const auto text = from.as_text();
  std::string names;
  for (const auto& [name, value] : all) {
    if (name == text)
      return value;
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  from.wrong("'" + text + "' is none of " + names);
}

template <class Value, std::size_t Count>
std::string word(const words<Value, Count>& all, Value wanted) {
  for (const auto& [name, value] : all)
    if (value == wanted)
      return std::string(name);
  return {};
}

constexpr words<payment_term, 2> terms{
    {{"in_advance", payment_term::in_advance}, {"in_arrears", payment_term::in_arrears}}};
constexpr words<rating::tier_mode, 2> modes{
    {{"graduated", rating::tier_mode::graduated}, {"volume", rating::tier_mode::volume}}};
constexpr words<rating::unit_conversion::operation, 2> operations{
    {{"multiply", rating::unit_conversion::operation::multiply},
     {"divide", rating::unit_conversion::operation::divide}}};
constexpr words<rating::unit_conversion::rounding_mode, 4> roundings{
    {{"none", rating::unit_conversion::rounding_mode::none},
     {"ceiling", rating::unit_conversion::rounding_mode::ceiling},
     {"floor", rating::unit_conversion::rounding_mode::floor},
     {"half_up", rating::unit_conversion::rounding_mode::half_up}}};

rating::commitments commitments_of(const json_reader& from) {
  if (!from.has("commitments"))
    return {};
  const auto c = from.at("commitments");
  c.only({"minimum_amount", "maximum_amount"});
  return {c.optional_number("minimum_amount"), c.optional_number("maximum_amount")};
}

rating::price::any flat(const json_reader& from) {
  from.only({"type", "amount", "payment_term"});
  const auto term =
      from.has("payment_term") ? choose(from.at("payment_term"), terms) : payment_term::in_advance;
  return rating::flat_price{from.number("amount"), term};
}

rating::price::any unit(const json_reader& from) {
  from.only({"type", "amount", "commitments"});
  return rating::unit_price{from.number("amount"), commitments_of(from)};
}

rating::price::any tiered(const json_reader& from) {
  from.only({"type", "mode", "tiers", "commitments"});
  rating::tiered_price p{choose(from.at("mode"), modes), {}, commitments_of(from)};
  for (const auto& t : from.list("tiers")) {
    t.only({"up_to_amount", "flat_price", "unit_price"});
    p.tiers.push_back({t.optional_number("up_to_amount"),
                       t.optional_number("flat_price"),
                       t.optional_number("unit_price")});
  }
  return p;
}

rating::price::any package(const json_reader& from) {
  from.only({"type", "amount", "quantity_per_package", "commitments"});
  return rating::package_price{
      from.number("amount"), from.number("quantity_per_package"), commitments_of(from)};
}

rating::price::any dynamic(const json_reader& from) {
  from.only({"type", "multiplier", "commitments"});
  return rating::dynamic_price{from.optional_number("multiplier").value_or(decimal(1)),
                               commitments_of(from)};
}

using price_parser = rating::price::any (*)(const json_reader&);

constexpr words<price_parser, 5> parsers{{{"flat", flat},
                                          {"unit", unit},
                                          {"tiered", tiered},
                                          {"package", package},
                                          {"dynamic", dynamic}}};

void put(json& to, const char* name, const std::optional<decimal>& value) {
  if (value)
    to[name] = value->to_string();
}

// The fields of each type.

json fields(const rating::flat_price& p) {
  return {{"amount", p.amount.to_string()}, {"payment_term", word(terms, p.term)}};
}

json fields(const rating::unit_price& p) { return {{"amount", p.amount.to_string()}}; }

json fields(const rating::tiered_price& p) {
  json tiers = json::array();
  for (const auto& t : p.tiers) {
    json one = json::object();
    put(one, "up_to_amount", t.up_to);
    put(one, "flat_price", t.flat);
    put(one, "unit_price", t.unit);
    tiers.push_back(std::move(one));
  }
  // Of the order in which they were listed, only the first matters.
  std::rotate(tiers.begin(),
              tiers.begin() + static_cast<std::ptrdiff_t>(p.first_listed),
              tiers.begin() + static_cast<std::ptrdiff_t>(p.first_listed) + 1);
  return {{"mode", word(modes, p.mode)}, {"tiers", std::move(tiers)}};
}

json fields(const rating::package_price& p) {
  return {{"amount", p.amount.to_string()}, {"quantity_per_package", p.size.to_string()}};
}

json fields(const rating::dynamic_price& p) { return {{"multiplier", p.multiplier.to_string()}}; }

} // namespace

rating::price parse_price(const json_reader& from) {
  const auto parser = choose(from.at("type"), parsers);
  return from.accept(rating::price::make(parser(from)));
}

rating::discounts parse_discounts(const json_reader& from) {
  from.only({"percentage", "usage"});
  rating::discounts d;
  if (from.has("percentage")) {
    const auto p = from.at("percentage");
    p.only({"percentage", "correlation_id"});
    d.percentage = {p.number("percentage"), p.text_or("correlation_id", "")};
  }
  if (from.has("usage")) {
    const auto u = from.at("usage");
    u.only({"quantity", "correlation_id"});
    d.usage = {u.number("quantity"), u.text_or("correlation_id", "")};
  }
  return d;
}

rating::unit_conversion parse_conversion(const json_reader& from) {
  from.only({"operation", "conversion_factor", "rounding", "precision", "display_unit"});
  rating::unit_conversion c{choose(from.at("operation"), operations),
                            from.number("conversion_factor")};
  if (from.has("rounding"))
    c.rounding = choose(from.at("rounding"), roundings);
  const auto precision = from.integer_or("precision", 0);
  if (precision < 0 || precision > decimal::scale_max)
    from.at("precision").wrong("must be 0 to 18");
  c.precision = static_cast<int>(precision);
  c.display_unit = from.text_or("display_unit", "");
  return c;
}

json to_json(const rating::price& p) {
  auto out = std::visit([](const auto& t) { return fields(t); }, p.terms());
  out["type"] = type_name(p);
  if (const auto* c = p.commitments(); c != nullptr && (c->minimum || c->maximum)) {
    put(out["commitments"], "minimum_amount", c->minimum);
    put(out["commitments"], "maximum_amount", c->maximum);
  }
  return out;
}

json to_json(const rating::discounts& d) {
  json out = json::object();
  const auto with_id = [](json discount, const std::string& id) {
    if (!id.empty())
      discount["correlation_id"] = id;
    return discount;
  };
  if (d.percentage)
    out["percentage"] = with_id({{"percentage", d.percentage->percentage.to_string()}},
                                d.percentage->correlation_id);
  if (d.usage)
    out["usage"] = with_id({{"quantity", d.usage->quantity.to_string()}}, d.usage->correlation_id);
  return out;
}

json to_json(const rating::unit_conversion& c) {
  json out{{"operation", word(operations, c.op)},
           {"conversion_factor", c.factor.to_string()},
           {"rounding", word(roundings, c.rounding)},
           {"precision", c.precision}};
  if (!c.display_unit.empty())
    out["display_unit"] = c.display_unit;
  return out;
}

} // namespace accrue::cli
