// What every lane does around a commit: batches of bounded size, in order, and tickets that tell what is durable.
// How a batch reaches its store is tested with the stores.
#include "persistence/lane.hpp"

#include <catch2/catch_test_macros.hpp>

#include <vector>

using namespace accrue;

namespace {

struct deaf_sink final : reply_sink {
  void deliver(reply_address, std::string_view) override {}
  void refuse(reply_address, std::uint64_t, std::uint32_t, const refusal&) override {}
};

/// A lane whose batches are taken and released by hand.
class hand_lane final : public lane {
public:
  explicit hand_lane(reply_sink& replies) : lane(replies, {}) {}
  [[nodiscard]] bool owns() const noexcept override { return true; }
  void wake_up() override { ++wakes; }
  using lane::discard;
  using lane::release;
  using lane::take;
  int wakes = 0;
};

const customer_key owner{namespace_id(1), customer_id(7)};

std::uint64_t append_unit(lane& to, std::uint64_t number, std::size_t bytes = 1) {
  return to.append([&](unit_batch& b) {
    journal_row row;
    row.owner = owner;
    row.sequence = sequence(number);
    row.body = b.keep(std::vector<std::byte>(bytes));
    b.journal.push_back(row);
  });
}

} // namespace

TEST_CASE("a backlog leaves in batches of bounded size, in the order it came") {
  deaf_sink nobody;
  hand_lane l(nobody);
  const std::size_t units = unit_batch::rows_max * 2 + 10;
  std::vector<std::uint64_t> tickets;
  for (std::size_t n = 1; n <= units; ++n)
    tickets.push_back(append_unit(l, n));
  CHECK(l.wakes == 1);
  unit_batch batch;
  std::uint64_t next = 1;
  for (const std::size_t expected : {unit_batch::rows_max, unit_batch::rows_max, std::size_t{10}}) {
    REQUIRE(l.take(batch));
    REQUIRE(batch.journal.size() == expected);
    for (const auto& row : batch.journal)
      CHECK(row.sequence.value == next++);
    CHECK(l.durable() < tickets[next - 2]);
    l.release(batch, instant{});
    CHECK(l.durable() == tickets[next - 2]);
  }
  CHECK_FALSE(l.take(batch));
  CHECK(append_unit(l, next) == l.durable() + 1);
  CHECK(l.wakes == 2);
}

TEST_CASE("a batch is also full by its bytes, and gives back what a large one took") {
  deaf_sink nobody;
  hand_lane l(nobody);
  append_unit(l, 1, 3 * unit_batch::bytes_max);
  append_unit(l, 2);
  unit_batch batch;
  REQUIRE(l.take(batch));
  CHECK(batch.journal.size() == 1);
  l.release(batch, instant{});
  CHECK(batch.bytes.capacity() <= unit_batch::bytes_max);
  REQUIRE(l.take(batch));
  CHECK(batch.journal.size() == 1);
  l.release(batch, instant{});
  CHECK(l.durable() == 2);
}

TEST_CASE("a snapshot that comes a batch after its unit goes with it when the unit is given up") {
  deaf_sink nobody;
  hand_lane l(nobody);
  const auto append_state = [&](std::uint64_t number) {
    l.append([&](unit_batch& b) {
      b.keep_state(
          owner, sequence(number), 0, std::vector<std::byte>(3), std::vector<std::byte>(2));
      b.keep_block({owner, sequence(number), 0, sequence(number), {}, {}},
                   std::vector<std::byte>(2),
                   std::vector<std::byte>(1));
    });
  };
  unit_batch batch;
  append_unit(l, 1);
  REQUIRE(l.take(batch));
  append_state(1);
  l.release(batch, instant{}); // durable
  REQUIRE(l.take(batch));
  CHECK(batch.snapshots.size() == 1);
  CHECK(batch.blocks.size() == 1);
  l.release(batch, instant{});
  append_unit(l, 2);
  REQUIRE(l.take(batch));
  append_state(2);
  append_unit(l, 3);
  l.discard(owner, 0, sequence(2), "refused by the store");
  l.release(batch, instant{});
  REQUIRE(l.take(batch));
  CHECK(batch.writes_nothing());
}
