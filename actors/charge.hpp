// One live charge: owns its state machine, answers what happens to it. Never touches the book.
#pragma once

#include "actors/interfaces.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace accrue {

struct charge_state {
  static inline const char* name = "charge";
  charge_state() = default;

  flat_fee::terms terms;
  flat_fee::state state; ///< within an open unit: as decided so far
};

/// Spawned by its customer with what is stored; lives while its customer is busy with it.
charge_actor::behavior_type charge_behavior(charge_actor::stateful_pointer<charge_state> self,
                                            charge stored,
                                            fail_points* failures);

} // namespace accrue
