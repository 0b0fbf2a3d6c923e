// How grants are paid, given up, paid back and taken back. See credit_decisions.hpp.
#include "domain/credit_decisions.hpp"

#include <algorithm>

namespace accrue {

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

// What was written off is open again before somebody pays it after all.
result<void> recover(unit& u, grant& g, int128 fiat) {
  auto step = purchase::recover(g, fiat);
  if (!step)
    return tl::unexpected(step.error());
  g.details.edit() = step->after;
  return ledger::write_off_purchase(
      u.book, g.terms(), step->posted, ledger::direction::correction, u.now());
}

result<void> write_off(unit& u, grant& g) {
  auto step = purchase::write_off(g);
  if (!step)
    return tl::unexpected(step.error());
  g.details.edit() = step->after;
  return ledger::write_off_purchase(
      u.book, g.terms(), step->posted, ledger::direction::forward, u.now());
}

result<void> authorize(unit& u, grant& g, int128 fiat) {
  if (auto ok = recover(u, g, fiat); !ok)
    return ok;
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

result<void> on(unit& u, const command::refund_grant& c) {
  auto g = find_external(u, c.grant);
  if (!g)
    return tl::unexpected(g.error());
  const auto claim = purchase::claim(*g);
  if (!claim)
    return tl::unexpected(claim.error());
  if (claim->minor <= 0 && !c.amount)
    return refuse(errc::conflict, "nothing that was paid has to be paid back", g->reference);
  const auto fiat = payment(*g, c.amount, claim->minor);
  if (!fiat)
    return tl::unexpected(fiat.error());
  auto step = purchase::refund(*g, *fiat);
  if (!step)
    return tl::unexpected(step.error());
  if (auto ok = ledger::refund_purchase(u.book, g->terms(), step->posted.fiat, u.now()); !ok)
    return ok;
  g->details.edit() = step->after;
  u.put(std::move(*g));
  return {};
}

result<void> on(unit& u, const command::write_off_grant& c) {
  auto g = find_external(u, c.grant);
  if (!g)
    return tl::unexpected(g.error());
  if (status_of(*g, u.now()) == grant_status::pending)
    return refuse(errc::conflict, "the grant is pending", g->reference);
  const auto before = g->details->written_off;
  if (auto ok = write_off(u, *g); !ok)
    return ok;
  if (g->details->written_off == before)
    return refuse(errc::conflict, "nothing of its price is open", g->reference);
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

// As if nothing had been given up; what is still open of the rest is given up again.
result<void> void_external(unit& u, grant& g, int128 face, bool refund) {
  const bool given_up = g.details->written_off != 0;
  if (given_up) {
    const auto all = purchase::price(g);
    if (!all)
      return tl::unexpected(all.error());
    if (auto ok = recover(u, g, all->minor); !ok)
      return ok;
  }
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
  return given_up ? write_off(u, g) : result<void>();
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

} // namespace accrue
