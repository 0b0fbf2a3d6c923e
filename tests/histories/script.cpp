// Weights and shapes of random commands; what only credit has is in script_credit.cpp. See script.hpp.
#include "tests/histories/script.hpp"

#include <algorithm>

namespace accrue::histories {
namespace {

constexpr std::int64_t hour = 3600 * ns_per_second;

decimal minor(std::uint64_t units, int scale) {
  return decimal::make(static_cast<int128>(units), scale).value();
}

} // namespace

std::string script::currency() {
  const auto n = chance_.pick(10);
  return n == 0 ? "JPY" : n == 1 ? "TOKEN" : "USD";
}

std::string script::feature() {
  const auto n = chance_.pick(6);
  return n == 0 ? "api" : n == 1 ? "gpu" : "";
}

std::string script::invoice() {
  const auto n = std::to_string(1 + chance_.pick(4));
  return chance_.once_in(8) ? "A-00000" + n : "#" + n;
}

decimal script::amount(const std::string& currency, std::uint64_t below) {
  if (currency == "JPY")
    return minor(1 + chance_.pick(below), 0);
  if (currency == "TOKEN")
    return minor(1 + chance_.pick(below * 1000), 3);
  return minor(1 + chance_.pick(below * 100), 2);
}

command::put_customer script::customer() {
  command::put_customer c;
  c.over_settlement = static_cast<command::over_settlement>(1 + chance_.pick(3));
  if (chance_.once_in(4))
    c.currency = currency();
  if (chance_.once_in(3))
    c.advance_limit = {{"USD", minor(chance_.pick(60), 0)}, {"JPY", minor(20, 0)}};
  if (chance_.once_in(2)) {
    auto& tax = c.tax.emplace();
    if (!chance_.once_in(4))
      tax = rating::tax_rate::make("VAT", minor(chance_.pick(300), 3)).value();
  }
  return c;
}

command::grant_credit script::grant(known& k, instant now, const std::string& id) {
  command::grant_credit g;
  g.id = id;
  g.currency = currency();
  g.amount = amount(g.currency, 50);
  g.priority = static_cast<std::uint16_t>(100 + chance_.pick(2));
  if (const auto f = feature(); !f.empty())
    g.features = {f};
  if (chance_.once_in(6))
    g.features = {"gpu", "api"};
  auto from = now;
  if (chance_.once_in(4))
    from = plus_ns(now, -static_cast<std::int64_t>(chance_.pick(48)) * hour);
  else if (chance_.once_in(6)) // for later
    from = plus_ns(now, static_cast<std::int64_t>(1 + chance_.pick(20000)) * ns_per_second);
  if (from != now)
    g.effective_at = from;
  if (chance_.once_in(3))
    g.expires_at =
        plus_ns(std::max(from, now),
                chance_.once_in(3) ? static_cast<std::int64_t>(2 + chance_.pick(30)) * ns_per_second
                                   : static_cast<std::int64_t>(1 + chance_.pick(12)) * hour);
  if (chance_.once_in(6) && g.currency == "USD") // rounded on entry
    g.amount = minor(1 + chance_.pick(50000), 3);
  if (chance_.once_in(2))
    price(g);
  k.grants.push_back({id, g.fiat_currency.value_or(g.currency)});
  return g;
}

void script::price(command::grant_credit& g) {
  g.funding = command::grant_funding::external;
  switch (chance_.pick(4)) {
  case 0:
    break; // at par
  case 1:
    g.cost_basis = minor(1, 0);
    break;
  case 2:
    g.cost_basis = minor(5, 1);
    break;
  default:
    g.cost_basis = minor(333, 3);
  }
  if (g.currency != "TOKEN" ? chance_.once_in(6) : chance_.once_in(12))
    g.fiat_currency = g.currency; // a credit unit does not buy itself
  else if (g.currency == "TOKEN" && !chance_.once_in(5))
    g.fiat_currency = chance_.once_in(4) ? "JPY" : "USD";
}

command::create_charge script::fee(known& k, instant now, const std::string& id) {
  command::create_charge c;
  c.id = id;
  c.mode = static_cast<settlement_mode>(1 + chance_.pick(3));
  c.currency = currency();
  if (c.currency == "TOKEN")
    c.mode = settlement_mode::credit_only;
  c.amount = chance_.once_in(10) ? decimal{0} : amount(c.currency, 30);
  const auto from = plus_ns(now, (static_cast<std::int64_t>(chance_.pick(96)) - 48) * hour);
  c.service_period = {from, plus_ns(from, static_cast<std::int64_t>(1 + chance_.pick(48)) * hour)};
  if (chance_.once_in(4))
    c.full_service_period = period{
        plus_ns(from, -static_cast<std::int64_t>(chance_.pick(48)) * hour), c.service_period.to};
  c.term = chance_.once_in(2) ? payment_term::in_advance : payment_term::in_arrears;
  if (chance_.once_in(2))
    c.invoice_at = plus_ns(now, (static_cast<std::int64_t>(chance_.pick(24)) - 8) * hour);
  c.feature = feature();
  k.fees.push_back(id);
  k.spends.push_back({id, c.currency});
  return c;
}

command::any script::opening(known& k, instant now, const std::string& id) {
  const auto unit = currency();
  if (chance_.once_in(2)) {
    k.spends.push_back({id, unit});
    return command::open_advance{id, amount(unit, 5), unit, {}, std::nullopt};
  }
  k.grants.push_back({id, unit});
  command::open_credit c{id, amount(unit, 20), unit, {}, std::nullopt};
  if (chance_.once_in(4))
    c.expires_at = plus_ns(now, static_cast<std::int64_t>(1 + chance_.pick(12)) * hour);
  return c;
}

command::any script::consume(known& k, const std::string& id) {
  const auto unit = currency();
  k.spends.push_back({id, unit});
  return command::consume{id, amount(unit, chance_.once_in(3) ? 60 : 10), unit, feature()};
}

command::any script::for_invoice() {
  switch (chance_.pick(10)) {
  case 0:
  case 1:
    return command::approve_invoice{invoice()};
  case 2:
    return command::retry_invoice{invoice()};
  case 3:
    return command::advance_invoice{invoice()};
  case 4:
    return command::authorize_payment{invoice(), amount("USD", 20)};
  case 5:
    return command::authorize_payment{invoice(), std::nullopt};
  case 6:
    return command::settle_payment{invoice(), std::nullopt};
  case 7:
    return command::settle_payment{invoice(), amount("USD", 10)};
  case 8:
    return command::write_off_invoice{invoice()};
  default:
    return command::pay_invoice{invoice()};
  }
}

command::any script::command_at(const std::string& customer, instant now, std::size_t n) {
  const auto id = "x" + std::to_string(n);
  auto& k = known_[customer];
  switch (chance_.pick(38)) {
  case 0:
  case 1:
  case 2:
  case 3:
  case 4:
    return grant(k, now, id);
  case 5:
  case 6:
  case 7:
  case 8:
    return fee(k, now, id);
  case 9:
  case 10:
    return command::invoice_pending{};
  case 11:
  case 12:
  case 13:
    return for_invoice();
  case 14:
    return command::run_due{};
  case 15:
  case 16:
    if (!k.fees.empty())
      return command::advance_charge{chance_.one_of(k.fees)};
    [[fallthrough]];
  case 17:
    return opening(k, now, id);
  case 18:
    return this->customer();
  case 19:
  case 20:
  case 21:
  case 22:
    return for_grant(k);
  case 23:
  case 24:
  case 25:
    return correction(k);
  case 26:
    return recognition(now);
  case 27:
  case 28:
  case 29:
    return reservation(k, id);
  case 30:
  case 31:
  case 32:
    return for_reservation(k, id);
  default:
    return consume(k, id);
  }
}

command::any script::query(const std::string& customer, instant now) {
  auto& k = known_[customer];
  switch (chance_.pick(16)) {
  case 0:
    return command::get_customer{};
  case 1:
    return command::get_accounts{};
  case 2:
    return command::list_invoices{};
  case 3:
    return command::get_invoice{invoice()};
  case 4:
    if (!k.fees.empty())
      return command::get_charge{chance_.one_of(k.fees)};
    [[fallthrough]];
  case 5:
    return command::get_balance{"USD", {command::feature_view::unrestricted, {}}};
  case 6:
    return command::get_balance{currency(), {command::feature_view::feature, "api"}};
  case 7:
  case 8:
  case 9:
  case 10:
  case 11:
    return credit_query(k, now);
  default:
    return command::get_balance{};
  }
}

command::any script::bad_command(const std::string& customer, instant now, std::size_t n) {
  const auto id = "x" + std::to_string(n);
  auto& k = known_[customer];
  switch (chance_.pick(10)) {
  case 0:
    return command::consume{id, decimal{0}, "USD", {}};
  case 1:
    return command::consume{id, minor(12345, 3), "USD", {}}; // a tenth of a cent
  case 2:
    return command::consume{id, minor(1, 0), "DUST", {}};
  case 3: {
    auto f = fee(k, now, id);
    std::swap(f.service_period.from, f.service_period.to);
    return f;
  }
  case 4: { // 10^31 dollars are more than 2^100 cents
    int128 huge = 1;
    for (int i = 0; i < 31; ++i)
      huge *= 10;
    return command::consume{id, decimal::make(huge, 0).value(), "USD", {}};
  }
  case 5:
    return command::consume{{}, minor(1, 0), "USD", {}};
  case 6:
    return command::invoice_pending{"DUST", std::nullopt, {}};
  default:
    return bad_credit(k, now, id);
  }
}

command::any script::other_content(command::any c) {
  if (auto* u = std::get_if<command::consume>(&c))
    u->amount = amount("USD", 7), u->currency = "USD", u->feature += "2";
  else if (auto* g = std::get_if<command::grant_credit>(&c))
    g->priority = 103;
  else if (auto* f = std::get_if<command::create_charge>(&c))
    f->feature += "2";
  else if (auto* o = std::get_if<command::open_credit>(&c))
    o->features = {"other"};
  else if (auto* r = std::get_if<command::reserve>(&c))
    r->feature += "2";
  else if (auto* s = std::get_if<command::settle_reservation>(&c))
    s->amount = minor(77, 0);
  else if (auto* x = std::get_if<command::extend_reservation>(&c))
    ++x->ttl_ns;
  else if (auto* a = std::get_if<command::authorize_grant>(&c))
    a->amount = minor(7'654'321, 0);
  else if (auto* y = std::get_if<command::correct_charge>(&c))
    y->amount = minor(7'654'321, 0);
  else if (auto* v = std::get_if<command::void_grant>(&c))
    v->refund = !v->refund;
  else if (auto* p = std::get_if<command::put_customer>(&c))
    p->advance_limit = {{"USD", minor(977, 0)}};
  else
    return command::pay_invoice{"#77"};
  return c;
}

} // namespace accrue::histories
