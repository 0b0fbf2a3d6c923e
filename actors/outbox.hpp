// What leaves the house from one shard: at least once, oldest first, each with its key
// (namespace, customer, sequence, place). Blocks nobody.
#pragma once

#include "actors/context.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace accrue {

class outbox_state {
public:
  static inline const char* name = "outbox";
  outbox_state() = default;
  using pointer = outbox_actor::stateful_pointer<outbox_state>;

  void look(bool retry = false);
  void loaded(const result<std::vector<waiting_message>>& waiting);
  void marked(bool done);

  pointer self = nullptr;
  engine_context* context = nullptr;
  std::uint32_t shard = 0;

private:
  void again_later();

  bool busy_ = false;
  bool again_ = false; ///< something became durable while a page was under way
  bool paused_ =
      false; ///< something failed: one retry is under way, and nobody else looks before it
  bool partly_ = false; ///< not all of the page could leave
};

outbox_actor::behavior_type
outbox_behavior(outbox_state::pointer self, engine_context* context, std::uint32_t shard);

} // namespace accrue
