// Invoices of the reference model: drafts, issuing, payments, and what time brings.
#include "tests/histories/model.hpp"
#include "tests/histories/numbers.hpp"

#include <algorithm>
#include <utility>

namespace accrue::histories {

std::optional<instant> model::fee::due() const noexcept {
  if (at == stage::created)
    return invoice_at;
  if (at != stage::active)
    return std::nullopt;
  return mode == settlement_mode::credit_only ? booked_at() : span.to;
}

bool model::fee::billable(instant as_of) const noexcept {
  return mode != settlement_mode::credit_only && amount != 0 &&
         (at == stage::created || at == stage::active) && invoice_at <= as_of;
}

int128 model::bill::sum(int128 line::*part) const {
  int128 total = 0;
  for (const auto& l : lines)
    total += l.*part;
  return total;
}

// A draft goes on by itself; what is issued and not wholly authorised becomes overdue (D55).
std::optional<instant> model::bill::due() const {
  if (state == paper::waiting)
    return until;
  if (state == paper::pending && sum(&line::authorized) < sum(&line::total))
    return due_at;
  return std::nullopt;
}

// On all that is left to pay, once, half away from zero (D1, D26, D53).
void model::add_tax(bill& b) const {
  const auto base = b.sum(&bill::line::total);
  if (tax_name_.empty() || base <= 0)
    return;
  const auto amount = rounded(base * tax_rate_.coefficient(), ten_to(tax_rate_.scale()));
  b.lines.push_back({0, 0, amount, 0, 0, 0, false, reply::tax{tax_name_, tax_rate_, base, amount}});
}

model::refused model::on(const command::invoice_pending& c, const booking_failures& failures) {
  const auto as_of = c.as_of.value_or(clock_);
  if (as_of > clock_)
    return errc::validation;
  const accrue::currency* only = nullptr;
  if (c.currency) {
    only = currency_of(*c.currency);
    if (only == nullptr)
      return errc::validation;
  }
  std::map<accrue::currency, std::vector<std::size_t>> wanted;
  std::set<std::string> missing(c.charges.begin(), c.charges.end());
  for (std::size_t n = 0; n < fees_.size(); ++n) {
    const auto& f = fees_[n];
    if (!f.billable(as_of) || (only != nullptr && f.currency != *only))
      continue;
    if (!c.charges.empty() && missing.erase(f.id) == 0)
      continue;
    wanted[f.currency].push_back(n);
  }
  if (!missing.empty())
    return errc::invoice_lines_not_billable;
  if (wanted.empty())
    return errc::invoice_create_no_lines;
  for (const auto& [unit, fees] : wanted) {
    bill b;
    b.currency = unit;
    b.state = rules_->profile.auto_advance ? paper::waiting : paper::manual;
    if (rules_->profile.auto_advance)
      b.until = plus_ns(clock_, rules_->profile.draft_period_ns);
    for (const auto n : fees) {
      auto& f = fees_[n];
      realized run{{}, f.amount};
      if (f.mode == settlement_mode::credit_then_invoice) {
        const auto parts = collect(f.currency, f.feature, f.amount, f.invoice_at);
        if (!parts.empty())
          take(spend_for(f), parts);
        run.rows = rows_of(parts);
        for (const auto& p : parts)
          run.billed -= p.amount;
      }
      b.lines.push_back({n, f.amount, run.billed, 0, 0, false});
      f.run = std::move(run);
      f.at = stage::processing;
      touched_.fees.insert(n);
    }
    add_tax(b);
    bills_.push_back(std::move(b));
    touched_.bills.insert(bills_.size() - 1);
    if (rules_->profile.auto_advance)
      time_passed(bills_.size() - 1, failures);
  }
  return std::nullopt;
}

// Books line by line; a booking that a fault made fail leaves those before it booked (D21).
void model::issue_bill(std::size_t n, const booking_failures& failures) {
  auto& b = bills_[n];
  touched_.bills.insert(n);
  const auto failure = failures.find(static_cast<std::uint32_t>(n + 1));
  std::size_t booked = 0;
  for (auto& l : b.lines) {
    if (failure != failures.end() && booked == failure->second) {
      b.state = paper::failed;
      return;
    }
    ++booked;
    if (std::exchange(l.booked, true))
      continue;
    if (l.tax) {
      if (l.total != 0)
        touched_.currencies.insert(b.currency);
      continue;
    }
    auto& f = fees_[l.fee];
    f.at = l.total == 0 ? stage::final : stage::awaiting;
    if (l.total != 0)
      touched_.currencies.insert(b.currency);
    touched_.fees.insert(l.fee);
  }
  b.state = paper::pending;
  b.number = ++issued_;
  b.issued_at = clock_;
  b.due_at = plus_ns(std::max(clock_, b.until.value_or(clock_)), rules_->profile.due_after_ns);
  ++touched_.messages;
}

void model::time_passed(std::size_t n, const booking_failures& failures) {
  auto& b = bills_[n];
  if (b.state == paper::waiting && clock_ >= *b.until)
    return issue_bill(n, failures);
  if (b.state == paper::pending && clock_ >= b.due_at) {
    b.state = paper::overdue;
    touched_.bills.insert(n);
  }
}

// Fills the lines in their order (D46).
model::refused model::move_money(bill& b, bool authorize, int128 amount) {
  if (amount <= 0)
    return errc::validation;
  for (auto& l : b.lines) {
    const auto open = authorize ? l.total - l.authorized : l.authorized - l.settled;
    const auto part = std::min(open, amount);
    if (part <= 0)
      continue;
    amount -= part;
    (authorize ? l.authorized : l.settled) += part;
    l.written_off = std::min(l.written_off, l.total - l.authorized);
    touched_.currencies.insert(b.currency);
    if (l.tax)
      continue;
    if (!authorize && l.settled == l.total)
      fees_[l.fee].at = stage::final;
    touched_.fees.insert(l.fee);
  }
  if (amount > 0)
    return authorize ? errc::over_authorization : errc::over_settlement;
  return std::nullopt;
}

model::refused
model::pay(std::string_view name, bool authorize, bool settle, std::optional<decimal> amount) {
  const auto n = bill_of(name);
  if (!n)
    return errc::not_found;
  auto& b = bills_[*n];
  using line = bill::line;
  if (!b.is_payable() && b.state != paper::uncollectible)
    return errc::invoice_action_not_available;
  const auto total = b.sum(&line::total);
  for (const bool authorizes : {true, false}) {
    if (authorizes ? !authorize : !settle)
      continue;
    auto part = authorizes ? total - b.sum(&line::authorized)
                           : b.sum(&line::authorized) - b.sum(&line::settled);
    if (amount) {
      const auto asked = minor_units(*amount, b.currency, false);
      if (!asked)
        return errc::validation;
      part = *asked;
    }
    if (part == 0 && !amount && ((authorize && settle) || total == 0))
      continue;
    if (const auto no = move_money(b, authorizes, part))
      return no;
  }
  if (b.sum(&line::settled) == total)
    b.state = paper::paid;
  else if (b.sum(&line::authorized) == total)
    b.state = paper::authorized;
  touched_.bills.insert(*n);
  return std::nullopt;
}

model::refused model::on(const command::write_off_invoice& c) {
  const auto n = bill_of(c.invoice);
  if (!n)
    return errc::not_found;
  auto& b = bills_[*n];
  if (!b.is_payable())
    return errc::invoice_action_not_available;
  b.state = paper::uncollectible;
  for (auto& l : b.lines) {
    l.written_off = l.total - l.authorized;
    if (l.written_off != 0)
      touched_.currencies.insert(b.currency);
  }
  touched_.bills.insert(*n);
  return std::nullopt;
}

model::refused model::on(const command::advance_invoice& c, const booking_failures& failures) {
  const auto n = bill_of(c.invoice);
  if (!n)
    return errc::not_found;
  const auto due = bills_[*n].due();
  if (!due || *due > clock_)
    return errc::invoice_cannot_advance;
  time_passed(*n, failures);
  return std::nullopt;
}

model::refused model::on(const command::approve_invoice& c, const booking_failures& failures) {
  const auto n = bill_of(c.invoice);
  if (!n)
    return errc::not_found;
  if (bills_[*n].state != paper::waiting && bills_[*n].state != paper::manual)
    return errc::invoice_action_not_available;
  issue_bill(*n, failures);
  return std::nullopt;
}

model::refused model::on(const command::retry_invoice& c, const booking_failures& failures) {
  const auto n = bill_of(c.invoice);
  if (!n)
    return errc::not_found;
  if (bills_[*n].state != paper::failed)
    return errc::invoice_action_not_available;
  issue_bill(*n, failures);
  return std::nullopt;
}

// Each part on its own: what fails is undone and stays due.
model::refused model::on(const command::run_due& /*all*/, const booking_failures& failures) {
  std::vector<std::size_t> due_fees;
  for (std::size_t n = 0; n < fees_.size(); ++n)
    if (const auto at = fees_[n].due(); at && *at <= clock_)
      due_fees.push_back(n);
  for (const auto n : due_fees) {
    const auto before = *this;
    if (advance_fee(n))
      *this = before;
  }
  const auto before = *this;
  const auto known = bills_.size();
  if (on(command::invoice_pending{}, failures))
    *this = before;
  for (std::size_t n = 0; n < known; ++n)
    if (const auto at = bills_[n].due(); at && *at <= clock_)
      time_passed(n, failures);
  return std::nullopt;
}

} // namespace accrue::histories
