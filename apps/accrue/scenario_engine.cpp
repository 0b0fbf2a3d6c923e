// Steps that do something: the clock, customers, charges, invoices, payments, faults; those about credit are in
// scenario_credit.cpp.
// Steps that ask are in scenario_queries.cpp, JSON of answers in scenario_views.cpp.
#include "apps/accrue/scenario_fields.hpp"
#include "apps/accrue/scenario_views.hpp"

#include <algorithm>

namespace accrue::cli {

namespace {

using nlohmann::json;

settlement_mode mode_of(const std::string& name) {
  for (const auto m : {settlement_mode::credit_only, settlement_mode::invoice_only})
    if (to_string(m) == name)
      return m;
  return settlement_mode::credit_then_invoice;
}

} // namespace

std::string scenario_engine::customer_of(const scenario_step& s) {
  if (s.op == "customer")
    return text(s.fields, "id");
  return text(s.fields, "customer", "customer");
}

step_answer scenario_engine::perform(const scenario_step& s, std::size_t number) {
  if (const auto what = not_built(s))
    return later(*what);
  const auto run = find_action(s.op);
  ENSURE(run != nullptr);
  // A commit that failed was the scenario's own wish: whom it put into quarantine goes on.
  const auto held = engine_.database().quarantined;
  for (const auto& [_, what] : held)
    if (auto lifted = engine_.lift(what.reference); !lifted)
      return refused(lifted.error());
  // Where `key` is a name, the key of the command has another field.
  const bool names = s.op == "meter" || s.op == "feature" || s.op == "plan";
  const step todo{s.fields,
                  customer_of(s),
                  text(s.fields,
                       names ? "idempotency_key" : "key",
                       ("step:" + std::to_string(number)).c_str())};
  return (this->*run)(todo);
}

step_answer scenario_engine::ensure(const std::string& customer) {
  if (customers_.contains(customer))
    return json::object();
  if (auto made = engine_.ask(customer, command::put_customer{}, "scenario"); !made)
    return refused(made.error());
  customers_.insert(customer);
  return json::object();
}

std::pair<std::uint64_t, std::uint64_t> scenario_engine::units(const std::string& customer) {
  std::pair<std::uint64_t, std::uint64_t> last{0, 0};
  for (const auto& [key, rows] : engine_.database().customers) {
    if (rows.journal.empty())
      continue;
    if (key.customer == customer_id{})
      last.second = rows.journal.rbegin()->first;
    else if (rows.reference == customer)
      last.first = rows.journal.rbegin()->first;
  }
  return last;
}

step_answer scenario_engine::ask(const step& s, command::any c) {
  if (!command::is_for_namespace(c) && !std::holds_alternative<command::put_customer>(c))
    if (auto there = ensure(s.customer); !there)
      return there;
  // A command with an id has a key by itself; a second one only where the step gives it.
  const bool has_id = !command::given_id(c).empty();
  const auto key = command::is_query(c) || (has_id && !s.fields.contains("key")) ? "" : s.key;
  const auto answer = engine_.ask(s.customer, std::move(c), key);
  if (!answer)
    return refused(answer.error());
  return to_scenario_json(answer->body);
}

step_answer
scenario_engine::named(const step& s, step_answer answer, const std::string& reference) {
  if (answer && s.fields.contains("as"))
    names_[s.customer][text(s.fields, "as")] = reference;
  return answer;
}

std::string scenario_engine::resolve(const step& s, const char* field) const {
  auto name = text(s.fields, field);
  const auto known = names_.find(s.customer);
  if (known == names_.end())
    return name;
  const auto it = known->second.find(name);
  return it == known->second.end() ? name : it->second;
}

step_answer scenario_engine::advance_clock(const step& s) {
  const auto to = time(s.fields["to"]);
  if (to < engine_.now())
    return broken("the clock is at " + to_string(engine_.now()) + " and never runs backwards");
  engine_.set_clock(to);
  return json::object();
}

step_answer scenario_engine::run_due(const step&) {
  engine_.run_due();
  return json::object();
}

step_answer scenario_engine::advance(const step& s) {
  const auto to = time(s.fields["to"]);
  if (to < engine_.now())
    return broken("the clock is at " + to_string(engine_.now()) + " and never runs backwards");
  engine_.advance(to);
  return json::object();
}

step_answer scenario_engine::credit_unit(const step& s) {
  const auto exponent = s.fields["exponent"].get<std::int64_t>();
  command::create_credit_unit c{
      text(s.fields, "code"),
      static_cast<std::uint8_t>(std::clamp<std::int64_t>(exponent, 0, 255))};
  if (exponent < 0)
    c.exponent = 255; // refused like every exponent above 9
  auto answer = ask(s, c);
  if (answer)
    units_[c.code] = c.exponent;
  return answer;
}

step_answer scenario_engine::customer(const step& s) {
  command::put_customer c;
  if (s.fields.contains("currency"))
    c.currency = text(s.fields, "currency");
  if (s.fields.contains("over_settlement")) {
    const auto policy = text(s.fields, "over_settlement");
    c.over_settlement = policy == "cap"       ? command::over_settlement::cap
                        : policy == "advance" ? command::over_settlement::advance
                                              : command::over_settlement::refuse;
  }
  if (s.fields.contains("advance_limit")) {
    const auto& limit = s.fields["advance_limit"];
    c.advance_limit.emplace();
    const auto own = currencies_.find(s.customer);
    // One decimal holds for the customer's own currency (D69).
    if (limit.is_string())
      c.advance_limit->emplace(c.currency.value_or(own == currencies_.end() ? "USD" : own->second),
                               number(s.fields, "advance_limit"));
    else if (limit.is_object())
      for (const auto& [code, _] : limit.items())
        c.advance_limit->emplace(code, number(limit, code.c_str()));
  }
  if (s.fields.contains("tax_rate")) {
    auto rate =
        rating::tax_rate::make(text(s.fields, "tax_name", "tax"), number(s.fields, "tax_rate"));
    if (!rate)
      return refused(rate.error());
    c.tax.emplace(std::move(*rate));
  }
  auto answer = ask(s, c);
  if (!answer)
    return answer;
  customers_.insert(s.customer);
  if (c.currency)
    currencies_[s.customer] = *c.currency;
  return named(s, std::move(answer), s.customer);
}

step_answer scenario_engine::billing_profile(const step& s) {
  const auto& f = s.fields;
  // Flat fees are not collected in parts, so only an anchored alignment would mean anything.
  if (f.contains("alignment") && f["alignment"] != "subscription")
    return later("billing_profile.alignment");
  command::put_billing_profile c;
  if (f.contains("auto_advance"))
    c.auto_advance = f["auto_advance"].get<bool>();
  if (f.contains("draft_period"))
    c.draft_period_ns = parse_duration(text(f, "draft_period")).value();
  if (f.contains("due_after"))
    c.due_after_ns = parse_duration(text(f, "due_after")).value();
  if (f.contains("recognition"))
    c.recognition = text(f, "recognition") == "on_collection"
                        ? invoicing::recognition_policy::on_collection
                        : invoicing::recognition_policy::at_period_end;
  auto answer = ask(s, c);
  if (answer)
    default_mode_ = text(f, "settlement_mode", default_mode_.c_str());
  return answer;
}

step_answer scenario_engine::charge(const step& s) {
  const auto& f = s.fields;
  if (f["kind"] != "flat_fee")
    return later("charge.kind " + text(f, "kind"));
  if (!f.contains("amount"))
    return broken("a flat fee needs an 'amount'");
  command::create_charge c;
  c.id = text(f, "id");
  c.mode = mode_of(text(f, "mode", default_mode_.c_str()));
  c.amount = number(f, "amount");
  c.currency = text(f, "currency");
  c.service_period = span(f["service_period"]);
  if (f.value("prorate", false) && f.contains("full_service_period"))
    c.full_service_period = span(f["full_service_period"]);
  c.invoice_at = maybe_time(f, "invoice_at");
  if (f.contains("payment_term"))
    c.term =
        f["payment_term"] == "in_advance" ? payment_term::in_advance : payment_term::in_arrears;
  c.feature = text(f, "feature");
  const auto id = c.id;
  return named(s, ask(s, std::move(c)), id);
}

step_answer scenario_engine::advance_charge(const step& s) {
  return ask(s, command::advance_charge{resolve(s, "charge")});
}

step_answer scenario_engine::invoice_pending(const step& s) {
  command::invoice_pending c;
  if (s.fields.contains("currency"))
    c.currency = text(s.fields, "currency");
  c.as_of = maybe_time(s.fields, "as_of");
  c.charges = texts(s.fields, "lines");
  auto answer = ask(s, std::move(c));
  if (!answer || answer->empty())
    return answer;
  // `as` names the first one, where several currencies made several.
  const auto first = answer->at(0);
  const auto reference = first["name"].get<std::string>();
  return named(s, answer->size() == 1 ? step_answer(first) : std::move(answer), reference);
}

step_answer scenario_engine::advance_invoice(const step& s) {
  return ask(s, command::advance_invoice{resolve(s, "invoice")});
}
step_answer scenario_engine::approve(const step& s) {
  return ask(s, command::approve_invoice{resolve(s, "invoice")});
}
step_answer scenario_engine::retry(const step& s) {
  return ask(s, command::retry_invoice{resolve(s, "invoice")});
}
step_answer scenario_engine::paid(const step& s) {
  return ask(s, command::pay_invoice{resolve(s, "invoice")});
}

step_answer scenario_engine::fail_next(const step& s) {
  const auto times = s.fields.value("times", std::int64_t{1});
  if (times < 1 || times > 1000)
    return broken("'times' must be 1 to 1000");
  if (auto there = ensure(s.customer); !there)
    return there;
  const auto point = text(s.fields, "point");
  if (point == "commit") {
    engine_.commit_faults().insert(
        engine_.commit_faults().end(), static_cast<std::size_t>(times), commit_fault::poison);
    return json::object();
  }
  if (point != "charge_booking")
    return later("fail_next.point " + point);
  engine_.failures().left[point] += static_cast<std::uint32_t>(times);
  return json::object();
}

scenario_engine::action scenario_engine::find_action(std::string_view op) {
  using e = scenario_engine;
  static const std::map<std::string_view, action> actions = {
      {"advance_clock", &e::advance_clock},
      {"run_due", &e::run_due},
      {"advance", &e::advance},
      {"credit_unit", &e::credit_unit},
      {"customer", &e::customer},
      {"billing_profile", &e::billing_profile},
      {"meter", &e::meter},
      {"feature", &e::feature},
      {"plan", &e::plan},
      {"quote", &e::quote},
      {"grant", &e::grant},
      {"seed_credit", &e::seed_credit},
      {"seed_advance", &e::seed_advance},
      {"consume", &e::consume},
      {"void", &e::void_grant},
      {"refund", &e::refund},
      {"uncollectible", &e::uncollectible},
      {"correct_charge", &e::correct_charge},
      {"recognize", &e::recognize},
      {"reserve", &e::reserve},
      {"settle_reservation", &e::settle_reservation},
      {"release", &e::release},
      {"extend_reservation", &e::extend_reservation},
      {"charge", &e::charge},
      {"advance_charge", &e::advance_charge},
      {"invoice_pending", &e::invoice_pending},
      {"advance_invoice", &e::advance_invoice},
      {"approve", &e::approve},
      {"retry", &e::retry},
      {"authorize", &e::authorize},
      {"settle", &e::settle},
      {"paid", &e::paid},
      {"fail_next", &e::fail_next},
      {"query_balance", &e::query_balance},
      {"query_ledger", &e::query_ledger},
      {"query_charge", &e::query_charge},
      {"query_invoice", &e::query_invoice},
      {"query_currencies", &e::query_currencies},
      {"query_grant", &e::query_grant},
      {"query_grants", &e::query_grants},
      {"query_transactions", &e::query_transactions},
      {"verify", &e::verify},
  };
  const auto it = actions.find(op);
  return it == actions.end() ? nullptr : it->second;
}

} // namespace accrue::cli
