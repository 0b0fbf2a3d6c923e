// Three lines a handler: the state machine is domain/charges/flat_fee.
#include "actors/charge.hpp"

namespace accrue {

charge_actor::behavior_type charge_behavior(charge_actor::stateful_pointer<charge_state> self,
                                            charge stored,
                                            fail_points* failures) {
  self->state.terms = std::move(stored.terms);
  self->state.state = std::move(stored.state);
  return {
      // Who asks waits without a limit, so a defect is an answer, too; the customer ends with it.
      [self, failures](const charge_event& e) {
        auto& s = self->state;
        try {
          if (failures)
            failures->pass("charge:" + s.terms.reference);
          charge_decision answer{flat_fee::decide(s.state, e.event, s.terms), {}};
          if (answer.decided)
            s.state = answer.decided->state;
          return answer;
        } catch (...) {
          return charge_decision{accrue::refuse(errc::internal, "the charge stopped"),
                                 what_broke()};
        }
      },
      [self](const charge_state_is& s) { self->state.state = s.state; },
  };
}

} // namespace accrue
