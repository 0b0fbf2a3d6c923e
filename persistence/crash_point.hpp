// Places at which the server can be told to kill itself, for tests that then hold it to its word.
// All of them stand here; what is armed comes from the command line, once, before anything runs.
#pragma once

#include "domain/result.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace accrue {

enum class crash_point : std::uint8_t {
  nowhere,
  // start
  cluster_ready,
  migration_open,
  lane_taken,
  namespace_opened,
  // a unit's way to the disk and its reply's way back
  unit_added,
  snapshot_added,
  batch_taken,
  batch_encoded,
  pipeline_half_sent,
  batch_sent,
  batch_committed,
  replies_half_released,
  replies_released,
  // when something was wrong with a batch
  landing_asked,
  landing_known,
  batch_halved,
  part_committed,
  // beside the commits
  renewal_sent,
  renewal_done,
  load_asked,
  load_answered,
  message_delivered,
  // orderly stop
  stop_begun,
  stop_flushed,
  lease_returned,
};

/// What `--crash-at` takes, and where that is.
inline constexpr auto crash_points = std::to_array<std::pair<crash_point, std::string_view>>({
    {crash_point::cluster_ready, "cluster_ready"},       // the private database runs; not asked yet
    {crash_point::migration_open, "migration_open"},     // a migration is applied, not committed
    {crash_point::lane_taken, "lane_taken"},             // the epoch is raised, nobody is served
    {crash_point::namespace_opened, "namespace_opened"}, // found or created
    {crash_point::unit_added, "unit_added"},             // decided, in the filling batch
    {crash_point::snapshot_added, "snapshot_added"},     // a snapshot, there as well
    {crash_point::batch_taken, "batch_taken"},           // by the lane, not encoded
    {crash_point::batch_encoded, "batch_encoded"},       // nothing of it sent
    {crash_point::pipeline_half_sent, "pipeline_half_sent"}, // half of the statements, no Sync;
                                                             // a batch's or a read's
    {crash_point::batch_sent, "batch_sent"},                 // as much as the socket took
    {crash_point::batch_committed, "batch_committed"},       // its answer is here, no reply left
    {crash_point::replies_half_released, "replies_half_released"}, // half of them in the sessions
    {crash_point::replies_released, "replies_released"},           // all there, none on a socket
    {crash_point::landing_asked, "landing_asked"},                 // whether a batch in doubt is in
    {crash_point::landing_known, "landing_known"},                 // told, not acted upon
    {crash_point::batch_halved, "batch_halved"},                   // split, no part sent
    {crash_point::part_committed, "part_committed"},               // one part is in, others are not
    {crash_point::renewal_sent, "renewal_sent"},                   // of the lease
    {crash_point::renewal_done, "renewal_done"},
    {crash_point::load_asked, "load_asked"},               // a customer's activation asks the store
    {crash_point::load_answered, "load_answered"},         // its rows are here, not replayed
    {crash_point::message_delivered, "message_delivered"}, // out of the house, not marked
    {crash_point::stop_begun, "stop_begun"},         // connections are gone, lanes not flushed
    {crash_point::stop_flushed, "stop_flushed"},     // the lease is still ours
    {crash_point::lease_returned, "lease_returned"}, // the lanes have stopped
});

/// Arms "NAME" or "NAME:N": at its N-th pass (from 1) the process kills itself with SIGKILL. Before the
/// process has a second thread. errc: validation, with the names there are.
[[nodiscard]] result<void> arm_crash_point(std::string_view text);

namespace crash {
extern crash_point armed; // written before there are threads, read by all
[[gnu::cold]] void passed() noexcept;
} // namespace crash

/// Passes a point; one comparison where it is not armed.
inline void pass(crash_point here) noexcept {
  if (crash::armed == here) [[unlikely]]
    crash::passed();
}
/// The same; `first` runs only where it is armed.
template <class First>
void pass(crash_point here, First&& first) {
  if (crash::armed == here) [[unlikely]] {
    first();
    crash::passed();
  }
}

} // namespace accrue
