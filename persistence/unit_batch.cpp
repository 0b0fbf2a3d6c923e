// Bookkeeping of a batch and the hash chains. No SQL, no threads.
#include "persistence/unit_batch.hpp"

#include <algorithm>
#include <type_traits>

namespace accrue {
namespace {

template <class Row>
row_place place_of(const Row& r) {
  return {r.owner, r.sequence, std::is_same_v<Row, state_row> || std::is_same_v<Row, block_row>};
}

template <class Batch, class Visit>
void each_table(Batch& b, const Visit& visit) {
  visit(b.journal), visit(b.customers), visit(b.grants), visit(b.charges), visit(b.invoices);
  visit(b.wakeups), visit(b.outbox), visit(b.snapshots), visit(b.segments), visit(b.blocks);
}

} // namespace

extent unit_batch::keep(std::span<const std::byte> body) {
  const extent e{static_cast<std::uint32_t>(bytes.size()), static_cast<std::uint32_t>(body.size())};
  bytes.insert(bytes.end(), body.begin(), body.end());
  return e;
}

void unit_batch::keep_reply(reply row, std::string_view frame) {
  row.frame = {static_cast<std::uint32_t>(frames.size()), static_cast<std::uint32_t>(frame.size())};
  frames.append(frame);
  replies.push_back(row);
}

void unit_batch::keep_state(const customer_key& owner,
                            sequence unit,
                            std::uint32_t life,
                            std::span<const std::byte> state,
                            std::span<const std::byte> filter) {
  snapshots.push_back({owner, unit, life, keep(state)});
  segments.push_back({owner, unit, life, keep(filter)});
  state_bytes += state.size() + filter.size();
}

void unit_batch::keep_block(block_row row,
                            std::span<const std::byte> sums,
                            std::span<const std::byte> items) {
  row.sums = keep(sums);
  row.items = keep(items);
  blocks.push_back(row);
  state_bytes += sums.size() + items.size();
}

void unit_batch::clear() noexcept {
  journal.clear();
  customers.clear();
  grants.clear();
  charges.clear();
  invoices.clear();
  wakeups.clear();
  outbox.clear();
  snapshots.clear();
  segments.clear();
  blocks.clear();
  bytes.clear();
  state_bytes = 0;
  replies.clear();
  frames.clear();
  follow_ups.clear();
  if (bytes.capacity() > bytes_max)
    bytes = std::vector<std::byte>(); // an assignment of {} would keep the room
  if (frames.capacity() > bytes_max)
    frames = std::string();
}

std::vector<row_place> unit_batch::places() const {
  std::vector<row_place> all;
  each_table(*this, [&](const auto& rows) {
    for (const auto& r : rows)
      all.push_back(place_of(r));
  });
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

unit_batch unit_batch::rows_of(const std::function<bool(const row_place&)>& wanted) const {
  unit_batch part = *this;
  part.replies.clear();
  part.frames.clear();
  part.follow_ups.clear();
  each_table(part, [&](auto& rows) {
    std::erase_if(rows, [&](const auto& r) { return !wanted(place_of(r)); });
  });
  return part; // with all bytes: the extents stay valid
}

void unit_batch::add_rows(const unit_batch& other) {
  const auto base = static_cast<std::uint32_t>(bytes.size());
  bytes.insert(bytes.end(), other.bytes.begin(), other.bytes.end());
  state_bytes += other.state_bytes;
  const auto add = [base](auto& to, const auto& from) {
    for (auto row : from) {
      if constexpr (requires { row.body.offset; })
        row.body.offset += base;
      if constexpr (requires { row.sums.offset; })
        row.sums.offset += base, row.items.offset += base;
      to.push_back(std::move(row));
    }
  };
  add(journal, other.journal);
  add(customers, other.customers);
  add(grants, other.grants);
  add(charges, other.charges);
  add(invoices, other.invoices);
  add(wakeups, other.wakeups);
  add(outbox, other.outbox);
  add(snapshots, other.snapshots);
  add(segments, other.segments);
  add(blocks, other.blocks);
}

void unit_batch::drop_from(const customer_key& owner, sequence unit) {
  each_table(*this, [&](auto& rows) {
    std::erase_if(rows, [&](const auto& r) { return r.owner == owner && r.sequence >= unit; });
  });
}

digest digest_of_rows(std::span<const journal_row> rows) noexcept {
  digester d;
  for (const auto& r : rows)
    d.add(r.hash);
  return d.finish();
}

digest chain_batch(const digest& before,
                   std::int16_t lane,
                   std::int64_t number,
                   std::int64_t epoch,
                   std::int32_t rows,
                   const digest& rows_digest) noexcept {
  digester d;
  d.add(before).number(lane).number(number).number(epoch).number(rows).add(rows_digest);
  return d.finish();
}

digest
chain_row(const digest& before, const journal_row& row, std::span<const std::byte> body) noexcept {
  digester d;
  d.add(before)
      .number(static_cast<std::int32_t>(row.owner.space.value))
      .number(static_cast<std::int64_t>(row.owner.customer.value))
      .number(static_cast<std::int64_t>(row.sequence.value))
      .number(row.at.ns)
      .number(row.kind)
      .add(row.key)
      .add(row.content)
      .add(body);
  return d.finish();
}

} // namespace accrue
