// How an actor whose state can break meets a defect: it alone ends, loudly.
#pragma once

#include "domain/result.hpp"

namespace accrue {

/// What runs the part of a message: `settled()` of the actor's state behind it, `broken(why)` where it threw.
template <class Self>
auto guarded_by(Self* self) {
  return [self](auto&& part) {
    try {
      part(self->state);
      self->state.settled();
    } catch (...) {
      self->state.broken(what_broke());
    }
  };
}

} // namespace accrue
