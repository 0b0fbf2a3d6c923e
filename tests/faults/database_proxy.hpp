// A wire between the server and its database that can be cut, held and slowed down, also around a COMMIT.
// It knows just enough of PostgreSQL's protocol to see where a batch of the engine ends.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace accrue::testing {

/// Listens on a port of 127.0.0.1 and hands everything on to a PostgreSQL behind a unix socket, on a
/// thread of its own. All functions are for the test's thread.
class database_proxy {
public:
  /// `conninfo`: "host=DIRECTORY port=N …", as the embedded cluster gives it.
  explicit database_proxy(const std::string& conninfo);
  ~database_proxy();
  database_proxy(const database_proxy&) = delete;
  database_proxy& operator=(const database_proxy&) = delete;

  /// The same database through the proxy.
  [[nodiscard]] std::string conninfo() const;

  /// What happens to one commit of a batch.
  enum class at_commit : std::uint8_t {
    cut_before, ///< the database never sees its end: cut before the Sync leaves
    cut_half,   ///< cut when the first half of the batch's bytes has left
    cut_after,  ///< the database has committed and said so; the answer is lost and the line cut
    swallow,    ///< the same, but the line stays, silent from then on
  };
  /// Arms it for the next batch.
  void arm(at_commit what);
  /// Waits until it has happened; false after the patience.
  [[nodiscard]] bool wait_until_done(std::chrono::milliseconds patience = std::chrono::seconds(20));

  /// Cuts all connections there are, both ways.
  void cut();
  /// While `on`: connections are accepted and closed at once.
  void refuse(bool on);
  /// While `on`: what is read in either direction goes nowhere; those connections stay silent for ever.
  void swallow(bool on);
  /// Holds everything back for so long, in both directions.
  void delay(std::chrono::microseconds by);

private:
  struct state;
  std::unique_ptr<state> it_;
};

} // namespace accrue::testing
