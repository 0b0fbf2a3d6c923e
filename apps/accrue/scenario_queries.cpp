// Steps that ask: balances, sums of postings, charges, invoices, and whether everything holds.
// They are answered by the engine's own queries and from the stored journal.
#include "apps/accrue/scenario_engine.hpp"
#include "apps/accrue/scenario_views.hpp"

#include <algorithm>

namespace accrue::cli {

namespace {

using nlohmann::json;

step_answer refused(refusal why) {
  return tl::unexpected(step_failure{step_failure::kind::refused, std::move(why)});
}
step_answer broken(std::string text) {
  return tl::unexpected(step_failure{step_failure::kind::broken, {{}, {}, std::move(text)}});
}

/// The accounts of the language: "receivable_open" is the receivable at its open stage.
std::pair<ledger::account_type, std::optional<ledger::stage>> account_of(const std::string& name) {
  using enum ledger::account_type;
  if (name == "receivable_open")
    return {receivable, ledger::stage::open};
  if (name == "receivable_authorized")
    return {receivable, ledger::stage::authorized};
  for (const auto a : {fbo, accrued, wash, earnings, brokerage, breakage, write_off, tax_payable})
    if (ledger::to_string(a) == name)
      return {a, std::nullopt};
  ENSURE(false);
  return {};
}

cost_basis_filter cost_of(const std::string& text) {
  if (text == "any")
    return {};
  if (text == "none")
    return {cost_basis_filter::kind::none, {}};
  return {cost_basis_filter::kind::value, decimal::parse(text).value()};
}

} // namespace

step_answer scenario_engine::query_balance(const step& s) {
  command::get_balance q;
  q.currency = s.fields["currency"].get<std::string>();
  q.filter = view_of(s);
  if (s.fields.contains("as_of"))
    q.as_of = parse_instant(s.fields["as_of"].get<std::string>()).value();
  auto answer = ask(s, std::move(q));
  return answer ? step_answer(answer->at(0)) : answer;
}

step_answer scenario_engine::query_charge(const step& s) {
  return ask(s, command::get_charge{resolve(s, "charge")});
}

step_answer scenario_engine::query_invoice(const step& s) {
  return ask(s, command::get_invoice{resolve(s, "invoice")});
}

result<std::vector<reply::account_view>> scenario_engine::accounts(const std::string& customer) {
  if (auto there = ensure(customer); !there)
    return tl::unexpected(there.error().why);
  auto answer = engine_.ask(customer, command::get_accounts{});
  if (!answer)
    return tl::unexpected(answer.error());
  return std::get<reply::accounts>(answer->body).items;
}

result<currency> scenario_engine::find_currency(const std::string& customer,
                                                const std::string& code) {
  const auto all = accounts(customer);
  if (!all)
    return tl::unexpected(all.error());
  for (const auto& a : *all)
    if (a.code == code)
      return a.address.route.currency;
  // A unit that this customer has never had: any currency without postings will do.
  if (const auto unit = units_.find(code); unit != units_.end())
    return currency{0, unit->second};
  return find_iso_currency(code);
}

result<posting_filter> scenario_engine::filter_of(const step& s, const history& past) {
  const auto& f = s.fields;
  posting_filter wanted;
  std::tie(wanted.account, wanted.stage) = account_of(f["account"].get<std::string>());
  wanted.cost_basis = cost_of(f.value("cost_basis", "any"));
  const auto found = find_currency(s.customer, f.value("currency", "USD"));
  if (!found)
    return tl::unexpected(found.error());
  wanted.currency = *found;
  wanted.as_of =
      f.contains("as_of") ? parse_instant(f["as_of"].get<std::string>()).value() : engine_.now();
  if (f.contains("features")) {
    auto features = ledger::make_features(f["features"].get<std::vector<std::string>>());
    if (!features)
      return tl::unexpected(features.error());
    wanted.features = std::move(*features);
  }
  if (f.contains("grant")) {
    wanted.source = past.find_grant(resolve(s, "grant"));
    if (!wanted.source)
      return refuse(errc::not_found, "no such grant", resolve(s, "grant"));
  }
  if (f.contains("charge")) {
    wanted.spend = past.find_spend(resolve(s, "charge"));
    if (!wanted.spend)
      return refuse(errc::not_found, "no such charge", resolve(s, "charge"));
  }
  return wanted;
}

step_answer scenario_engine::query_ledger(const step& s) {
  if (auto there = ensure(s.customer); !there)
    return there;
  const auto journal = engine_.journal_of(s.customer);
  if (!journal)
    return refused(journal.error());
  const history past(*journal);
  const auto wanted = filter_of(s, past);
  if (!wanted)
    return refused(wanted.error());
  const auto sum = past.sum(*wanted);
  return sum ? step_answer(amount_json(*sum)) : refused(sum.error());
}

step_answer scenario_engine::query_currencies(const step& s) {
  const auto all = accounts(s.customer);
  if (!all)
    return refused(all.error());
  json codes = json::array();
  for (const auto& a : *all)
    if (a.address.account == ledger::account_type::fbo &&
        std::ranges::find(codes, json(a.code)) == codes.end())
      codes.push_back(a.code);
  return codes;
}

step_answer scenario_engine::verify(const step&) {
  if (const auto findings = engine_.verify(); !findings.empty())
    return broken(findings.front());
  // What the engine says of its accounts is what its journal leads to.
  for (const auto& name : customers_) {
    const auto said = accounts(name);
    const auto journal = engine_.journal_of(name);
    if (!said)
      return refused(said.error());
    if (!journal)
      return refused(journal.error());
    const history past(*journal);
    const auto count = past.sub_accounts().size();
    // Rows behind them have the rounding of the money column, and nothing on them.
    if (said->size() < count || std::any_of(said->begin() + static_cast<std::ptrdiff_t>(count),
                                            said->end(),
                                            [](const auto& row) { return row.balance != 0; }))
      return broken("customer " + name + ": the engine knows other sub-accounts than the journal");
    accrue::customer replayed;
    for (const auto& e : *journal)
      replayed.apply(e);
    for (std::uint32_t n = 0; n < count; ++n)
      if ((*said)[n].address != past.sub_accounts()[n] ||
          (*said)[n].balance != replayed.book.balance_at(sub_account_id(n), engine_.now()))
        return broken("customer " + name + ": sub-account " + std::to_string(n) +
                      " differs from the journal");
  }
  return json::object();
}

} // namespace accrue::cli
