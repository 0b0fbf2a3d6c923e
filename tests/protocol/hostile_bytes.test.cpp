// Truncated, mutated and random bytes: an error or a value, never a crash. Deterministic; the endless
// search is fuzz_frame.cpp.
#include "tests/protocol/frames.hpp"
#include "tests/protocol/fuzz_input.hpp"
#include "tests/protocol/samples.hpp"

#include <catch2/catch_test_macros.hpp>

#include <random>

using namespace accrue;
using namespace accrue::wire;

namespace {

/// Every sort of frame, with its length.
std::vector<std::string> frames() {
  std::vector<std::string> all;
  for (const auto& c : samples::calls())
    print(all.emplace_back(), 7, c);
  for (const auto& r : samples::receipts())
    print(all.emplace_back(), {7, 0}, r);
  for (const auto& r : samples::operator_replies())
    print(all.emplace_back(), {7, 0}, r);
  print(all.emplace_back(), {7, 0}, refusal{errc::conflict, "s", "t"});
  print(all.emplace_back(), hello{"shop", "secret", "test"});
  print(all.emplace_back(), welcome{"accrued", {}});
  print_farewell(all.emplace_back(), refusal{errc::overloaded, "s", "t"});
  return all;
}

} // namespace

TEST_CASE("a frame cut off at any byte is incomplete on the stream, and no crash as a payload") {
  for (const auto& frame : frames()) {
    for (std::size_t length = 0; length < frame.size(); ++length) {
      frame_reader reader;
      feed(reader, std::string_view(frame).substr(0, length));
      const auto next = reader.next();
      REQUIRE(next);
      REQUIRE_FALSE(*next);
      if (length >= prefix_bytes)
        exercise_payload(std::string_view(frame).substr(prefix_bytes, length - prefix_bytes));
    }
  }
}

TEST_CASE("mutated frames never crash, and what still parses can be printed again") {
  constexpr int rounds = 200'000;
  const auto originals = frames();
  std::mt19937_64 random(20'260'131);
  for (int round = 0; round < rounds; ++round) {
    std::string bytes = originals[random() % originals.size()];
    for (auto changes = 1 + random() % 4; changes > 0 && !bytes.empty(); --changes) {
      const auto at = random() % bytes.size();
      switch (random() % 5) {
      case 0:
        bytes[at] = static_cast<char>(random());
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ 1 << random() % 8);
        break;
      case 2:
        bytes.erase(at, 1 + random() % 8);
        break;
      case 3:
        bytes.insert(at, 1 + random() % 8, static_cast<char>(random()));
        break;
      default: {
        const auto& other = originals[random() % originals.size()];
        bytes.insert(at, other, random() % other.size(), random() % 32);
      }
      }
    }
    if (round % 2 == 0)
      exercise_stream(bytes, 1 + random() % 64);
    else if (bytes.size() > prefix_bytes)
      exercise_payload(std::string_view(bytes).substr(prefix_bytes));
  }
  SUCCEED("no crash");
}

TEST_CASE("random bytes never crash") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random() % 200, '\0');
    for (auto& byte : bytes)
      byte = static_cast<char>(random());
    exercise_payload(bytes);
    exercise_stream(bytes, 1 + random() % 16);
  }
  SUCCEED("no crash");
}
