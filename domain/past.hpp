// Answers to questions about a customer's past. What its units did lies in blocks of some thousand units each, of which
// only the sums are looked at, but for the ones that an answer begins or ends in: so an answer costs the same however
// long the history is. Where the blocks come from is for the caller to know.
#pragma once

#include "domain/commands.hpp"
#include "domain/replies.hpp"
#include "domain/statement.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <variant>
#include <vector>

namespace accrue {

/// Some units one after the other, as a whole.
struct statement_block {
  sequence after;   ///< the unit before the first
  sequence through; ///< the last unit; names the block
  std::vector<statement_summary> runs;

  friend bool operator==(const statement_block&, const statement_block&) = default;
};
/// Of the items of the units behind `after` up to `through`.
[[nodiscard]] statement_block
block_of(sequence after, sequence through, const statement_items& items);

/// A customer's past up to the unit that was its last when this was made. Whatever it does meanwhile, its
/// sub-accounts and grants have to stay where they are found.
class past {
public:
  /// What expires and has expired is taken from the customer's book.
  explicit past(const customer& c);

  /// What of the past it is made of, each unit once: blocks, and items as they are.
  void add(const statement_block& b);
  void add(const statement_items& items);
  /// The items of a block. errc: internal where they are not the block's.
  [[nodiscard]] result<void> load(sequence block, const statement_items& items);
  /// A unit of the journal.
  void know(entry unit);

  /// What an answer takes that is not here yet, each once. With it, ask again.
  struct wanted {
    std::set<sequence> blocks; ///< to load
    std::set<sequence> units;  ///< to know
  };
  using answer = std::variant<reply::receipt, wanted>;
  /// A balance as of an instant, or a page of transactions. errc: validation for a currency, a cursor, a limit or
  /// two cursors that make no sense.
  [[nodiscard]] result<answer>
  ask(const command::any& query, const catalog& cat, instant now) const;

  /// errc: as of ask.
  [[nodiscard]] static result<void> check(const command::list_transactions& q, const catalog& cat);

private:
  struct run {
    sequence block;
    statement_summary all;
    std::optional<statement_items> items; ///< where they are loaded
  };
  // What a question for rows asks for.
  struct filter {
    std::optional<item_kind> kind;
    std::optional<accrue::currency> currency;
    const command::feature_filter* view;
    instant until; ///< no row counts later
    std::optional<statement_place> after;
    std::optional<statement_place> before;
    [[nodiscard]] bool lets_in(const statement_place& p) const;
  };
  struct told {
    statement_item item;
    accrue::currency currency;
    int128 amount = 0;
    int128 balance = 0; ///< after it
  };
  using visit = std::function<void(item_kind, sub_account_id, int128)>;

  [[nodiscard]] bool in_view(sub_account_id n, const command::feature_filter& view) const;
  void sum_up_to(const statement_place& place, const visit& add) const;
  [[nodiscard]] std::set<sequence> cut_by(std::span<const statement_place> places) const;
  [[nodiscard]] result<answer> balances(const command::get_balance& q, const catalog& cat) const;
  [[nodiscard]] result<answer>
  page(const command::list_transactions& q, const catalog& cat, instant now) const;
  [[nodiscard]] std::optional<told>
  tell(const statement_items& in, const statement_item& item, const filter& f) const;
  [[nodiscard]] std::size_t may_tell(const run& r, const filter& f) const;
  [[nodiscard]] std::vector<told> nearest(const filter& f, std::size_t count) const;
  [[nodiscard]] std::set<sequence>
  nearer(const filter& f, std::span<const told> rows, std::size_t count) const;
  void balance(std::span<told> rows, const command::feature_filter& view) const;
  [[nodiscard]] std::string reference_of(const told& row) const;

  const customer* customer_;
  sequence last_;
  std::vector<run> runs_;
  std::map<sequence, entry> units_;
};

} // namespace accrue
