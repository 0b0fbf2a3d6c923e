// The end of a history: every journal through the reference model, unit by unit, with everything that was
// told on the way.
#include "persistence/journal_codec.hpp"
#include "tests/histories/comparison.hpp"
#include "tests/histories/witness.hpp"

#include <algorithm>
#include <set>

namespace accrue::histories {
namespace {

// Bookings that were made to fail: the one thing the model cannot know.
booking_failures failures_of(const entry& e) {
  booking_failures failed;
  for (const auto& f : e.facts)
    if (const auto* i = std::get_if<fact::invoice_changed>(&f);
        i && std::holds_alternative<invoicing::issuing_charge_booking_failed>(i->invoice.state))
      failed[i->invoice.id.value] = static_cast<std::size_t>(
          std::ranges::count_if(i->invoice.lines, [](const auto& l) { return l.booked; }));
  return failed;
}

} // namespace

void witness::check_all(const rules& r) {
  models_.clear();
  std::set<std::string> stored;
  for (const auto& [key, rows] : db_.customers)
    if (key.customer != customer_id{}) {
      if (!stored.insert(rows.reference).second)
        log_.find("customer " + rows.reference + " has two numbers");
      check_customer(rows.reference, rows, r);
    }
  // Customers that never came to be.
  for (const auto& q : requests)
    if (!q.customer.empty() && stored.insert(q.customer).second)
      check_customer(q.customer, {}, r);
  check_outbox();
}

void witness::check_customer(const std::string& reference,
                             const memory_database::customer_rows& rows,
                             const rules& r) {
  // Acknowledged commands by their units: exactly one unit each, and one command each.
  std::map<std::uint64_t, const intent*> by_unit;
  applied_keys keys;
  for (std::size_t n = 0; n < intents.size(); ++n) {
    const auto& i = intents[n];
    if (i.customer != reference || !i.acknowledged)
      continue;
    const auto at = i.acknowledged->sequence;
    if (!rows.journal.contains(at.value))
      log_.find("customer " + reference + ": unit " + std::to_string(at.value) +
                " was acknowledged and is not in the journal");
    if (!by_unit.emplace(at.value, &i).second)
      log_.find("customer " + reference + ": unit " + std::to_string(at.value) +
                " was acknowledged to two commands");
    for (auto& key : keys_of(i))
      if (!keys.emplace(std::move(key), applied{at, n}).second)
        log_.find("customer " + reference + ": one key was applied twice");
  }
  std::vector<const observation*> open;
  for (const auto& o : observations_)
    if (o.asked->customer == reference)
      open.push_back(&o);
  model m(reference, r);
  const auto confirm = [&] {
    std::erase_if(open, [&](const observation* o) {
      return o->from <= m.sequence() && m.sequence() <= o->to && confirms(m, *o, keys);
    });
    for (const auto* o : open)
      if (o->to == m.sequence())
        log_.find(name(*o->asked) + " was told: " + text_of(o->told) + "; at unit " +
                  std::to_string(m.sequence()) +
                  " the model says: " + text_of(m.expect(o->asked->body, o->asked->stamp)));
  };
  confirm();
  for (const auto& [number, row] : rows.journal) {
    const auto it = by_unit.find(number);
    replay_unit(m, row, it == by_unit.end() ? nullptr : it->second, "customer " + reference);
    confirm();
  }
  models_.emplace(reference, std::move(m));
}

// One durable unit: a client's, or what a wake-up did.
void witness::replay_unit(model& m,
                          const stored_row& row,
                          const intent* by,
                          const std::string& customer) {
  const auto where = customer + ": unit " + std::to_string(row.sequence.value);
  const auto e =
      journal::decode(row.body, row.sequence, row.at, static_cast<std::uint8_t>(row.kind));
  if (!e)
    return log_.find(where + " cannot be read");
  static const command::any lifecycle = command::run_due{};
  static const command::any hour = command::recognize{{}, command::recognizable::both};
  const bool earned = recognizes && static_cast<std::size_t>(row.kind) == hour.index();
  const auto& wake_up = earned ? hour : lifecycle;
  if (by == nullptr && static_cast<std::size_t>(row.kind) != wake_up.index())
    log_.find(where + " is nobody's: no client was acknowledged for it");
  if (by != nullptr && static_cast<std::size_t>(row.kind) != by->body.index())
    log_.find(where + " is of another kind than what was acknowledged for it");
  if (by != nullptr && by->expected && by->expected->value + 1 != row.sequence.value)
    log_.find(where + " was expected to follow unit " + std::to_string(by->expected->value));
  if (m.sequence() + 1 != row.sequence.value)
    return;
  if (by == nullptr)
    log_.count(earned ? "recognition of a wake-up" : "unit of a wake-up");
  const auto& asked = by ? by->body : wake_up;
  const auto says = m.decide(asked, row.at, failures_of(*e));
  const auto* receipt = std::get_if<reply::receipt>(&says);
  if (receipt == nullptr || m.clock() != row.at)
    return log_.find(where + ": the model says " + text_of(says));
  reply::receipt told{e->number, receipt->body, e->after};
  for (auto& b : told.after)
    for (const auto& known : receipt->after)
      if (known.currency == b.currency)
        b.code = known.code; // codes are not stored
  if (by != nullptr)
    told = *by->acknowledged;
  if (!agree(asked, told, says))
    log_.find(where + " (" + std::string(command::kind(asked)) +
              ") was answered: " + text_of(verdict(told)) + "; the model says: " + text_of(says));
}

std::optional<customer> witness::replayed(const std::string& reference) const {
  for (const auto& [key, rows] : db_.customers) {
    if (rows.reference != reference)
      continue;
    customer c;
    c.number = key.customer;
    c.reference = reference;
    for (const auto& [number, row] : rows.journal) {
      const auto e =
          journal::decode(row.body, row.sequence, row.at, static_cast<std::uint8_t>(row.kind));
      if (!e)
        return std::nullopt;
      c.apply(*e);
    }
    return c;
  }
  return std::nullopt;
}

bool witness::confirms(const model& m, const observation& o, const applied_keys& keys) const {
  const auto& q = *o.asked;
  if (!q.intent)
    return agree(q.body, o.told, m.expect(q.body, q.stamp));
  const auto& i = intents[*q.intent];
  const auto mine = keys_of(i);
  if (mine.empty())
    return agree(q.body, o.told, errc::validation);
  for (const auto& key : mine)
    if (const auto it = keys.find(key); it != keys.end() && it->second.at.value <= m.sequence())
      return it->second.intent != *q.intent && agree(q.body, o.told, errc::idempotency_conflict);
  if (agree(q.body, o.told, errc::quarantined)) // whose key is free and who may not write
    return true;
  if (i.expected && i.expected->value != m.sequence())
    return agree(q.body, o.told, errc::conflict);
  return agree(q.body, o.told, m.expect(q.body, q.stamp));
}

// Everything that was queued left, with its own key.
void witness::check_outbox() {
  std::set<std::tuple<customer_key, sequence, std::int16_t>> left;
  for (const auto& m : db_.delivered)
    left.emplace(m.owner, m.sequence, m.place);
  for (const auto& m : db_.outbox)
    left.emplace(m.owner, m.sequence, m.place);
  std::size_t queued = 0;
  for (const auto& [key, rows] : db_.customers)
    for (const auto& [_, row] : rows.journal)
      if (const auto e =
              journal::decode(row.body, row.sequence, row.at, static_cast<std::uint8_t>(row.kind)))
        queued += static_cast<std::size_t>(std::ranges::count_if(e->facts, [](const auto& f) {
          return std::holds_alternative<fact::message_queued>(f);
        }));
  if (left.size() != queued)
    log_.find(std::to_string(queued) + " messages were queued and " + std::to_string(left.size()) +
              " are in the outbox or have left it");
}

} // namespace accrue::histories
