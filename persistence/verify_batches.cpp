// Whether the batches vouch for the journal's rows: numbers, counts, digests, chains, lane rows.
// The chains of customers are in verify.cpp.
#include "persistence/verify_parts.hpp"

#include <limits>

namespace accrue::verifying {
namespace {

/// What a lane's batches lead to.
struct lane_tip {
  std::int64_t number = 0;
  std::int64_t epoch = 0;
  digest hash{};
};

class batch_check {
public:
  batch_check(pg::session& database, report& findings)
      : findings_(&findings), lanes_(database, "lanes", "SELECT lane, batch, epoch FROM lane"),
        batches_(database,
                 "batches",
                 "SELECT lane, number, epoch, rows, hash FROM batch ORDER BY lane, number"),
        rows_(database,
              "batch_rows",
              "SELECT lane, batch, hash FROM journal"
              " ORDER BY lane, batch, namespace, customer, sequence") {}

  void run() {
    for (; !batches_.done(); batches_.next()) {
      strays(batches_.i16(0), batches_.i64(1));
      batch();
    }
    strays(std::numeric_limits<std::int16_t>::max(), std::numeric_limits<std::int64_t>::max());
    for (; !lanes_.done(); lanes_.next())
      lane();
    for (const auto& [number, tip] : tips_)
      add(number, tip.number, "the lane has batches and no row");
  }

private:
  void add(std::int16_t lane, std::int64_t number, std::string text) {
    findings_->add(breach::batch,
                   "lane " + std::to_string(lane) + ", batch " + std::to_string(number),
                   std::move(text));
  }

  // Journal rows before this batch that no batch row vouches for; one finding a batch.
  void strays(std::int16_t lane, std::int64_t number) {
    while (!rows_.done() && std::pair(rows_.i16(0), rows_.i64(1)) < std::pair(lane, number)) {
      const auto in = std::pair(rows_.i16(0), rows_.i64(1));
      std::uint64_t count = 0;
      for (; !rows_.done() && std::pair(rows_.i16(0), rows_.i64(1)) == in; rows_.next())
        ++count;
      add(in.first, in.second, std::to_string(count) + " units name this batch, which has no row");
    }
  }

  void batch() {
    const auto lane = batches_.i16(0);
    const auto number = batches_.i64(1);
    const auto epoch = batches_.i64(2);
    const auto rows = batches_.i32(3);
    const auto hash = batches_.hash(4);
    ++findings_->counts().batches;
    digester hashes;
    std::int64_t count = 0;
    for (; !rows_.done() && rows_.i16(0) == lane && rows_.i64(1) == number; rows_.next(), ++count)
      hashes.add(rows_.bytes(2));
    auto& tip = tips_[lane];
    if (number != tip.number + 1)
      add(lane, number, "the batches before it are missing from " + std::to_string(tip.number + 1));
    if (epoch < tip.epoch)
      add(lane, number, "its epoch is older than that of the batch before");
    if (count != rows)
      add(lane,
          number,
          "it committed " + std::to_string(rows) + " units, the journal has " +
              std::to_string(count));
    if (chain_batch(tip.hash, lane, number, epoch, rows, hashes.finish()) != hash)
      add(lane, number, "its hash is not that of its units and the batch before");
    tip = {number, epoch, hash};
  }

  void lane() {
    const auto lane = lanes_.i16(0);
    const auto last = lanes_.i64(1);
    lane_tip tip;
    if (const auto it = tips_.find(lane); it != tips_.end()) {
      tip = it->second;
      tips_.erase(it);
    }
    if (last != tip.number)
      add(lane,
          last,
          "the lane's last batch, but the last one that is stored is " +
              std::to_string(tip.number));
    if (lanes_.i64(2) < tip.epoch)
      add(lane, tip.number, "its epoch is newer than its lane's");
  }

  report* findings_;
  row_cursor lanes_;
  row_cursor batches_;
  row_cursor rows_;
  std::map<std::int16_t, lane_tip> tips_;
};

} // namespace

void check_batches(pg::session& database, report& findings) {
  batch_check(database, findings).run();
}

} // namespace accrue::verifying
