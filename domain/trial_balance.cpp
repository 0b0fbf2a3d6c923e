// See trial_balance.hpp.
#include "domain/trial_balance.hpp"

#include <algorithm>

namespace accrue {
namespace {

using enum ledger::account_type;

// The currency in which value of this route is paid for; none of credit in a unit that is free.
std::optional<currency> paid_in(const ledger::route& r) {
  return r.currency.is_credit_unit() ? r.cost_basis_currency : std::optional(r.currency);
}

// What voids left as the customer's, by the receivable it stands on: in money already.
std::vector<std::pair<ledger::sub_account, int128>> claims_of(const customer& c) {
  std::vector<std::pair<ledger::sub_account, int128>> all;
  for (const auto& g : c.grants) {
    const auto& d = *g.details;
    if (d.claimed == d.refunded)
      continue;
    auto where = ledger::claim_address(g.terms(), *d.fiat);
    const auto same = std::ranges::find(all, where, &std::pair<ledger::sub_account, int128>::first);
    if (same == all.end())
      all.emplace_back(std::move(where), d.claimed - d.refunded);
    else
      same->second += d.claimed - d.refunded;
  }
  return all;
}

// Amounts of these are money: of what nobody paid anything for, there are none.
bool is_money(const ledger::sub_account& a) {
  return a.account == wash || a.account == write_off || a.account == tax_payable ||
         (a.account == receivable && a.route.stage == ledger::stage::authorized);
}

// By what value of the same currency was paid with: its money has to sum to zero.
struct value {
  currency fiat;
  decimal cost_basis;
  int128 sum = 0;
  std::optional<std::size_t> brokerage; ///< the row that takes the balancing figure
};

class report {
public:
  report(const customer& c, const catalog& cat, instant now)
      : customer_(&c), catalog_(&cat), now_(now), claims_(claims_of(c)) {}

  result<reply::accounts> run() && {
    for (std::uint32_t n = 0; n < customer_->book.sub_accounts().size(); ++n)
      if (auto ok = add(sub_account_id(n)); !ok)
        return tl::unexpected(ok.error());
    for (auto& v : values_)
      balance(v);
    return std::move(all_);
  }

private:
  result<void> add(sub_account_id id) {
    const auto& address = customer_->book.at(id);
    const auto& route = address.route;
    auto& row = all_.items.emplace_back();
    row.address = address;
    row.code = catalog_->code(route.currency);
    row.balance = customer_->book.balance_at(id, now_);
    const auto fiat = paid_in(route);
    if (!route.cost_basis || !fiat)
      return {};
    auto& v = value_of(*fiat, *route.cost_basis);
    if (address.account == brokerage && route.currency == *fiat) {
      v.brokerage = all_.items.size() - 1;
      return {};
    }
    const auto worth = money_of(row, *fiat);
    if (!worth)
      return tl::unexpected(worth.error());
    row.money = *worth;
    v.sum += worth->minor;
    return {};
  }

  [[nodiscard]] result<money> money_of(const reply::account_view& row, currency fiat) const {
    const auto& basis = *row.address.route.cost_basis;
    if (is_money(row.address) && !basis.is_zero())
      return money{row.balance, fiat};
    const auto claimed =
        std::ranges::find(claims_, row.address, &std::pair<ledger::sub_account, int128>::first);
    const auto claim = claimed == claims_.end() ? 0 : claimed->second;
    auto worth = multiply({row.balance - claim, row.address.route.currency}, basis, fiat);
    if (worth)
      worth->minor += claim;
    return worth;
  }

  void balance(const value& v) {
    if (v.brokerage) {
      all_.items[*v.brokerage].money = {-v.sum, v.fiat};
    } else if (v.sum != 0) {
      auto& row = all_.items.emplace_back();
      row.address.account = brokerage;
      row.address.route.currency = v.fiat;
      row.address.route.cost_basis = v.cost_basis;
      row.code = catalog_->code(v.fiat);
      row.money = {-v.sum, v.fiat};
    }
  }

  value& value_of(currency fiat, const decimal& basis) {
    const auto it = std::ranges::find_if(
        values_, [&](const value& v) { return v.fiat == fiat && v.cost_basis == basis; });
    return it != values_.end() ? *it : values_.emplace_back(value{fiat, basis, 0, {}});
  }

  const customer* customer_;
  const catalog* catalog_;
  instant now_;
  std::vector<std::pair<ledger::sub_account, int128>> claims_;
  std::vector<value> values_;
  reply::accounts all_;
};

} // namespace

result<reply::accounts> trial_balance(const customer& c, const catalog& cat, instant now) {
  return report(c, cat, now).run();
}

} // namespace accrue
