// Commands that need no charge: customers, grants, consumption, opening balances, new charges, and
// the namespace's own. Invoices and realization are in invoice_decisions.cpp.
#include "domain/decisions.hpp"

#include "domain/ledger/posting_rules.hpp"

#include <algorithm>

namespace accrue {
namespace {

result<void> require_exists(const unit& u) {
  if (u.before().exists)
    return {};
  return refuse(
      errc::not_found, "no such customer; create it with put_customer", u.before().reference);
}

// Each amount stays so far below 128 bits that no sum over a customer's charges, lines or
// sub-accounts can leave them: totals need no check of their own (D2).
constexpr int128 amount_limit = int128{1} << 100;

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

template <class T>
result<T> forward(const refusal& r) {
  return tl::unexpected(r);
}

result<void> on(unit& u, const command::put_customer& c) {
  if (u.before().number.value > customer_number_max)
    return refuse(errc::overflow,
                  "this namespace has given out all customer numbers of this customer's shard; use "
                  "another namespace",
                  u.before().reference);
  auto s = u.before().settings;
  if (c.currency) {
    const auto found = u.catalog().find_currency(*c.currency);
    if (!found)
      return tl::unexpected(found.error());
    s.default_currency = *found;
  }
  if (c.over_settlement)
    s.over_settlement = *c.over_settlement;
  if (c.advance_limit) {
    s.advance_limits.clear();
    for (const auto& [code, limit] : *c.advance_limit) {
      const auto found = u.catalog().find_currency(code);
      if (!found)
        return tl::unexpected(found.error());
      const auto amount = exact_money(limit, *found);
      if (!amount)
        return tl::unexpected(amount.error());
      if (amount->minor < 0)
        return refuse(errc::validation, "a limit must not be negative", code);
      s.advance_limits.push_back(*amount);
    }
  }
  if (c.tax)
    s.tax = *c.tax;
  const auto created = u.before().exists ? u.before().created_at : u.now();
  u.facts.emplace_back(fact::customer_changed{u.before().reference, std::move(s), created});
  return {};
}

result<void> on(unit& u, const command::grant_credit& c) {
  const auto unit_of_account = u.catalog().find_currency(c.currency);
  if (!unit_of_account)
    return tl::unexpected(unit_of_account.error());
  const auto amount = positive(rounded_money(c.amount, *unit_of_account), c.id);
  if (!amount)
    return tl::unexpected(amount.error());
  if (c.priority < 1 || c.priority > 1000)
    return refuse(errc::validation, "a priority is 1 to 1000", c.id);
  auto features = ledger::make_features(c.features);
  if (!features)
    return tl::unexpected(features.error());
  const auto effective = c.effective_at ? floor_seconds(*c.effective_at) : u.now();
  if (effective > u.now())
    return refuse(errc::unsupported_operation,
                  "a grant that becomes effective later is not offered yet",
                  c.id);
  grant g{u.next_grant(),
          c.id,
          funding::promotional,
          *amount,
          c.priority,
          std::move(*features),
          effective};
  auto ok = ledger::grant_promotional(
      u.book, {g.id, g.amount, decimal{0}, g.priority, g.features}, effective);
  if (!ok)
    return ok;
  u.facts.emplace_back(fact::grant_recorded{std::move(g)});
  return {};
}

// Reserve and settle in one: the customer's policy says what to do about a shortfall (D67).
result<void> on(unit& u, const command::consume& c) {
  const auto unit_of_account = u.catalog().find_currency(c.currency);
  if (!unit_of_account)
    return tl::unexpected(unit_of_account.error());
  const auto amount = positive(exact_money(c.amount, *unit_of_account), c.id);
  if (!amount)
    return tl::unexpected(amount.error());
  if (!c.feature.empty())
    if (auto ok = check_reference(c.feature, "feature"); !ok)
      return ok;
  const ledger::collection_terms terms{
      *amount, c.feature, ledger::spend_id::of(u.number()), u.now(), u.now()};
  auto got = ledger::collect(u.book, terms);
  if (!got)
    return tl::unexpected(got.error());
  const auto missing = amount->minor - got->taken;
  fact::consumed done{c.id, *unit_of_account, got->taken, 0};
  if (missing > 0) {
    const auto& s = u.before().settings;
    switch (s.over_settlement) {
    case command::over_settlement::refuse:
      return refuse(errc::insufficient_funds,
                    "only " + to_string(money{got->taken, *unit_of_account}) + " " + c.currency +
                        " is free",
                    c.id);
    case command::over_settlement::cap:
      done.uncovered = missing;
      break;
    case command::over_settlement::advance: {
      auto ok = ledger::advance(
          u.book, terms, {missing, *unit_of_account}, s.advance_limit(*unit_of_account));
      if (!ok)
        return ok;
      done.booked += missing;
    }
    }
  }
  u.facts.emplace_back(std::move(done));
  return {};
}

result<void> on(unit& u, const command::create_charge& c) {
  const auto unit_of_account = u.catalog().find_currency(c.currency);
  if (!unit_of_account)
    return tl::unexpected(unit_of_account.error());
  auto amount = limited(rounded_money(c.amount, *unit_of_account), c.id);
  if (!amount)
    return tl::unexpected(amount.error());
  if (amount->minor < 0)
    return refuse(errc::validation, "a charge must not be negative", c.id);
  if (unit_of_account->is_credit_unit() && c.mode != settlement_mode::credit_only)
    return refuse(errc::validation, "a charge in a credit unit is credit_only (D63)", c.id);
  const auto span = make_period(c.service_period.from, c.service_period.to);
  if (!span)
    return tl::unexpected(span.error());
  if (c.full_service_period) {
    const auto full = make_period(c.full_service_period->from, c.full_service_period->to);
    if (!full)
      return tl::unexpected(full.error());
    amount = flat_fee::prorate(*amount, *span, *full);
    if (!amount)
      return tl::unexpected(amount.error());
  }
  if (!c.feature.empty())
    if (auto ok = check_reference(c.feature, "feature"); !ok)
      return ok;
  u.put(charge{{u.next_charge(),
                c.id,
                c.mode,
                c.term,
                *amount,
                *span,
                floor_seconds(c.invoice_at.value_or(span->to)),
                c.feature},
               flat_fee::created{}});
  return {};
}

template <class Opening>
result<std::pair<money, instant>> opening_terms(const unit& u, const Opening& c) {
  const auto unit_of_account = u.catalog().find_currency(c.currency);
  if (!unit_of_account)
    return tl::unexpected(unit_of_account.error());
  const auto amount = positive(exact_money(c.amount, *unit_of_account), c.id);
  if (!amount)
    return tl::unexpected(amount.error());
  const auto at = c.at ? floor_seconds(*c.at) : u.now();
  if (at > u.now())
    return refuse(errc::validation, "an opening balance lies in the past", c.id);
  return std::pair(*amount, at);
}

result<void> on(unit& u, const command::open_credit& c) {
  const auto terms = opening_terms(u, c);
  if (!terms)
    return tl::unexpected(terms.error());
  auto features = ledger::make_features(c.features);
  if (!features)
    return tl::unexpected(features.error());
  const auto [amount, at] = *terms;
  grant g{u.next_grant(),
          c.id,
          funding::opening,
          amount,
          ledger::default_priority,
          std::move(*features),
          at};
  auto ok = ledger::open_credit(u.book, {g.id, g.amount, std::nullopt, g.priority, g.features}, at);
  if (!ok)
    return ok;
  u.facts.emplace_back(fact::grant_recorded{std::move(g)});
  return {};
}

result<void> on(unit& u, const command::open_advance& c) {
  const auto terms = opening_terms(u, c);
  if (!terms)
    return tl::unexpected(terms.error());
  auto features = ledger::make_features(c.features);
  if (!features)
    return tl::unexpected(features.error());
  const auto [amount, at] = *terms;
  auto ok = ledger::open_advance(
      u.book, amount, std::move(*features), ledger::spend_id::of(u.number()), at);
  if (!ok)
    return ok;
  u.facts.emplace_back(fact::advance_opened{c.id, amount});
  return {};
}

template <class C>
concept simple = requires(unit& u, const C& c) {
  on(u, c);
};

} // namespace

bool is_simple(const command::any& c) noexcept {
  return std::visit([](const auto& v) { return simple<std::remove_cvref_t<decltype(v)>>; }, c);
}

result<void> decide_now(unit& u, const command::any& c) {
  if (const auto id = command::given_id(c); std::visit(
          [](const auto& v) {
            return requires { v.id; };
          },
          c))
    if (auto ok = check_reference(id, "id"); !ok)
      return ok;
  if (!std::holds_alternative<command::put_customer>(c))
    if (auto ok = require_exists(u); !ok)
      return ok;
  return std::visit(
      [&](const auto& v) -> result<void> {
        if constexpr (simple<std::remove_cvref_t<decltype(v)>>)
          return on(u, v);
        else
          return refuse(errc::unsupported_operation, "not a command of a customer");
      },
      c);
}

result<void> decide_for_namespace(unit& u, const command::any& c) {
  if (const auto* made = std::get_if<command::create_credit_unit>(&c)) {
    if (auto ok = u.catalog().with_credit_unit(made->code, made->exponent); !ok)
      return tl::unexpected(ok.error());
    u.facts.emplace_back(fact::credit_unit_created{made->code, made->exponent});
    return {};
  }
  if (const auto* changed = std::get_if<command::put_billing_profile>(&c)) {
    auto p = u.catalog().profile;
    if (changed->auto_advance)
      p.auto_advance = *changed->auto_advance;
    if (changed->draft_period_ns)
      p.draft_period_ns = *changed->draft_period_ns;
    if (changed->due_after_ns)
      p.due_after_ns = *changed->due_after_ns;
    if (p.draft_period_ns < 0 || p.due_after_ns < 0)
      return refuse(errc::validation, "draft_period and due_after must not be negative");
    u.facts.emplace_back(fact::profile_changed{p});
    return {};
  }
  if (const auto* given = std::get_if<command::put_catalog>(&c)) {
    if (auto ok = product::check_succession(u.catalog().products, given->catalog, u.now()); !ok)
      return ok;
    u.facts.emplace_back(fact::catalog_replaced{given->catalog});
    return {};
  }
  return refuse(errc::unsupported_operation, "not a command of a namespace");
}

result<command::any> normalised(command::any c, const catalog& cat) {
  const auto round = [&](auto& v) -> result<void> {
    const auto found = cat.find_currency(v.currency);
    if (!found)
      return tl::unexpected(found.error());
    const auto rounded = rounded_money(v.amount, *found);
    if (!rounded)
      return tl::unexpected(rounded.error());
    const auto exact = to_decimal(*rounded);
    if (!exact)
      return tl::unexpected(exact.error());
    v.amount = *exact;
    return {};
  };
  result<void> ok;
  if (auto* g = std::get_if<command::grant_credit>(&c))
    ok = round(*g);
  if (auto* x = std::get_if<command::create_charge>(&c))
    ok = round(*x);
  if (!ok)
    return tl::unexpected(ok.error());
  return c;
}

} // namespace accrue
