// How a life of a customer begins and ends: loading, stopping, leaving, and quarantine in between. What it
// does meanwhile is in customer.cpp.
#include "actors/customer.hpp"
#include "actors/guarded.hpp"
#include "domain/decisions.hpp"

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>

namespace accrue {
namespace {

// To callers; what the database or a defect says in detail is for operators.
const char* in_words(quarantine_kind k) {
  switch (k) {
  case quarantine_kind::store_refused:
    return "the store does not take a unit of it";
  case quarantine_kind::defect:
    return "a command met a defect of ours";
  case quarantine_kind::corrupt_state:
    return "what is stored of it does not fit together";
  }
  return "a command met a defect of ours";
}

} // namespace

void customer_state::start(pointer self,
                           engine_context& context,
                           namespace_id space,
                           std::string reference,
                           customer_life life,
                           std::shared_ptr<const catalog> cat) {
  self_ = self;
  catalog_ = std::move(cat);
  held_ = std::move(life.held);
  lifted_ = life.lifted;
  recorder_.emplace(context, space, reference, life.number);
  const auto me = caf::actor_cast<customer_actor>(self);
  context.store->load_customer(space, std::move(reference), [me](result<stored_customer> r) {
    caf::anon_send(me, customer_loaded{std::make_shared<result<stored_customer>>(std::move(r))});
  });
}

void customer_state::loaded(const result<stored_customer>& stored) {
  if (mode_ != mode::loading)
    return; // its quarantine was lifted meanwhile
  if (!stored)
    return stop(std::nullopt, stored.error().text, {});
  if (auto ok = recorder_->restore(*stored); !ok)
    return unfit(ok.error().text);
  mode_ = mode::ready;
  tell_scheduler();
  const auto& r = *recorder_;
  if (lifted_)
    caf::anon_send(context().directory,
                   customer_recovered{r.space(), r.value.reference, r.life(), r.value.last});
  go_on();
}

// What it has may be of a unit that was discarded, or was read before this life. Wake-ups that came in
// quarantine are worth another try at once.
void customer_state::tell_scheduler() {
  if (const auto& r = *recorder_; r.value.exists)
    caf::anon_send(context().schedulers[shard_of(r.value.number)],
                   wake{r.key(), r.value.reference, r.due(), lifted_});
}

// What is stored does not fit together. Who is in quarantine already says so to everybody; else this is
// what leads there.
void customer_state::unfit(const std::string& why) {
  if (!held_)
    return stop(quarantine_kind::corrupt_state, why, recorder_->value.last);
  mode_ = mode::unreadable;
  with_backlog().stopped_why = why;
  spdlog::error("customer {} cannot be read: {}", recorder_->value.reference, why);
  if (const auto open = std::move(current_))
    refuse_held(*open->command);
  for (const auto& again : std::exchange(with_backlog().repeats, {}))
    refuse_held(*again.command);
  for (const auto& asked : std::exchange(with_backlog().readings, {}))
    if (command::is_query(asked.command->body))
      refuse_held(*asked.command);
  go_on();
}

void customer_state::refuse_held(const envelope& e) {
  if (e.from.slot != no_session)
    held_->refused.fetch_add(1, std::memory_order_relaxed);
  recorder_->refuse(
      e,
      {errc::quarantined,
       recorder_->value.reference,
       std::string("in quarantine: ") + in_words(held_->what.kind) +
           "; send the same key again when an operator has lifted it (accrue quarantine lift)"});
}

void customer_state::discarded(const unit_discarded& d) {
  if (d.life == recorder_->life())
    stop(quarantine_kind::store_refused, d.why, sequence(d.from.value - 1));
}

void customer_state::begin_anew() {
  stop(std::nullopt, "its quarantine is lifted", recorder_->value.last);
}

// This life is over: everybody who waits is told, and the directory sees to a new one.
void customer_state::stop(std::optional<quarantine_kind> fault,
                          const std::string& why,
                          sequence last_good) {
  if (mode_ == mode::stopped)
    return; // the first reason counts
  auto& r = *recorder_;
  mode_ = mode::stopped;
  // Whom nobody created has nothing that could be kept from harm.
  if (r.value.number == customer_id{})
    fault.reset();
  spdlog::log(fault ? spdlog::level::err : spdlog::level::warn,
              "customer {} stopped: {}",
              r.value.reference,
              why);
  // Also who will find it in quarantine: his key may be known, and the next life knows that.
  const refusal no{errc::storage_unavailable,
                   r.value.reference,
                   "the customer is being reloaded; send the same key again"};
  const auto tell = [&](const envelope& e) { r.refuse_now(e, no); };
  const auto open = std::move(current_);
  if (open)
    tell(*open->command);
  if (deciding && (!open || open->command != deciding))
    tell(*deciding);
  deciding.reset();
  if (const auto left = std::move(backlog_)) {
    for (const auto& e : left->waiting)
      if (e)
        tell(*e);
    for (const auto& again : left->repeats)
      tell(*again.command);
    for (const auto& asked : left->readings)
      if (command::is_query(asked.command->body))
        tell(*asked.command);
  }
  with_backlog().stopped_why = why;
  // What it was to be woken for may never have been stored; who is loaded again says what there is.
  if (fault)
    caf::anon_send(context().schedulers[shard_of(r.value.number)],
                   wake{r.key(), r.value.reference, std::nullopt, false});
  // The next life begins when nothing of this one is under way any more.
  const customer_stopped over{
      r.space(), r.value.reference, r.key(), r.life(), fault, why, last_good};
  r.end_life([to = context().directory, over] { caf::anon_send(to, over); });
}

// Who has stopped goes when the directory has been told: the next life depends on why.
caf::result<bool> customer_state::retire(bool over) {
  if (mode_ == mode::stopped) {
    if (!over)
      return false;
    self_->quit();
    return true;
  }
  if (!awake() || current_ || (backlog_ && !backlog_->nobody_waits()) ||
      !recorder_->all_durable() || recorder_->lost())
    return false;
  // A long tail since the snapshot would make the next activation slow: write one, go the next time.
  if (!held_ && recorder_->since_snapshot() >= exact_keys / 4) {
    recorder_->snapshot();
    return false;
  }
  self_->quit();
  return true;
}

text_lines customer_state::inspect() const {
  const auto& v = recorder_->value;
  text_lines out;
  constexpr std::array modes{"loading", "ready", "unreadable", "stopped"};
  out.lines.push_back("customer " + v.reference + " number " + std::to_string(v.number.value) +
                      " shard " + std::to_string(shard_of(v.number)) + " life " +
                      std::to_string(recorder_->life()));
  out.lines.push_back(
      std::string("mode ") + modes[static_cast<std::size_t>(mode_)] +
      (backlog_ && !backlog_->stopped_why.empty() ? ": " + backlog_->stopped_why : ""));
  if (held_)
    out.lines.push_back("in quarantine since " + to_string(held_->what.since) + ": " +
                        std::string(to_string(held_->what.kind)) + ": " + held_->what.why);
  out.lines.push_back("sequence " + std::to_string(v.last.value) +
                      (recorder_->all_durable() ? " durable" : " on its way"));
  out.lines.push_back("deciding " +
                      std::string(current_ ? command::kind(current_->command->body) : "nothing") +
                      ", waiting " + std::to_string(waiting()));
  out.lines.push_back("grants " + std::to_string(v.grants.size()) + " charges " +
                      std::to_string(v.charges.size()) + " invoices " +
                      std::to_string(v.invoices.size()) + " sub-accounts " +
                      std::to_string(v.book.sub_accounts().size()));
  const auto& holds = v.extras->holds;
  if (const auto ends = holds.next_expiry())
    out.lines.push_back("reservations " + std::to_string(holds.size()) + ", the first ends " +
                        to_string(*ends));
  out.lines.push_back("units since the last snapshot and statement block " +
                      std::to_string(v.last.value - recorder_->blocks_end().value) +
                      ", questions about the past under way " +
                      std::to_string(backlog_ ? backlog_->readings.size() : 0));
  if (const auto due = next_due(v))
    out.lines.push_back("next due " + to_string(*due));
  return out;
}

customer_actor::behavior_type customer_behavior(customer_state::pointer self,
                                                engine_context* context,
                                                namespace_id space,
                                                std::string reference,
                                                customer_life life,
                                                std::shared_ptr<const catalog> cat) {
  auto& s = self->state;
  s.start(self, *context, space, std::move(reference), std::move(life), std::move(cat));
  const auto guarded = guarded_by(self);
  return {
      [guarded](execute& m) {
        guarded([&](customer_state& c) { c.receive(std::move(m.command)); });
      },
      [guarded, self](const tick& t) {
        auto e = std::make_shared<envelope>();
        e->from = {no_session, 0};
        e->stamp = t.now;
        e->deadline = ledger::never;
        // Two wake-ups that find the customer at the same unit are one.
        e->key = "tick:" + std::to_string(t.due.ns) + ":" + std::to_string(t.now.ns) + ":" +
                 std::to_string(self->state.last_unit().value);
        e->body = command::run_due{};
        guarded([&](customer_state& c) { c.receive(std::move(e)); });
      },
      [guarded](const customer_loaded& m) {
        guarded([&](customer_state& c) { c.loaded(*m.stored); });
      },
      [guarded](const row_loaded& m) { guarded([&](customer_state& c) { c.row(m); }); },
      [guarded](const past_loaded& m) { guarded([&](customer_state& c) { c.read(m); }); },
      [guarded](const number_assigned& m) {
        guarded([&](customer_state& c) { c.numbered(m.number); });
      },
      [self](const catalog_changed& m) { self->state.use(m.catalog); },
      [self](const unit_discarded& m) { self->state.discarded(m); },
      [self](begin_anew) { self->state.begin_anew(); },
      [guarded](const retire& m) {
        caf::result<bool> gone = false;
        guarded([&](customer_state& c) { gone = c.retire(m.over); });
        return gone;
      },
      [guarded](inspect) {
        text_lines seen;
        guarded([&](customer_state& c) { seen = c.inspect(); });
        return seen;
      },
  };
}

} // namespace accrue
