// The checks that make a transaction proof of itself. Which postings to make is decided elsewhere.
#include "domain/ledger/transaction.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

namespace accrue::ledger {
namespace {

int sign_of(int128 amount) noexcept { return amount > 0 ? 1 : -1; }

bool is_worth(worth w, const route& r) noexcept {
  switch (w) {
  case worth::any:
    return true;
  case worth::unknown:
    return !r.cost_basis;
  case worth::known:
    return r.cost_basis.has_value();
  case worth::free:
    return r.cost_basis && r.cost_basis->is_zero();
  case worth::par:
    return r.cost_basis == decimal(1);
  case worth::iso:
    return !r.currency.is_credit_unit();
  case worth::credit_unit:
    return r.currency.is_credit_unit();
  }
  return false;
}

// Every posting matches a leg, every mandatory leg is present.
bool has_shape(const ledger_template& t,
               direction dir,
               std::span<const posting> postings,
               const chart& accounts) {
  const int flip = dir == direction::forward ? 1 : -1;
  std::uint32_t seen = 0;
  for (const auto& p : postings) {
    const auto& address = accounts.at(p.account);
    bool matched = false;
    for (std::size_t i = 0; i < t.legs.size(); ++i) {
      const auto& l = t.legs[i];
      if (l.account == address.account && l.stage == address.route.stage &&
          l.sign * flip == sign_of(p.amount) && is_worth(l.worth, address.route)) {
        seen |= 1U << i;
        matched = true;
      }
    }
    if (!matched)
      return false;
  }
  for (std::size_t i = 0; i < t.legs.size(); ++i)
    if (!t.legs[i].optional && (seen & 1U << i) == 0)
      return false;
  return true;
}

// Value flows from a negative to a positive posting: each such pair of accounts must be allowed.
bool flows_are_legal(std::span<const posting> postings, const chart& accounts) {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  for (const auto& p : postings)
    (p.amount < 0 ? from : to) |= 1U << static_cast<unsigned>(accounts.at(p.account).account);
  for (unsigned a = 1; a <= account_type_count; ++a)
    for (unsigned b = 1; b <= account_type_count; ++b)
      if ((from & 1U << a) != 0 && (to & 1U << b) != 0) {
        const bool ok = may_face(account_type(a), account_type(b));
        if (!ok)
          return false;
      }
  return true;
}

// Sums to zero within every group of equal value (or equal currency, where the template crosses).
result<bool>
balances(const ledger_template& t, std::span<const posting> postings, const chart& accounts) {
  struct group {
    const route* value;
    int128 sum;
  };
  std::vector<group> groups;
  for (const auto& p : postings) {
    const auto& r = accounts.at(p.account).route;
    auto it = std::ranges::find_if(groups, [&](const group& g) {
      return t.crosses_cost_basis ? g.value->currency == r.currency : same_value(*g.value, r);
    });
    if (it == groups.end())
      it = groups.insert(groups.end(), group{&r, 0});
    const auto sum = checked_add(it->sum, p.amount);
    if (!sum)
      return tl::unexpected(sum.error());
    it->sum = *sum;
  }
  return std::ranges::all_of(groups, [](const group& g) { return g.sum == 0; });
}

bool entries_are_unique(std::span<const posting> postings) {
  const auto same = [](const posting& a, const posting& b) {
    return a.account == b.account && a.source == b.source && a.spend == b.spend;
  };
  if (postings.size() <= 8) {
    for (std::size_t i = 0; i < postings.size(); ++i)
      for (std::size_t j = i + 1; j < postings.size(); ++j)
        if (same(postings[i], postings[j]))
          return false;
    return true;
  }
  std::set<std::tuple<sub_account_id, grant_id, spend_id>> seen;
  return std::ranges::all_of(postings, [&](const posting& p) {
    return seen.emplace(p.account, p.source, p.spend).second;
  });
}

} // namespace

result<transaction> transaction::make(template_code code,
                                      ledger::direction dir,
                                      instant booked_at,
                                      std::vector<posting> postings,
                                      const chart& accounts) {
  const auto* t = find_template(code);
  if (t == nullptr)
    return refuse(errc::internal, "a transaction needs a known template");
  const auto name = std::string(t->name);
  if (dir == direction::correction && !t->correctable)
    return refuse(errc::unsupported_operation, "this template has no correction", name);
  if (postings.empty())
    return refuse(errc::internal, "a transaction needs postings", name);
  if (std::ranges::any_of(postings, [](const posting& p) { return p.amount == 0; }))
    return refuse(errc::internal, "a posting must not be zero", name);
  if (!entries_are_unique(postings))
    return refuse(errc::internal, "two postings share sub-account, source and spend", name);
  if (!has_shape(*t, dir, postings, accounts))
    return refuse(errc::internal, "the postings do not have the template's shape", name);
  if (!flows_are_legal(postings, accounts))
    return refuse(errc::internal, "value must not flow between these accounts", name);
  const auto balanced = balances(*t, postings, accounts);
  if (!balanced)
    return tl::unexpected(balanced.error());
  if (!*balanced)
    return refuse(errc::internal, "the postings do not balance", name);
  return transaction(code, dir, booked_at, std::move(postings));
}

} // namespace accrue::ledger
