// Instants, periods and durations: their text and their arithmetic.
// Calendars and time zones come in as values; see the header of what needs them.
#include "domain/time.hpp"

#include "domain/int128.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <limits>

namespace accrue {

namespace {

constexpr auto ns_min = std::numeric_limits<std::int64_t>::min();
constexpr auto ns_max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t seconds_per_day = 86'400;
constexpr std::size_t fraction_digits_max = 9;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::int64_t floored_seconds(std::int64_t ns) noexcept {
  return ns / ns_per_second - (ns % ns_per_second < 0 ? 1 : 0);
}

tl::unexpected<refusal> bad_text(std::string_view text, const char* wish) {
  constexpr std::size_t shown_max = 64;
  return refuse(errc::validation, "'" + std::string(text.substr(0, shown_max)) + "' " + wish);
}

/// Reads a fixed number of digits and what stands between them, and remembers whether all fitted.
struct cursor {
  std::string_view rest;
  bool good = true;

  int digits(std::size_t count) noexcept {
    int value = 0;
    for (std::size_t i = 0; i < count && good; ++i) {
      good = !rest.empty() && is_digit(rest.front());
      if (good) {
        value = value * 10 + (rest.front() - '0');
        rest.remove_prefix(1);
      }
    }
    return value;
  }

  void skip(char wanted) noexcept {
    good = good && !rest.empty() && rest.front() == wanted;
    if (good)
      rest.remove_prefix(1);
  }

  /// Nanoseconds of ".5" to ".123456789"; 0 where there is no point.
  std::int64_t fraction() noexcept {
    if (!good || rest.empty() || rest.front() != '.')
      return 0;
    rest.remove_prefix(1);
    std::int64_t ns = 0;
    std::size_t count = 0;
    for (; !rest.empty() && is_digit(rest.front()) && count < fraction_digits_max; ++count) {
      ns = ns * 10 + (rest.front() - '0');
      rest.remove_prefix(1);
    }
    good = count > 0;
    for (; count < fraction_digits_max; ++count)
      ns *= 10;
    return ns;
  }
};

void append_digits(std::string& text, std::uint64_t value, std::size_t count) {
  const std::size_t end = text.size() + count;
  text.resize(end);
  for (std::size_t i = 1; i <= count; ++i, value /= 10)
    text[end - i] = static_cast<char>('0' + value % 10);
}

} // namespace

instant plus_ns(instant t, std::int64_t ns) noexcept {
  std::int64_t moved = 0;
  if (__builtin_add_overflow(t.ns, ns, &moved))
    return {ns < 0 ? ns_min : ns_max};
  return {moved};
}

instant floor_seconds(instant t) noexcept {
  constexpr std::int64_t lowest = ns_min / ns_per_second;
  const auto whole = floored_seconds(t.ns);
  return {(whole < lowest ? lowest : whole) * ns_per_second};
}

result<instant> parse_instant(std::string_view text) {
  cursor in{text};
  const std::chrono::year year{in.digits(4)};
  in.skip('-');
  const std::chrono::month month{static_cast<unsigned>(in.digits(2))};
  in.skip('-');
  const std::chrono::day day{static_cast<unsigned>(in.digits(2))};
  in.skip('T');
  const std::int64_t hour = in.digits(2);
  in.skip(':');
  const std::int64_t minute = in.digits(2);
  in.skip(':');
  const std::int64_t second = in.digits(2);
  const std::int64_t fraction = in.fraction();
  in.skip('Z');
  if (!in.good || !in.rest.empty())
    return bad_text(text,
                    "is not an instant: write UTC as 2026-01-31T00:00:00Z, with at most nine "
                    "digits of a second.");
  const std::chrono::year_month_day date{year, month, day};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59)
    return bad_text(text, "is no day and time of the calendar.");
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  const std::int64_t whole = days * seconds_per_day + hour * 3600 + minute * 60 + second;
  const int128 ns = static_cast<int128>(whole) * ns_per_second + fraction;
  if (ns < ns_min || ns > ns_max)
    return bad_text(text, "is out of range: instants lie between 1677-09-22 and 2262-04-11.");
  return instant{static_cast<std::int64_t>(ns)};
}

std::string to_string(instant t) {
  const std::int64_t whole = floored_seconds(t.ns);
  const auto fraction =
      static_cast<std::uint64_t>(t.ns - static_cast<int128>(whole) * ns_per_second);
  const std::int64_t day = whole / seconds_per_day - (whole % seconds_per_day < 0 ? 1 : 0);
  const auto of_day = static_cast<std::uint64_t>(whole - day * seconds_per_day);
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};

  std::string text;
  text.reserve(30);
  append_digits(text, static_cast<std::uint64_t>(static_cast<int>(date.year())), 4);
  text += '-';
  append_digits(text, static_cast<unsigned>(date.month()), 2);
  text += '-';
  append_digits(text, static_cast<unsigned>(date.day()), 2);
  text += 'T';
  append_digits(text, of_day / 3600, 2);
  text += ':';
  append_digits(text, of_day / 60 % 60, 2);
  text += ':';
  append_digits(text, of_day % 60, 2);
  if (fraction != 0) {
    text += '.';
    append_digits(text, fraction, fraction_digits_max);
    while (text.back() == '0')
      text.pop_back();
  }
  text += 'Z';
  return text;
}

result<period> make_period(instant from, instant to) {
  const period made{floor_seconds(from), floor_seconds(to)};
  if (made.from > made.to)
    return refuse(errc::invalid_period,
                  "The period ends at " + to_string(made.to) + ", before it begins at " +
                      to_string(made.from) + ".");
  return made;
}

std::int64_t seconds(const period& p) noexcept {
  return static_cast<std::int64_t>((static_cast<int128>(p.to.ns) - p.from.ns) / ns_per_second);
}

result<std::int64_t> parse_duration(std::string_view text) {
  constexpr const char* shape = "is not a duration of fixed length: write P30D, PT1H or P1DT12H; "
                                "years, months and fractions are not possible.";
  struct unit {
    char letter;
    bool of_day;
    std::int64_t length_s;
  };
  // In the order in which they may appear, each at most once; weeks stand alone.
  constexpr std::array<unit, 5> units{{{'W', false, 7 * seconds_per_day},
                                       {'D', false, seconds_per_day},
                                       {'H', true, 3600},
                                       {'M', true, 60},
                                       {'S', true, 1}}};
  std::string_view rest = text;
  if (rest.empty() || rest.front() != 'P')
    return bad_text(text, shape);
  rest.remove_prefix(1);
  int128 total = 0;
  bool in_day = false;
  std::size_t next = 0;
  do {
    if (!in_day && !rest.empty() && rest.front() == 'T') {
      in_day = true;
      rest.remove_prefix(1);
    }
    int128 count = 0;
    std::size_t digits = 0;
    for (; digits < rest.size() && is_digit(rest[digits]); ++digits) {
      count = count * 10 + (rest[digits] - '0');
      if (count > ns_max)
        return bad_text(text, "is too long: a duration lasts 292 years at most.");
    }
    if (digits == 0 || digits == rest.size())
      return bad_text(text, shape);
    while (next < units.size() &&
           (units[next].letter != rest[digits] || units[next].of_day != in_day))
      ++next;
    if (next == units.size())
      return bad_text(text, shape);
    total += count * units[next].length_s * ns_per_second; // below 2^63 × 2^50 each: cannot wrap
    next = units[next].letter == 'W' ? units.size() : next + 1;
    rest.remove_prefix(digits + 1);
  } while (!rest.empty());
  if (total > ns_max)
    return bad_text(text, "is too long: a duration lasts 292 years at most.");
  return static_cast<std::int64_t>(total);
}

} // namespace accrue
