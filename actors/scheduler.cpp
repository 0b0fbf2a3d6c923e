// A queue of wake-ups in memory over the one in the store; rows go away with the unit that answers them.
#include "actors/scheduler.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <chrono>

namespace accrue {
namespace {

constexpr std::uint32_t page = 4096;
constexpr std::int64_t longest_sleep_ns = 3600 * ns_per_second;

} // namespace

void scheduler_state::start(pointer me, engine_context& c, std::uint32_t shard) {
  self_ = me;
  context_ = &c;
  shard_ = shard;
  load();
}

void scheduler_state::load() {
  const auto me = caf::actor_cast<scheduler_actor>(self_);
  context_->store->due_wakeups(shard_, ledger::never, page, [me](result<std::vector<due_wakeup>> r) {
    caf::anon_send(me, wakeups_loaded{std::make_shared<result<std::vector<due_wakeup>>>(std::move(r))});
  });
}

void scheduler_state::loaded(const result<std::vector<due_wakeup>>& due) {
  if (!due) {
    self_->delayed_send(self_, std::chrono::seconds(1), look_at_clock{});
    return;
  }
  complete_ = due->size() < page;
  for (const auto& d : *due)
    if (!entries_.contains(d.owner)) put({d.owner, d.reference, d.due});
  look();
}

void scheduler_state::put(const wake& w) {
  if (const auto it = entries_.find(w.owner); it != entries_.end()) {
    queue_.erase({it->second.fire_at, w.owner});
    entries_.erase(it);
  }
  if (w.due) {
    // What is due already but was only just tried waits a while.
    entries_[w.owner] = {*w.due, *w.due, w.reference};
    queue_.emplace(*w.due, w.owner);
  }
  arm();
}

void scheduler_state::look() {
  armed_for_.reset();
  const auto now = context_->time->now();
  while (!queue_.empty() && queue_.begin()->first <= now) {
    const auto owner = queue_.begin()->second;
    queue_.erase(queue_.begin());
    auto& e = entries_.at(owner);
    self_->send(context_->directory, tick{owner, e.reference, e.due, now});
    e.fire_at = plus_ns(now, context_->limits.retry_due_ns);
    queue_.emplace(e.fire_at, owner);
  }
  if (queue_.empty() && !complete_) load();
  arm();
}

void scheduler_state::arm() {
  if (queue_.empty()) return;
  const auto next = queue_.begin()->first;
  if (armed_for_ && *armed_for_ <= next) return;
  armed_for_ = next;
  const auto wait = std::clamp<std::int64_t>(next.ns - context_->time->now().ns, 0, longest_sleep_ns);
  self_->delayed_send(self_, std::chrono::nanoseconds(wait), look_at_clock{});
}

scheduler_actor::behavior_type scheduler_behavior(scheduler_state::pointer self, engine_context* context,
                                                  std::uint32_t shard) {
  self->state.start(self, *context, shard);
  return {
      [self](const wake& m) { self->state.put(m); },
      [self](look_at_clock) { self->state.look(); },
      [self](const wakeups_loaded& m) { self->state.loaded(*m.due); },
  };
}

} // namespace accrue
