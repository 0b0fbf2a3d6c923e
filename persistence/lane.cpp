// What all lanes do around a commit: swapping batches, releasing replies, dropping discarded lives.
#include "persistence/lane.hpp"

#include "persistence/crash_point.hpp"

#include <algorithm>
#include <utility>

namespace accrue {
namespace {

const refusal discarded_reply{
    errc::storage_unavailable, {}, "the unit was not stored; send the same key again"};
const refusal not_owner_reply{
    errc::not_owner, {}, "this server's lease has lapsed; ask the owner of the shard"};
const refusal unknown_outcome{
    errc::deadline_exceeded,
    {},
    "not durable in time, the outcome is unknown; send the same key again"};

} // namespace

lane_counts lane::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

bool lane::is_discarded(const customer_key& owner, std::uint32_t life, sequence unit) const {
  const auto it = discarded_.find(owner);
  return it != discarded_.end() && it->second.life == life && unit >= it->second.from;
}

bool lane::lost(const customer_key& owner, std::uint32_t life) const {
  const std::lock_guard lock(mutex_);
  const auto it = discarded_.find(owner);
  return it != discarded_.end() && it->second.life == life;
}

void lane::forget(const customer_key& owner, std::uint32_t life) {
  const std::lock_guard lock(mutex_);
  if (const auto it = discarded_.find(owner); it != discarded_.end() && it->second.life == life)
    discarded_.erase(it);
}

void lane::next_batch() {
  full_.push_back(std::exchange(filling_, {}));
  ++filling_ticket_;
}

bool lane::take(unit_batch& into) {
  into.clear();
  {
    const std::lock_guard lock(mutex_);
    if (!full_.empty()) {
      into = std::move(full_.front());
      full_.pop_front();
    } else if (!filling_.empty()) {
      std::swap(filling_, into);
      ++filling_ticket_;
    } else {
      awake_ = false;
      return false;
    }
  }
  // A new life begins only when nothing of the one before is under way: these rows are of one life.
  for (const auto& [owner, gone] : discarded_)
    into.drop_from(owner, gone.from);
  return true;
}

void lane::release(unit_batch& batch, instant now) {
  expire(batch, now);
  const bool owner = owns();
  const auto* const middle = batch.replies.data() + batch.replies.size() / 2;
  for (const auto& r : batch.replies) {
    if (&r == middle)
      pass(crash_point::replies_half_released);
    if (is_discarded(r.owner, r.life, r.unit))
      replies_->refuse(r.to, r.request, r.index, discarded_reply);
    else if (!owner)
      replies_->refuse(r.to, r.request, r.index, not_owner_reply);
    else
      replies_->deliver(r.to, batch.frame(r.frame));
  }
  pass(crash_point::replies_released);
  durable_.fetch_add(1, std::memory_order_release);
  for (auto& f : batch.follow_ups) {
    const bool kept = !is_discarded(f.owner, f.life, f.unit);
    if (f.ends_life)
      forget(f.owner, f.life);
    f.run(kept);
  }
  batch.clear();
}

void lane::expire(unit_batch& batch, instant now) {
  std::erase_if(batch.replies, [&](const unit_batch::reply& r) {
    if (r.deadline > now)
      return false;
    replies_->refuse(r.to, r.request, r.index, unknown_outcome);
    return true;
  });
  std::erase_if(batch.follow_ups, [&](unit_batch::follow_up& f) {
    if (f.deadline > now)
      return false;
    f.run(false);
    return true;
  });
}

void lane::expire_filling(instant now) {
  const std::lock_guard lock(mutex_);
  for (auto& waiting : full_)
    expire(waiting, now);
  expire(filling_, now);
}

void lane::discard(const customer_key& owner,
                   std::uint32_t life,
                   sequence from,
                   const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    discarded_[owner] = {life, from};
    ++counts_.discarded;
  }
  discards_.fetch_add(1, std::memory_order_release);
  if (events_.discarded)
    events_.discarded(owner, life, from, why);
}

} // namespace accrue
