// Quarantine in PostgreSQL: who is in it, noted and taken off beside the lanes. The other reads and the
// start are in pg_store.cpp.
#include "persistence/pg_store.hpp"

namespace accrue {
namespace {

std::int32_t number(namespace_id n) { return static_cast<std::int32_t>(n.value); }
std::int32_t number(customer_id n) { return static_cast<std::int32_t>(n.value); }

} // namespace

// A server whose shards were taken over changes nothing, and reads that it does not own them.
std::vector<pg::statement> pg_store::quarantine_statements() {
  const std::string ours =
      "with ours as (select from lane where lane = $1::int2 and epoch = $2::int8), changed as (";
  return {
      {"quarantine",
       ours + "insert into quarantine (namespace, customer, reference, since, kind, why,"
              " last_sequence) select $3::int4, $4::int4, $5::text, $6::int8, $7::int2, $8::text,"
              " $9::int8 from ours on conflict (namespace, customer) do update set"
              " reference = excluded.reference, since = excluded.since, kind = excluded.kind,"
              " why = excluded.why, last_sequence = excluded.last_sequence)"
              " select count(*) from ours"},
      {"lift",
       ours + "delete from quarantine using ours where namespace = $3::int4 and customer = $4::int4"
              " and since = $5::int8)"
              " select count(*) from ours"},
  };
}

pg::outcome<std::vector<quarantine_row>> pg_store::quarantined(pg::session& db,
                                                               namespace_id space) {
  const auto rows = db.query("select customer, reference, since, kind, why, last_sequence"
                             " from quarantine where namespace = $1::int4 order by customer",
                             pg::parameters().int4(number(space)));
  if (!rows)
    return tl::unexpected<pg::error>(rows.error());
  std::vector<quarantine_row> found;
  for (int i = 0; i < rows->rows(); ++i)
    found.push_back({{space, customer_id(static_cast<std::uint64_t>(rows->i32(i, 0)))},
                     {std::string(rows->text(i, 1)),
                      instant{rows->i64(i, 2)},
                      static_cast<quarantine_kind>(rows->i16(i, 3)),
                      std::string(rows->text(i, 4)),
                      sequence(static_cast<std::uint64_t>(rows->i64(i, 5)))}});
  return found;
}

void pg_store::put_quarantine(customer_key owner, quarantine what, stored<void> done) {
  const auto p = owned_lane(owner);
  p->int4(number(owner.space))
      .int4(number(owner.customer))
      .text(what.reference)
      .int8(what.since.ns)
      .int2(static_cast<std::int16_t>(what.kind))
      .text(what.why)
      .int8(static_cast<std::int64_t>(what.last_good.value));
  change_quarantine("quarantine", p, std::move(done));
}

void pg_store::drop_quarantine(customer_key owner, instant since, stored<void> done) {
  const auto p = owned_lane(owner);
  p->int4(number(owner.space)).int4(number(owner.customer)).int8(since.ns);
  change_quarantine("lift", p, std::move(done));
}

std::shared_ptr<pg::parameters> pg_store::owned_lane(customer_key owner) const {
  const auto& o = lanes_[shard_of(owner.customer) % lanes_.size()]->options();
  auto p = std::make_shared<pg::parameters>();
  p->int2(o.lane).int8(o.epoch);
  return p;
}

// May run twice, as every read.
void pg_store::change_quarantine(const char* statement,
                                 std::shared_ptr<const pg::parameters> p,
                                 stored<void> done) {
  reader_.read(read_cause::engine,
               {{statement, std::move(p)}},
               [done = std::move(done)](const result<std::vector<pg::result>>& r) {
                 if (!r)
                   return done(tl::unexpected(r.error()));
                 if (r->front().i64(0, 0) != 1)
                   return done(refuse(errc::not_owner, "another server has taken the shards over"));
                 done({});
               });
}

} // namespace accrue
