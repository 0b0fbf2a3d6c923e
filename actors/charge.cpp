// Three lines a handler: the state machine is domain/charges/flat_fee.
#include "actors/charge.hpp"

namespace accrue {

charge_actor::behavior_type charge_behavior(charge_actor::stateful_pointer<charge_state> self,
                                            charge stored) {
  self->state.terms = std::move(stored.terms);
  self->state.state = std::move(stored.state);
  return {
      [self](const charge_event& e) {
        charge_decision answer{flat_fee::decide(self->state.state, e.event, self->state.terms)};
        if (answer.decided)
          self->state.state = answer.decided->state;
        return answer;
      },
      [self](const charge_state_is& s) { self->state.state = s.state; },
  };
}

} // namespace accrue
