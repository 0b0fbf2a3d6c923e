// References that clients give, and the shard they lead to.
// Uniqueness of references belongs to the customer's own tests.
#include "domain/ids.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <concepts>
#include <type_traits>

using namespace accrue;

namespace {

bool accepted(std::string_view text) { return check_reference(text, "reference").has_value(); }

} // namespace

TEST_CASE("ids of different things neither convert nor compare", "[D65]") {
  STATIC_REQUIRE_FALSE(std::is_convertible_v<customer_id, namespace_id>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<std::uint64_t, customer_id>);
  STATIC_REQUIRE_FALSE(std::equality_comparable_with<charge_id, grant_id>);
  STATIC_REQUIRE(customer_id{3} < customer_id{4});
}

TEST_CASE("a reference has 1 to 128 bytes", "[D65]") {
  CHECK_FALSE(accepted(""));
  CHECK(accepted("a"));
  CHECK(accepted(std::string(128, 'x')));
  CHECK_FALSE(accepted(std::string(129, 'x')));
  // 42 euro signs of three bytes and two letters are 128 bytes; one more sign is too long.
  std::string signs;
  for (int i = 0; i < 42; ++i)
    signs += "\xE2\x82\xAC";
  CHECK(accepted(signs + "ab"));
  CHECK_FALSE(accepted(signs + "\xE2\x82\xAC"));
}

TEST_CASE("a reference is valid UTF-8", "[D65]") {
  CHECK(accepted("Zo\xC3\xAB GmbH & Co. / 7"));
  CHECK(accepted("\xF0\x9F\x92\xB6"));       // U+1F4B6
  CHECK(accepted("\xED\x9F\xBF"));           // U+D7FF, the last before the surrogates
  CHECK(accepted("\xF4\x8F\xBF\xBF"));       // U+10FFFF, the last of all
  CHECK_FALSE(accepted("\x80"));             // a continuation without a start
  CHECK_FALSE(accepted("a\xC3"));            // cut off
  CHECK_FALSE(accepted("\xE2\x82"));         // cut off
  CHECK_FALSE(accepted("\xE2\x82(a"));       // not continued
  CHECK_FALSE(accepted("\xC0\xAF"));         // '/' in two bytes
  CHECK_FALSE(accepted("\xE0\x80\xAF"));     // '/' in three bytes
  CHECK_FALSE(accepted("\xF0\x80\x80\xAF")); // '/' in four bytes
  CHECK_FALSE(accepted("\xED\xA0\x80"));     // U+D800, a surrogate
  CHECK_FALSE(accepted("\xF4\x90\x80\x80")); // U+110000
  CHECK_FALSE(accepted("\xF5\x80\x80\x80"));
  CHECK_FALSE(accepted("\xFF"));
}

TEST_CASE("a reference has no control characters", "[D65]") {
  CHECK_FALSE(accepted("a\nb"));
  CHECK_FALSE(accepted(std::string_view("a\0b", 3)));
  CHECK_FALSE(accepted("\x7F"));
  CHECK_FALSE(accepted("\xC2\x80")); // U+0080
  CHECK_FALSE(accepted("\xC2\x9F")); // U+009F
  CHECK(accepted("\xC2\xA0"));       // U+00A0 is a blank, not a control character
  CHECK(accepted(" "));
}

TEST_CASE("a refused reference is validation and names what it was", "[D65]") {
  const auto refused = check_reference("", "customer");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::validation);
  CHECK(refused.error().text == "customer must not be empty.");
}

TEST_CASE("the shard of a customer never changes", "[D65]") {
  // FNV-1a of 64 bits, worked out apart from this code, of the bytes "acme" 00 "c-1", 00, and "a" 00 "b":
  // af00d7ce3b8553ec, af63bd4c8601b7df, e5d29919042666b2; each mod 64.
  CHECK(shard_of("acme", "c-1") == 44);
  CHECK(shard_of("", "") == 31);
  CHECK(shard_of("a", "b") == 50);
}

TEST_CASE("a namespace's name and a customer's do not run into each other", "[D65]") {
  CHECK(shard_of("ab", "c") != shard_of("a", "bc"));
}

TEST_CASE("numbered customers spread over all shards", "[D65]") {
  std::array<int, shard_count> counts{};
  for (int i = 0; i < 6400; ++i)
    ++counts[shard_of("acme", "customer-" + std::to_string(i))];
  // 100 on average; no shard stays empty or gets three times its share.
  for (const int count : counts) {
    CHECK(count > 30);
    CHECK(count < 300);
  }
}
