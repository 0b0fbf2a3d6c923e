// Balances of the reference model, summed anew each time. Source: balances.md 1, D32, D33, D36, reservations.md.
#include "tests/histories/model.hpp"
#include "tests/histories/numbers.hpp"

#include <algorithm>

namespace accrue::histories {

int128 model::held(std::size_t n, instant now) const {
  int128 sum = 0;
  for (const auto& h : holds_)
    for (const auto& p : h.slices)
      if (p.source == n && h.stands(now))
        sum += p.amount;
  return sum;
}

// What a collection or a void may take.
int128 model::free(std::size_t n, instant now) const { return sources_[n].left - held(n, now); }

// What open fees would still take from what is there (balances.md 1.3).
int128
model::pressed(accrue::currency c, instant now, const command::feature_filter& filter) const {
  std::vector<int128> left;
  for (std::size_t n = 0; n < sources_.size(); ++n) {
    const auto& s = sources_[n];
    const bool there =
        s.currency == c && s.from <= now && !s.ended(now) && in_view(s.features, filter);
    left.push_back(there ? free(n, now) : 0);
  }
  int128 total = 0;
  for (const auto& f : fees_) {
    const bool seen =
        filter.view == command::feature_view::all || f.feature.empty() ||
        (filter.view == command::feature_view::feature && f.feature == filter.feature);
    const bool open = (f.at == stage::created || f.at == stage::active) && now >= f.invoice_at;
    if (f.currency != c || !seen || !open || f.mode == settlement_mode::invoice_only)
      continue;
    if (f.mode == settlement_mode::credit_only) {
      total += f.amount;
      continue;
    }
    auto missing = f.amount;
    for (const auto n : collection_order()) {
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

// Credit counts from when it is booked, and so does what uses it; what will be there is pending.
reply::balance
model::balance(accrue::currency c, instant now, const command::feature_filter& filter) const {
  reply::balance b;
  b.currency = c;
  b.code = code_of(c);
  for (const auto& m : movements_) {
    const auto unit = m.advance ? spends_[m.of].currency : sources_[m.of].currency;
    const auto& features = m.advance ? spends_[m.of].features : sources_[m.of].features;
    if (unit != c || !in_view(features, filter))
      continue;
    if (m.booked <= now)
      b.settled += m.amount;
    else if (m.issues && m.recorded <= now && sources_[m.of].from > now)
      b.pending += m.amount;
  }
  for (std::size_t n = 0; n < sources_.size(); ++n)
    if (sources_[n].currency == c && in_view(sources_[n].features, filter))
      b.reserved += held(n, now);
  b.live = b.settled - b.reserved - pressed(c, now, filter);
  return b;
}

} // namespace accrue::histories
