// The order in which credit is consumed, and what happens when it is not enough.
#pragma once

#include "domain/ledger/book.hpp"

#include <string_view>

namespace accrue::ledger {

/// What one grant gives to a collection, in collection order.
struct slice {
  grant_id grant;
  sub_account_id account;
  int128 amount = 0;

  friend bool operator==(const slice&, const slice&) = default;
};

/// Who collects, for what and when.
struct collection_terms {
  money amount;             ///< > 0
  std::string_view feature; ///< empty: only unrestricted credit may pay (ledger.md 6.4)
  spend_id spend;
  instant booked_at;
  instant as_of; ///< credit that became available later is invisible
};

/// Credit taken and, where it was allowed, the part that became advance.
struct collected {
  std::vector<slice> slices;
  int128 taken = 0;
  int128 advanced = 0;
};

/// The slices that would be taken now, at most `amount` in all. Books nothing.
[[nodiscard]] collected plan_collection(const book_overlay& book, const collection_terms& terms);

/// Takes what there is, credit → accrued, in one transaction; nothing where there is none.
/// Source: ledger.md 5.6, 6.2.
[[nodiscard]] result<collected> collect(book_overlay& book, const collection_terms& terms);

/// Books `amount` as credit that does not exist yet: issued at unknown cost basis and consumed at
/// once. `limit`: the most that open advance of this currency may reach; errc: insufficient_funds
/// beyond it (D69). Source: ledger.md 5.1, 5.7.
[[nodiscard]] result<void> advance(book_overlay& book,
                                   const collection_terms& terms,
                                   const money& amount,
                                   const std::optional<int128>& limit);

/// Credit of this currency that a collection for `feature` could take now.
[[nodiscard]] int128
available(const book_overlay& book, currency c, std::string_view feature, instant as_of);

} // namespace accrue::ledger
