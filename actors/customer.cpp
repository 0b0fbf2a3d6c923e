// The order of things within one customer, while it lives. See customer.hpp; how a life begins and ends is
// in customer_life.cpp.
#include "actors/customer.hpp"

#include "actors/charge.hpp"
#include "domain/decisions.hpp"
#include "domain/recognition.hpp"
#include "persistence/journal_codec.hpp"

#include <caf/response_promise.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>

namespace accrue {

namespace {

// Sent by the scheduler.
bool is_wake_up(const envelope& e) {
  return e.from.slot == no_session && (std::holds_alternative<command::run_due>(e.body) ||
                                       std::holds_alternative<command::recognize>(e.body));
}

std::shared_ptr<const envelope> with_body(const envelope& e, command::any body) {
  auto made = std::make_shared<envelope>(e);
  made->body = std::move(body);
  return made;
}

} // namespace

void customer_state::receive(std::shared_ptr<const envelope> e) {
  if (mode_ == mode::stopped)
    return recorder_->refuse_now(*e,
                                 {errc::storage_unavailable,
                                  recorder_->value.reference,
                                  "the customer is being reloaded; send the same key again"});
  if (awake() && !current_ && waiting() == 0)
    return begin(std::move(e));
  if (waiting() >= context().limits.customer_queue)
    return recorder_->refuse_now(*e,
                                 {errc::overloaded,
                                  recorder_->value.reference,
                                  "too many commands of this customer are waiting"});
  with_backlog().waiting.push_back(std::move(e));
}

// Decides what waits until something has to be waited for.
void customer_state::go_on() {
  if (!backlog_)
    return;
  std::size_t next = 0;
  while (awake() && !current_ && next < waiting())
    begin(std::move(backlog_->waiting[next++]));
  auto& waiting = backlog_->waiting;
  waiting.erase(waiting.begin(),
                waiting.begin() + static_cast<std::ptrdiff_t>(std::min(next, waiting.size())));
  // An idle charge is a value in its customer: its actor goes as soon as nobody waits.
  if (!current_ && waiting.empty())
    backlog_->charges.clear();
  if (backlog_->nobody_waits() && backlog_->charges.empty() && backlog_->stopped_why.empty())
    backlog_.reset();
}

thread_local std::shared_ptr<const envelope> customer_state::deciding;

void customer_state::settled() noexcept { deciding.reset(); }

bool customer_state::too_late(const envelope& e) const noexcept {
  return e.deadline.ns < context().latest_stamp.load(std::memory_order_relaxed);
}

void customer_state::begin(std::shared_ptr<const envelope> e) {
  auto& r = *recorder_;
  if (is_wake_up(*e))
    if (const auto hour = only_recognition_due(r.value, std::max(e->stamp, r.value.clock)))
      e = with_body(*e, *hour);
  deciding = e;
  if (too_late(*e))
    return r.refuse(
        *e, {errc::deadline_exceeded, r.value.reference, "not decided in time; nothing happened"});
  if (mode_ == mode::unreadable)
    return refuse_held(*e);
  if (command::is_query(e->body)) {
    if (is_about_past(r.value, e->body, e->stamp))
      return ask_past(std::move(e));
    const auto got = accrue::answer(r.value, *catalog_, e->stamp, e->body);
    return got ? r.reply(*e, *got) : r.refuse(*e, got.error());
  }
  const auto prints = prints_of(*e, *catalog_);
  if (!prints)
    return r.refuse(*e, prints.error());
  const auto known = r.look_up(*prints);
  switch (known.what) {
  case recorder::known::fresh:
    break;
  case recorder::known::repeated:
    return answer_again(known.where, std::move(e));
  case recorder::known::other_content:
    return r.refuse(*e,
                    {errc::idempotency_conflict,
                     e->key.empty() ? std::string(command::given_id(e->body)) : e->key,
                     "this key was used with other content"});
  case recorder::known::ask_journal:
    current_ = std::make_unique<open_unit>();
    current_->command = std::move(e);
    current_->prints = *prints;
    current_->to_ask = known.to_ask;
    return load_row(current_->to_ask.back(), current_->command->deadline);
  }
  decide(std::move(e), *prints);
}

// A new command; nobody in quarantine gets here further than to its refusal.
void customer_state::decide(std::shared_ptr<const envelope> e, const command_prints& p) {
  auto& r = *recorder_;
  if (held_)
    return refuse_held(*e);
  if (e->expected_sequence && *e->expected_sequence != r.value.last)
    return r.refuse(*e,
                    {errc::conflict,
                     r.value.reference,
                     "the customer is at sequence " + std::to_string(r.value.last.value)});
  if (!r.its_lane().available())
    return r.refuse_now(
        *e, {errc::storage_unavailable, {}, "the store is away; send the same key again"});
  if (!r.value.exists && std::holds_alternative<command::put_customer>(e->body) &&
      r.value.number == customer_id{}) {
    current_ = std::make_unique<open_unit>();
    current_->command = std::move(e);
    current_->prints = p;
    const auto me = caf::actor_cast<customer_actor>(self_);
    caf::anon_send(context().find_namespace(r.space())->actor,
                   assign_number{r.value.reference,
                                 [me](customer_id n) { caf::anon_send(me, number_assigned{n}); }});
    return;
  }
  if (!needs_past(e, p))
    decide_with(std::move(e), p, {});
}

void customer_state::decide_with(std::shared_ptr<const envelope> e,
                                 const command_prints& p,
                                 std::span<const entry> loaded) {
  auto& r = *recorder_;
  deciding = e;
  if (auto* const failures = context().failures)
    failures->pass("decide:" + r.value.reference);
  unit u(
      r.value, *catalog_, e->stamp, static_cast<std::uint8_t>(e->body.index()), context().failures);
  u.loaded = loaded;
  if (is_simple(e->body)) {
    const auto ok = decide_now(u, e->body);
    return ok ? commit(u, *e, p, *catalog_) : r.refuse(*e, ok.error());
  }
  current_ = std::make_unique<open_unit>();
  current_->command = std::move(e);
  current_->terms = catalog_;
  current_->prints = p;
  current_->work.emplace(std::move(u));
  current_->number = ++units_opened_;
  current_->talk.emplace(accrue::decide(*current_->work, current_->command->body));
  converse();
}

// Runs the conversation to its next question to a charge, or to its end.
void customer_state::converse() {
  current_->talk->resume();
  if (current_->talk->done())
    return finish();
  carry(current_->talk->asked());
}

void customer_state::carry(const to_charge& message) {
  const auto* target = current_->work->find_charge(message.charge);
  ENSURE(target != nullptr);
  // What a part of the unit undid, the charge has to forget as well.
  self_->send(charge_of(*target), charge_state_is{current_->number, target->state});
  tell_charge(*target, message.event);
}

void customer_state::tell_charge(const charge& to, flat_fee::event what) {
  const auto id = to.terms.id;
  const auto number = current_->number;
  self_->request(charge_of(to), caf::infinite, charge_event{number, std::move(what)})
      .then([this, number, id](charge_decision d) { charge_answered(number, id, std::move(d)); },
            [this, number, id](const caf::error&) {
              charge_answered(number, id, {{}, "its actor ended"});
            });
}

void customer_state::charge_answered(std::uint32_t number, charge_id id, charge_decision answer) {
  if (!current_ || current_->number != number)
    return; // the customer stopped meanwhile
  if (!answer.broken.empty())
    return broken("charge " + std::to_string(id.value) + ": " + answer.broken);
  auto& d = answer.decided;
  try {
    if (d)
      if (const auto* need = need_of(*d)) {
        const auto target = *current_->work->find_charge(id);
        auto got = supply(*current_->work, target.terms, *need);
        if (got)
          return tell_charge(target, std::move(*got));
        d = tl::unexpected(got.error());
      }
    current_->talk->answer(std::move(d));
    converse();
    if (!current_)
      go_on();
    settled();
  } catch (...) {
    broken(what_broke());
  }
}

void customer_state::finish() {
  const auto done = std::move(current_);
  deciding = done->command;
  const auto& outcome = done->talk->outcome();
  if (!outcome)
    recorder_->refuse(*done->command, outcome.error());
  else
    commit(*done->work, *done->command, done->prints, *done->terms);
}

void customer_state::commit(const unit& u,
                            const envelope& e,
                            const command_prints& p,
                            const catalog& cat) {
  const auto due_before = recorder_->due();
  const bool ticked = is_wake_up(e);
  if (ticked && does_nothing(u)) {
    // What is due and cannot be done does not keep the hour from its turn.
    const auto& c = recorder_->value;
    const auto hour = due_recognition(c, std::max(e.stamp, c.clock));
    if (hour && std::holds_alternative<command::run_due>(e.body))
      caf::anon_send(caf::actor_cast<customer_actor>(self_), execute{with_body(e, *hour)});
    return;
  }
  recorder_->record(u, e, p, cat);
  tell_others(due_before, ticked, u.facts);
}

void customer_state::tell_others(std::optional<instant> due_before,
                                 bool ticked,
                                 const std::vector<fact::any>& facts) {
  auto& r = *recorder_;
  const auto shard = shard_of(r.value.number);
  // After a wake-up that did something, the same instant is another thing that is due.
  if (const auto due = r.due(); due != due_before || (ticked && due))
    caf::anon_send(context().schedulers[shard], wake{r.key(), r.value.reference, due, ticked});
  const bool leaves = std::ranges::any_of(
      facts, [](const fact::any& f) { return std::holds_alternative<fact::message_queued>(f); });
  if (leaves)
    r.after_commit([to = context().outboxes[shard]](bool kept) {
      if (kept)
        caf::anon_send(to, look_for_messages{});
    });
}

charge_actor& customer_state::charge_of(const charge& c) {
  auto& charges = with_backlog().charges;
  const auto it =
      std::ranges::find(charges, c.terms.id, &std::pair<charge_id, charge_actor>::first);
  if (it != charges.end())
    return it->second;
  return charges.emplace_back(c.terms.id, self_->spawn(charge_behavior, c, context().failures))
      .second;
}

// The same key with the same content: the same reply, from what its unit recorded, once that is durable.
void customer_state::answer_again(sequence where, std::shared_ptr<const envelope> e) {
  const auto deadline = e->deadline;
  with_backlog().repeats.push_back({where, std::move(e)});
  load_row(where, deadline);
}

// Reads a unit back, once all that is under way is durable: it may be among it. What is not durable by
// the deadline is not read: it might not be there yet.
void customer_state::load_row(sequence where, instant deadline) {
  const auto me = caf::actor_cast<customer_actor>(self_);
  const auto read = [me, where, store = context().store, key = recorder_->key()] {
    store->load_row(key, where, [me, where](result<stored_row> row) {
      caf::anon_send(
          me,
          row_loaded{where, std::make_shared<result<stored_row>>(std::move(row)), std::nullopt});
    });
  };
  if (recorder_->all_durable())
    return read();
  recorder_->after_commit(
      [me, where, read, deadline](bool durable) {
        if (durable)
          read();
        else
          caf::anon_send(me,
                         row_loaded{where,
                                    std::make_shared<result<stored_row>>(too_late_to_tell()),
                                    deadline});
      },
      deadline);
}

void customer_state::row(const row_loaded& r) {
  if (!awake())
    return;
  const auto& row = *r.row;
  const auto unit =
      row ? journal::decode(row->body, row->sequence, row->at, static_cast<std::uint8_t>(row->kind))
          : result<entry>(tl::unexpected(row.error()));
  if (row && !unit)
    return unfit("unit " + std::to_string(r.number.value) +
                 " cannot be read: " + unit.error().text);
  // Only what is durable is asked for; what was discarded is told by the lane.
  if (!row && row.error().code == errc::not_found && !recorder_->lost())
    return unfit("unit " + std::to_string(r.number.value) + " is not there");
  const auto waits = [&](const envelope& e) { return !r.late || e.deadline <= *r.late; };
  if (current_ && !current_->to_ask.empty() && current_->to_ask.back() == r.number &&
      waits(*current_->command))
    asked_row(std::move(current_), row ? &*row : nullptr, unit);
  if (backlog_) {
    auto& all = backlog_->repeats;
    const auto told = std::stable_partition(all.begin(), all.end(), [&](const repeat& x) {
      return x.where != r.number || !waits(*x.command);
    });
    const std::vector<repeat> ready(std::make_move_iterator(told),
                                    std::make_move_iterator(all.end()));
    all.erase(told, all.end());
    for (const auto& again : ready)
      repeat_answer(*again.command, unit);
  }
  if (!current_)
    go_on();
}

// The unit that may have this key, or why it cannot be told.
void customer_state::asked_row(std::unique_ptr<open_unit> asked,
                               const stored_row* row,
                               const result<entry>& unit) {
  auto& rec = *recorder_;
  deciding = asked->command;
  if (!unit) {
    rec.refuse(*asked->command, unit.error());
  } else if (answers_to(*row, *unit, asked->prints)) {
    if (row->content == asked->prints.content)
      with_backlog().repeats.push_back({row->sequence, asked->command});
    else
      rec.refuse(*asked->command,
                 {errc::idempotency_conflict,
                  asked->command->key,
                  "this key was used with other content"});
  } else if (asked->to_ask.pop_back(); !asked->to_ask.empty()) {
    current_ = std::move(asked);
    load_row(current_->to_ask.back(), current_->command->deadline);
  } else {
    decide(asked->command, asked->prints);
  }
}

void customer_state::repeat_answer(const envelope& command, const result<entry>& unit) {
  auto& rec = *recorder_;
  if (!unit)
    return rec.refuse(command, unit.error());
  auto e = *unit;
  for (auto& b : e.after)
    b.code = catalog_->code(b.currency);
  rec.reply(command, receipt_of(e, rec.value, *catalog_));
}

void customer_state::numbered(customer_id number) {
  if (!current_ || mode_ != mode::ready)
    return;
  const auto asked = std::move(current_);
  recorder_->value.number = number;
  decide(asked->command, asked->prints);
  if (!recorder_->value.exists)
    recorder_->value.number = customer_id{};
  if (!current_)
    go_on();
}

} // namespace accrue
