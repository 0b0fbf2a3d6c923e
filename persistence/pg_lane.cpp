// The life of a batch: taken, sent as one pipelined transaction, landed or sorted out. See pg_lane.hpp
// for what is promised and batch_parameters.cpp for the SQL.
#include "persistence/pg_lane.hpp"

#include "persistence/crash_point.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace accrue {
namespace {

constexpr auto backoff_max = std::chrono::milliseconds(250);

std::int64_t to_ns(std::chrono::steady_clock::time_point t) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(t.time_since_epoch()).count();
}

} // namespace

pg_lane::pg_lane(boost::asio::io_context& io,
                 pg_lane_options options,
                 reply_sink& replies,
                 lane_events events,
                 std::function<instant()> now)
    : lane(replies, std::move(events)), io_(io), options_(std::move(options)), now_(std::move(now)),
      connection_(io), pause_(io), lease_timer_(io), patience_timer_(io), stop_timer_(io) {}

bool pg_lane::owns() const noexcept {
  return to_ns(clock::now()) < lease_until_ns_.load(std::memory_order_relaxed);
}

std::chrono::nanoseconds pg_lane::lease_left() const noexcept {
  return std::chrono::nanoseconds(lease_until_ns_.load(std::memory_order_relaxed) -
                                  to_ns(clock::now()));
}

void pg_lane::lease_extended(clock::time_point asked_at) noexcept {
  lease_until_ns_.store(to_ns(asked_at + options_.lease), std::memory_order_relaxed);
}

void pg_lane::start() {
  lease_extended(options_.taken_at);
  busy_since_ = clock::now();
  open();
  renew_lease();
}

void pg_lane::wake_up() {
  boost::asio::post(io_, [this] {
    if (mode_ == mode::idle)
      work();
  });
}

// Availability is told to those who decide commands, and each change of it to the owner.
void pg_lane::becomes_available() {
  if (!available() && events_.moved)
    events_.moved(true, {});
  set_available(true);
}

void pg_lane::becomes_unavailable(const std::string& why) {
  if (available() && events_.moved)
    events_.moved(false, why);
  set_available(false);
}

std::chrono::milliseconds pg_lane::patience() const noexcept {
  return std::min(options_.lease, options_.patience);
}

// One timer that looks now and then, instead of one a batch. Nobody is to wait behind a database that
// does not answer: new commands are refused until it does.
void pg_lane::watch_patience() {
  if (std::exchange(watching_, true))
    return;
  patience_timer_.expires_at(busy_since_ + patience());
  patience_timer_.async_wait([this](const boost::system::error_code& error) {
    watching_ = false;
    if (error || mode_ == mode::stopped || mode_ == mode::fenced ||
        (mode_ == mode::idle && !renewing_))
      return;
    if (clock::now() < busy_since_ + patience())
      return watch_patience();
    becomes_unavailable("the database does not answer");
  });
}

void pg_lane::open() {
  if (mode_ == mode::idle)
    busy_since_ = clock::now();
  mode_ = mode::connecting;
  watch_patience();
  auto statements = batch_parameters::statements();
  statements.push_back(
      {"fence",
       "with u as (update lane set batch = $1::int8,"
       " expires_at = clock_timestamp() + make_interval(secs => $4::int8 / 1000.0)"
       " where lane = $2::int2 and epoch = $3::int8 and batch = $1::int8 - 1 returning 1)"
       " select 1 / count(*) from u"});
  statements.push_back({"batch_row",
                        "insert into batch (lane, number, epoch, rows, hash)"
                        " values ($1::int2, $2::int8, $3::int8, $4::int4, $5::bytea)"});
  statements.push_back(
      {"lease",
       "update lane set expires_at = clock_timestamp() + make_interval(secs => $3::int8 / 1000.0)"
       " where lane = $1::int2 and epoch = $2::int8"});
  statements.push_back({"release",
                        "update lane set expires_at = clock_timestamp()"
                        " where lane = $1::int2 and epoch = $2::int8"});
  // Also extends the lease, and waits for the row's lock: a backend that is still at it ends first.
  statements.push_back(
      {"landed",
       "update lane set expires_at = clock_timestamp() + make_interval(secs => $3::int8 / 1000.0)"
       " where lane = $1::int2 and epoch = $2::int8 returning batch"});
  // As who the connection was opened: the engine's role may not end backends.
  statements.push_back({"opener", "select set_config('role', 'none', true)"});
  statements.push_back({"end_former",
                        "select pid, pg_terminate_backend(pid) from pg_stat_activity"
                        " where application_name = $1::text and datname = current_database()"
                        " and usename = session_user and pid <> pg_backend_pid()"});
  connection_.async_open(options_.conninfo,
                         std::move(statements),
                         std::chrono::seconds(5),
                         [this](const pg::outcome<void>& ok) { opened(ok); });
}

void pg_lane::opened(const pg::outcome<void>& ok) {
  if (mode_ == mode::stopped)
    return;
  if (!ok) {
    becomes_unavailable(ok.error().text);
    held_up(ok.error());
    return retry_after(backoff_, [this] { open(); });
  }
  backend_ = connection_.backend_pid();
  connection_.on_lost([this](const pg::error&) {
    if (mode_ == mode::idle)
      open();
  });
  end_former_backends();
  ask_what_landed();
}

// A backend of a lost connection may be at its batch still, or hang and never let go of the lane's row.
// What it is told takes effect before it reads another statement.
void pg_lane::end_former_backends() {
  former_backends_.clear();
  former_parameters_.clear().text(options_.name);
  const pg::parameters none;
  const std::array<pg::call, 2> calls{{{"opener", &none}, {"end_former", &former_parameters_}}};
  connection_.async_pipeline(
      calls, options_.statement_timeout, [this](const pg::outcome<std::vector<pg::result>>& r) {
        for (int i = 0; r && i < r->back().rows(); ++i)
          former_backends_.push_back(r->back().i32(i, 0));
      });
}

// Either a former backend keeps the lane's row, or the database answers nobody any more: one of its
// processes may stand still with a lock inside it, for which nothing but a recovery helps. The end of any
// backend by force leads to one.
void pg_lane::held_up(const pg::error& why) {
  if (!events_.held_up)
    return;
  if (why.sqlstate == "55P03")
    for (const auto backend : former_backends_)
      events_.held_up(backend);
  else if (why.late && backend_ != 0)
    events_.held_up(std::exchange(backend_, 0));
}

// After a lost connection the lane row tells whether the batch in flight is in.
void pg_lane::ask_what_landed() {
  lease_parameters_.clear().int2(options_.lane).int8(options_.epoch).int8(options_.lease.count());
  connection_.async_query("landed",
                          lease_parameters_,
                          options_.statement_timeout,
                          [this, asked_at = clock::now()](const pg::outcome<pg::result>& row) {
                            if (mode_ != mode::stopped)
                              told_what_landed(row, asked_at);
                          });
  if (batch_in_flight_)
    pass(crash_point::landing_asked);
}

void pg_lane::told_what_landed(const pg::outcome<pg::result>& row, clock::time_point asked_at) {
  if (!row) {
    becomes_unavailable(row.error().text);
    held_up(row.error());
    connection_.close();
    return retry_after(backoff_, [this] { open(); });
  }
  if (batch_in_flight_)
    pass(crash_point::landing_known);
  if (row->rows() != 1)
    return fence("another server has taken the shards over");
  lease_extended(asked_at);
  backoff_ = std::chrono::milliseconds(50);
  const auto last = row->i64(0, 0);
  if (batch_in_flight_ && last == options_.last_batch + 1)
    return landed();
  if (last != options_.last_batch)
    return fence("the lane row does not know this server's batches");
  if (batch_in_flight_)
    return send(parts_.empty() ? batch_ : parts_.front());
  becomes_available();
  mode_ = mode::idle;
  work();
}

// Takes the next batch, if any. Replies without rows need no SQL: all before them is durable.
void pg_lane::work() {
  while (take(batch_)) {
    if (batch_.writes_nothing()) {
      release(batch_, now_());
      continue;
    }
    pass(crash_point::batch_taken);
    std::ranges::sort(batch_.journal, [](const journal_row& a, const journal_row& b) {
      return std::tie(a.owner, a.sequence) < std::tie(b.owner, b.sequence);
    });
    busy_since_ = clock::now();
    send(batch_);
    return;
  }
  mode_ = mode::idle;
  if (stopped_)
    finish_stop();
}

void pg_lane::send(unit_batch& rows) {
  mode_ = mode::committing;
  batch_in_flight_ = true;
  const auto number = options_.last_batch + 1;
  const auto count = static_cast<std::int32_t>(rows.journal.size());
  pending_hash_ = chain_batch(options_.last_hash,
                              options_.lane,
                              number,
                              options_.epoch,
                              count,
                              digest_of_rows(rows.journal));
  parameters_.encode(rows, options_.lane, number);
  fence_parameters_.clear()
      .int8(number)
      .int2(options_.lane)
      .int8(options_.epoch)
      .int8(options_.lease.count());
  batch_row_.clear()
      .int2(options_.lane)
      .int8(number)
      .int8(options_.epoch)
      .int4(count)
      .bytea(pending_hash_);
  std::vector<pg::call> calls{{"fence", &fence_parameters_}, {"batch_row", &batch_row_}};
  parameters_.append_calls(rows, calls);
  pass(crash_point::batch_encoded);
  sent_at_ = clock::now();
  watch_patience();
  connection_.async_pipeline(
      calls, options_.statement_timeout, [this](pg::outcome<std::vector<pg::result>> answer) {
        if (mode_ != mode::stopped)
          answered(std::move(answer));
      });
  pass(crash_point::batch_sent);
}

void pg_lane::answered(pg::outcome<std::vector<pg::result>> answer) {
  if (!answer)
    return failed(answer.error());
  lease_extended(sent_at_);
  pass(crash_point::batch_committed);
  landed();
}

void pg_lane::landed() {
  options_.last_batch += 1;
  options_.last_hash = pending_hash_;
  batch_in_flight_ = false;
  busy_since_ = clock::now();
  becomes_available();
  backoff_ = std::chrono::milliseconds(50);
  {
    const std::lock_guard lock(mutex_);
    ++counts_.batches;
    counts_.units += parts_.empty() ? batch_.journal.size() : parts_.front().journal.size();
  }
  if (halving_) {
    parts_.pop_front();
    pass(crash_point::part_committed);
    return next_part();
  }
  release(batch_, now_());
  work();
}

void pg_lane::failed(const pg::error& e) {
  const bool at_fence = e.statement == 0 && e.sqlstate == "22012";
  // Taken over, or a batch of ours landed after its answer was given up: the lane row tells.
  if (at_fence)
    return ask_what_landed();
  switch (e.kind) {
  case pg::failure::retry: {
    {
      const std::lock_guard lock(mutex_);
      ++counts_.retries;
    }
    return retry_after(backoff_, [this] { ask_what_landed(); });
  }
  case pg::failure::reconnect:
  case pg::failure::in_doubt: {
    {
      const std::lock_guard lock(mutex_);
      ++counts_.reconnects;
    }
    becomes_unavailable(e.text);
    connection_.close();
    return retry_after(backoff_, [this] { open(); });
  }
  case pg::failure::unavailable:
    becomes_unavailable(e.text);
    return retry_after(backoff_, [this] {
      if (connection_.is_open())
        ask_what_landed();
      else
        open();
    });
  case pg::failure::poison:
    // The fence and the batch row are nobody's data; what fails there is no customer's fault.
    if (e.statement >= 2)
      return halve(e.text);
    [[fallthrough]];
  case pg::failure::bug:
    becomes_unavailable(e.text);
    if (events_.troubled)
      events_.troubled(e.text);
    return retry_after(backoff_, [this] {
      if (connection_.is_open())
        ask_what_landed();
      else
        open();
    });
  }
}

void pg_lane::retry_after(std::chrono::milliseconds pause, std::function<void()> what) {
  mode_ = mode::waiting;
  if (stopped_ && !available())
    return finish_stop();
  expire(batch_, now_());
  expire_filling(now_());
  backoff_ = std::min(backoff_ * 2, backoff_max);
  pause_.expires_after(pause);
  pause_.async_wait([this, what = std::move(what)](const boost::system::error_code& error) {
    if (!error && mode_ == mode::waiting)
      what();
  });
}

void pg_lane::fence(const std::string& why) {
  if (mode_ == mode::fenced)
    return;
  mode_ = mode::fenced;
  becomes_unavailable(why);
  lease_until_ns_.store(0, std::memory_order_relaxed);
  release(batch_, now_());
  if (events_.fenced)
    events_.fenced(why);
  if (stopped_)
    finish_stop();
}

// Beside any batch. A lane that was taken over is fenced, and `then` does not run.
void pg_lane::extend_lease(std::function<void(const pg::error*)> then) {
  renewing_ = true;
  lease_parameters_.clear().int2(options_.lane).int8(options_.epoch).int8(options_.lease.count());
  connection_.async_query(
      "lease",
      lease_parameters_,
      options_.statement_timeout,
      [this, asked_at = clock::now(), then = std::move(then)](pg::outcome<pg::result> r) {
        renewing_ = false;
        if (mode_ == mode::stopped)
          return;
        if (!r)
          return then(&r.error());
        if (r->command_tuples() == 0)
          return fence("another server has taken the shards over");
        lease_extended(asked_at);
        then(nullptr);
      });
}

// Batches extend the lease by themselves; this does it for a quiet lane.
void pg_lane::renew_lease() {
  lease_timer_.expires_after(options_.lease / 4);
  lease_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || mode_ == mode::stopped || mode_ == mode::fenced)
      return;
    renew_lease();
    // A commit that hangs must not keep those who wait behind it past their deadlines.
    if (mode_ != mode::idle) {
      expire(batch_, now_());
      expire_filling(now_());
    }
    if (mode_ != mode::idle || !connection_.is_open() || renewing_)
      return;
    busy_since_ = clock::now();
    watch_patience();
    extend_lease([this](const pg::error* refused) {
      if (refused != nullptr)
        return; // the next batch meets it, too
      if (mode_ == mode::idle)
        becomes_available();
      pass(crash_point::renewal_done);
    });
    pass(crash_point::renewal_sent);
  });
}

void pg_lane::stop(std::function<void()> done) {
  boost::asio::post(io_, [this, done = std::move(done)]() mutable {
    stopped_ = std::move(done);
    if (mode_ == mode::idle)
      return work();
    // Who stops does not wait for a store that is away, nor for long for one that does not answer.
    if (mode_ != mode::committing)
      return finish_stop();
    stop_timer_.expires_after(options_.patience_at_stop);
    stop_timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error)
        finish_stop();
    });
  });
}

void pg_lane::finish_stop() {
  if (mode_ == mode::stopped)
    return;
  lease_timer_.cancel();
  patience_timer_.cancel();
  stop_timer_.cancel();
  pause_.cancel();
  const bool give_back = mode_ == mode::idle && connection_.is_open();
  mode_ = mode::stopped;
  const auto end = [this](auto&&...) {
    connection_.close();
    if (auto done = std::exchange(stopped_, nullptr))
      done();
  };
  pass(crash_point::stop_flushed);
  if (!give_back)
    return end();
  lease_parameters_.clear().int2(options_.lane).int8(options_.epoch);
  connection_.async_query("release",
                          lease_parameters_,
                          std::chrono::seconds(2),
                          [end](pg::outcome<pg::result>) { end(); });
}

} // namespace accrue
