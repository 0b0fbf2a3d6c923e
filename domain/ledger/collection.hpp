// The order in which credit is consumed, and what happens when it is not enough.
#pragma once

#include "domain/ledger/book.hpp"

#include <string_view>

namespace accrue::ledger {

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

/// The slices that would be taken now, at most `amount` in all: from `first` in its order, then from what is
/// free in collection order. Books nothing.
[[nodiscard]] collected plan_collection(const book_overlay& book,
                                        const collection_terms& terms,
                                        std::span<const slice> first = {});

/// Takes what there is, credit → accrued, in one transaction; nothing where there is none. Of credit that
/// expires, the plan of its end is released by as much. `first`: what was held for this and is not any more.
/// Source: ledger.md 5.6, 6.2, 7.3.
[[nodiscard]] result<collected>
collect(book_overlay& book, const collection_terms& terms, std::span<const slice> first = {});

/// Books `amount` as credit that does not exist yet: issued at unknown cost basis and consumed at
/// once. `limit`: the most that open advance of this currency may reach; errc: insufficient_funds
/// beyond it (D69). Gives the receivable that it is owed on. Source: ledger.md 5.1, 5.7.
[[nodiscard]] result<sub_account_id> advance(book_overlay& book,
                                             const collection_terms& terms,
                                             const money& amount,
                                             const std::optional<int128>& limit);

/// The open receivable of unknown cost basis on which advance for `feature` is owed, and the fbo
/// sub-account it passes through.
[[nodiscard]] sub_account owed_address(currency c, std::vector<std::string> features);
[[nodiscard]] sub_account advance_address(const route& owed);

} // namespace accrue::ledger
