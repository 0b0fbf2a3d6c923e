// Keeping holds by reference and by expiry. See holds.hpp.
#include "domain/holds.hpp"

#include <algorithm>

namespace accrue {

int128 hold::amount() const noexcept {
  int128 total = 0;
  for (const auto& s : slices)
    total += s.amount;
  return total;
}

std::string_view to_string(hold_end e) noexcept {
  switch (e) {
  case hold_end::settled:
    return "settled";
  case hold_end::released:
    return "released";
  case hold_end::expired:
    return "expired";
  }
  return "expired";
}

const hold* holds::find(std::string_view reference) const noexcept {
  const auto it = open_.find(reference);
  return it == open_.end() ? nullptr : &it->second;
}

std::optional<hold_end> holds::ended(std::string_view reference) const noexcept {
  const auto it = std::find_if(
      ends_.rbegin(), ends_.rend(), [&](const end& e) { return e.reference == reference; });
  return it == ends_.rend() ? std::nullopt : std::optional(it->how);
}

std::vector<const hold*> holds::due(instant now) const {
  std::vector<const hold*> all;
  for (const auto& [at, reference] : by_expiry_) {
    if (at > now)
      break;
    all.push_back(find(reference));
  }
  return all;
}

std::optional<instant> holds::next_expiry() const noexcept {
  return by_expiry_.empty() ? std::nullopt : std::optional(by_expiry_.begin()->first);
}

std::vector<const hold*> holds::all() const {
  std::vector<const hold*> all;
  for (const auto& [_, h] : open_)
    all.push_back(&h);
  return all;
}

void holds::add(hold h) {
  const auto at = h.expires_at;
  auto reference = h.reference;
  const auto [it, fresh] = open_.emplace(std::move(reference), std::move(h));
  ENSURE(fresh);
  by_expiry_.emplace(at, it->first);
}

void holds::remove(const std::string& reference, hold_end how) {
  const auto it = open_.find(reference);
  ENSURE(it != open_.end());
  by_expiry_.erase({it->second.expires_at, it->first});
  open_.erase(it);
  if (ends_.size() == ends_max)
    ends_.erase(ends_.begin());
  ends_.push_back({reference, how});
}

void holds::extend(const std::string& reference, instant to) {
  const auto it = open_.find(reference);
  ENSURE(it != open_.end());
  by_expiry_.erase({it->second.expires_at, it->first});
  it->second.expires_at = to;
  by_expiry_.emplace(to, it->first);
}

void holds::index() {
  for (const auto& [reference, h] : open_)
    by_expiry_.emplace(h.expires_at, reference);
}

} // namespace accrue
