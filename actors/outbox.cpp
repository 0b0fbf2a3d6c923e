// A page of messages at a time: deliver, put on record as a whole, look again.
#include "actors/outbox.hpp"

#include "persistence/crash_point.hpp"

#include <caf/send.hpp>

#include <chrono>
#include <span>

namespace accrue {
namespace {

constexpr std::uint32_t page = 256;
constexpr auto retry_after = std::chrono::seconds(1);

} // namespace

void outbox_state::look(bool retry) {
  if (paused_ && !retry)
    return;
  paused_ = false;
  if (busy_) {
    again_ = true;
    return;
  }
  busy_ = true;
  again_ = false;
  const auto me = caf::actor_cast<outbox_actor>(self);
  context->store->waiting_messages(shard, page, [me](result<std::vector<waiting_message>> r) {
    caf::anon_send(
        me, messages_loaded{std::make_shared<result<std::vector<waiting_message>>>(std::move(r))});
  });
}

void outbox_state::loaded(const result<std::vector<waiting_message>>& waiting) {
  if (!waiting)
    return again_later();
  if (waiting->empty()) {
    busy_ = false;
    if (again_)
      look();
    return;
  }
  const auto left = context->deliver ? context->deliver(*waiting) : 0;
  if (left == 0)
    return again_later();
  pass(crash_point::message_delivered);
  partly_ = left < waiting->size();
  const auto me = caf::actor_cast<outbox_actor>(self);
  context->store->mark_delivered(
      std::span(*waiting).first(left), context->time->now(), [me](const result<bool>& r) {
        caf::anon_send(me, messages_marked{r.has_value()});
      });
}

void outbox_state::marked(bool done) {
  if (!done || partly_)
    return again_later();
  busy_ = false;
  look();
}

void outbox_state::again_later() {
  busy_ = false;
  paused_ = true;
  self->delayed_send(self, retry_after, look_for_messages{true});
}

outbox_actor::behavior_type
outbox_behavior(outbox_state::pointer self, engine_context* context, std::uint32_t shard) {
  auto& s = self->state;
  s.self = self;
  s.context = context;
  s.shard = shard;
  s.look();
  return {
      [self](const look_for_messages& m) { self->state.look(m.retry); },
      [self](const messages_loaded& m) { self->state.loaded(*m.waiting); },
      [self](const messages_marked& m) { self->state.marked(m.done); },
  };
}

} // namespace accrue
