// The bytes that stand for a command's content. Their fingerprints are stored for ever: a repeated key of an
// older version must still meet the same content (D6).
#include "domain/canonical.hpp"

#include "tests/domain/support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;
using namespace std::string_literals;

namespace {

std::string bytes(const command::any& c) {
  std::string out;
  append_canonical(c, out);
  return out;
}

} // namespace

TEST_CASE("contents keep the bytes that they had in earlier versions", "[D6]") {
  // The kind, then each field: a text with its length, a decimal as low and high half of its coefficient and
  // its scale, 0 for what is absent.
  CHECK(bytes(command::put_customer{}) == "\x0cput_customer\0\0\0"s);
  CHECK(bytes(command::consume{"u", dec("1.50"), "USD", ""}) == "\x07"
                                                                "consume\x01u\x0f\0\x01\x03USD\0"s);
}

TEST_CASE("a field of a later version stands only where it is given", "[D6]") {
  command::put_customer without_tax;
  without_tax.tax.emplace();
  CHECK(bytes(without_tax) ==
        "\x0cput_customer\0\0\0\0"s); // "no tax any more" is not "nothing said"
  command::put_customer taxed;
  taxed.tax.emplace(rating::tax_rate::make("GST", dec("0.1")).value());
  CHECK(bytes(taxed) == "\x0cput_customer\0\0\0\x01\x03GST\x01\0\x01"s);
}
