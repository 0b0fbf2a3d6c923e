// `accrue price`: what a price comes to over a range of quantities, as a table and as a plot.
// The amounts are those of the domain's rating, to the last cent.
#include "apps/accrue/price.hpp"

#include "apps/accrue/options.hpp"
#include "apps/accrue/price_json.hpp"
#include "apps/accrue/table.hpp"
#include "domain/rating/line.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>

namespace accrue::cli {

namespace {

using nlohmann::json;

/// Digits after the point of quantities in between and of averages.
constexpr int shown_scale = 6;
constexpr std::int64_t plot_columns = 60;
constexpr std::int64_t plot_rows = 12;

struct price_arguments {
  std::string price; ///< JSON, or the name of a file
  accrue::currency currency{840, 2};
  decimal from;
  decimal to = decimal(100);
  std::int64_t rows = 11;
  decimal percentage;
  decimal free;
};

/// What one quantity comes to.
struct point {
  decimal quantity;
  money total;
};

result<rating::tariff> tariff_of(const price_arguments& a) {
  const auto document =
      a.price.starts_with('{') ? parse_json(a.price, "PRICE") : read_json(a.price);
  if (!document)
    return tl::unexpected(document.error());
  rating::discounts discounts;
  if (!a.percentage.is_zero())
    discounts.percentage = {a.percentage, ""};
  if (!a.free.is_zero())
    discounts.usage = {a.free, ""};
  try {
    return rating::tariff::make(parse_price({*document, ""}), std::move(discounts));
  } catch (const misplaced& m) {
    return tl::unexpected(m.as_refusal());
  }
}

/// This many quantities, the first and last of the range among them.
result<std::vector<point>>
points(const rating::tariff& t, const price_arguments& a, std::int64_t count) {
  std::vector<point> all;
  for (std::int64_t i = 0; i < count; ++i) {
    auto quantity = subtract(a.to, a.from)
                        .and_then([&](const decimal& d) { return multiply(d, decimal(i)); })
                        .and_then([&](const decimal& d) {
                          return divide(d, decimal(count - 1), shown_scale, rounding::half_away);
                        })
                        .and_then([&](const decimal& d) { return add(a.from, d); });
    if (!quantity)
      return tl::unexpected(quantity.error());
    rating::line l;
    l.currency = a.currency;
    l.usage.quantity = *quantity;
    const auto rated = rating::rate(t, l);
    if (!rated)
      return tl::unexpected(rated.error());
    all.push_back({*quantity, {rated->totals.total(), a.currency}});
  }
  return all;
}

/// The total for each unit, to six digits; empty for no unit.
std::string average(const point& at) {
  if (at.quantity.is_zero())
    return {};
  const auto each = to_decimal(at.total).and_then([&](const decimal& total) {
    return divide(total, at.quantity, shown_scale, rounding::half_away);
  });
  return each ? each->to_string() : std::string("too large");
}

std::string table_of(const std::vector<point>& all) {
  table t({{"quantity", align::right}, {"total", align::right}, {"per unit", align::right}});
  for (const auto& at : all)
    t.row({at.quantity.to_string(), to_string(at.total), average(at)});
  return t.to_string();
}

/// A column a quantity, as high as its total in eighths of a row.
std::string plot_of(const std::vector<point>& all) {
  constexpr const char* eighths[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const auto& top =
      std::ranges::max_element(all, {}, [](const point& at) { return at.total.minor; })->total;
  const std::string highest = to_string(top);
  const std::string lowest = to_string(money{0, top.currency});
  const auto axis = std::max(highest.size(), lowest.size());
  const auto label = [&](const std::string& text) {
    return std::string(axis - text.size(), ' ') + text;
  };
  std::string out;
  for (std::int64_t row = plot_rows - 1; row >= 0; --row) {
    out += label(row == plot_rows - 1 ? highest : row == 0 ? lowest : "") + " ┤";
    for (const auto& at : all) {
      const auto height =
          top.minor == 0 ? 0 : divide_rounded(at.total.minor * plot_rows * 8, top.minor);
      out += eighths[static_cast<std::size_t>(std::clamp<int128>(height - int128{row} * 8, 0, 8))];
    }
    out += '\n';
  }
  const auto first = all.front().quantity.to_string();
  const auto last = all.back().quantity.to_string();
  const auto room = std::max(all.size(), first.size() + last.size() + 1);
  return out + std::string(axis + 2, ' ') + first +
         std::string(room - first.size() - last.size(), ' ') + last + "\n";
}

json json_of(const std::vector<point>& all) {
  json items = json::array();
  for (const auto& at : all)
    items.push_back({{"quantity", at.quantity.to_string()},
                     {"total", to_string(at.total)},
                     {"per_unit", average(at)}});
  return {{"currency", iso_code(all.front().total.currency)}, {"points", std::move(items)}};
}

int refused(const refusal& no) {
  std::fprintf(stderr, "accrue: %s\n", no.text.c_str());
  return exit_usage;
}

int show_price(const program& p, const price_arguments& a) {
  if (a.from.is_negative() || a.to <= a.from)
    return refused({errc::invalid_range, {}, "The range goes from 0 or more to more than that."});
  const auto tariff = tariff_of(a);
  if (!tariff)
    return refused(tariff.error());
  const auto listed = points(*tariff, a, a.rows);
  const auto drawn = points(*tariff, a, plot_columns);
  if (!listed || !drawn)
    return refused(listed ? drawn.error() : listed.error());
  if (p.json)
    show(json_of(*listed));
  else
    std::printf("%s\n%s", table_of(*listed).c_str(), plot_of(*drawn).c_str());
  return exit_done;
}

} // namespace

void add_price(CLI::App& app, program& p) {
  constexpr std::int64_t rows_max = 1000;
  auto* sub = app.add_subcommand("price", "Shows what a price comes to, without a server");
  auto a = std::make_shared<price_arguments>();
  sub->add_option("PRICE", a->price, "The price as JSON, or a file with it")->required();
  add_parsed(
      *sub,
      "--currency",
      a->currency,
      [](const std::string& s) { return find_iso_currency(s); },
      "Currency of the amounts; default USD")
      ->type_name("CODE");
  add_amount(*sub, "--from", a->from, "First quantity; default 0");
  add_amount(*sub, "--to", a->to, "Last quantity; default 100");
  sub->add_option("--rows", a->rows, "Rows of the table")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{2}, rows_max));
  add_amount(*sub, "--discount", a->percentage, "Percentage off; 50 is half");
  add_amount(*sub, "--free", a->free, "Quantity free of charge");
  sub->callback([a, &p] { p.action = [a, &p] { return show_price(p, *a); }; });
}

} // namespace accrue::cli
