// Parts of the load driver: when requests are due, what it reads of an answer, percentiles. The program is
// run in cli.test.cpp.
#include "apps/load/answer.hpp"
#include "apps/load/arrivals.hpp"
#include "apps/load/histogram.hpp"
#include "protocol/codec.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;

namespace {

const currency usd(840, 2);

} // namespace

TEST_CASE("requests of an open loop are due at their rate", "[cli]") {
  using std::chrono::nanoseconds;
  // 1/3 s each: what is cut off one pause is in the next.
  load::arrivals even(3, load::spacing::even, 1);
  const auto second = even.pause() + even.pause() + even.pause();
  CHECK(second >= nanoseconds(999'999'999));
  CHECK(second <= nanoseconds(1'000'000'000));

  // The sum of 100,000 exponential pauses has a standard deviation of 1/sqrt(100,000) = 0.3 %.
  load::arrivals random(1000, load::spacing::poisson, 1);
  load::arrivals same(1000, load::spacing::poisson, 1);
  nanoseconds sum{0};
  bool equal = true;
  for (int i = 0; i < 100'000; ++i) {
    const auto pause = random.pause();
    sum += pause;
    equal = equal && pause == same.pause();
  }
  CHECK(equal);
  CHECK(sum > std::chrono::seconds(98));
  CHECK(sum < std::chrono::seconds(102));
}

TEST_CASE("the load driver reads of an answer what the codec wrote", "[cli]") {
  const auto payload = [](const std::string& frame) {
    return std::string_view(frame).substr(wire::prefix_bytes);
  };
  std::string frame;
  wire::print(frame,
              wire::answer_to{1'000'000, 3},
              reply::receipt{sequence(70'000),
                             reply::consumed{"id", usd, "USD", 1, 0, {{"g", 1}}},
                             {{usd, "USD", 1, 2, 3, 4}}});
  auto a = load::read_answer(payload(frame));
  REQUIRE(a);
  CHECK(a->request_id == 1'000'000);
  CHECK(a->index == 3);
  CHECK(a->sequence == 70'000);
  CHECK_FALSE(a->refused);
  for (std::size_t size = 0; size < payload(frame).size(); ++size)
    CHECK_FALSE(load::read_answer(payload(frame).substr(0, size)));

  frame.clear();
  wire::print(frame, wire::answer_to{9, 0}, refusal{errc::conflict, "subject", "text"});
  a = load::read_answer(payload(frame));
  REQUIRE(a);
  CHECK(a->refused == errc::conflict);

  frame.clear();
  wire::print(frame, wire::welcome{"server", {}});
  CHECK_FALSE(load::read_answer(payload(frame)));
}

TEST_CASE("percentiles are exact to one in 128", "[cli]") {
  load::histogram h;
  CHECK(h.at(0.5) == 0);
  for (std::uint64_t value = 1; value <= 100'000; ++value)
    h.add(value * 1000);
  for (const auto& [part, exact] : {std::pair{0.5, 50'000'000.0},
                                    {0.99, 99'000'000.0},
                                    {0.999, 99'900'000.0},
                                    {0.00001, 1000.0}}) {
    INFO(part);
    CHECK(static_cast<double>(h.at(part)) >= exact);
    CHECK(static_cast<double>(h.at(part)) <= exact * (1 + 1.0 / 128));
  }
  CHECK(h.at(1) == 100'000'000);
  h.add(~std::uint64_t{0});
  CHECK(h.max() == ~std::uint64_t{0});
  CHECK(h.at(1) == ~std::uint64_t{0});

  load::histogram sum;
  sum.add(h);
  sum.add(h);
  CHECK(sum.count() == 2 * h.count());
  CHECK(sum.at(0.5) == h.at(0.5));
}
