// Which keys are known, with few of them (looked through), many (a table), and old ones (filters).
#include "persistence/key_index.hpp"

#include <catch2/catch_test_macros.hpp>

namespace accrue {
namespace {

/// A fingerprint whose first bytes, which the filter keeps, are the number's.
fingerprint print_of(std::uint64_t n, std::uint8_t tail = 0) {
  fingerprint f{};
  for (std::size_t i = 0; i < 8; ++i)
    f[i] = static_cast<std::byte>(n >> (8 * i));
  f[15] = static_cast<std::byte>(tail);
  return f;
}

key_index with_keys(std::uint64_t count, std::uint64_t after = 0) {
  key_index keys;
  for (std::uint64_t n = after + 1; n <= after + count; ++n)
    keys.add(print_of(n), print_of(n, 7), sequence(n));
  return keys;
}

} // namespace

TEST_CASE("every key is found with its unit and content, however many there are", "[D6]") {
  for (const std::uint64_t count : {0U, 1U, 15U, 16U, 17U, 18U, 100U, 5000U}) {
    const auto keys = with_keys(count);
    INFO(count << " keys");
    CHECK(keys.size() == count);
    for (std::uint64_t n = 1; n <= count; ++n) {
      const auto found = keys.find(print_of(n), sequence(count));
      REQUIRE(found.exact);
      CHECK(found.exact->sequence.value == n);
      CHECK(found.exact->content == print_of(n, 7));
      CHECK(found.older.empty());
    }
    // A stranger, and one that only looks like a known key.
    for (const auto& stranger : {print_of(count + 1), print_of(1, 9)}) {
      CHECK(!keys.find(stranger, sequence(count)).exact);
      CHECK(keys.find(stranger, sequence(count)).older.empty());
    }
  }
}

TEST_CASE("a unit may have two keys", "[D6]") {
  for (const std::uint64_t before : {0U, 15U, 16U, 40U}) {
    auto keys = with_keys(before);
    const auto unit = sequence(before + 1);
    keys.add(print_of(1000), print_of(1), unit);
    keys.add(print_of(2000), print_of(1), unit);
    INFO("after " << before << " keys");
    REQUIRE(keys.find(print_of(1000), unit).exact);
    REQUIRE(keys.find(print_of(2000), unit).exact);
    CHECK(keys.find(print_of(1000), unit).exact->sequence == unit);
    CHECK(keys.find(print_of(2000), unit).exact->sequence == unit);
  }
}

TEST_CASE("keys of a segment point at their unit, and only the journal can be sure", "[D6]") {
  // 40 keys, of which the first 30 go into a segment and the last ten are added exactly.
  const sequence last(40);
  std::vector<std::byte> segment;
  with_keys(30).encode_segment(sequence(0), sequence(30), segment);
  CHECK(segment.size() == 30 * 8);
  key_index keys;
  REQUIRE(keys.restore_segment(segment));
  for (std::uint64_t n = 31; n <= 40; ++n)
    keys.add(print_of(n), print_of(n, 7), sequence(n));
  CHECK(keys.size() == 40);
  for (std::uint64_t n = 1; n <= 30; ++n) {
    const auto found = keys.find(print_of(n), last);
    CHECK(!found.exact);
    CHECK(found.older == std::vector{sequence(n)});
  }
  for (std::uint64_t n = 31; n <= 40; ++n)
    CHECK(keys.find(print_of(n), last).exact);
  CHECK(keys.find(print_of(41), last).older.empty());
  CHECK(!keys.restore_segment(std::vector<std::byte>(7)));
  // The next segment begins behind it.
  segment.clear();
  keys.encode_segment(sequence(30), last, segment);
  CHECK(segment.size() == 10 * 8);
}

TEST_CASE("of old keys that stand in a segment only the filter is kept", "[D6]") {
  const sequence last(exact_keys + 50);
  auto keys = with_keys(last.value);
  keys.trim(last);
  for (std::uint64_t n = 1; n <= 50; ++n) {
    CHECK(!keys.find(print_of(n), last).exact);
    CHECK(keys.find(print_of(n), last).older == std::vector{sequence(n)});
  }
  CHECK(keys.find(print_of(51), last).exact); // one of the last thousand
}

TEST_CASE("units are told apart also where their low bits begin anew", "[D6]") {
  constexpr auto turn = std::uint64_t{1} << 32;
  for (const std::uint64_t count : {std::uint64_t{10}, exact_keys + 50}) {
    const auto after = turn + 5 - count;
    const sequence last(after + count);
    auto keys = with_keys(count, after);
    keys.trim(last);
    for (std::uint64_t n = last.value; n > last.value - 10; --n)
      if (n != turn) { // its low bits are those of an empty slot
        const auto found = keys.find(print_of(n), last);
        REQUIRE(found.exact);
        CHECK(found.exact->sequence.value == n);
      }
    if (count > exact_keys)
      CHECK(keys.find(print_of(after + 1), last).older == std::vector{sequence(after + 1)});
    std::vector<std::byte> segment;
    keys.encode_segment(sequence(turn - 3), last, segment);
    CHECK(segment.size() == 8 * 8);
  }
}

} // namespace accrue
