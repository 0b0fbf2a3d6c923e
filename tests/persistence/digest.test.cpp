// SHA-256 against published values, and that pieces are hashed as one string.
#include "persistence/digest.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

namespace accrue {
namespace {

TEST_CASE("a digest is the published SHA-256 value") {
  // Source: FIPS 180-2, appendix B.
  CHECK(to_hex(digest_of("abc")) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(to_hex(digest_of("")) ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(to_hex(digest_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST_CASE("pieces are hashed as one string and a digester can be used again") {
  digester hash;
  CHECK(hash.add("ab").add("c").finish() == digest_of("abc"));
  CHECK(hash.add("abc").finish() == digest_of("abc"));
}

TEST_CASE("a number is hashed as its bytes in network order") {
  using namespace std::string_view_literals;
  digester hash;
  CHECK(hash.number(std::int32_t{0x01020304}).finish() == digest_of("\x01\x02\x03\x04"sv));
  CHECK(hash.number(std::int64_t{-2}).finish() == digest_of("\xff\xff\xff\xff\xff\xff\xff\xfe"sv));
  CHECK(hash.number(std::uint8_t{7}).finish() == digest_of("\x07"sv));
}

TEST_CASE("a fingerprint is the first half of a digest") {
  CHECK(to_hex(fingerprint_of(digest_of("abc"))) == "ba7816bf8f01cfea414140de5dae2223");
}

} // namespace
} // namespace accrue
