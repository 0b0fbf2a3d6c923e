// What is asked of a catalog: the catalog itself, and quotes with or without a customer.
// What a quote comes to is in catalog/quote.hpp.
#include "domain/decisions.hpp"
#include "domain/rating/texts.hpp"

#include <algorithm>

namespace accrue {

namespace {

reply::quote_view::line view_of(const product::priced_line& l) {
  const auto& t = l.rated.totals;
  reply::quote_view::line v;
  v.kind = to_string(l.kind);
  v.name = product::name_of(l);
  v.amount = t.amount + t.charges;
  v.discounts = t.discounts;
  for (const auto& d : l.rated.lines)
    v.detailed.push_back({rating::name_of(d, v.name),
                          rating::child_reference(d),
                          d.quantity,
                          d.per_unit,
                          d.amount,
                          d.discounts()});
  return v;
}

reply::quote_view view_of(const product::quote& q, const product::plan& p, const period& service) {
  reply::quote_view v;
  v.plan = p.key;
  v.version = p.version;
  v.currency = p.currency;
  v.code = iso_code(p.currency);
  v.service_period = service;
  for (const auto& l : q.lines)
    v.lines.push_back(view_of(l));
  v.subtotal = q.subtotal.total();
  if (q.tax)
    v.taxes.push_back(accrue::view_of(*q.tax));
  v.total = q.total();
  if (const auto& paid = q.after_credits)
    v.after_credits = {paid->credits, paid->tax, paid->total};
  return v;
}

} // namespace

result<product::selection> selection_of(const product::catalog& all, const command::get_quote& q) {
  const auto* plan = q.version == 0 ? all.plan_at(q.plan, q.service_period.from)
                                    : all.find_plan(q.plan, q.version);
  if (plan == nullptr)
    return refuse(errc::not_found, "There is no such plan, or not in this version.", q.plan);
  product::selection s{*plan, 0, {}};
  if (!q.phase.empty()) {
    const auto phase = std::ranges::find(plan->phases, q.phase, &product::phase::key);
    if (phase == plan->phases.end())
      return refuse(errc::not_found, "The plan has no such phase.", q.phase);
    s.phase = static_cast<std::size_t>(phase - plan->phases.begin());
  }
  for (const auto& key : q.add_ons) {
    const auto* add_on = all.find_add_on(key);
    if (add_on == nullptr)
      return refuse(errc::not_found, "There is no such add-on.", key);
    s.add_ons.emplace_back(*add_on);
  }
  return s;
}

result<reply::quote_view>
quote_of(const product::selection& s, const command::get_quote& q, const product::payer& payer) {
  const product::circumstances c{
      q.service_period, q.full_service_period.value_or(q.service_period), q.usage};
  return product::quote_for(s, c, payer).map([&](const product::quote& made) {
    return view_of(made, s.plan, q.service_period);
  });
}

result<reply::quote_view> quote_for_customer(unit u, const command::get_quote& wanted) {
  // As the charges of these lines would collect: where credit alone pays, what is missing is advanced.
  const auto credit = [&](const product::priced_line& l) -> result<int128> {
    const auto mode = l.plan->mode;
    if (mode == settlement_mode::invoice_only)
      return 0;
    const money whole{l.rated.totals.total(), l.plan->currency};
    const ledger::collection_terms terms{
        whole, l.card->feature, ledger::spend_id::of(u.number()), u.now(), u.now()};
    const auto got = ledger::collect(u.book, terms);
    if (!got)
      return tl::unexpected(got.error());
    if (mode != settlement_mode::credit_only || got->taken == whole.minor)
      return got->taken;
    return ledger::advance(u.book,
                           terms,
                           {whole.minor - got->taken, whole.currency},
                           u.before().settings.advance_limit(whole.currency))
        .map([&](sub_account_id) { return whole.minor; });
  };
  const auto selection = selection_of(u.catalog().products, wanted);
  if (!selection)
    return tl::unexpected(selection.error());
  return quote_of(*selection, wanted, {u.before().settings.tax, credit});
}

result<reply::receipt>
answer_for_namespace(const catalog& cat, sequence last, const command::any& query) {
  if (const auto* wanted = std::get_if<command::get_quote>(&query))
    return selection_of(cat.products, *wanted)
        .and_then([&](const product::selection& s) { return quote_of(s, *wanted, {}); })
        .map([&](reply::quote_view&& v) {
          return reply::receipt{last, std::move(v), {}};
        });
  if (std::holds_alternative<command::get_catalog>(query))
    return reply::receipt{last, reply::catalog_view{cat.products}, {}};
  return refuse(errc::unsupported_operation, "not a question to a namespace");
}

} // namespace accrue
