// The bytes of statement blocks: what goes in comes out, and nothing else is taken.
#include "persistence/statement_codec.hpp"

#include <catch2/catch_test_macros.hpp>
#include <rapidcheck.h>

#include <limits>

using namespace accrue;

namespace {

using bytes = std::vector<std::byte>;

template <class Int>
Int any_of() {
  return *rc::gen::oneOf(
      rc::gen::inRange<Int>(0, 3),
      rc::gen::arbitrary<Int>(),
      rc::gen::element(std::numeric_limits<Int>::min(), std::numeric_limits<Int>::max()));
}

int128 any_amount() {
  return (static_cast<int128>(any_of<std::int64_t>()) << *rc::gen::element(0, 1, 64)) +
         any_of<std::int64_t>();
}

item_kind any_kind() { return static_cast<item_kind>(*rc::gen::inRange(1, 8)); }

std::vector<statement_movement> any_movements() {
  std::vector<statement_movement> all;
  for (auto left = *rc::gen::element(1, 1, 1, 0, 2, 3); left > 0; --left)
    all.push_back({sub_account_id(any_of<std::uint32_t>()), any_amount()});
  return all;
}

/// What a unit of this number and instant did.
statement_items any_unit(std::uint64_t number, instant at) {
  statement_items unit;
  for (auto left = *rc::gen::element(1, 1, 1, 0, 2, 5); left > 0; --left) {
    statement_item i;
    i.kind = any_kind();
    i.place = {*rc::gen::arbitrary<bool>() ? at : instant{any_of<std::int64_t>()},
               at,
               number,
               any_of<std::uint32_t>()};
    if (i.kind == item_kind::expired)
      i.place.recorded_at = i.place.booked_at;
    i.grant = grant_id(any_of<std::uint32_t>());
    unit.add(i, any_movements());
  }
  return unit;
}

/// Some units behind `after`, and their bytes.
struct some_units {
  statement_items items;
  bytes units;

  explicit some_units(sequence after) {
    instant at;
    for (auto left = *rc::gen::inRange(0, 6); left > 0; --left) {
      const instant now{*rc::gen::inRange<std::int64_t>(at.ns, at.ns + 1'000'000'007)};
      const auto unit = any_unit(++after.value, now);
      append_unit(units, unit, now, at);
      for (const auto& i : unit.items)
        items.add(i, unit.moved(i));
      at = now;
    }
  }
};

statement_block any_block() {
  const auto after = *rc::gen::inRange<std::uint64_t>(0, 1'000'000);
  statement_block b{
      sequence(after), sequence(after + 1 + *rc::gen::inRange<std::uint64_t>(0, 9999)), {}};
  const auto place = [] {
    return statement_place{{any_of<std::int64_t>()},
                           {any_of<std::int64_t>()},
                           any_of<std::uint64_t>(),
                           any_of<std::uint32_t>()};
  };
  for (auto left = *rc::gen::inRange(0, 4); left > 0; --left) {
    auto& run = b.runs.emplace_back(statement_summary{place(), place(), {}});
    for (auto sums = *rc::gen::inRange(0, 4); sums > 0; --sums)
      run.sums.push_back({any_kind(),
                          sub_account_id(any_of<std::uint32_t>()),
                          any_amount(),
                          any_of<std::uint32_t>()});
  }
  return b;
}

} // namespace

TEST_CASE("what units did comes back from its bytes", "[statement]") {
  CHECK(rc::check("units", [] {
    const sequence after(*rc::gen::inRange<std::uint64_t>(0, 1'000'000));
    const some_units made(after);
    RC_ASSERT(decode_units(made.units, after).value() == made.items);
  }));
  CHECK(rc::check("blocks", [] {
    const auto b = any_block();
    const some_units made(b.after);
    bytes out;
    encode(b, made.units, out);
    const auto back = decode_sums(out, b.through).value();
    RC_ASSERT(back.block == b);
    RC_ASSERT(decode_items(back, made.units).value() == made.items);
  }));
}

TEST_CASE("of a statement's bytes nothing else is taken", "[statement]") {
  CHECK(rc::check("sums or items of which a byte is another, or is missing, or one more", [] {
    const auto b = any_block();
    const some_units made(b.after);
    bytes sums;
    encode(b, made.units, sums);
    const auto good = decode_sums(sums, b.through).value();
    auto units = made.units;
    const bool of_sums = *rc::gen::arbitrary<bool>();
    auto& wrong = of_sums ? sums : units;
    const auto at = *rc::gen::inRange<std::size_t>(0, wrong.size() + 1);
    if (at == wrong.size())
      wrong.push_back(std::byte{0});
    else if (*rc::gen::arbitrary<bool>())
      wrong[at] ^= static_cast<std::byte>(1 << *rc::gen::inRange(0, 8));
    else
      wrong.resize(at);
    if (of_sums)
      RC_ASSERT(decode_sums(sums, b.through).error().code == errc::internal);
    else
      RC_ASSERT(decode_items(good, units).error().code == errc::internal);
  }));
  CHECK(rc::check("any bytes: an answer or a refusal, and no harm", [] {
    const auto drawn = *rc::gen::arbitrary<std::vector<std::uint8_t>>();
    bytes any;
    for (const auto b : drawn)
      any.push_back(std::byte{b});
    (void)decode_units(any, sequence(7));
    (void)decode_sums(any, sequence(7));
  }));
  // 2: no unit begins with it; 64: an item of no kind; 1, 9: nine items, and nothing there.
  for (const auto& wrong : {bytes{std::byte{2}, std::byte{0}},
                            bytes{std::byte{64}, std::byte{0}},
                            bytes{std::byte{1}, std::byte{9}}})
    CHECK(decode_units(wrong, sequence(0)).error().code == errc::internal);
  // Of another number of units, a block would end before it begins.
  bytes out;
  encode({sequence(5), sequence(9), {}}, {}, out);
  CHECK(decode_sums(out, sequence(9)).has_value());
  CHECK(decode_sums(out, sequence(5)).error().code == errc::internal);
}

TEST_CASE("a plain consume takes few bytes", "[statement]") {
  statement_items unit;
  const instant at{1'767'225'600'000'000'000};
  const statement_movement moved{sub_account_id(0), -1};
  unit.add({item_kind::consumed, {at, at, 5, 0}, {}, 0, 0}, {&moved, 1});
  bytes out;
  append_unit(out, unit, at, {at.ns - 200'000'000});
  // The item 1, 0.2 s in nanoseconds 4 (2^28 = 268,435,456), sub-account and amount 1 each.
  CHECK(out.size() == 7);
}
