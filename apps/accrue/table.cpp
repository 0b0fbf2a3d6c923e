// Columns are measured, padded and trimmed here.
#include "apps/accrue/table.hpp"

#include <algorithm>

namespace accrue::cli {

namespace {

constexpr std::string_view gap = "  ";

void end_line(std::string& out) {
  while (out.ends_with(' '))
    out.pop_back();
  out += '\n';
}

} // namespace

std::size_t width(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string table::to_string() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t widest = width(columns_[i].title);
    for (const auto& cells : rows_)
      if (i < cells.size())
        widest = std::max(widest, width(cells[i]));
    widths.push_back(widest);
  }
  std::string out;
  const auto add = [&](std::size_t i, std::string_view text) {
    const std::string padding(widths[i] - width(text), ' ');
    if (i != 0)
      out += gap;
    if (columns_[i].align == align::right)
      out += padding;
    out += text;
    if (columns_[i].align == align::left)
      out += padding;
  };
  for (std::size_t i = 0; i < columns_.size(); ++i)
    add(i, columns_[i].title);
  end_line(out);
  for (std::size_t i = 0; i < columns_.size(); ++i)
    add(i, std::string(widths[i], '-'));
  end_line(out);
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    const auto& cells = rows_[row];
    const auto& below = rows_[std::min(row + 1, rows_.size() - 1)];
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (!cells.empty())
        add(i, i < cells.size() ? cells[i] : "");
      else if (columns_[i].align == align::right && i < below.size() && !below[i].empty())
        add(i, std::string(widths[i], '-'));
      else
        add(i, "");
    }
    end_line(out);
  }
  return out;
}

std::string to_lines(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::size_t widest = 0;
  for (const auto& [name, value] : entries)
    if (!value.empty())
      widest = std::max(widest, width(name));
  std::string out;
  for (const auto& [name, value] : entries) {
    if (value.empty())
      continue;
    out += name;
    out.append(widest - width(name), ' ');
    out += gap;
    out += value;
    end_line(out);
  }
  return out;
}

} // namespace accrue::cli
