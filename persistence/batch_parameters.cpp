// The SQL of a batch: one INSERT … SELECT FROM unnest a table, and its rows as binary arrays.
#include "persistence/pg_lane.hpp"

#include <map>
#include <string>

namespace accrue {
namespace {

std::int32_t space(const customer_key& k) { return static_cast<std::int32_t>(k.space.value); }
std::int32_t number(const customer_key& k) { return static_cast<std::int32_t>(k.customer.value); }
std::int64_t seq(sequence s) { return static_cast<std::int64_t>(s.value); }
std::int16_t shard(const customer_key& k) {
  return static_cast<std::int16_t>(shard_of(k.customer));
}

} // namespace

std::vector<pg::statement> batch_parameters::statements() {
  return {
      {"journal",
       "insert into journal (namespace, customer, sequence, at, batch, lane, kind, key, content, "
       "hash, body)"
       " select u.namespace, u.customer, u.sequence, u.at, $11::int8, $10::int2, u.kind, u.key, "
       "u.content, u.hash, u.body"
       " from unnest($1::int4[], $2::int4[], $3::int8[], $4::int8[], $5::int2[], $6::uuid[], "
       "$7::uuid[], $8::bytea[],"
       " $9::bytea[]) as u(namespace, customer, sequence, at, kind, key, content, hash, body)"},
      {"customers",
       "insert into customer (namespace, customer, reference, created_at)"
       " select * from unnest($1::int4[], $2::int4[], $3::text[], $4::int8[])"
       " on conflict (namespace, customer) do nothing"},
      {"grants",
       "insert into credit_grant (namespace, customer, number, reference, currency, amount, "
       "priority,"
       " effective_at, sequence)"
       " select n, c, g, r, k, a::numeric, p, e, s from unnest($1::int4[], $2::int4[], $3::int4[], "
       "$4::text[],"
       " $5::text[], $6::text[], $7::int2[], $8::int8[], $9::int8[]) as u(n, c, g, r, k, a, p, e, "
       "s)"},
      {"charges",
       "insert into charge (namespace, customer, number, reference, status, currency, amount, "
       "sequence, body)"
       " select n, c, x, r, t, k, a::numeric, s, b from unnest($1::int4[], $2::int4[], $3::int4[], "
       "$4::text[],"
       " $5::text[], $6::text[], $7::text[], $8::int8[], $9::bytea[]) as u(n, c, x, r, t, k, a, s, "
       "b)"
       " on conflict (namespace, customer, number) do update set status = excluded.status,"
       " sequence = excluded.sequence, body = excluded.body"},
      {"invoices",
       "insert into invoice (namespace, customer, number, name, status, currency, total, sequence, "
       "body)"
       " select n, c, x, r, t, k, a::numeric, s, b from unnest($1::int4[], $2::int4[], $3::int4[], "
       "$4::text[],"
       " $5::text[], $6::text[], $7::text[], $8::int8[], $9::bytea[]) as u(n, c, x, r, t, k, a, s, "
       "b)"
       " on conflict (namespace, customer, number) do update set name = excluded.name,"
       " status = excluded.status, total = excluded.total, sequence = excluded.sequence, body = "
       "excluded.body"},
      {"wakeups",
       "insert into wakeup (shard, due, namespace, customer)"
       " select * from unnest($1::int2[], $2::int8[], $3::int4[], $4::int4[])"
       " on conflict (namespace, customer) do update set due = excluded.due"},
      {"wakeups_gone",
       "delete from wakeup w using unnest($1::int4[], $2::int4[]) as u(n, c)"
       " where w.namespace = u.n and w.customer = u.c"},
      {"outbox",
       "insert into outbox (shard, namespace, customer, sequence, place, topic, subject, queued_at)"
       " select * from unnest($1::int2[], $2::int4[], $3::int4[], $4::int8[], $5::int2[], "
       "$6::text[], $7::text[],"
       " $8::int8[])"},
      {"snapshots",
       "insert into snapshot (namespace, customer, sequence, body)"
       " select * from unnest($1::int4[], $2::int4[], $3::int8[], $4::bytea[])"
       " on conflict (namespace, customer) do update set sequence = excluded.sequence, body = "
       "excluded.body"},
      {"segments",
       "insert into key_segment (namespace, customer, last_sequence, body)"
       " select * from unnest($1::int4[], $2::int4[], $3::int8[], $4::bytea[])"},
      {"blocks",
       "insert into statement_block (namespace, customer, last_sequence, sums, items)"
       " select * from unnest($1::int4[], $2::int4[], $3::int8[], $4::bytea[], $5::bytea[])"
       " on conflict (namespace, customer, last_sequence) do update set sums = excluded.sums, "
       "items "
       "= excluded.items"},
  };
}

void batch_parameters::table::clear() {
  w.clear(), b.clear(), c.clear(), e.clear(), f.clear(), g.clear(), h.clear();
  k.clear(), l.clear(), m.clear(), n.clear(), o.clear(), p.clear(), q.clear(), r.clear();
  parameters.clear();
}

void batch_parameters::encode(const unit_batch& batch, std::int16_t lane, std::int64_t number) {
  encode_journal(batch, lane, number);
  if (!batch.charges.empty())
    encode_objects(charges_, batch.charges, batch);
  if (!batch.invoices.empty())
    encode_objects(invoices_, batch.invoices, batch);
  if (!batch.snapshots.empty())
    encode_states(snapshots_, batch.snapshots, batch);
  if (!batch.segments.empty())
    encode_states(segments_, batch.segments, batch);
  if (!batch.blocks.empty())
    encode_blocks(batch);
  encode_rest(batch);
}

void batch_parameters::encode_journal(const unit_batch& batch,
                                      std::int16_t lane,
                                      std::int64_t batch_number) {
  auto& t = journal_;
  t.clear();
  for (const auto& row : batch.journal) {
    t.e.push(space(row.owner));
    t.w.push(number(row.owner));
    t.b.push(seq(row.sequence));
    t.c.push(row.at.ns);
    t.g.push(row.kind);
    t.k.push(row.key);
    t.l.push(row.content);
    t.m.push(row.hash);
    t.n.push(batch.at(row.body));
  }
  t.parameters.array(t.e)
      .array(t.w)
      .array(t.b)
      .array(t.c)
      .array(t.g)
      .array(t.k)
      .array(t.l)
      .array(t.m)
      .array(t.n)
      .int2(lane)
      .int8(batch_number);
}

// An object changed twice in one batch: the last value counts, and an upsert may name it once only.
template <class Row, class Key>
static std::vector<const Row*> last_of_each(const std::vector<Row>& rows, Key key) {
  std::map<decltype(key(rows.front())), const Row*> last;
  for (const auto& row : rows)
    last[key(row)] = &row;
  std::vector<const Row*> kept;
  for (const auto& [_, row] : last)
    kept.push_back(row);
  return kept;
}

void batch_parameters::encode_objects(table& t,
                                      const std::vector<object_row>& rows,
                                      const unit_batch& batch) {
  t.clear();
  for (const auto* kept :
       last_of_each(rows, [](const object_row& r) { return std::pair(r.owner, r.number); })) {
    const auto& row = *kept;
    t.e.push(space(row.owner));
    t.w.push(number(row.owner));
    t.f.push(static_cast<std::int32_t>(row.number));
    t.o.push(row.reference);
    t.p.push(row.status);
    t.q.push(row.currency);
    t.r.push(row.amount);
    t.b.push(seq(row.sequence));
    t.m.push(batch.at(row.body));
  }
  t.parameters.array(t.e)
      .array(t.w)
      .array(t.f)
      .array(t.o)
      .array(t.p)
      .array(t.q)
      .array(t.r)
      .array(t.b)
      .array(t.m);
}

void batch_parameters::encode_states(table& t,
                                     const std::vector<state_row>& rows,
                                     const unit_batch& batch) {
  t.clear();
  const bool once = &t == &snapshots_;
  const auto key = [&](const state_row& r) {
    return std::pair(r.owner, once ? sequence{} : r.sequence);
  };
  for (const auto* row : last_of_each(rows, key)) {
    t.e.push(space(row->owner));
    t.w.push(number(row->owner));
    t.b.push(seq(row->sequence));
    t.m.push(batch.at(row->body));
  }
  t.parameters.array(t.e).array(t.w).array(t.b).array(t.m);
}

void batch_parameters::encode_blocks(const unit_batch& batch) {
  auto& t = blocks_;
  t.clear();
  const auto key = [](const block_row& r) { return std::pair(r.owner, r.through); };
  for (const auto* row : last_of_each(batch.blocks, key)) {
    t.e.push(space(row->owner));
    t.w.push(number(row->owner));
    t.b.push(seq(row->through));
    t.m.push(batch.at(row->sums));
    t.n.push(batch.at(row->items));
  }
  t.parameters.array(t.e).array(t.w).array(t.b).array(t.m).array(t.n);
}

void batch_parameters::encode_rest(const unit_batch& batch) {
  if (auto& t = customers_; !batch.customers.empty()) {
    t.clear();
    for (const auto& row : batch.customers) {
      t.e.push(space(row.owner));
      t.w.push(number(row.owner));
      t.o.push(row.reference);
      t.b.push(row.created_at.ns);
    }
    t.parameters.array(t.e).array(t.w).array(t.o).array(t.b);
  }
  if (auto& t = grants_; !batch.grants.empty()) {
    t.clear();
    for (const auto& row : batch.grants) {
      t.e.push(space(row.owner));
      t.w.push(number(row.owner));
      t.f.push(static_cast<std::int32_t>(row.number));
      t.o.push(row.reference);
      t.p.push(row.currency);
      t.q.push(row.amount);
      t.g.push(static_cast<std::int16_t>(row.priority));
      t.b.push(row.effective_at.ns);
      t.c.push(seq(row.sequence));
    }
    t.parameters.array(t.e)
        .array(t.w)
        .array(t.f)
        .array(t.o)
        .array(t.p)
        .array(t.q)
        .array(t.g)
        .array(t.b)
        .array(t.c);
  }
  wakeups_.clear();
  wakeups_gone_.clear();
  for (const auto* kept :
       last_of_each(batch.wakeups, [](const wakeup_row& r) { return r.owner; })) {
    const auto& row = *kept;
    auto& t = row.due ? wakeups_ : wakeups_gone_;
    t.e.push(space(row.owner));
    t.w.push(number(row.owner));
    if (!row.due)
      continue;
    t.g.push(shard(row.owner));
    t.b.push(row.due->ns);
  }
  wakeups_.parameters.array(wakeups_.g).array(wakeups_.b).array(wakeups_.e).array(wakeups_.w);
  wakeups_gone_.parameters.array(wakeups_gone_.e).array(wakeups_gone_.w);
  if (auto& t = outbox_; !batch.outbox.empty()) {
    t.clear();
    for (const auto& row : batch.outbox) {
      t.g.push(shard(row.owner));
      t.e.push(space(row.owner));
      t.w.push(number(row.owner));
      t.b.push(seq(row.sequence));
      t.h.push(row.place);
      t.o.push(row.topic);
      t.p.push(row.subject);
      t.c.push(row.queued_at.ns);
    }
    t.parameters.array(t.g).array(t.e).array(t.w).array(t.b).array(t.h).array(t.o).array(t.p).array(
        t.c);
  }
}

void batch_parameters::append_calls(const unit_batch& batch, std::vector<pg::call>& calls) const {
  if (!batch.journal.empty())
    calls.push_back({"journal", &journal_.parameters});
  if (!batch.customers.empty())
    calls.push_back({"customers", &customers_.parameters});
  if (!batch.grants.empty())
    calls.push_back({"grants", &grants_.parameters});
  if (!batch.charges.empty())
    calls.push_back({"charges", &charges_.parameters});
  if (!batch.invoices.empty())
    calls.push_back({"invoices", &invoices_.parameters});
  if (!wakeups_.e.empty())
    calls.push_back({"wakeups", &wakeups_.parameters});
  if (!wakeups_gone_.e.empty())
    calls.push_back({"wakeups_gone", &wakeups_gone_.parameters});
  if (!batch.outbox.empty())
    calls.push_back({"outbox", &outbox_.parameters});
  if (!batch.snapshots.empty())
    calls.push_back({"snapshots", &snapshots_.parameters});
  if (!batch.segments.empty())
    calls.push_back({"segments", &segments_.parameters});
  if (!batch.blocks.empty())
    calls.push_back({"blocks", &blocks_.parameters});
}

} // namespace accrue
