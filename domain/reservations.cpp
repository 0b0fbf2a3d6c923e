// Consumption, and reservations: a hold before the work, what it cost afterwards. See credit_decisions.hpp.
// Source: reservations.md; D67.
#include "domain/credit_decisions.hpp"

#include <algorithm>

namespace accrue {
namespace {

constexpr std::int64_t ttl_min_ns = std::int64_t{1'000'000'000};
constexpr std::int64_t ttl_max_ns = ttl_min_ns * 60 * 60 * 24;

result<void> check_ttl(std::int64_t ttl_ns, std::string_view id) {
  if (ttl_ns < ttl_min_ns || ttl_ns > ttl_max_ns)
    return refuse(errc::validation, "a ttl is 1 second to 24 hours", std::string(id));
  return {};
}

result<void> check_feature(std::string_view feature) {
  return feature.empty() ? result<void>() : check_reference(feature, "feature");
}

std::string is_free(const unit& u, int128 amount, currency c) {
  return "only " + to_string(money{amount, c}) + " " + std::string(u.catalog().code(c)) +
         " is free";
}

/// What was taken for a cost, and what nobody paid.
struct taken {
  int128 booked = 0;
  int128 uncovered = 0;
};

// Collects a cost, from what was held for it first; the customer's policy says what to do about a shortfall.
result<taken> take(unit& u,
                   const ledger::collection_terms& terms,
                   std::string_view id,
                   std::span<const ledger::slice> held = {}) {
  auto got = ledger::collect(u.book, terms, held);
  if (!got)
    return tl::unexpected(got.error());
  const auto missing = terms.amount.minor - got->taken;
  taken t{got->taken, 0};
  if (missing <= 0)
    return t;
  const auto c = terms.amount.currency;
  const auto& s = u.before().settings;
  switch (s.over_settlement) {
  case command::over_settlement::refuse:
    return refuse(errc::insufficient_funds, is_free(u, got->taken, c), std::string(id));
  case command::over_settlement::cap:
    t.uncovered = missing;
    return t;
  case command::over_settlement::advance:
    break;
  }
  const auto owed = ledger::advance(u.book, terms, {missing, c}, s.advance_limit(c));
  if (!owed)
    return tl::unexpected(owed.error());
  got->advanced = missing;
  t.booked += missing;
  u.put(ledger::realized(terms, std::string(id), *got, *owed));
  return t;
}

// Who asks for a reservation that is not there is told what became of it.
result<hold> open_hold(const unit& u, const std::string& id) {
  if (const auto* h = u.find_hold(id))
    return *h;
  const auto& holds = u.before().extras->holds;
  auto how = holds.ended(id);
  if (holds.find(id) != nullptr)
    how = hold_end::expired;
  return refuse(errc::not_found,
                how ? "the reservation is " + std::string(to_string(*how))
                    : "no such reservation, or it ended long ago",
                id);
}

// The instant a hold may last to: never longer than the credit under it.
instant capped(const unit& u, std::int64_t ttl_ns, std::span<const ledger::slice> slices) {
  instant at{u.now().ns + ttl_ns};
  for (const auto& s : slices)
    at = std::min(at, u.grant_at(s.grant).details->expires_at);
  return at;
}

void end(unit& u, const hold& h, fact::hold_ended how) {
  how.reference = h.reference;
  how.currency = h.currency;
  u.facts.emplace_back(std::move(how));
}

} // namespace

void expire_holds(unit& u) {
  for (const auto* h : u.before().extras->holds.due(u.now())) {
    u.book.hold(h->slices, -1);
    end(u, *h, {{}, hold_end::expired, {}, 0, 0});
  }
}

result<void> on(unit& u, const command::consume& c) {
  const auto amount = exact_amount(u, c.amount, c.currency, c.id);
  if (!amount)
    return tl::unexpected(amount.error());
  if (auto ok = check_feature(c.feature); !ok)
    return ok;
  const auto t =
      take(u, {*amount, c.feature, ledger::spend_id::of(u.number()), u.now(), u.now()}, c.id);
  if (!t)
    return tl::unexpected(t.error());
  u.facts.emplace_back(fact::consumed{c.id, amount->currency, t->booked, t->uncovered});
  return {};
}

result<void> on(unit& u, const command::reserve& c) {
  const auto amount = exact_amount(u, c.amount, c.currency, c.id);
  if (!amount)
    return tl::unexpected(amount.error());
  if (auto ok = check_feature(c.feature); !ok)
    return ok;
  if (auto ok = check_ttl(c.ttl_ns, c.id); !ok)
    return ok;
  auto plan = ledger::plan_collection(
      u.book, {*amount, c.feature, ledger::spend_id::of(u.number()), u.now(), u.now()});
  if (plan.taken == 0 || (plan.taken < amount->minor && !c.up_to))
    return refuse(errc::insufficient_funds, is_free(u, plan.taken, amount->currency), c.id);
  const auto until = capped(u, c.ttl_ns, plan.slices);
  u.book.hold(plan.slices, +1);
  u.facts.emplace_back(
      fact::reserved{{c.id, amount->currency, c.feature, until, std::move(plan.slices)}});
  return {};
}

result<void> on(unit& u, const command::settle_reservation& c) {
  const auto h = open_hold(u, c.id);
  if (!h)
    return tl::unexpected(h.error());
  const auto actual = limited(exact_money(c.amount, h->currency), c.id);
  if (!actual)
    return tl::unexpected(actual.error());
  if (actual->minor < 0)
    return refuse(errc::validation, "what the work cost must not be negative", c.id);
  u.book.hold(h->slices, -1);
  taken t;
  if (actual->minor > 0) {
    const auto got = take(u,
                          {*actual, h->feature, ledger::spend_id::of(u.number()), u.now(), u.now()},
                          c.id,
                          h->slices);
    if (!got)
      return tl::unexpected(got.error());
    t = *got;
  }
  end(u, *h, {{}, hold_end::settled, {}, t.booked, t.uncovered});
  return {};
}

result<void> on(unit& u, const command::release_reservation& c) {
  const auto h = open_hold(u, c.id);
  if (!h)
    return tl::unexpected(h.error());
  u.book.hold(h->slices, -1);
  end(u, *h, {{}, hold_end::released, {}, 0, 0});
  return {};
}

result<void> on(unit& u, const command::extend_reservation& c) {
  if (auto ok = check_ttl(c.ttl_ns, c.reservation); !ok)
    return ok;
  auto h = open_hold(u, c.reservation);
  if (!h)
    return tl::unexpected(h.error());
  h->expires_at = std::max(h->expires_at, capped(u, c.ttl_ns, h->slices));
  u.facts.emplace_back(fact::hold_extended{std::move(*h)});
  return {};
}

} // namespace accrue
