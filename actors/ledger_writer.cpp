// Forwards what lanes say. See ledger_writer.hpp.
#include "actors/ledger_writer.hpp"

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

namespace accrue {

ledger_writer_actor::behavior_type
ledger_writer_behavior(ledger_writer_actor::stateful_pointer<ledger_writer_state> self,
                       engine_context* context,
                       const std::function<bool()>& step) {
  return {
      [step](flush) {
        if (step)
          step();
      },
      [self, context](const unit_discarded& m) {
        spdlog::error("a unit of customer number {} could not be stored and was discarded: {}",
                      m.owner.customer.value,
                      m.why);
        auto& known = self->state.discarded;
        if (known.size() >= 100)
          known.erase(known.begin());
        known.push_back(m);
        if (m.owner.customer != customer_id{})
          self->send(context->directory, m);
        else if (auto* space = context->find_namespace(m.owner.space))
          self->send(space->actor, m);
      },
      [context](const ownership_lost& m) {
        spdlog::critical("ownership lost: {}", m.why);
        if (context->stop_process)
          context->stop_process(m.why);
      },
      [self, context](get_status) {
        text_lines out;
        int n = 0;
        for (const auto* l : context->store->lanes()) {
          const auto c = l->counts();
          out.lines.push_back(
              "lane " + std::to_string(n++) + (l->available() ? " available" : " away") +
              (l->owns() ? " owner" : " not owner") + " batches " + std::to_string(c.batches) +
              " units " + std::to_string(c.units) + " retries " + std::to_string(c.retries) +
              " reconnects " + std::to_string(c.reconnects) + " discarded " +
              std::to_string(c.discarded));
        }
        for (const auto& d : self->state.discarded)
          out.lines.push_back("discarded customer number " +
                              std::to_string(d.owner.customer.value) + ": " + d.why);
        return out;
      },
  };
}

} // namespace accrue
