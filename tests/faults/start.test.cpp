// kill -9 of a server in its very first start, and how a crash point is named. All other faults are kinds of
// a campaign.
#include "persistence/crash_point.hpp"
#include "tests/faults/crash_occasions.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <csignal>

using namespace accrue;
using namespace accrue::testing;

namespace {

constexpr auto spawned = server_process::until::spawned;

} // namespace

TEST_CASE("kill -9 of the server in its very first start, between the migrations", "[pg]") {
  const temporary_database database;
  const temporary_directory directory;
  const std::vector<std::string> options{"--database-url", database.conninfo(), "--take-over"};
  for (std::uint64_t migration = 1; migration <= migrations().size(); ++migration) {
    auto dying = options;
    // One is committed, the next one is not.
    std::ranges::copy(crash_at("migration_open", std::min<std::uint64_t>(migration, 2)),
                      std::back_inserter(dying));
    server_process server(directory.path(), dying, spawned);
    CHECK(server.wait_for_end() == -SIGKILL);
  }
  // What it had not committed is gone, and a server brings the rest.
  server_process next(directory.path(), options);
  wire_client client(next.port());
  client.receipt(calls::put_customer("first"));
  CHECK(next.stop() == 0);
}

TEST_CASE("a crash point that is not there is refused, with those that are", "[pg]") {
  const temporary_directory directory;
  for (const auto* wrong : {"nowhere", "batch_sent:0", "batch_sent:", "batch_sent:x"}) {
    server_process server(directory.path(), {"--crash-at", wrong}, spawned);
    INFO(wrong);
    CHECK(server.wait_for_end() == 1);
  }
  server_process server(directory.path(), {"--crash-at", "commit"}, spawned);
  CHECK(server.wait_for_end() == 1);
  for (const auto& [point, name] : crash_points)
    CHECK(server.output().find(name) != std::string::npos);
}
