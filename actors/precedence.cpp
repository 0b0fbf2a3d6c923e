// Nice values of one thread. See precedence.hpp.
#include "actors/precedence.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <thread>

namespace accrue {

namespace {

/// Each step is worth a quarter more of the time: ten make it nine to one against another thread.
constexpr int steps = 10;
constexpr int lowest = -20;

/// For Linux the process 0 is the calling thread.
constexpr id_t this_thread = 0;

} // namespace

bool precedence::take() noexcept {
  if (std::thread::hardware_concurrency() == 1)
    return true; // what works would have a tenth of the only core
  const int usual = ::getpriority(PRIO_PROCESS, this_thread);
  if (::setpriority(PRIO_PROCESS, this_thread, std::max(usual - steps, lowest)) != 0)
    return false;
  usual_ = usual;
  return true;
}

void precedence::give_back() noexcept {
  if (usual_)
    (void)::setpriority(PRIO_PROCESS, this_thread, *usual_);
  usual_.reset();
}

} // namespace accrue
