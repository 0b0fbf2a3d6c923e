// What holds for all prices, currencies and quantities; each checked on many random ones.
#include "tests/domain/rating/rating.hpp"

#include <rapidcheck.h>

#include <numeric>

using namespace accrue;
using namespace accrue::testing;

namespace {

/// A decimal of up to `digits` digits, of which some stand after the point.
rc::Gen<decimal> any_decimal(int digits) {
  return rc::gen::map(
      rc::gen::pair(
          rc::gen::inRange<std::int64_t>(0, static_cast<std::int64_t>(power_of_ten(digits))),
          rc::gen::inRange(0, 5)),
      [](const auto& drawn) { return decimal::make(drawn.first, drawn.second).value(); });
}

rc::Gen<decimal> any_quantity() { return any_decimal(7); }

rc::Gen<std::optional<decimal>> any_optional_price() {
  return rc::gen::map(rc::gen::maybe(any_decimal(5)), [](const rc::Maybe<decimal>& m) {
    return m ? std::optional(*m) : std::nullopt;
  });
}

/// One to six tiers.
std::vector<rating::tier> any_tiers() {
  const auto count = *rc::gen::inRange<std::size_t>(1, 7);
  std::vector<rating::tier> tiers(count);
  decimal bound;
  for (auto& t : tiers) {
    bound = add(bound, add(*any_decimal(5), decimal(1)).value()).value();
    t = {bound, *any_optional_price(), *any_optional_price()};
    if (!t.flat && !t.unit)
      t.unit = *any_decimal(5);
  }
  tiers.back().up_to.reset();
  return tiers;
}

currency any_currency() { return *rc::gen::elementOf(of_each_exponent); }

rating::line of_quantity(const decimal& quantity, currency c) {
  auto l = january("0", c);
  l.usage.quantity = quantity;
  return l;
}

int128 cost(const rating::tariff& t, const rating::line& l) {
  return rating::rate(t, l).value().totals.total();
}

/// January in parts that end on these days, with their quantities; what each comes to.
int128 cost_in_parts(const rating::tariff& t, const std::vector<decimal>& quantities, currency c) {
  const auto full = january("0", c).period;
  int128 sum = 0;
  decimal before;
  instant from = full.from;
  for (std::size_t i = 0; i < quantities.size(); ++i) {
    auto l = of_quantity(quantities[i], c);
    const bool last = i + 1 == quantities.size();
    l.period = {from, last ? full.to : plus_ns(from, 86'400 * ns_per_second)};
    l.split_of = full;
    l.usage.before = before;
    l.previously_billed = sum;
    sum += cost(t, l);
    before = add(before, quantities[i]).value();
    from = l.period.to;
  }
  return sum;
}

std::vector<decimal> any_parts() {
  const auto count = *rc::gen::inRange<std::size_t>(1, 12);
  return *rc::gen::container<std::vector<decimal>>(count, any_quantity());
}

decimal sum_of(const std::vector<decimal>& parts) {
  return std::accumulate(parts.begin(), parts.end(), decimal(), [](const auto& a, const auto& b) {
    return add(a, b).value();
  });
}

/// A price times a whole quantity without a rest: what parts cannot round differently.
decimal exact_price(currency c) {
  return decimal::make(*rc::gen::inRange<std::int64_t>(0, 100'000), c.exponent()).value();
}

} // namespace

TEST_CASE("the parts of every allocation sum to the whole", "[rating][D10]") {
  CHECK(rc::check("for exponents 0, 2, 3, 4 and 9", [] {
    const auto c = any_currency();
    const auto t = agreed(graduated(any_tiers()), percent_off("12.5"));
    auto l = of_quantity(*any_quantity(), c);
    const auto unpaid = rating::rate(t, l).value();
    const auto payable = unpaid.totals.total();
    RC_PRE(payable > 0);
    const auto weights = *rc::gen::suchThat(
        rc::gen::container<std::vector<int128>>(
            rc::gen::map(rc::gen::inRange(0, 1000), [](int w) { return int128{w}; })),
        [](const auto& all) { return std::ranges::any_of(all, [](int128 w) { return w > 0; }); });
    const auto credits = allocate(payable, weights).value();
    RC_ASSERT(std::accumulate(credits.begin(), credits.end(), int128{0}) == payable);
    // Given as credits they pay every line to the last minor unit.
    l.credits = credits;
    const auto paid = rating::rate(t, l).value();
    RC_ASSERT(paid.totals.total() == 0);
    for (const auto& d : paid.lines)
      RC_ASSERT(d.total() == 0);
    std::vector<int128> taken(credits.size());
    for (const auto& part : paid.credits)
      taken[part.credit] += part.amount;
    RC_ASSERT(taken == credits);
  }));
}

TEST_CASE("a line's total is its amounts less discounts and credits", "[rating]") {
  CHECK(rc::check("field by field", [] {
    const auto c = any_currency();
    const auto t = agreed(graduated(any_tiers(), between("", "1000")), percent_off("33.3"));
    const auto out = rating::rate(t, of_quantity(*any_quantity(), c)).value();
    rating::totals sum;
    for (const auto& d : out.lines) {
      RC_ASSERT(d.totals().total() == d.total());
      RC_ASSERT(d.total() >= 0);
      sum += d.totals();
    }
    RC_ASSERT(sum == out.totals);
    RC_ASSERT(out.totals.total() <= 1000 * power_of_ten(c.exponent()));
  }));
}

TEST_CASE("rating into used memory gives the same", "[rating]") {
  CHECK(rc::check("as into fresh one", [] {
    const auto c = any_currency();
    rating::rated_line used;
    for (int i = 0; i < 3; ++i) {
      const auto t = agreed(graduated(any_tiers()), free_units("10"));
      const auto l = of_quantity(*any_quantity(), c);
      REQUIRE(rating::rate(t, l, used).has_value());
      RC_ASSERT(used == rating::rate(t, l).value());
    }
  }));
}

TEST_CASE("splitting a period never changes the total of additive prices", "[rating][D23]") {
  CHECK(rc::check("a price for each unit that needs no rounding", [] {
    const auto c = any_currency();
    auto parts = any_parts();
    for (auto& q : parts)
      q = decimal(static_cast<std::int64_t>(q.coefficient() % 1'000'000));
    const auto t = agreed(made(rating::unit_price{exact_price(c), {}}));
    RC_ASSERT(cost_in_parts(t, parts, c) == cost(t, of_quantity(sum_of(parts), c)));
  }));
  CHECK(rc::check("packages, whatever the quantities", [] {
    const auto c = any_currency();
    const auto parts = any_parts();
    const auto size = add(*any_decimal(4), dec("0.0001")).value();
    const auto t = agreed(made(rating::package_price{exact_price(c), size, {}}));
    RC_ASSERT(cost_in_parts(t, parts, c) == cost(t, of_quantity(sum_of(parts), c)));
  }));
  CHECK(rc::check("graduated tiers with whole bounds and quantities", [] {
    const auto c = any_currency();
    auto parts = any_parts();
    for (auto& q : parts)
      q = decimal(static_cast<std::int64_t>(q.coefficient() % 1000));
    std::vector<rating::tier> tiers;
    for (std::int64_t bound = 0; tiers.size() < 5;) {
      bound += *rc::gen::inRange<std::int64_t>(1, 1000);
      tiers.push_back({decimal(bound), exact_price(c), exact_price(c)});
    }
    tiers.back().up_to.reset();
    const auto t = agreed(graduated(tiers));
    RC_ASSERT(cost_in_parts(t, parts, c) == cost(t, of_quantity(sum_of(parts), c)));
  }));
  CHECK(rc::check("a maximum that counts net amounts", [] {
    const auto c = any_currency();
    auto parts = any_parts();
    for (auto& q : parts)
      q = decimal(static_cast<std::int64_t>(q.coefficient() % 1000));
    const auto maximum = exact_price(c);
    const auto t = agreed(made(rating::unit_price{exact_price(c), {{}, maximum}}));
    RC_ASSERT(cost_in_parts(t, parts, c) == cost(t, of_quantity(sum_of(parts), c)));
  }));
}

TEST_CASE("more usage never costs less at graduated prices", "[rating]") {
  CHECK(rc::check("with or without discounts and commitments", [] {
    const auto c = any_currency();
    const auto minimum = *any_decimal(4);
    const auto maximum = add(minimum, *any_decimal(6)).value();
    const auto discounts = *rc::gen::element(
        rating::discounts{}, percent_off("7.5"), free_units("123.45"), percent_off("100"));
    const auto t = agreed(graduated(any_tiers(), {minimum, maximum}), discounts);
    const auto less = *any_quantity();
    const auto more = add(less, *any_quantity()).value();
    // Prices are not negative, so tiers only add; the first tier's flat price is owed at 0 too.
    RC_ASSERT(cost(t, of_quantity(less, c)) <= cost(t, of_quantity(more, c)));
  }));
}
