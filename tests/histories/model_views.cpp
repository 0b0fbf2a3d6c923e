// What the reference model shows: balances, views, and answers to queries.
#include "tests/histories/model.hpp"

#include <algorithm>

namespace accrue::histories {
namespace {

using view_of = command::feature_view;

bool pays(const std::vector<std::string>& features, std::string_view feature) {
  return features.empty() || std::ranges::find(features, feature) != features.end();
}

bool in_view(const std::vector<std::string>& features, const command::feature_filter& filter) {
  if (filter.view == view_of::all)
    return true;
  return filter.view == view_of::unrestricted ? features.empty() : pays(features, filter.feature);
}

} // namespace

const currency* model::currency_of(std::string_view code) const {
  const auto it = rules_->currencies.find(code);
  return it == rules_->currencies.end() ? nullptr : &it->second;
}

std::string model::code_of(accrue::currency c) const {
  for (const auto& [code, known] : rules_->currencies)
    if (known == c)
      return code;
  return {};
}

std::optional<std::size_t> model::fee_of(std::string_view id) const {
  const auto it = std::ranges::find(fees_, id, &fee::id);
  return it == fees_.end() ? std::nullopt
                           : std::optional(static_cast<std::size_t>(it - fees_.begin()));
}

// "#1" by ordinal, "ACME-000001" by number.
std::optional<std::size_t> model::bill_of(std::string_view name) const {
  for (std::size_t n = 0; n < bills_.size(); ++n)
    if (name == "#" + std::to_string(n + 1) || (bills_[n].number != 0 && name == name_of(n)))
      return n;
  return std::nullopt;
}

std::string model::name_of(std::size_t n) const {
  if (bills_[n].number == 0)
    return "#" + std::to_string(n + 1);
  std::string prefix;
  for (const char c : reference_)
    prefix += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  const auto digits = std::to_string(bills_[n].number);
  return prefix + "-" + std::string(6 - digits.size(), '0') + digits;
}

// What open fees would still take from what is there (balances.md 1.3).
int128
model::pressed(accrue::currency c, instant now, const command::feature_filter& filter) const {
  std::vector<int128> left;
  for (const auto& s : sources_)
    left.push_back(s.currency == c && s.from <= now && in_view(s.features, filter) ? s.left : 0);
  int128 total = 0;
  for (const auto& f : fees_) {
    const bool seen = filter.view == view_of::all || f.feature.empty() ||
                      (filter.view == view_of::feature && f.feature == filter.feature);
    const bool open = (f.at == stage::created || f.at == stage::active) && now >= f.invoice_at;
    if (f.currency != c || !seen || !open || f.mode == settlement_mode::invoice_only)
      continue;
    if (f.mode == settlement_mode::credit_only) {
      total += f.amount;
      continue;
    }
    auto missing = f.amount;
    for (std::size_t n = 0; n < sources_.size(); ++n) {
      if (!pays(sources_[n].features, f.feature))
        continue;
      const auto part = std::min(missing, left[n]);
      left[n] -= part;
      missing -= part;
      total += part;
    }
  }
  return total;
}

reply::balance
model::balance(accrue::currency c, instant now, const command::feature_filter& filter) const {
  reply::balance b;
  b.currency = c;
  b.code = code_of(c);
  for (const auto& s : sources_)
    if (s.currency == c && in_view(s.features, filter))
      b.settled += s.left;
  for (const auto& d : debts_)
    if (d.currency == c && in_view(d.features, filter))
      b.settled -= d.amount;
  b.live = b.settled - pressed(c, now, filter);
  return b;
}

reply::customer_view model::view() const {
  reply::customer_view v;
  v.reference = reference_;
  v.currency = default_currency_ ? code_of(*default_currency_) : "";
  v.over_settlement = policy_;
  v.created_at = created_at_;
  v.tax_name = tax_name_;
  v.tax_rate = tax_rate_;
  return v;
}

reply::charge_view model::view(const fee& f) const {
  reply::charge_view v;
  v.id = f.id;
  v.currency = f.currency;
  v.code = code_of(f.currency);
  v.mode = f.mode;
  v.amount = f.amount;
  v.service_period = f.span;
  v.invoice_at = f.invoice_at;
  constexpr const char* stages[] = {"created",
                                    "active",
                                    "active.realization.processing",
                                    "active.awaiting_payment_settlement",
                                    "final"};
  v.detailed_status = stages[static_cast<std::size_t>(f.at)];
  v.status = v.detailed_status.substr(0, v.detailed_status.find('.'));
  v.advance_after = f.due();
  if (f.run) {
    reply::charge_view::run r;
    r.amount = f.amount;
    r.total = f.run->billed;
    r.credit_total = f.amount - f.run->billed;
    r.credits = f.run->rows;
    if (f.run->advanced != 0)
      r.credits.push_back(f.run->advanced);
    v.runs.push_back(std::move(r));
  }
  return v;
}

reply::invoice_view model::view_bill(std::size_t n) const {
  const auto& b = bills_[n];
  reply::invoice_view v;
  v.name = name_of(n);
  v.currency = b.currency;
  v.code = code_of(b.currency);
  constexpr const char* states[] = {"draft.waiting_auto_approval",
                                    "draft.manual_approval_needed",
                                    "issuing.charge_booking_failed",
                                    "payment_processing.pending",
                                    "payment_processing.authorized",
                                    "overdue",
                                    "paid"};
  v.status = states[static_cast<std::size_t>(b.state)];
  v.amount = b.sum(&bill::line::amount);
  v.total = b.sum(&bill::line::total);
  v.credits = v.amount - v.total;
  period all = fees_[b.lines.front().fee].span;
  for (const auto& l : b.lines) {
    if (l.tax) {
      v.lines.push_back({l.tax->name, all, l.total, 0, l.total, "tax"});
      v.taxes.push_back(*l.tax);
      v.credits += l.total; // which is no line's amount
      continue;
    }
    const auto& f = fees_[l.fee];
    all = {std::min(all.from, f.span.from), std::max(all.to, f.span.to)};
    v.lines.push_back({f.id, f.span, l.amount, l.amount - l.total, l.total, "charge"});
  }
  v.authorized = b.sum(&bill::line::authorized);
  v.settled = b.sum(&bill::line::settled);
  if (b.state == paper::failed)
    v.issues.push_back({true, "internal", "booking failed"});
  v.draft_until = b.until;
  if (b.number != 0) {
    v.number = v.name;
    v.issued_at = b.issued_at;
    v.due_at = b.due_at;
  } else if (b.until) {
    v.due_at = plus_ns(*b.until, rules_->profile.due_after_ns);
  }
  return v;
}

verdict model::answer(const command::any& query, instant stamp) const {
  if (!exists_)
    return errc::not_found;
  reply::receipt r{accrue::sequence(sequence_), reply::ran_due{}, {}};
  const auto now = std::max(stamp, clock_);
  if (std::holds_alternative<command::get_customer>(query)) {
    r.body = view();
  } else if (const auto* q = std::get_if<command::get_balance>(&query)) {
    reply::balances all;
    auto shown = used_;
    for (const auto& f : fees_)
      shown.insert(f.currency);
    if (q->currency) {
      const auto* only = currency_of(*q->currency);
      if (only == nullptr)
        return errc::validation;
      shown = {*only};
    }
    for (const auto c : shown)
      all.items.push_back(balance(c, now, q->filter));
    r.body = std::move(all);
  } else if (const auto* g = std::get_if<command::get_charge>(&query)) {
    const auto n = fee_of(g->charge);
    if (!n)
      return errc::not_found;
    r.body = view(fees_[*n]);
  } else if (const auto* i = std::get_if<command::get_invoice>(&query)) {
    const auto n = bill_of(i->invoice);
    if (!n)
      return errc::not_found;
    r.body = view_bill(*n);
  } else if (std::holds_alternative<command::list_invoices>(query)) {
    reply::invoices all;
    for (std::size_t n = 0; n < bills_.size(); ++n)
      all.items.push_back(view_bill(n));
    r.body = std::move(all);
  } else {
    // Credit and its debts as sub-accounts: one of each kind for each currency that has been booked.
    reply::accounts all;
    for (const auto c : used_) {
      int128 credit = 0;
      for (const auto& s : sources_)
        credit += s.currency == c ? s.left : 0;
      reply::account_view fbo;
      fbo.address.account = ledger::account_type::fbo;
      fbo.address.route.currency = c;
      fbo.code = code_of(c);
      fbo.balance = credit;
      all.items.push_back(std::move(fbo));
    }
    r.body = std::move(all);
  }
  return r;
}

} // namespace accrue::histories
