// Reading from maps. Writing, and what the schema enforces (no unit twice), is in memory_lane.cpp.
#include "persistence/memory_store.hpp"

#include <algorithm>

namespace accrue {
namespace {

const refusal away{errc::storage_unavailable, {}, "the store is away"};

} // namespace

memory_store::memory_store(memory_database& db,
                           reply_sink& replies,
                           lane_events events,
                           memory_lane_options options)
    : db_(&db), lane_(db, replies, std::move(events), std::move(options)) {}

bool memory_store::fails() {
  ++db_->reads;
  if (db_->away)
    return true;
  if (db_->failing_reads == 0)
    return false;
  --db_->failing_reads;
  return true;
}

result<stored_namespace> memory_store::open_namespace(const std::string& reference) {
  const auto next = namespace_id(static_cast<std::uint32_t>(db_->namespaces.size() + 1));
  stored_namespace found{db_->namespaces.try_emplace(reference, next).first->second,
                         {},
                         std::vector<std::uint64_t>(shard_count, 0),
                         {}};
  if (const auto it = db_->customers.find({found.number, customer_id{}});
      it != db_->customers.end())
    for (const auto& [_, row] : it->second.journal)
      found.rows.push_back(row);
  for (const auto& [key, number] : db_->numbers)
    if (key.first == found.number) {
      auto& last = found.last_customer[shard_of(number)];
      last = std::max(last, number.value);
    }
  for (const auto& [key, what] : db_->quarantined)
    if (key.space == found.number) {
      auto& last = found.last_customer[shard_of(key.customer)];
      last = std::max(last, key.customer.value);
      found.quarantined.push_back({key, what});
    }
  return found;
}

void memory_store::load_customer(namespace_id space,
                                 std::string reference,
                                 stored<stored_customer> done) {
  if (fails())
    return done(tl::unexpected(away));
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
  if (fails())
    return done(tl::unexpected(away));
  const auto it = db_->customers.find(owner);
  if (it == db_->customers.end() || !it->second.journal.contains(s.value))
    return done(refuse(errc::not_found, "no such unit"));
  done(it->second.journal.at(s.value));
}

void memory_store::load_rows(customer_key owner,
                             sequence after,
                             std::uint32_t limit,
                             stored<std::vector<stored_row>> done) {
  if (fails())
    return done(tl::unexpected(away));
  std::vector<stored_row> rows;
  if (const auto it = db_->customers.find(owner); it != db_->customers.end()) {
    const auto& journal = it->second.journal;
    for (auto row = journal.upper_bound(after.value); row != journal.end() && rows.size() < limit;
         ++row)
      rows.push_back(row->second);
  }
  done(std::move(rows));
}

void memory_store::load_units(customer_key owner,
                              std::vector<sequence> units,
                              stored<std::vector<stored_row>> done) {
  if (fails())
    return done(tl::unexpected(away));
  std::vector<stored_row> rows;
  if (const auto it = db_->customers.find(owner); it != db_->customers.end())
    for (const auto& u : units)
      if (const auto row = it->second.journal.find(u.value); row != it->second.journal.end())
        rows.push_back(row->second);
  done(std::move(rows));
}

void memory_store::load_sums(customer_key owner, stored<std::vector<stored_sums>> done) {
  if (fails())
    return done(tl::unexpected(away));
  std::vector<stored_sums> all;
  if (const auto it = db_->customers.find(owner); it != db_->customers.end())
    for (const auto& [through, block] : it->second.blocks)
      all.push_back({sequence(through), block.sums});
  done(std::move(all));
}

void memory_store::load_blocks(customer_key owner,
                               std::vector<sequence> blocks,
                               stored<std::vector<stored_items>> done) {
  if (fails())
    return done(tl::unexpected(away));
  std::vector<stored_items> some;
  if (const auto it = db_->customers.find(owner); it != db_->customers.end())
    for (const auto& b : blocks)
      if (const auto found = it->second.blocks.find(b.value); found != it->second.blocks.end())
        some.push_back({b, found->second.items});
  done(std::move(some));
}

void memory_store::wakeups(std::uint32_t shard,
                           wakeup_place after,
                           std::uint32_t limit,
                           stored<std::vector<due_wakeup>> done) {
  if (fails())
    return done(tl::unexpected(away));
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
  if (fails())
    return done(tl::unexpected(away));
  std::vector<waiting_message> waiting;
  for (const auto& m : db_->outbox)
    if (shard_of(m.owner.customer) == shard && waiting.size() < limit)
      waiting.push_back(m);
  done(std::move(waiting));
}

void memory_store::mark_delivered(std::span<const waiting_message> left,
                                  instant,
                                  stored<bool> done) {
  if (fails())
    return done(tl::unexpected(away));
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
  if (fails())
    return done(tl::unexpected(away));
  std::vector<customer_line> lines;
  for (const auto& [key, number] : db_->numbers)
    if (key.first == space && key.second > after && lines.size() < limit) {
      const auto& journal = db_->customers.at({space, number}).journal;
      lines.push_back(
          {number, key.second, sequence(journal.empty() ? 0 : journal.rbegin()->first)});
    }
  done(std::move(lines));
}

void memory_store::load_namespace(namespace_id space, stored<std::vector<stored_row>> done) {
  if (fails())
    return done(tl::unexpected(away));
  std::vector<stored_row> rows;
  if (const auto it = db_->customers.find({space, customer_id{}}); it != db_->customers.end())
    for (const auto& [_, row] : it->second.journal)
      rows.push_back(row);
  done(std::move(rows));
}

result<void> memory_store::may_change() {
  if (fails())
    return tl::unexpected(away);
  if (!lane_.is_ours())
    return refuse(errc::not_owner, "another server has taken the shards over");
  return {};
}

void memory_store::put_quarantine(customer_key owner, quarantine what, stored<void> done) {
  const auto may = db_->untakable == owner ? refuse(errc::internal, "not this one") : may_change();
  if (may)
    db_->quarantined.insert_or_assign(owner, std::move(what));
  answer_change(may, done);
}

void memory_store::drop_quarantine(customer_key owner, instant since, stored<void> done) {
  const auto may = may_change();
  if (may)
    std::erase_if(db_->quarantined,
                  [&](const auto& q) { return q.first == owner && q.second.since == since; });
  answer_change(may, done);
}

void memory_store::answer_change(const result<void>& may, const stored<void>& done) {
  if (!may || db_->lost_answers == 0)
    return done(may);
  --db_->lost_answers;
  done(tl::unexpected(away));
}

} // namespace accrue
