// An open-addressing table of 8 bytes a key, and the recent keys in full.
#include "persistence/key_index.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace accrue {
namespace {

/// So many keys are looked through one by one; a table comes with the next one.
constexpr std::size_t few_keys = 16;

// Spreads the 32 bits that are kept; the table never holds more.
std::uint32_t place(std::uint32_t filter) noexcept { return filter * 2654435769U; }

// The unit of these low bits.
sequence unit_of(std::uint32_t low, sequence last) noexcept {
  return sequence(last.value - static_cast<std::uint32_t>(last.value - low));
}

} // namespace

std::uint32_t key_index::filter_of(const fingerprint& key) noexcept {
  std::uint32_t filter = 0;
  std::memcpy(&filter, key.data(), sizeof filter);
  return filter;
}

key_index::found key_index::find(const fingerprint& key, sequence last) const {
  found result;
  if (!table_) {
    if (const auto it = std::ranges::find(recent_, key, &exact::key); it != recent_.end())
      result.exact = hit{unit_of(it->sequence, last), it->content};
    return result;
  }
  const auto& slots = table_->slots;
  const auto filter = filter_of(key);
  const auto mask = slots.size() - 1;
  for (auto i = place(filter) & mask; slots[i].sequence != 0; i = (i + 1) & mask) {
    if (slots[i].filter != filter)
      continue;
    const auto low = slots[i].sequence;
    const auto unit = unit_of(low, last);
    const auto it = std::ranges::lower_bound(
        recent_, unit, {}, [&](const exact& e) { return unit_of(e.sequence, last); });
    bool was_recent = false;
    for (auto r = it; r != recent_.end() && r->sequence == low; ++r) {
      was_recent = true;
      if (r->key == key)
        result.exact = hit{unit, r->content};
    }
    if (!was_recent)
      result.older.push_back(unit);
  }
  return result;
}

void key_index::table::insert(std::uint32_t filter, std::uint32_t unit) {
  if ((filled + 1) * 4 > slots.size() * 3) {
    const auto old = std::exchange(slots, std::vector<slot>(slots.size() * 2));
    filled = 0;
    for (const auto& s : old)
      if (s.sequence != 0)
        insert(s.filter, s.sequence);
  }
  const auto mask = slots.size() - 1;
  auto i = place(filter) & mask;
  while (slots[i].sequence != 0)
    i = (i + 1) & mask;
  slots[i] = {filter, unit};
  ++filled;
}

key_index::table& key_index::with_table() {
  if (!table_) {
    table_ = std::make_unique<table>();
    for (const auto& e : recent_)
      table_->insert(filter_of(e.key), e.sequence);
  }
  return *table_;
}

void key_index::add(const fingerprint& key, const fingerprint& content, sequence s) {
  const auto low = static_cast<std::uint32_t>(s.value);
  if (table_ || recent_.size() == few_keys)
    with_table().insert(filter_of(key), low);
  // Most customers are small: grow by a few, not by doubling.
  if (recent_.size() == recent_.capacity() && recent_.size() < 64)
    recent_.reserve(recent_.size() + 2);
  recent_.push_back({key, content, low});
}

void key_index::trim(sequence upto) {
  if (recent_.size() <= exact_keys)
    return;
  const auto unit = [&](const exact& e) { return unit_of(e.sequence, upto); };
  const auto keep_from = unit(recent_[recent_.size() - exact_keys]);
  const auto it = std::ranges::lower_bound(recent_, keep_from, {}, unit);
  recent_.erase(recent_.begin(), it);
}

void key_index::encode_segment(sequence from, sequence to, std::vector<std::byte>& out) const {
  const auto put = [&](std::uint32_t v) {
    for (int shift = 0; shift < 32; shift += 8)
      out.push_back(static_cast<std::byte>(v >> shift));
  };
  for (const auto& e : recent_) {
    if (unit_of(e.sequence, to) <= from)
      continue;
    put(filter_of(e.key));
    put(e.sequence);
  }
}

result<void> key_index::restore_segment(std::span<const std::byte> segment) {
  if (segment.size() % 8 != 0)
    return refuse(errc::internal, "a key segment has a wrong length");
  for (std::size_t i = 0; i < segment.size(); i += 8) {
    const auto word = [&](std::size_t at) {
      std::uint32_t v = 0;
      for (std::size_t b = 0; b < 4; ++b)
        v |= std::to_integer<std::uint32_t>(segment[at + b]) << (8 * b);
      return v;
    };
    with_table().insert(word(i), word(i + 4));
  }
  return {};
}

} // namespace accrue
