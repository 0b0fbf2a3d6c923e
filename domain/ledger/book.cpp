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

int128 book::balance_at(sub_account_id number, instant now) const {
  auto total = balance(number);
  for (const auto& later : *ahead_)
    if (later.at > now && later.account == number)
      total -= later.amount;
  return total;
}

bool is_breakage(template_code code) noexcept {
  return code == template_code::plan_breakage || code == template_code::release_breakage ||
         code == template_code::reopen_breakage;
}

namespace {

// One entry an instant and account; none where they cancel out.
void schedule(std::vector<scheduled>& all, const scheduled& s) {
  const auto key = [](const scheduled& x) { return std::pair(x.at, x.account); };
  const auto it = std::ranges::lower_bound(all, key(s), {}, key);
  if (it == all.end() || key(*it) != key(s)) {
    all.insert(it, s);
    return;
  }
  it->amount += s.amount;
  if (it->amount == 0)
    all.erase(it);
}

} // namespace

void book::add_credit(const posting& p, const lifetime_of& credit) {
  const auto same = [&](const credit_source& s) {
    return s.grant == p.source && s.account == p.account;
  };
  if (const auto it = std::ranges::find_if(sources_, same); it != sources_.end()) {
    it->amount += p.amount;
    ENSURE(it->amount >= it->held);
    if (it->amount == 0)
      sources_.erase(it);
    return;
  }
  ENSURE(p.amount > 0);
  const auto& route = accounts_[p.account.value].route;
  const auto [from, until] = credit(p.source);
  const credit_source fresh{
      p.source, p.account, route.priority, !route.features.empty(), from, until, p.amount, 0};
  sources_.insert(std::ranges::upper_bound(sources_, fresh, collected_before), fresh);
}

void book::apply(const transaction& t, instant now, const lifetime_of& credit) {
  for (const auto& p : t.postings()) {
    ENSURE(p.account.value < accounts_.size());
    balances_[p.account.value] += p.amount;
    if (t.booked_at() > now)
      schedule(ahead_.edit(), {t.booked_at(), p.account, p.amount});
    if (accounts_[p.account.value].account != account_type::fbo || p.source == grant_id{} ||
        is_breakage(t.code()))
      continue;
    // What comes back after its end is gone at once (D61).
    const bool is_over = p.amount > 0 && std::min(now, t.booked_at()) >= credit(p.source).until;
    if (!is_over)
      add_credit(p, credit);
  }
}

void book::pass(instant now) {
  if (ahead_->empty() || ahead_->front().at > now)
    return;
  auto& all = ahead_.edit();
  all.erase(all.begin(), std::ranges::upper_bound(all, now, {}, &scheduled::at));
  ahead_.trim();
}

void book::hold(std::span<const slice> slices, int sign) {
  for (const auto& s : slices) {
    const auto it = std::ranges::find_if(sources_, [&](const credit_source& x) {
      return x.grant == s.grant && x.account == s.account;
    });
    ENSURE(it != sources_.end());
    it->held += sign * s.amount;
    ENSURE(it->held >= 0 && it->held <= it->amount);
  }
}

book book::restored(address_list accounts,
                    std::vector<int128> balances,
                    std::vector<credit_source> sources,
                    std::vector<scheduled> ahead) {
  book b;
  b.accounts_ = std::move(accounts);
  b.balances_ = std::move(balances);
  b.sources_ = std::move(sources);
  if (!ahead.empty())
    b.ahead_.edit() = std::move(ahead);
  return b;
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

int128 book_overlay::free(const credit_source& source) const {
  int128 total = source.amount - source.held;
  for (const auto& c : source_changes_)
    if (c.grant == source.grant && c.account == source.account)
      total += c.amount - c.held;
  return total;
}

void book_overlay::hold(std::span<const slice> slices, int sign) {
  for (const auto& s : slices)
    source_changes_.push_back({s.grant, s.account, 0, sign * s.amount});
}

const credit_source* book_overlay::find_source(grant_id grant,
                                               sub_account_id account) const noexcept {
  const auto it = std::ranges::find_if(base_->sources_, [&](const credit_source& s) {
    return s.grant == grant && s.account == account;
  });
  return it == base_->sources_.end() ? nullptr : &*it;
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
    if (at(p.account).account == account_type::fbo && p.source != grant_id{} && !is_breakage(code))
      source_changes_.push_back({p.source, p.account, p.amount, 0});
  }
  transactions_.push_back(std::move(*made));
  return {};
}

} // namespace accrue::ledger
