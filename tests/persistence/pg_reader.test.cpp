// The connection that reads: its limit, its second try, and a database that hangs or is away.
#include "persistence/pg_reader.hpp"

#include "tests/support/temporary_database.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <catch2/catch_test_macros.hpp>

#include <filesystem>

namespace accrue {
namespace {

using namespace std::chrono_literals;
using testing::temporary_database;

/// A reader and what it answered.
struct reading {
  temporary_database there;
  pg::session other = there.session();
  boost::asio::io_context io;
  pg_reader it;
  std::vector<std::optional<errc>> answers; ///< none: rows came
  std::string why;                          ///< of the last refusal

  explicit reading(pg_reader_options options = {}) : it(io, with_statements(options)) {}

  pg_reader_options with_statements(pg_reader_options options) const {
    if (options.conninfo.empty())
      options.conninfo = there.conninfo();
    options.statements = {{"one", "select 1"}, {"sleep", "select pg_sleep($1::int4)::text"}};
    return options;
  }
  void read(read_cause cause = read_cause::client) { ask("one", {}, cause); }
  void sleep(std::int32_t seconds) {
    pg::parameters p;
    p.int4(seconds);
    ask("sleep", std::move(p), read_cause::client);
  }
  void ask(const char* name, pg::parameters p, read_cause cause) {
    it.read(cause,
            {{name, std::make_shared<const pg::parameters>(std::move(p))}},
            [this](const result<std::vector<pg::result>>& r) {
              answers.push_back(r ? std::nullopt : std::optional(r.error().code));
              if (!r)
                why = r.error().text;
            });
  }
  void wait(std::size_t count) {
    io.restart();
    while (answers.size() < count && io.run_one_for(20s) != 0) {
    }
    REQUIRE(answers.size() == count);
  }
  void end_backends() {
    REQUIRE(other.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname ="
                          " current_database() and pid <> pg_backend_pid()"));
  }
  static constexpr std::optional<errc> rows = std::nullopt;
};

TEST_CASE("reads that come before the connection is there wait for it", "[pg]") {
  reading r;
  r.it.start();
  r.read();
  r.wait(1);
  CHECK(r.answers.front() == reading::rows);
}

TEST_CASE("above the limit a client's read is refused at once, the engine's never", "[pg]") {
  reading r({.client_reads_max = 2});
  r.it.start();
  for (int i = 0; i < 3; ++i)
    r.read();
  r.read(read_cause::engine);
  r.wait(4);
  // The refusal overtakes: the others wait for the connection.
  CHECK(r.answers == std::vector<std::optional<errc>>{
                         errc::overloaded, reading::rows, reading::rows, reading::rows});
  r.read(); // the limit is of what is under way
  r.wait(5);
  CHECK(r.answers.back() == reading::rows);
}

TEST_CASE("a lost connection is opened again; reads under way and new ones go over to it", "[pg]") {
  reading r;
  r.it.start();
  r.read();
  r.wait(1);
  r.end_backends();
  r.read();
  r.read();
  r.wait(3);
  CHECK(r.answers == std::vector<std::optional<errc>>(3, reading::rows));
}

TEST_CASE("an attempt to connect that fails at once is repeated before reads are refused", "[pg]") {
  reading r;
  const auto setting = [&](const std::string& name) {
    return std::string(r.other.query("select current_setting('" + name + "')")->text(0, 0));
  };
  // Who connects first is hung up on; from then on the database stands in that place.
  namespace fs = std::filesystem;
  using local = boost::asio::local::stream_protocol;
  const testing::temporary_directory place;
  fs::create_directories(place.path());
  const auto name = ".s.PGSQL." + setting("port");
  local::acceptor first(r.io, local::endpoint((place.path() / name).string()));
  first.async_accept([&](const boost::system::error_code&, const local::socket&) {
    fs::remove(place.path() / name);
    fs::create_symlink(fs::path(setting("unix_socket_directories")) / name, place.path() / name);
  });
  pg_reader late(
      r.io, r.with_statements({.conninfo = r.there.conninfo() + " host=" + place.path().string()}));
  late.start();
  late.read(read_cause::client,
            {{"one", std::make_shared<const pg::parameters>()}},
            [&](const result<std::vector<pg::result>>& got) {
              r.answers.push_back(got ? std::nullopt : std::optional(got.error().code));
            });
  r.wait(1);
  CHECK(fs::is_symlink(place.path() / name));
  CHECK(r.answers.front() == reading::rows);
}

TEST_CASE("while a read has no answer for long, others are refused at once", "[pg]") {
  reading r({.timeout = 10s, .patience = 0ms});
  r.it.start();
  r.read();
  r.wait(1);
  r.sleep(30);
  r.read(); // taken, or refused where the clock has moved on: then nothing new to learn
  while (r.answers.size() < 2) {
    r.read();
    r.io.restart();
    r.io.poll();
  }
  CHECK(r.answers.back() == errc::storage_unavailable);
}

TEST_CASE("a read ends at its timeout, second try and all", "[pg]") {
  reading r({.timeout = 100ms, .patience = 10s});
  r.it.start();
  r.read();
  r.wait(1);
  r.sleep(30);
  r.wait(2);
  CHECK(r.answers.back() == errc::storage_unavailable);
  CHECK(r.why != "the store is away; try again"); // told at once, not by the next connection
  // The next connection may take longer than one read has time.
  for (std::size_t n = 3; r.answers.back() != reading::rows && n < 100; ++n) {
    r.read();
    r.wait(n);
  }
  CHECK(r.answers.back() == reading::rows);
}

TEST_CASE("while the database is away reads are refused, and after a stop as well", "[pg]") {
  reading r({.conninfo = "host=/nonexistent"});
  r.it.start();
  r.read();
  r.wait(1);
  CHECK(r.answers.back() == errc::storage_unavailable);
  r.it.stop();
  r.read();
  r.wait(2);
  CHECK(r.answers.back() == errc::storage_unavailable);
}

} // namespace
} // namespace accrue
