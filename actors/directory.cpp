// Activation and retirement. The order that keeps messages safe: the route table forgets a customer
// first, then it is asked to go, and only when it has gone a new life may begin.
#include "actors/directory.hpp"

#include "actors/customer.hpp"

#include <caf/send.hpp>

#include <chrono>

namespace accrue {
namespace {

// What the operator is told whose lift did not help.
refusal not_recovered(const customer_stopped& s) {
  if (s.fault)
    return {errc::quarantined, s.reference, "was lifted and is in quarantine again: " + s.why};
  return {errc::storage_unavailable, s.reference, "is lifted, but not loaded yet: " + s.why};
}

} // namespace

directory_state::entry& directory_state::spawn(const name_key& who) {
  const auto place = customers.try_emplace(who).first;
  auto& e = place->second;
  if (e.actor)
    return e;
  const auto* space = context->find_namespace(who.first);
  ENSURE(space != nullptr);
  auto& catalog = catalogs.try_emplace(who.first, space->first_catalog).first->second;
  e.life = ++context->lives;
  e.lifted = held->lifted(who);
  lives[e.life] = place;
  e.actor = self->home_system().spawn(customer_behavior,
                                      context,
                                      who.first,
                                      who.second,
                                      customer_life{e.life, held->find(who), e.lifted},
                                      catalog);
  return e;
}

void directory_state::activate(const accrue::activate& who) {
  auto& e = spawn({who.space, who.reference});
  if (e.leaving || e.over) {
    e.wanted = true;
    return;
  }
  e.routed = true;
  context->routes->opened({who.space, who.reference, e.life}, e.actor);
}

// Who is just leaving is not found: its next life begins when it has gone.
customer_actor directory_state::find(const find_active& m) {
  const name_key who{m.space, m.reference};
  const auto it = customers.find(who);
  if (it != customers.end())
    return it->second.leaving || it->second.over ? customer_actor{} : it->second.actor;
  return m.load ? spawn(who).actor : customer_actor{};
}

// The wake-up of somebody in quarantine waits: the scheduler tries it again, and at once after the lift.
void directory_state::tick(const accrue::tick& t) {
  if (held->find({t.owner.space, t.reference}))
    return;
  auto& e = spawn({t.owner.space, t.reference});
  if (e.leaving || e.over)
    e.ticks.push_back(t);
  else
    self->send(e.actor, t);
}

void directory_state::routes_closed(const std::vector<accrue::activate>& who) {
  for (const auto& w : who) {
    const auto it = customers.find({w.space, w.reference});
    if (it == customers.end() || it->second.life != w.life)
      continue;
    it->second.routed = false;
    ask_to_go(it->first, it->second);
  }
}

void directory_state::ask_to_go(const name_key& who, entry& e) {
  if (e.leaving)
    return;
  e.leaving = true;
  const accrue::activate w{who.first, who.second, e.life};
  self->request(e.actor, caf::infinite, retire{e.over})
      .then([this, w](bool gone) { left(w, gone); },
            [this, w](const caf::error&) { left(w, true); });
}

// Who has a route goes when the route table finds it idle. Who has none was woken by the scheduler, or
// could not go the last time.
void directory_state::sweep() {
  for (auto& [who, e] : customers)
    if (!e.routed)
      ask_to_go(who, e);
  context->routes->close({}, self);
}

void directory_state::left(const accrue::activate& who, bool gone) {
  const auto it = customers.find({who.space, who.reference});
  if (it == customers.end())
    return;
  if (it->second.life != who.life)
    return;
  auto waiting = std::move(it->second);
  if (gone) {
    lives.erase(waiting.life);
    customers.erase(it);
  } else {
    it->second = {};
    it->second.actor = waiting.actor;
    it->second.life = waiting.life;
    it->second.over = waiting.over;
    it->second.lifted = waiting.lifted;
  }
  const name_key whose{who.space, who.reference};
  if (gone && held->lifted(whose))
    spawn(whose);
  if (waiting.wanted)
    activate({who.space, who.reference});
  for (const auto& t : waiting.ticks)
    tick(t);
  // It stopped while it was being asked.
  if (!gone && waiting.over)
    ask_to_go(whose, customers.at(whose));
}

void directory_state::discarded(const unit_discarded& d) {
  if (const auto it = lives.find(d.life); it != lives.end())
    self->send(it->second->second.actor, d);
}

void directory_state::stopped(const customer_stopped& s) {
  if (stopped_customers.size() >= 100)
    stopped_customers.erase(stopped_customers.begin());
  stopped_customers.push_back(s);
  const name_key whose{s.space, s.reference};
  if (s.fault)
    held->add(s);
  const auto it = customers.find(whose);
  const bool is_namespace = s.reference.empty();
  if (is_namespace || (it != customers.end() && it->second.life == s.life && it->second.lifted))
    held->recovered(whose, tl::unexpected(not_recovered(s)));
  if (it == customers.end() || it->second.life != s.life)
    return;
  it->second.over = true;
  if (it->second.routed)
    context->routes->close({{s.space, s.reference, s.life}}, self);
  else
    ask_to_go(it->first, it->second);
}

void directory_state::recovered(const customer_recovered& r) {
  held->recovered({r.space, r.reference}, r.last);
  if (const auto it = customers.find({r.space, r.reference});
      it != customers.end() && it->second.life == r.life)
    it->second.lifted = false;
}

void directory_state::stored(const quarantine_stored& s) {
  if (!*s.done)
    self->delayed_send(self, std::chrono::seconds(1), store_quarantine{});
  const auto free = held->stored(s);
  if (!free)
    return;
  if (free->second.empty())
    self->send(context->find_namespace(free->first)->actor, begin_anew{});
  else if (const auto it = customers.find(*free); it != customers.end())
    self->send(it->second.actor, begin_anew{});
  else
    spawn(*free);
}

void directory_state::catalog(const catalog_changed& c) {
  catalogs[c.space] = c.catalog;
  for (const auto& [key, e] : customers)
    if (key.first == c.space)
      self->send(e.actor, c);
}

directory_actor::behavior_type directory_behavior(directory_state::pointer self,
                                                  engine_context* context,
                                                  std::vector<quarantine_row> quarantined) {
  auto& s = self->state;
  s.self = self;
  s.context = context;
  s.held.emplace(*context, caf::actor_cast<directory_actor>(self));
  s.held->restore(std::move(quarantined));
  // The customers go with their directory: whoever still holds one must not keep the process.
  self->set_exit_handler([self](const caf::exit_msg& m) {
    for (const auto& [_, e] : self->state.customers)
      caf::anon_send_exit(e.actor, caf::exit_reason::user_shutdown);
    self->quit(m.reason);
  });
  return {
      [self](const activate& m) { self->state.activate(m); },
      [self](const routes_closed& m) { self->state.routes_closed(m.customers); },
      [self](const tick& m) { self->state.tick(m); },
      [self](const unit_discarded& m) { self->state.discarded(m); },
      [self](const customer_stopped& m) { self->state.stopped(m); },
      [self](const customer_recovered& m) { self->state.recovered(m); },
      [self](const lift& m) { self->state.held->lift(m); },
      [self](const quarantine_stored& m) { self->state.stored(m); },
      [self](store_quarantine) { self->state.held->store(); },
      [self](const list_held& m) { return self->state.held->list(m); },
      [self](const catalog_changed& m) { self->state.catalog(m); },
      [self](sweep) { self->state.sweep(); },
      [self](get_activity) {
        return activity{
            self->state.customers.size(), self->state.held->size(), self->state.stopped_customers};
      },
      [self](const find_active& m) { return customer_found{self->state.find(m)}; },
  };
}

} // namespace accrue
