// Scenario operations on what is sold: meters, features, plans, quotes.
// They change a catalog file step by step; what makes one hold together is the domain's.
#include "apps/accrue/catalog_json.hpp"
#include "apps/accrue/scenario_engine.hpp"
#include "apps/accrue/scenario_views.hpp"

#include <algorithm>

namespace accrue::cli {

namespace {

using nlohmann::json;

/// The element of a list that has this key; made where there is none.
json& keyed(json& list, const std::string& key) {
  if (!list.is_array())
    list = json::array();
  const auto at = std::ranges::find_if(list, [&](const json& each) { return each["key"] == key; });
  return at != list.end() ? *at : list.emplace_back(json{{"key", key}});
}

/// A rate card as a catalog file has it. What a scenario leaves out: usage is billed each month, and a
/// feature that no step has named is a sum meter of that key.
json card_of(json card, json& catalog) {
  const bool metered = card.value("type", "") == "usage_based";
  if (card.contains("payment_term") && card.contains("price")) {
    card["price"]["payment_term"] = card["payment_term"];
    card.erase("payment_term");
  }
  if (metered && !card.contains("cadence"))
    card["cadence"] = "P1M";
  if (metered && !card.contains("feature"))
    card["feature"] = card.value("key", "");
  if (!card.contains("feature"))
    return card;
  const auto name = card["feature"].get<std::string>();
  if (auto& feature = keyed(catalog["features"], name); !feature.contains("meter")) {
    feature["meter"] = name;
    if (auto& meter = keyed(catalog["meters"], name); !meter.contains("aggregation"))
      meter["aggregation"] = "sum";
  }
  return card;
}

json cards_of(const json& from, json& catalog) {
  json cards = json::array();
  for (const auto& card : from.value("rate_cards", json::array()))
    cards.push_back(card.is_object() ? card_of(card, catalog) : card);
  return cards;
}

} // namespace

step_answer scenario_engine::replace_catalog(const step& s, json changed) {
  auto all = parse_catalog(changed);
  if (!all)
    return tl::unexpected(step_failure{step_failure::kind::refused, all.error()});
  auto answer = ask(s, command::put_catalog{std::move(*all)});
  if (answer)
    catalog_ = std::move(changed);
  return answer;
}

step_answer scenario_engine::meter(const step& s) {
  auto changed = catalog_;
  auto& meter = keyed(changed["meters"], s.fields["key"]);
  meter["aggregation"] = s.fields["aggregation"];
  if (s.fields.contains("unit"))
    meter["unit"] = s.fields["unit"];
  return replace_catalog(s, std::move(changed));
}

step_answer scenario_engine::feature(const step& s) {
  auto changed = catalog_;
  auto& feature = keyed(changed["features"], s.fields["key"]);
  if (s.fields.contains("meter"))
    feature["meter"] = s.fields["meter"];
  return replace_catalog(s, std::move(changed));
}

step_answer scenario_engine::plan(const step& s) {
  auto changed = catalog_;
  json taken = json::array();
  for (const auto& each : s.fields.value("add_ons", json::array())) {
    auto cards = cards_of(each, changed);
    auto& add_on = keyed(changed["add_ons"], each.value("key", ""));
    add_on["currency"] = s.fields["currency"];
    add_on["rate_cards"] = std::move(cards);
    taken.push_back(add_on["key"]);
  }
  auto cards = cards_of(s.fields, changed);
  auto& plan = keyed(changed["plans"], s.fields["key"]);
  plan["currency"] = s.fields["currency"];
  plan["phases"] = json::array({{{"key", "main"}, {"rate_cards", std::move(cards)}}});
  plan["add_ons"] = std::move(taken);
  return replace_catalog(s, std::move(changed));
}

/// Of the customer that the step names, else of the namespace; 30 days from now where it gives no period.
step_answer scenario_engine::quote(const step& s) {
  command::get_quote c;
  c.plan = s.fields["plan"];
  c.add_ons = s.fields.value("add_ons", std::vector<std::string>());
  for (const auto& [card, quantity] : s.fields["usage"].items())
    c.usage.emplace(card, decimal::parse(quantity.get<std::string>()).value());
  if (s.fields.contains("period")) {
    const auto& p = s.fields["period"];
    c.service_period = {parse_instant(p[0].get<std::string>()).value(),
                        parse_instant(p[1].get<std::string>()).value()};
  } else {
    c.service_period = {engine_.now(), plus_ns(engine_.now(), 30LL * 86'400 * ns_per_second)};
  }
  if (s.fields.contains("customer"))
    return ensure(s.customer).and_then([&](const json&) { return ask(s, std::move(c)); });
  auto answer = engine_.ask("", std::move(c));
  if (!answer)
    return tl::unexpected(step_failure{step_failure::kind::refused, answer.error()});
  return to_scenario_json(answer->body);
}

} // namespace accrue::cli
