// Commands of the namespace, and customer numbers: shard + 64 × n, so that number mod 64 is the shard.
#include "actors/namespace.hpp"

#include "actors/guarded.hpp"
#include "domain/decisions.hpp"
#include "persistence/journal_codec.hpp"

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

namespace accrue {
namespace {

stored_customer as_customer(const std::string& reference, const std::vector<stored_row>& rows) {
  stored_customer c;
  c.number = customer_id{};
  c.reference = reference;
  c.rows = rows;
  return c;
}

} // namespace

result<catalog> replay_catalog(const std::string& reference, const std::vector<stored_row>& rows) {
  catalog c;
  c.namespace_reference = reference;
  for (const auto& row : rows) {
    const auto e =
        journal::decode(row.body, row.sequence, row.at, static_cast<std::uint8_t>(row.kind));
    if (!e)
      return tl::unexpected(e.error());
    apply(c, *e);
  }
  return c;
}

void namespace_state::start(pointer me,
                            engine_context& c,
                            const space& of,
                            const stored_namespace& stored) {
  self_ = me;
  context_ = &c;
  of_ = of;
  last_customer_ = stored.last_customer;
  current_ = c.find_namespace(of.number)->first_catalog;
  for (const auto& q : stored.quarantined)
    if (q.owner.customer == customer_id{})
      fault_ = q.what.kind;
  if (auto ok = restore(stored.rows); !ok)
    stop(quarantine_kind::corrupt_state, ok.error().text, records_->value.last);
}

// A life of its own: what an earlier one had in flight is over.
result<void> namespace_state::restore(const std::vector<stored_row>& rows) {
  records_.emplace(*context_, of_.number, std::string(), ++context_->lives);
  auto replayed = replay_catalog(of_.reference, rows);
  if (!replayed)
    return tl::unexpected(replayed.error());
  replayed->recognize_every_hours = context_->limits.recognize_every_hours;
  auto ok = records_->restore(as_customer(of_.reference, rows));
  records_->value.exists = true;
  if (ok)
    current_ = std::make_shared<const catalog>(std::move(*replayed));
  return ok;
}

customer_id namespace_state::assign(const std::string& customer) {
  const auto shard = shard_of(of_.reference, customer);
  auto& last = last_customer_[shard];
  // Number 0 is the namespace itself.
  const auto next = last == 0 ? (shard == 0 ? shard_count : shard) : last + shard_count;
  // Whoever gets a number over the last one is refused with it, and the next one is as well.
  if (next <= customer_number_max)
    last = next;
  return customer_id(next);
}

void namespace_state::refuse_held(const envelope& e) {
  records_->refuse_now(e,
                       {errc::quarantined,
                        of_.reference,
                        "the namespace's catalog is in quarantine; send the same key again when an "
                        "operator has lifted it (accrue quarantine lift --catalog)"});
}

void namespace_state::receive(std::shared_ptr<const envelope> e) {
  auto& r = *records_;
  if (command::is_query(e->body)) {
    deciding_ = e;
    const auto got = answer_for_namespace(*current_, r.value.last, e->body);
    return got ? r.reply(*e, *got) : r.refuse(*e, got.error());
  }
  if (held())
    return refuse_held(*e);
  if (!asking_)
    return begin(std::move(e));
  if (waiting_.size() >= context_->limits.customer_queue)
    return records_->refuse_now(
        *e, {errc::overloaded, of_.reference, "too many commands of this namespace are waiting"});
  waiting_.push_back(std::move(e));
}

void namespace_state::go_on() {
  while (!asking_ && !waiting_.empty()) {
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    begin(std::move(next));
  }
}

void namespace_state::begin(std::shared_ptr<const envelope> e) {
  auto& r = *records_;
  deciding_ = e;
  const auto prints = prints_of(*e, *current_);
  if (!prints)
    return r.refuse(*e, prints.error());
  auto known = r.look_up(*prints);
  const auto deadline = e->deadline;
  switch (known.what) {
  case recorder::known::fresh:
    return decide(*e, *prints);
  case recorder::known::repeated:
    repeats_.push_back({known.where, std::move(e)});
    return load_row(known.where, deadline);
  case recorder::known::other_content:
    return r.refuse(*e,
                    {errc::idempotency_conflict, e->key, "this key was used with other content"});
  case recorder::known::ask_journal:
    asking_ = asking{std::move(e), *prints, std::move(known.to_ask)};
    return load_row(asking_->to_ask.back(), deadline);
  }
}

void namespace_state::decide(const envelope& e, const command_prints& p) {
  auto& r = *records_;
  if (!r.its_lane().available())
    return r.refuse_now(
        e, {errc::storage_unavailable, {}, "the store is away; send the same key again"});
  if (context_->failures)
    context_->failures->pass("decide:");
  unit u(r.value, *current_, e.stamp, static_cast<std::uint8_t>(e.body.index()));
  if (auto ok = decide_for_namespace(u, e.body); !ok)
    return r.refuse(e, ok.error());
  auto next = *current_;
  entry done;
  done.facts = u.facts;
  apply(next, done);
  r.record(u, e, p, *current_);
  current_ = std::make_shared<const catalog>(std::move(next));
  // Customers learn of it when it is durable.
  r.after_commit(
      [to = context_->directory, what = catalog_changed{of_.number, current_}](bool kept) {
        if (kept)
          caf::anon_send(to, what);
      });
}

// Reads a unit back, once all that is under way is durable: it may be among it. What is not durable by
// the deadline is not read: it might not be there yet.
void namespace_state::load_row(sequence where, instant deadline) {
  const auto me = caf::actor_cast<namespace_actor>(self_);
  const auto read = [me, where, deadline, store = context_->store, key = records_->key()](
                        bool durable) {
    const auto tell = [me, where](result<stored_row> row, std::optional<instant> late) {
      caf::anon_send(me,
                     row_loaded{where, std::make_shared<result<stored_row>>(std::move(row)), late});
    };
    if (!durable)
      return tell(too_late_to_tell(), deadline);
    store->load_row(
        key, where, [tell](result<stored_row> row) { tell(std::move(row), std::nullopt); });
  };
  records_->after_commit(read, deadline);
}

void namespace_state::row(const row_loaded& m) {
  if (held())
    return;
  const auto& row = *m.row;
  const auto unit =
      row ? journal::decode(row->body, row->sequence, row->at, static_cast<std::uint8_t>(row->kind))
          : result<entry>(tl::unexpected(row.error()));
  if (row && !unit)
    return stop(quarantine_kind::corrupt_state,
                "unit " + std::to_string(m.number.value) + ": " + unit.error().text,
                sequence(m.number.value - 1));
  const auto waits = [&](const envelope& e) { return !m.late || e.deadline <= *m.late; };
  if (asking_ && asking_->to_ask.back() == m.number && waits(*asking_->command))
    asked_row(row ? &*row : nullptr, unit);
  for (const auto& [where, e] : repeats_) {
    if (where != m.number || !waits(*e))
      continue;
    if (unit)
      records_->reply(*e, receipt_of(*unit, records_->value, *current_));
    else
      records_->refuse(*e, unit.error());
  }
  std::erase_if(repeats_,
                [&](const repeat& x) { return x.where == m.number && waits(*x.command); });
  go_on();
}

// The unit that may have this key, or why it cannot be told.
void namespace_state::asked_row(const stored_row* row, const result<entry>& unit) {
  auto asked = std::move(*asking_);
  asking_.reset();
  deciding_ = asked.command;
  if (!unit) {
    records_->refuse(*asked.command, unit.error());
  } else if (answers_to(*row, *unit, asked.prints)) {
    if (row->content == asked.prints.content)
      repeats_.push_back({row->sequence, std::move(asked.command)});
    else
      records_->refuse(
          *asked.command,
          {errc::idempotency_conflict, asked.command->key, "this key was used with other content"});
  } else if (asked.to_ask.pop_back(); !asked.to_ask.empty()) {
    asking_ = std::move(asked);
    load_row(asking_->to_ask.back(), asking_->command->deadline);
  } else {
    decide(*asked.command, asked.prints);
  }
}

void namespace_state::discarded(const unit_discarded& d) {
  if (d.life == records_->life() && !held())
    stop(quarantine_kind::store_refused, d.why, sequence(d.from.value - 1));
}

// The catalog stays as its customers have it; everybody who waits is told.
void namespace_state::stop(std::optional<quarantine_kind> fault,
                           const std::string& why,
                           sequence last_good) {
  spdlog::critical("namespace {} stopped: {}", of_.reference, why);
  fault_ = fault;
  if (const auto asked = std::exchange(asking_, std::nullopt))
    refuse_held(*asked->command);
  if (const auto e = std::exchange(deciding_, nullptr))
    refuse_held(*e);
  for (const auto& e : std::exchange(waiting_, {}))
    refuse_held(*e);
  for (const auto& again : std::exchange(repeats_, {}))
    refuse_held(*again.command);
  const customer_stopped over{
      of_.number, {}, records_->key(), records_->life(), fault, why, last_good};
  records_->end_life([to = context_->directory, over] { caf::anon_send(to, over); });
}

void namespace_state::reload() {
  const auto me = caf::actor_cast<namespace_actor>(self_);
  context_->store->load_namespace(of_.number, [me](result<std::vector<stored_row>> rows) {
    caf::anon_send(
        me, namespace_loaded{std::make_shared<result<std::vector<stored_row>>>(std::move(rows))});
  });
}

void namespace_state::loaded(const result<std::vector<stored_row>>& rows) {
  if (!rows)
    return stop(fault_, rows.error().text, records_->value.last);
  if (auto ok = restore(*rows); !ok)
    return stop(quarantine_kind::corrupt_state, ok.error().text, records_->value.last);
  fault_.reset();
  caf::anon_send(context_->directory,
                 customer_recovered{of_.number, {}, records_->life(), records_->value.last});
}

namespace_actor::behavior_type namespace_behavior(namespace_state::pointer self,
                                                  engine_context* context,
                                                  const space& of,
                                                  const stored_namespace& stored) {
  self->state.start(self, *context, of, stored);
  // A defect ends in quarantine, as a customer's does; without the actor no customer could be created.
  const auto guarded = guarded_by(self);
  return {
      [guarded](const execute& m) { guarded([&](namespace_state& n) { n.receive(m.command); }); },
      [self](const assign_number& m) { m.to(self->state.assign(m.customer)); },
      [self](const unit_discarded& m) { self->state.discarded(m); },
      [self](begin_anew) { self->state.reload(); },
      [guarded](const namespace_loaded& m) {
        guarded([&](namespace_state& n) { n.loaded(*m.rows); });
      },
      [guarded](const row_loaded& m) { guarded([&](namespace_state& n) { n.row(m); }); },
  };
}

} // namespace accrue
