// What usage gives back. See credit_decisions.hpp.
#include "domain/credit_decisions.hpp"

#include <algorithm>

namespace accrue {

std::optional<ledger::realization> from_charge(const charge& c) {
  const auto* run = flat_fee::current_run(c.state);
  if (run == nullptr)
    return std::nullopt;
  ledger::realization r{ledger::spend_id::of(c.terms.id),
                        c.terms.reference,
                        c.terms.amount.currency,
                        c.terms.booked_at(),
                        {}};
  for (const auto& s : run->credits)
    r.parts.push_back({ledger::part::origin::credit, s.grant, s.account, s.amount, 0, {}});
  return r;
}

bool is_booked(const flat_fee::state& s) noexcept {
  return std::holds_alternative<flat_fee::awaiting_payment>(s) ||
         std::holds_alternative<flat_fee::finished>(s);
}

// ----------------------------------------------------------------------------- corrections

namespace {

// What a consume or a settlement used, from its unit; it is plain, else it would be on record.
std::optional<ledger::realization> from_unit(const unit& u, const entry& e, std::string_view name) {
  ledger::realization r;
  for (const auto& f : e.facts) {
    if (const auto* c = std::get_if<fact::consumed>(&f); c && c->id == name)
      r.currency = c->currency;
    else if (const auto* h = std::get_if<fact::hold_ended>(&f);
             h && h->reference == name && h->how == hold_end::settled)
      r.currency = h->currency;
    else
      continue;
    r.reference = name;
  }
  if (r.reference.empty())
    return std::nullopt;
  r.spend = ledger::spend_id::of(e.number);
  r.booked_at = e.at;
  const bool earned = e.number <= u.before().extras->recognized_through;
  for (const auto& t : e.transactions) {
    if (t.code() != ledger::template_code::collect)
      continue;
    for (const auto& p : t.postings()) {
      if (p.amount >= 0)
        continue;
      const bool priced = u.book.at(p.account).route.cost_basis.has_value();
      r.parts.push_back({ledger::part::origin::credit,
                         p.source,
                         p.account,
                         -p.amount,
                         earned && priced ? -p.amount : 0,
                         {}});
    }
  }
  return r;
}

// A charge that has used something, else the consume or settlement of this name; two of them are told apart by
// nothing. errc: not_found, conflict.
result<ledger::realization> find_spend(const unit& u, const std::string& name) {
  if (const auto* c = u.before().find_charge(name)) {
    if (const auto* known = u.find_realization(ledger::spend_id::of(c->terms.id)))
      return *known;
    if (auto r = from_charge(*c))
      return std::move(*r);
  }
  std::optional<ledger::realization> found;
  for (const auto& e : u.loaded) {
    auto r = from_unit(u, e, name);
    if (!r)
      continue;
    if (const auto* known = u.find_realization(r->spend))
      r = *known;
    if (found && found->spend != r->spend)
      return refuse(errc::conflict, "a consume and a reservation have this name", name);
    found = std::move(r);
  }
  if (!found)
    return refuse(errc::not_found, "nothing of this name has used credit", name);
  return std::move(*found);
}

// What a correction took from each route, what was used last first; all advance is one route.
std::vector<int128> rows_of(const ledger::realization& before, const ledger::realization& after) {
  std::vector<std::pair<sub_account_id, int128>> routes;
  for (auto n = before.parts.size(); n-- > 0;) {
    const auto given = before.parts[n].amount - after.parts[n].amount;
    if (given == 0)
      continue;
    const auto same = std::ranges::find(
        routes, before.parts[n].account, &std::pair<sub_account_id, int128>::first);
    if (same == routes.end())
      routes.emplace_back(before.parts[n].account, given);
    else
      same->second += given;
  }
  std::vector<int128> rows;
  for (const auto& [_, given] : routes)
    rows.push_back(given);
  return rows;
}

int128 left_to_give_back(const ledger::realization& r) {
  int128 total = 0;
  for (const auto& p : r.parts)
    if (p.from == ledger::part::origin::credit || p.from == ledger::part::origin::advance)
      total += p.amount;
  return total;
}

} // namespace

result<void> on(unit& u, const command::correct_charge& c) {
  if (const auto* charge = u.before().find_charge(c.charge);
      charge != nullptr && flat_fee::current_run(charge->state) != nullptr &&
      !is_booked(charge->state))
    return refuse(errc::conflict, "the charge is on an invoice that is not issued yet", c.charge);
  auto r = find_spend(u, c.charge);
  if (!r)
    return tl::unexpected(r.error());
  money amount{left_to_give_back(*r), r->currency};
  if (c.amount) {
    const auto given = positive(exact_money(*c.amount, r->currency), c.charge);
    if (!given)
      return tl::unexpected(given.error());
    amount = *given;
  } else if (amount.minor == 0) {
    return refuse(errc::insufficient_funds, "nothing remains to be given back", c.charge);
  }
  const auto before = *r;
  if (auto ok = ledger::give_back(u.book, *r, amount, grants_of(u), u.now()); !ok)
    return ok;
  u.facts.emplace_back(fact::given_back{r->reference, amount});
  if (r->spend.is_charge()) {
    auto charge = *u.before().find_charge(c.charge);
    const auto rows = rows_of(before, *r);
    auto& all = charge.given_back.edit();
    all.insert(all.end(), rows.begin(), rows.end());
    u.put(std::move(charge));
  }
  u.put(std::move(*r));
  return {};
}

} // namespace accrue
