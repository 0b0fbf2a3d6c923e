// Durable wake-ups of one shard, and with them the only source of time-driven messages. Reads the time
// source and nothing else does below the gateway.
#pragma once

#include "actors/context.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <map>
#include <set>

namespace accrue {

class scheduler_state {
public:
  static inline const char* name = "scheduler";
  scheduler_state() = default;
  using pointer = scheduler_actor::stateful_pointer<scheduler_state>;

  void start(pointer me, engine_context& c, std::uint32_t shard);
  void put(const wake& w);
  void look(std::uint64_t timer);
  void loaded(const result<std::vector<due_wakeup>>& due);

private:
  struct entry {
    instant due;     ///< as the customer wants it
    instant fire_at; ///< later than due where an earlier try did not succeed
    std::string reference;
  };
  void load();
  void fire();
  void arm();

  pointer self_ = nullptr;
  engine_context* context_ = nullptr;
  std::uint32_t shard_ = 0;
  std::map<customer_key, entry> entries_;
  std::set<std::pair<instant, customer_key>> queue_; ///< by fire_at
  bool loading_ = false;
  std::optional<wakeup_place>
      loaded_up_to_; ///< where the stored wake-ups go on; none: all are here
  std::optional<instant> armed_for_;
  instant rests_until_{std::numeric_limits<std::int64_t>::min()}; ///< before it nobody is woken
  std::uint64_t armed_timer_ = 0;
};

scheduler_actor::behavior_type
scheduler_behavior(scheduler_state::pointer self, engine_context* context, std::uint32_t shard);

} // namespace accrue
