// A lane whose database hangs: which backend it names to those who can end it. Everything else a lane does is
// tested with the server and its faults.
#include "persistence/pg_lane.hpp"

#include "tests/support/temporary_database.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <csignal>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

using namespace accrue;
using namespace accrue::testing;
using namespace std::chrono_literals;

namespace {

struct noting_sink final : reply_sink {
  void deliver(reply_address, std::string_view) override { ++delivered; }
  void refuse(reply_address, std::uint64_t, std::uint32_t, const refusal& why) override {
    refused.push_back(why.code);
  }
  int delivered = 0;
  std::vector<errc> refused;
};

pid_t parent_of(pid_t process) {
  std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
  std::string word;
  pid_t parent = 0;
  stat >> word >> word >> word >> parent; // its number, (name), state, parent
  return parent;
}

/// Stands still while this lives.
class stood_still {
public:
  explicit stood_still(pid_t process) : process_(process) { ::kill(process_, SIGSTOP); }
  ~stood_still() { ::kill(process_, SIGCONT); }
  stood_still(const stood_still&) = delete;
  stood_still& operator=(const stood_still&) = delete;

private:
  pid_t process_;
};

/// A lane of an empty database that renews its lease often and waits for little.
struct impatient {
  temporary_database there{migrations()};
  pg::session other = there.session();
  boost::asio::io_context io;
  noting_sink replies;
  std::optional<int> named;
  std::optional<pg_lane> it;

  impatient() {
    REQUIRE(other.execute("insert into lane (lane, epoch, batch, owner, expires_at)"
                          " values (0, 1, 0, 'test', now())"));
    pg_lane_options options;
    options.conninfo = there.conninfo() + " application_name=impatient";
    options.name = "impatient";
    options.epoch = 1;
    options.lease = 400ms;
    options.statement_timeout = 200ms;
    options.taken_at = std::chrono::steady_clock::now();
    lane_events events;
    events.held_up = [this](int process) { named = process; };
    it.emplace(io, std::move(options), replies, std::move(events), [] { return instant{}; });
    it->start();
    until([this] { return has_renewed(); });
  }

  /// It was inserted without a lease.
  bool has_renewed() {
    const auto found = other.query("select 1 from lane where expires_at > now()");
    REQUIRE(found);
    return found->rows() == 1;
  }
  pid_t backend() {
    const auto found =
        other.query("select pid from pg_stat_activity where application_name = 'impatient'");
    REQUIRE(found);
    REQUIRE(found->rows() == 1);
    return found->i32(0, 0);
  }
  template <class F>
  void until(F&& happened) {
    const auto patience = std::chrono::steady_clock::now() + 30s;
    while (!happened() && std::chrono::steady_clock::now() < patience)
      io.run_one_for(10ms);
    REQUIRE(happened());
  }
};

} // namespace

TEST_CASE("a database that takes no connection while a backend hangs: the backend is named",
          "[pg]") {
  impatient hung;
  const pid_t backend = hung.backend();
  const stood_still postmaster(parent_of(backend)), hanging(backend);
  hung.until([&] { return hung.named.has_value(); });
  CHECK(hung.named == backend);
}

TEST_CASE("a database that does not tell what landed: the backend that was asked is named",
          "[pg]") {
  impatient hung;
  const pid_t backend = hung.backend();
  REQUIRE(hung.other.execute("begin; select * from lane for update"));
  ::kill(backend, SIGTERM);
  hung.until([&] { return hung.named.has_value(); });
  CHECK(hung.named != backend);
  REQUIRE(hung.other.execute("rollback"));
}

TEST_CASE("splitting a batch in which nearly all is refused keeps the lease", "[pg][quarantine]") {
  impatient one;
  // Each refusal takes 50 ms. 16 customers that are alone in the end need at least 16 of them: 800 ms, twice
  // the lease, and nothing lands before the last one.
  REQUIRE(one.other.execute("create function no() returns trigger language plpgsql as"
                            " $$ begin perform pg_sleep(0.05); raise exception 'no'; end $$;"
                            "create trigger no before insert on journal for each row"
                            " when (new.customer <= 16) execute function no()"));
  const auto discarded_all = [&] { return one.it->counts().discarded == 16; };
  one.it->append([](unit_batch& b) {
    for (std::uint64_t customer = 1; customer <= 17; ++customer) {
      journal_row row;
      row.owner = {namespace_id(1), customer_id(customer)};
      row.sequence = sequence(1);
      row.body = b.keep(std::vector<std::byte>(1));
      b.journal.push_back(row);
    }
    unit_batch::reply told;
    told.owner = b.journal.back().owner;
    told.unit = sequence(1);
    told.deadline = instant{1};
    b.replies.push_back(told);
  });
  one.until(
      [&] { return one.replies.delivered + static_cast<int>(one.replies.refused.size()) > 0; });
  CHECK(discarded_all());
  CHECK(one.replies.delivered == 1);
}
