// Activation and retirement. The order that keeps messages safe: the route table forgets a customer
// first, then it is asked to go, and only when it has gone a new life may begin.
#include "actors/directory.hpp"

#include "actors/customer.hpp"

#include <caf/send.hpp>

#include <spdlog/spdlog.h>

namespace accrue {

directory_state::entry& directory_state::spawn(const accrue::activate& who) {
  auto& e = customers[{who.space, who.reference}];
  if (e.actor) return e;
  const auto* space = context->find_namespace(who.space);
  ENSURE(space != nullptr);
  auto& catalog = catalogs.try_emplace(who.space, space->first_catalog).first->second;
  e.life = ++context->lives;
  lives[e.life] = {who.space, who.reference};
  e.actor = self->home_system().spawn(customer_behavior, context, space->of, who.reference, e.life, catalog);
  return e;
}

void directory_state::activate(const accrue::activate& who) {
  auto& e = spawn(who);
  if (e.leaving) e.wanted = true;
  else context->routes->opened(who, e.actor);
}

void directory_state::tick(const accrue::tick& t) {
  auto& e = spawn({t.owner.space, t.reference});
  if (e.leaving) e.ticks.push_back(t);
  else self->send(e.actor, t);
}

void directory_state::routes_closed(const std::vector<accrue::activate>& who) {
  for (const auto& w : who) {
    const auto it = customers.find({w.space, w.reference});
    if (it == customers.end() || it->second.leaving) continue;
    it->second.leaving = true;
    self->request(it->second.actor, caf::infinite, retire{})
        .then([this, w](bool gone) { left(w, gone); }, [this, w](const caf::error&) { left(w, true); });
  }
}

void directory_state::left(const accrue::activate& who, bool gone) {
  const auto it = customers.find({who.space, who.reference});
  if (it == customers.end()) return;
  auto waiting = std::move(it->second);
  if (gone) {
    lives.erase(waiting.life);
    customers.erase(it);
  } else {
    it->second = {};
    it->second.actor = waiting.actor;
    it->second.life = waiting.life;
  }
  if (waiting.wanted) activate(who);
  for (const auto& t : waiting.ticks) tick(t);
}

void directory_state::discarded(const unit_discarded& d) {
  const auto it = lives.find(d.life);
  if (it == lives.end()) return;
  if (const auto who = customers.find(it->second); who != customers.end()) self->send(who->second.actor, d);
}

void directory_state::stopped(const customer_stopped& s) {
  if (stopped_customers.size() >= 100) stopped_customers.erase(stopped_customers.begin());
  stopped_customers.push_back(s);
  context->routes->close({{s.space, s.reference}}, self);
}

void directory_state::catalog(const catalog_changed& c) {
  catalogs[c.space] = c.catalog;
  for (const auto& [key, e] : customers)
    if (key.first == c.space) self->send(e.actor, c);
}

directory_actor::behavior_type directory_behavior(directory_state::pointer self, engine_context* context) {
  auto& s = self->state;
  s.self = self;
  s.context = context;
  return {
      [self](const activate& m) { self->state.activate(m); },
      [self](const routes_closed& m) { self->state.routes_closed(m.customers); },
      [self](const tick& m) { self->state.tick(m); },
      [self](const unit_discarded& m) { self->state.discarded(m); },
      [self](const customer_stopped& m) { self->state.stopped(m); },
      [self](const catalog_changed& m) { self->state.catalog(m); },
      [self](sweep) { self->state.context->routes->close({}, self); },
      [self](get_activity) { return activity{self->state.customers.size(), self->state.stopped_customers}; },
      [self](const find_active& m) {
        const auto it = self->state.customers.find({m.space, m.reference});
        return customer_found{it == self->state.customers.end() ? customer_actor{} : it->second.actor};
      },
  };
}

} // namespace accrue
