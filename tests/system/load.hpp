// Clients that remember: what they sent, what was acknowledged and how. For tests that take the
// server away under them and then hold it to its word.
#pragma once

#include "tests/support/wire_client.hpp"

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace accrue::testing {

struct load_plan {
  std::string name = "load"; ///< begins the customers' references
  std::size_t clients = 4;   ///< a thread and a connection each
  std::size_t customers_each = 5;
  std::size_t window = 16; ///< commands of one client in flight
  std::optional<std::uint32_t> deadline_ms = std::nullopt;
};

/// Several clients that grant and consume, and now and then send again what they sent before. They
/// note every breach of a promise as text instead of failing on their threads.
class remembering_clients {
public:
  explicit remembering_clients(load_plan plan);
  ~remembering_clients();

  /// Lets all clients connect and send, until `finish` or until their connections end.
  void start(std::uint16_t port);
  /// Waits for so many receipts more; throws when they do not come in half a minute.
  void wait_for_receipts(std::size_t more);
  /// No more commands; waits until all in flight are answered, or the connection is over.
  void finish();
  /// Waits until the server has taken all connections away.
  void wait_for_end();

  /// Sends everything again with the same keys until each command has a receipt; those that had one
  /// must get the same.
  void settle(std::uint16_t port);
  /// Every customer's units are exactly the commands, each once, and its balance is what they say.
  void compare(std::uint16_t port);

  [[nodiscard]] std::size_t receipts() const;
  /// Notes which commands were sent so far; while nothing moves.
  void mark();
  /// Receipts of commands that were sent for the first time after the mark.
  [[nodiscard]] std::size_t receipts_after_mark() const;
  /// Commands that were sent and never acknowledged.
  [[nodiscard]] std::size_t open() const;
  [[nodiscard]] const std::map<errc, std::size_t>& refusals() const noexcept { return refusals_; }
  /// How the connections ended that were taken away, by the words of the end.
  [[nodiscard]] const std::map<std::string, std::size_t>& ends() const noexcept { return ends_; }
  /// Broken promises; empty is good.
  [[nodiscard]] std::string breaches() const;

private:
  struct remembered {
    wire::call call;
    std::string customer;
    int128 effect = 0; ///< on the balance, in cents
    std::optional<reply::receipt> receipt;
  };
  struct client {
    std::size_t number = 0;
    std::vector<remembered> commands;
    std::vector<std::size_t> to_repeat; ///< refused for now
    std::uint64_t random = 0;
    std::size_t marked = 0;
  };

  void run(client& who, std::uint16_t port);
  std::size_t next_command(client& who);
  void make_command(client& who);
  void take(client& who, std::size_t place, const wire::answer& answer);
  void settle(client& who, std::uint16_t port);
  void breach(std::string what);
  void join();

  load_plan plan_;
  std::vector<std::unique_ptr<client>> clients_;
  std::vector<std::jthread> threads_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool finishing_ = false;
  std::size_t running_ = 0;
  std::size_t receipts_ = 0;
  std::map<errc, std::size_t> refusals_;
  std::map<std::string, std::size_t> ends_;
  std::vector<std::string> breaches_;
};

} // namespace accrue::testing
