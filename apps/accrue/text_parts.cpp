// Dates, durations, counts and names as people read them. See text.hpp.
#include "apps/accrue/text.hpp"

namespace accrue::cli {

namespace {

constexpr std::int64_t seconds_per_day = 86'400;

} // namespace

std::string short_date(instant t) {
  std::string text = accrue::to_string(t); // 2026-01-31T12:30:00.5Z
  if (text.ends_with("T00:00:00Z"))
    return text.substr(0, 10);
  text[10] = ' ';
  return text.substr(0, 19);
}

std::string short_period(const period& p) { return short_date(p.from) + " - " + short_date(p.to); }

result<instant> parse_date(std::string_view text) {
  if (text.size() == 10)
    if (auto midnight = parse_instant(std::string(text) + "T00:00:00Z"))
      return midnight;
  auto exact = parse_instant(text);
  if (!exact)
    return refuse(errc::validation,
                  "Write 2026-01-31 for midnight UTC, or an instant like 2026-01-31T12:00:00Z.");
  return exact;
}

std::string duration_text(std::int64_t ns) {
  const std::int64_t whole = ns / ns_per_second;
  const std::int64_t in_day = whole % seconds_per_day;
  std::string out = "P";
  if (whole / seconds_per_day != 0 || ns == 0)
    out += std::to_string(whole / seconds_per_day) + "D";
  std::string time;
  if (in_day / 3600 != 0)
    time += std::to_string(in_day / 3600) + "H";
  if (in_day / 60 % 60 != 0)
    time += std::to_string(in_day / 60 % 60) + "M";
  std::string fraction;
  if (ns % ns_per_second != 0) {
    fraction = std::to_string(ns_per_second + ns % ns_per_second);
    fraction[0] = '.';
    while (fraction.back() == '0')
      fraction.pop_back();
  }
  if (in_day % 60 != 0 || !fraction.empty())
    time += std::to_string(in_day % 60) + fraction + "S";
  return time.empty() ? out : out + "T" + time;
}

std::string count_text(const reply::catalog_stored& c) {
  const auto some = [](std::uint32_t n, const std::string& what) {
    return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
  };
  return some(c.meters, "meter") + ", " + some(c.features, "feature") + ", " +
         some(c.add_ons, "add-on") + ", " + some(c.plans, "plan");
}

std::string money_text(const std::optional<money>& m) {
  return m ? accrue::to_string(*m) + " " + std::string(iso_code(m->currency)) : "";
}

std::string amount_text(int128 minor, currency c) { return accrue::to_string(money{minor, c}); }

std::string_view to_string(command::over_settlement o) noexcept {
  switch (o) {
  case command::over_settlement::refuse:
    return "refuse";
  case command::over_settlement::cap:
    return "cap";
  case command::over_settlement::advance:
    return "advance";
  }
  return "";
}

std::string_view to_string(ledger::stage s) noexcept {
  switch (s) {
  case ledger::stage::none:
    return "";
  case ledger::stage::open:
    return "open";
  case ledger::stage::authorized:
    return "authorized";
  }
  return "";
}

} // namespace accrue::cli
