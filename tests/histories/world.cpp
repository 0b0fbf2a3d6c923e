// Servers, the database and time, moved by the dice. See world.hpp.
#include "tests/histories/world.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace accrue::histories {

world::world(dice& chance, chronicle& log, listener& hears, engine_limits limits, instant start)
    : chance_(chance), log_(log), hears_(hears), limits_(limits), now_(start) {}

world::~world() = default;

std::uint64_t world::durable(const std::string& customer) const {
  for (const auto& [_, rows] : db_.customers)
    if (rows.reference == customer && !rows.journal.empty())
      return rows.journal.rbegin()->first;
  return 0;
}

std::vector<std::uint32_t> world::servers() const {
  std::vector<std::uint32_t> ids;
  for (const auto& h : hosts_)
    ids.push_back(h.id);
  return ids;
}

world::host* world::find(std::uint32_t id) {
  const auto it = std::ranges::find(hosts_, id, &host::id);
  return it == hosts_.end() ? nullptr : &*it;
}

std::string world::where(const host& h) const {
  return to_string(now_) + " server " + std::to_string(h.id);
}

void world::send(std::uint32_t server,
                 std::string customer,
                 std::shared_ptr<envelope> e,
                 instant& stamp) {
  auto* h = find(server);
  ENSURE(h != nullptr);
  letter l{std::move(customer), std::move(e), &stamp};
  if (h->still)
    h->unread.push_back(std::move(l));
  else
    read(*h, std::move(l));
}

void world::read(host& h, letter l) {
  *l.stamp = now_;
  l.command->stamp = now_;
  h.server->context().latest_stamp.store(now_.ns, std::memory_order_relaxed);
  h.server->execute(l.customer, std::move(l.command));
}

bool world::step() {
  std::vector<std::pair<host*, bool>> can; // and whether it is the database's turn
  for (auto& h : hosts_) {
    if (!h.still && h.server->has_job())
      can.emplace_back(&h, false);
    if (!hold_commits && h.server->the_lane().in_flight())
      can.emplace_back(&h, true);
  }
  if (can.empty())
    return false;
  // The database is slow compared to a message.
  auto [h, commits] = can.size() == 1 ? can.front() : can[chance_.pick(can.size())];
  if (commits && can.size() > 1 && !chance_.once_in(3))
    std::tie(h, commits) = can.front();
  if (commits)
    commit(*h);
  else
    h->server->step();
  return true;
}

void world::commit(host& h) {
  auto fault = commit_fault::none;
  if (trouble && chance_.once_in(4))
    fault = static_cast<commit_fault>(1 + chance_.pick(4));
  constexpr const char* names[] = {
      "commit", "commit retried", "commit in doubt, landed", "unit refused", "commit lost"};
  const char* name = db_.away ? "commit while away" : names[static_cast<std::size_t>(fault)];
  log_.tell(name, {h.id, static_cast<std::uint64_t>(db_.lane.batch)}, [&] {
    return where(h) + ": " + name;
  });
  const auto held_at = [&] {
    std::map<customer_key, std::size_t> units;
    for (const auto& [owner, _] : db_.quarantined)
      if (const auto it = db_.customers.find(owner); it != db_.customers.end())
        units[owner] = it->second.journal.size();
    return units;
  };
  const auto before = held_at();
  const auto refused = h.server->the_lane().commit(fault);
  if (held_at() != before)
    log_.find("a unit of a customer in quarantine was stored");
  if (refused) {
    const auto whose = db_.customers.find(*refused);
    hears_.at_fault(whose == db_.customers.end() ? std::string() : whose->second.reference);
  }
  h.server->wake_lane();
}

void world::settle() {
  do {
    while (step()) {
    }
    end_lost();
  } while (
      std::ranges::any_of(hosts_, [](const host& h) { return !h.still && h.server->has_job(); }));
}

void world::end_lost() {
  for (std::size_t n = 0; n < hosts_.size();)
    if (hosts_[n].lost_database && !hosts_[n].still)
      end(n);
    else
      ++n;
}

void world::end(std::size_t n) {
  const auto id = hosts_[n].id;
  hosts_.erase(hosts_.begin() + static_cast<std::ptrdiff_t>(n));
  hears_.ended(id);
}

void world::pass(std::int64_t ns) {
  now_ = plus_ns(now_, ns);
  for (auto& h : hosts_) {
    h.timers_behind_ns += ns;
    if (h.still)
      continue;
    h.server->advance_timers(std::exchange(h.timers_behind_ns, 0));
    if (now_.ns - h.renewed_at.ns >= lease_ns / 4) {
      h.renewed_at = now_;
      h.server->the_lane().renew();
    }
  }
}

void world::start_server() {
  if (db_.away || now_ < db_.lane.expires_at)
    return;
  const auto id = next_id_++;
  virtual_server_parts parts;
  parts.database = &db_;
  parts.time = this;
  parts.now = [this] { return now_; };
  parts.limits = limits_;
  parts.limits.wake_pause_ns = 0;
  parts.space = "shop";
  parts.failures = &failures_;
  parts.lease_ns = lease_ns;
  parts.pick = [this](std::size_t jobs) { return chance_.pick(jobs); };
  parts.answered = [this](reply_address, const wire::answer& a) { hears_.answered(a); };
  parts.deliver = [this](std::span<const waiting_message> messages) -> std::size_t {
    if (outbox_fails)
      return 0;
    const auto some =
        trouble && chance_.once_in(3) ? chance_.pick(messages.size() + 1) : messages.size();
    delivered.insert(
        delivered.end(), messages.begin(), messages.begin() + static_cast<std::ptrdiff_t>(some));
    return some;
  };
  parts.serve_lane = [this](memory_lane& lane) {
    if (trouble && chance_.once_in(40))
      db_.failing_reads = 1;
    return lane.work();
  };
  parts.stop_process = [this, id](const std::string&) {
    if (auto* h = find(id)) {
      h->lost_database = true;
      log_.tell("server lost the database", {id}, [&] { return where(*h) + ": fenced"; });
    }
  };
  const bool beside = !hosts_.empty();
  hosts_.push_back(
      {id, std::make_unique<virtual_server>(std::move(parts)), false, false, 0, now_, {}});
  log_.tell(beside ? "server took over" : "server started", {id}, [&] {
    return where(hosts_.back()) + (beside ? ": takes over, the lease has lapsed" : ": starts");
  });
}

void world::crash() {
  if (hosts_.empty())
    return;
  const auto n = chance_.pick(hosts_.size());
  auto& h = hosts_[n];
  const bool flying = h.server->the_lane().in_flight();
  const bool lands = flying && chance_.once_in(2);
  if (lands)
    h.server->the_lane().commit(commit_fault::none);
  const char* what = !flying ? "crash" : lands ? "crash, commit landed" : "crash, commit gone";
  log_.tell(what, {h.id}, [&] { return where(h) + ": " + what; });
  // Known to be dead: nobody waits for its lease.
  if (n + 1 == hosts_.size())
    db_.lane.expires_at = std::min(db_.lane.expires_at, now_);
  end(n);
}

void world::stand_still() {
  if (hosts_.empty())
    return;
  auto& h = hosts_[chance_.pick(hosts_.size())];
  if (std::exchange(h.still, true))
    return;
  log_.tell("server stands still", {h.id}, [&] { return where(h) + ": stands still"; });
}

void world::let_continue() {
  for (auto& h : hosts_) {
    if (!std::exchange(h.still, false))
      continue;
    log_.tell(h.server->the_lane().owns() ? "server goes on" : "server goes on without its lease",
              {h.id},
              [&] { return where(h) + ": goes on"; });
    h.server->advance_timers(std::exchange(h.timers_behind_ns, 0));
    for (auto& l : std::exchange(h.unread, {}))
      read(h, std::move(l));
  }
}

void world::retire_idle() {
  log_.tell("idle customers leave", {}, [&] { return to_string(now_) + " the idle leave"; });
  for (auto& h : hosts_)
    h.server->sweep();
}

void world::end_some_actor() {
  if (hosts_.empty())
    return;
  auto& c = hosts_[chance_.pick(hosts_.size())].server->context();
  const auto shard = chance_.pick(shard_count);
  const bool outbox = chance_.once_in(2);
  log_.tell(outbox ? "outbox ended" : "scheduler ended", {shard}, [&] {
    return to_string(now_) + (outbox ? " the outbox" : " the scheduler") + " of shard " +
           std::to_string(shard) + " ends";
  });
  if (outbox)
    caf::anon_send_exit(c.outboxes[shard], caf::exit_reason::kill);
  else
    caf::anon_send_exit(c.schedulers[shard], caf::exit_reason::kill);
}

void world::throw_in(const std::string& customer) {
  failures_.left["decide:" + customer] = 1;
  hears_.at_fault(customer);
}

void world::lift(const std::string& customer, const std::shared_ptr<bool>& held) {
  if (hosts_.empty())
    return;
  auto& h = hosts_[chance_.pick(hosts_.size())];
  h.server->lift(customer, [this, customer, held, id = h.id](const result<sequence>& at) {
    *held = *held || at || at.error().code != errc::not_found;
    if (at)
      log_.tell("quarantine lifted", {id, at->value}, [&] {
        return to_string(now_) + " server " + std::to_string(id) + ": the quarantine of " +
               customer + " is lifted";
      });
  });
}

void world::store_away(bool away) {
  if (std::exchange(db_.away, away) == away)
    return;
  log_.tell(away ? "store away" : "store back", {}, [&] {
    return to_string(now_) + (away ? " the store is away" : " the store is back");
  });
  if (!away)
    for (auto& h : hosts_)
      h.server->wake_lane();
}

void world::calm_down() {
  trouble = false;
  hold_commits = false;
  outbox_fails = false;
  failures_.left.clear();
  db_.failing_reads = 0;
  store_away(false);
  let_continue();
}

} // namespace accrue::histories
