// What one spend used, part by part, and how parts are covered, given back and recognised.
// A view of the ledger that is kept where it is needed again: provenance travels with the value (D9).
#pragma once

#include "domain/ledger/collection.hpp"
#include "domain/ledger/posting_rules.hpp"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace accrue::ledger {

/// A part of what a spend used.
struct part {
  enum class origin : std::uint8_t {
    credit = 1, ///< credit that was there
    advance,    ///< credit that was not: owed, until a grant covers it
    invoiced,   ///< billed by an invoice, at cost basis 1
    opening,    ///< owed since before; covered like advance, never given back
  };
  origin from = origin::credit;
  grant_id grant;         ///< who supplied it; of an advance, who covered it; 0 nobody so far
  sub_account_id account; ///< fbo; of an advance, and of what is invoiced, the open receivable
  int128 amount = 0;      ///< that was not given back
  int128 recognized = 0;  ///< of it, earnings
  instant priced_at = {}; ///< of covered advance: from when its price was known

  friend bool operator==(const part&, const part&) = default;
};

/// All parts of a spend, in the order in which they were collected; an advance comes last, and of it first
/// what grants covered, in their order, then what nobody has.
struct realization {
  spend_id spend;
  std::string reference; ///< of the charge, consume, reservation or opening advance
  accrue::currency currency;
  instant booked_at;
  std::vector<ledger::part> parts;

  friend bool operator==(const realization&, const realization&) = default;
};

/// A fresh one. `owed`: where its advance stands, if it has one.
[[nodiscard]] realization realized(const collection_terms& terms,
                                   std::string reference,
                                   const collected& got,
                                   sub_account_id owed);

/// What a grant posts with, and when its credit ends.
struct granted {
  credit_terms terms;
  lifetime life;
};
using grant_of = std::function<granted(grant_id)>;

/// What one grant did for one spend's advance.
struct covered {
  spend_id spend;
  int128 amount = 0;
};

/// Covers open advance with a new grant: debt and accrued value get its price, in proportion over the spends
/// (D10), at `at`. Restricted credit covers only advance for one of its features. Changes the realizations
/// that it touches. At most `most`. Source: ledger.md 6.5; D16.
[[nodiscard]] result<std::vector<covered>> cover(book_overlay& book,
                                                 const credit_terms& grant,
                                                 int128 most,
                                                 instant at,
                                                 std::span<realization> open);

/// Gives back `amount` of what the spend used, at `now`: advance before credit, the last collected first;
/// within the advance what is recognised, then the newest cover, then what nobody covered (D8, D60). Covered
/// advance becomes ordinary credit of its grant again, when that is effective. Nothing is booked before what it
/// gives back was. Credit whose end has passed expires at once (D61).
/// errc: insufficient_funds when less remains; then nothing was posted.
[[nodiscard]] result<void> give_back(
    book_overlay& book, realization& r, const money& amount, const grant_of& grants, instant now);

/// What recognition is about: the accrued value of a part.
struct recognisable {
  sub_account accrued;
  grant_id source;
  spend_id spend;
  int128 amount = 0;
};
/// Accrued value becomes earnings, provenance kept; one transaction a currency. Source: ledger.md 5.10; D11.
[[nodiscard]] result<void>
recognize(book_overlay& book, std::span<const recognisable> all, direction dir, instant at);

/// The accrued value of a part that is not recognised yet; none of what has no price.
[[nodiscard]] std::optional<recognisable>
unrecognised(const book_overlay& book, const realization& r, const part& p, const grant_of& grants);

} // namespace accrue::ledger
