// Rows of the flat fee's state machine, in the order of the header.
#include "domain/charges/flat_fee.hpp"

#include <algorithm>

namespace accrue {

std::string_view to_string(settlement_mode m) noexcept {
  switch (m) {
  case settlement_mode::credit_then_invoice:
    return "credit_then_invoice";
  case settlement_mode::credit_only:
    return "credit_only";
  case settlement_mode::invoice_only:
    return "invoice_only";
  }
  return "unknown";
}

} // namespace accrue

namespace accrue::flat_fee {

result<money> prorate(const money& amount, const period& part, const period& full) {
  const auto part_seconds = seconds(part);
  const auto full_seconds = seconds(full);
  if (part_seconds <= 0 || full_seconds <= 0 || part_seconds >= full_seconds)
    return amount;
  return multiply_ratio(amount, part_seconds, full_seconds);
}

int128 run::credited() const noexcept {
  int128 total = advanced;
  for (const auto& s : credits)
    total += s.amount;
  return total;
}

to<created, active, finished> on(const created& s, const advanced& e, const terms& t, effects&) {
  if (e.now < t.invoice_at)
    return s;
  if (t.amount.is_zero())
    return finished{};
  return active{};
}

to<deleted> on(const created&, const removed&, const terms&, effects&) { return deleted{}; }

to<active, collecting_credit> on(const active& s, const advanced& e, const terms& t, effects& out) {
  if (t.mode != settlement_mode::credit_only || e.now < t.booked_at())
    return s;
  out.push_back(collect_credit{t.amount.minor, true});
  return collecting_credit{};
}

to<collecting_credit, waiting_for_collection>
on(const active&, const line_assigned& e, const terms& t, effects& out) {
  if (t.mode == settlement_mode::credit_only)
    return refuse(
        errc::illegal_transition, "a credit_only charge has no invoice line", t.reference);
  if (t.mode == settlement_mode::invoice_only)
    return waiting_for_collection{run{e.invoice, {}, 0, t.amount.minor, 0, 0}};
  out.push_back(collect_credit{t.amount.minor, false});
  return collecting_credit{e.invoice};
}

to<deleted> on(const active&, const removed&, const terms&, effects&) { return deleted{}; }

to<waiting_for_collection, finished>
on(const collecting_credit& s, const credit_collected& e, const terms& t, effects&) {
  run made{s.invoice, e.credit.slices, e.credit.advanced, 0, 0, 0};
  made.billed = t.amount.minor - made.credited();
  ENSURE(made.billed >= 0);
  if (s.invoice != invoice_id{}) {
    ENSURE(made.advanced == 0);
    return waiting_for_collection{std::move(made)};
  }
  ENSURE(made.billed == 0);
  return finished{std::move(made)};
}

to<processing>
on(const waiting_for_collection& s, const collection_completed&, const terms&, effects&) {
  return processing{s.run};
}

to<awaiting_payment, finished>
on(const processing& s, const invoice_issued&, const terms&, effects& out) {
  if (s.run.billed == 0)
    return finished{s.run};
  out.push_back(accrue_billed{s.run.billed});
  return awaiting_payment{s.run};
}

to<awaiting_payment>
on(const awaiting_payment& s, const payment_authorized& e, const terms& t, effects& out) {
  auto next = s;
  next.run.authorized += e.amount;
  if (e.amount <= 0 || next.run.authorized > next.run.billed)
    return refuse(errc::over_authorization, "more than the line bills", t.reference);
  out.push_back(book_authorized{e.amount, e.at});
  return next;
}

to<awaiting_payment, finished>
on(const awaiting_payment& s, const payment_settled& e, const terms& t, effects& out) {
  auto next = s;
  next.run.settled += e.amount;
  if (e.amount <= 0 || next.run.settled > next.run.authorized)
    return refuse(errc::over_settlement, "more than was authorized", t.reference);
  out.push_back(book_settled{e.amount, e.at});
  if (next.run.settled == next.run.billed)
    return finished{std::move(next.run)};
  return next;
}

to<finished> on(const finished& s, const advanced&, const terms&, effects&) { return s; }

namespace {

result<decision> step(const state& s, const event& e, const terms& t) {
  return std::visit(
      [&](const auto& from, const auto& what) -> result<decision> {
        decision d;
        if constexpr (requires { on(from, what, t, d.effects); }) {
          auto next = on(from, what, t, d.effects).template into<state>();
          if (!next)
            return tl::unexpected(next.error());
          d.state = std::move(*next);
          return d;
        } else {
          return refuse(errc::illegal_transition,
                        "a charge that is " + std::string(to_string(s)) + " cannot do this",
                        t.reference);
        }
      },
      s,
      e);
}

} // namespace

result<decision> decide(const state& s, const event& e, const terms& t) {
  // A line may be assigned to a charge whose time has come but which nobody has advanced yet.
  if (const auto* line = std::get_if<line_assigned>(&e);
      line && std::holds_alternative<created>(s)) {
    auto first = step(s, advanced{line->now}, t);
    if (!first)
      return first;
    return step(first->state, e, t);
  }
  auto d = step(s, e, t);
  // Time carries created → active → collecting in one call.
  while (d && std::holds_alternative<advanced>(e) && d->effects.empty()) {
    if (!std::holds_alternative<active>(d->state) || std::holds_alternative<active>(s))
      break;
    auto further = step(d->state, e, t);
    if (!further)
      return further;
    const bool stable = std::holds_alternative<active>(further->state);
    d = std::move(further);
    if (stable)
      break;
  }
  return d;
}

std::string_view to_string(const state& s) noexcept {
  constexpr std::string_view names[] = {"created",
                                        "active",
                                        "active.realization.started",
                                        "active.realization.waiting_for_collection",
                                        "active.realization.processing",
                                        "active.awaiting_payment_settlement",
                                        "final",
                                        "deleted"};
  static_assert(std::size(names) == std::variant_size_v<state>);
  return names[s.index()];
}

std::string_view status(const state& s) noexcept {
  const auto name = to_string(s);
  return name.substr(0, name.find('.'));
}

const run* current_run(const state& s) noexcept {
  return std::visit(
      [](const auto& v) -> const run* {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(v)>, finished>)
          return v.run ? &*v.run : nullptr;
        else if constexpr (requires { v.run; })
          return &v.run;
        else
          return nullptr;
      },
      s);
}

std::optional<instant> advance_after(const state& s, const terms& t) noexcept {
  if (std::holds_alternative<created>(s))
    return t.invoice_at;
  if (!std::holds_alternative<active>(s))
    return std::nullopt;
  return t.mode == settlement_mode::credit_only ? t.booked_at() : t.service_period.to;
}

bool billable(const state& s, const terms& t, instant as_of) noexcept {
  if (t.mode == settlement_mode::credit_only || t.amount.is_zero())
    return false;
  return (std::holds_alternative<created>(s) || std::holds_alternative<active>(s)) &&
         t.invoice_at <= as_of;
}

int128 outstanding(const state& s, const terms& t, instant now) noexcept {
  if (t.mode == settlement_mode::invoice_only || now < t.invoice_at)
    return 0;
  // Once its credits are booked it takes no more: what is left is the invoice's (D36).
  const bool open = std::holds_alternative<created>(s) || std::holds_alternative<active>(s);
  return open ? t.amount.minor : 0;
}

} // namespace accrue::flat_fee
