// Rules of routes. See account.hpp; nothing here moves money.
#include "domain/ledger/account.hpp"

#include "domain/ids.hpp"

#include <algorithm>
#include <unordered_map>

namespace accrue::ledger {

std::string_view to_string(account_type a) noexcept {
  switch (a) {
  case account_type::fbo:
    return "fbo";
  case account_type::receivable:
    return "receivable";
  case account_type::accrued:
    return "accrued";
  case account_type::wash:
    return "wash";
  case account_type::earnings:
    return "earnings";
  case account_type::brokerage:
    return "brokerage";
  case account_type::breakage:
    return "breakage";
  case account_type::write_off:
    return "write_off";
  case account_type::tax_payable:
    return "tax_payable";
  }
  return "unknown";
}

bool same_value(const route& a, const route& b) noexcept {
  return a.currency == b.currency && a.cost_basis == b.cost_basis &&
         a.cost_basis_currency == b.cost_basis_currency;
}

result<void> check_route(account_type account, const route& r) {
  const bool is_fbo = account == account_type::fbo;
  const bool is_receivable = account == account_type::receivable;
  if (r.currency.number() == 0)
    return refuse(errc::validation, "a route needs a currency");
  if (is_fbo != (r.priority != 0))
    return refuse(errc::validation, "a priority of at least 1 belongs on credit, and only there");
  if (is_receivable != (r.stage != stage::none))
    return refuse(errc::validation, "a receivable is open or authorized; no other account is");
  if (!r.features.empty() && !is_fbo && !is_receivable)
    return refuse(errc::validation, "features belong on credit and receivables only");
  const auto out_of_order = [](const std::string& a, const std::string& b) { return a >= b; };
  if (std::ranges::adjacent_find(r.features, out_of_order) != r.features.end() ||
      (!r.features.empty() && r.features.front().empty()))
    return refuse(errc::validation, "features are sorted, unique and not empty");
  if (r.cost_basis && r.cost_basis->is_negative())
    return refuse(errc::validation, "a cost basis must not be negative");
  if (r.cost_basis_currency && r.cost_basis_currency->is_credit_unit())
    return refuse(errc::validation, "a cost basis is quoted in an ISO currency");
  if (r.cost_basis_currency && !r.currency.is_credit_unit())
    return refuse(errc::validation, "only credit units have a cost basis currency");
  const bool priced = r.cost_basis && !r.cost_basis->is_zero();
  if (r.currency.is_credit_unit() && priced && !r.cost_basis_currency)
    return refuse(errc::validation, "credit units with a cost basis need its currency");
  return {};
}

result<std::vector<std::string>> make_features(std::vector<std::string> keys) {
  for (const auto& key : keys)
    if (auto ok = check_reference(key, "feature"); !ok)
      return tl::unexpected(ok.error());
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

bool may_pay(const std::vector<std::string>& credit_features, std::string_view feature) noexcept {
  if (credit_features.empty())
    return true;
  if (feature.empty())
    return false;
  return std::ranges::binary_search(credit_features, feature);
}

namespace {

std::size_t hash_of(const sub_account& a) noexcept {
  std::size_t h =
      static_cast<std::size_t>(a.account) * 31 + static_cast<std::size_t>(a.route.stage);
  const auto mix = [&](std::size_t v) { h = (h ^ v) * 0x9E3779B97F4A7C15U; };
  mix(a.route.currency.number());
  mix(a.route.priority);
  if (a.route.cost_basis)
    mix(static_cast<std::size_t>(a.route.cost_basis->coefficient()) + 1);
  for (const auto& f : a.route.features)
    mix(std::hash<std::string>{}(f));
  return h;
}

// The addresses in use by this thread's customers. Forgotten ones leave when the table has doubled.
class shared_addresses {
public:
  std::shared_ptr<const sub_account> share(sub_account&& address) {
    const auto h = hash_of(address);
    const auto [from, to] = known_.equal_range(h);
    for (auto it = from; it != to; ++it)
      if (auto held = it->second.lock(); held && *held == address)
        return held;
    if (known_.size() >= swept_ * 2) {
      std::erase_if(known_, [](const auto& k) { return k.second.expired(); });
      swept_ = std::max<std::size_t>(64, known_.size());
    }
    auto made = std::make_shared<const sub_account>(std::move(address));
    known_.emplace(h, made);
    return made;
  }

private:
  std::unordered_multimap<std::size_t, std::weak_ptr<const sub_account>> known_;
  std::size_t swept_ = 64;
};

} // namespace

void address_list::push_back(sub_account address) {
  thread_local shared_addresses shared;
  if (items_.size() == items_.capacity())
    items_.reserve(items_.size() + 4);
  items_.push_back(shared.share(std::move(address)));
}

bool operator==(const address_list& a, const address_list& b) {
  return std::ranges::equal(
      a.items_, b.items_, [](const auto& x, const auto& y) { return x == y || *x == *y; });
}

} // namespace accrue::ledger
