// Questions about the past through the engine in virtual time: blocks that are stored, missing, or not what they
// should be. The answers themselves are the domain's tests.
#include "tests/actors/virtual_clients.hpp"

#include <catch2/generators/catch_generators.hpp>

using namespace accrue;
using namespace accrue::testing;

namespace {

constexpr std::uint64_t block_units = 8;
constexpr int jobs = 60;

/// A customer with 100 USD that uses 1 a minute, sixty times: 62 units in blocks of 8, and 6 that are in none.
class long_history : public virtual_engine {
public:
  long_history() : virtual_engine(blocks_of_eight()) {
    ok("acme", command::put_customer{});
    ok("acme", credit("g", "100"));
    for (int n = 0; n < jobs; ++n) {
      advance(plus_ns(now(), minute_ns));
      ok("acme", consume("job-" + std::to_string(n), "1"));
    }
  }

  reply::transactions page(command::list_transactions q = {}) {
    return std::get<reply::transactions>(ok("acme", q).body);
  }
  int128 settled_at(instant t) {
    command::get_balance q;
    q.as_of = t;
    return std::get<reply::balances>(ok("acme", q).body).items.at(0).settled;
  }
  /// All rows, twenty a page.
  std::vector<reply::transactions::row> all_rows() {
    std::vector<reply::transactions::row> all;
    command::list_transactions q;
    do {
      auto p = page(q);
      all.insert(all.end(), p.rows.begin(), p.rows.end());
      q.after = p.next;
    } while (!q.after.empty());
    return all;
  }
  memory_database::customer_rows& stored() {
    auto& db = database();
    return db.customers.at({namespace_id(1), db.numbers.at({namespace_id(1), "acme"})});
  }
  /// How many reads of the store this takes.
  template <class Ask>
  std::uint64_t reads_of(Ask ask) {
    const auto before = database().reads;
    ask();
    return database().reads - before;
  }

private:
  static constexpr std::int64_t minute_ns = 60'000'000'000;
  static simulation_options blocks_of_eight() {
    simulation_options o;
    o.limits.snapshot_every = block_units;
    return o;
  }
};

} // namespace

TEST_CASE("the past is told from blocks", "[simulation][statement][D35]") {
  long_history e;
  CHECK(e.stored().blocks.size() == 7);
  const auto rows = e.all_rows();
  REQUIRE(rows.size() == jobs + 1);
  for (std::size_t i = 0; i < jobs; ++i) {
    CHECK(rows[i].reference == "job-" + std::to_string(jobs - 1 - i));
    CHECK(rows[i].after == 10000 - 100 * (jobs - static_cast<int>(i)));
  }
  CHECK(rows.back().reference == "g");
  // Half an hour of it: thirty jobs.
  CHECK(e.settled_at(plus_ns(e.now(), -30LL * 60'000'000'000)) == 7000);
  CHECK(e.settled_at(at("2025-12-31")) == 0);
  CHECK(e.verify().empty());
}

TEST_CASE("an answer about the past takes few reads, however long it is",
          "[simulation][statement][D35]") {
  long_history e;
  const auto middle = plus_ns(e.now(), -27LL * 60'000'000'000); // within a block
  // The sums, one block; for a page of twenty rows, which three blocks have, also its units.
  CHECK(e.reads_of([&] { e.settled_at(middle); }) == 2);
  command::list_transactions q;
  q.as_of = middle;
  CHECK(e.reads_of([&] { e.page(q); }) <= 4);
  // The sums say where the grant is, and the other blocks are none of it.
  q = {};
  q.type = command::row_type::funded;
  CHECK(e.reads_of([&] { CHECK(e.page(q).rows.at(0).reference == "g"); }) == 2);
  q.type = command::row_type::voided;
  CHECK(e.reads_of([&] { CHECK(e.page(q).rows.empty()); }) == 1);
}

TEST_CASE("what is in no block yet takes no read of blocks", "[simulation][statement]") {
  virtual_engine e;
  e.ok("acme", command::put_customer{});
  e.ok("acme", credit("g", "100"));
  e.advance(at("2026-01-02"));
  e.ok("acme", consume("u", "40"));
  const auto before = e.database().reads;
  command::get_balance q;
  q.as_of = at("2026-01-01T12:00:00Z");
  CHECK(std::get<reply::balances>(e.ok("acme", q).body).items.at(0).settled == 10000);
  CHECK(e.database().reads == before);
  (void)e.ok("acme", command::list_transactions{});
  CHECK(e.database().reads == before + 1); // the units that rows name
}

TEST_CASE("blocks that are missing are made again", "[simulation][statement]") {
  long_history e;
  const auto rows = e.all_rows();
  const auto blocks = e.stored().blocks;
  const auto spoil = GENERATE(0, 1, 2, 3, 4);
  CAPTURE(spoil);
  switch (spoil) {
  case 0:
    e.stored().blocks.clear();
    break;
  case 1:
    e.stored().blocks.erase(e.stored().blocks.begin());
    break;
  case 2:
    e.stored().blocks.erase(std::prev(e.stored().blocks.end()));
    break;
  case 3:
    for (auto it = e.stored().blocks.begin(); it != e.stored().blocks.end();)
      it = it->first % 16 == 0 ? e.stored().blocks.erase(it) : std::next(it);
    break;
  default:
    e.stored().blocks.at(16).sums = {std::byte{77}};
  }
  CHECK(e.all_rows() == rows);
  CHECK(e.verify().empty());
  CHECK(e.stored().blocks.size() == 7);
  for (const auto& [through, block] : blocks) {
    CHECK(e.stored().blocks.at(through).sums == block.sums);
    CHECK(e.stored().blocks.at(through).items == block.items);
  }
  e.crash();
  CHECK(e.all_rows() == rows);
}

TEST_CASE("a block that is not its sums is not told from, and stops nobody",
          "[simulation][statement]") {
  long_history e;
  const auto good = e.stored().blocks.at(16).items;
  auto& items = e.stored().blocks.at(16).items;
  const auto spoil = GENERATE(0, 1, 2, 3);
  if (spoil == 0)
    items.back() ^= std::byte{2}; // another amount
  else if (spoil == 1)
    items.clear();
  else if (spoil == 2)
    items = {std::byte{2}};
  else
    items.insert(items.end(), good.begin(), good.end());
  command::list_transactions q;
  q.as_of = plus_ns(e.now(), -50LL * 60'000'000'000); // ten jobs, of which the block has some
  CHECK(e.refused("acme", q) == errc::internal);
  CHECK_FALSE(e.verify().empty());
  CHECK(e.settled("acme") == "40.00");
  e.ok("acme", consume("more", "1"));
  e.stored().blocks.at(16).items = good;
  CHECK(e.page(q).rows.size() == 11);
}

TEST_CASE("a question about the past is answered as of the unit it was asked at",
          "[simulation][statement]") {
  long_history e;
  const auto asked = e.send("acme", command::list_transactions{});
  for (int n = 0; n < 20; ++n)
    e.send("acme", consume("later-" + std::to_string(n), "1"));
  e.settle();
  const auto page = std::get<reply::transactions>(e.receipt(asked).body);
  CHECK(page.rows.at(0).reference == "job-59");
  CHECK(e.receipt(asked).sequence == sequence(jobs + 2));
}

TEST_CASE("a read that fails refuses the question and nothing else", "[simulation][statement]") {
  long_history e;
  for (std::uint32_t n = 1; n <= 3; ++n) {
    CAPTURE(n);
    command::list_transactions q;
    q.as_of = plus_ns(e.now(), -30LL * 60'000'000'000);
    const auto before = e.database().reads;
    const auto request = e.send("acme", q);
    while (e.database().reads < before + n - 1)
      REQUIRE(e.step());
    e.database().failing_reads = 1; // the n-th
    e.settle();
    CHECK(e.refusal_of(request) == errc::storage_unavailable);
    e.database().failing_reads = 0;
    CHECK(e.page(q).rows.size() == 20);
  }
}

TEST_CASE("a question that meets a hole in the journal ends", "[simulation][statement]") {
  long_history e;
  e.stored().blocks.clear();
  auto& journal = e.stored().journal;
  const auto hole = GENERATE(1, 20);
  journal.erase(journal.begin(), journal.find(static_cast<std::uint64_t>(hole)));
  if (hole == 1)
    journal.erase(5);
  CHECK(e.refused("acme", command::list_transactions{}) == errc::internal);
  CHECK(e.settled("acme") == "40.00");
}

TEST_CASE("a question that meets a unit nobody can read is told so once",
          "[simulation][statement]") {
  long_history e;
  const auto spoil = GENERATE(0, 1);
  if (spoil == 0)
    e.stored().blocks.clear();
  e.stored().journal.at(spoil == 0 ? 20 : 30).body = {std::byte{255}};
  command::list_transactions q;
  q.as_of = plus_ns(e.now(), -30LL * 60'000'000'000);
  CHECK(e.refused("acme", q) == errc::storage_unavailable);
  for (const auto& what : e.verify()) // the simulation itself sees whom it answers twice
    CHECK(what.find("twice") == std::string::npos);
}

TEST_CASE("rows of several transactions, and rows booked into the past, are told from blocks",
          "[simulation][statement]") {
  simulation_options o;
  o.limits.snapshot_every = 5;
  virtual_engine e(o);
  command::put_customer open;
  open.over_settlement = command::over_settlement::advance;
  e.ok("acme", open);
  e.ok("acme", credit("g", "10"));
  e.advance(at("2026-01-03"));
  e.ok("acme", consume("part", "12")); // 10 of g and an advance of 2: two rows of one unit
  auto late = credit("late", "5");
  late.effective_at = at("2026-01-02");
  e.ok("acme", late); // covers the 2, in the past
  for (int n = 0; n < 12; ++n)
    e.ok("acme", consume("job-" + std::to_string(n), "0.25"));
  std::vector<std::string> rows;
  command::list_transactions q;
  q.limit = 1;
  do {
    const auto page = std::get<reply::transactions>(e.ok("acme", q).body);
    for (const auto& r : page.rows)
      rows.push_back(r.reference + " " + to_string(money{r.after, r.currency}));
    q.after = page.next;
  } while (!q.after.empty());
  REQUIRE(rows.size() == 16);
  CHECK(rows.front() == "job-11 0.00"); // 10 + 5 - 12 - 3
  CHECK(rows[11] == "job-0 2.75");
  CHECK(rows.back() == "g 10.00");
  CHECK(e.verify().empty());
}
