// Instants, periods and durations: text, flooring, bounds.
// Calendars and time zones are tested where months are counted.
#include "domain/time.hpp"

#include <catch2/catch_test_macros.hpp>
#include <rapidcheck.h>

#include <limits>

using namespace accrue;

namespace {

constexpr auto ns_min = std::numeric_limits<std::int64_t>::min();
constexpr auto ns_max = std::numeric_limits<std::int64_t>::max();

instant at(std::string_view text) { return parse_instant(text).value(); }

errc instant_error(std::string_view text) {
  const auto parsed = parse_instant(text);
  REQUIRE_FALSE(parsed.has_value());
  return parsed.error().code;
}

} // namespace

TEST_CASE("an instant is whole nanoseconds since 1970 in UTC", "[D3]") {
  CHECK(at("1970-01-01T00:00:00Z").ns == 0);
  CHECK(at("1970-01-02T00:00:01Z").ns == 86'401'000'000'000);
  CHECK(at("1969-12-31T23:59:59.5Z").ns == -500'000'000);
  // 10957 days to 2000-01-01, 31 + 29 more to 2000-03-01: 11017 × 86400 = 951868800.
  CHECK(at("2000-03-01T00:00:00Z").ns == 951'868'800'000'000'000);
  CHECK(at("2026-01-31T00:00:00.123456789Z").ns == at("2026-01-31T00:00:00Z").ns + 123'456'789);
  CHECK(at("2026-01-31T00:00:00.1Z").ns == at("2026-01-31T00:00:00Z").ns + 100'000'000);
}

TEST_CASE("the shortest exact text of an instant is printed", "[D3]") {
  CHECK(to_string(at("2026-01-31T00:00:00.000000000Z")) == "2026-01-31T00:00:00Z");
  CHECK(to_string(at("2026-01-31T23:59:59.120Z")) == "2026-01-31T23:59:59.12Z");
  CHECK(to_string(at("2024-02-29T01:02:03.000000001Z")) == "2024-02-29T01:02:03.000000001Z");
  CHECK(to_string(instant{-1}) == "1969-12-31T23:59:59.999999999Z");
  CHECK(to_string(instant{ns_min}) == "1677-09-21T00:12:43.145224192Z");
  CHECK(to_string(instant{ns_max}) == "2262-04-11T23:47:16.854775807Z");
}

TEST_CASE("the ends of the range can be read, one step further is validation", "[D3]") {
  CHECK(at("1677-09-21T00:12:43.145224192Z").ns == ns_min);
  CHECK(at("2262-04-11T23:47:16.854775807Z").ns == ns_max);
  CHECK(instant_error("1677-09-21T00:12:43.145224191Z") == errc::validation);
  CHECK(instant_error("2262-04-11T23:47:16.854775808Z") == errc::validation);
  CHECK(instant_error("0000-01-01T00:00:00Z") == errc::validation);
  CHECK(instant_error("9999-12-31T23:59:59Z") == errc::validation);
}

TEST_CASE("text that is no instant in UTC is validation", "[D3]") {
  for (const char* text : {"",
                           "2026-01-31",
                           "2026-01-31T00:00Z",
                           "2026-01-31T00:00:00",
                           "2026-01-31 00:00:00Z",
                           "2026-01-31t00:00:00z",
                           "2026-01-31T00:00:00+00:00",
                           "2026-01-31T00:00:00+02:00",
                           "2026-01-31T00:00:00.Z",
                           "2026-01-31T00:00:00.1234567891Z",
                           "2026-01-31T00:00:00,5Z",
                           "2026-01-31T00:00:00ZZ",
                           " 2026-01-31T00:00:00Z",
                           "+2026-01-31T00:00:00Z",
                           "2026-1-31T00:00:00Z",
                           "20260131T000000Z",
                           "2026-01-31T24:00:00Z",
                           "2026-01-31T23:60:00Z",
                           "2016-12-31T23:59:60Z",
                           "2026-02-29T00:00:00Z",
                           "2100-02-29T00:00:00Z",
                           "2026-04-31T00:00:00Z",
                           "2026-13-01T00:00:00Z",
                           "2026-00-01T00:00:00Z",
                           "2026-01-00T00:00:00Z"})
    CHECK(instant_error(text) == errc::validation);
  CHECK(parse_instant("2000-02-29T00:00:00Z").has_value());
}

TEST_CASE("any instant survives being printed and parsed", "[D3][property]") {
  CHECK(rc::check([](std::int64_t ns, std::int16_t small) {
    RC_ASSERT((parse_instant(to_string(instant{ns})) == instant{ns}));
    const instant round{small * ns_per_second};
    RC_ASSERT((parse_instant(to_string(round)) == round));
  }));
}

TEST_CASE("instants are floored to whole seconds towards the past", "[D3]") {
  CHECK(floor_seconds({1'999'999'999}).ns == 1'000'000'000);
  CHECK(floor_seconds({2'000'000'000}).ns == 2'000'000'000);
  CHECK(floor_seconds({-1}).ns == -1'000'000'000);
  CHECK(floor_seconds({-1'000'000'000}).ns == -1'000'000'000);
  // The second in which the range begins is not whole; there is none below it.
  CHECK(floor_seconds({ns_min}).ns == -9'223'372'036'000'000'000);
  CHECK(floor_seconds({ns_max}).ns == 9'223'372'036'000'000'000);
}

TEST_CASE("moving an instant stops at the ends of the range", "[D3]") {
  CHECK(plus_ns({5}, -7).ns == -2);
  CHECK(plus_ns({ns_max - 1}, 5).ns == ns_max);
  CHECK(plus_ns({ns_min + 1}, -5).ns == ns_min);
}

TEST_CASE("a period holds its beginning and not its end", "[D4]") {
  const auto january = make_period(at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z")).value();
  CHECK(january.contains(january.from));
  CHECK(january.contains(plus_ns(january.to, -1)));
  CHECK_FALSE(january.contains(january.to));
  CHECK_FALSE(january.contains(plus_ns(january.from, -1)));
  CHECK(seconds(january) == 2'678'400); // 31 × 86400
}

TEST_CASE("a period's ends are floored to seconds before they are compared", "[D3][D4]") {
  const auto made = make_period(at("2026-01-01T00:00:00.9Z"), at("2026-01-01T00:00:10.9Z")).value();
  CHECK(made == period{at("2026-01-01T00:00:00Z"), at("2026-01-01T00:00:10Z")});
  CHECK(seconds(made) == 10);
  const auto empty = make_period(at("2026-01-01T00:00:00.9Z"), at("2026-01-01T00:00:00.1Z"));
  CHECK(seconds(empty.value()) == 0);
  CHECK_FALSE(empty->contains(empty->from));
}

TEST_CASE("a reversed period is refused", "[D4]") {
  const auto refused = make_period(at("2026-01-02T00:00:00Z"), at("2026-01-01T00:00:00Z"));
  CHECK(refused.error().code == errc::invalid_period);
}

TEST_CASE("the whole range of time has a length", "[D4]") {
  // 2 × 9223372036 s between the first and the last whole second.
  CHECK(seconds(make_period({ns_min}, {ns_max}).value()) == 18'446'744'072);
}

TEST_CASE("durations of fixed length are read", "[D3]") {
  constexpr std::int64_t day = 86'400 * ns_per_second;
  CHECK(parse_duration("P30D") == 30 * day);
  CHECK(parse_duration("PT1H") == 3600 * ns_per_second);
  CHECK(parse_duration("P1DT12H") == day + day / 2);
  CHECK(parse_duration("P2W") == 14 * day);
  CHECK(parse_duration("P0D") == 0);
  CHECK(parse_duration("PT1M") == 60 * ns_per_second);
  CHECK(parse_duration("PT90S") == 90 * ns_per_second);
  CHECK(parse_duration("P1DT2H3M4S") == day + (2 * 3600 + 3 * 60 + 4) * ns_per_second);
  CHECK(parse_duration("PT9223372036S") == 9'223'372'036 * ns_per_second);
}

TEST_CASE("durations of changing length, fractions and other text are validation", "[D3]") {
  for (const char* text : {"",          "P",
                           "PT",        "P1DT",
                           "30D",       "P1M",
                           "P1Y",       "P1Y2D",
                           "P-1D",      "-P1D",
                           "P1.5D",     "PT0.5S",
                           "p1d",       "P1H",
                           "PT1D",      "P1D2D",
                           "PT1M1H",    "PT1H1H",
                           "P1W1D",     "P1D1W",
                           "P1DT1HT1M", "PTT1H",
                           "P1",        "PD",
                           "P1D ",      "PT9223372037S",
                           "P106752D",  "P99999999999999999999999999999999999999999D"}) {
    const auto parsed = parse_duration(text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().code == errc::validation);
  }
}
