// Weights and shapes of random commands. See script.hpp.
#include "tests/histories/script.hpp"

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

command::grant_credit script::grant(instant now, const std::string& id) {
  command::grant_credit g;
  g.id = id;
  g.currency = currency();
  g.amount = amount(g.currency, 50);
  g.priority = static_cast<std::uint16_t>(100 + chance_.pick(2));
  if (const auto f = feature(); !f.empty())
    g.features = {f};
  if (chance_.once_in(6))
    g.features = {"gpu", "api", "gpu"};
  if (chance_.once_in(4))
    g.effective_at = plus_ns(now, -static_cast<std::int64_t>(chance_.pick(48)) * hour);
  if (chance_.once_in(6) && g.currency == "USD") // rounded on entry
    g.amount = minor(1 + chance_.pick(50000), 3);
  return g;
}

command::create_charge script::fee(instant now, const std::string& id) {
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
  fees_.push_back(id);
  return c;
}

command::any script::for_invoice() {
  switch (chance_.pick(9)) {
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
  default:
    return command::pay_invoice{invoice()};
  }
}

command::any script::command_at(instant now, std::size_t n) {
  const auto id = "x" + std::to_string(n);
  switch (chance_.pick(20)) {
  case 0:
  case 1:
  case 2:
    return grant(now, id);
  case 3:
  case 4:
  case 5:
    return fee(now, id);
  case 6:
  case 7:
    return command::invoice_pending{};
  case 8:
  case 9:
  case 10:
    return for_invoice();
  case 11:
    return command::run_due{};
  case 12:
    if (!fees_.empty())
      return command::advance_charge{chance_.one_of(fees_)};
    [[fallthrough]];
  case 13: {
    const auto unit = currency();
    if (chance_.once_in(2))
      return command::open_credit{id, amount(unit, 20), unit, {}, std::nullopt};
    return command::open_advance{id, amount(unit, 5), unit, {}, std::nullopt};
  }
  case 14:
    return customer();
  default: {
    const auto unit = currency();
    return command::consume{id, amount(unit, chance_.once_in(3) ? 60 : 10), unit, feature()};
  }
  }
}

command::any script::query() {
  switch (chance_.pick(10)) {
  case 0:
    return command::get_customer{};
  case 1:
    return command::get_accounts{};
  case 2:
    return command::list_invoices{};
  case 3:
    return command::get_invoice{invoice()};
  case 4:
    if (!fees_.empty())
      return command::get_charge{chance_.one_of(fees_)};
    [[fallthrough]];
  case 5:
    return command::get_balance{"USD", {command::feature_view::unrestricted, {}}};
  case 6:
    return command::get_balance{currency(), {command::feature_view::feature, "api"}};
  default:
    return command::get_balance{};
  }
}

command::any script::bad_command(instant now, std::size_t n) {
  const auto id = "x" + std::to_string(n);
  switch (chance_.pick(9)) {
  case 0:
    return command::consume{id, decimal{0}, "USD", {}};
  case 1:
    return command::consume{id, minor(12345, 3), "USD", {}}; // a tenth of a cent
  case 2:
    return command::consume{id, minor(1, 0), "DUST", {}};
  case 3: {
    auto g = grant(now, id);
    g.priority = 0;
    return g;
  }
  case 4: {
    auto g = grant(now, id);
    g.effective_at = plus_ns(now, 100 * 24 * hour);
    return g;
  }
  case 5: {
    auto f = fee(now, id);
    std::swap(f.service_period.from, f.service_period.to);
    return f;
  }
  case 6: { // 10^31 dollars are more than 2^100 cents
    int128 huge = 1;
    for (int i = 0; i < 31; ++i)
      huge *= 10;
    return command::consume{id, decimal::make(huge, 0).value(), "USD", {}};
  }
  case 7:
    return command::consume{{}, minor(1, 0), "USD", {}};
  default:
    return command::invoice_pending{"DUST", std::nullopt, {}};
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
  else if (auto* p = std::get_if<command::put_customer>(&c))
    p->advance_limit = {{"USD", minor(977, 0)}};
  else
    return command::pay_invoice{"#77"};
  return c;
}

} // namespace accrue::histories
