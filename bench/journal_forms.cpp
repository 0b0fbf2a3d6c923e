// Measures forms of the journal on a private durable cluster: body type, key order, write method, key
// index, chain, fingerprint size. One connection, one batch under way while the next one is filled.
// Nothing of the engine takes part; docs/decisions/0001-journal-form.md tells what was chosen.
#include "bench/journal_rows.hpp"
#include "persistence/digest.hpp"
#include "persistence/embedded_cluster.hpp"
#include "persistence/pg.hpp"

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <map>
#include <optional>

namespace {

using namespace accrue;
using namespace accrue::bench;
using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

constexpr std::string_view columns =
    "(namespace, customer, seq, at, batch, lane, kind, key, content, hash, body)";

std::vector<form> forms() {
  std::vector<form> out(11);
  out[1].name = "postings as bigint[]";
  out[1].array_body = true;
  out[2].name = "PK (customer, seq, namespace)";
  out[2].keys = key_order::customer_first;
  out[3].name = "index (namespace, customer), no PK";
  out[3].keys = key_order::plain_index;
  out[4].name = "COPY BINARY";
  out[4].copy = true;
  out[5].name = "+ unique (namespace, customer, key)";
  out[5].key_index = true;
  out[6].name = "no chain (hash empty)";
  out[6].chain = false;
  out[7].name = "content of 8 bytes";
  out[7].short_content = true;
  out[8].name = "PK (customer, seq)";
  out[8].keys = key_order::customer_only;
  out[9].name = "customer as int4";
  out[9].narrow_customer = true;
  out[10].name = "+ CHECKs of sequence and hash length";
  out[10].checks = true;
  return out;
}

template <class T, class E>
T must(tl::expected<T, E> outcome) {
  if (!outcome) {
    fmt::print(stderr, "journal_forms: {}\n", outcome.error().text);
    std::exit(1);
  }
  return std::move(*outcome);
}

/// The columns from wide to narrow, so that none is padded.
std::string schema(const form& how) {
  std::string out = fmt::format(
      "DROP TABLE IF EXISTS journal, lane, journal_batch;"
      "CREATE TABLE journal ({} seq int8 NOT NULL, at int8 NOT NULL,"
      " batch int8 NOT NULL, {} namespace int4 NOT NULL, {} lane int2 NOT NULL, kind int2 NOT NULL,"
      " key uuid NOT NULL, {} hash bytea NOT NULL, body {} NOT NULL);"
      "CREATE TABLE lane (lane int2 PRIMARY KEY, epoch int8 NOT NULL, batch int8 NOT NULL)"
      " WITH (fillfactor = 10);"
      "INSERT INTO lane VALUES ({}, {}, 0);"
      "CREATE TABLE journal_batch (lane int2, number int8, rows int4 NOT NULL,"
      " hash bytea NOT NULL, PRIMARY KEY (lane, number));",
      how.narrow_customer ? "" : "customer int8 NOT NULL,",
      how.short_content ? "content int8 NOT NULL," : "",
      how.narrow_customer ? "customer int4 NOT NULL," : "",
      how.short_content ? "" : "content uuid NOT NULL,",
      how.array_body ? "int8[]" : "bytea",
      lane,
      epoch);
  switch (how.keys) {
  case key_order::namespace_first:
    out += "ALTER TABLE journal ADD PRIMARY KEY (namespace, customer, seq);";
    break;
  case key_order::customer_first:
    out += "ALTER TABLE journal ADD PRIMARY KEY (customer, seq, namespace);";
    break;
  case key_order::customer_only:
    out += "ALTER TABLE journal ADD PRIMARY KEY (customer, seq);";
    break;
  case key_order::plain_index:
    out += "CREATE INDEX ON journal (namespace, customer);";
    break;
  }
  if (how.checks)
    out += "ALTER TABLE journal ADD CHECK (seq > 0), ADD CHECK (octet_length(hash) = 32);";
  if (how.key_index)
    out += "CREATE UNIQUE INDEX ON journal (namespace, customer, key);";
  return out;
}

std::vector<pg::statement> statements(const form& how) {
  const std::string body = how.array_body ? "($13::int8[])[u.lo:u.hi]" : "u.body";
  const std::string arrays =
      fmt::format("$1::int4[], $2::{}[], $3::int8[], $4::int8[], $7::int2[],"
                  " $8::uuid[], $9::{}[], $10::bytea[], {}",
                  how.narrow_customer ? "int4" : "int8",
                  how.short_content ? "int8" : "uuid",
                  how.array_body ? "$11::int4[], $12::int4[]" : "$11::bytea[]");
  return {{"check",
           "WITH u AS (UPDATE lane SET batch = $1::int8 WHERE lane = $2::int2 AND epoch = $3::int8"
           " AND batch = $1::int8 - 1 RETURNING 1) SELECT 1 / count(*) FROM u"},
          {"insert",
           fmt::format(
               "INSERT INTO journal {} SELECT u.ns, u.customer, u.seq, u.at, $5::int8, $6::int2,"
               " u.kind, u.key, u.content, u.hash, {} FROM unnest({}) AS"
               " u(ns, customer, seq, at, kind, key, content, hash, {})",
               columns,
               body,
               arrays,
               how.array_body ? "lo, hi" : "body")},
          {"note", "INSERT INTO journal_batch VALUES ($1::int2, $2::int8, $3::int4, $4::bytea)"}};
}

/// Commits batches through the pipelined connection.
class unnest_writer {
public:
  unnest_writer(const std::string& conninfo, const form& how) {
    connection_.async_open(conninfo, statements(how), 10s, [this](pg::outcome<void> opened) {
      must(opened.map([] { return true; }));
      done_ = true;
    });
    wait();
  }
  void begin(batch& it) {
    const std::array<pg::call, 3> calls{
        {{"check", &it.check}, {"insert", &it.insert}, {"note", &it.note}}};
    done_ = false;
    connection_.async_pipeline(calls, 30s, [this](auto answer) {
      must(std::move(answer));
      done_ = true;
    });
  }
  void wait() {
    while (!done_)
      io_.run_one();
  }

private:
  boost::asio::io_context io_;
  pg::connection connection_{io_};
  bool done_ = false;
};

/// Commits batches by COPY in one multi-statement query, on a thread of its own because it blocks.
class copy_writer {
public:
  explicit copy_writer(const std::string& conninfo) : session_(must(pg::session::open(conninfo))) {}
  void begin(batch& it) {
    under_way_ = std::async(std::launch::async, [this, &it] {
      const std::string sql =
          fmt::format("WITH u AS (UPDATE lane SET batch = {0} WHERE lane = {1} AND epoch = {2} AND "
                      "batch = {0} - 1"
                      " RETURNING 1) SELECT 1 / count(*) FROM u;"
                      "INSERT INTO journal_batch VALUES ({1}, {0}, {3}, '\\x{4}');"
                      "COPY journal {5} FROM STDIN (FORMAT binary)",
                      it.number,
                      lane,
                      epoch,
                      it.rows,
                      to_hex(it.hash),
                      columns);
      must(session_.copy_in(sql, {it.copied.data(), it.copied.size()}));
    });
  }
  void wait() { under_way_.get(); }

private:
  pg::session session_;
  std::future<void> under_way_;
};

struct options {
  std::chrono::milliseconds warm_up = 1s;
  std::chrono::milliseconds timed = 3s;
  int runs = 3;
  std::vector<int> batch_rows{250, 1000};
  std::size_t from = 0; ///< index of the first form beside the baseline
};

struct figures {
  double per_second = 0;
  double client_us = 0; ///< CPU of this process a command: encoding, hashing, libpq
  double batch_ms = 0;
  double disk_bytes = 0;
  double wal_bytes = 0;
};

std::int64_t number(pg::session& database, const std::string& sql) {
  return must(database.query(sql)).i64(0, 0);
}

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

template <class Writer>
figures drive(Writer& writer, pg::session& admin, const form& how, int rows, const options& opt) {
  const std::string wal_now = "SELECT (pg_current_wal_lsn() - '0/0')::int8";
  row_source source(how.chain);
  std::array<batch, 2> batches;
  std::int64_t sent = 0;
  digest previous{};
  const auto run_for = [&](std::chrono::milliseconds time) {
    const auto until = clock_type::now() + time;
    std::int64_t done = 0;
    batches[0].fill(how, source, ++sent, rows, previous);
    for (std::size_t at = 0;; at ^= 1) {
      writer.begin(batches[at]);
      previous = batches[at].hash;
      ++done;
      const bool last = clock_type::now() >= until;
      if (!last)
        batches[at ^ 1].fill(how, source, ++sent, rows, previous);
      writer.wait();
      if (last)
        return done;
    }
  };
  run_for(opt.warm_up);
  const auto wal_before = number(admin, wal_now);
  const double cpu_before = cpu_seconds();
  const auto start = clock_type::now();
  const std::int64_t done = run_for(opt.timed);
  const double seconds = std::chrono::duration<double>(clock_type::now() - start).count();
  const double count = static_cast<double>(done * rows);
  figures out;
  out.per_second = count / seconds;
  out.client_us = (cpu_seconds() - cpu_before) * 1e6 / count;
  out.batch_ms = seconds * 1e3 / static_cast<double>(done);
  out.wal_bytes = static_cast<double>(number(admin, wal_now) - wal_before) / count;
  must(admin.execute("VACUUM journal"));
  const auto stored = number(admin, "SELECT count(*) FROM journal");
  if (stored != sent * rows) {
    fmt::print(stderr, "journal_forms: {} rows stored of {} sent\n", stored, sent * rows);
    std::exit(1);
  }
  out.disk_bytes = static_cast<double>(number(admin, "SELECT pg_total_relation_size('journal')")) /
                   static_cast<double>(stored);
  return out;
}

figures measure(const embedded_cluster& cluster, const form& how, int rows, const options& opt) {
  auto admin = must(pg::session::open(cluster.conninfo()));
  must(admin.execute(schema(how)));
  must(admin.execute("CHECKPOINT"));
  if (how.copy) {
    copy_writer writer(cluster.conninfo());
    return drive(writer, admin, how, rows, opt);
  }
  unnest_writer writer(cluster.conninfo() + " options='-c plan_cache_mode=force_generic_plan'",
                       how);
  return drive(writer, admin, how, rows, opt);
}

figures median(std::vector<figures> runs) {
  figures out;
  for (double figures::*member : {&figures::per_second,
                                  &figures::client_us,
                                  &figures::batch_ms,
                                  &figures::disk_bytes,
                                  &figures::wal_bytes}) {
    std::ranges::sort(runs, {}, member);
    out.*member = runs[runs.size() / 2].*member;
  }
  return out;
}

} // namespace

/// journal_forms [--quick | --from N]: prints a table in Markdown. Five minutes; --quick: ten seconds;
/// --from N: the first form and those from number N on.
int main(int argc, char** argv) {
  options opt;
  if (argc > 1 && std::string_view(argv[1]) == "--quick")
    opt = {200ms, 500ms, 1, {250}};
  if (argc > 2 && std::string_view(argv[1]) == "--from")
    opt.from = std::strtoul(argv[2], nullptr, 10);
  cluster_settings settings;
  settings.directory =
      std::filesystem::temp_directory_path() / fmt::format("accrue-journal-forms-{}", ::getpid());
  settings.outlives_owner = false;
  {
    const auto cluster = must(embedded_cluster::start(settings));
    std::map<std::pair<int, std::size_t>, std::vector<figures>> all;
    const auto every = forms();
    // Round by round, so that a slow minute of the machine does not fall on one form alone.
    for (int run = 0; run < opt.runs; ++run)
      for (const int rows : opt.batch_rows)
        for (std::size_t i = 0; i < every.size();
             i = i == 0 ? std::max<std::size_t>(1, opt.from) : i + 1)
          all[{rows, i}].push_back(measure(cluster, every[i], rows, opt));
    fmt::print("| form | rows a batch | commands/s | lowest-highest | ms a batch | client us | "
               "disk B | WAL B |\n|---|---|---|---|---|---|---|---|\n");
    for (auto& [which, runs] : all) {
      const figures mid = median(runs);
      const auto [low, high] = std::ranges::minmax(runs, {}, &figures::per_second);
      fmt::print("| {} | {} | {:.0f} | {:.0f}-{:.0f} | {:.2f} | {:.2f} | {:.0f} | {:.0f} |\n",
                 every[which.second].name,
                 which.first,
                 mid.per_second,
                 low.per_second,
                 high.per_second,
                 mid.batch_ms,
                 mid.client_us,
                 mid.disk_bytes,
                 mid.wal_bytes);
    }
  }
  std::error_code ignored;
  std::filesystem::remove_all(settings.directory, ignored);
}
