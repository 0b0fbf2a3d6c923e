// Steps about credit: grants and their payments, what takes credit and gives it back, reservations, and the
// questions about all of it. The others are in scenario_engine.cpp and scenario_queries.cpp.
#include "apps/accrue/scenario_fields.hpp"

#include <algorithm>

namespace accrue::cli {

using nlohmann::json;

namespace {

/// Seconds, with a fraction where somebody wants one.
std::int64_t ttl_ns(const json& fields) {
  const auto seconds = number(fields, "ttl");
  const auto ns =
      multiply_ratio({seconds.coefficient(), {}}, ns_per_second, power_of_ten(seconds.scale()));
  constexpr int128 far = int128{1} << 62;
  return static_cast<std::int64_t>(std::clamp(ns ? ns->minor : int128{0}, -far, far));
}

command::row_type row_type_of(const std::string& name) {
  using enum command::row_type;
  constexpr std::pair<std::string_view, command::row_type> all[] = {{"funded", funded},
                                                                    {"consumed", consumed},
                                                                    {"adjusted", adjusted},
                                                                    {"expired", expired},
                                                                    {"voided", voided}};
  const auto* const it =
      std::ranges::find(all, name, &std::pair<std::string_view, command::row_type>::first);
  return it == std::end(all) ? any : it->second;
}

command::grant_state grant_state_of(const std::string& name) {
  using enum command::grant_state;
  constexpr std::pair<std::string_view, command::grant_state> all[] = {
      {"pending", pending}, {"active", active}, {"expired", expired}, {"voided", voided}};
  const auto* const it =
      std::ranges::find(all, name, &std::pair<std::string_view, command::grant_state>::first);
  return it == std::end(all) ? any : it->second;
}

} // namespace

step_answer scenario_engine::grant(const step& s) {
  const auto& f = s.fields;
  command::grant_credit c;
  c.id = text(f, "id");
  c.amount = number(f, "amount");
  c.currency = text(f, "currency");
  c.features = texts(f, "features");
  c.effective_at = maybe_time(f, "effective_at");
  c.expires_at = maybe_time(f, "expires_at");
  if (f["funding"] == "invoice")
    return later("grant.funding invoice");
  if (f["funding"] == "external")
    c.funding = command::grant_funding::external;
  c.cost_basis = maybe_number(f, "cost_basis");
  if (f.contains("fiat_currency"))
    c.fiat_currency = text(f, "fiat_currency");
  if (f.contains("priority")) {
    const auto p = f["priority"].get<std::int64_t>();
    c.priority =
        p < 0 || p > 1000 ? std::uint16_t{0} : static_cast<std::uint16_t>(p); // 0 is refused
  }
  const auto id = c.id;
  return named(s, ask(s, std::move(c)), id);
}

step_answer scenario_engine::seed_credit(const step& s) {
  command::open_credit c;
  c.id = text(s.fields, "as", s.key.c_str());
  c.amount = number(s.fields, "amount");
  c.currency = text(s.fields, "currency");
  c.features = texts(s.fields, "features");
  c.expires_at = maybe_time(s.fields, "expires_at");
  const auto id = c.id;
  return named(s, ask(s, std::move(c)), id);
}

step_answer scenario_engine::seed_advance(const step& s) {
  command::open_advance c;
  c.id = text(s.fields, "spend");
  c.amount = number(s.fields, "amount");
  c.currency = text(s.fields, "currency", "USD");
  c.features = texts(s.fields, "features");
  const auto id = c.id;
  return named(s, ask(s, std::move(c)), id);
}

step_answer scenario_engine::consume(const step& s) {
  command::consume c{text(s.fields, "id"),
                     number(s.fields, "amount"),
                     text(s.fields, "currency", "USD"),
                     text(s.fields, "feature")};
  const auto id = c.id;
  return named(s, ask(s, std::move(c)), id);
}

step_answer scenario_engine::authorize(const step& s) {
  const auto amount = maybe_number(s.fields, "amount");
  if (s.fields.contains("grant"))
    return ask(s, command::authorize_grant{resolve(s, "grant"), amount});
  return ask(s, command::authorize_payment{resolve(s, "invoice"), amount});
}

step_answer scenario_engine::settle(const step& s) {
  const auto amount = maybe_number(s.fields, "amount");
  if (s.fields.contains("grant"))
    return ask(s, command::settle_grant{resolve(s, "grant"), amount});
  return ask(s, command::settle_payment{resolve(s, "invoice"), amount});
}

step_answer scenario_engine::void_grant(const step& s) {
  return ask(s,
             command::void_grant{resolve(s, "grant"),
                                 text(s.fields, "payment_adjustment", "none") == "refund"});
}

step_answer scenario_engine::refund(const step& s) {
  return ask(s, command::refund_grant{resolve(s, "grant"), maybe_number(s.fields, "amount")});
}

step_answer scenario_engine::uncollectible(const step& s) {
  if (s.fields.contains("grant"))
    return ask(s, command::write_off_grant{resolve(s, "grant")});
  return ask(s, command::write_off_invoice{resolve(s, "invoice")});
}

step_answer scenario_engine::correct_charge(const step& s) {
  return ask(s, command::correct_charge{resolve(s, "charge"), maybe_number(s.fields, "amount")});
}

step_answer scenario_engine::recognize(const step& s) {
  using enum command::recognizable;
  return ask(s,
             command::recognize{maybe_time(s.fields, "as_of"),
                                s.fields.value("invoiced", false) ? invoiced : credit});
}

step_answer scenario_engine::reserve(const step& s) {
  command::reserve c;
  c.id = text(s.fields, "id");
  c.amount = number(s.fields, "amount");
  c.currency = text(s.fields, "currency", "USD");
  c.feature = text(s.fields, "feature");
  c.ttl_ns = ttl_ns(s.fields);
  c.up_to = text(s.fields, "mode", "all_or_nothing") == "up_to";
  const auto id = c.id;
  return named(s, ask(s, std::move(c)), id);
}

step_answer scenario_engine::settle_reservation(const step& s) {
  return ask(s, command::settle_reservation{resolve(s, "id"), number(s.fields, "amount")});
}

step_answer scenario_engine::release(const step& s) {
  return ask(s, command::release_reservation{resolve(s, "id")});
}

step_answer scenario_engine::extend_reservation(const step& s) {
  return ask(s, command::extend_reservation{resolve(s, "id"), ttl_ns(s.fields)});
}

// ------------------------------------------------------------------------------ questions

command::feature_filter scenario_engine::view_of(const step& s) {
  command::feature_filter view;
  if (!s.fields.contains("feature_filter"))
    return view;
  const auto& filter = s.fields["feature_filter"];
  view.view =
      filter.is_string() ? command::feature_view::unrestricted : command::feature_view::feature;
  if (filter.is_object())
    view.feature = filter["feature"].get<std::string>();
  return view;
}

step_answer scenario_engine::query_grant(const step& s) {
  return ask(s, command::get_grant{resolve(s, "grant")});
}

step_answer scenario_engine::query_grants(const step& s) {
  auto answer = ask(s, command::list_grants{grant_state_of(text(s.fields, "status"))});
  if (!answer)
    return answer;
  json references = json::array();
  for (const auto& g : *answer)
    references.push_back(g["id"]);
  return references;
}

step_answer scenario_engine::query_transactions(const step& s) {
  const auto& f = s.fields;
  command::list_transactions q;
  if (f.contains("currency"))
    q.currency = text(f, "currency");
  if (f.contains("type")) {
    q.type = row_type_of(text(f, "type"));
    if (q.type == command::row_type::any)
      return refused({errc::validation, "type", "no such type of rows"});
  }
  q.filter = view_of(s);
  q.as_of = maybe_time(f, "as_of");
  if (f.contains("limit")) {
    const auto limit = f["limit"].get<std::int64_t>();
    q.limit = static_cast<std::uint32_t>(std::clamp<std::int64_t>(limit, 0, 1000));
  }
  const auto cursor = [&](const char* field) {
    const auto name = text(f, field);
    const auto known = cursors_.find(name);
    return known == cursors_.end() ? name : known->second;
  };
  q.after = cursor("after");
  q.before = cursor("before");
  auto page = ask(s, std::move(q));
  if (!page)
    return page;
  if (f.contains("save_next"))
    cursors_[text(f, "save_next")] = (*page)["next"].get<std::string>();
  if (f.contains("save_previous"))
    cursors_[text(f, "save_previous")] = (*page)["previous"].get<std::string>();
  return page;
}

} // namespace accrue::cli
