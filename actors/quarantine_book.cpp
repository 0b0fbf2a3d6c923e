// Into quarantine, into the store, and out again. See quarantine_book.hpp.
#include "actors/quarantine_book.hpp"

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace accrue {
namespace {

// What the database says goes on with the row it was about; operators need its first line.
std::string in_short(const std::string& why) {
  constexpr std::size_t bytes_max = 300;
  auto end = std::min({why.find('\n'), bytes_max, why.size()});
  while (end > 0 && end < why.size() && (static_cast<unsigned char>(why[end]) & 0xC0U) == 0x80U)
    --end; // not within a character of UTF-8
  return why.substr(0, end);
}

std::string described(const quarantine_book::name& who) {
  return who.second.empty() ? "the namespace itself" : "customer " + who.second;
}

} // namespace

void quarantine_book::restore(std::vector<quarantine_row> stored) {
  for (auto& row : stored) {
    const name who{row.owner.space, row.what.reference};
    auto held = std::make_shared<held_back>();
    held->owner = row.owner;
    held->what = std::move(row.what);
    held_.insert_or_assign(who, entry{.held = std::move(held), .stored = true});
  }
}

std::shared_ptr<held_back> quarantine_book::find(const name& who) const {
  const auto it = held_.find(who);
  return it == held_.end() ? nullptr : it->second.held;
}

quarantine_list quarantine_book::list(const list_held& asked) const {
  quarantine_list out;
  for (const auto& [who, e] : held_)
    if (who.first == asked.space)
      out.items.push_back(e.held);
  out.total = out.items.size();
  std::ranges::stable_sort(out.items, {}, [](const auto& h) { return h->what.since; });
  out.items.resize(std::min<std::size_t>(out.items.size(), asked.limit));
  return out;
}

void quarantine_book::add(const customer_stopped& s) {
  const name who{s.space, s.reference};
  if (held_.contains(who))
    return;
  auto held = std::make_shared<held_back>();
  held->owner = s.owner;
  held->what = {s.reference, context_->time->now(), *s.fault, in_short(s.why), s.last_good};
  spdlog::error("quarantine: {} of namespace {}: {} after unit {}: {}",
                described(who),
                s.space.value,
                to_string(*s.fault),
                s.last_good.value,
                held->what.why);
  held_.emplace(who, entry{.held = std::move(held)});
  store();
}

void quarantine_book::store() {
  if (storing_)
    return;
  // In turn: one that the store never takes keeps nobody else out.
  const auto waits = [](const auto& e) { return !e.second.stored; };
  auto it = std::find_if(held_.upper_bound(tried_last_), held_.end(), waits);
  if (it == held_.end())
    it = std::ranges::find_if(held_, waits);
  if (it == held_.end())
    return;
  tried_last_ = it->first;
  storing_ = true;
  const auto& h = *it->second.held;
  context_->store->put_quarantine(
      h.owner,
      h.what,
      [me = me_, told = quarantine_stored{it->first.first, it->first.second, false, {}}](
          result<void> done) mutable {
        told.done = std::make_shared<result<void>>(std::move(done));
        caf::anon_send(me, std::move(told));
      });
}

void quarantine_book::lift(accrue::lift wish) {
  const auto it = held_.find({wish.space, wish.reference});
  if (it == held_.end())
    return wish.done(refuse(errc::not_found, "is not in quarantine", wish.reference));
  if (it->second.wish)
    return wish.done(refuse(errc::conflict, "is just being lifted", wish.reference));
  it->second.wish = std::move(wish);
  remove(it->first, it->second);
}

void quarantine_book::remove(const name& who, entry& e) {
  if (storing_)
    return; // what is under way tells when it has ended
  storing_ = true;
  context_->store->drop_quarantine(
      e.held->owner,
      e.held->what.since,
      [me = me_,
       told = quarantine_stored{who.first, who.second, true, {}}](result<void> done) mutable {
        told.done = std::make_shared<result<void>>(std::move(done));
        caf::anon_send(me, std::move(told));
      });
}

std::optional<quarantine_book::name> quarantine_book::stored(const quarantine_stored& s) {
  storing_ = false;
  const name who{s.space, s.reference};
  const auto it = held_.find(who);
  ENSURE(it != held_.end()); // nobody leaves while a change is under way
  std::optional<name> free;
  if (s.lifted) {
    auto wish = std::exchange(it->second.wish, std::nullopt);
    if (*s.done) {
      spdlog::warn("quarantine of {} of namespace {} lifted by {}: {}",
                   described(who),
                   s.space.value,
                   wish->by,
                   wish->reason.empty() ? "no reason given" : wish->reason);
      held_.erase(it);
      lifted_.insert_or_assign(who, std::move(*wish));
      free = who;
    } else {
      it->second.stored = false; // it may have gone, or go later: it is put again
      wish->done(tl::unexpected(s.done->error()));
    }
  } else {
    it->second.stored = s.done->has_value();
    if (!*s.done && !std::exchange(it->second.complained, true))
      spdlog::warn("quarantine of {} of namespace {} is not stored, which is tried on: {}",
                   described(who),
                   s.space.value,
                   s.done->error().text);
  }
  const auto next =
      std::ranges::find_if(held_, [](const auto& e) { return e.second.wish.has_value(); });
  if (next != held_.end())
    remove(next->first, next->second);
  else if (*s.done)
    store();
  return free;
}

void quarantine_book::recovered(const name& who, result<sequence> how) {
  if (auto it = lifted_.find(who); it != lifted_.end()) {
    const auto wish = std::move(it->second);
    lifted_.erase(it);
    wish.done(std::move(how));
  }
}

} // namespace accrue
