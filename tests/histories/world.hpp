// The world of a history: one clock, one database, the servers over it, and everything that may go wrong
// with them. What clients want, and what must hold, is elsewhere.
#pragma once

#include "actors/virtual_server.hpp"
#include "tests/histories/chronicle.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace accrue::histories {

inline constexpr std::int64_t lease_ns = 5 * ns_per_second;

/// Who hears of the world.
class listener {
public:
  virtual ~listener() = default;
  virtual void answered(const wire::answer& a) = 0;
  /// The server has ended: who waits for it hears nothing any more.
  virtual void ended(std::uint32_t server) = 0;
  /// A unit of the customer was refused, or is about to meet a defect. Empty: of one that is not stored.
  virtual void at_fault(const std::string& customer) = 0;
};

class world : private time_source {
public:
  world(dice& chance, chronicle& log, listener& hears, engine_limits limits, instant start);
  ~world() override;

  [[nodiscard]] instant now() override { return now_; }
  [[nodiscard]] memory_database& database() noexcept { return db_; }
  [[nodiscard]] fail_points& failures() noexcept { return failures_; }
  /// Sequence up to which a customer's units are durable.
  [[nodiscard]] std::uint64_t durable(const std::string& customer) const;

  /// Servers that live, oldest first; the last one took the database over last.
  [[nodiscard]] std::vector<std::uint32_t> servers() const;
  /// Sends to a server that lives. The stamp is given when it is read: at once, unless it stands still.
  void
  send(std::uint32_t server, std::string customer, std::shared_ptr<envelope> e, instant& stamp);

  /// Runs one thing that can happen: a job of a server that runs, or the database dealing with a batch.
  bool step();
  /// Runs until nothing is left to happen by itself; servers that lost the database end.
  void settle();
  /// Time goes by, for timers and leases too.
  void pass(std::int64_t ns);

  // What can go wrong. Each does nothing where it cannot happen.
  void start_server();   ///< where the database is free
  void crash();          ///< some server, with its commit in flight
  void stand_still();    ///< some server's jobs are not run from here on
  void let_continue();   ///< those that stand still
  void retire_idle();    ///< customers nobody has used
  void end_some_actor(); ///< one that is supervised
  void store_away(bool away);
  void throw_in(const std::string& customer); ///< its next decision meets a defect
  bool trouble = false;                       ///< commits fail now and then, and so do reads
  bool hold_commits = false;
  bool outbox_fails = false;
  /// All goes well from here on.
  void calm_down();
  /// An operator asks some server to lift a quarantine; `held` becomes true unless there is none.
  void lift(const std::string& customer, const std::shared_ptr<bool>& held);

  /// Keys of what left through the outbox, once for each delivery.
  std::vector<waiting_message> delivered;

private:
  struct letter {
    std::string customer;
    std::shared_ptr<envelope> command;
    instant* stamp;
  };
  struct host {
    std::uint32_t id = 0;
    std::unique_ptr<virtual_server> server;
    bool still = false;
    bool lost_database = false; ///< and ends soon
    std::int64_t timers_behind_ns = 0;
    instant renewed_at;
    std::vector<letter> unread;
  };
  void read(host& h, letter l);
  void end(std::size_t n);
  void end_lost();
  void commit(host& h);
  [[nodiscard]] host* find(std::uint32_t id);
  [[nodiscard]] std::string where(const host& h) const;

  dice& chance_;
  chronicle& log_;
  listener& hears_;
  engine_limits limits_;
  instant now_;
  memory_database db_;
  fail_points failures_;
  std::vector<host> hosts_;
  std::uint32_t next_id_ = 1;
};

} // namespace accrue::histories
