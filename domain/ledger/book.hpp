// A customer's book: its sub-accounts, their balances and the credit that is left in each grant.
// The overlay is the same book seen with one undecided unit of work on top.
#pragma once

#include "domain/ledger/transaction.hpp"
#include "domain/rare.hpp"

#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace accrue::ledger {

/// "Never" for expiries.
inline constexpr instant never{std::numeric_limits<std::int64_t>::max()};

/// From when to when the credit of a grant can be used.
struct lifetime {
  instant from;
  instant until = never;
};
using lifetime_of = std::function<lifetime(grant_id)>;

/// A part of one grant's credit on one fbo sub-account.
struct slice {
  grant_id grant;
  sub_account_id account;
  int128 amount = 0;

  friend bool operator==(const slice&, const slice&) = default;
};

/// Credit of one grant on one fbo sub-account, as far as it is unconsumed. What expires stays here, with what
/// was left of it: the ledger has booked its end ahead, as a plan of breakage, so that the open plan of a
/// source is its amount. Source: ledger.md 7.1.
struct credit_source {
  grant_id grant;
  sub_account_id account;
  std::uint16_t priority = default_priority;
  bool restricted = false; ///< to features
  instant available_from;  ///< when the issue was booked
  instant expires_at = never;
  int128 amount = 0;
  int128 held = 0; ///< by reservations; never more than the amount

  friend bool operator==(const credit_source&, const credit_source&) = default;
};

/// Value that is on record and does not count yet: what is booked after now.
struct scheduled {
  instant at;
  sub_account_id account;
  int128 amount = 0;

  friend bool operator==(const scheduled&, const scheduled&) = default;
};

/// Collection order: priority, restricted before unrestricted, earliest expiry, order of recording
/// (D15). Cost basis does not count.
[[nodiscard]] bool collected_before(const credit_source& a, const credit_source& b) noexcept;

/// All sub-accounts of one customer, business accounts included: their namespace-wide balances are
/// sums over the customers' books (D18). Changed only by whole transactions.
class book final : public chart {
public:
  [[nodiscard]] const sub_account& at(sub_account_id number) const override;
  /// Everything on record, also what is booked for later.
  [[nodiscard]] int128 balance(sub_account_id number) const;
  /// What counts at `now`, which is not before the last unit.
  [[nodiscard]] int128 balance_at(sub_account_id number, instant now) const;
  /// What is booked for later than the last unit, by instant and account.
  [[nodiscard]] std::span<const scheduled> ahead() const noexcept { return *ahead_; }
  [[nodiscard]] const address_list& sub_accounts() const noexcept { return accounts_; }
  /// Unconsumed credit in collection order, of all currencies.
  [[nodiscard]] std::span<const credit_source> sources() const noexcept { return sources_; }
  [[nodiscard]] std::optional<sub_account_id> find(const sub_account& address) const noexcept;

  /// Opens the next number. Numbers are 0, 1, 2 … in order of opening.
  sub_account_id open(sub_account address);
  /// Books a transaction of a unit of `now`.
  void apply(const transaction& t, instant now, const lifetime_of& credit);
  /// It is `now` at least: what was booked ahead until then counts.
  void pass(instant now);
  /// Holds credit, or with a negative sign lets it go. Holding more than is there is a defect.
  void hold(std::span<const slice> slices, int sign);

  /// Back from a snapshot. The caller vouches for order and ranges.
  [[nodiscard]] static book restored(address_list accounts,
                                     std::vector<int128> balances,
                                     std::vector<credit_source> sources,
                                     std::vector<scheduled> ahead);

  friend bool operator==(const book& a, const book& b) {
    return a.accounts_ == b.accounts_ && a.balances_ == b.balances_ && a.sources_ == b.sources_ &&
           a.ahead_ == b.ahead_;
  }

private:
  friend class book_overlay;
  void add_credit(const posting& p, const lifetime_of& credit);
  address_list accounts_;
  std::vector<int128> balances_;
  std::vector<credit_source> sources_;
  rare<std::vector<scheduled>> ahead_;
};

/// Whether a template moves credit into and out of breakage: that changes no source.
[[nodiscard]] bool is_breakage(template_code code) noexcept;

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
  /// Of it, what no reservation holds.
  [[nodiscard]] int128 free(const credit_source& source) const;
  /// As book::hold, for this unit.
  void hold(std::span<const slice> slices, int sign);
  /// The source of the base book; null where there is none.
  [[nodiscard]] const credit_source* find_source(grant_id grant,
                                                 sub_account_id account) const noexcept;
  /// Sources of the base in collection order; credit issued by this same unit is not among them.
  [[nodiscard]] std::span<const credit_source> sources() const noexcept { return base_->sources(); }
  /// Sum over sub-accounts that satisfy `wanted(sub_account)`.
  template <class Wanted>
  [[nodiscard]] int128 sum(Wanted wanted) const;
  /// Likewise, of what counts at `now`.
  template <class Wanted>
  [[nodiscard]] int128 sum_at(instant now, Wanted wanted) const;

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
    int128 held;
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

template <class Wanted>
int128 book_overlay::sum_at(instant now, Wanted wanted) const {
  auto total = sum(wanted);
  for (const auto& later : base_->ahead())
    if (later.at > now && wanted(at(later.account)))
      total -= later.amount;
  for (const auto& t : transactions_)
    if (t.booked_at() > now)
      for (const auto& p : t.postings())
        if (wanted(at(p.account)))
          total -= p.amount;
  return total;
}

} // namespace accrue::ledger
