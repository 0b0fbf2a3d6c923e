// Reading a journal from its first entry to its last. See history.hpp.
#include "domain/history.hpp"

namespace accrue {
namespace {

// The first fact of a kind that satisfies `match`, with its entry.
template <class Fact, class Match>
std::pair<const entry*, const Fact*> first(std::span<const entry> entries, Match match) noexcept {
  for (const auto& e : entries)
    for (const auto& f : e.facts)
      if (const auto* found = std::get_if<Fact>(&f); found && match(*found))
        return {&e, found};
  return {nullptr, nullptr};
}

bool costs(const ledger::route& r, const cost_basis_filter& wanted) {
  switch (wanted.which) {
  case cost_basis_filter::kind::any:
    return true;
  case cost_basis_filter::kind::none:
    return !r.cost_basis;
  case cost_basis_filter::kind::value:
    return r.cost_basis == wanted.value;
  }
  return false;
}

} // namespace

history::history(std::span<const entry> entries) : entries_(entries) {
  for (const auto& e : entries)
    accounts_.insert(accounts_.end(), e.opened.begin(), e.opened.end());
}

bool history::counts(const ledger::sub_account& a, const posting_filter& wanted) const {
  return a.account == wanted.account && (!wanted.stage || a.route.stage == *wanted.stage) &&
         a.route.currency == wanted.currency && costs(a.route, wanted.cost_basis) &&
         (!wanted.features || a.route.features == *wanted.features);
}

result<money> history::sum(const posting_filter& wanted) const {
  std::vector<bool> counted;
  counted.reserve(accounts_.size());
  for (const auto& a : accounts_)
    counted.push_back(counts(a, wanted));
  money total{0, wanted.currency};
  for (const auto& e : entries_)
    for (const auto& t : e.transactions) {
      if (t.booked_at() > wanted.as_of)
        continue;
      for (const auto& p : t.postings()) {
        ENSURE(p.account.value < counted.size());
        if (!counted[p.account.value] || (wanted.source && p.source != *wanted.source) ||
            (wanted.spend && p.spend != *wanted.spend))
          continue;
        const auto next = checked_add(total.minor, p.amount);
        if (!next)
          return tl::unexpected(next.error());
        total.minor = *next;
      }
    }
  return total;
}

std::optional<grant_id> history::find_grant(std::string_view reference) const noexcept {
  const auto [_, found] = first<fact::grant_recorded>(
      entries_, [&](const fact::grant_recorded& f) { return f.grant.reference == reference; });
  return found == nullptr ? std::nullopt : std::optional(found->grant.id);
}

std::optional<ledger::spend_id> history::find_spend(std::string_view reference) const noexcept {
  const auto charge = first<fact::charge_changed>(entries_, [&](const fact::charge_changed& f) {
    return f.charge.terms.reference == reference;
  });
  if (charge.second != nullptr)
    return ledger::spend_id::of(charge.second->charge.terms.id);
  const auto same_id = [&](const auto& f) { return f.id == reference; };
  if (const auto consumed = first<fact::consumed>(entries_, same_id); consumed.first != nullptr)
    return ledger::spend_id::of(consumed.first->number);
  if (const auto settled = first<fact::hold_ended>(entries_,
                                                   [&](const fact::hold_ended& f) {
                                                     return f.reference == reference &&
                                                            f.how == hold_end::settled;
                                                   });
      settled.first != nullptr)
    return ledger::spend_id::of(settled.first->number);
  if (const auto opened = first<fact::advance_opened>(entries_, same_id); opened.first != nullptr)
    return ledger::spend_id::of(opened.first->number);
  return std::nullopt;
}

} // namespace accrue
