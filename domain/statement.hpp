// A customer's credit as a story: what was funded, used, given back, expired and voided, with the balance after
// each. Computed from the journal; what is now stands in the book.
#pragma once

#include "domain/commands.hpp"
#include "domain/customer.hpp"
#include "domain/replies.hpp"

#include <map>
#include <span>
#include <string>
#include <tuple>
#include <vector>

namespace accrue {

/// Where a row or a movement stands: by when it counts, then by when it was recorded, then by its transaction
/// (D65).
struct statement_place {
  instant booked_at;
  instant recorded_at;
  std::uint64_t sequence = 0;
  std::uint32_t transaction = 0;

  friend auto operator<=>(const statement_place&, const statement_place&) = default;
};

/// The cursor of a place, and back. errc: validation.
[[nodiscard]] std::string to_cursor(const statement_place& p);
[[nodiscard]] result<statement_place> parse_cursor(std::string_view text);

/// All movements of a customer's credit, and the rows they make. Source: balances.md 1.2, 4; D35.
class statement {
public:
  /// `c`: the customer after the last of the entries.
  statement(const customer& c, std::span<const entry> entries);

  /// What counted at `as_of`: credit, less the advance that is owed (balances.md 1.2).
  [[nodiscard]] int128
  settled(currency c, const command::feature_filter& view, instant as_of) const;
  /// Granted by then and not yet effective then (D33).
  [[nodiscard]] int128
  pending(currency c, const command::feature_filter& view, instant as_of) const;

  /// errc: validation for a currency, a cursor, a limit or two cursors that make no sense.
  [[nodiscard]] static result<void> check(const command::list_transactions& q, const catalog& cat);
  /// errc: as check.
  [[nodiscard]] result<reply::transactions>
  page(const command::list_transactions& q, const catalog& cat, instant now) const;

private:
  struct movement {
    statement_place place;
    sub_account_id account;
    int128 amount = 0;
  };
  struct row {
    command::row_type type = command::row_type::any;
    statement_place place;
    accrue::currency currency;
    grant_id grant; ///< of a funded row: its amount is the grant's
    std::string reference;
    std::vector<std::pair<sub_account_id, int128>> moved;
  };
  struct told { ///< a row that a filter shows
    const row* of;
    int128 amount;
    int128 after;
  };
  class reader;

  [[nodiscard]] bool
  counts(sub_account_id n, currency c, const command::feature_filter& view) const;
  [[nodiscard]] std::optional<int128> amount_of(const row& r,
                                                const command::feature_filter& view) const;
  [[nodiscard]] std::vector<told>
  tell(const command::list_transactions& q, std::optional<currency> only, instant as_of) const;

  const customer* customer_;
  std::vector<movement> movements_; ///< in order of their places
  std::vector<movement> ahead_;     ///< credit that was issued before it was effective
  std::vector<row> rows_;           ///< likewise
};

} // namespace accrue
