// What a refusal reads of a request without parsing it: the same id and number of commands as the parser
// finds, and nothing where the parser has to decide.
#include "tests/protocol/frames.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::wire;

namespace {

call consume(std::string customer) {
  call c;
  c.customer = std::move(customer);
  c.body = command::any(command::consume{"id", *decimal::parse("1.25"), "USD", {}});
  return c;
}

} // namespace

TEST_CASE("an outline has the request's id and the number of its commands") {
  for (const std::uint64_t id :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{300}, ~std::uint64_t{0}})
    for (const std::size_t count : {1, 2, 1000}) {
      std::string out;
      const std::vector<call> batch(count, consume("acme"));
      print(out, id, batch);
      const auto seen = outline_request(only_payload(out));
      REQUIRE(seen);
      CHECK(seen->id == id);
      CHECK(seen->commands == count);
      CHECK(read_request(out).id == id);
    }
}

TEST_CASE("what is no plain request has no outline") {
  std::string greeting;
  print(greeting, hello{"default", {}, {}});
  CHECK_FALSE(outline_request(only_payload(greeting)));
  std::string out;
  print(out, 7, std::vector<call>(3, consume("acme")));
  const auto whole = only_payload(out);
  CHECK_FALSE(outline_request(whole, 2)); // a batch above the limit
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK_FALSE(outline_request(whole.substr(0, length)));
  CHECK_FALSE(outline_request(std::string(whole) + "x"));
  CHECK_FALSE(outline_request(std::string("\x1a\x02\x08\x01", 4)));         // no command
  CHECK_FALSE(outline_request(std::string("\x1a\x04\x18\x01\x12\x00", 6))); // an unknown field
  CHECK_FALSE(outline_request(std::string(12, '\xff')));                    // a varint without end
}
