// How fast usage becomes amounts on one core: invoices of ten lines, each at a graduated price of five
// tiers. Without texts, storing or posting.
#include "domain/rating/line.hpp"
#include "domain/rating/texts.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <string>

namespace {

using namespace accrue;

constexpr std::size_t lines_of_invoice = 10;
const currency usd{840, 2};

decimal dec(std::string_view text) { return decimal::parse(text).value(); }

rating::tariff five_tiers(rating::discounts discounts = {}) {
  const auto tier = [](std::optional<decimal> up_to, std::string_view unit) {
    return rating::tier{up_to, {}, dec(unit)};
  };
  const auto price = rating::price::make(rating::tiered_price{rating::tier_mode::graduated,
                                                              {tier(dec("1000"), "0.015"),
                                                               tier(dec("10000"), "0.012"),
                                                               tier(dec("100000"), "0.0095"),
                                                               tier(dec("1000000"), "0.0071"),
                                                               tier({}, "0.0049")},
                                                              {}});
  return rating::tariff::make(price.value(), std::move(discounts)).value();
}

/// Lines whose usage reaches into all tiers, none twice the same.
std::array<rating::line, lines_of_invoice> lines(std::string_view fraction) {
  std::array<rating::line, lines_of_invoice> all;
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].period = {{0}, {30LL * 86'400 * ns_per_second}};
    all[i].currency = usd;
    all[i].usage.quantity = dec(std::to_string(1'234'567 + i * 8'191) + std::string(fraction));
  }
  return all;
}

template <class Work>
void rate_invoices(benchmark::State& state, const rating::tariff& tariff, const Work& work) {
  auto invoice = lines(state.range(0) == 0 ? "" : ".123456");
  rating::rated_line rated;
  for (auto _ : state) {
    rating::totals sum;
    for (auto& l : invoice) {
      if (!rating::rate(tariff, l, rated))
        state.SkipWithError("a line was refused");
      sum += rated.totals;
      work(rated);
    }
    benchmark::DoNotOptimize(sum);
  }
  state.counters["invoices/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

/// The argument says whether quantities have a fraction.
void invoice(benchmark::State& state) {
  rate_invoices(state, five_tiers(), [](const rating::rated_line&) {});
}

void invoice_with_discounts(benchmark::State& state) {
  const rating::discounts both{rating::percentage_discount{dec("12.5"), "p"},
                               rating::usage_discount{dec("500"), "u"}};
  rate_invoices(state, five_tiers(both), [](const rating::rated_line&) {});
}

void invoice_with_texts(benchmark::State& state) {
  rate_invoices(state, five_tiers(), [](const rating::rated_line& rated) {
    for (const auto& d : rated.lines) {
      benchmark::DoNotOptimize(rating::name_of(d, "Requests"));
      benchmark::DoNotOptimize(rating::child_reference(d));
    }
  });
}

BENCHMARK(invoice)->Arg(0)->Arg(1);
BENCHMARK(invoice_with_discounts)->Arg(0)->Arg(1);
BENCHMARK(invoice_with_texts)->Arg(0)->Arg(1);

} // namespace

BENCHMARK_MAIN();
