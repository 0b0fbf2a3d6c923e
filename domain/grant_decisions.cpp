// Grants and opening balances. How grants are paid and end is in payment_decisions.cpp; what usage gives back and what
// of it is earned is in spend_decisions.cpp; consumption and reservations are in reservations.cpp.
#include "domain/credit_decisions.hpp"

#include <algorithm>

namespace accrue {

namespace {

// Each amount stays so far below 128 bits that no sum over a customer's charges, lines or
// sub-accounts can leave them: totals need no check of their own (D2).
constexpr int128 amount_limit = int128{1} << 100;

constexpr std::uint16_t priority_max = 1000;

} // namespace

result<money> limited(result<money> m, std::string_view id) {
  if (m && (m->minor > amount_limit || m->minor < -amount_limit))
    return refuse(errc::overflow, "the amount is too large", std::string(id));
  return m;
}

result<money> positive(result<money> m, std::string_view id) {
  if (m && m->minor <= 0)
    return refuse(errc::validation, "the amount must be positive", std::string(id));
  return limited(std::move(m), id);
}

result<money>
exact_amount(const unit& u, const decimal& amount, std::string_view code, std::string_view id) {
  const auto found = u.catalog().find_currency(std::string(code));
  if (!found)
    return tl::unexpected(found.error());
  return positive(exact_money(amount, *found), id);
}

ledger::grant_of grants_of(const unit& u) {
  return [&u](grant_id id) {
    const auto& g = u.grant_at(id);
    return ledger::granted{g.terms(), g.life()};
  };
}

// --------------------------------------------------------------------------------- grants

namespace {

// Grants and opening credit share their references (D65).
result<void> is_new(const unit& u, std::string_view id) {
  const auto same = [&](const fact::any& f) {
    const auto* g = std::get_if<fact::grant_recorded>(&f);
    return g != nullptr && g->grant.reference == id;
  };
  if (u.before().find_grant(id) == nullptr && std::ranges::none_of(u.facts, same))
    return {};
  return refuse(errc::conflict, "a grant or opening credit of this id is there", std::string(id));
}

// What is bought, at which price and in which currency.
result<void> set_price(const unit& u, const command::grant_credit& c, grant& g) {
  if (c.funding == command::grant_funding::promotional) {
    if (c.cost_basis || c.fiat_currency)
      return refuse(
          errc::validation, "promotional credit costs nothing: leave cost_basis out", c.id);
    return {};
  }
  g.funding = funding::external;
  const auto basis = c.cost_basis.value_or(decimal{1});
  if (basis <= decimal{0})
    return refuse(errc::validation, "a cost basis must be positive", c.id);
  auto fiat = g.amount.currency;
  if (c.fiat_currency) {
    const auto found = u.catalog().find_currency(*c.fiat_currency);
    if (!found)
      return tl::unexpected(found.error());
    fiat = *found;
  } else if (fiat.is_credit_unit()) {
    const auto own = u.before().settings.default_currency;
    if (!own)
      return refuse(errc::validation, "say in which fiat_currency the unit is bought", c.id);
    fiat = *own;
  }
  if (fiat.is_credit_unit() || (!g.amount.currency.is_credit_unit() && fiat != g.amount.currency))
    return refuse(errc::validation,
                  "credit in a currency is paid in it, credit in a unit in an ISO currency",
                  c.id);
  auto& d = g.details.edit();
  d.cost_basis = basis;
  d.fiat = fiat;
  const auto price = purchase::price_of_whole(g);
  if (!price)
    return tl::unexpected(price.error());
  if (price->minor == 0)
    return refuse(errc::validation, "the price of it rounds to zero (D64)", c.id);
  return limited(*price, c.id).map([](const money&) {});
}

// The part of the credit that its grant's own debt does not take, and the end of all of it.
result<void> issue(unit& u, const grant& g, std::span<const ledger::covered> covered) {
  const auto terms = g.terms();
  auto rest = terms;
  for (const auto& c : covered)
    rest.amount.minor -= c.amount;
  if (auto ok = ledger::issue_credit(u.book, rest, g.effective_at); !ok)
    return ok;
  if (g.funding == funding::promotional)
    if (auto ok = ledger::pay_promotional(u.book, terms, g.effective_at); !ok)
      return ok;
  const auto until = g.details->expires_at;
  if (until == ledger::never)
    return {};
  const auto account = u.book.resolve(ledger::credit_address(terms));
  if (!account)
    return tl::unexpected(account.error());
  if (auto ok = ledger::plan_breakage(u.book, {g.id, *account, g.amount.minor}, until); !ok)
    return ok;
  for (const auto& c : covered)
    if (auto ok = ledger::release_breakage(u.book, {g.id, *account, c.amount}, c.spend, until); !ok)
      return ok;
  return {};
}

// Debt that was there before the grant becomes its first use: now, or when it became effective (D16).
result<std::vector<ledger::covered>> cover_advance(unit& u, const grant& g) {
  auto open = u.realizations();
  const auto before = open;
  auto done =
      ledger::cover(u.book, g.terms(), g.amount.minor, std::min(u.now(), g.effective_at), open);
  if (!done)
    return done;
  for (std::size_t i = 0; i < open.size(); ++i)
    if (open[i] != before[i])
      u.put(std::move(open[i]));
  return done;
}

} // namespace

result<void> on(unit& u, const command::grant_credit& c) {
  if (auto ok = is_new(u, c.id); !ok)
    return ok;
  const auto unit_of_account = u.catalog().find_currency(c.currency);
  if (!unit_of_account)
    return tl::unexpected(unit_of_account.error());
  const auto amount = positive(rounded_money(c.amount, *unit_of_account), c.id);
  if (!amount)
    return tl::unexpected(amount.error());
  if (c.priority < 1 || c.priority > priority_max)
    return refuse(errc::validation, "a priority is 1 to 1000", c.id);
  auto features = ledger::make_features(c.features);
  if (!features)
    return tl::unexpected(features.error());
  if (features->size() != c.features.size())
    return refuse(errc::validation, "a feature is named twice", c.id);
  const auto effective = c.effective_at ? floor_seconds(*c.effective_at) : u.now();
  grant g{u.next_grant(), c.id, funding::promotional, *amount, c.priority, {}, effective, {}};
  g.features = std::move(*features);
  if (c.expires_at) {
    const auto until = floor_seconds(*c.expires_at);
    if (until <= effective)
      return refuse(errc::validation, "expires_at must be later than effective_at (D17)", c.id);
    g.details.edit().expires_at = until;
    g.details.edit().recorded_in = u.number();
  }
  if (auto ok = set_price(u, c, g); !ok)
    return ok;
  const auto covered = cover_advance(u, g);
  if (!covered)
    return tl::unexpected(covered.error());
  if (auto ok = issue(u, g, *covered); !ok)
    return ok;
  u.facts.insert(u.facts.begin(), fact::grant_recorded{std::move(g)});
  return {};
}

// ------------------------------------------------------------------------ opening balances

namespace {

template <class Opening>
result<std::pair<money, instant>> opening_terms(const unit& u, const Opening& c) {
  const auto amount = exact_amount(u, c.amount, c.currency, c.id);
  if (!amount)
    return tl::unexpected(amount.error());
  const auto at = c.at ? floor_seconds(*c.at) : u.now();
  if (at > u.now())
    return refuse(errc::validation, "an opening balance lies in the past", c.id);
  return std::pair(*amount, at);
}

} // namespace

result<void> on(unit& u, const command::open_credit& c) {
  if (auto ok = is_new(u, c.id); !ok)
    return ok;
  const auto terms = opening_terms(u, c);
  if (!terms)
    return tl::unexpected(terms.error());
  auto features = ledger::make_features(c.features);
  if (!features)
    return tl::unexpected(features.error());
  const auto [amount, at] = *terms;
  grant g{u.next_grant(), c.id, funding::opening, amount, ledger::default_priority, {}, at, {}};
  g.features = std::move(*features);
  if (auto ok = ledger::open_credit(u.book, g.terms(), at); !ok)
    return ok;
  if (c.expires_at) {
    const auto until = floor_seconds(*c.expires_at);
    if (until <= at)
      return refuse(errc::validation, "expires_at must be later than the opening (D17)", c.id);
    g.details.edit().expires_at = until;
    g.details.edit().recorded_in = u.number();
    const auto account = u.book.resolve(ledger::credit_address(g.terms()));
    if (!account)
      return tl::unexpected(account.error());
    if (auto ok = ledger::plan_breakage(u.book, {g.id, *account, amount.minor}, until); !ok)
      return ok;
  }
  u.facts.emplace_back(fact::grant_recorded{std::move(g)});
  return {};
}

result<void> on(unit& u, const command::open_advance& c) {
  const auto same = [&](const ledger::realization& r) {
    return r.reference == c.id && r.parts.front().from == ledger::part::origin::opening;
  };
  if (std::ranges::any_of(u.before().extras->realizations, same))
    return refuse(errc::conflict, "an opening advance of this id is there", c.id);
  const auto terms = opening_terms(u, c);
  if (!terms)
    return tl::unexpected(terms.error());
  auto features = ledger::make_features(c.features);
  if (!features)
    return tl::unexpected(features.error());
  const auto [amount, at] = *terms;
  const auto spend = ledger::spend_id::of(u.number());
  const auto owed = ledger::open_advance(u.book, amount, std::move(*features), spend, at);
  if (!owed)
    return tl::unexpected(owed.error());
  u.facts.emplace_back(fact::advance_opened{c.id, amount});
  u.put({spend,
         c.id,
         amount.currency,
         at,
         {{ledger::part::origin::opening, {}, *owed, amount.minor, 0, {}}}});
  return {};
}

result<void> on(unit& u, const command::open_balances& c) {
  if (c.credits.empty() && c.advances.empty())
    return refuse(errc::validation, "there is nothing to open", c.id);
  if (c.advances.size() > 1)
    return refuse(errc::validation, "one advance at most; open others by themselves", c.id);
  for (const auto& each : c.credits) {
    if (auto ok = check_reference(each.id, "id"); !ok)
      return ok;
    if (auto ok = on(u, each); !ok)
      return ok;
  }
  for (const auto& each : c.advances) {
    if (auto ok = check_reference(each.id, "id"); !ok)
      return ok;
    if (auto ok = on(u, each); !ok)
      return ok;
  }
  return {};
}

} // namespace accrue
