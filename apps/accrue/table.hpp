// Aligned columns for a terminal. What stands in them is said elsewhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace accrue::cli {

enum class align : std::uint8_t { left, right };

struct column {
  std::string title;
  cli::align align = cli::align::left;
};

/// Titles, a rule, rows; columns as wide as their widest cell and two blanks apart. Widths count
/// characters, not bytes.
class table {
public:
  explicit table(std::vector<column> columns) : columns_(std::move(columns)) {}

  /// One cell a column; missing ones are empty.
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// A line over what the next row has in right-aligned columns: its sums.
  void rule() { rows_.emplace_back(); }

  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
  /// Each line ends with a newline and without blanks before it.
  [[nodiscard]] std::string to_string() const;

private:
  std::vector<column> columns_;
  std::vector<std::vector<std::string>> rows_; ///< an empty one is a rule
};

/// Name and value, one a line, the values aligned; pairs without a value are left out.
[[nodiscard]] std::string to_lines(const std::vector<std::pair<std::string, std::string>>& entries);

/// Characters of a UTF-8 text.
[[nodiscard]] std::size_t width(std::string_view text) noexcept;

} // namespace accrue::cli
