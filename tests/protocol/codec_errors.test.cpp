// The table of error codes is complete, agrees with the .proto file and stands in docs/errors.md.
#include "protocol/errors.hpp"
#include "tests/protocol/proto_listing.hpp"

#include <catch2/catch_test_macros.hpp>

#include <set>

using namespace accrue;
using namespace accrue::wire;

TEST_CASE("the table has every reason to refuse, once, in order of precedence", "[D62]") {
  std::size_t row = 0;
  for (auto code = static_cast<unsigned>(errc::validation);
       code <= static_cast<unsigned>(errc::internal);
       ++code, ++row) {
    REQUIRE(row < error_table().size());
    CHECK(error_table()[row].code == static_cast<errc>(code));
    CHECK(entry(static_cast<errc>(code)).code == static_cast<errc>(code));
  }
  CHECK(row == error_table().size());
  // The first number behind the table has no name of its own: nothing was added after `internal`.
  CHECK(to_string(static_cast<errc>(row + 1)) == "internal");
}

TEST_CASE("numbers and names of the table are those of the .proto file", "[D62]") {
  std::set<std::string> wire;
  for (const auto& line : proto_listing("protocol/accrue/v1"))
    if (line.starts_with("Error.Code ") && line != "Error.Code 0 unspecified")
      wire.insert(line);
  std::set<std::string> table;
  for (const auto& row : error_table()) {
    table.insert("Error.Code " + std::to_string(row.number) + " " +
                 std::string(to_string(row.code)));
    CHECK(code_of(row.number) == row.code);
  }
  CHECK(table == wire);
}

TEST_CASE("docs/errors.md shows the table as it is", "[D62]") {
  const auto text = read_source("docs/errors.md");
  for (const auto& row : error_table()) {
    auto advice = std::string(to_string(row.retry.advice));
    if (row.retry.after_ms > 0)
      advice += ", after " + std::to_string(row.retry.after_ms) + " ms";
    const auto line = "| `" + std::string(to_string(row.code)) + "` | " +
                      std::to_string(row.number) + " | " + advice + " | " +
                      std::string(row.meaning) + " |\n";
    INFO(line);
    CHECK(text.find(line) != std::string::npos);
  }
}

TEST_CASE("numbers that are no code mean our defect") {
  CHECK(code_of(0) == errc::internal);
  CHECK(code_of(1000) == errc::internal);
  CHECK(entry(errc{0}).code == errc::internal);
  CHECK(entry(errc{200}).code == errc::internal);
}

TEST_CASE("only what nobody decided may be sent again without its key") {
  std::set<errc> later;
  for (const auto& row : error_table())
    if (row.retry.advice == retry_advice::later)
      later.insert(row.code);
  CHECK(later == std::set{errc::not_owner, errc::overloaded, errc::period_closing});
}
