// What was booked, summed from a customer's journal: by account, price, feature, provenance and time.
// Balances of now are in the book; nothing is decided or changed here.
#pragma once

#include "domain/customer.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace accrue {

/// What the value of a posting must have cost to count.
struct cost_basis_filter {
  enum class kind : std::uint8_t { any, none, value };
  kind which = kind::any;
  decimal value; ///< for kind::value only
};

/// Which postings count.
struct posting_filter {
  ledger::account_type account = ledger::account_type::fbo;
  std::optional<ledger::stage> stage; ///< absent: any
  accrue::currency currency;
  cost_basis_filter cost_basis;
  /// Exactly this set, sorted as `make_features` does; empty is unrestricted; absent: any.
  std::optional<std::vector<std::string>> features;
  instant as_of = ledger::never; ///< booked at this instant or before
  std::optional<grant_id> source;
  std::optional<ledger::spend_id> spend;
};

/// All entries of one customer from its first on. Keeps a view: the entries must outlive it.
class history {
public:
  explicit history(std::span<const entry> entries);

  /// The sum of all postings that the filter lets through. errc: overflow.
  [[nodiscard]] result<money> sum(const posting_filter& wanted) const;

  /// Every sub-account, by number.
  [[nodiscard]] std::span<const ledger::sub_account> sub_accounts() const noexcept {
    return accounts_;
  }
  /// The grant or opening balance of a reference.
  [[nodiscard]] std::optional<grant_id> find_grant(std::string_view reference) const noexcept;
  /// Who used value under this reference: a charge, else a consume, a settled reservation or an opening advance.
  [[nodiscard]] std::optional<ledger::spend_id>
  find_spend(std::string_view reference) const noexcept;

private:
  [[nodiscard]] bool counts(const ledger::sub_account& a, const posting_filter& wanted) const;

  std::span<const entry> entries_;
  std::vector<ledger::sub_account> accounts_;
};

} // namespace accrue
