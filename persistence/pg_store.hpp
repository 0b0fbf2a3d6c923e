// The store on PostgreSQL: start-up (schema, roles, lease), lanes, and the connection that reads.
#pragma once

#include "persistence/pg_lane.hpp"
#include "persistence/pg_reader.hpp"
#include "persistence/store.hpp"

#include <memory>

namespace accrue {

struct pg_store_options {
  std::string conninfo;
  std::string owner;      ///< how this server is called in its lane rows
  std::int16_t lanes = 1; ///< one keeps a small machine's database busy; more on bigger ones
  bool take_over = false; ///< do not wait for a lease that has not lapsed: its owner is known dead
  std::chrono::milliseconds lease{5000};
};

/// A shard's lane: shards are dealt to lanes at run time.
class pg_store final : public store {
public:
  /// Brings the schema up to date, takes the lanes over (after the lease of a living owner has lapsed)
  /// and prepares the lanes. Blocks; before the engine starts. errc: storage_unavailable, conflict.
  [[nodiscard]] static result<std::unique_ptr<pg_store>> open(boost::asio::io_context& io,
                                                              pg_store_options options,
                                                              reply_sink& replies,
                                                              const lane_events& events,
                                                              const std::function<instant()>& now);

  /// Connects lanes and reader; from then on the io_context has to run.
  void start();
  /// Flushes the lanes, gives the leases back, then calls `done` on the io thread.
  void stop(const std::function<void()>& done);

  lane& lane_of(std::uint32_t shard) override;
  std::vector<lane*> lanes() override;
  result<stored_namespace> open_namespace(const std::string& reference) override;
  void
  load_customer(namespace_id space, std::string reference, stored<stored_customer> done) override;
  void load_row(customer_key owner, sequence s, stored<stored_row> done) override;
  void load_rows(customer_key owner,
                 sequence after,
                 std::uint32_t limit,
                 stored<std::vector<stored_row>> done) override;
  void load_units(customer_key owner,
                  std::vector<sequence> units,
                  stored<std::vector<stored_row>> done) override;
  void load_sums(customer_key owner, stored<std::vector<stored_sums>> done) override;
  void load_blocks(customer_key owner,
                   std::vector<sequence> blocks,
                   stored<std::vector<stored_items>> done) override;
  void wakeups(std::uint32_t shard,
               wakeup_place after,
               std::uint32_t limit,
               stored<std::vector<due_wakeup>> done) override;
  void waiting_messages(std::uint32_t shard,
                        std::uint32_t limit,
                        stored<std::vector<waiting_message>> done) override;
  void
  mark_delivered(std::span<const waiting_message> left, instant at, stored<bool> done) override;
  void list_customers(namespace_id space,
                      std::string after,
                      std::uint32_t limit,
                      stored<std::vector<customer_line>> done) override;
  void load_namespace(namespace_id space, stored<std::vector<stored_row>> done) override;
  void put_quarantine(customer_key owner, quarantine what, stored<void> done) override;
  void drop_quarantine(customer_key owner, instant since, stored<void> done) override;

private:
  pg_store(boost::asio::io_context& io, pg_store_options options);
  [[nodiscard]] static std::vector<pg::statement> statements(); ///< of the reader
  [[nodiscard]] static std::vector<pg::statement> history_statements();
  [[nodiscard]] static std::vector<pg::statement> quarantine_statements();
  [[nodiscard]] static pg::outcome<std::vector<quarantine_row>> quarantined(pg::session& db,
                                                                            namespace_id space);
  /// The lane a customer belongs to, and our epoch: the first parameters of a change.
  [[nodiscard]] std::shared_ptr<pg::parameters> owned_lane(customer_key owner) const;
  void change_quarantine(const char* statement,
                         std::shared_ptr<const pg::parameters> p,
                         stored<void> done);

  pg_store_options options_;
  std::vector<std::unique_ptr<pg_lane>> lanes_;
  pg_reader reader_;
};

} // namespace accrue
