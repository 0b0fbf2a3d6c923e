// Journal entries to lines. Nothing is asked of the engine: the journal is what happened.
#include "apps/accrue/scenario_trace.hpp"

#include "apps/accrue/text.hpp"
#include "persistence/journal_codec.hpp"

#include <utility>

namespace accrue::cli {

namespace {

std::string text_of(const ledger::sub_account& a) {
  std::string text(ledger::to_string(a.account));
  if (a.route.stage != ledger::stage::none)
    text += "." + std::string(to_string(a.route.stage));
  const auto iso = iso_code(a.route.currency);
  text +=
      " " + (iso.empty() ? "unit" + std::to_string(a.route.currency.number()) : std::string(iso));
  text +=
      " cost " + (a.route.cost_basis ? a.route.cost_basis->to_string() : std::string("unknown"));
  if (a.route.priority != 0)
    text += " priority " + std::to_string(a.route.priority);
  for (const auto& f : a.route.features)
    text += " [" + f + "]";
  return text;
}

std::string name_of(ledger::template_code code) {
  const auto* known = ledger::find_template(code);
  return known == nullptr ? "template " + std::to_string(static_cast<int>(code))
                          : std::string(known->name);
}

} // namespace

result<std::vector<std::string>> scenario_trace::follow(const memory_database& database) {
  std::vector<std::string> lines;
  for (const auto& [key, rows] : database.customers) {
    auto& s = customers_[key];
    for (auto it = rows.journal.upper_bound(s.last); it != rows.journal.end(); ++it) {
      const auto& row = it->second;
      s.last = it->first;
      if (key.customer == customer_id{})
        continue; // the namespace's catalog has neither states nor postings
      const auto e =
          journal::decode(row.body, row.sequence, row.at, static_cast<std::uint8_t>(row.kind));
      if (!e)
        return tl::unexpected(e.error());
      tell(s, rows.reference, *e, lines);
    }
  }
  return lines;
}

void scenario_trace::tell(seen& s,
                          const std::string& customer,
                          const entry& e,
                          std::vector<std::string>& out) {
  out.push_back("  " + customer + " unit " + std::to_string(e.number.value) + " at " +
                accrue::to_string(e.at));
  s.accounts.insert(s.accounts.end(), e.opened.begin(), e.opened.end());
  const auto moved = [&](const std::string& what, std::string_view state) {
    auto& before = s.states[what];
    if (before == state)
      return;
    out.push_back("    " + what + ": " + (before.empty() ? "new" : before) + " -> " +
                  std::string(state));
    before = state;
  };
  for (const auto& f : e.facts) {
    if (const auto* g = std::get_if<fact::grant_recorded>(&f))
      s.grants[g->grant.id.value] = g->grant.reference;
    if (const auto* c = std::get_if<fact::charge_changed>(&f))
      moved("charge " + c->charge.terms.reference, flat_fee::to_string(c->charge.state));
    if (const auto* i = std::get_if<fact::invoice_changed>(&f))
      moved("invoice #" + std::to_string(i->invoice.id.value),
            invoicing::to_string(i->invoice.state));
    if (const auto* m = std::get_if<fact::message_queued>(&f))
      out.push_back("    message " + m->topic + " " + m->subject);
  }
  for (const auto& t : e.transactions) {
    out.push_back("    " + name_of(t.code()) +
                  (t.direction() == ledger::direction::correction ? " taken back" : "") +
                  ", booked " + accrue::to_string(t.booked_at()));
    for (const auto& p : t.postings()) {
      const auto& account = s.accounts.at(p.account.value);
      auto line = "      " + std::string(p.amount < 0 ? "" : "+") +
                  amount_text(p.amount, account.route.currency) + "  " + text_of(account);
      if (p.source != grant_id{})
        line += "  grant " + s.grants[p.source.value];
      if (p.spend.is_charge())
        line += "  charge number " + std::to_string(p.spend.number());
      else if (p.spend.is_unit())
        line += "  unit " + std::to_string(p.spend.number());
      else if (p.spend.is_invoice())
        line += "  invoice " + std::to_string(p.spend.number());
      out.push_back(std::move(line));
    }
  }
}

} // namespace accrue::cli
