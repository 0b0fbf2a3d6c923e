// Cadences, states of plans, look-ups.
// What makes a catalog hold together is in plan_checks.cpp.
#include "domain/catalog/plan.hpp"

#include <algorithm>
#include <charconv>

namespace accrue::product {

namespace {

constexpr std::int64_t hours_of_day = 24;
constexpr std::int64_t hours_of_week = 7 * hours_of_day;

} // namespace

std::string_view to_string(aggregation a) noexcept {
  switch (a) {
  case aggregation::sum:
    return "sum";
  case aggregation::count:
    return "count";
  case aggregation::min:
    return "min";
  case aggregation::max:
    return "max";
  case aggregation::avg:
    return "avg";
  case aggregation::unique_count:
    return "unique_count";
  case aggregation::latest:
    return "latest";
  }
  return "unknown";
}

std::string_view to_string(card_type t) noexcept {
  return t == card_type::flat_fee ? "flat_fee" : "usage_based";
}

std::string_view to_string(plan_status s) noexcept {
  switch (s) {
  case plan_status::draft:
    return "draft";
  case plan_status::scheduled:
    return "scheduled";
  case plan_status::active:
    return "active";
  case plan_status::archived:
    return "archived";
  }
  return "unknown";
}

bool meter::only_rises() const noexcept {
  switch (aggregation) {
  case aggregation::sum:
  case aggregation::count:
  case aggregation::max:
  case aggregation::unique_count:
    return true;
  case aggregation::min:
  case aggregation::avg:
  case aggregation::latest:
    break;
  }
  return false;
}

result<cadence> cadence::parse(std::string_view text) {
  constexpr std::int64_t count_max = 10'000;
  const bool time = text.starts_with("PT");
  const auto* const begin = text.data() + std::min<std::size_t>(text.size(), time ? 2 : 1);
  const auto* const end = text.data() + text.size();
  std::int64_t count = 0;
  const auto [rest, error] = std::from_chars(begin, end, count);
  const bool read = text.starts_with('P') && error == std::errc() && rest + 1 == end && count > 0 &&
                    count <= count_max;
  const char unit = read ? *rest : ' ';
  if (time && unit == 'H')
    return cadence(0, count);
  if (!time && unit == 'M')
    return cadence(static_cast<int>(count), 0);
  if (!time && unit == 'Y')
    return cadence(static_cast<int>(count) * 12, 0);
  if (!time && unit == 'W')
    return cadence(0, count * hours_of_week);
  if (!time && unit == 'D')
    return cadence(0, count * hours_of_day);
  return refuse(errc::validation,
                "'" + std::string(text.substr(0, 32)) +
                    "' is no cadence; write P1M, P1Y, P2W, P1D or PT1H.");
}

bool cadence::aligned_with(const cadence& other) const noexcept {
  const auto goes_into = [](std::int64_t a, std::int64_t b) { return a != 0 && b % a == 0; };
  if ((months_ != 0) != (other.months_ != 0))
    return false;
  return months_ != 0 ? goes_into(months_, other.months_) || goes_into(other.months_, months_)
                      : goes_into(hours_, other.hours_) || goes_into(other.hours_, hours_);
}

std::string cadence::to_string() const {
  if (months_ != 0)
    return "P" + std::to_string(months_) + "M";
  if (hours_ % hours_of_week == 0)
    return "P" + std::to_string(hours_ / hours_of_week) + "W";
  if (hours_ % hours_of_day == 0)
    return "P" + std::to_string(hours_ / hours_of_day) + "D";
  return "PT" + std::to_string(hours_) + "H";
}

plan_status plan::status(instant now) const noexcept {
  if (!effective_from)
    return plan_status::draft;
  if (now < *effective_from)
    return plan_status::scheduled;
  return effective_to && now >= *effective_to ? plan_status::archived : plan_status::active;
}

const add_on* catalog::find_add_on(std::string_view key) const noexcept {
  const auto at = std::ranges::find(all_.add_ons, key, &add_on::key);
  return at == all_.add_ons.end() ? nullptr : &*at;
}

const plan* catalog::find_plan(std::string_view key, std::uint32_t version) const noexcept {
  const auto at = std::ranges::find_if(
      all_.plans, [&](const plan& p) { return p.key == key && p.version == version; });
  return at == all_.plans.end() ? nullptr : &*at;
}

const plan* catalog::plan_at(std::string_view key, instant at) const noexcept {
  const auto found = std::ranges::find_if(all_.plans, [&](const plan& p) {
    return p.key == key && p.status(at) == plan_status::active;
  });
  return found == all_.plans.end() ? latest_plan(key) : &*found;
}

const plan* catalog::latest_plan(std::string_view key) const noexcept {
  const plan* latest = nullptr;
  for (const auto& p : all_.plans)
    if (p.key == key && (latest == nullptr || p.version > latest->version))
      latest = &p;
  return latest;
}

} // namespace accrue::product
