// The persistence actor: speaks for the lanes. Units reach a lane directly from their customer, a
// hand-over less (docs/decisions/0004); what a lane has to tell, and a lane without a thread of its own,
// come through here.
#pragma once

#include "actors/context.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace accrue {

struct ledger_writer_state {
  static inline const char* name = "ledger_writer";
  ledger_writer_state() = default;

  std::vector<unit_discarded> discarded; ///< latest last
};

/// `step`: commits a batch of a lane that is driven from here, true when there may be more; empty for
/// lanes that drive themselves.
ledger_writer_actor::behavior_type
ledger_writer_behavior(ledger_writer_actor::stateful_pointer<ledger_writer_state> self,
                       engine_context* context,
                       const std::function<bool()>& step);

} // namespace accrue
