// Units to rows, in the customer's own thread, straight into the filling batch.
#include "actors/recorder.hpp"

#include "domain/canonical.hpp"
#include "domain/decisions.hpp"
#include "persistence/crash_point.hpp"
#include "persistence/journal_codec.hpp"
#include "persistence/projections.hpp"
#include "persistence/statement_codec.hpp"

#include <algorithm>
#include <utility>

namespace accrue {
namespace {

constexpr std::size_t key_bytes_max = 128;

fingerprint print_of(std::string_view text) { return fingerprint_of(digest_of(text)); }

digest hash_of(const digest& before, const customer_key& owner, const stored_row& stored) {
  journal_row row;
  row.owner = owner;
  row.sequence = stored.sequence;
  row.at = stored.at;
  row.kind = stored.kind;
  row.key = stored.key;
  row.content = stored.content;
  return chain_row(before, row, stored.body);
}

} // namespace

fingerprint print_of_key(std::string_view key) noexcept { return print_of(key); }

result<command_prints> prints_of(const envelope& e, const catalog& cat) {
  if (e.key.size() > key_bytes_max)
    return refuse(errc::validation, "an idempotency key has at most 128 bytes", "idempotency_key");
  const auto id = command::given_id(e.body);
  if (id.empty() && e.key.empty())
    return refuse(errc::validation, "this command needs an idempotency key", "idempotency_key");
  thread_local std::string text;
  command_prints p;
  if (!id.empty()) {
    text.assign(command::kind(e.body)).append(":").append(id);
    p.key = print_of(text);
    if (!e.key.empty() && e.key != text)
      p.second = print_of(e.key);
  } else {
    p.key = print_of(e.key);
  }
  text.clear();
  const bool rounds = std::holds_alternative<command::grant_credit>(e.body) ||
                      std::holds_alternative<command::create_charge>(e.body);
  if (rounds) {
    const auto n = normalised(e.body, cat);
    if (!n)
      return tl::unexpected(n.error());
    append_canonical(*n, text);
  } else {
    append_canonical(e.body, text);
  }
  p.content = print_of(text);
  return p;
}

tl::unexpected<refusal> too_late_to_tell() {
  return accrue::refuse(errc::deadline_exceeded,
                        "not durable in time, the outcome is unknown; send the same key again");
}

bool answers_to(const stored_row& row, const entry& unit, const command_prints& p) noexcept {
  const auto asked = [&](const fingerprint& key) {
    return key == p.key || (p.second && key == *p.second);
  };
  return asked(row.key) || std::ranges::any_of(unit.facts, [&](const fact::any& f) {
           const auto* second = std::get_if<fact::key_added>(&f);
           return second != nullptr && asked(second->key);
         });
}

recorder::recorder(engine_context& context,
                   namespace_id space,
                   std::string reference,
                   std::uint32_t life)
    : context_(&context), space_(space), life_(life) {
  value.reference = std::move(reference);
}

lane& recorder::its_lane() const { return context_->store->lane_of(shard_of(value.number)); }

// What can be decoded may still break an invariant when it is applied.
result<void> recorder::restore(const stored_customer& stored, catalog* replayed) {
  try {
    return replay(stored, replayed);
  } catch (...) {
    return accrue::refuse(errc::internal, what_broke(), stored.reference);
  }
}

result<void> recorder::replay(const stored_customer& stored, catalog* replayed) {
  if (!stored.number)
    return {};
  value.number = *stored.number;
  const auto last = stored.rows.empty() ? sequence{} : stored.rows.back().sequence;
  if (last == sequence{} && value.number != customer_id{})
    return accrue::refuse(errc::internal, "the journal is empty", value.reference);
  if (stored.snapshot) {
    auto whole = journal::decode_customer(stored.snapshot->second, value.number);
    if (!whole)
      return tl::unexpected(whole.error());
    if (whole->last != stored.snapshot->first)
      return accrue::refuse(errc::internal, "the snapshot is not of its sequence", value.reference);
    if (whole->reference != value.reference)
      return accrue::refuse(errc::internal, "the snapshot is of another customer", value.reference);
    // The window of recent keys includes the snapshot's own row: without it the snapshot is of a unit that
    // never was.
    if (whole->last > last)
      return accrue::refuse(
          errc::internal, "the snapshot is ahead of the journal", value.reference);
    value = std::move(*whole);
  }
  const auto snapshot_at = value.last;
  for (const auto& s : stored.segments)
    if (auto ok = keys_.restore_segment(s); !ok)
      return ok;
  // The first row of a window has nothing before it to be checked against.
  bool chained = !stored.rows.empty() && stored.rows.front().sequence.value == 1;
  for (const auto& row : stored.rows) {
    if (std::exchange(chained, true) && hash_of(tip_, key(), row) != row.hash)
      return accrue::refuse(errc::internal,
                            "the hash chain breaks at unit " + std::to_string(row.sequence.value),
                            value.reference);
    auto e = journal::decode(row.body, row.sequence, row.at, static_cast<std::uint8_t>(row.kind));
    if (!e)
      return tl::unexpected(e.error());
    keys_.add(row.key, row.content, row.sequence);
    for (const auto& f : e->facts)
      if (const auto* k = std::get_if<fact::key_added>(&f))
        keys_.add(k->key, row.content, row.sequence);
    tip_ = row.hash;
    if (row.sequence <= value.last)
      continue;
    if (row.sequence.value != value.last.value + 1)
      return accrue::refuse(errc::internal,
                            "the journal has a gap before unit " +
                                std::to_string(row.sequence.value),
                            value.reference);
    if (replayed != nullptr)
      apply(*replayed, *e);
    const auto before = value.clock;
    value.apply(*e);
    note(*e, before);
  }
  since_snapshot_ = static_cast<std::uint32_t>(value.last.value - snapshot_at.value);
  due_ = next_due(value).value_or(ledger::never);
  return {};
}

recorder::verdict recorder::look_up(const command_prints& p) const {
  verdict v;
  const auto judge = [&](const fingerprint& key) {
    auto hit = keys_.find(key, value.last);
    if (hit.exact) {
      v.what = hit.exact->content == p.content ? known::repeated : known::other_content;
      v.where = hit.exact->sequence;
      return true;
    }
    v.to_ask.insert(v.to_ask.end(), hit.older.begin(), hit.older.end());
    return false;
  };
  if (judge(p.key) || (p.second && judge(*p.second)))
    return v;
  if (!v.to_ask.empty())
    v.what = known::ask_journal;
  return v;
}

void recorder::record(const unit& u,
                      const envelope& e,
                      const command_prints& p,
                      const catalog& cat) {
  auto done = u.finish();
  if (p.second) {
    fact::key_added second;
    second.key = *p.second;
    done.facts.emplace_back(second);
  }
  const auto due_before = due();
  const auto receipt = receipt_of(done, value, cat);
  thread_local std::vector<std::byte> body;
  body.clear();
  journal::encode(done, body);
  journal_row row;
  row.owner = key();
  row.sequence = done.number;
  row.at = done.at;
  row.kind = done.kind;
  row.life = life_;
  row.key = p.key;
  row.content = p.content;
  row.hash = chain_row(tip_, row, body);
  const auto before = value.clock;
  value.apply(done);
  note(done, before);
  const bool moves_calendar = std::ranges::any_of(done.facts, [](const fact::any& f) {
    return std::holds_alternative<fact::charge_changed>(f) ||
           std::holds_alternative<fact::invoice_changed>(f) ||
           std::holds_alternative<fact::reserved>(f) ||
           std::holds_alternative<fact::hold_extended>(f) ||
           std::holds_alternative<fact::hold_ended>(f) ||
           std::holds_alternative<fact::recognition_planned>(f);
  });
  if (moves_calendar)
    due_ = next_due(value).value_or(ledger::never);
  ++since_snapshot_;
  tip_ = row.hash;
  keys_.add(p.key, p.content, done.number);
  if (p.second)
    keys_.add(*p.second, p.content, done.number);
  thread_local std::string frame;
  frame.clear();
  wire::print(frame, {e.request, e.index}, receipt);
  last_ticket_ = its_lane().append([&](unit_batch& b) {
    row.body = b.keep(body);
    b.journal.push_back(row);
    project(b, row.owner, value, done, cat, {due_before, due()});
    b.keep_reply({e.from, e.request, e.index, {}, row.owner, life_, row.sequence, e.deadline},
                 frame);
  });
  pass(crash_point::unit_added);
  if (const auto every = context_->limits.snapshot_every; since_snapshot() >= every)
    add_snapshot(since_snapshot() >= 2 * every);
}

// A namespace has no credit and no past.
void recorder::note(const entry& e, instant before) {
  if (value.number == customer_id{})
    return;
  thread_local statement_reader reader;
  thread_local statement_items items;
  thread_local std::vector<std::byte> bytes;
  items.clear();
  reader.read(value, e, items);
  bytes.clear();
  append_unit(bytes, items, e.at, units_.empty() ? instant{} : before);
  // Most customers are small: grow by what it takes, not by doubling.
  if (const auto size = units_.size() + bytes.size(); size > units_.capacity() && size < 512)
    units_.reserve(size);
  units_.insert(units_.end(), bytes.begin(), bytes.end());
}

past recorder::past_since_blocks() const {
  const auto items = decode_units(units_, blocks_end());
  ENSURE(items);
  past p(value);
  p.add(*items);
  return p;
}

// Not past the lane where something of this life was discarded: the lane knows what may not be told.
bool recorder::may_answer_now() {
  const auto& l = its_lane();
  if (!all_durable() || !l.owns())
    return false;
  if (const auto seen = static_cast<std::uint32_t>(l.discards()); seen != discards_seen_) {
    if (lost())
      return false;
    discards_seen_ = seen;
  }
  return true;
}

void recorder::answer(const envelope& e, const std::function<void(std::string&)>& print) {
  thread_local std::string frame; // printed before the lane's lock is taken, which everybody shares
  frame.clear();
  if (may_answer_now()) {
    print(frame);
    context_->replies->deliver(e.from, frame);
    return;
  }
  auto& l = its_lane();
  // Who cannot be answered before the store is back is told so, instead of waiting for its deadline.
  if (all_durable() && !l.owns() && !l.available())
    return refuse_now(
        e, {errc::not_owner, {}, "this server's lease has lapsed while the store is away"});
  print(frame);
  last_ticket_ = l.append([&](unit_batch& b) {
    b.keep_reply({e.from, e.request, e.index, {}, reply_key(), life_, value.last, e.deadline},
                 frame);
  });
}

void recorder::reply(const envelope& e, const reply::receipt& r) {
  answer(e, [&](std::string& out) { wire::print(out, {e.request, e.index}, r); });
}

void recorder::refuse(const envelope& e, const refusal& why) {
  answer(e, [&](std::string& out) { wire::print(out, {e.request, e.index}, why); });
}

void recorder::refuse_now(const envelope& e, const refusal& why) {
  context_->replies->refuse(e.from, e.request, e.index, why);
}

void recorder::after_commit(std::function<void(bool)> run, instant deadline) {
  last_ticket_ = its_lane().append([&](unit_batch& b) {
    b.follow_ups.push_back({reply_key(), life_, value.last, std::move(run), deadline});
  });
}

void recorder::end_life(std::function<void()> run) {
  last_ticket_ = its_lane().append([&](unit_batch& b) {
    const auto last = [run = std::move(run)](bool) { run(); };
    b.follow_ups.push_back({key(), life_, value.last, last, ledger::never, true});
  });
}

void recorder::restore_block(const statement_block& block, std::span<const std::byte> units) {
  std::vector<std::byte> sums;
  encode(block, units, sums);
  last_ticket_ = its_lane().append([&](unit_batch& b) {
    b.keep_block({key(), value.last, life_, block.through, {}, {}}, sums, units);
  });
}

// All of it is encoded before the lane's lock is taken: a large customer's state takes a while. Others may have
// filled the batch meanwhile.
void recorder::add_snapshot(bool without_room) {
  const auto room = context_->limits.states_of_batch;
  if (!without_room && its_lane().state_bytes() >= room)
    return;
  std::vector<std::byte> state;
  journal::encode(value, state);
  std::vector<std::byte> filters;
  keys_.encode_segment(blocks_end(), value.last, filters);
  std::vector<std::byte> sums; // of the statement block; a namespace has none
  if (value.number != customer_id{}) {
    const auto items = decode_units(units_, blocks_end());
    ENSURE(items);
    encode(block_of(blocks_end(), value.last, *items), units_, sums);
  }
  bool added = false;
  last_ticket_ = its_lane().append([&](unit_batch& b) {
    added = without_room || b.state_bytes < room;
    if (!added)
      return;
    b.keep_state(key(), value.last, life_, state, filters);
    if (!sums.empty())
      b.keep_block({key(), value.last, life_, value.last, {}, {}}, sums, units_);
  });
  if (!added)
    return;
  std::vector<std::byte>().swap(units_); // an assignment of {} would keep the room
  since_snapshot_ = 0;
  keys_.trim(value.last);
  pass(crash_point::snapshot_added);
}

} // namespace accrue
