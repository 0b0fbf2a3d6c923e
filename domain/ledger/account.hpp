// Where money can stand: account types, routes and the posting addresses made of them.
// Amounts and rules about moving them live in transaction.hpp and templates.hpp.
#pragma once

#include "domain/decimal.hpp"
#include "domain/money.hpp"
#include "domain/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace accrue::ledger {

/// What an account is for. The numbers are stored in the journal.
/// Source: ledger.md 1.1; write_off: D14; tax_payable: D53.
enum class account_type : std::uint8_t {
  fbo = 1,     ///< credit held for the benefit of the customer; positive is spendable
  receivable,  ///< owed by the customer; negative is owed
  accrued,     ///< used, not yet recognised; positive
  wash,        ///< clearing account at the border to outside money; falls as money enters
  earnings,    ///< recognised revenue; positive
  brokerage,   ///< counterparty of exchanges and of credit sold off its face value
  breakage,    ///< credit that expired unused; positive
  write_off,   ///< receivable given up; negative
  tax_payable, ///< tax collected for the state; positive
};

inline constexpr std::size_t account_type_count = 9;

/// The name in reports and on the wire: "fbo", "receivable", …
[[nodiscard]] std::string_view to_string(account_type a) noexcept;

/// Stage of a receivable; other accounts have none.
enum class stage : std::uint8_t { none, open, authorized };

/// Default credit priority; lower is consumed first (D15).
inline constexpr std::uint16_t default_priority = 100;

/// The dimensions that split an account. Identity is by structure: two routes are the same exactly
/// when all fields are. Tax dimensions are reserved in the journal's encoding and not used yet.
struct route {
  accrue::currency currency;
  /// What one unit of the credit cost: 0 free, 1 invoiced at par, none unknown (an advance).
  std::optional<decimal> cost_basis;
  /// For credit units bought with fiat money only.
  std::optional<accrue::currency> cost_basis_currency;
  std::uint16_t priority = 0; ///< fbo only, >= 1
  ledger::stage stage = stage::none;
  std::vector<std::string>
      features; ///< sorted, unique; empty is unrestricted; fbo and receivable only

  friend bool operator==(const route&, const route&) = default;
};

/// The same value at the same price: what a transaction must balance within (D7).
[[nodiscard]] bool same_value(const route& a, const route& b) noexcept;

/// A posting address: account and route.
struct sub_account {
  account_type account = account_type::fbo;
  ledger::route route;

  friend bool operator==(const sub_account&, const sub_account&) = default;
};

/// Addresses in order, read as values. Equal addresses are held once a thread, however many customers have
/// them: an idle customer is small because its addresses are everybody's.
class address_list {
public:
  class iterator {
  public:
    using value_type = sub_account;
    using difference_type = std::ptrdiff_t;
    iterator() = default;
    explicit iterator(const std::shared_ptr<const sub_account>* at) noexcept : at_(at) {}
    const sub_account& operator*() const noexcept { return **at_; }
    const sub_account* operator->() const noexcept { return at_->get(); }
    iterator& operator++() noexcept {
      ++at_;
      return *this;
    }
    iterator operator++(int) noexcept { return iterator(at_++); }
    friend bool operator==(iterator, iterator) = default;

  private:
    const std::shared_ptr<const sub_account>* at_ = nullptr;
  };

  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
  [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
  [[nodiscard]] const sub_account& operator[](std::size_t n) const noexcept { return *items_[n]; }
  [[nodiscard]] iterator begin() const noexcept { return iterator(items_.data()); }
  [[nodiscard]] iterator end() const noexcept { return iterator(items_.data() + items_.size()); }
  void push_back(sub_account address);
  friend bool operator==(const address_list& a, const address_list& b);

private:
  std::vector<std::shared_ptr<const sub_account>> items_;
};

/// Whether the account takes these dimensions. errc: validation.
/// Source: ledger.md 2.2, 2.3.
[[nodiscard]] result<void> check_route(account_type account, const route& r);

/// Sorts and removes duplicates. errc: validation for an empty or over-long key.
[[nodiscard]] result<std::vector<std::string>> make_features(std::vector<std::string> keys);

/// Whether credit restricted to `credit_features` may pay for `feature` (empty: no feature).
/// Source: ledger.md 6.4.
[[nodiscard]] bool may_pay(const std::vector<std::string>& credit_features,
                           std::string_view feature) noexcept;

} // namespace accrue::ledger
