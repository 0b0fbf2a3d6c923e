// A customer's book: its sub-accounts, their balances and the credit that is left in each grant.
// The overlay is the same book seen with one undecided unit of work on top.
#pragma once

#include "domain/ledger/transaction.hpp"

#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace accrue::ledger {

/// "Never" for expiries.
inline constexpr instant never{std::numeric_limits<std::int64_t>::max()};

/// Credit of one grant on one fbo sub-account, as far as it is unconsumed.
struct credit_source {
  grant_id grant;
  sub_account_id account;
  std::uint16_t priority = default_priority;
  bool restricted = false; ///< to features
  instant available_from;  ///< when the issue was booked
  instant expires_at = never;
  int128 amount = 0;

  friend bool operator==(const credit_source&, const credit_source&) = default;
};

/// Collection order: priority, restricted before unrestricted, earliest expiry, order of recording
/// (D15). Cost basis does not count.
[[nodiscard]] bool collected_before(const credit_source& a, const credit_source& b) noexcept;

/// All sub-accounts of one customer, business accounts included: their namespace-wide balances are
/// sums over the customers' books (D18). Changed only by whole transactions.
class book final : public chart {
public:
  [[nodiscard]] const sub_account& at(sub_account_id number) const override;
  [[nodiscard]] int128 balance(sub_account_id number) const;
  [[nodiscard]] const address_list& sub_accounts() const noexcept { return accounts_; }
  /// Unconsumed credit in collection order, of all currencies.
  [[nodiscard]] std::span<const credit_source> sources() const noexcept { return sources_; }
  [[nodiscard]] std::optional<sub_account_id> find(const sub_account& address) const noexcept;

  /// Opens the next number. Numbers are 0, 1, 2 … in order of opening.
  sub_account_id open(sub_account address);
  /// Books a transaction. `expires_at` of new credit comes from its grant.
  void apply(const transaction& t, instant expires_at = never);

  friend bool operator==(const book& a, const book& b) {
    return a.accounts_ == b.accounts_ && a.balances_ == b.balances_ && a.sources_ == b.sources_;
  }

private:
  friend class book_overlay;
  address_list accounts_;
  std::vector<int128> balances_;
  std::vector<credit_source> sources_;
};

/// The book with the transactions of one unit on top. Dropped by a refusal, merged when all is
/// decided. A copy is a savepoint: a failing line of an invoice is undone by assigning it back (D21).
class book_overlay final : public chart {
public:
  explicit book_overlay(const book& base) noexcept : base_(&base) {}

  [[nodiscard]] const sub_account& at(sub_account_id number) const override;
  [[nodiscard]] int128 balance(sub_account_id number) const;
  /// The number of an address, opened on first use. errc of check_route.
  [[nodiscard]] result<sub_account_id> resolve(sub_account address);
  /// Amount left in a source of the base book, after this unit's postings.
  [[nodiscard]] int128 left(const credit_source& source) const;
  /// Sources of the base in collection order; credit issued by this same unit is not among them.
  [[nodiscard]] std::span<const credit_source> sources() const noexcept { return base_->sources(); }
  /// Sum over sub-accounts that satisfy `wanted(sub_account)`.
  template <class Wanted>
  [[nodiscard]] int128 sum(Wanted wanted) const;

  /// Makes the transaction and books it on top. errc of transaction::make; overflow when a balance
  /// would leave 128 bits.
  [[nodiscard]] result<void>
  post(template_code code, direction dir, instant booked_at, std::vector<posting> postings);

  [[nodiscard]] std::span<const sub_account> opened() const noexcept { return opened_; }
  [[nodiscard]] std::span<const transaction> transactions() const noexcept { return transactions_; }

private:
  struct change {
    sub_account_id account;
    int128 amount;
  };
  struct source_change {
    grant_id grant;
    sub_account_id account;
    int128 amount;
  };
  const book* base_;
  std::vector<sub_account> opened_;
  std::vector<change> changes_;
  std::vector<source_change> source_changes_;
  std::vector<transaction> transactions_;
};

template <class Wanted>
int128 book_overlay::sum(Wanted wanted) const {
  int128 total = 0;
  const auto count = base_->accounts_.size() + opened_.size();
  for (std::uint32_t i = 0; i < count; ++i)
    if (wanted(at(sub_account_id(i))))
      total += balance(sub_account_id(i));
  return total;
}

} // namespace accrue::ledger
