// Commands that need no charge: customers, new charges, and the namespace's own; those about credit are in
// grant_decisions.cpp, spend_decisions.cpp and reservations.cpp. Invoices and realization are in invoice_decisions.cpp.
#include "domain/decisions.hpp"

#include "domain/credit_decisions.hpp"

#include <algorithm>

namespace accrue {
namespace {

result<void> require_exists(const unit& u) {
  if (u.before().exists)
    return {};
  return refuse(
      errc::not_found, "no such customer; create it with put_customer", u.before().reference);
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
    auto& limits = s.advance_limits.edit();
    limits.clear();
    for (const auto& [code, limit] : *c.advance_limit) {
      const auto found = u.catalog().find_currency(code);
      if (!found)
        return tl::unexpected(found.error());
      const auto amount = exact_money(limit, *found);
      if (!amount)
        return tl::unexpected(amount.error());
      if (amount->minor < 0)
        return refuse(errc::validation, "a limit must not be negative", code);
      limits.push_back(*amount);
    }
    s.advance_limits.trim();
  }
  if (c.tax)
    s.tax = *c.tax;
  const auto created = u.before().exists ? u.before().created_at : u.now();
  u.facts.emplace_back(fact::customer_changed{u.before().reference, std::move(s), created});
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
  expire_holds(u);
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
    if (changed->recognition)
      p.recognition = *changed->recognition;
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
