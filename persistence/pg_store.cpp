// Start-up of the store and the reads that bring state back. Writing is in pg_lane.cpp.
#include "persistence/pg_store.hpp"

#include "persistence/crash_point.hpp"
#include "persistence/migrate.hpp"
#include "persistence/pg_rows.hpp"

#include <fmt/format.h>

#include <thread>

namespace accrue {
namespace {

refusal away(const pg::error& e) { return {errc::storage_unavailable, {}, e.text}; }

// What the engine may do is granted to a role of its own: the journal and the batches can be
// inserted and read by it, never changed.
constexpr const char* role_statements =
    "grant select, insert on namespace, journal, batch, key_segment to accrue_engine;"
    "grant select, insert, update on lane, customer, credit_grant, charge, invoice, snapshot, "
    "statement_block to accrue_engine;"
    "grant select, insert, update, delete on wakeup, outbox, quarantine to accrue_engine";

result<void> prepare_role(pg::session& db) {
  const auto known = db.query("select 1 from pg_roles where rolname = 'accrue_engine'");
  if (!known)
    return tl::unexpected(away(known.error()));
  if (known->rows() == 0)
    if (auto ok =
            db.execute("create role accrue_engine nologin; grant accrue_engine to current_user");
        !ok)
      return refuse(errc::forbidden,
                    "the database user may not create the role accrue_engine: " + ok.error().text);
  if (auto ok = db.execute(role_statements); !ok)
    return refuse(errc::forbidden,
                  "the role accrue_engine cannot be granted its tables: " + ok.error().text);
  return {};
}

// The engine's own connections: as its role, with plans that do not depend on the parameters, and gone
// from the server soon after they are gone from here: nobody else may wait for their locks.
std::string
as_engine(const std::string& conninfo, const std::string& name, std::vector<pg::setting> session) {
  const std::vector<pg::setting> defaults{{"keepalives_idle", "10"},
                                          {"keepalives_interval", "5"},
                                          {"keepalives_count", "3"},
                                          {"tcp_user_timeout", "20000"}};
  const std::vector<pg::setting> forced{{"application_name", name}};
  session.insert(session.end(),
                 {{"role", "accrue_engine"},
                  {"plan_cache_mode", "force_generic_plan"},
                  {"statement_timeout", "10s"},
                  {"idle_in_transaction_session_timeout", "10s"},
                  {"client_connection_check_interval", "1s"},
                  {"tcp_keepalives_idle", "10"},
                  {"tcp_keepalives_interval", "5"},
                  {"tcp_keepalives_count", "3"}});
  return pg::with_settings(conninfo, defaults, forced, session);
}

// Waits until the lane is free, then makes it ours under a new epoch.
result<pg_lane_options> take_lane(pg::session& db, const pg_store_options& o, std::int16_t lane) {
  pg::parameters p;
  p.int2(lane).text(o.owner);
  auto made =
      db.query("insert into lane (lane, epoch, batch, owner, expires_at)"
               " values ($1::int2, 0, 0, $2::text, clock_timestamp()) on conflict do nothing",
               p);
  if (!made)
    return tl::unexpected(away(made.error()));
  const auto patience = std::chrono::steady_clock::now() + o.lease * 2 + std::chrono::seconds(2);
  for (;;) {
    p.clear().int2(lane).text(o.owner).boolean(o.take_over).int8(o.lease.count());
    const auto asked_at = std::chrono::steady_clock::now();
    auto taken =
        db.query("update lane set epoch = epoch + 1, owner = $2::text,"
                 " expires_at = clock_timestamp() + make_interval(secs => $4::int8 / 1000.0)"
                 " where lane = $1::int2 and ($3::bool or expires_at <= clock_timestamp())"
                 " returning epoch, batch",
                 p);
    if (!taken)
      return tl::unexpected(away(taken.error()));
    if (taken->rows() == 1) {
      pg_lane_options made_options;
      made_options.lane = lane;
      made_options.taken_at = asked_at;
      made_options.epoch = taken->i64(0, 0);
      made_options.last_batch = taken->i64(0, 1);
      p.clear().int2(lane).int8(made_options.last_batch);
      auto last = db.query("select hash from batch where lane = $1::int2 and number = $2::int8", p);
      if (!last)
        return tl::unexpected(away(last.error()));
      if (last->rows() == 1)
        std::ranges::copy(last->bytes(0, 0), made_options.last_hash.begin());
      return made_options;
    }
    if (std::chrono::steady_clock::now() > patience)
      return refuse(errc::conflict, "another server owns this database and keeps its lease");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

std::string namespace_journal() {
  return std::string("select ") + row_columns +
         " from journal where namespace = $1::int4 and customer = 0 order by sequence";
}

customer_key key_at(const pg::result& r, int i, int space, int customer) {
  return {namespace_id(static_cast<std::uint32_t>(r.i32(i, space))),
          customer_id(static_cast<std::uint64_t>(r.i32(i, customer)))};
}

/// The keys of messages, and the parameters that borrow them.
struct message_columns {
  pg::int4_array spaces, customers;
  pg::int8_array sequences;
  pg::int2_array places;
  pg::parameters all;
};

std::vector<pg::statement> reader_statements() {
  const std::string number =
      "(select customer from customer where namespace = $1::int4 and reference = $2::text)";
  const std::string columns = row_columns;
  return {
      {"find", "select customer from customer where namespace = $1::int4 and reference = $2::text"},
      {"snapshot",
       "select sequence, body from snapshot where namespace = $1::int4 and customer = " + number},
      {"segments",
       "select body from key_segment where namespace = $1::int4 and customer = " + number +
           " order by last_sequence"},
      {"rows",
       "select " + columns + " from journal where namespace = $1::int4 and customer = " + number +
           " and sequence > coalesce((select sequence from snapshot where namespace = $1::int4 and "
           "customer = " +
           number + "), 0) - " + std::to_string(exact_keys) +
           " order by namespace, customer, sequence"},
      {"namespace", namespace_journal()},
      {"due",
       "select w.namespace, w.customer, w.due, c.reference from wakeup w join customer c using "
       "(namespace, customer)"
       " where w.shard = $1::int2 and (w.due, w.namespace, w.customer) > ($2::int8, $3::int4, "
       "$4::int4)"
       " order by w.due, w.namespace, w.customer limit $5::int4"},
      {"waiting",
       "select o.namespace, o.customer, o.sequence, o.place, o.topic, o.subject, c.reference"
       " from outbox o join customer c using (namespace, customer)"
       " where o.shard = $1::int2 and o.delivered_at is null order by o.queued_at limit $2::int4"},
      {"delivered",
       "update outbox o set delivered_at = $1::int8"
       " from unnest($2::int4[], $3::int4[], $4::int8[], $5::int2[])"
       " as m(namespace, customer, sequence, place)"
       " where o.namespace = m.namespace and o.customer = m.customer and o.sequence = m.sequence"
       " and o.place = m.place"},
      {"list",
       "select c.customer, c.reference, (select j.sequence from journal j where j.namespace = "
       "c.namespace"
       " and j.customer = c.customer order by j.namespace desc, j.customer desc, j.sequence desc "
       "limit 1)"
       " from customer c where c.namespace = $1::int4 and c.reference > $2::text order by "
       "c.reference limit $3::int4"},
  };
}

} // namespace

pg_store::pg_store(boost::asio::io_context& io, pg_store_options options)
    : options_(std::move(options)),
      // One snapshot for all statements of a read: a customer is loaded as of one moment.
      reader_(io,
              {as_engine(options_.conninfo,
                         "accrue reader",
                         {{"default_transaction_isolation", "repeatable read"}}),
               statements()}) {}

std::vector<pg::statement> pg_store::statements() {
  auto all = reader_statements();
  std::ranges::move(history_statements(), std::back_inserter(all));
  std::ranges::move(quarantine_statements(), std::back_inserter(all));
  return all;
}

result<std::unique_ptr<pg_store>> pg_store::open(boost::asio::io_context& io,
                                                 pg_store_options options,
                                                 reply_sink& replies,
                                                 const lane_events& events,
                                                 const std::function<instant()>& now) {
  auto db = pg::session::open(options.conninfo);
  if (!db)
    return tl::unexpected(away(db.error()));
  if (auto ok = migrate(*db, migrations()); !ok)
    return tl::unexpected(ok.error());
  if (auto ok = prepare_role(*db); !ok)
    return tl::unexpected(ok.error());
  std::unique_ptr<pg_store> made(new pg_store(io, std::move(options)));
  for (std::int16_t n = 0; n < made->options_.lanes; ++n) {
    auto o = take_lane(*db, made->options_, n);
    if (!o)
      return tl::unexpected(o.error());
    o->name = fmt::format("accrue lane {} epoch {}", n, o->epoch);
    o->conninfo = as_engine(made->options_.conninfo, o->name, {{"lock_timeout", "2s"}});
    o->lease = made->options_.lease;
    pass(crash_point::lane_taken);
    made->lanes_.push_back(std::make_unique<pg_lane>(io, std::move(*o), replies, events, now));
  }
  // Lanes that an earlier server had beyond ours: theirs now is over, too.
  auto known = db->query("select lane from lane where lane >= $1::int2",
                         pg::parameters().int2(made->options_.lanes));
  if (!known)
    return tl::unexpected(away(known.error()));
  for (int i = 0; i < known->rows(); ++i)
    if (auto o = take_lane(*db, made->options_, known->i16(i, 0)); !o)
      return tl::unexpected(o.error());
  return made;
}

void pg_store::start() {
  for (auto& l : lanes_)
    l->start();
  reader_.start();
}

void pg_store::stop(const std::function<void()>& done) {
  auto left = std::make_shared<std::size_t>(lanes_.size());
  for (auto& l : lanes_)
    l->stop([this, left, done] {
      if (--*left != 0)
        return;
      reader_.stop();
      done();
    });
}

lane& pg_store::lane_of(std::uint32_t shard) { return *lanes_[shard % lanes_.size()]; }

std::vector<lane*> pg_store::lanes() {
  std::vector<lane*> all;
  for (auto& l : lanes_)
    all.push_back(l.get());
  return all;
}

result<stored_namespace> pg_store::open_namespace(const std::string& reference) {
  auto db = pg::session::open(options_.conninfo);
  if (!db)
    return tl::unexpected(away(db.error()));
  pg::parameters p;
  p.text(reference);
  auto made = db->query("insert into namespace (namespace, reference)"
                        " select (select coalesce(max(namespace), 0) + 1 from namespace), $1::text"
                        " where not exists (select 1 from namespace where reference = $1::text)",
                        p);
  if (made)
    made = db->query("select namespace from namespace where reference = $1::text", p);
  if (!made && made.error().sqlstate == "22003")
    return refuse(errc::overflow, "no namespace number is left in this database", reference);
  if (!made)
    return tl::unexpected(away(made.error()));
  pass(crash_point::namespace_opened);
  stored_namespace found{namespace_id(static_cast<std::uint32_t>(made->i32(0, 0))),
                         {},
                         std::vector<std::uint64_t>(shard_count, 0),
                         {}};
  p.clear().int4(made->i32(0, 0));
  auto rows = db->query(namespace_journal(), p);
  if (!rows)
    return tl::unexpected(away(rows.error()));
  for (int i = 0; i < rows->rows(); ++i)
    found.rows.push_back(row_at(*rows, i));
  auto numbers = db->query(
      "select customer % 64, max(customer) from (select customer from customer where namespace = "
      "$1::int4 union all select customer from quarantine where namespace = $1::int4) as known"
      " group by 1",
      p);
  if (!numbers)
    return tl::unexpected(away(numbers.error()));
  for (int i = 0; i < numbers->rows(); ++i)
    found.last_customer[static_cast<std::size_t>(numbers->i32(i, 0))] =
        static_cast<std::uint64_t>(numbers->i32(i, 1));
  auto held = quarantined(*db, found.number);
  if (!held)
    return tl::unexpected(away(held.error()));
  found.quarantined = std::move(*held);
  return found;
}

void pg_store::load_customer(namespace_id space,
                             std::string reference,
                             stored<stored_customer> done) {
  auto p = std::make_shared<pg::parameters>();
  p->int4(static_cast<std::int32_t>(space.value)).text(reference);
  pass(crash_point::load_asked);
  reader_.read(read_cause::client,
               {{"find", p}, {"snapshot", p}, {"segments", p}, {"rows", p}},
               [reference, done = std::move(done)](result<std::vector<pg::result>> r) {
                 if (!r)
                   return done(tl::unexpected(r.error()));
                 pass(crash_point::load_answered);
                 stored_customer c;
                 c.reference = reference;
                 const auto& [found, snapshot, segments, rows] =
                     std::tie((*r)[0], (*r)[1], (*r)[2], (*r)[3]);
                 if (found.rows() == 1)
                   c.number = customer_id(static_cast<std::uint64_t>(found.i32(0, 0)));
                 const auto copy = [](std::span<const std::byte> b) {
                   return std::vector<std::byte>(b.begin(), b.end());
                 };
                 if (snapshot.rows() == 1)
                   c.snapshot.emplace(sequence(static_cast<std::uint64_t>(snapshot.i64(0, 0))),
                                      copy(snapshot.bytes(0, 1)));
                 for (int i = 0; i < segments.rows(); ++i)
                   c.segments.push_back(copy(segments.bytes(i, 0)));
                 for (int i = 0; i < rows.rows(); ++i)
                   c.rows.push_back(row_at(rows, i));
                 done(std::move(c));
               });
}

void pg_store::wakeups(std::uint32_t shard,
                       wakeup_place after,
                       std::uint32_t limit,
                       stored<std::vector<due_wakeup>> done) {
  auto p = std::make_shared<pg::parameters>();
  p->int2(static_cast<std::int16_t>(shard))
      .int8(after.due.ns)
      .int4(static_cast<std::int32_t>(after.owner.space.value))
      .int4(static_cast<std::int32_t>(after.owner.customer.value))
      .int4(static_cast<std::int32_t>(limit));
  reader_.read(read_cause::engine,
               {{"due", p}},
               [done = std::move(done)](result<std::vector<pg::result>> r) {
                 if (!r)
                   return done(tl::unexpected(r.error()));
                 std::vector<due_wakeup> due;
                 const auto& rows = r->front();
                 for (int i = 0; i < rows.rows(); ++i)
                   due.push_back({key_at(rows, i, 0, 1),
                                  instant{rows.i64(i, 2)},
                                  std::string(rows.text(i, 3))});
                 done(std::move(due));
               });
}

void pg_store::waiting_messages(std::uint32_t shard,
                                std::uint32_t limit,
                                stored<std::vector<waiting_message>> done) {
  auto p = std::make_shared<pg::parameters>();
  p->int2(static_cast<std::int16_t>(shard)).int4(static_cast<std::int32_t>(limit));
  reader_.read(read_cause::engine,
               {{"waiting", p}},
               [done = std::move(done)](result<std::vector<pg::result>> r) {
                 if (!r)
                   return done(tl::unexpected(r.error()));
                 std::vector<waiting_message> waiting;
                 const auto& rows = r->front();
                 for (int i = 0; i < rows.rows(); ++i)
                   waiting.push_back({key_at(rows, i, 0, 1),
                                      sequence(static_cast<std::uint64_t>(rows.i64(i, 2))),
                                      rows.i16(i, 3),
                                      std::string(rows.text(i, 4)),
                                      std::string(rows.text(i, 5)),
                                      std::string(rows.text(i, 6))});
                 done(std::move(waiting));
               });
}

void pg_store::mark_delivered(std::span<const waiting_message> left,
                              instant at,
                              stored<bool> done) {
  const auto p = std::make_shared<message_columns>();
  for (const auto& m : left) {
    p->spaces.push(static_cast<std::int32_t>(m.owner.space.value));
    p->customers.push(static_cast<std::int32_t>(m.owner.customer.value));
    p->sequences.push(static_cast<std::int64_t>(m.sequence.value));
    p->places.push(m.place);
  }
  p->all.int8(at.ns).array(p->spaces).array(p->customers).array(p->sequences).array(p->places);
  reader_.read(read_cause::engine,
               {{"delivered", std::shared_ptr<const pg::parameters>(p, &p->all)}},
               [done = std::move(done)](const result<std::vector<pg::result>>& r) {
                 if (!r)
                   return done(tl::unexpected(r.error()));
                 done(true);
               });
}

void pg_store::load_namespace(namespace_id space, stored<std::vector<stored_row>> done) {
  auto p = std::make_shared<pg::parameters>();
  p->int4(static_cast<std::int32_t>(space.value));
  reader_.read(read_cause::engine,
               {{"namespace", p}},
               [done = std::move(done)](const result<std::vector<pg::result>>& r) {
                 if (!r)
                   return done(tl::unexpected(r.error()));
                 std::vector<stored_row> rows;
                 for (int i = 0; i < r->front().rows(); ++i)
                   rows.push_back(row_at(r->front(), i));
                 done(std::move(rows));
               });
}

void pg_store::list_customers(namespace_id space,
                              std::string after,
                              std::uint32_t limit,
                              stored<std::vector<customer_line>> done) {
  auto p = std::make_shared<pg::parameters>();
  p->int4(static_cast<std::int32_t>(space.value))
      .text(after)
      .int4(static_cast<std::int32_t>(limit));
  reader_.read(read_cause::client,
               {{"list", p}},
               [done = std::move(done)](result<std::vector<pg::result>> r) {
                 if (!r)
                   return done(tl::unexpected(r.error()));
                 std::vector<customer_line> lines;
                 const auto& rows = r->front();
                 for (int i = 0; i < rows.rows(); ++i)
                   lines.push_back({customer_id(static_cast<std::uint64_t>(rows.i32(i, 0))),
                                    std::string(rows.text(i, 1)),
                                    sequence(static_cast<std::uint64_t>(rows.i64(i, 2)))});
                 done(std::move(lines));
               });
}

} // namespace accrue
