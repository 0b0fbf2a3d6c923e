// Bookkeeping of a batch and the hash chains. No SQL, no threads.
#include "persistence/unit_batch.hpp"

#include <algorithm>

namespace accrue {

extent unit_batch::keep(std::span<const std::byte> body) {
  const extent e{static_cast<std::uint32_t>(bytes.size()), static_cast<std::uint32_t>(body.size())};
  bytes.insert(bytes.end(), body.begin(), body.end());
  return e;
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
  bytes.clear();
  replies.clear();
  frames.clear();
  follow_ups.clear();
  if (bytes.capacity() > bytes_max)
    bytes = std::vector<std::byte>(); // an assignment of {} would keep the room
  if (frames.capacity() > bytes_max)
    frames = std::string();
}

unit_batch unit_batch::rows_of(const std::function<bool(const customer_key&)>& wanted) const {
  unit_batch half;
  half.bytes = bytes; // extents stay valid
  const auto copy = [&](const auto& from, auto& to) {
    std::ranges::copy_if(
        from, std::back_inserter(to), [&](const auto& r) { return wanted(r.owner); });
  };
  copy(journal, half.journal);
  copy(customers, half.customers);
  copy(grants, half.grants);
  copy(charges, half.charges);
  copy(invoices, half.invoices);
  copy(wakeups, half.wakeups);
  copy(outbox, half.outbox);
  copy(snapshots, half.snapshots);
  copy(segments, half.segments);
  return half;
}

void unit_batch::drop_rows(const customer_key& owner, std::uint32_t life) {
  const auto gone = [&](const auto& r) { return r.owner == owner && r.life <= life; };
  std::erase_if(journal, gone);
  std::erase_if(snapshots, gone);
  std::erase_if(segments, gone);
  // The other rows belong to a journal row of the same batch: with the last one they go, too. A new life
  // begins only when nothing of the old one is under way (customer_state::stop), so they are not mixed.
  if (std::ranges::any_of(journal, [&](const journal_row& r) { return r.owner == owner; }))
    return;
  const auto drop = [&](auto& rows) {
    std::erase_if(rows, [&](const auto& r) { return r.owner == owner; });
  };
  drop(customers);
  drop(grants);
  drop(charges);
  drop(invoices);
  drop(wakeups);
  drop(outbox);
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
