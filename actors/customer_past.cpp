// Questions about a customer's past, and commands that have to know some of it: its journal is read page by
// page, and what is under way meanwhile goes on. See customer.hpp.
#include "actors/customer.hpp"
#include "persistence/journal_codec.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace accrue {
namespace {

constexpr std::uint32_t page_rows = 1000;
/// Questions about one customer's past that are read at once.
constexpr std::size_t readings_max = 4;

} // namespace

void customer_state::ask_past(std::shared_ptr<const envelope> e, rows_wanted wanted) {
  if (const auto ok = check_past(*catalog_, e->body); !ok)
    return recorder_->refuse(*e, ok.error());
  if (backlog_ && backlog_->readings.size() >= readings_max)
    return recorder_->refuse_now(*e,
                                 {errc::overloaded,
                                  recorder_->value.reference,
                                  "too many questions about this customer's past are being read"});
  auto& all = with_backlog().readings;
  all.push_back({++units_opened_, std::move(e), {}, {wanted}, recorder_->value.last, {}});
  read_on(all.back());
}

// Whether a command has to wait for some of the journal; then it is being read.
bool customer_state::needs_past(const std::shared_ptr<const envelope>& e, const command_prints& p) {
  auto& r = *recorder_;
  reading asked{++units_opened_, e, p, {}, r.value.last, {}};
  if (const auto page = rows_needed(r.value, e->body, e->stamp))
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
  read_on(backlog_->readings.back());
  return true;
}

// Asks for the next page, once all that is under way is durable: it may be in it.
void customer_state::read_on(reading& r) {
  const auto me = caf::actor_cast<customer_actor>(self_);
  const auto next = r.wanted.back();
  const auto read = [me, number = r.number, next, store = context().store, key = recorder_->key()] {
    store->load_rows(key,
                     next.after,
                     std::min(next.limit, page_rows),
                     [me, number](result<std::vector<stored_row>> rows) {
                       caf::anon_send(me,
                                      rows_loaded{number,
                                                  std::make_shared<result<std::vector<stored_row>>>(
                                                      std::move(rows))});
                     });
  };
  if (recorder_->all_durable())
    return read();
  recorder_->after_commit(
      [me, number = r.number, read](bool durable) {
        if (durable)
          return read();
        caf::anon_send(
            me,
            rows_loaded{number,
                        std::make_shared<result<std::vector<stored_row>>>(too_late_to_tell())});
      },
      r.command->deadline);
}

void customer_state::rows(const rows_loaded& m) {
  if (!awake() || !backlog_)
    return;
  auto& all = backlog_->readings;
  const auto it = std::ranges::find(all, m.reading, &reading::number);
  if (it == all.end())
    return;
  if (*m.rows && !too_late(*it->command)) {
    auto& wanted = it->wanted.back();
    for (const auto& row : **m.rows) {
      wanted.after = row.sequence;
      if (row.sequence > it->last)
        break;
      auto unit =
          journal::decode(row.body, row.sequence, row.at, static_cast<std::uint8_t>(row.kind));
      if (!unit)
        return unfit("unit " + std::to_string(row.sequence.value) +
                     " cannot be read: " + unit.error().text);
      it->entries.push_back(std::move(*unit));
    }
    const auto got = static_cast<std::uint32_t>((*m.rows)->size());
    wanted.limit -= std::min(wanted.limit, got);
    if (got < page_rows || wanted.limit == 0 || wanted.after >= it->last)
      it->wanted.pop_back();
    if (!it->wanted.empty())
      return read_on(*it);
  }
  auto asked = std::move(*it);
  all.erase(it);
  const bool decides = !command::is_query(asked.command->body);
  if (decides)
    current_.reset();
  deciding = asked.command;
  if (!*m.rows)
    recorder_->refuse(*asked.command, m.rows->error());
  else
    past_known(std::move(asked));
  if (!current_)
    go_on();
}

void customer_state::past_known(reading r) {
  auto& rec = *recorder_;
  if (too_late(*r.command))
    return rec.refuse(*r.command,
                      {errc::deadline_exceeded, rec.value.reference, "not read in time"});
  if (!command::is_query(r.command->body))
    return decide_with(r.command, r.prints, r.entries);
  auto got =
      answer_from_history(rec.value, *catalog_, r.command->stamp, r.entries, r.command->body);
  if (!got)
    return rec.refuse(*r.command, got.error());
  got->sequence = r.last;
  rec.reply(*r.command, *got);
}

} // namespace accrue
