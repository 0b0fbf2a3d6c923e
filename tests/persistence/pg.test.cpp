// The PostgreSQL client against a real server: errors by kind, binary parameters and results, pipelines,
// deadlines and lost connections.
#include "persistence/pg.hpp"

#include "tests/support/temporary_database.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch_test_macros.hpp>

#include <optional>

namespace accrue::pg {
namespace {

using namespace std::chrono_literals;
using testing::temporary_database;

std::span<const std::byte> raw(std::string_view text) { return std::as_bytes(std::span(text)); }

pg::uuid uuid_of(std::uint8_t last) {
  pg::uuid out{};
  out[15] = std::byte{last};
  return out;
}

const std::vector<statement> statements{
    {"add", "INSERT INTO item SELECT * FROM unnest($1::int8[], $2::text[])"},
    {"count", "SELECT count(*) FROM item"},
    {"get", "SELECT id, name FROM item WHERE id = $1::int8"},
    {"divide", "SELECT 1 / $1::int4"},
    {"sleep", "SELECT pg_sleep($1::int4)::text"},
    {"echo", "SELECT $1::bytea"},
    {"suicide", "SELECT pg_terminate_backend(pg_backend_pid())"},
};

/// An open connection with the statements above, and the ways to wait for it.
struct open_connection {
  temporary_database there;
  session other = there.session();
  boost::asio::io_context io;
  connection it{io};

  open_connection() {
    REQUIRE(other.execute("CREATE TABLE item (id int8 PRIMARY KEY, name text)"));
    REQUIRE(open(there.conninfo(), statements));
  }
  outcome<void> open(const std::string& conninfo, std::vector<statement> prepared) {
    std::optional<outcome<void>> answer;
    it.async_open(
        conninfo, std::move(prepared), 10s, [&](outcome<void> got) { answer = std::move(got); });
    return wait(answer);
  }
  outcome<std::vector<result>> pipeline(std::vector<call> calls,
                                        std::chrono::milliseconds patience = 10s) {
    std::optional<outcome<std::vector<result>>> answer;
    it.async_pipeline(calls, patience, [&](auto got) { answer = std::move(got); });
    return wait(answer);
  }
  outcome<result>
  query(const char* name, const parameters& arguments, std::chrono::milliseconds patience = 10s) {
    std::optional<outcome<result>> answer;
    it.async_query(name, arguments, patience, [&](auto got) { answer = std::move(got); });
    return wait(answer);
  }
  std::int64_t items() {
    const auto rows = other.query("SELECT count(*) FROM item");
    return rows ? rows->i64(0, 0) : -1;
  }
  template <class T>
  T wait(std::optional<T>& answer) {
    io.restart();
    while (!answer && io.run_one_for(20s) != 0) {
    }
    REQUIRE(answer);
    return std::move(*answer);
  }
};

/// Rows for the statement "add".
struct item_rows {
  int8_array ids;
  text_array names;
  parameters arguments;
  explicit item_rows(std::vector<std::int64_t> from) {
    for (const auto id : from) {
      ids.push(id);
      names.push("item");
    }
    arguments.array(ids).array(names);
  }
};

TEST_CASE("a SQLSTATE says what the caller must do") {
  struct row {
    std::string_view sqlstate;
    failure kind;
  };
  const auto table = {row{"40001", failure::retry},       row{"40P01", failure::retry},
                      row{"57014", failure::retry},       row{"08006", failure::reconnect},
                      row{"57P01", failure::reconnect},   row{"57P03", failure::reconnect},
                      row{"", failure::reconnect},        row{"25006", failure::reconnect},
                      row{"40003", failure::in_doubt},    row{"57P02", failure::reconnect},
                      row{"55P03", failure::retry},       row{"53100", failure::unavailable},
                      row{"53200", failure::unavailable}, row{"53300", failure::unavailable},
                      row{"58030", failure::unavailable}, row{"22012", failure::poison},
                      row{"22003", failure::poison},      row{"23505", failure::poison},
                      row{"23514", failure::poison},      row{"21000", failure::poison},
                      row{"54000", failure::poison},      row{"P0001", failure::poison},
                      row{"P0004", failure::poison},      row{"45000", failure::poison},
                      row{"42501", failure::bug},         row{"XX001", failure::bug},
                      row{"XX002", failure::bug},         row{"42P01", failure::bug},
                      row{"28P01", failure::bug},         row{"XX000", failure::bug}};
  for (const auto& [sqlstate, kind] : table) {
    CAPTURE(sqlstate);
    CHECK(to_string(classify(sqlstate)) == to_string(kind));
  }
}

TEST_CASE("every type of scalar goes out and comes back in binary", "[pg]") {
  const temporary_database there;
  auto database = there.session();
  parameters arguments;
  arguments.int2(-2).int4(-4).int8(INT64_MIN).boolean(true).bytea(raw(std::string_view("\0a", 2)));
  arguments.text("käse").uuid(uuid_of(9)).null().text("");
  const auto rows = database.query("SELECT $1::int2, $2::int4, $3::int8, $4::bool, $5::bytea, "
                                   "$6::text, $7::uuid, $8::int4, $9::text",
                                   arguments);
  REQUIRE(rows);
  CHECK(rows->rows() == 1);
  CHECK(rows->columns() == 9);
  CHECK(rows->i16(0, 0) == -2);
  CHECK(rows->i32(0, 1) == -4);
  CHECK(rows->i64(0, 2) == INT64_MIN);
  CHECK(rows->boolean(0, 3));
  CHECK(rows->text(0, 4) == std::string_view("\0a", 2));
  CHECK(rows->text(0, 5) == "käse");
  CHECK(rows->uuid(0, 6) == uuid_of(9));
  CHECK(rows->is_null(0, 7));
  CHECK_FALSE(rows->is_null(0, 8));
  CHECK(rows->text(0, 8).empty());
}

TEST_CASE("every type of array column is unnested, nulls and empty values apart", "[pg]") {
  const temporary_database there;
  auto database = there.session();
  int2_array small;
  int4_array middle;
  int8_array big;
  uuid_array keys;
  bytea_array bodies;
  text_array names;
  parameters arguments;
  // The second round must not show anything of the first one.
  for (const int rows : {1000, 2}) {
    small.clear(), middle.clear(), big.clear(), keys.clear(), bodies.clear(), names.clear();
    for (int i = 0; i < rows; ++i) {
      small.push(static_cast<std::int16_t>(-i));
      middle.push(i);
      big.push(std::int64_t{i} << 40);
      keys.push(uuid_of(static_cast<std::uint8_t>(i)));
      std::ranges::fill(bodies.push_in_place(static_cast<std::size_t>(i)), std::byte{7});
      names.push("n");
    }
    small.push(0), middle.push(0), big.push_null(), keys.push_null(), bodies.push_null();
    names.push_null();
    arguments.clear().array(small).array(middle).array(big).array(keys).array(bodies).array(names);
    const auto rows_back =
        database.query("SELECT * FROM unnest($1::int2[], $2::int4[], $3::int8[], $4::uuid[], "
                       "$5::bytea[], $6::text[]) WITH ORDINALITY ORDER BY ordinality",
                       arguments);
    REQUIRE(rows_back);
    REQUIRE(rows_back->rows() == rows + 1);
    CHECK(rows_back->i16(rows - 1, 0) == 1 - rows);
    CHECK(rows_back->i32(rows - 1, 1) == rows - 1);
    CHECK(rows_back->i64(rows - 1, 2) == std::int64_t{rows - 1} << 40);
    CHECK(rows_back->uuid(rows - 1, 3) == uuid_of(static_cast<std::uint8_t>(rows - 1)));
    CHECK(rows_back->bytes(rows - 1, 4).size() == static_cast<std::size_t>(rows - 1));
    CHECK_FALSE(rows_back->is_null(0, 4));
    CHECK(rows_back->text(0, 5) == "n");
    for (const int column : {2, 3, 4, 5})
      CHECK(rows_back->is_null(rows, column));
  }
}

TEST_CASE("an empty array column has no rows", "[pg]") {
  const temporary_database there;
  auto database = there.session();
  int8_array none;
  const auto rows = database.query("SELECT * FROM unnest($1::int8[])", parameters{}.array(none));
  REQUIRE(rows);
  CHECK(rows->rows() == 0);
}

TEST_CASE("a pipeline commits all its statements and gives a result for each", "[pg]") {
  open_connection c;
  item_rows rows({1, 2, 3});
  const parameters none;
  const auto answer = c.pipeline({{"add", &rows.arguments}, {"count", &none}});
  REQUIRE(answer);
  REQUIRE(answer->size() == 2);
  CHECK((*answer)[0].command_tuples() == 3);
  CHECK((*answer)[1].i64(0, 0) == 3);
  CHECK(c.items() == 3);
  CHECK(c.it.in_flight() == 0);
}

TEST_CASE("a failing statement undoes its whole pipeline and is the one reported", "[pg]") {
  open_connection c;
  item_rows rows({1, 2});
  const parameters none;
  const parameters zero = std::move(parameters{}.int4(0));
  const auto answer = c.pipeline({{"add", &rows.arguments}, {"divide", &zero}, {"count", &none}});
  REQUIRE_FALSE(answer);
  CHECK(answer.error().kind == failure::poison);
  CHECK(answer.error().sqlstate == "22012");
  CHECK(answer.error().statement == 1);
  CHECK(c.items() == 0);
  CHECK(c.it.is_open());
  CHECK(c.pipeline({{"add", &rows.arguments}}));
  CHECK(c.items() == 2);
}

TEST_CASE("pipelines under way together are separate transactions, answered in order", "[pg]") {
  open_connection c;
  const parameters zero = std::move(parameters{}.int4(0));
  std::string order;
  for (std::int64_t i = 0; i < 200; ++i) {
    item_rows rows({i});
    const std::array<call, 2> good{call{"add", &rows.arguments}, call{"count", &zero}};
    const std::array<call, 2> bad{call{"add", &rows.arguments}, call{"divide", &zero}};
    c.it.async_pipeline(i % 2 == 0 ? std::span(good).first(1) : std::span(bad),
                        10s,
                        [&order](auto answer) { order += answer ? '+' : '-'; });
  }
  CHECK(c.it.in_flight() == 200);
  CHECK(c.query("count", {})->i64(0, 0) == 100);
  std::string expected;
  for (int i = 0; i < 100; ++i)
    expected += "+-";
  CHECK(order == expected);
}

TEST_CASE("big parameters and big answers in flight together do not block each other", "[pg]") {
  open_connection c;
  const std::string big(8 << 20, 'x');
  parameters arguments;
  arguments.bytea(raw(big));
  int whole = 0;
  for (int i = 0; i < 5; ++i)
    c.it.async_query("echo", arguments, 120s, [&](outcome<result> answer) {
      whole += answer && answer->bytes(0, 0).size() == big.size() ? 1 : 0;
    });
  CHECK(c.query("count", {}, 120s));
  CHECK(whole == 5);
}

TEST_CASE("an answer that does not come in time counts as a lost connection", "[pg]") {
  open_connection c;
  std::string lost_text;
  c.it.on_lost([&](error why) { lost_text = why.text; });
  const parameters long_time = std::move(parameters{}.int4(30));
  const auto answer = c.query("sleep", long_time, 50ms);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().kind == failure::reconnect);
  CHECK(answer.error().text.find("in time") != std::string::npos);
  CHECK(lost_text == answer.error().text);
  CHECK_FALSE(c.it.is_open());
  CHECK(c.open(c.there.conninfo(), statements));
  CHECK(c.query("count", {}));
}

TEST_CASE("the deadline of an early pipeline is kept while later ones are sent", "[pg]") {
  open_connection c;
  const parameters long_time = std::move(parameters{}.int4(30));
  int failed = 0;
  c.it.async_query("count", {}, 20s, [](auto) {});
  c.it.async_query("sleep", long_time, 50ms, [&](outcome<result> got) { failed += !got; });
  const auto last = c.query("count", {}, 20s);
  REQUIRE_FALSE(last);
  CHECK(failed == 1);
}

TEST_CASE("a backend that ends in the middle fails everything in flight with reconnect", "[pg]") {
  open_connection c;
  std::vector<failure> kinds;
  const auto note = [&](outcome<result> got) {
    kinds.push_back(got ? failure::bug : got.error().kind);
  };
  c.it.async_query("suicide", {}, 10s, note);
  c.it.async_query("count", {}, 10s, note);
  const auto last = c.query("count", {});
  REQUIRE_FALSE(last);
  // Its own word (57P01) may be lost: it leaves with requests unread, and that resets the socket.
  CHECK(last.error().kind == failure::reconnect);
  CHECK(kinds == std::vector{failure::reconnect, failure::reconnect});
}

TEST_CASE("an idle connection that is lost says so", "[pg]") {
  open_connection c;
  std::optional<error> why;
  c.it.on_lost([&](error told) { why = std::move(told); });
  REQUIRE(c.it.backend_pid() > 0);
  REQUIRE(
      c.other.execute("SELECT pg_terminate_backend(" + std::to_string(c.it.backend_pid()) + ")"));
  CHECK(c.wait(why).kind == failure::reconnect);
  CHECK_FALSE(c.it.is_open());
  const auto refused = c.query("count", {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == failure::reconnect);
}

TEST_CASE("closing fails what is in flight and does not count as a loss", "[pg]") {
  open_connection c;
  bool lost = false;
  std::optional<outcome<result>> answer;
  c.it.on_lost([&](const error&) { lost = true; });
  c.it.async_query("count", {}, 10s, [&](auto got) { answer = std::move(got); });
  c.it.close();
  CHECK_FALSE(answer);
  CHECK_FALSE(c.wait(answer));
  CHECK_FALSE(lost);
}

TEST_CASE("a completion may close or destroy the connection it came from", "[pg]") {
  open_connection c;
  auto doomed = std::make_unique<connection>(c.io);
  std::optional<bool> done;
  doomed->async_open(c.there.conninfo(), statements, 10s, [&](outcome<void> opened) {
    REQUIRE(opened);
    doomed->async_query("count", {}, 10s, [&](auto) {
      doomed.reset();
      done = true;
    });
    doomed->async_query("count", {}, 10s, [&](auto) { done = false; });
  });
  CHECK(c.wait(done));
  CHECK(c.query("count", {}));
}

TEST_CASE("a connection that is destroyed drops its completions", "[pg]") {
  open_connection c;
  bool called = false;
  {
    connection doomed(c.io);
    doomed.async_open(c.there.conninfo(), {}, 10s, [&](auto) { called = true; });
  }
  CHECK(c.query("count", {}));
  CHECK_FALSE(called);
}

TEST_CASE("opening fails with the server's words", "[pg]") {
  open_connection c;
  const auto no_server = c.open("host=/nonexistent dbname=none", {});
  REQUIRE_FALSE(no_server);
  CHECK(no_server.error().kind == failure::reconnect);
  const auto no_database = c.open(c.there.conninfo() + "_missing", {});
  REQUIRE_FALSE(no_database);
  CHECK(no_database.error().text.find("does not exist") != std::string::npos);
  const auto no_table = c.open(c.there.conninfo(), {{"bad", "SELECT * FROM missing"}});
  REQUIRE_FALSE(no_table);
  CHECK(no_table.error().kind == failure::bug);
  CHECK(no_table.error().sqlstate == "42P01");
  CHECK_FALSE(c.it.is_open());
  CHECK(c.open(c.there.conninfo(), statements));
}

TEST_CASE("settings are added to a connection string of either form, and what it says stays") {
  const std::vector<setting> defaults{{"keepalives_idle", "10"}};
  const std::vector<setting> forced{{"application_name", "it's ours"}};
  const std::vector<setting> session{{"role", "engine"}, {"isolation", "repeatable read"}};
  CHECK(with_settings("host=/run dbname=a", defaults, {}, {}) ==
        "dbname='a' host='/run' keepalives_idle='10'");
  CHECK(with_settings("keepalives_idle=5", defaults, {}, {}) == "keepalives_idle='5'");
  CHECK(with_settings("postgresql://u@h:7/a?application_name=theirs", {}, forced, {}) ==
        R"(application_name='it\'s ours' dbname='a' host='h' port='7' user='u')");
  CHECK(with_settings("options='-c a=b'", {}, {}, session) ==
        R"(options='-c a=b -c role=engine -c isolation=repeatable\\ read')");
  CHECK(with_settings("no such thing", defaults, {}, {}) == "no such thing");
}

TEST_CASE("big reads are streamed, within a transaction of the caller or their own", "[pg]") {
  const temporary_database there;
  auto database = there.session();
  const parameters upto = std::move(parameters{}.int4(12'345));
  const std::string sql = "SELECT i::int8 FROM generate_series(1, $1::int4) i";
  std::int64_t sum = 0;
  const auto add = [&](const result& rows, int row) {
    sum += rows.i64(row, 0);
    return true;
  };
  REQUIRE(database.for_each_row(sql, upto, add));
  CHECK(sum == std::int64_t{12'345} * 12'346 / 2);
  REQUIRE(database.execute("BEGIN"));
  int seen = 0;
  REQUIRE(database.for_each_row(sql, upto, [&](const result&, int) { return ++seen < 10; }));
  REQUIRE(database.for_each_row(sql, upto, [&](const result&, int) { return ++seen < 20; }));
  CHECK(seen == 20);
  REQUIRE(database.execute("COMMIT"));
  CHECK_FALSE(database.for_each_row("SELECT 1 / $1::int4", std::move(parameters{}.int4(0)), add));
  CHECK(database.execute("SELECT 1"));
}

TEST_CASE("rows are copied in, after other statements of the same transaction", "[pg]") {
  const temporary_database there;
  auto database = there.session();
  REQUIRE(database.execute("CREATE TABLE t (id int PRIMARY KEY)"));
  const auto copied =
      database.copy_in("INSERT INTO t VALUES (0); COPY t FROM STDIN", raw("1\n2\n"));
  REQUIRE(copied);
  CHECK(*copied == 2);
  CHECK_FALSE(database.copy_in("INSERT INTO t VALUES (9); COPY t FROM STDIN", raw("5\n1\n")));
  CHECK(database.execute("SELECT count(*) FROM t")->text(0, 0) == "3");
}

} // namespace
} // namespace accrue::pg
