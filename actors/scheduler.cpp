// A queue of wake-ups in memory over the one in the store; rows go away with the unit that answers them.
#include "actors/scheduler.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <chrono>

namespace accrue {
namespace {

constexpr std::uint32_t page = 4096;
constexpr std::int64_t longest_sleep_ns = 3600 * ns_per_second;
// So many customers are woken at once, then the next after a pause: a month's end must not flood the store.
constexpr int woken_at_once = 64;

} // namespace

void scheduler_state::start(pointer me, engine_context& c, std::uint32_t shard) {
  self_ = me;
  context_ = &c;
  shard_ = shard;
  loaded_up_to_.emplace();
  load();
}

// Page by page until all stored wake-ups are here.
void scheduler_state::load() {
  if (loading_ || !loaded_up_to_)
    return;
  loading_ = true;
  const auto me = caf::actor_cast<scheduler_actor>(self_);
  context_->store->wakeups(shard_, *loaded_up_to_, page, [me](result<std::vector<due_wakeup>> r) {
    caf::anon_send(me,
                   wakeups_loaded{std::make_shared<result<std::vector<due_wakeup>>>(std::move(r))});
  });
}

void scheduler_state::loaded(const result<std::vector<due_wakeup>>& due) {
  loading_ = false;
  if (!due) {
    self_->delayed_send(self_, std::chrono::milliseconds(100), look_at_clock{});
    return;
  }
  for (const auto& d : *due)
    if (!entries_.contains(d.owner))
      put({d.owner, d.reference, d.due, false});
  if (due->size() < page)
    loaded_up_to_.reset();
  else
    loaded_up_to_ = wakeup_place{due->back().due, due->back().owner};
  load();
  fire();
}

void scheduler_state::put(const wake& w) {
  if (const auto it = entries_.find(w.owner); it != entries_.end()) {
    if (it->second.due == w.due && !w.again)
      return; // what was tried waits for its next time
    queue_.erase({it->second.fire_at, w.owner});
    entries_.erase(it);
  }
  if (w.due) {
    entries_[w.owner] = {*w.due, *w.due, w.reference};
    queue_.emplace(*w.due, w.owner);
  }
  arm();
}

void scheduler_state::look(std::uint64_t timer) {
  if (timer == 0)
    return load();
  if (timer != armed_timer_)
    return; // an earlier one has replaced it
  armed_for_.reset();
  fire();
}

void scheduler_state::fire() {
  const auto now = context_->time->now();
  if (now < rests_until_)
    return arm();
  int woken = 0;
  while (!queue_.empty() && queue_.begin()->first <= now && woken++ < woken_at_once) {
    const auto owner = queue_.begin()->second;
    queue_.erase(queue_.begin());
    auto& e = entries_.at(owner);
    self_->send(context_->directory, tick{owner, e.reference, e.due, now});
    e.fire_at = plus_ns(now, context_->limits.retry_due_ns);
    queue_.emplace(e.fire_at, owner);
  }
  if (woken > woken_at_once)
    rests_until_ = plus_ns(now, context_->limits.wake_pause_ns);
  arm();
}

void scheduler_state::arm() {
  if (queue_.empty())
    return;
  const auto now = context_->time->now();
  const auto next = std::max({queue_.begin()->first, rests_until_, now});
  const auto wait = std::min(next.ns - now.ns, longest_sleep_ns);
  const auto at = plus_ns(now, wait);
  if (armed_for_ && *armed_for_ <= at)
    return;
  armed_for_ = at;
  self_->delayed_send(self_, std::chrono::nanoseconds(wait), look_at_clock{++armed_timer_});
}

scheduler_actor::behavior_type
scheduler_behavior(scheduler_state::pointer self, engine_context* context, std::uint32_t shard) {
  self->state.start(self, *context, shard);
  return {
      [self](const wake& m) { self->state.put(m); },
      [self](const look_at_clock& m) { self->state.look(m.number); },
      [self](const wakeups_loaded& m) { self->state.loaded(*m.due); },
  };
}

} // namespace accrue
