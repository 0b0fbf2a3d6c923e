// Rows of the invoice's state machine, its derived dates, and how payments fill its lines.
#include "domain/invoicing/invoice.hpp"

#include <algorithm>

namespace accrue::invoicing {

to<issuing_charge_booking> on(const draft_waiting_auto_approval&, const approved&) {
  return issuing_charge_booking{};
}

to<draft_waiting_auto_approval, issuing_charge_booking> on(const draft_waiting_auto_approval& s,
                                                           const time_passed& e) {
  if (e.now < s.until)
    return s;
  return issuing_charge_booking{};
}

to<issuing_charge_booking> on(const draft_manual_approval_needed&, const approved&) {
  return issuing_charge_booking{};
}

to<payment_pending> on(const issuing_charge_booking&, const all_booked& e) {
  return payment_pending{e.issued};
}

to<issuing_charge_booking_failed> on(const issuing_charge_booking&, const booking_failed&) {
  return issuing_charge_booking_failed{};
}

to<issuing_charge_booking> on(const issuing_charge_booking_failed&, const retried&) {
  return issuing_charge_booking{};
}

to<payment_pending, payment_authorized, paid> on(const payment_pending& s, const payment_moved& e) {
  if (e.wholly_settled)
    return paid{s.issued};
  if (e.wholly_authorized)
    return payment_authorized{s.issued};
  return s;
}

to<payment_pending, overdue> on(const payment_pending& s, const time_passed& e) {
  if (e.now < s.issued.due_at)
    return s;
  return overdue{s.issued};
}

to<payment_authorized, paid> on(const payment_authorized& s, const payment_moved& e) {
  if (e.wholly_settled)
    return paid{s.issued};
  return s;
}

to<overdue, payment_authorized, paid> on(const overdue& s, const payment_moved& e) {
  if (e.wholly_settled)
    return paid{s.issued};
  if (e.wholly_authorized)
    return payment_authorized{s.issued};
  return s;
}

to<uncollectible> on(const payment_pending& s, const given_up&) { return uncollectible{s.issued}; }
to<uncollectible> on(const payment_authorized& s, const given_up&) {
  return uncollectible{s.issued};
}
to<uncollectible> on(const overdue& s, const given_up&) { return uncollectible{s.issued}; }

to<uncollectible, payment_authorized, paid> on(const uncollectible& s, const payment_moved& e) {
  if (e.wholly_settled)
    return paid{s.issued};
  if (e.wholly_authorized)
    return payment_authorized{s.issued};
  return s;
}

result<state> decide(const state& s, const event& e) {
  return std::visit(
      [&](const auto& from, const auto& what) -> result<state> {
        if constexpr (requires { on(from, what); })
          return on(from, what).template into<state>();
        else
          return refuse(errc::invoice_action_not_available,
                        "an invoice that is " + std::string(to_string(s)) + " cannot do this");
      },
      s,
      e);
}

std::string_view to_string(recognition_policy p) noexcept {
  return p == recognition_policy::on_collection ? "on_collection" : "at_period_end";
}

std::string_view to_string(const state& s) noexcept {
  constexpr std::string_view names[] = {"draft.waiting_auto_approval",
                                        "draft.manual_approval_needed",
                                        "issuing.charge_booking",
                                        "issuing.charge_booking_failed",
                                        "payment_processing.pending",
                                        "payment_processing.authorized",
                                        "overdue",
                                        "paid",
                                        "uncollectible"};
  static_assert(std::size(names) == std::variant_size_v<state>);
  return names[s.index()];
}

totals invoice::totals() const noexcept {
  invoicing::totals t;
  for (const auto& l : lines) {
    (l.tax ? t.taxes : t.amount) += l.amount;
    t.credits += l.credits;
    t.total += l.total;
    t.authorized += l.authorized;
    t.settled += l.settled;
    t.written_off += l.written_off;
  }
  return t;
}

const issuance* invoice::issued() const noexcept {
  return std::visit(
      [](const auto& s) -> const issuance* {
        if constexpr (requires { s.issued; })
          return &s.issued;
        else
          return nullptr;
      },
      state);
}

std::optional<instant> invoice::due_at() const noexcept {
  if (const auto* done = issued())
    return done->due_at;
  if (!draft_until)
    return std::nullopt;
  return plus_ns(*draft_until, due_after_ns);
}

std::optional<instant> invoice::advance_after() const noexcept {
  if (const auto* s = std::get_if<draft_waiting_auto_approval>(&state))
    return s->until;
  // Nothing to pay is wholly authorized, and never overdue (D55).
  const auto t = totals();
  if (const auto* s = std::get_if<payment_pending>(&state); s && t.authorized < t.total)
    return s->issued.due_at;
  return std::nullopt;
}

state first_state(const profile& p, instant now) noexcept {
  if (!p.auto_advance)
    return draft_manual_approval_needed{};
  return draft_waiting_auto_approval{plus_ns(now, p.draft_period_ns)};
}

issuance issue_at(const invoice& i, std::uint64_t number, instant now) noexcept {
  // Issued late, it still leaves the whole time to pay (D3).
  const auto base = std::max(now, i.draft_until.value_or(now));
  return {number, now, plus_ns(base, i.due_after_ns)};
}

result<std::optional<line>>
tax_line(std::span<const line> lines, const std::optional<rating::tax_rate>& rate, currency c) {
  rating::totals sum;
  for (const auto& l : lines) {
    sum.amount += l.amount;
    sum.credits += l.credits;
  }
  auto tax = rating::tax_on(sum, rate, c);
  if (!tax)
    return tl::unexpected(tax.error());
  if (!*tax)
    return std::nullopt;
  line l;
  l.name = (*tax)->rate.name();
  l.period = lines.front().period;
  for (const auto& other : lines)
    l.period = {std::min(l.period.from, other.period.from), std::max(l.period.to, other.period.to)};
  l.amount = l.total = (*tax)->amount;
  l.tax = std::move(*tax);
  return l;
}

namespace {

template <class Open>
result<std::vector<share>> fill(const invoice& i, int128 amount, errc beyond, Open open) {
  if (amount <= 0)
    return refuse(errc::validation, "a payment needs a positive amount");
  std::vector<share> shares;
  auto rest = amount;
  for (std::size_t n = 0; n < i.lines.size() && rest > 0; ++n) {
    const auto part = std::min(rest, open(i.lines[n]));
    if (part <= 0)
      continue;
    shares.push_back({n, part});
    rest -= part;
  }
  if (rest > 0)
    return refuse(beyond, "the amount is more than the invoice has open for this step");
  return shares;
}

} // namespace

result<std::vector<share>> authorize_shares(const invoice& i, int128 amount) {
  return fill(
      i, amount, errc::over_authorization, [](const line& l) { return l.total - l.authorized; });
}

result<std::vector<share>> settle_shares(const invoice& i, int128 amount) {
  return fill(
      i, amount, errc::over_settlement, [](const line& l) { return l.authorized - l.settled; });
}

int128 to_recover(const line& l, int128 share) noexcept {
  const auto open = l.total - l.authorized - l.written_off;
  return std::clamp<int128>(share - open, 0, l.written_off);
}

std::string number_prefix(std::string_view reference, customer_id number) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  // "ACME-C" would meet the cancellations of ACME.
  const bool injective =
      reference.size() <= 24 && std::ranges::all_of(reference, plain) && !reference.ends_with("-c");
  std::string prefix;
  for (const char c : reference.substr(0, 24)) {
    if (c >= 'a' && c <= 'z')
      prefix += static_cast<char>(c - 'a' + 'A');
    else if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-')
      prefix += c;
  }
  // '.' never stands in the plain form, so the two forms cannot meet.
  return injective ? prefix : prefix + "." + std::to_string(number.value);
}

std::string format_number(std::string_view prefix, std::uint64_t number) {
  auto digits = std::to_string(number);
  if (digits.size() < 6)
    digits.insert(0, 6 - digits.size(), '0');
  return std::string(prefix) + "-" + digits;
}

} // namespace accrue::invoicing
