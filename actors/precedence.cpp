// Nice values of one thread. See precedence.hpp.
#include "actors/precedence.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace accrue {

namespace {

/// Each step is worth a quarter more of the time: ten make it nine to one against another thread.
constexpr int steps = 10;
constexpr int lowest = -20;

// For Linux the process 0 is the calling thread.
constexpr id_t this_thread = 0;

} // namespace

precedence::precedence() noexcept : usual_(::getpriority(PRIO_PROCESS, this_thread)) {}

bool precedence::set(bool first) noexcept {
  const int wanted = first ? std::max(usual_ - steps, lowest) : usual_;
  if (first != first_ && ::setpriority(PRIO_PROCESS, this_thread, wanted) == 0)
    first_ = first;
  return first == first_;
}

} // namespace accrue
