// Wiring by hand, top to bottom, and the supervisor.
#include "actors/engine.hpp"

#include "actors/console.hpp"
#include "actors/directory.hpp"
#include "actors/ledger_writer.hpp"
#include "actors/namespace.hpp"
#include "actors/outbox.hpp"
#include "actors/scheduler.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <chrono>

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(accrue::supervise)

namespace accrue {
namespace {

using respawn = std::function<void(std::uint32_t shard)>;

// Ends everybody, itself last. Here and not from outside: what was started again meanwhile is ended too.
void end_all(caf::event_based_actor* self, const engine_context& context) {
  const auto end = [](const auto& a) { caf::anon_send_exit(a, caf::exit_reason::user_shutdown); };
  for (const auto& s : context.schedulers)
    end(s);
  for (const auto& o : context.outboxes)
    end(o);
  for (const auto& n : context.namespaces)
    end(n.actor);
  end(context.console);
  end(context.directory);
  end(context.writer);
  self->quit();
}

// Watches everybody. Who holds nothing is started again; who cannot be replaced ends the process, which is
// the safe thing: all that was acknowledged is in the store.
caf::behavior supervisor(caf::event_based_actor* self,
                         engine_context* context,
                         const respawn& new_scheduler,
                         const respawn& new_outbox) {
  self->set_down_handler([=](const caf::down_msg& m) {
    for (std::uint32_t shard = 0; shard < shard_count; ++shard) {
      if (m.source == context->schedulers[shard].address()) {
        spdlog::error("the scheduler of shard {} ended and is started again", shard);
        new_scheduler(shard);
        self->monitor(context->schedulers[shard]);
        return;
      }
      if (m.source == context->outboxes[shard].address()) {
        spdlog::error("the outbox of shard {} ended and is started again", shard);
        new_outbox(shard);
        self->monitor(context->outboxes[shard]);
        return;
      }
    }
    spdlog::critical("an actor that cannot be replaced ended");
    if (context->stop_process)
      context->stop_process("an actor that cannot be replaced ended");
  });
  for (const auto& s : context->schedulers)
    self->monitor(s);
  for (const auto& o : context->outboxes)
    self->monitor(o);
  self->monitor(context->directory);
  self->monitor(context->writer);
  self->monitor(context->console);
  for (const auto& n : context->namespaces)
    self->monitor(n.actor);
  const auto pause = std::chrono::nanoseconds(context->limits.sweep_ns);
  self->delayed_send(self, pause, sweep{});
  return {
      [=](sweep) {
        self->send(context->directory, sweep{});
        self->delayed_send(self, pause, sweep{});
      },
      [=](supervise) { end_all(self, *context); },
  };
}

} // namespace

engine::engine(caf::actor_system& system, engine_parts parts)
    : system_(system), parts_(std::move(parts)) {}

lane_events engine::events_for(const std::shared_ptr<ledger_writer_actor>& writer) {
  return {
      [writer](
          const customer_key& owner, std::uint32_t life, sequence from, const std::string& why) {
        if (*writer)
          caf::anon_send(*writer, unit_discarded{owner, life, from, why});
      },
      [](const std::string& what) { spdlog::error("the store refuses a batch: {}", what); },
      [writer](const std::string& why) {
        if (*writer)
          caf::anon_send(*writer, ownership_lost{why});
      },
      {},
      [](bool available, const std::string& why) {
        if (available)
          spdlog::warn("the store is back");
        else
          spdlog::error("the store is away, new commands are refused: {}", why);
      }};
}

void engine::spawn_scheduler(std::uint32_t shard) {
  context_.schedulers[shard] = system_.spawn(scheduler_behavior, &context_, shard);
}

void engine::spawn_outbox(std::uint32_t shard) {
  context_.outboxes[shard] = system_.spawn(outbox_behavior, &context_, shard);
}

result<std::unique_ptr<engine>> engine::start(caf::actor_system& system, engine_parts parts) {
  std::unique_ptr<engine> e(new engine(system, std::move(parts)));
  auto& c = e->context_;
  auto& p = e->parts_;
  c.store = p.store;
  c.replies = p.replies;
  c.time = p.time;
  c.routes = p.routes;
  c.limits = p.limits;
  c.deliver = p.deliver;
  c.database_status = p.database_status;
  c.stop_process = p.stop_process;
  c.failures = p.failures;
  std::vector<stored_namespace> stored;
  std::vector<quarantine_row> quarantined;
  for (const auto& reference : p.namespaces) {
    auto opened = c.store->open_namespace(reference);
    if (!opened)
      return tl::unexpected(opened.error());
    auto cat = replay_catalog(reference, opened->rows);
    if (!cat)
      return tl::unexpected(cat.error());
    cat->recognize_every_hours = c.limits.recognize_every_hours;
    c.namespaces.push_back(
        {{opened->number, reference}, {}, std::make_shared<const catalog>(std::move(*cat))});
    quarantined.insert(quarantined.end(), opened->quarantined.begin(), opened->quarantined.end());
    stored.push_back(std::move(*opened));
  }
  if (!quarantined.empty())
    spdlog::warn("in quarantine: {}; accrue quarantine list says who and why", quarantined.size());
  c.writer = system.spawn(ledger_writer_behavior, &c, p.step);
  c.directory = system.spawn(directory_behavior, &c, std::move(quarantined));
  c.schedulers.resize(shard_count);
  c.outboxes.resize(shard_count);
  for (std::size_t n = 0; n < stored.size(); ++n)
    c.namespaces[n].actor =
        system.spawn(namespace_behavior, &c, c.namespaces[n].of, std::move(stored[n]));
  for (std::uint32_t shard = 0; shard < shard_count; ++shard) {
    e->spawn_scheduler(shard);
    e->spawn_outbox(shard);
  }
  c.console = system.spawn(console_behavior, &c);
  auto* self = e.get();
  e->supervisor_ =
      system.spawn(supervisor,
                   &c,
                   respawn([self](std::uint32_t shard) { self->spawn_scheduler(shard); }),
                   respawn([self](std::uint32_t shard) { self->spawn_outbox(shard); }));
  return e;
}

void engine::stop() {
  if (std::exchange(stopped_, true))
    return;
  if (supervisor_)
    caf::anon_send(supervisor_, supervise{});
  supervisor_ = nullptr;
}

engine::~engine() { stop(); }

} // namespace accrue
