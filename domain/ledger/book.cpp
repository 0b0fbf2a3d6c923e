// Bookkeeping of one customer: applying transactions, and the view with a unit on top.
#include "domain/ledger/book.hpp"

#include <algorithm>
#include <tuple>

namespace accrue::ledger {

bool collected_before(const credit_source& a, const credit_source& b) noexcept {
  const auto key = [](const credit_source& s) {
    return std::tuple(s.priority, !s.restricted, s.expires_at, s.grant, s.account);
  };
  return key(a) < key(b);
}

const sub_account& book::at(sub_account_id number) const {
  ENSURE(number.value < accounts_.size());
  return accounts_[number.value];
}

int128 book::balance(sub_account_id number) const {
  ENSURE(number.value < balances_.size());
  return balances_[number.value];
}

std::optional<sub_account_id> book::find(const sub_account& address) const noexcept {
  for (std::uint32_t n = 0; n < accounts_.size(); ++n)
    if (accounts_[n] == address)
      return sub_account_id(n);
  return std::nullopt;
}

sub_account_id book::open(sub_account address) {
  accounts_.push_back(std::move(address));
  balances_.push_back(0);
  return sub_account_id(static_cast<std::uint32_t>(accounts_.size() - 1));
}

void book::apply(const transaction& t, instant expires_at) {
  for (const auto& p : t.postings()) {
    ENSURE(p.account.value < accounts_.size());
    balances_[p.account.value] += p.amount;
    const auto& address = accounts_[p.account.value];
    if (address.account != account_type::fbo || p.source == grant_id{})
      continue;
    const auto same = [&](const credit_source& s) {
      return s.grant == p.source && s.account == p.account;
    };
    if (auto it = std::ranges::find_if(sources_, same); it != sources_.end()) {
      it->amount += p.amount;
      if (it->amount == 0)
        sources_.erase(it);
      continue;
    }
    const credit_source fresh{p.source,
                              p.account,
                              address.route.priority,
                              !address.route.features.empty(),
                              t.booked_at(),
                              expires_at,
                              p.amount};
    sources_.insert(std::ranges::upper_bound(sources_, fresh, collected_before), fresh);
  }
}

const sub_account& book_overlay::at(sub_account_id number) const {
  const auto base_count = base_->accounts_.size();
  if (number.value < base_count)
    return base_->accounts_[number.value];
  ENSURE(number.value - base_count < opened_.size());
  return opened_[number.value - base_count];
}

int128 book_overlay::balance(sub_account_id number) const {
  int128 total = number.value < base_->balances_.size() ? base_->balances_[number.value] : 0;
  for (const auto& c : changes_)
    if (c.account == number)
      total += c.amount;
  return total;
}

result<sub_account_id> book_overlay::resolve(sub_account address) {
  if (const auto known = base_->find(address))
    return *known;
  const auto base_count = static_cast<std::uint32_t>(base_->accounts_.size());
  if (const auto it = std::ranges::find(opened_, address); it != opened_.end())
    return sub_account_id(base_count + static_cast<std::uint32_t>(it - opened_.begin()));
  if (auto ok = check_route(address.account, address.route); !ok)
    return tl::unexpected(ok.error());
  opened_.push_back(std::move(address));
  return sub_account_id(base_count + static_cast<std::uint32_t>(opened_.size() - 1));
}

int128 book_overlay::left(const credit_source& source) const {
  int128 total = source.amount;
  for (const auto& c : source_changes_)
    if (c.grant == source.grant && c.account == source.account)
      total += c.amount;
  return total;
}

result<void> book_overlay::post(template_code code,
                                direction dir,
                                instant booked_at,
                                std::vector<posting> postings) {
  auto made = transaction::make(code, dir, booked_at, std::move(postings), *this);
  if (!made)
    return tl::unexpected(made.error());
  for (const auto& p : made->postings())
    if (auto sum = checked_add(balance(p.account), p.amount); !sum)
      return refuse(errc::overflow, "a balance would leave the range of 128 bits");
  for (const auto& p : made->postings()) {
    const auto it = std::ranges::find(changes_, p.account, &change::account);
    if (it != changes_.end())
      it->amount += p.amount;
    else
      changes_.push_back({p.account, p.amount});
    if (at(p.account).account == account_type::fbo && p.source != grant_id{})
      source_changes_.push_back({p.source, p.account, p.amount});
  }
  transactions_.push_back(std::move(*made));
  return {};
}

} // namespace accrue::ledger
