// A customer's credit as a story: what each unit of work funded, used, gave back, voided or let expire. What is now
// stands in the book; questions about the past are answered by past.hpp.
#pragma once

#include "domain/customer.hpp"

#include <span>
#include <string>
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

/// What a row tells (balances.md 4.1; D35). Two kinds are no rows: what moves the balance without being told, and
/// credit that is granted and not there yet: in at its recording, out when it becomes effective (D33).
enum class item_kind : std::uint8_t {
  untold = 1,
  funded,
  consumed,
  adjusted,
  expired,
  voided,
  pending
};

struct statement_movement {
  sub_account_id account;
  int128 amount = 0;

  friend bool operator==(const statement_movement&, const statement_movement&) = default;
};

/// What one unit did to credit, at one place.
struct statement_item {
  item_kind kind = item_kind::untold;
  statement_place place;
  grant_id
      grant; ///< of a funded row, whose amount is the grant's; of an expired one, if it has an owner
  std::uint32_t first = 0; ///< of its movements
  std::uint32_t count = 0;

  friend bool operator==(const statement_item&, const statement_item&) = default;
};

/// Items with their movements, one after the other.
struct statement_items {
  std::vector<statement_item> items;
  std::vector<statement_movement> movements;

  [[nodiscard]] std::span<const statement_movement> moved(const statement_item& i) const {
    return std::span(movements).subspan(i.first, i.count);
  }
  void add(const statement_item& what, std::span<const statement_movement> moved);
  void clear() noexcept { items.clear(), movements.clear(); }

  friend bool operator==(const statement_items&, const statement_items&) = default;
};

/// Reads items out of units. What credit is planned to expire is no item: the book tells it, at any time, by what is
/// left in its sources.
class statement_reader {
public:
  /// Adds the unit's items. `after`: the customer after it, or later.
  void read(const customer& after, const entry& e, statement_items& to);

private:
  struct row {
    item_kind kind = item_kind::untold;
    statement_place place;
    accrue::currency currency;
    grant_id grant;
    std::vector<statement_movement> moved;
  };

  row& add(item_kind kind, statement_place at, currency c);
  row& joint(item_kind kind, const ledger::transaction& t, std::uint32_t n, currency c);
  row& funded(const ledger::transaction& t, std::uint32_t n, currency c);
  row& single(item_kind kind, const ledger::transaction& t, std::uint32_t n, currency c);
  row& expired(const ledger::transaction& t, std::uint32_t n, currency c, grant_id source);
  row* row_of(const ledger::transaction& t, std::uint32_t n, currency c, grant_id source);
  [[nodiscard]] bool is_planned(const ledger::transaction& t, grant_id source) const;
  [[nodiscard]] statement_place place(instant booked_at, std::uint32_t n) const;
  void read(const ledger::transaction& t, std::uint32_t n);

  const customer* customer_ = nullptr;
  const entry* e_ = nullptr;
  grant_id grant_;        ///< that the unit records
  std::vector<row> rows_; ///< kept from unit to unit for their memory
  std::size_t used_ = 0;  ///< so many are of this one
};

/// Whom a row of the unit is about: the charge, consume, reservation or grant that the client named.
[[nodiscard]] std::string
reference_of(const customer& c, const entry& e, const statement_item& told);

/// The amount by kind and sub-account of some items.
struct statement_sum {
  item_kind kind = item_kind::untold;
  sub_account_id account; ///< `no_account` where an item moves nothing
  int128 amount = 0;
  std::uint32_t items = 0;

  static constexpr sub_account_id no_account{0xffffffff};
  friend bool operator==(const statement_sum&, const statement_sum&) = default;
};

/// Items in order of their places, as a whole.
struct statement_summary {
  statement_place first;
  statement_place last;
  std::vector<statement_sum> sums; ///< by kind and account

  friend bool operator==(const statement_summary&, const statement_summary&) = default;
};
[[nodiscard]] statement_summary summary_of(const statement_items& run);

/// The items as up to three runs in order of their places: booked before they were recorded, then, and for later. Of
/// units one after the other the middle one, nearly all, follows on that of the units before, so that few runs have
/// items on both sides of any instant. None is empty.
[[nodiscard]] std::vector<statement_items> runs_of(const statement_items& all);

} // namespace accrue
