// The rules of pg_lane.cpp for a lane in memory: sending, fencing, asking what landed, discarding.
#include "persistence/memory_store.hpp"

#include <algorithm>
#include <utility>

namespace accrue {

memory_lane::memory_lane(memory_database& db,
                         reply_sink& replies,
                         lane_events events,
                         memory_lane_options options)
    : lane(replies, std::move(events)), db_(&db), options_(std::move(options)) {
  auto& row = db_->lane;
  epoch_ = ++row.epoch;
  last_batch_ = row.batch;
  extend_lease(options_.now());
}

bool memory_lane::owns() const noexcept {
  return phase_ != phase::fenced && (!options_.lease_ns || options_.now() < lease_until_);
}

void memory_lane::extend_lease(instant asked_at) noexcept {
  if (!options_.lease_ns)
    return;
  lease_until_ = plus_ns(asked_at, *options_.lease_ns);
  db_->lane.expires_at =
      std::max(db_->lane.expires_at, plus_ns(options_.now(), *options_.lease_ns));
}

bool memory_lane::work() {
  switch (phase_) {
  case phase::idle:
    return send_next();
  case phase::answered:
    take_answer();
    return true;
  case phase::waiting:
    if (db_->away)
      wait_for_store();
    else
      ask_what_landed();
    return !db_->away;
  case phase::sent:
  case phase::fenced:
    break;
  }
  return false;
}

bool memory_lane::send_next() {
  if (!take(batch_))
    return false;
  if (!batch_.writes_nothing())
    return resend(), true;
  release(batch_, options_.now());
  wake_up();
  return true;
}

void memory_lane::resend() {
  phase_ = phase::sent;
  undecided_ = true;
  sent_at_ = options_.now();
  wake_up();
}

std::optional<customer_key> memory_lane::commit(commit_fault fault) {
  ENSURE(phase_ == phase::sent);
  phase_ = phase::answered;
  if (db_->away) {
    outcome_ = outcome::lost;
    return std::nullopt;
  }
  if (db_->lane.epoch != epoch_ || db_->lane.batch != last_batch_) {
    outcome_ = outcome::at_fence;
    return std::nullopt;
  }
  if (const auto bad = first_refused(fault)) {
    outcome_ = outcome::poisoned;
    refused_.insert_or_assign(bad->place.owner, *bad);
    return bad->place.owner;
  }
  switch (fault) {
  case commit_fault::none:
  case commit_fault::poison: // nothing to be refused
    outcome_ = outcome::landed;
    store(rows());
    break;
  case commit_fault::in_doubt:
    outcome_ = outcome::lost;
    store(rows());
    break;
  case commit_fault::retry:
    outcome_ = outcome::retry;
    break;
  case commit_fault::lost:
    outcome_ = outcome::lost;
    break;
  }
  return std::nullopt;
}

std::optional<memory_lane::refused_row> memory_lane::first_refused(commit_fault fault) const {
  const auto& journal = rows().journal;
  const auto bad = std::ranges::find_if(journal, [&](const journal_row& r) {
    return fault == commit_fault::poison || db_->refused_units.contains({r.owner, r.sequence});
  });
  if (bad != journal.end())
    return refused_row{{bad->owner, bad->sequence}, bad->life};
  if (fault != commit_fault::poison)
    return std::nullopt;
  const auto& state = rows().snapshots.front();
  return refused_row{{state.owner, state.sequence, true}, state.life};
}

void memory_lane::take_answer() {
  switch (outcome_) {
  case outcome::landed:
    lease_until_ = options_.lease_ns ? plus_ns(sent_at_, *options_.lease_ns) : lease_until_;
    return landed();
  case outcome::retry: {
    {
      const std::lock_guard lock(mutex_);
      ++counts_.retries;
    }
    expire(batch_, options_.now());
    expire_filling(options_.now());
    return ask_what_landed();
  }
  case outcome::at_fence:
    return ask_what_landed();
  case outcome::lost: {
    {
      const std::lock_guard lock(mutex_);
      ++counts_.reconnects;
    }
    wait_for_store();
    return wake_up();
  }
  case outcome::poisoned:
    return leave_out_refused();
  }
}

void memory_lane::wait_for_store() {
  phase_ = phase::waiting;
  set_available(false);
  expire(batch_, options_.now());
  expire_filling(options_.now());
}

void memory_lane::ask_what_landed() {
  const auto& row = db_->lane;
  if (row.epoch != epoch_)
    return fence();
  if (undecided_ && row.batch == last_batch_ + 1)
    return landed();
  if (row.batch != last_batch_)
    return fence();
  if (undecided_)
    return resend();
  set_available(true);
  phase_ = phase::idle;
  wake_up();
}

void memory_lane::landed() {
  {
    const std::lock_guard lock(mutex_);
    ++counts_.batches;
    counts_.units += rows().journal.size();
  }
  last_batch_ += 1;
  undecided_ = false;
  set_available(true);
  finish();
}

// The others are sent again, and what comes before the refused unit of its own customer.
void memory_lane::leave_out_refused() {
  undecided_ = false;
  set_available(true); // it answered, after all
  part_ = rows().rows_of([&](const row_place& p) {
    const auto bad = refused_.find(p.owner);
    return bad == refused_.end() || p < bad->second.place;
  });
  if (!part_->writes_nothing())
    return resend();
  finish();
}

// What was sent has landed.
void memory_lane::finish() {
  part_.reset();
  for (const auto& [owner, bad] : std::exchange(refused_, {}))
    discard(owner, bad.life, bad.place.lost_from(), "the store refused the unit");
  phase_ = phase::idle;
  release(batch_, options_.now());
  wake_up();
}

void memory_lane::fence() {
  phase_ = phase::fenced;
  set_available(false);
  release(batch_, options_.now());
  if (events_.fenced)
    events_.fenced("another server has taken the shards over");
}

void memory_lane::renew() {
  if (phase_ == phase::fenced)
    return;
  if (phase_ != phase::idle) {
    expire(batch_, options_.now());
    expire_filling(options_.now());
    return wake_up();
  }
  if (db_->away)
    return;
  if (db_->lane.epoch != epoch_)
    return fence();
  extend_lease(options_.now());
}

bool memory_lane::step() {
  const bool worked = work();
  if (phase_ != phase::sent)
    return worked;
  auto fault = commit_fault::none;
  if (!faults.empty()) {
    fault = faults.front();
    faults.erase(faults.begin());
  }
  commit(fault);
  work();
  return true;
}

void memory_lane::store(const unit_batch& batch) {
  if (db_->mirror)
    db_->mirror(batch);
  const auto bytes = [&](extent e) {
    const auto b = batch.at(e);
    return std::vector<std::byte>(b.begin(), b.end());
  };
  for (const auto& r : batch.customers) {
    db_->numbers[{r.owner.space, r.reference}] = r.owner.customer;
    db_->customers[r.owner].reference = r.reference;
  }
  for (const auto& r : batch.journal) {
    auto& rows = db_->customers[r.owner].journal;
    const auto next = rows.empty() ? 1 : rows.rbegin()->first + 1;
    ENSURE(r.sequence.value == next);
    rows.emplace(r.sequence.value,
                 stored_row{r.sequence, r.at, r.kind, r.key, r.content, r.hash, bytes(r.body)});
  }
  for (const auto& r : batch.charges)
    db_->customers[r.owner].charges[r.number] = {r.reference, bytes(r.body), r.status};
  for (const auto& r : batch.invoices)
    db_->customers[r.owner].invoices[r.number] = {r.reference, bytes(r.body), r.status};
  for (const auto& r : batch.wakeups)
    db_->customers[r.owner].wakeup = r.due;
  for (const auto& r : batch.snapshots)
    db_->customers[r.owner].snapshot.emplace(r.sequence, bytes(r.body));
  for (const auto& r : batch.segments)
    db_->customers[r.owner].segments[r.sequence.value] = bytes(r.body);
  for (const auto& r : batch.blocks)
    db_->customers[r.owner].blocks[r.through.value] = {bytes(r.sums), bytes(r.items)};
  for (const auto& r : batch.outbox)
    db_->outbox.push_back(
        {r.owner, r.sequence, r.place, r.topic, r.subject, db_->customers[r.owner].reference});
  ++db_->batches;
  ++db_->lane.batch;
  if (options_.lease_ns)
    db_->lane.expires_at = plus_ns(options_.now(), *options_.lease_ns);
}

} // namespace accrue
