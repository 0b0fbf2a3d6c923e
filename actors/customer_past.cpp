// Questions about a customer's past, and commands that have to know some of it: units and statement blocks are read
// piece by piece, and what is under way meanwhile goes on. See customer.hpp and domain/past.hpp.
#include "actors/customer.hpp"
#include "persistence/journal_codec.hpp"
#include "persistence/statement_codec.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <map>

namespace accrue {
namespace {

constexpr std::uint32_t page_rows = 1000;
/// Questions about one customer's past that are read at once.
constexpr std::size_t readings_max = 4;

// Sends what was read to a reading.
template <class Part>
stored<Part> to_reading(const customer_actor& me, std::uint32_t reading) {
  return [me, reading](result<Part> got) {
    auto part = got ? result<past_part>(std::move(*got)) : tl::unexpected(std::move(got.error()));
    caf::anon_send(me, past_loaded{reading, std::make_shared<result<past_part>>(std::move(part))});
  };
}

tl::unexpected<refusal> gone(const char* what) {
  return refuse(errc::internal, std::string(what) + " is not in the store; see accrue verify");
}

} // namespace

// A question that is being answered: the sums of all blocks are read, blocks that are missing are made again from the
// journal, and then what the answer asks for is read.
struct customer_state::inquiry {
  struct gap {
    sequence after;
    sequence through;
  };
  past known;
  sequence blocks_end;
  std::map<sequence, block_sums> blocks{}; ///< that there are, by their last unit
  std::vector<gap> gaps{};                 ///< the last one is being closed
  std::size_t asked = 0;                   ///< parts that are under way
  std::size_t missing = 0;                 ///< units and blocks that these have to bring
  statement_writer made{};                 ///< the block that is being made
};

// Reads, once all that is under way is durable: it may be in it.
void customer_state::when_durable(const reading& r, std::function<void()> read) {
  if (recorder_->all_durable())
    return read();
  recorder_->after_commit(
      [me = caf::actor_cast<customer_actor>(self_), number = r.number, read = std::move(read)](
          bool durable) {
        if (durable)
          return read();
        to_reading<std::vector<stored_row>>(me, number)(too_late_to_tell());
      },
      r.command->deadline);
}

// ------------------------------------------------------------------------------ commands

// Whether a command has to wait for some of the journal; then it is being read.
bool customer_state::needs_past(const std::shared_ptr<const envelope>& e, const command_prints& p) {
  auto& r = *recorder_;
  reading asked{++units_opened_, e, p, {}, r.value.last, {}, {}};
  if (const auto page = rows_needed(r.value, e->body))
    asked.wanted.push_back(*page);
  for (const auto& key : keys_needed(r.value, e->body)) {
    const auto known = r.look_up({print_of_key(key), std::nullopt, {}});
    auto units = known.to_ask;
    if (known.what == recorder::known::repeated || known.what == recorder::known::other_content)
      units.push_back(known.where);
    for (const auto s : units)
      asked.wanted.push_back({sequence(s.value - 1), 1});
  }
  if (asked.wanted.empty())
    return false;
  current_ = std::make_unique<open_unit>();
  current_->command = e;
  current_->prints = p;
  current_->number = asked.number;
  with_backlog().readings.push_back(std::move(asked));
  read_units(backlog_->readings.back(), backlog_->readings.back().wanted.back());
  return true;
}

void customer_state::read_units(const reading& r, rows_wanted next) {
  next.limit = std::min(next.limit, page_rows);
  const auto me = caf::actor_cast<customer_actor>(self_);
  when_durable(r,
               [next,
                store = context().store,
                key = recorder_->key(),
                done = to_reading<std::vector<stored_row>>(me, r.number)] {
                 store->load_rows(key, next.after, next.limit, done);
               });
}

// Takes a page of units; whether it was the last.
bool customer_state::take_units(reading& r, std::vector<entry> units) {
  auto& wanted = r.wanted.back();
  const auto got = static_cast<std::uint32_t>(units.size());
  for (auto& unit : units) {
    wanted.after = unit.number;
    if (unit.number > r.last)
      break;
    r.entries.push_back(std::move(unit));
  }
  wanted.limit -= std::min(wanted.limit, got);
  if (got < page_rows || wanted.limit == 0 || wanted.after >= r.last)
    r.wanted.pop_back();
  if (r.wanted.empty())
    return true;
  read_units(r, r.wanted.back());
  return false;
}

// ----------------------------------------------------------------------------- questions

void customer_state::ask_past(std::shared_ptr<const envelope> e) {
  auto& rec = *recorder_;
  if (const auto ok = check_past(*catalog_, e->body); !ok)
    return rec.refuse(*e, ok.error());
  if (backlog_ && backlog_->readings.size() >= readings_max)
    return rec.refuse_now(*e,
                          {errc::overloaded,
                           rec.value.reference,
                           "too many questions about this customer's past are being read"});
  reading r{++units_opened_, std::move(e), {}, {}, rec.value.last, {}, {}};
  r.about = std::make_shared<inquiry>(inquiry{rec.past_since_blocks(), rec.blocks_end()});
  if (r.about->blocks_end == sequence{}) {
    if (!try_answer(r))
      with_backlog().readings.push_back(std::move(r));
    return;
  }
  r.about->asked = 1;
  const auto me = caf::actor_cast<customer_actor>(self_);
  when_durable(
      r,
      [store = context().store,
       key = rec.key(),
       done = to_reading<std::vector<stored_sums>>(me, r.number)] { store->load_sums(key, done); });
  with_backlog().readings.push_back(std::move(r));
}

// Answers or refuses, if what it takes is there; else that is being read.
bool customer_state::try_answer(reading& r) {
  auto& rec = *recorder_;
  auto& q = *r.about;
  auto got = q.known.ask(r.command->body, *catalog_, std::max(r.command->stamp, rec.value.clock));
  if (!got) {
    rec.refuse(*r.command, got.error());
    return true;
  }
  if (const auto* answer = std::get_if<reply::receipt>(&*got)) {
    rec.reply(*r.command, *answer);
    return true;
  }
  auto& [blocks, units] = std::get<past::wanted>(*got);
  q.asked = (blocks.empty() ? 0 : 1) + (units.empty() ? 0 : 1);
  q.missing = blocks.size() + units.size();
  const auto me = caf::actor_cast<customer_actor>(self_);
  when_durable(r,
               [store = context().store,
                key = rec.key(),
                blocks = std::vector(blocks.begin(), blocks.end()),
                units = std::vector(units.begin(), units.end()),
                rows_done = to_reading<std::vector<stored_row>>(me, r.number),
                items_done = to_reading<std::vector<stored_items>>(me, r.number)] {
                 if (!blocks.empty())
                   store->load_blocks(key, blocks, items_done);
                 if (!units.empty())
                   store->load_units(key, units, rows_done);
               });
  return false;
}

// What blocks there are. Their bytes are derived: of one that cannot be read another is made.
void customer_state::take_sums(inquiry& q, const std::vector<stored_sums>& sums) {
  sequence end;
  const auto missing_up_to = [&](sequence s) {
    if (end < s)
      q.gaps.push_back({end, s});
  };
  for (const auto& row : sums) {
    auto found = decode_sums(row.bytes, row.through);
    if (row.through > q.blocks_end || !found || found->block.after < end)
      continue;
    missing_up_to(found->block.after);
    q.known.add(found->block);
    q.blocks.emplace(row.through, std::move(*found));
    end = row.through;
  }
  missing_up_to(q.blocks_end);
}

// Units of a gap: they become blocks again.
result<void> customer_state::close_gap(inquiry& q, const std::vector<entry>& units) {
  auto& gap = q.gaps.back();
  if (units.empty())
    return gone("a unit");
  for (const auto& unit : units) {
    if (unit.number > gap.through)
      break;
    if (unit.number.value != gap.after.value + 1)
      return gone("a unit");
    q.made.add(recorder_->value, unit);
    gap.after = unit.number;
    if (unit.number != gap.through && q.made.count() < context().limits.snapshot_every)
      continue;
    q.known.add(q.made.items());
    if (!held_ && recorder_->its_lane().available())
      recorder_->restore_block(q.made.block(), q.made.units());
    q.made.clear();
  }
  if (gap.after == gap.through)
    q.gaps.pop_back();
  return {};
}

// Takes a part in; whether an answer may be tried.
result<bool> customer_state::take_part(reading& r, past_part& part, std::vector<entry> units) {
  auto& q = *r.about;
  --q.asked;
  if (const auto* sums = std::get_if<std::vector<stored_sums>>(&part)) {
    take_sums(q, *sums);
  } else if (const auto* blocks = std::get_if<std::vector<stored_items>>(&part)) {
    for (const auto& b : *blocks) {
      const auto of = q.blocks.find(b.through);
      if (of == q.blocks.end())
        return gone("the block of some items");
      const auto items = decode_items(of->second, b.bytes);
      if (!items)
        return tl::unexpected(items.error());
      if (auto ok = q.known.load(b.through, *items); !ok)
        return tl::unexpected(ok.error());
    }
    q.missing -= std::min(q.missing, blocks->size());
  } else if (!q.gaps.empty()) {
    if (auto ok = close_gap(q, units); !ok)
      return tl::unexpected(ok.error());
  } else {
    q.missing -= std::min(q.missing, units.size());
    for (auto& unit : units)
      q.known.know(std::move(unit));
  }
  if (!q.gaps.empty()) {
    q.asked = 1;
    read_units(r, {q.gaps.back().after, page_rows});
    return false;
  }
  if (q.asked == 0 && q.missing != 0)
    return gone("a part of the past");
  return q.asked == 0;
}

// --------------------------------------------------------------------------------- both

// Units as they were decided; none, where one cannot be read: then this life has ended.
std::optional<std::vector<entry>> customer_state::decode(const past_part& part) {
  std::vector<entry> units;
  const auto* rows = std::get_if<std::vector<stored_row>>(&part);
  if (rows == nullptr)
    return units;
  for (const auto& row : *rows) {
    auto unit =
        journal::decode(row.body, row.sequence, row.at, static_cast<std::uint8_t>(row.kind));
    if (!unit) {
      unfit("unit " + std::to_string(row.sequence.value) + " cannot be read: " + unit.error().text);
      return std::nullopt;
    }
    units.push_back(std::move(*unit));
  }
  return units;
}

void customer_state::read(const past_loaded& m) {
  if (!awake() || !backlog_)
    return;
  auto& all = backlog_->readings;
  const auto it = std::ranges::find(all, m.reading, &reading::number);
  if (it == all.end())
    return;
  auto complete = result<bool>(true);
  if (!*m.part) {
    complete = tl::unexpected(m.part->error());
  } else if (too_late(*it->command)) {
    complete = refuse(
        errc::deadline_exceeded, "not read in time", std::string(recorder_->value.reference));
  } else {
    auto units = decode(**m.part);
    if (!units)
      return;
    complete = it->about ? take_part(*it, **m.part, std::move(*units))
                         : take_units(*it, std::move(*units));
  }
  if (complete && (!*complete || (it->about && !try_answer(*it))))
    return;
  // As long as it is among the readings, whoever ends this life tells its caller; from here on `deciding` does.
  auto done = std::move(*it);
  all.erase(it);
  deciding = done.command;
  if (!done.about)
    current_.reset();
  if (!complete)
    recorder_->refuse(*done.command, complete.error());
  else if (!done.about)
    decide_with(done.command, done.prints, done.entries);
  if (!current_)
    go_on();
}

} // namespace accrue
