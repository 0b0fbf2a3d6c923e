// How migrations are applied, checked and refused, against a real database and with lists made here.
#include "persistence/migrate.hpp"

#include "tests/support/temporary_database.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <future>

namespace accrue {
namespace {

using testing::temporary_database;

constexpr migration first{1, "things", "CREATE TABLE thing (id int); INSERT INTO thing VALUES (1)"};
constexpr migration second{2, "colour", "ALTER TABLE thing ADD COLUMN colour text DEFAULT 'red'"};
constexpr migration broken_one{3, "broken", "CREATE TABLE half (id int); SELECT 1/0"};
constexpr std::array up_to_first{first};
constexpr std::array up_to_second{first, second};
constexpr std::array with_broken{first, second, broken_one};

std::string one_value(pg::session& database, const std::string& sql) {
  const auto rows = database.execute(sql);
  return rows && rows->rows() == 1 ? std::string(rows->text(0, 0)) : "no single row";
}

TEST_CASE("migrations are applied in order, once", "[pg]") {
  const temporary_database there;
  auto database = there.session();
  auto report = migrate(database, up_to_first);
  REQUIRE(report);
  CHECK((report->version == 1 && report->applied == 1));
  report = migrate(database, up_to_second);
  REQUIRE(report);
  CHECK((report->version == 2 && report->applied == 1));
  report = migrate(database, up_to_second);
  REQUIRE(report);
  CHECK((report->version == 2 && report->applied == 0));
  CHECK(one_value(database, "SELECT colour FROM thing") == "red");
  CHECK(one_value(database, "SELECT count(*) FROM accrue_migration") == "2");
}

TEST_CASE("no migrations at all is version 0", "[pg]") {
  const temporary_database there;
  auto database = there.session();
  const auto report = migrate(database, {});
  REQUIRE(report);
  CHECK(report->version == 0);
}

TEST_CASE("a failing migration leaves nothing of itself and keeps the earlier ones", "[pg]") {
  const temporary_database there;
  auto database = there.session();
  const auto report = migrate(database, with_broken);
  REQUIRE_FALSE(report);
  CHECK(report.error().code == errc::internal);
  CHECK(report.error().text.find("0003_broken") != std::string::npos);
  CHECK(report.error().text.find("division by zero") != std::string::npos);
  CHECK(one_value(database, "SELECT to_regclass('half') IS NULL") == "t");
  CHECK(one_value(database, "SELECT max(number) FROM accrue_migration") == "2");
}

TEST_CASE("an edited migration is refused", "[pg]") {
  const temporary_database there;
  auto database = there.session();
  REQUIRE(migrate(database, up_to_first));
  constexpr std::array edited{migration{1, "things", "CREATE TABLE thing (id bigint)"}};
  const auto report = migrate(database, edited);
  REQUIRE_FALSE(report);
  CHECK(report.error().code == errc::conflict);
  CHECK(report.error().subject == "0001_things");
  CHECK(report.error().text.find("was changed after") != std::string::npos);
}

TEST_CASE("a database of a newer version is refused", "[pg]") {
  const temporary_database there;
  auto database = there.session();
  REQUIRE(migrate(database, up_to_second));
  const auto report = migrate(database, up_to_first);
  REQUIRE_FALSE(report);
  CHECK(report.error().code == errc::conflict);
  CHECK(report.error().subject == "0002_colour");
}

TEST_CASE("a gap in the numbers of the database is refused", "[pg]") {
  const temporary_database there;
  auto database = there.session();
  constexpr std::array only_second{second};
  REQUIRE(database.execute("CREATE TABLE thing (id int)"));
  REQUIRE(migrate(database, only_second));
  const auto report = migrate(database, up_to_second);
  REQUIRE_FALSE(report);
  CHECK(report.error().code == errc::conflict);
  CHECK(report.error().subject == "0001_things");
}

TEST_CASE("servers that start together apply each migration once", "[pg]") {
  const temporary_database there;
  const auto start = [&there] {
    auto database = there.session();
    const auto report = migrate(database, up_to_second);
    return report ? report->applied : -1;
  };
  auto other = std::async(std::launch::async, start);
  const int here = start();
  const int elsewhere = other.get();
  CHECK(here >= 0);
  CHECK(elsewhere >= 0);
  CHECK(here + elsewhere == 2);
}

TEST_CASE("a checksum is the SHA-256 of the text") {
  CHECK(checksum({1, "x", "abc"}) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

} // namespace
} // namespace accrue
