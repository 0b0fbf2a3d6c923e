// Quarantine in PostgreSQL: what is noted is read at the next start, and only the owner of the shards may
// note it. Who gets there is the engine's: tests/actors/quarantine.test.cpp.
#include "persistence/pg_store.hpp"
#include "tests/support/temporary_database.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;

namespace {

class no_replies final : public reply_sink {
  void deliver(reply_address, std::string_view) override {}
  void refuse(reply_address, std::uint64_t, std::uint32_t, const refusal&) override {}
};

} // namespace

TEST_CASE("a quarantine is what was noted, until the owner takes it off", "[pg][quarantine]") {
  const temporary_database there;
  boost::asio::io_context io;
  no_replies replies;
  const auto open = [&](bool take_over) {
    pg_store_options o;
    o.conninfo = there.conninfo();
    o.take_over = take_over;
    auto made = pg_store::open(io, o, replies, {}, [] { return instant{}; });
    REQUIRE(made);
    (*made)->start();
    return std::move(*made);
  };
  const auto answer = [&](auto&& ask) {
    std::optional<result<void>> told;
    ask([&](result<void> r) { told = std::move(r); });
    while (!told)
      io.run_one();
    return *told;
  };
  const auto first = open(false);
  const auto space = first->open_namespace("default")->number;
  const customer_key acme{space, customer_id(64)};
  const quarantine one{
      "acme", instant{7}, quarantine_kind::store_refused, "gold, \"no\"", sequence(3)};
  const quarantine other{"acme", instant{8}, quarantine_kind::corrupt_state, "hash", sequence(0)};
  const auto put = [&](store& s, const quarantine& q) {
    return answer([&](auto done) { s.put_quarantine(acme, q, done); });
  };
  const auto drop = [&](store& s, const quarantine& q) {
    return answer([&](auto done) { s.drop_quarantine(acme, q.since, done); });
  };
  CHECK(put(*first, one));
  CHECK(put(*first, other));
  const auto second = open(true);
  const auto found = second->open_namespace("default");
  REQUIRE(found);
  REQUIRE(found->quarantined.size() == 1);
  CHECK(found->quarantined.front().owner == acme);
  CHECK(found->quarantined.front().what == other);
  // Its number is taken, though it is stored nowhere else.
  CHECK(found->last_customer.at(0) == 64);

  CHECK(put(*first, one).error().code == errc::not_owner);
  CHECK(drop(*first, other).error().code == errc::not_owner);
  CHECK(second->open_namespace("default")->quarantined.front().what == other);
  CHECK(drop(*second, one)); // an earlier one's, left behind
  CHECK(second->open_namespace("default")->quarantined.front().what == other);
  CHECK(drop(*second, other));
  CHECK(drop(*second, other));
  CHECK(second->open_namespace("default")->quarantined.empty());
}
