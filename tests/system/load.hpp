// Clients that remember: what they sent, what was acknowledged and how. For tests that take the
// server away under them and then hold it to its word.
#pragma once

#include "tests/support/wire_client.hpp"

#include <atomic>
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
  /// Besides grants and consumes: reads, commands that must be refused, and one more customer for each
  /// client with charges, invoices and payments, where the scheduler has its say too.
  bool everything = false;
  std::uint64_t seed = 0; ///< of what is chosen at random
};

/// One command that a client sent, and what became of it.
struct remembered_command {
  enum class sort : std::uint8_t {
    booked,  ///< is accepted, sooner or later, and changes the balance by `effect`
    step,    ///< of a charge's life: accepted when its time has come
    read,    ///< asks for a balance
    refused, ///< must be refused as one of `expected`
  };
  wire::call call;
  sort what = sort::booked;
  std::string customer;
  int128 effect = 0; ///< on the balance, in cents
  std::vector<errc> expected{};
  std::optional<reply::receipt> receipt; ///< the first one
  std::optional<errc> told;              ///< how it was refused, as expected
  bool sent = false;
};

/// A promise that was not kept.
struct broken_promise {
  enum class sort : std::uint8_t {
    lost,     ///< acknowledged and not there
    doubled,  ///< one command, done more than once
    untrue,   ///< a reply told of something that never was
    unproven, ///< the database does not prove, or the engine says something else
    other,
  };
  sort what = sort::other;
  std::string text;
};

/// Several clients that grant and consume, and now and then send again what they sent before. They
/// note every breach of a promise as text instead of failing on their threads. What is known of a
/// client is read only while none is running.
class remembering_clients {
public:
  /// Whether the same command may be sent again after this refusal.
  [[nodiscard]] static bool passes(errc code) noexcept;

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
  /// Ends their connections from this side, whatever they wait for, and waits for their ends.
  void abandon();

  /// Sends everything again with the same keys until each command has a receipt; those that had one
  /// must get the same. With `scope::recent` only what was sent since it was settled last, and a step
  /// of a charge that has none yet may stay without.
  enum class scope : std::uint8_t { all, recent };
  void settle(std::uint16_t port, scope which = scope::all);
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
  /// Broken promises as text; empty is good.
  [[nodiscard]] std::string breaches() const;
  [[nodiscard]] const std::vector<broken_promise>& broken() const noexcept { return breaches_; }
  void breach(std::string what) { breach(broken_promise::sort::other, std::move(what)); }
  void breach(broken_promise::sort what, std::string text);
  [[nodiscard]] const load_plan& plan() const noexcept { return plan_; }
  /// Everything they sent, in each client's order.
  [[nodiscard]] std::vector<const remembered_command*> commands() const;
  /// Commands (no reads) that have their receipt; times that one was sent again with its key.
  [[nodiscard]] std::size_t acknowledged() const noexcept { return acknowledged_; }
  [[nodiscard]] std::size_t sent_again() const noexcept { return sent_again_; }
  /// Connections that ended while the clients ran, since the beginning. From any thread.
  [[nodiscard]] std::size_t connections_lost() const;

private:
  using remembered = remembered_command;
  struct client {
    std::size_t number = 0;
    std::vector<remembered> commands;
    std::vector<std::size_t> to_repeat; ///< refused for now
    std::uint64_t random = 0;
    std::atomic<std::size_t> made = 0; ///< how many commands, for other threads
    std::size_t marked = 0;
    std::size_t settled = 0;              ///< the first that was not settled yet
    std::size_t steps = 0;                ///< of the charges' lives
    std::optional<std::size_t> open_step; ///< the one without a receipt
    bool step_in_flight = false;
    std::optional<wire_client> connection; ///< under the lock
  };

  void run(client& who, std::uint16_t port);
  std::size_t next_command(client& who);
  void make_command(client& who);
  void make_read(client& who);
  void make_refused(client& who);
  std::size_t next_step(client& who);
  void refused(client& who, std::size_t place, const refusal& why);
  const wire::call& sends(remembered& command);
  void take(client& who, std::size_t place, const wire::answer& answer);
  void settle(client& who, std::uint16_t port, scope which);
  void join();

  load_plan plan_;
  std::vector<std::unique_ptr<client>> clients_;
  std::vector<std::jthread> threads_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool finishing_ = false;
  std::size_t running_ = 0;
  std::size_t receipts_ = 0;
  std::atomic<std::size_t> acknowledged_{0};
  std::atomic<std::size_t> sent_again_{0};
  bool all_steps_ = false; ///< while settling: steps are sent until they are accepted
  std::map<errc, std::size_t> refusals_;
  std::map<std::string, std::size_t> ends_;
  std::vector<broken_promise> breaches_;
};

} // namespace accrue::testing
