// What system tests ask of a customer and of a database: where it stands, and that everything proves.
// Servers and sockets are in tests/support.
#pragma once

#include "persistence/verify.hpp"
#include "tests/support/wire_client.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

namespace accrue::testing {

/// Balances and sequence of a customer, as one value that can be compared.
inline reply::receipt state_of(wire_client& client, const std::string& customer) {
  return client.receipt(calls::get_balance(customer));
}

/// Settled minor units of the one currency that a customer has.
inline int128 settled(const reply::receipt& state) {
  const auto& all = std::get<reply::balances>(state.body).items;
  return all.size() == 1 ? all.front().settled : int128{-1};
}

/// The whole database proves: chains, sums, projections, batches.
inline verification proven(const std::string& conninfo) {
  auto database = pg::session::open(conninfo);
  INFO((database ? "" : database.error().text));
  REQUIRE(database);
  auto done = verify(*database);
  INFO((done ? "" : done.error().text));
  REQUIRE(done);
  for (const auto& f : done->findings)
    UNSCOPED_INFO(to_string(f.what) << " at " << f.where << ": " << f.text);
  INFO(done->summary());
  CHECK(done->clean());
  return *done;
}

} // namespace accrue::testing
