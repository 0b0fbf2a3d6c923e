// Adding tallies and printing them. See fault_tally.hpp.
#include "tests/faults/fault_tally.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace accrue::testing {
namespace {

std::string median_and_maximum(fault_tally::times times) {
  if (times.empty())
    return "-";
  std::ranges::sort(times);
  return fmt::format("{}/{}", times[(times.size() - 1) / 2].count(), times.back().count());
}

std::string line_of(const std::string& name, const fault_tally& t) {
  const auto& [lost, doubled, untrue, unproven, other] = t.broken;
  return fmt::format(
      "{:<36}{:>7}{:>7}{:>10}{:>10}{:>10}{:>9}{:>6}{:>8}{:>7}{:>9}{:>6}{:>13}{:>13}\n",
      name,
      t.rounds,
      t.kills,
      t.acknowledged,
      t.sent_again,
      t.in_doubt,
      t.refused,
      lost,
      doubled,
      untrue,
      unproven,
      other,
      median_and_maximum(t.by_itself),
      median_and_maximum(t.after_kill));
}

} // namespace

void fault_tally::add(const fault_tally& more) {
  rounds += more.rounds;
  kills += more.kills;
  acknowledged += more.acknowledged;
  sent_again += more.sent_again;
  in_doubt += more.in_doubt;
  refused += more.refused;
  for (std::size_t i = 0; i < broken.size(); ++i)
    broken[i] += more.broken[i];
  by_itself.insert(by_itself.end(), more.by_itself.begin(), more.by_itself.end());
  after_kill.insert(after_kill.end(), more.after_kill.begin(), more.after_kill.end());
}

std::string to_text(const std::map<std::string, fault_tally>& tallies) {
  auto text =
      fmt::format("{:<36}{:>7}{:>7}{:>10}{:>10}{:>10}{:>9}{:>6}{:>8}{:>7}{:>9}{:>6}{:>13}{:>13}\n",
                  "fault",
                  "rounds",
                  "kills",
                  "acked",
                  "again",
                  "in doubt",
                  "refused",
                  "lost",
                  "doubled",
                  "untrue",
                  "unproven",
                  "other",
                  "by itself",
                  "after kill");
  fault_tally sum;
  for (const auto& [name, tally] : tallies) {
    text += line_of(name, tally);
    sum.add(tally);
  }
  return text + line_of("all", sum);
}

} // namespace accrue::testing
