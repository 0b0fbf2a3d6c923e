// Committing to maps and reading from them. Enforces what the schema enforces: no unit twice.
#include "persistence/memory_store.hpp"

#include <algorithm>

namespace accrue {

memory_lane::memory_lane(memory_database& db,
                         reply_sink& replies,
                         lane_events events,
                         std::function<void()> wake,
                         std::function<instant()> now)
    : lane(replies, std::move(events)), db_(&db), wake_(std::move(wake)), now_(std::move(now)) {}

bool memory_lane::step() {
  if (!pending_ && !take(batch_))
    return false;
  pending_ = false;
  auto fault = commit_fault::none;
  if (!batch_.writes_nothing() && !faults.empty()) {
    fault = faults.front();
    faults.erase(faults.begin());
  }
  switch (fault) {
  case commit_fault::retry:
    pending_ = true;
    wake_();
    return true;
  case commit_fault::poison: {
    const auto victim = batch_.journal.front();
    discard(victim.owner, victim.life, "the store refused the unit");
    store(batch_.rows_of([&](const customer_key& k) { return k != victim.owner; }));
    break;
  }
  case commit_fault::in_doubt: // it landed; asking the lane row says so
  case commit_fault::none:
    store(batch_);
    break;
  }
  release(batch_, now_());
  wake_();
  return true;
}

void memory_lane::store(const unit_batch& batch) {
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
  for (const auto& r : batch.outbox)
    db_->outbox.push_back(
        {r.owner, r.sequence, r.place, r.topic, r.subject, db_->customers[r.owner].reference});
  ++db_->batches;
  const std::lock_guard lock(mutex_);
  ++counts_.batches;
  counts_.units += batch.journal.size();
}

memory_store::memory_store(memory_database& db,
                           reply_sink& replies,
                           lane_events events,
                           std::function<void()> wake,
                           std::function<instant()> now)
    : db_(&db), lane_(db, replies, std::move(events), std::move(wake), std::move(now)) {}

result<stored_namespace> memory_store::open_namespace(const std::string& reference) {
  const auto next = namespace_id(static_cast<std::uint32_t>(db_->namespaces.size() + 1));
  stored_namespace found{db_->namespaces.try_emplace(reference, next).first->second,
                         {},
                         std::vector<std::uint64_t>(shard_count, 0)};
  if (const auto it = db_->customers.find({found.number, customer_id{}});
      it != db_->customers.end())
    for (const auto& [_, row] : it->second.journal)
      found.rows.push_back(row);
  for (const auto& [key, number] : db_->numbers)
    if (key.first == found.number) {
      auto& last = found.last_customer[shard_of(number)];
      last = std::max(last, number.value);
    }
  return found;
}

void memory_store::load_customer(namespace_id space,
                                 std::string reference,
                                 stored<stored_customer> done) {
  stored_customer c;
  c.reference = reference;
  if (const auto n = db_->numbers.find({space, reference}); n != db_->numbers.end()) {
    const auto& rows = db_->customers.at({space, n->second});
    c.number = n->second;
    c.snapshot = rows.snapshot;
    for (const auto& [_, body] : rows.segments)
      c.segments.push_back(body);
    const auto at = rows.snapshot ? rows.snapshot->first.value : 0;
    const auto from = at > exact_keys ? at - exact_keys : 0;
    for (auto it = rows.journal.upper_bound(from); it != rows.journal.end(); ++it)
      c.rows.push_back(it->second);
  }
  done(std::move(c));
}

void memory_store::load_row(customer_key owner, sequence s, stored<stored_row> done) {
  const auto it = db_->customers.find(owner);
  if (it == db_->customers.end() || !it->second.journal.contains(s.value))
    return done(refuse(errc::not_found, "no such unit"));
  done(it->second.journal.at(s.value));
}

void memory_store::wakeups(std::uint32_t shard,
                           wakeup_place after,
                           std::uint32_t limit,
                           stored<std::vector<due_wakeup>> done) {
  std::vector<due_wakeup> due;
  for (const auto& [key, rows] : db_->customers)
    if (shard_of(key.customer) == shard && rows.wakeup &&
        std::tie(after.due, after.owner) < std::tie(*rows.wakeup, key))
      due.push_back({key, *rows.wakeup, rows.reference});
  std::ranges::sort(due, [](const auto& a, const auto& b) {
    return std::tie(a.due, a.owner) < std::tie(b.due, b.owner);
  });
  if (due.size() > limit)
    due.resize(limit);
  done(std::move(due));
}

void memory_store::waiting_messages(std::uint32_t shard,
                                    std::uint32_t limit,
                                    stored<std::vector<waiting_message>> done) {
  std::vector<waiting_message> waiting;
  for (const auto& m : db_->outbox)
    if (shard_of(m.owner.customer) == shard && waiting.size() < limit)
      waiting.push_back(m);
  done(std::move(waiting));
}

void memory_store::mark_delivered(std::span<const waiting_message> left,
                                  instant,
                                  stored<bool> done) {
  for (const auto& m : left) {
    const auto it = std::ranges::find_if(db_->outbox, [&](const waiting_message& w) {
      return w.owner == m.owner && w.sequence == m.sequence && w.place == m.place;
    });
    if (it == db_->outbox.end())
      continue;
    db_->delivered.push_back(*it);
    db_->outbox.erase(it);
  }
  done(true);
}

void memory_store::list_customers(namespace_id space,
                                  std::string after,
                                  std::uint32_t limit,
                                  stored<std::vector<customer_line>> done) {
  std::vector<customer_line> lines;
  for (const auto& [key, number] : db_->numbers)
    if (key.first == space && key.second > after && lines.size() < limit) {
      const auto& journal = db_->customers.at({space, number}).journal;
      lines.push_back(
          {number, key.second, sequence(journal.empty() ? 0 : journal.rbegin()->first)});
    }
  done(std::move(lines));
}

} // namespace accrue
