// What the parts of `verify` share: cursors that stream rows in order, and the collector of findings.
// For verify*.cpp only.
#pragma once

#include "persistence/statement_codec.hpp"
#include "persistence/unit_batch.hpp"
#include "persistence/verify.hpp"

#include <array>
#include <map>
#include <utility>

namespace accrue::verifying {

/// Thrown within `verify` when the database does not answer; nobody outside sees it.
struct read_failed {
  pg::error why;
};

/// The rows of a SELECT, a chunk of them in memory. Its first two columns are (namespace, customer)
/// where `owner` is asked.
class row_cursor {
public:
  /// Within a transaction. `name` is the cursor's.
  row_cursor(pg::session& database,
             std::string name,
             const std::string& select,
             std::uint32_t rows_at_once = 1000)
      : database_(&database), name_(std::move(name)),
        fetch_("FETCH " + std::to_string(rows_at_once) + " FROM " + name_) {
    must(database.query("DECLARE " + name_ + " NO SCROLL CURSOR FOR " + select));
    fetch();
  }

  [[nodiscard]] bool done() const noexcept { return chunk_.rows() == 0; }
  void next() {
    if (++row_ == chunk_.rows())
      fetch();
  }

  [[nodiscard]] customer_key owner() const {
    return {namespace_id(static_cast<std::uint32_t>(chunk_.i32(row_, 0))),
            customer_id(static_cast<std::uint64_t>(chunk_.i32(row_, 1)))};
  }
  [[nodiscard]] bool is_of(const customer_key& k) const { return !done() && owner() == k; }
  [[nodiscard]] std::int16_t i16(int column) const { return chunk_.i16(row_, column); }
  [[nodiscard]] std::int32_t i32(int column) const { return chunk_.i32(row_, column); }
  [[nodiscard]] std::int64_t i64(int column) const { return chunk_.i64(row_, column); }
  [[nodiscard]] pg::uuid uuid(int column) const { return chunk_.uuid(row_, column); }
  /// Valid until `next`.
  [[nodiscard]] std::span<const std::byte> bytes(int column) const {
    return chunk_.bytes(row_, column);
  }
  [[nodiscard]] std::string_view text(int column) const { return chunk_.text(row_, column); }
  [[nodiscard]] digest hash(int column) const {
    digest out{};
    const auto stored = bytes(column);
    std::copy_n(stored.begin(), std::min(stored.size(), out.size()), out.begin());
    return out;
  }

private:
  static pg::result must(pg::outcome<pg::result> rows) {
    if (!rows)
      throw read_failed{std::move(rows.error())};
    return std::move(*rows);
  }
  void fetch() {
    chunk_ = must(database_->query(fetch_));
    row_ = 0;
  }

  pg::session* database_;
  std::string name_;
  std::string fetch_;
  pg::result chunk_;
  int row_ = 0;
};

/// Collects findings.
class report {
public:
  report(verification& out, std::size_t kept_max) noexcept : out_(&out), kept_max_(kept_max) {}

  void add(breach what, std::string where, std::string text) {
    ++out_->found;
    if (out_->findings.size() < kept_max_)
      out_->findings.push_back({what, std::move(where), std::move(text)});
  }
  [[nodiscard]] verification& counts() noexcept { return *out_; }

private:
  verification* out_;
  std::size_t kept_max_;
};

/// "namespace 1, customer 64"
[[nodiscard]] std::string place_of(const customer_key& k);

/// The tables beside the journal, walked along with it.
class projection_check {
public:
  projection_check(pg::session& database, report& findings);

  /// What one unit leaves in the tables; `batch` holds the rows of that unit only.
  void expect(const unit_batch& batch);
  /// Rows of customers before this one in order: nobody's, for the journal has been past them.
  void pass(const customer_key& next);
  /// Compares the customer's rows with what was expected since the last call.
  void compare(const customer_key& owner);
  /// Passes over the customer's rows: its units do not prove, so nothing is known about them.
  void skip(const customer_key& owner);
  /// The rest has no units.
  void finish();

private:
  using row_key = std::pair<std::int64_t, std::int64_t>;
  using columns = std::vector<std::string>;
  /// Rows come as (namespace, customer, two numbers of the key, texts).
  struct table {
    std::string name;
    std::vector<std::string> titles;
    row_cursor rows;
    std::map<row_key, columns> expected;
  };
  enum place : std::uint8_t { customers, grants, charges, invoices, wakeups, outbox };

  [[nodiscard]] std::string row_name(const table& t, const row_key& k) const;
  void
  compare_row(const table& t, const customer_key& owner, const row_key& k, const columns& wanted);
  void orphan(const table& t);

  report* findings_;
  std::array<table, 6> tables_;
};

/// The blocks of statements, walked along with the journal.
class block_check {
public:
  block_check(pg::session& database, report& findings);

  /// The units of this customer come next; blocks of those before it are nobody's.
  void pass(const customer_key& next);
  /// Its next unit, and the customer after it.
  void unit(const customer_key& owner, const customer& after, const entry& e);
  /// It has no more units.
  void finish(const customer_key& owner);
  /// Its units do not prove, so nothing is known about its blocks.
  void skip(const customer_key& owner);
  /// Nobody has more units.
  void finish();

private:
  void look_ahead(const customer_key& owner);
  void found(const char* text);

  report* findings_;
  row_cursor rows_;
  std::optional<block_sums> block_; ///< the row that is next
  statement_writer made_;           ///< what it should have
};

/// Batches, lanes and the journal rows they vouch for.
void check_batches(pg::session& database, report& findings);

} // namespace accrue::verifying
