// The rule of admission on its own: who is let in, when a queue counts as standing, how it is shared out.
// What a real server does under a flood is tested in tests/system/overload.test.cpp.
#include "actors/admission.hpp"

#include <catch2/catch_test_macros.hpp>

#include <vector>

using namespace accrue;
using std::chrono::milliseconds;

namespace {

/// An admission with a clock of its own: 8,192 in flight at most, 20 ms of queue.
struct played {
  admission rule{admission_options{8192, milliseconds(20)}};
  admission::clock::time_point now{std::chrono::hours(1)};

  played() { rule.at(now); }
  void pass(milliseconds time) { rule.at(now += time); }
  /// Lets in as many as it takes of those who hold one each, up to `most`.
  std::size_t fill(std::size_t most) {
    std::size_t taken = 0;
    for (; taken < most && rule.admits(1); ++taken)
      rule.admitted();
    if (taken < most)
      rule.refused();
    return taken;
  }
  void answer(std::size_t count) {
    for (; count > 0; --count)
      rule.answered();
  }
  /// Offers without end and answers `each` every 10 ms, for so many intervals.
  void saturate(std::size_t each, int intervals) {
    for (int i = 0; i < intervals * 10; ++i) {
      fill(100'000);
      answer(each);
      pass(milliseconds(10));
    }
  }
};

} // namespace

TEST_CASE("a burst may fill the whole limit, and nothing passes it") {
  played p;
  CHECK(p.fill(100'000) == 8191); // one place is for who holds nothing
  CHECK(p.rule.admits(0));
  p.rule.admitted();
  CHECK_FALSE(p.rule.admits(0));
  CHECK_FALSE(p.rule.shedding());
}

TEST_CASE("a standing queue is brought down to what is answered in the target time and a commit") {
  played p;
  // 1,000 answers each 10 ms are 100,000 a second: 3,000 in 20 ms and the 10 ms of a commit.
  p.saturate(1000, 3);
  CHECK(p.rule.shedding());
  CHECK(p.rule.limit() == 3000);
  CHECK(p.rule.in_flight() <= 3000);
}

TEST_CASE("a store whose commits get slow is given larger ones") {
  played p;
  p.saturate(100, 12);
  REQUIRE(p.rule.limit() == admission::mark_min);
  // One place is kept for who holds nothing: 1,023 are in flight, and all but one leave with a commit each 301 ms.
  // What such a commit took and what comes in 20 ms more are 321/301 of it: 1,022 x 321/301 = 1089.9. It is
  // told when the next commit is under way, so every second one is larger: 2 ln(8,192/1,024) / ln(321/301) = 65.
  const auto commit = [&] {
    p.fill(100'000);
    p.pass(milliseconds(300));
    p.answer(p.rule.in_flight() - 1);
    p.pass(milliseconds(1));
  };
  p.answer(p.rule.in_flight() - 1);
  p.pass(milliseconds(1));
  commit();
  commit();
  CHECK(p.rule.shedding());
  CHECK(p.rule.limit() == 1089);
  for (int commits = 0; commits < 70; ++commits)
    commit();
  CHECK(p.rule.limit() == 8192);
}

TEST_CASE("the mark follows the rate and has a floor") {
  played p;
  p.saturate(1000, 3);
  p.saturate(800, 3);
  CHECK(p.rule.limit() == 2400);
  p.saturate(100, 12); // 300 in 30 ms: below the floor
  CHECK(p.rule.shedding());
  CHECK(p.rule.limit() == admission::mark_min);
}

TEST_CASE(
    "a store that stands still leaves the floor, and what is in flight above it stays accepted") {
  played p;
  CHECK(p.fill(100'000) == 8191);
  p.pass(milliseconds(1000)); // a commit may take so long
  CHECK_FALSE(p.rule.shedding());
  p.pass(milliseconds(1000));
  CHECK(p.rule.shedding());
  CHECK_FALSE(p.rule.admits(1));
  CHECK(p.rule.admits(0));                  // who holds nothing is no part of the queue
  p.answer(8191 - admission::mark_min + 1); // it goes on
  CHECK_FALSE(p.rule.admits(1));
  p.answer(1);
  CHECK(p.rule.admits(1));
}

TEST_CASE("an interval without a refusal ends the shedding") {
  played p;
  p.saturate(1000, 3);
  REQUIRE(p.rule.shedding());
  p.answer(p.rule.in_flight());
  p.pass(milliseconds(100)); // the interval in which the last one was refused
  p.pass(milliseconds(100));
  CHECK_FALSE(p.rule.shedding());
  CHECK(p.rule.limit() == 8192);
}

TEST_CASE("a queue that drains within an interval is a burst") {
  played p;
  for (int i = 0; i < 20; ++i) {
    CHECK(p.fill(8000) == 8000);
    p.pass(milliseconds(50));
    p.answer(8000);
    p.pass(milliseconds(50));
  }
  CHECK_FALSE(p.rule.shedding());
}

TEST_CASE("n floods leave one part of n + 1 free") {
  for (const std::size_t floods : {1, 2, 7}) {
    played p;
    std::vector<std::size_t> held(floods);
    for (bool moved = true; moved;) {
      moved = false;
      for (auto& h : held)
        if (p.rule.admits(h)) {
          p.rule.admitted();
          ++h;
          moved = true;
        }
    }
    CHECK(8192 - p.rule.in_flight() == 8192 / (floods + 1));
    for (const auto h : held)
      CHECK(h - 8192 / (floods + 1) <= 1); // the one whose turn came first may have one more
    CHECK(p.rule.admits(0));               // the gentle one
  }
}

TEST_CASE("an operator gets through when all is full, but not without end") {
  played p;
  p.fill(100'000);
  CHECK(p.rule.admits_operator(0));
  CHECK_FALSE(p.rule.admits_operator(8));
}
