// Commands of the namespace, and customer numbers: shard + 64 × n, so that number mod 64 is the shard.
#include "actors/namespace.hpp"

#include "domain/decisions.hpp"
#include "persistence/journal_codec.hpp"

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

namespace accrue {
namespace {

stored_customer as_customer(const std::string& reference, const stored_namespace& stored) {
  stored_customer c;
  c.number = customer_id{};
  c.reference = reference;
  c.rows = stored.rows;
  return c;
}

} // namespace

result<catalog> replay_catalog(const std::string& reference, const stored_namespace& stored) {
  catalog c;
  c.namespace_reference = reference;
  for (const auto& row : stored.rows) {
    const auto e =
        journal::decode(row.body, row.sequence, row.at, static_cast<std::uint8_t>(row.kind));
    if (!e)
      return tl::unexpected(e.error());
    apply(c, *e);
  }
  return c;
}

result<void> namespace_state::start(pointer me,
                                    engine_context& c,
                                    const space& of,
                                    const stored_namespace& stored) {
  self = me;
  context = &c;
  records.emplace(c, of, std::string(), ++c.lives);
  last_customer = stored.last_customer;
  auto replayed = replay_catalog(of.reference, stored);
  if (!replayed)
    return tl::unexpected(replayed.error());
  current = std::make_shared<const catalog>(std::move(*replayed));
  auto ok = records->restore(as_customer(of.reference, stored));
  records->value.exists = true;
  return ok;
}

customer_id namespace_state::assign(const std::string& customer) {
  const auto shard = shard_of(records->of().reference, customer);
  auto& last = last_customer[shard];
  // Number 0 is the namespace itself.
  const auto next = last == 0 ? (shard == 0 ? shard_count : shard) : last + shard_count;
  // Whoever gets a number over the last one is refused with it, and the next one is as well.
  if (next <= customer_number_max)
    last = next;
  return customer_id(next);
}

void namespace_state::receive(const std::shared_ptr<const envelope>& e) {
  auto& r = *records;
  if (broken)
    return r.refuse_now(
        *e, {errc::storage_unavailable, {}, "the namespace is stopped; restart the server"});
  const auto prints = prints_of(*e, *current);
  if (!prints)
    return r.refuse(*e, prints.error());
  const auto known = r.look_up(*prints);
  if (known.what == recorder::known::other_content)
    return r.refuse(*e,
                    {errc::idempotency_conflict, e->key, "this key was used with other content"});
  if (known.what != recorder::known::fresh) {
    repeats.emplace_back(known.where, e);
    const auto me = caf::actor_cast<namespace_actor>(self);
    const auto read =
        [me, store = context->store, key = r.key(), where = known.where, deadline = e->deadline](
            bool durable) {
          const auto tell = [me, where](result<stored_row> row, std::optional<instant> late) {
            caf::anon_send(
                me, row_loaded{where, std::make_shared<result<stored_row>>(std::move(row)), late});
          };
          if (!durable)
            return tell(too_late_to_tell(), deadline);
          store->load_row(
              key, where, [tell](result<stored_row> row) { tell(std::move(row), std::nullopt); });
        };
    r.after_commit(read, e->deadline);
    return;
  }
  if (!r.its_lane().available())
    return r.refuse_now(
        *e, {errc::storage_unavailable, {}, "the store is away; send the same key again"});
  unit u(r.value, *current, e->stamp, static_cast<std::uint8_t>(e->body.index()));
  if (auto ok = decide_for_namespace(u, e->body); !ok)
    return r.refuse(*e, ok.error());
  auto next = *current;
  entry done;
  done.facts = u.facts;
  apply(next, done);
  r.record(u, *e, *prints, *current);
  current = std::make_shared<const catalog>(std::move(next));
  // Customers learn of it when it is durable.
  r.after_commit(
      [to = context->directory, what = catalog_changed{r.of().number, current}](bool kept) {
        if (kept)
          caf::anon_send(to, what);
      });
}

void namespace_state::row(const row_loaded& m) {
  const auto& row = *m.row;
  const auto meant = [&](const auto& x) {
    return x.first == m.number && (!m.late || x.second->deadline <= *m.late);
  };
  for (const auto& x : repeats) {
    if (!meant(x))
      continue;
    const auto& e = *x.second;
    const auto done =
        row ? journal::decode(
                  row->body, row->sequence, row->at, static_cast<std::uint8_t>(row->kind))
            : result<entry>(tl::unexpected(row.error()));
    if (done)
      records->reply(e, receipt_of(*done, records->value, *current));
    else
      records->refuse(e, done.error());
  }
  std::erase_if(repeats, meant);
}

namespace_actor::behavior_type namespace_behavior(namespace_state::pointer self,
                                                  engine_context* context,
                                                  space of,
                                                  const stored_namespace& stored) {
  if (auto ok = self->state.start(self, *context, of, stored); !ok) {
    spdlog::critical("namespace {}: {}", of.reference, ok.error().text);
    self->state.broken = true;
  }
  return {
      [self](const execute& m) { self->state.receive(m.command); },
      [self](const assign_number& m) { m.to(self->state.assign(m.customer)); },
      [self](const unit_discarded& m) {
        spdlog::critical("a unit of namespace {} could not be stored: {}",
                         self->state.records->of().reference,
                         m.why);
        self->state.broken = true;
      },
      [self](const row_loaded& m) { self->state.row(m); },
  };
}

} // namespace accrue
