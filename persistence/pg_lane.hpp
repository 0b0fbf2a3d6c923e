// A lane of PostgreSQL: one connection, one batch in flight, one transaction a batch.
// Failures are sorted by what has to be done: again, reconnect and ask, halve, or stop.
#pragma once

#include "persistence/lane.hpp"
#include "persistence/pg.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <deque>
#include <memory>
#include <vector>

namespace accrue {

/// The journal and its projections as array parameters; buffers are used again for each batch.
class batch_parameters {
public:
  /// Encodes all tables of a batch. The journal rows have to be in order of (namespace, customer,
  /// sequence).
  void encode(const unit_batch& batch, std::int16_t lane, std::int64_t number);
  /// The statements of the tables that have rows, with their parameters.
  void append_calls(const unit_batch& batch, std::vector<pg::call>& calls) const;
  /// All statements that `append_calls` can name.
  [[nodiscard]] static std::vector<pg::statement> statements();

private:
  struct table {
    pg::int8_array b, c;
    pg::int4_array e, f, w;
    pg::int2_array g, h;
    pg::uuid_array k, l;
    pg::bytea_array m, n;
    pg::text_array o, p, q, r;
    pg::parameters parameters;
    void clear();
  };
  void encode_journal(const unit_batch& batch, std::int16_t lane, std::int64_t number);
  void encode_objects(table& t, const std::vector<object_row>& rows, const unit_batch& batch);
  void encode_states(table& t, const std::vector<state_row>& rows, const unit_batch& batch);
  void encode_blocks(const unit_batch& batch);
  void encode_rest(const unit_batch& batch);

  table journal_, customers_, grants_, charges_, invoices_, wakeups_, wakeups_gone_, outbox_,
      snapshots_, segments_, blocks_;
};

struct pg_lane_options {
  std::string conninfo;
  std::string name; ///< its connections' application_name, which only they have in this database
  std::int16_t lane = 0;
  std::int64_t epoch = 0;      ///< under which this server owns the lane
  std::int64_t last_batch = 0; ///< as the lane row says
  digest last_hash{};          ///< of the last batch row
  std::chrono::milliseconds lease{5000};
  std::chrono::steady_clock::time_point taken_at; ///< before the lane row was made ours
  std::chrono::milliseconds statement_timeout{10000};
  /// A batch or connection that takes longer, or as long as the lease, makes the lane unavailable until
  /// it is through.
  std::chrono::milliseconds patience{2000};
  std::chrono::milliseconds patience_at_stop{5000}; ///< for what is under way
};

class pg_lane final : public lane {
public:
  /// `now` is asked only to compare deadlines.
  pg_lane(boost::asio::io_context& io,
          pg_lane_options options,
          reply_sink& replies,
          lane_events events,
          std::function<instant()> now);

  /// Connects; the lane then serves itself until `stop`. From the io thread or before it runs.
  void start();
  /// Flushes what is there, gives the lease back, and calls `done` on the io thread.
  void stop(std::function<void()> done);
  [[nodiscard]] bool owns() const noexcept override;
  [[nodiscard]] const pg_lane_options& options() const noexcept { return options_; }

private:
  using clock = std::chrono::steady_clock;
  enum class mode : std::uint8_t { connecting, idle, committing, waiting, fenced, stopped };

  void wake_up() override;
  void open();
  void opened(const pg::outcome<void>& ok);
  void end_former_backends();
  void held_up(const pg::error& why);
  void ask_what_landed();
  void told_what_landed(const pg::outcome<pg::result>& row, clock::time_point asked_at);
  void work();
  void send(unit_batch& rows);
  void answered(pg::outcome<std::vector<pg::result>> answer);
  void landed();
  void failed(const pg::error& e);
  void halve(const std::string& why);
  void give_up(const unit_batch& part, const row_place& bad, const std::string& why);
  void next_part();
  void watch_patience();
  [[nodiscard]] std::chrono::milliseconds patience() const noexcept;
  void becomes_available();
  void becomes_unavailable(const std::string& why);
  void retry_after(std::chrono::milliseconds pause, std::function<void()> what);
  void fence(const std::string& why);
  void renew_lease();
  void extend_lease(std::function<void(const pg::error*)> then);
  [[nodiscard]] std::chrono::nanoseconds lease_left() const noexcept;
  void lease_extended(clock::time_point asked_at) noexcept;
  void finish_stop();

  boost::asio::io_context& io_;
  pg_lane_options options_;
  std::function<instant()> now_;
  pg::connection connection_;
  boost::asio::steady_timer pause_;
  boost::asio::steady_timer lease_timer_;
  boost::asio::steady_timer patience_timer_;
  boost::asio::steady_timer stop_timer_;
  mode mode_ = mode::connecting;
  bool batch_in_flight_ = false;              ///< sent and not known to have landed
  bool renewing_ = false;                     ///< a renewal of the lease is under way
  bool watching_ = false;                     ///< the patience timer runs
  clock::time_point busy_since_;              ///< where it is not idle or renews: since when
  std::vector<std::int32_t> former_backends_; ///< of lost connections, told to end and not known to
  int backend_ = 0;                           ///< of the connection that was open last
  std::chrono::milliseconds backoff_{50};

  unit_batch batch_;             ///< taken, replies and all
  std::deque<unit_batch> parts_; ///< of a batch that failed, in order; else empty
  bool halving_ = false;
  batch_parameters parameters_;
  pg::parameters fence_parameters_, batch_row_, lease_parameters_, former_parameters_;
  digest pending_hash_{};
  clock::time_point sent_at_;
  std::atomic<std::int64_t> lease_until_ns_{0};
  std::function<void()> stopped_;
};

} // namespace accrue
