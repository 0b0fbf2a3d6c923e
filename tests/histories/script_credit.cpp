// Random commands of credit: payments, voids, corrections, recognition, reservations, and questions about them.
#include "tests/histories/script.hpp"

namespace accrue::histories {
namespace {

constexpr std::int64_t hour = 3600 * ns_per_second;

decimal one(int scale = 0) { return decimal::make(1, scale).value(); }

} // namespace

// Payments in parts and whole, and voids.
command::any script::for_grant(known& k) {
  if (k.grants.empty())
    return command::void_grant{"nothing", false};
  const auto& g = k.grants[chance_.pick(k.grants.size())];
  switch (chance_.pick(11)) {
  case 8:
    return command::write_off_grant{g.id};
  case 9:
    return command::refund_grant{g.id, std::nullopt};
  case 10:
    return command::refund_grant{g.id, amount(g.currency, 20)};
  case 0:
  case 1:
    return command::authorize_grant{g.id, amount(g.currency, 8)};
  case 2:
    return command::authorize_grant{g.id, std::nullopt};
  case 3:
    return command::settle_grant{g.id, amount(g.currency, 8)};
  case 4:
  case 5:
    return command::settle_grant{g.id, std::nullopt};
  default:
    return command::void_grant{g.id, chance_.once_in(2)};
  }
}

// Now and then of something that used nothing.
command::any script::correction(known& k) {
  if (k.spends.empty())
    return command::correct_charge{"nothing", std::nullopt};
  if (chance_.once_in(12) && !k.grants.empty())
    return command::correct_charge{chance_.one_of(k.grants).id, std::nullopt};
  const auto& s = chance_.one_of(k.spends);
  if (chance_.once_in(3))
    return command::correct_charge{s.id, std::nullopt};
  return command::correct_charge{s.id, amount(s.currency, chance_.once_in(3) ? 12 : 3)};
}

command::any script::recognition(instant now) {
  command::recognize r;
  if (chance_.once_in(3))
    r.what = command::recognizable::invoiced;
  if (chance_.once_in(6))
    r.as_of = plus_ns(now, -static_cast<std::int64_t>(1 + chance_.pick(60)) * hour);
  return r;
}

// Most are so short that time often ends them.
std::int64_t script::ttl() {
  switch (chance_.pick(4)) {
  case 0:
  case 1:
    return static_cast<std::int64_t>(1000 + chance_.pick(9000)) * 1'000'000;
  case 2:
    return static_cast<std::int64_t>(1 + chance_.pick(60)) * 60 * ns_per_second;
  default:
    return static_cast<std::int64_t>(1 + chance_.pick(24)) * hour;
  }
}

command::reserve script::reservation(known& k, const std::string& id) {
  command::reserve r;
  r.id = id;
  r.currency = currency();
  r.amount = amount(r.currency, chance_.once_in(3) ? 40 : 8);
  r.feature = feature();
  r.ttl_ns = ttl();
  r.up_to = chance_.once_in(3);
  const named n{id, r.currency, r.amount};
  k.holds.push_back(n);
  k.to_settle.push_back(n);
  k.to_release.push_back(n);
  return r;
}

// Settled and released at most once each: the same again would be the same key.
command::any script::for_reservation(known& k, const std::string& id) {
  const auto latest = [this](std::vector<named>& from) { // mostly
    const auto n = from.size() - 1 - chance_.pick(chance_.once_in(3) ? from.size() : 1);
    auto chosen = from[n];
    from.erase(from.begin() + static_cast<std::ptrdiff_t>(n));
    return chosen;
  };
  switch (chance_.pick(7)) {
  case 0:
    if (!k.to_release.empty())
      return command::release_reservation{latest(k.to_release).id};
    break;
  case 1:
  case 2:
    if (!k.holds.empty())
      return command::extend_reservation{chance_.one_of(k.holds).id, ttl()};
    break;
  default:
    if (!k.to_settle.empty()) {
      const auto h = latest(k.to_settle);
      k.spends.push_back({h.id, h.currency});
      const auto paid = chance_.pick(6);
      return command::settle_reservation{h.id,
                                         paid == 0   ? decimal{0}
                                         : paid <= 2 ? h.amount
                                                     : amount(h.currency, paid == 3 ? 40 : 8)};
    }
  }
  return reservation(k, id);
}

command::any script::bad_credit(known& k, instant now, const std::string& id) {
  auto g = grant(k, now, id);
  switch (chance_.pick(7)) {
  case 0:
    g.priority = 0;
    return g;
  case 1: // ends before it begins
    g.effective_at = plus_ns(now, 100 * 24 * hour);
    g.expires_at = g.effective_at;
    return g;
  case 2:
    g.funding = command::grant_funding::external;
    g.cost_basis = decimal{0};
    return g;
  case 3:
    g.funding = command::grant_funding::promotional;
    g.cost_basis = one();
    return g;
  case 4: {
    auto r = reservation(k, id);
    r.ttl_ns = chance_.once_in(2) ? ns_per_second - 1 : 24 * hour + 1;
    return r;
  }
  case 5: {
    auto r = reservation(k, id);
    r.currency = "USD";
    r.amount = chance_.once_in(2) ? decimal{0} : one(3);
    return r;
  }
  default:
    return command::recognize{plus_ns(now, 100 * 24 * hour)};
  }
}

command::any script::credit_query(known& k, instant now) {
  switch (chance_.pick(6)) {
  case 0:
    if (!k.grants.empty())
      return command::get_grant{chance_.one_of(k.grants).id};
    [[fallthrough]];
  case 1:
    return command::list_grants{static_cast<command::grant_state>(chance_.pick(5))};
  case 2:
  case 3:
    if (!k.holds.empty())
      return command::get_reservation{chance_.one_of(k.holds).id};
    [[fallthrough]];
  case 4: // of another instant, past or to come
    return command::get_balance{
        "USD", {}, plus_ns(now, (static_cast<std::int64_t>(chance_.pick(96)) - 72) * (hour / 2))};
  default:
    return command::get_balance{currency(), {command::feature_view::feature, "gpu"}};
  }
}

} // namespace accrue::histories
