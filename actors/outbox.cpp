// A page of messages at a time: deliver, put on record, look again.
#include "actors/outbox.hpp"

#include <caf/send.hpp>

#include <chrono>
#include <utility>

namespace accrue {
namespace {

constexpr std::uint32_t page = 256;
constexpr auto retry_after = std::chrono::seconds(1);

} // namespace

void outbox_state::look() {
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
  const auto me = caf::actor_cast<outbox_actor>(self);
  const auto now = context->time->now();
  to_mark_ = 0;
  for (const auto& m : *waiting) {
    if (!context->deliver || !context->deliver(m))
      break;
    ++to_mark_;
    context->store->mark_delivered(
        m, now, [me](const result<bool>& r) { caf::anon_send(me, message_marked{r.has_value()}); });
  }
  if (to_mark_ == 0)
    again_later();
}

void outbox_state::marked(bool done) {
  failed_ = failed_ || !done;
  if (--to_mark_ != 0)
    return;
  if (std::exchange(failed_, false))
    return again_later();
  busy_ = false;
  look();
}

void outbox_state::again_later() {
  busy_ = false;
  self->delayed_send(self, retry_after, look_for_messages{});
}

outbox_actor::behavior_type
outbox_behavior(outbox_state::pointer self, engine_context* context, std::uint32_t shard) {
  auto& s = self->state;
  s.self = self;
  s.context = context;
  s.shard = shard;
  s.look();
  return {
      [self](look_for_messages) { self->state.look(); },
      [self](const messages_loaded& m) { self->state.loaded(*m.waiting); },
      [self](const message_marked& m) { self->state.marked(m.done); },
  };
}

} // namespace accrue
