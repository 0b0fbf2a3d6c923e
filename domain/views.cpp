// What the outside sees: receipts of units, answers to queries, views of charges and invoices.
// Nothing is decided and nothing changed here.
#include "domain/credit_decisions.hpp"
#include "domain/decisions.hpp"
#include "domain/trial_balance.hpp"

#include <algorithm>
#include <limits>

namespace accrue {

std::string_view named_charge(const command::any& c) noexcept {
  if (const auto* a = std::get_if<command::advance_charge>(&c))
    return a->charge;
  if (const auto* g = std::get_if<command::get_charge>(&c))
    return g->charge;
  return {};
}

std::string_view named_invoice(const command::any& c) noexcept {
  return std::visit(
      [](const auto& v) -> std::string_view {
        if constexpr (requires { v.invoice; })
          return v.invoice;
        else
          return {};
      },
      c);
}

reply::customer_view view_of(const customer& c, const catalog& cat) {
  reply::customer_view v;
  v.reference = c.reference;
  v.number = c.number;
  if (c.settings.default_currency)
    v.currency = cat.code(*c.settings.default_currency);
  v.over_settlement = c.settings.over_settlement;
  v.created_at = c.created_at;
  if (const auto& tax = c.settings.tax) {
    v.tax_name = tax->name();
    v.tax_rate = tax->fraction();
  }
  return v;
}

reply::charge_view view_of(const charge& c, const catalog& cat) {
  reply::charge_view v;
  v.id = c.terms.reference;
  v.currency = c.terms.amount.currency;
  v.code = cat.code(v.currency);
  v.mode = c.terms.mode;
  v.amount = c.terms.amount.minor;
  v.service_period = c.terms.service_period;
  v.invoice_at = c.terms.invoice_at;
  v.status = flat_fee::status(c.state);
  v.detailed_status = flat_fee::to_string(c.state);
  v.advance_after = flat_fee::advance_after(c.state, c.terms);
  const auto* run = flat_fee::current_run(c.state);
  if (run == nullptr)
    return v;
  reply::charge_view::run r;
  r.amount = c.terms.amount.minor;
  r.credit_total = run->credited();
  r.total = run->billed;
  // One row a route: slices of one sub-account add up; the advance comes last.
  std::vector<sub_account_id> routes;
  for (const auto& s : run->credits) {
    const auto it = std::ranges::find(routes, s.account);
    if (it != routes.end()) {
      r.credits[static_cast<std::size_t>(it - routes.begin())] += s.amount;
      continue;
    }
    routes.push_back(s.account);
    r.credits.push_back(s.amount);
  }
  if (run->advanced != 0)
    r.credits.push_back(run->advanced);
  for (const auto x : *c.given_back)
    r.credits.push_back(-x);
  v.runs.push_back(std::move(r));
  return v;
}

reply::grant_view view_of(const grant& g, const catalog& cat, instant now) {
  reply::grant_view v;
  v.id = g.reference;
  v.currency = g.amount.currency;
  v.code = cat.code(g.amount.currency);
  v.amount = g.amount.minor;
  v.effective_at = g.effective_at;
  v.funding = to_string(g.funding);
  v.status = to_string(status_of(g, now));
  v.internal_status = internal_status(g);
  v.payment = payment_status(g);
  v.priority = g.priority;
  v.features = g.features;
  const auto& d = *g.details;
  if (d.expires_at != ledger::never)
    v.expires_at = d.expires_at;
  v.voided_at = d.voided_at;
  v.cost_basis = d.cost_basis;
  if (d.fiat) {
    v.fiat = d.fiat;
    v.fiat_code = cat.code(*d.fiat);
    v.authorized = d.authorized;
    v.settled = d.settled;
    v.written_off = d.written_off;
    if (const auto claim = purchase::claim(g))
      v.claim = claim->minor;
    v.refunded = d.refunded;
    if (const auto price = purchase::price_of_whole(g))
      v.fiat_amount = price->minor;
  }
  return v;
}

reply::reservation_view view_of(const hold& h, const customer& c, const catalog& cat) {
  reply::reservation_view v;
  v.id = h.reference;
  v.currency = h.currency;
  v.code = cat.code(h.currency);
  v.status = "held";
  v.held = h.amount();
  v.expires_at = h.expires_at;
  for (const auto& s : h.slices) {
    const auto& g = c.grant_at(s.grant);
    const auto until = g.details->expires_at;
    v.slices.push_back(
        {g.reference, s.amount, until == ledger::never ? std::nullopt : std::optional(until)});
  }
  return v;
}

reply::tax view_of(const rating::tax& t) {
  return {t.rate.name(), t.rate.fraction(), t.base, t.amount};
}

reply::catalog_stored counts_of(const product::catalog& c) {
  const auto& all = c.all();
  const auto count = [](const auto& list) { return static_cast<std::uint32_t>(list.size()); };
  return {count(all.meters), count(all.features), count(all.add_ons), count(all.plans)};
}

reply::invoice_view
view_of(const customer& owner, const invoicing::invoice& i, const catalog& cat) {
  reply::invoice_view v;
  v.name = invoice_name(owner, i);
  const auto* issued = i.issued();
  if (issued != nullptr) {
    v.number = v.name;
    v.issued_at = issued->issued_at;
  }
  v.currency = i.currency;
  v.code = cat.code(i.currency);
  v.status = invoicing::to_string(i.state);
  for (const auto& l : i.lines) {
    v.lines.push_back({l.name, l.period, l.amount, l.credits, l.total, l.tax ? "tax" : "charge"});
    if (l.tax)
      v.taxes.push_back(view_of(*l.tax));
  }
  const auto t = i.totals();
  v.amount = t.amount;
  v.credits = t.credits;
  v.total = t.total;
  v.authorized = t.authorized;
  v.settled = t.settled;
  v.written_off = t.written_off;
  v.issues = i.issues;
  v.draft_until = i.draft_until;
  v.due_at = i.due_at();
  v.revision = i.revision;
  return v;
}

namespace {

std::string grant_reference(const customer& c, const entry& e, grant_id id) {
  if (id.value >= 1 && id.value <= c.grants.size())
    return c.grants[id.value - 1].reference;
  for (const auto& f : e.facts)
    if (const auto* g = std::get_if<fact::grant_recorded>(&f); g && g->grant.id == id)
      return g->grant.reference;
  return {};
}

// Credit posted away by a collection, in collection order.
std::vector<reply::taken> slices_of(const entry& e, const customer& c) {
  std::vector<reply::taken> slices;
  for (const auto& t : e.transactions) {
    if (t.code() != ledger::template_code::collect)
      continue;
    for (const auto& p : t.postings())
      if (p.amount < 0)
        slices.push_back({grant_reference(c, e, p.source), -p.amount});
  }
  return slices;
}

struct body_of {
  const entry& e;
  const customer& c;
  const catalog& cat;

  std::optional<reply::body> operator()(const fact::customer_changed& f) const {
    customer after;
    after.reference = f.reference;
    after.number = c.number;
    after.settings = f.settings;
    after.created_at = f.created_at;
    return view_of(after, cat);
  }
  std::optional<reply::body> operator()(const fact::grant_recorded& f) const {
    const auto& g = f.grant;
    if (g.funding == funding::opening)
      return reply::opened{
          g.reference, g.amount.currency, std::string(cat.code(g.amount.currency)), g.amount.minor};
    return view_of(g, cat, e.at);
  }
  std::optional<reply::body> operator()(const fact::grant_changed& f) const {
    return view_of(f.grant, cat, e.at);
  }
  std::optional<reply::body> operator()(const fact::spend_changed&) const { return std::nullopt; }
  std::optional<reply::body> operator()(const fact::given_back& f) const {
    return reply::corrected{
        f.reference, f.amount.currency, std::string(cat.code(f.amount.currency)), f.amount.minor};
  }
  std::optional<reply::body> operator()(const fact::recognized& f) const {
    reply::recognized r;
    r.through = f.through;
    for (const auto& m : f.amounts)
      r.amounts.push_back({m.currency, std::string(cat.code(m.currency)), m.minor});
    return r;
  }
  std::optional<reply::body> operator()(const fact::reserved& f) const {
    return view_of(f.hold, c, cat);
  }
  std::optional<reply::body> operator()(const fact::hold_extended& f) const {
    return view_of(f.hold, c, cat);
  }
  std::optional<reply::body> operator()(const fact::hold_ended& f) const {
    const std::string code(cat.code(f.currency));
    if (f.how == hold_end::settled)
      return reply::consumed{f.reference, f.currency, code, f.booked, f.uncovered, slices_of(e, c)};
    if (f.how == hold_end::expired)
      return std::nullopt; // on the way to something else
    return reply::reservation_view{
        f.reference, f.currency, code, std::string(to_string(f.how)), 0, {}, {}};
  }
  std::optional<reply::body> operator()(const fact::consumed& f) const {
    return reply::consumed{f.id,
                           f.currency,
                           std::string(cat.code(f.currency)),
                           f.booked,
                           f.uncovered,
                           slices_of(e, c)};
  }
  std::optional<reply::body> operator()(const fact::charge_changed& f) const {
    return view_of(f.charge, cat);
  }
  std::optional<reply::body> operator()(const fact::invoice_changed& f) const {
    return view_of(c, f.invoice, cat);
  }
  std::optional<reply::body> operator()(const fact::advance_opened& f) const {
    return reply::opened{
        f.id, f.amount.currency, std::string(cat.code(f.amount.currency)), f.amount.minor};
  }
  std::optional<reply::body> operator()(const fact::message_queued&) const { return std::nullopt; }
  std::optional<reply::body> operator()(const fact::recognition_planned&) const {
    return std::nullopt;
  }
  std::optional<reply::body> operator()(const fact::key_added&) const { return std::nullopt; }
  std::optional<reply::body> operator()(const fact::credit_unit_created& f) const {
    return reply::credit_unit_view{f.code, f.exponent};
  }
  std::optional<reply::body> operator()(const fact::profile_changed& f) const {
    return reply::billing_profile_view{f.profile};
  }
  std::optional<reply::body> operator()(const fact::catalog_replaced& f) const {
    return counts_of(f.catalog);
  }
};

template <class Command, class... Commands>
constexpr std::uint8_t place_among(std::type_identity<std::variant<Commands...>> /*all*/) {
  constexpr bool is_it[] = {std::is_same_v<Command, Commands>...};
  return static_cast<std::uint8_t>(std::ranges::find(is_it, true) - std::begin(is_it));
}

template <class Command>
constexpr std::uint8_t kind_number = place_among<Command>(std::type_identity<command::any>{});

} // namespace

reply::receipt receipt_of(const entry& e, const customer& c, const catalog& cat) {
  reply::receipt r{e.number, reply::ran_due{}, e.after};
  if (e.kind == kind_number<command::invoice_pending>) {
    reply::invoices made;
    for (const auto& f : e.facts)
      if (const auto* i = std::get_if<fact::invoice_changed>(&f))
        made.items.push_back(view_of(c, i->invoice, cat));
    r.body = std::move(made);
    return r;
  }
  if (e.kind == kind_number<command::run_due> ||
      (e.kind == kind_number<command::advance_charge> && e.facts.empty())) {
    const auto plans = [](const fact::any& f) {
      return std::holds_alternative<fact::recognition_planned>(f);
    };
    r.body = reply::ran_due{
        static_cast<std::uint32_t>(e.facts.size() - std::ranges::count_if(e.facts, plans))};
    return r;
  }
  if (e.kind == kind_number<command::open_balances>) {
    reply::grants opened;
    for (const auto& f : e.facts)
      if (const auto* g = std::get_if<fact::grant_recorded>(&f))
        opened.items.push_back(view_of(g->grant, cat, e.at));
    r.body = std::move(opened);
    return r;
  }
  // The invoice is the subject where a unit changed one; charges only followed.
  for (const auto& f : e.facts)
    if (std::holds_alternative<fact::invoice_changed>(f)) {
      r.body = *std::visit(body_of{e, c, cat}, f);
      return r;
    }
  for (const auto& f : e.facts)
    if (auto body = std::visit(body_of{e, c, cat}, f)) {
      r.body = std::move(*body);
      return r;
    }
  return r;
}

namespace {

reply::grants
grants_in(const customer& c, const catalog& cat, instant now, command::grant_state wanted) {
  reply::grants all;
  for (const auto& g : c.grants)
    if (wanted == command::grant_state::any ||
        static_cast<int>(wanted) == static_cast<int>(status_of(g, now)))
      all.items.push_back(view_of(g, cat, now));
  return all;
}

result<reply::reservation_view> find_reservation(const unit& u, const std::string& reference) {
  const auto& c = u.before();
  if (const auto* h = u.find_hold(reference))
    return view_of(*h, c, u.catalog());
  auto how = c.extras->holds.ended(reference);
  if (c.extras->holds.find(reference) != nullptr)
    how = hold_end::expired;
  if (!how)
    return refuse(errc::not_found, "no such reservation, or it ended long ago", reference);
  return reply::reservation_view{reference, {}, {}, std::string(to_string(*how)), 0, {}, {}};
}

result<reply::body> balances_for(const unit& u, const command::get_balance& q) {
  if (q.filter.view == command::feature_view::feature)
    if (auto ok = check_reference(q.filter.feature, "feature"); !ok)
      return tl::unexpected(ok.error());
  auto wanted = currencies_of(u.before());
  if (q.currency) {
    const auto found = u.catalog().find_currency(*q.currency);
    if (!found)
      return tl::unexpected(found.error());
    wanted = {*found};
  }
  reply::balances all;
  for (const auto c : wanted) {
    auto b = balance_of(u, c, q.filter);
    if (q.as_of) {
      b.historical = true;
      b.live = 0;
      b.reserved = 0;
    }
    all.items.push_back(std::move(b));
  }
  return all;
}

} // namespace

result<reply::receipt>
answer(const customer& c, const catalog& cat, instant now, const command::any& query) {
  if (!c.exists)
    return refuse(errc::not_found, "no such customer", c.reference);
  now = std::max(now, c.clock);
  reply::receipt r{c.last, reply::ran_due{}, {}};
  const auto* balance = std::get_if<command::get_balance>(&query);
  unit u(c, cat, balance != nullptr ? std::max(now, balance->as_of.value_or(now)) : now, 0);
  expire_holds(u);
  if (std::holds_alternative<command::get_customer>(query)) {
    r.body = view_of(c, cat);
  } else if (const auto* q = std::get_if<command::get_balance>(&query)) {
    auto body = balances_for(u, *q);
    if (!body)
      return tl::unexpected(body.error());
    r.body = std::move(*body);
  } else if (const auto* g = std::get_if<command::get_charge>(&query)) {
    const auto* found = c.find_charge(g->charge);
    if (found == nullptr)
      return refuse(errc::not_found, "no such charge", g->charge);
    r.body = view_of(*found, cat);
  } else if (const auto* i = std::get_if<command::get_invoice>(&query)) {
    const auto* found = c.find_invoice(i->invoice);
    if (found == nullptr)
      return refuse(errc::not_found, "no such invoice", i->invoice);
    r.body = view_of(c, *found, cat);
  } else if (std::holds_alternative<command::list_invoices>(query)) {
    reply::invoices all;
    for (const auto& one : c.invoices)
      all.items.push_back(view_of(c, one, cat));
    r.body = std::move(all);
  } else if (const auto* one = std::get_if<command::get_grant>(&query)) {
    const auto* found = c.find_grant(one->grant);
    if (found == nullptr)
      return refuse(errc::not_found, "no such grant", one->grant);
    r.body = view_of(*found, cat, now);
  } else if (const auto* some = std::get_if<command::list_grants>(&query)) {
    r.body = grants_in(c, cat, now, some->status);
  } else if (std::holds_alternative<command::list_transactions>(query)) {
    r.body = reply::transactions{}; // of whom nothing is on record
  } else if (const auto* held = std::get_if<command::get_reservation>(&query)) {
    auto found = find_reservation(u, held->reservation);
    if (!found)
      return tl::unexpected(found.error());
    r.body = std::move(*found);
  } else if (const auto* wanted = std::get_if<command::get_quote>(&query)) {
    auto quote = quote_for_customer(u, *wanted);
    if (!quote)
      return tl::unexpected(quote.error());
    r.body = std::move(*quote);
  } else {
    auto all = trial_balance(c, cat, now);
    if (!all)
      return tl::unexpected(all.error());
    r.body = std::move(*all);
  }
  return r;
}

} // namespace accrue
