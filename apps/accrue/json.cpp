// Answers as JSON documents, for programs. The names are those of the wire.
// Text for people is in text.cpp.
#include "apps/accrue/catalog_json.hpp"
#include "apps/accrue/text.hpp"

#include <nlohmann/json.hpp>

namespace accrue::cli {

namespace {

using nlohmann::json;

json instant_or_null(const std::optional<instant>& t) {
  return t ? json(accrue::to_string(*t)) : json(nullptr);
}

json json_of(const period& p) {
  return {{"from", accrue::to_string(p.from)}, {"to", accrue::to_string(p.to)}};
}

json json_of(const std::vector<reply::balance>& balances) {
  json items = json::array();
  for (const auto& b : balances) {
    const auto now_only = [&](int128 amount) {
      return b.historical ? json(nullptr) : json(amount_text(amount, b.currency));
    };
    items.push_back({{"currency", b.code},
                     {"settled", amount_text(b.settled, b.currency)},
                     {"live", now_only(b.live)},
                     {"pending", amount_text(b.pending, b.currency)},
                     {"reserved", now_only(b.reserved)}});
  }
  return items;
}

using named = std::pair<const char*, json>;

json json_of(const std::vector<reply::tax>& taxes, currency c) {
  json items = json::array();
  for (const auto& t : taxes)
    items.push_back({{"name", t.name},
                     {"rate", t.rate.to_string()},
                     {"base", amount_text(t.base, c)},
                     {"amount", amount_text(t.amount, c)}});
  return items;
}

named json_of(const reply::customer_view& v) {
  const auto tax = v.tax_name.empty()
                       ? json(nullptr)
                       : json{{"name", v.tax_name}, {"rate", v.tax_rate.to_string()}};
  return {"customer",
          {{"reference", v.reference},
           {"number", v.number.value},
           {"currency", v.currency.empty() ? json(nullptr) : json(v.currency)},
           {"over_settlement", to_string(v.over_settlement)},
           {"tax", tax},
           {"created_at", accrue::to_string(v.created_at)}}};
}

named json_of(const reply::grant_view& v) {
  json payment;
  if (v.fiat)
    payment = {{"status", v.payment},
               {"cost_basis", v.cost_basis ? json(v.cost_basis->to_string()) : json(nullptr)},
               {"currency", v.fiat_code},
               {"amount", amount_text(v.fiat_amount, *v.fiat)},
               {"authorized", amount_text(v.authorized, *v.fiat)},
               {"settled", amount_text(v.settled, *v.fiat)},
               {"written_off", amount_text(v.written_off, *v.fiat)},
               {"claim", amount_text(v.claim, *v.fiat)},
               {"refunded", amount_text(v.refunded, *v.fiat)}};
  return {"grant",
          {{"id", v.id},
           {"funding", v.funding},
           {"status", v.status},
           {"internal_status", v.internal_status},
           {"currency", v.code},
           {"amount", amount_text(v.amount, v.currency)},
           {"priority", v.priority},
           {"features", v.features},
           {"effective_at", accrue::to_string(v.effective_at)},
           {"expires_at", instant_or_null(v.expires_at)},
           {"voided_at", instant_or_null(v.voided_at)},
           {"payment", std::move(payment)}}};
}

named json_of(const reply::grants& v) {
  json items = json::array();
  for (const auto& g : v.items)
    items.push_back(json_of(g).second);
  return {"grants", std::move(items)};
}

named json_of(const reply::reservation_view& v) {
  json slices = json::array();
  for (const auto& s : v.slices)
    slices.push_back({{"grant", s.grant},
                      {"amount", amount_text(s.amount, v.currency)},
                      {"expires_at", instant_or_null(s.expires_at)}});
  const bool known = !v.code.empty();
  return {"reservation",
          {{"id", v.id},
           {"status", v.status},
           {"currency", known ? json(v.code) : json(nullptr)},
           {"held", known ? json(amount_text(v.held, v.currency)) : json(nullptr)},
           {"expires_at", instant_or_null(v.expires_at)},
           {"slices", std::move(slices)}}};
}

named json_of(const reply::corrected& v) {
  return {"corrected",
          {{"id", v.id}, {"currency", v.code}, {"amount", amount_text(v.amount, v.currency)}}};
}

named json_of(const reply::recognized& v) {
  json amounts = json::array();
  for (const auto& a : v.amounts)
    amounts.push_back({{"currency", a.code}, {"amount", amount_text(a.amount, a.currency)}});
  return {"recognized", {{"amounts", std::move(amounts)}, {"through", v.through.value}}};
}

named json_of(const reply::transactions& v) {
  json rows = json::array();
  for (const auto& r : v.rows)
    rows.push_back({{"type", r.type},
                    {"booked_at", accrue::to_string(r.booked_at)},
                    {"recorded_at", accrue::to_string(r.recorded_at)},
                    {"backdated", r.backdated},
                    {"currency", r.code},
                    {"amount", amount_text(r.amount, r.currency)},
                    {"before", amount_text(r.before, r.currency)},
                    {"after", amount_text(r.after, r.currency)},
                    {"reference", r.reference},
                    {"cursor", r.cursor}});
  const auto cursor = [](const std::string& c) { return c.empty() ? json(nullptr) : json(c); };
  return {"transactions",
          {{"rows", std::move(rows)}, {"next", cursor(v.next)}, {"previous", cursor(v.previous)}}};
}

named json_of(const reply::consumed& v) {
  json slices = json::array();
  for (const auto& slice : v.slices)
    slices.push_back({{"grant", slice.grant}, {"amount", amount_text(slice.amount, v.currency)}});
  return {"consumed",
          {{"id", v.id},
           {"currency", v.code},
           {"booked", amount_text(v.booked, v.currency)},
           {"uncovered", amount_text(v.uncovered, v.currency)},
           {"slices", std::move(slices)}}};
}

named json_of(const reply::charge_view& v) {
  json runs = json::array();
  for (const auto& run : v.runs) {
    json credits = json::array();
    for (const auto credit : run.credits)
      credits.push_back(amount_text(credit, v.currency));
    runs.push_back({{"amount", amount_text(run.amount, v.currency)},
                    {"credits", std::move(credits)},
                    {"credit_total", amount_text(run.credit_total, v.currency)},
                    {"total", amount_text(run.total, v.currency)}});
  }
  return {"charge",
          {{"id", v.id},
           {"currency", v.code},
           {"mode", accrue::to_string(v.mode)},
           {"amount", amount_text(v.amount, v.currency)},
           {"service_period", json_of(v.service_period)},
           {"invoice_at", accrue::to_string(v.invoice_at)},
           {"status", v.status},
           {"detailed_status", v.detailed_status},
           {"advance_after", instant_or_null(v.advance_after)},
           {"runs", std::move(runs)}}};
}

named json_of(const reply::invoice_view& v) {
  json lines = json::array();
  for (const auto& line : v.lines)
    lines.push_back({{"kind", line.kind},
                     {"name", line.name},
                     {"period", json_of(line.period)},
                     {"amount", amount_text(line.amount, v.currency)},
                     {"credits", amount_text(line.credits, v.currency)},
                     {"total", amount_text(line.total, v.currency)}});
  json issues = json::array();
  for (const auto& issue : v.issues)
    issues.push_back({{"critical", issue.critical}, {"code", issue.code}, {"text", issue.text}});
  return {"invoice",
          {{"name", v.name},
           {"number", v.number.empty() ? json(nullptr) : json(v.number)},
           {"currency", v.code},
           {"status", v.status},
           {"lines", std::move(lines)},
           {"amount", amount_text(v.amount, v.currency)},
           {"credits", amount_text(v.credits, v.currency)},
           {"taxes", json_of(v.taxes, v.currency)},
           {"total", amount_text(v.total, v.currency)},
           {"authorized", amount_text(v.authorized, v.currency)},
           {"settled", amount_text(v.settled, v.currency)},
           {"written_off", amount_text(v.written_off, v.currency)},
           {"issues", std::move(issues)},
           {"draft_until", instant_or_null(v.draft_until)},
           {"issued_at", instant_or_null(v.issued_at)},
           {"due_at", instant_or_null(v.due_at)},
           {"revision", v.revision}}};
}

named json_of(const reply::invoices& v) {
  json items = json::array();
  for (const auto& item : v.items)
    items.push_back(json_of(item).second);
  return {"invoices", std::move(items)};
}

named json_of(const reply::accounts& v) {
  json items = json::array();
  for (const auto& a : v.items) {
    const auto& route = a.address.route;
    items.push_back(
        {{"account", ledger::to_string(a.address.account)},
         {"stage",
          route.stage == ledger::stage::none ? json(nullptr) : json(to_string(route.stage))},
         {"currency", a.code},
         {"cost_basis", route.cost_basis ? json(route.cost_basis->to_string()) : json(nullptr)},
         {"cost_basis_currency",
          route.cost_basis_currency ? json(iso_code(*route.cost_basis_currency)) : json(nullptr)},
         {"priority", route.priority == 0 ? json(nullptr) : json(route.priority)},
         {"features", route.features},
         {"balance", amount_text(a.balance, route.currency)},
         {"money", a.money ? json(accrue::to_string(*a.money)) : json(nullptr)},
         {"money_currency", a.money ? json(iso_code(a.money->currency)) : json(nullptr)}});
  }
  return {"accounts", std::move(items)};
}

named json_of(const reply::balances& v) { return {"balances", json_of(v.items)}; }

named json_of(const reply::opened& v) {
  return {"opened",
          {{"id", v.id}, {"currency", v.code}, {"amount", amount_text(v.amount, v.currency)}}};
}

named json_of(const reply::ran_due& v) { return {"ran_due", {{"steps", v.steps}}}; }

named json_of(const reply::credit_unit_view& v) {
  return {"credit_unit", {{"code", v.code}, {"exponent", v.exponent}}};
}

named json_of(const reply::billing_profile_view& v) {
  return {"billing_profile",
          {{"auto_advance", v.profile.auto_advance},
           {"draft_period", duration_text(v.profile.draft_period_ns)},
           {"due_after", duration_text(v.profile.due_after_ns)},
           {"recognition", to_string(v.profile.recognition)}}};
}

named json_of(const reply::catalog_stored& v) {
  return {
      "catalog_stored",
      {{"meters", v.meters}, {"features", v.features}, {"add_ons", v.add_ons}, {"plans", v.plans}}};
}

named json_of(const reply::catalog_view& v) { return {"catalog", to_json(v.catalog)}; }

json json_of(const reply::quote_view::line& l, currency c) {
  json detailed = json::array();
  for (const auto& d : l.detailed)
    detailed.push_back({{"name", d.name},
                        {"reference", d.reference},
                        {"quantity", d.quantity.to_string()},
                        {"per_unit", d.per_unit.to_string()},
                        {"amount", amount_text(d.amount, c)},
                        {"discounts", amount_text(d.discounts, c)}});
  return {{"kind", l.kind},
          {"name", l.name},
          {"amount", amount_text(l.amount, c)},
          {"discounts", amount_text(l.discounts, c)},
          {"detailed", std::move(detailed)}};
}

named json_of(const reply::quote_view& v) {
  json lines = json::array();
  for (const auto& line : v.lines)
    lines.push_back(json_of(line, v.currency));
  json after;
  if (const auto& left = v.after_credits)
    after = {{"credits", amount_text(left->credits, v.currency)},
             {"tax", amount_text(left->tax, v.currency)},
             {"total", amount_text(left->total, v.currency)}};
  return {"quote",
          {{"plan", v.plan},
           {"version", v.version},
           {"currency", v.code},
           {"service_period", json_of(v.service_period)},
           {"lines", std::move(lines)},
           {"subtotal", amount_text(v.subtotal, v.currency)},
           {"taxes", json_of(v.taxes, v.currency)},
           {"total", amount_text(v.total, v.currency)},
           {"after_credits", std::move(after)}}};
}

named json_of(const wire::console_text& v) { return {"console_text", v.lines}; }

named json_of(const wire::status& v) {
  json entries = json::object();
  for (const auto& [key, value] : v.entries)
    entries[key] = value;
  return {"status", std::move(entries)};
}

named json_of(const wire::customers& v) {
  json items = json::array();
  for (const auto& item : v.items)
    items.push_back({{"reference", item.reference}, {"sequence", item.sequence.value}});
  return {"customers", std::move(items)};
}

named json_of(const wire::quarantined& v) {
  json items = json::array();
  for (const auto& [what, refused] : v.items)
    items.push_back({{"customer", what.reference},
                     {"since", accrue::to_string(what.since)},
                     {"kind", std::string(to_string(what.kind))},
                     {"why", what.why},
                     {"last_good", what.last_good.value},
                     {"refused", refused}});
  return {"quarantine", {{"items", std::move(items)}, {"total", v.total}}};
}

named json_of(const wire::quarantine_lifted& v) {
  return {"lifted", {{"customer", v.customer}, {"sequence", v.sequence.value}}};
}

} // namespace

json to_json(const client::answer_body& answer) {
  if (const auto* no = std::get_if<wire::refused>(&answer))
    return to_json(*no);
  json out = json::object();
  const auto put = [&](named part) { out[part.first] = std::move(part.second); };
  if (const auto* operators = std::get_if<wire::operator_reply>(&answer)) {
    std::visit([&](const auto& v) { put(json_of(v)); }, *operators);
    return out;
  }
  const auto& receipt = std::get<reply::receipt>(answer);
  out["sequence"] = receipt.sequence.value;
  std::visit([&](const auto& v) { put(json_of(v)); }, receipt.body);
  out["after"] = json_of(receipt.after);
  return out;
}

json to_json(const wire::refused& no) {
  return {{"error",
           {{"code", accrue::to_string(no.reason.code)},
            {"subject", no.reason.subject},
            {"text", no.reason.text},
            {"retry", wire::to_string(no.retry.advice)},
            {"retry_after_ms", no.retry.after_ms}}}};
}

} // namespace accrue::cli
