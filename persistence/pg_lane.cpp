// The life of a batch: taken, sent as one pipelined transaction, landed or sorted out. See pg_lane.hpp
// for what is promised and batch_parameters.cpp for the SQL.
#include "persistence/pg_lane.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace accrue {
namespace {

constexpr auto backoff_max = std::chrono::milliseconds(1000);

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
      connection_(io), pause_(io), lease_timer_(io) {}

bool pg_lane::owns() const noexcept {
  return to_ns(clock::now()) < lease_until_ns_.load(std::memory_order_relaxed);
}

void pg_lane::lease_extended(clock::time_point asked_at) noexcept {
  lease_until_ns_.store(to_ns(asked_at + options_.lease), std::memory_order_relaxed);
}

void pg_lane::start() {
  lease_extended(options_.taken_at);
  open();
  renew_lease();
}

void pg_lane::wake_up() {
  boost::asio::post(io_, [this] {
    if (mode_ == mode::idle)
      work();
  });
}

void pg_lane::open() {
  mode_ = mode::connecting;
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
  statements.push_back(
      {"landed", "select epoch, batch from lane where lane = $1::int2 for update"});
  connection_.async_open(options_.conninfo,
                         std::move(statements),
                         std::chrono::seconds(5),
                         [this](const pg::outcome<void>& ok) { opened(ok); });
}

void pg_lane::opened(const pg::outcome<void>& ok) {
  if (mode_ == mode::stopped)
    return;
  if (!ok) {
    set_available(false);
    expire(batch_, now_());
    retry_after(backoff_, [this] { open(); });
    return;
  }
  connection_.on_lost([this](const pg::error&) {
    if (mode_ == mode::idle)
      open();
  });
  ask_what_landed();
}

// After a lost connection the lane row tells whether the batch in flight is in; waiting for its row
// lock, so that a backend that is still at it has ended first.
void pg_lane::ask_what_landed() {
  lease_parameters_.clear().int2(options_.lane);
  connection_.async_query(
      "landed", lease_parameters_, options_.statement_timeout, [this](pg::outcome<pg::result> row) {
        if (mode_ == mode::stopped)
          return;
        if (!row) {
          connection_.close();
          retry_after(backoff_, [this] { open(); });
          return;
        }
        if (row->rows() != 1 || row->i64(0, 0) != options_.epoch)
          return fence("another server has taken the shards over");
        backoff_ = std::chrono::milliseconds(50);
        const auto last = row->i64(0, 1);
        if (batch_in_flight_ && last == options_.last_batch + 1)
          return landed();
        if (last != options_.last_batch)
          return fence("the lane row does not know this server's batches");
        if (batch_in_flight_)
          return send(parts_.empty() ? batch_ : parts_.front());
        set_available(true);
        mode_ = mode::idle;
        work();
      });
}

// Takes the next batch, if any. Replies without rows need no SQL: all before them is durable.
void pg_lane::work() {
  while (take(batch_)) {
    if (batch_.writes_nothing()) {
      release(batch_, now_());
      continue;
    }
    std::ranges::sort(batch_.journal, [](const journal_row& a, const journal_row& b) {
      return std::tie(a.owner, a.sequence) < std::tie(b.owner, b.sequence);
    });
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
  sent_at_ = clock::now();
  connection_.async_pipeline(
      calls, options_.statement_timeout, [this](pg::outcome<std::vector<pg::result>> answer) {
        if (mode_ != mode::stopped)
          answered(std::move(answer));
      });
}

void pg_lane::answered(pg::outcome<std::vector<pg::result>> answer) {
  if (!answer)
    return failed(answer.error());
  lease_extended(sent_at_);
  landed();
}

void pg_lane::landed() {
  options_.last_batch += 1;
  options_.last_hash = pending_hash_;
  batch_in_flight_ = false;
  set_available(true);
  backoff_ = std::chrono::milliseconds(50);
  {
    const std::lock_guard lock(mutex_);
    ++counts_.batches;
    counts_.units += parts_.empty() ? batch_.journal.size() : parts_.front().journal.size();
  }
  if (halving_) {
    parts_.pop_front();
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
    set_available(false);
    connection_.close();
    return retry_after(backoff_, [this] { open(); });
  }
  case pg::failure::unavailable:
    set_available(false);
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
    set_available(false);
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

// One unit of the batch cannot be stored. Its customers are split until one is left; that one is
// discarded and the others go on. Nothing of the batch is in, so the order within a customer holds.
void pg_lane::halve(const std::string& why) {
  batch_in_flight_ = false;
  auto part = halving_ ? std::move(parts_.front())
                       : batch_.rows_of([](const customer_key&) { return true; });
  if (halving_)
    parts_.pop_front();
  halving_ = true;
  std::vector<customer_key> owners;
  for (const auto& r : part.journal)
    if (owners.empty() || owners.back() != r.owner)
      owners.push_back(r.owner);
  for (const auto& r : part.snapshots)
    if (std::ranges::find(owners, r.owner) == owners.end())
      owners.push_back(r.owner);
  std::ranges::sort(owners);
  if (owners.size() <= 1) {
    if (!owners.empty()) {
      std::uint32_t life = 0;
      for (const auto& r : part.journal)
        life = std::max(life, r.life);
      for (const auto& r : batch_.replies)
        if (r.owner == owners.front())
          life = std::max(life, r.life);
      discard(owners.front(), life, why);
    }
    return next_part();
  }
  const auto middle = owners[owners.size() / 2];
  parts_.push_front(part.rows_of([&](const customer_key& k) { return k >= middle; }));
  parts_.push_front(part.rows_of([&](const customer_key& k) { return k < middle; }));
  next_part();
}

void pg_lane::next_part() {
  while (!parts_.empty() && parts_.front().writes_nothing())
    parts_.pop_front();
  if (!parts_.empty())
    return send(parts_.front());
  halving_ = false;
  release(batch_, now_());
  work();
}

void pg_lane::retry_after(std::chrono::milliseconds pause, std::function<void()> what) {
  mode_ = mode::waiting;
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
  set_available(false);
  lease_until_ns_.store(0, std::memory_order_relaxed);
  release(batch_, now_());
  if (events_.fenced)
    events_.fenced(why);
  if (stopped_)
    finish_stop();
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
    if (mode_ != mode::idle || !connection_.is_open())
      return;
    const auto asked_at = clock::now();
    lease_parameters_.clear().int2(options_.lane).int8(options_.epoch).int8(options_.lease.count());
    connection_.async_query("lease",
                            lease_parameters_,
                            options_.statement_timeout,
                            [this, asked_at](pg::outcome<pg::result> r) {
                              if (!r || mode_ == mode::stopped)
                                return;
                              if (r->command_tuples() == 0)
                                return fence("another server has taken the shards over");
                              lease_extended(asked_at);
                            });
  });
}

void pg_lane::stop(std::function<void()> done) {
  boost::asio::post(io_, [this, done = std::move(done)]() mutable {
    stopped_ = std::move(done);
    if (mode_ == mode::idle)
      work();
    else if (mode_ == mode::fenced || mode_ == mode::connecting || mode_ == mode::waiting)
      finish_stop();
  });
}

void pg_lane::finish_stop() {
  lease_timer_.cancel();
  pause_.cancel();
  const bool give_back = mode_ == mode::idle && connection_.is_open();
  mode_ = mode::stopped;
  const auto end = [this](auto&&...) {
    connection_.close();
    if (auto done = std::exchange(stopped_, nullptr))
      done();
  };
  if (!give_back)
    return end();
  lease_parameters_.clear().int2(options_.lane).int8(options_.epoch);
  connection_.async_query("release",
                          lease_parameters_,
                          std::chrono::seconds(2),
                          [end](pg::outcome<pg::result>) { end(); });
}

} // namespace accrue
