// How a crash point is named on the command line, counted, and how it ends the process.
// Where they are passed is all over the engine.
#include "persistence/crash_point.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <csignal>
#include <string>

namespace accrue {
namespace crash {

crash_point armed = crash_point::nowhere;

namespace {
std::atomic<std::uint64_t> passes_left{1};
} // namespace

void passed() noexcept {
  if (passes_left.fetch_sub(1) != 1)
    return;
  // Nothing is flushed, no destructor runs, nobody is told.
  ::kill(::getpid(), SIGKILL);
  for (;;)
    ::pause();
}

} // namespace crash

result<void> arm_crash_point(std::string_view text) {
  const auto colon = text.find(':');
  const auto name = text.substr(0, colon);
  const auto found = std::ranges::find(crash_points, name, [](const auto& p) { return p.second; });
  if (found == crash_points.end()) {
    std::string names;
    for (const auto& point : crash_points)
      names.append(" ").append(point.second);
    return refuse(errc::validation, "no such crash point; there are:" + names, std::string(name));
  }
  std::uint64_t passes = 1;
  if (colon != std::string_view::npos) {
    const auto digits = text.substr(colon + 1);
    const auto* const end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, passes);
    if (read.ec != std::errc() || read.ptr != end || passes == 0)
      return refuse(
          errc::validation, "the pass to crash at is a number from 1", std::string(digits));
  }
  crash::passes_left = passes;
  crash::armed = found->first;
  return {};
}

} // namespace accrue
