// Version 1 never changes its meaning: what v1_fields.txt lists is in the .proto files as it was.
// New fields are added to the listing; a line of it is never taken off and never changed.
#include "tests/protocol/proto_listing.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue::wire;

namespace {

std::set<std::string> listed() {
  std::set<std::string> lines;
  std::istringstream in(read_source("tests/protocol/v1_fields.txt"));
  for (std::string line; std::getline(in, line);)
    if (!line.empty() && !line.starts_with('#'))
      CHECK(lines.insert(line).second);
  return lines;
}

} // namespace

TEST_CASE("no field of version 1 disappeared or changed") {
  const auto now = proto_listing("protocol/accrue/v1");
  for (const auto& line : listed()) {
    INFO("version 1 has clients; make a new field, or version 2");
    INFO(line);
    CHECK(now.contains(line));
  }
}

TEST_CASE("each field of version 1 is in the listing") {
  const auto before = listed();
  for (const auto& line : proto_listing("protocol/accrue/v1")) {
    INFO("add this line to tests/protocol/v1_fields.txt: " << line);
    CHECK(before.contains(line));
  }
}

TEST_CASE("no number of version 1 has two meanings") {
  std::set<std::string> numbers;
  for (const auto& line : proto_listing("protocol/accrue/v1")) {
    const auto number_end = line.find(' ', line.find(' ') + 1);
    INFO(line);
    CHECK(numbers.insert(line.substr(0, number_end)).second);
  }
}
