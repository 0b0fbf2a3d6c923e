// Grants, their payments and their ends; opening balances. What usage gives back and what of it is earned is in
// spend_decisions.cpp; consumption and reservations are in reservations.cpp.
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

// ------------------------------------------------------------------------------- payments

namespace {

result<grant> find_external(const unit& u, std::string_view reference) {
  const auto* g = u.before().find_grant(reference);
  if (g == nullptr)
    return refuse(errc::not_found, "no such grant", std::string(reference));
  if (g->funding != funding::external)
    return refuse(errc::not_externally_funded, "nobody pays for this grant", g->reference);
  return *g;
}

result<int128> payment(const grant& g, const std::optional<decimal>& given, int128 otherwise) {
  if (!given)
    return otherwise;
  const auto exact = exact_money(*given, *g.details->fiat);
  if (!exact)
    return tl::unexpected(exact.error());
  return exact->minor;
}

result<void> authorize(unit& u, grant& g, int128 fiat) {
  auto step = purchase::authorize(g, fiat);
  if (!step)
    return tl::unexpected(step.error());
  if (auto ok = ledger::authorize_purchase(
          u.book, g.terms(), step->posted, ledger::direction::forward, u.now());
      !ok)
    return ok;
  g.details.edit() = step->after;
  return {};
}

result<void> settle(unit& u, grant& g, int128 fiat) {
  auto step = purchase::settle(g, fiat);
  if (!step)
    return tl::unexpected(step.error());
  if (auto ok = ledger::settle_purchase(u.book, g.terms(), step->posted.fiat, u.now()); !ok)
    return ok;
  g.details.edit() = step->after;
  return {};
}

tl::unexpected<refusal> is_over(const grant& g) {
  return refuse(errc::unsupported_operation,
                g.details->voided_at ? "the grant is voided" : "the grant is paid",
                g.reference);
}

} // namespace

result<void> on(unit& u, const command::authorize_grant& c) {
  auto g = find_external(u, c.grant);
  if (!g)
    return tl::unexpected(g.error());
  const auto price = purchase::price(*g);
  if (!price)
    return tl::unexpected(price.error());
  const auto open = price->minor - g->details->authorized;
  if (open <= 0 && !c.amount)
    return is_over(*g);
  const auto fiat = payment(*g, c.amount, open);
  if (!fiat)
    return tl::unexpected(fiat.error());
  if (auto ok = authorize(u, *g, *fiat); !ok)
    return ok;
  u.put(std::move(*g));
  return {};
}

// Who reports payment at once has authorised it (D20).
result<void> on(unit& u, const command::settle_grant& c) {
  auto g = find_external(u, c.grant);
  if (!g)
    return tl::unexpected(g.error());
  const auto price = purchase::price(*g);
  if (!price)
    return tl::unexpected(price.error());
  if (g->details->settled >= price->minor)
    return is_over(*g);
  const auto waiting = [&g] { return g->details->authorized - g->details->settled; };
  if (!c.amount && waiting() == 0)
    if (auto ok = authorize(u, *g, price->minor - g->details->authorized); !ok)
      return ok;
  const auto fiat = payment(*g, c.amount, waiting());
  if (!fiat)
    return tl::unexpected(fiat.error());
  if (auto ok = settle(u, *g, *fiat); !ok)
    return ok;
  u.put(std::move(*g));
  return {};
}

// ------------------------------------------------------------------------------------ void

namespace {

// What is left of a grant and free, on its one sub-account.
std::vector<ledger::slice> remaining(const unit& u, grant_id id) {
  std::vector<ledger::slice> all;
  for (const auto& s : u.book.sources())
    if (s.grant == id && s.available_from <= u.now() && u.now() < s.expires_at)
      if (const auto left = u.book.free(s); left > 0)
        all.push_back({s.grant, s.account, left});
  return all;
}

result<void> void_external(unit& u, grant& g, int128 face, bool refund) {
  auto v = purchase::void_rest(g, face, refund, u.now());
  if (!v)
    return tl::unexpected(v.error());
  const auto terms = g.terms();
  if (v->released.fiat.minor != 0)
    if (auto ok = ledger::authorize_purchase(
            u.book, terms, v->released, ledger::direction::correction, u.now());
        !ok)
      return ok;
  if (auto ok = ledger::void_unauthorized(u.book, terms, v->unauthorized, u.now()); !ok)
    return ok;
  if (auto ok = ledger::void_paid(u.book, terms, v->paid, u.now()); !ok)
    return ok;
  if (v->rounding != 0) {
    const bool more = v->rounding > 0;
    const ledger::purchase_step so_far{more ? v->rounding : -v->rounding,
                                       {0, v->paid.fiat.currency}};
    const auto dir = more ? ledger::direction::forward : ledger::direction::correction;
    if (auto ok = ledger::authorize_purchase(u.book, terms, so_far, dir, u.now()); !ok)
      return ok;
  }
  if (auto ok = ledger::refund_purchase(u.book, terms, v->refunded, u.now()); !ok)
    return ok;
  g.details.edit() = v->after;
  return {};
}

} // namespace

result<void> on(unit& u, const command::void_grant& c) {
  const auto* found = u.before().find_grant(c.grant);
  if (found == nullptr)
    return refuse(errc::not_found, "no such grant", c.grant);
  auto g = *found;
  const auto left = remaining(u, g.id);
  if (g.details->voided_at && left.empty()) { // again: it stays as it is
    u.put(std::move(g));
    return {};
  }
  const auto status = status_of(g, u.now());
  if (status == grant_status::expired || status == grant_status::pending)
    return refuse(errc::conflict, "the grant is " + std::string(to_string(status)), c.grant);
  if (left.empty())
    return refuse(errc::conflict, "nothing of the grant is left and free", c.grant);
  ENSURE(left.size() == 1);
  const auto face = left.front().amount;
  result<void> ok;
  switch (g.funding) {
  case funding::promotional:
    ok = ledger::void_promotional(u.book, g.terms(), face, u.now());
    break;
  case funding::opening:
    ok = ledger::void_opening(u.book, g.terms(), face, u.now());
    break;
  case funding::external:
    ok = void_external(u, g, face, c.refund);
    break;
  }
  if (!ok)
    return ok;
  if (g.details->expires_at != ledger::never)
    if (ok = ledger::release_breakage(u.book, left.front(), {}, g.details->expires_at); !ok)
      return ok;
  if (auto& d = g.details.edit(); !d.voided_at)
    d.voided_at = u.now();
  u.put(std::move(g));
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
