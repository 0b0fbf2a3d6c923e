// Rules of routes. See account.hpp; nothing here moves money.
#include "domain/ledger/account.hpp"

#include "domain/ids.hpp"

#include <algorithm>

namespace accrue::ledger {

std::string_view to_string(account_type a) noexcept {
  switch (a) {
  case account_type::fbo: return "fbo";
  case account_type::receivable: return "receivable";
  case account_type::accrued: return "accrued";
  case account_type::wash: return "wash";
  case account_type::earnings: return "earnings";
  case account_type::brokerage: return "brokerage";
  case account_type::breakage: return "breakage";
  case account_type::write_off: return "write_off";
  case account_type::tax_payable: return "tax_payable";
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
  if (r.currency.number() == 0) return refuse(errc::validation, "a route needs a currency");
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
    if (auto ok = check_reference(key, "feature"); !ok) return tl::unexpected(ok.error());
  std::ranges::sort(keys);
  const auto tail = std::ranges::unique(keys);
  keys.erase(tail.begin(), tail.end());
  return keys;
}

bool may_pay(const std::vector<std::string>& credit_features, std::string_view feature) noexcept {
  if (credit_features.empty()) return true;
  if (feature.empty()) return false;
  return std::ranges::binary_search(credit_features, feature);
}

} // namespace accrue::ledger
