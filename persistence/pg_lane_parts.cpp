// A batch that cannot be stored as it is: split until the bad unit is alone. Its way through PostgreSQL is in
// pg_lane.cpp.
#include "persistence/crash_point.hpp"
#include "persistence/pg_lane.hpp"

namespace accrue {

// Something in the batch cannot be stored. It is split by places, in order, until one is left: that is the
// first bad unit of its customer, as all before it has landed by then. What that life wrote from there on
// is discarded; all others go on.
void pg_lane::halve(const std::string& why) {
  batch_in_flight_ = false;
  busy_since_ = clock::now();
  becomes_available(); // it answers; perhaps nothing of this batch is left to land
  auto part =
      halving_ ? std::move(parts_.front()) : batch_.rows_of([](const row_place&) { return true; });
  if (halving_)
    parts_.pop_front();
  halving_ = true;
  const auto places = part.places();
  ENSURE(!places.empty());
  if (places.size() == 1) {
    give_up(part, places.front(), why);
  } else {
    const auto middle = places[places.size() / 2];
    parts_.push_front(part.rows_of([&](const row_place& p) { return p >= middle; }));
    parts_.push_front(part.rows_of([&](const row_place& p) { return p < middle; }));
    pass(crash_point::batch_halved);
  }
  next_part();
}

void pg_lane::give_up(const unit_batch& part, const row_place& bad, const std::string& why) {
  const auto life = !part.journal.empty()     ? part.journal.front().life
                    : !part.snapshots.empty() ? part.snapshots.front().life
                    : !part.segments.empty()  ? part.segments.front().life
                                              : part.blocks.front().life;
  discard(bad.owner, life, bad.lost_from(), why);
  for (auto& later : parts_)
    later.drop_from(bad.owner, bad.lost_from());
}

void pg_lane::next_part() {
  while (!parts_.empty() && parts_.front().writes_nothing())
    parts_.pop_front();
  if (parts_.empty()) {
    halving_ = false;
    release(batch_, now_());
    return work();
  }
  // What fails extends no lease. Where that is all for a while, it is asked for by itself.
  if (lease_left() > options_.lease * 3 / 4)
    return send(parts_.front());
  batch_in_flight_ = true; // as far as who sorts out a lost connection is concerned
  extend_lease([this](const pg::error* refused) {
    if (refused != nullptr)
      return failed(*refused);
    send(parts_.front());
  });
}

} // namespace accrue
