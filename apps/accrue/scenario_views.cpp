// One function an answer. Names are those of docs/scenarios.md.
#include "apps/accrue/scenario_views.hpp"

#include "apps/accrue/text.hpp"

#include <utility>

namespace accrue::cli {

namespace {

using nlohmann::json;

json time_json(const std::optional<instant>& t) {
  return t ? json(accrue::to_string(*t)) : json(nullptr);
}

json period_json(const period& p) {
  return json::array({accrue::to_string(p.from), accrue::to_string(p.to)});
}

/// Flat fees have neither minimum charges nor discounts nor tax in this version.
json totals_json(int128 amount, int128 credits, int128 total, currency c, int128 taxes = 0) {
  return {{"amount", amount_json({amount, c})},
          {"charges_total", "0"},
          {"discounts_total", "0"},
          {"taxes_total", amount_json({taxes, c})},
          {"credits_total", amount_json({credits, c})},
          {"total", amount_json({total, c})}};
}

json json_of(const reply::balance& b) {
  const auto now_only = [&](int128 amount) {
    return b.historical ? json(nullptr) : json(amount_json({amount, b.currency}));
  };
  return {{"currency", b.code},
          {"settled", amount_json({b.settled, b.currency})},
          {"live", now_only(b.live)},
          {"pending", amount_json({b.pending, b.currency})},
          {"reserved", now_only(b.reserved)}};
}

json json_of(const reply::balances& v) {
  json all = json::array();
  for (const auto& b : v.items)
    all.push_back(json_of(b));
  return all;
}

json json_of(const reply::customer_view& v) {
  return {{"id", v.reference},
          {"currency", v.currency.empty() ? json(nullptr) : json(v.currency)},
          {"over_settlement", to_string(v.over_settlement)}};
}

json json_of(const reply::grant_view& v) {
  const auto in_fiat = [&v](int128 amount) {
    return v.fiat ? json(amount_json({amount, *v.fiat})) : json(nullptr);
  };
  return {{"id", v.id},
          {"currency", v.code},
          {"amount", amount_json({v.amount, v.currency})},
          {"effective_at", accrue::to_string(v.effective_at)},
          {"status", v.status},
          {"internal_status", v.internal_status},
          {"payment", v.payment.empty() ? json(nullptr) : json(v.payment)},
          {"fiat_amount", in_fiat(v.fiat_amount)},
          {"written_off", in_fiat(v.written_off)},
          {"claim", in_fiat(v.claim)},
          {"refunded", in_fiat(v.refunded)},
          {"expires_at", time_json(v.expires_at)},
          {"voided_at", time_json(v.voided_at)}};
}

json json_of(const reply::grants& v) {
  json all = json::array();
  for (const auto& g : v.items)
    all.push_back(json_of(g));
  return all;
}

json json_of(const reply::reservation_view& v) {
  json slices = json::array();
  for (const auto& s : v.slices)
    slices.push_back({{"grant", s.grant},
                      {"amount", amount_json({s.amount, v.currency})},
                      {"expires_at", time_json(s.expires_at)}});
  return {{"id", v.id},
          {"status", v.status},
          {"held", amount_json({v.held, v.currency})},
          {"expires_at", time_json(v.expires_at)},
          {"slices", std::move(slices)}};
}

json json_of(const reply::corrected& v) {
  return {{"id", v.id}, {"amount", amount_json({v.amount, v.currency})}};
}

json json_of(const reply::recognized& v) {
  json amounts = json::object();
  for (const auto& a : v.amounts)
    amounts[a.code] = amount_json({a.amount, a.currency});
  return {{"amounts", std::move(amounts)}};
}

json json_of(const reply::transactions& v) {
  json rows = json::array();
  for (const auto& r : v.rows)
    rows.push_back({{"type", r.type},
                    {"booked_at", accrue::to_string(r.booked_at)},
                    {"recorded_at", accrue::to_string(r.recorded_at)},
                    {"backdated", r.backdated},
                    {"currency", r.code},
                    {"amount", amount_json({r.amount, r.currency})},
                    {"before", amount_json({r.before, r.currency})},
                    {"after", amount_json({r.after, r.currency})},
                    {"ref", r.reference.empty() ? json(nullptr) : json(r.reference)}});
  return {{"rows", std::move(rows)},
          {"has_next", !v.next.empty()},
          {"has_previous", !v.previous.empty()},
          {"next", v.next},
          {"previous", v.previous}};
}

json json_of(const reply::opened& v) {
  return {{"id", v.id}, {"currency", v.code}, {"amount", amount_json({v.amount, v.currency})}};
}

json json_of(const reply::consumed& v) {
  json slices = json::array();
  for (const auto& s : v.slices)
    slices.push_back({{"grant", s.grant}, {"amount", amount_json({s.amount, v.currency})}});
  return {{"id", v.id},
          {"currency", v.code},
          {"booked", amount_json({v.booked, v.currency})},
          {"uncovered", amount_json({v.uncovered, v.currency})},
          {"slices", std::move(slices)}};
}

json json_of(const reply::charge_view& v) {
  json runs = json::array();
  for (const auto& r : v.runs) {
    json credits = json::array();
    for (const auto c : r.credits)
      credits.push_back(amount_json({c, v.currency}));
    runs.push_back({{"type", "final_realization"},
                    {"totals", totals_json(r.amount, r.credit_total, r.total, v.currency)},
                    {"credits", std::move(credits)}});
  }
  return {{"id", v.id},
          {"currency", v.code},
          {"amount", amount_json({v.amount, v.currency})},
          {"status", v.status},
          {"detailed_status", v.detailed_status},
          {"advance_after", time_json(v.advance_after)},
          {"runs", std::move(runs)}};
}

template <class View>
int128 taxes_of(const View& v) {
  int128 sum = 0;
  for (const auto& t : v.taxes)
    sum += t.amount;
  return sum;
}

json json_of(const reply::invoice_view& v) {
  json lines = json::array();
  for (const auto& l : v.lines)
    lines.push_back({{"kind", l.kind},
                     {"name", l.name},
                     {"period", period_json(l.period)},
                     {"amount", amount_json({l.amount, v.currency})},
                     {"credits", amount_json({l.credits, v.currency})},
                     {"total", amount_json({l.total, v.currency})}});
  json issues = json::array();
  for (const auto& i : v.issues)
    issues.push_back({{"severity", i.critical ? "critical" : "warning"}, {"code", i.code}});
  return {{"name", v.name},
          {"number", v.number.empty() ? json(nullptr) : json(v.number)},
          {"currency", v.code},
          {"status", v.status},
          {"totals", totals_json(v.amount, v.credits, v.total, v.currency, taxes_of(v))},
          {"lines", std::move(lines)},
          {"issues", std::move(issues)},
          {"collection_at", nullptr}, // flat fees wait for nothing (D45)
          {"draft_until", time_json(v.draft_until)},
          {"issued_at", time_json(v.issued_at)},
          {"due_at", time_json(v.due_at)},
          {"written_off", amount_json({v.written_off, v.currency})},
          {"revision", v.revision}};
}

json json_of(const reply::invoices& v) {
  json all = json::array();
  for (const auto& i : v.items)
    all.push_back(json_of(i));
  return all;
}

json json_of(const reply::credit_unit_view& v) {
  return {{"code", v.code}, {"exponent", v.exponent}};
}

json json_of(const reply::billing_profile_view& v) {
  return {{"auto_advance", v.profile.auto_advance},
          {"draft_period", duration_text(v.profile.draft_period_ns)},
          {"due_after", duration_text(v.profile.due_after_ns)},
          {"recognition", to_string(v.profile.recognition)}};
}

json json_of(const reply::quote_view& v) {
  json lines = json::array();
  for (const auto& l : v.lines)
    lines.push_back({{"kind", l.kind},
                     {"name", l.name},
                     {"amount", amount_json({l.amount - l.discounts, v.currency})}});
  for (const auto& t : v.taxes)
    lines.push_back(
        {{"kind", "tax"}, {"name", t.name}, {"amount", amount_json({t.amount, v.currency})}});
  json after;
  if (const auto& a = v.after_credits)
    after = {{"credits", amount_json({a->credits, v.currency})},
             {"tax", amount_json({a->tax, v.currency})},
             {"total", amount_json({a->total, v.currency})}};
  return {{"lines", std::move(lines)},
          {"subtotal", amount_json({v.subtotal, v.currency})},
          {"tax", amount_json({taxes_of(v), v.currency})},
          {"total", amount_json({v.total, v.currency})},
          {"after_credits", std::move(after)}};
}

// No step of a scenario asks for these.
json json_of(const reply::accounts&) { return json::object(); }
json json_of(const reply::catalog_stored&) { return json::object(); }
json json_of(const reply::catalog_view&) { return json::object(); }
json json_of(const reply::ran_due&) { return json::object(); }

} // namespace

json amount_json(const money& m) {
  const auto exact = to_decimal(m);
  return exact ? exact->to_string() : accrue::to_string(m);
}

json to_scenario_json(const reply::body& body) {
  return std::visit([](const auto& v) -> json { return json_of(v); }, body);
}

} // namespace accrue::cli
