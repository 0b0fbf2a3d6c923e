// Batches on their way to PostgreSQL, and the way back. See scenario_postgres.hpp.
#include "apps/accrue/scenario_postgres.hpp"

#include "persistence/embedded_cluster.hpp"
#include "persistence/pg_store.hpp"
#include "persistence/verify.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <future>
#include <thread>

namespace accrue::cli {

namespace {

/// Replies are the simulation's: this database only keeps rows.
class no_replies final : public reply_sink {
  void deliver(reply_address, std::string_view) override {}
  void refuse(reply_address, std::uint64_t, std::uint32_t, const refusal&) override {}
};

customer_key owner_at(const pg::result& rows, int row) {
  return {namespace_id(static_cast<std::uint32_t>(rows.i32(row, 0))),
          customer_id(static_cast<std::uint64_t>(rows.i32(row, 1)))};
}

digest hash_at(const pg::result& rows, int row, int column) {
  const auto b = rows.bytes(row, column);
  digest d{};
  ENSURE(b.size() == d.size());
  std::ranges::copy(b, d.begin());
  return d;
}

std::vector<std::byte> bytes_at(const pg::result& rows, int row, int column) {
  const auto b = rows.bytes(row, column);
  return {b.begin(), b.end()};
}

} // namespace

struct scenario_postgres::parts {
  std::filesystem::path directory; ///< of the private cluster; empty: none
  std::optional<embedded_cluster> cluster;
  std::string conninfo;
  no_replies replies;
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  std::unique_ptr<pg_store> store;
  std::thread io_thread;
  int scenarios = 0;

  void keep(const unit_batch& batch);
  void load(namespace_id space, memory_database& db) const;
  void query(const std::string& sql,
             namespace_id space,
             const std::function<void(const pg::result&, int)>& row) const;
};

// The real writer takes the rows; until they are durable the simulation stands still.
void scenario_postgres::parts::keep(const unit_batch& batch) {
  const auto places = batch.places();
  ENSURE(!places.empty());
  const auto life =
      batch.journal.empty() ? batch.snapshots.front().life : batch.journal.front().life;
  auto kept = std::make_shared<std::promise<bool>>();
  auto durable = kept->get_future();
  store->lane_of(0).append([&](unit_batch& b) {
    b.add_rows(batch);
    b.follow_ups.push_back(
        {places.back().owner, life, places.back().unit, [kept](bool ok) { kept->set_value(ok); }});
  });
  ENSURE(durable.wait_for(std::chrono::seconds(30)) == std::future_status::ready && durable.get());
}

void scenario_postgres::parts::query(const std::string& sql,
                                     namespace_id space,
                                     const std::function<void(const pg::result&, int)>& row) const {
  auto db = pg::session::open(conninfo);
  ENSURE(db.has_value());
  pg::parameters p;
  p.int4(static_cast<std::int32_t>(space.value));
  const auto rows = db->query(sql, p);
  ENSURE(rows.has_value());
  for (int i = 0; i < rows->rows(); ++i)
    row(*rows, i);
}

// What a scenario's namespace holds, as rows of the memory store; the lane's own state is its own.
void scenario_postgres::parts::load(namespace_id space, memory_database& db) const {
  db.customers.clear();
  db.numbers.clear();
  const auto of = [&](const pg::result& r, int i) -> auto& { return db.customers[owner_at(r, i)]; };
  query("select namespace, customer, reference from customer where namespace = $1",
        space,
        [&](const pg::result& r, int i) {
          of(r, i).reference = r.text(i, 2);
          db.numbers[{space, std::string(r.text(i, 2))}] = owner_at(r, i).customer;
        });
  query(
      "select namespace, customer, sequence, at, kind, key, content, hash, body from journal where "
      "namespace = $1 order by customer, sequence",
      space,
      [&](const pg::result& r, int i) {
        const auto number = static_cast<std::uint64_t>(r.i64(i, 2));
        of(r, i).journal.emplace(number,
                                 stored_row{sequence(number),
                                            {r.i64(i, 3)},
                                            r.i16(i, 4),
                                            r.uuid(i, 5),
                                            r.uuid(i, 6),
                                            hash_at(r, i, 7),
                                            bytes_at(r, i, 8)});
      });
  query("select namespace, customer, sequence, body from snapshot where namespace = $1",
        space,
        [&](const pg::result& r, int i) {
          of(r, i).snapshot.emplace(sequence(static_cast<std::uint64_t>(r.i64(i, 2))),
                                    bytes_at(r, i, 3));
        });
  query("select namespace, customer, last_sequence, body from key_segment where namespace = $1",
        space,
        [&](const pg::result& r, int i) {
          of(r, i).segments[static_cast<std::uint64_t>(r.i64(i, 2))] = bytes_at(r, i, 3);
        });
  query("select namespace, customer, last_sequence, sums, items from statement_block where "
        "namespace = $1",
        space,
        [&](const pg::result& r, int i) {
          of(r, i).blocks[static_cast<std::uint64_t>(r.i64(i, 2))] = {bytes_at(r, i, 3),
                                                                      bytes_at(r, i, 4)};
        });
  const auto objects = [&](const std::string& from, auto member) {
    query("select namespace, customer, number, " + from + " where namespace = $1",
          space,
          [&](const pg::result& r, int i) {
            (of(r, i).*member)[static_cast<std::uint32_t>(r.i32(i, 2))] = {
                std::string(r.text(i, 3)), bytes_at(r, i, 4), std::string(r.text(i, 5))};
          });
  };
  objects("reference, body, status from charge", &memory_database::customer_rows::charges);
  objects("name, body, status from invoice", &memory_database::customer_rows::invoices);
  query("select namespace, customer, due from wakeup where namespace = $1",
        space,
        [&](const pg::result& r, int i) { of(r, i).wakeup = instant{r.i64(i, 2)}; });
}

scenario_postgres::scenario_postgres(std::unique_ptr<parts> it) noexcept : it_(std::move(it)) {}

scenario_postgres::~scenario_postgres() {
  if (it_->store)
    it_->store->stop([this] { it_->work.reset(); });
  if (it_->io_thread.joinable())
    it_->io_thread.join();
  it_->store.reset();
  it_->cluster.reset();
  std::error_code ignored;
  if (!it_->directory.empty())
    std::filesystem::remove_all(it_->directory, ignored);
}

result<std::unique_ptr<scenario_postgres>> scenario_postgres::open(const std::string& url) {
  auto made = std::unique_ptr<scenario_postgres>(new scenario_postgres(std::make_unique<parts>()));
  auto& it = *made->it_;
  it.conninfo = url;
  if (url.empty()) {
    it.directory =
        std::filesystem::temp_directory_path() / ("accrue-simulate-" + std::to_string(::getpid()));
    cluster_settings settings;
    settings.directory = it.directory;
    settings.outlives_owner = false;
    auto started = embedded_cluster::start(settings);
    if (!started)
      return tl::unexpected(started.error());
    it.conninfo = started->conninfo();
    it.cluster.emplace(std::move(*started));
  }
  pg_store_options options;
  options.conninfo = it.conninfo;
  options.owner = "accrue simulate " + std::to_string(::getpid());
  options.take_over = url.empty();
  lane_events events;
  events.discarded = [](const customer_key&, std::uint32_t, sequence, const std::string&) {};
  events.troubled = [](const std::string&) {};
  events.fenced = [](const std::string&) {};
  events.held_up = [](int) {};
  events.moved = [](bool, const std::string&) {};
  const auto wall_clock = [] {
    return instant{std::chrono::duration_cast<std::chrono::nanoseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count()};
  };
  auto store = pg_store::open(it.io, options, it.replies, events, wall_clock);
  if (!store)
    return tl::unexpected(store.error());
  it.store = std::move(*store);
  it.store->start();
  it.io_thread = std::thread([&it] { it.io.run(); });
  return made;
}

result<simulation_options> scenario_postgres::fresh() {
  auto& it = *it_;
  const auto space =
      "scenario-" + std::to_string(::getpid()) + "-" + std::to_string(++it.scenarios);
  const auto made = it.store->open_namespace(space);
  if (!made)
    return tl::unexpected(made.error());
  simulation_options options;
  options.space = space;
  options.prepare = [this, space, number = made->number](memory_database& db) {
    db.namespaces[space] = number;
    db.mirror = [this](const unit_batch& batch) { it_->keep(batch); };
    it_->load(number, db);
  };
  return options;
}

std::string scenario_postgres::verify() {
  auto db = pg::session::open(it_->conninfo);
  if (!db)
    return db.error().text;
  const auto seen = accrue::verify(*db);
  if (!seen)
    return seen.error().text;
  return seen->clean() ? "" : seen->findings.front().where + ": " + seen->findings.front().text;
}

} // namespace accrue::cli
