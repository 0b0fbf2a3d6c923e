// Reading the journal's rows and holding the clients' memory against them. See journal_witness.hpp.
#include "tests/faults/journal_witness.hpp"

#include "persistence/digest.hpp"
#include "persistence/journal_codec.hpp"
#include "persistence/pg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <vector>

namespace accrue::testing {
namespace {

struct witnessed {
  entry recorded;
  fingerprint key{};
  bool asked_for = false;
};

/// A customer's units by sequence, and where each key is.
struct life {
  std::map<std::uint64_t, witnessed> units;
  std::map<fingerprint, std::vector<std::uint64_t>> keys;
};

std::map<std::string, life> read_lives(const std::string& name, const std::string& conninfo) {
  auto database = pg::session::open(conninfo);
  if (!database)
    throw std::runtime_error(database.error().text);
  pg::parameters wanted;
  wanted.text(name + "-%");
  const auto rows = database->query(
      "select c.reference, j.sequence, j.at, j.kind, j.key, j.body from journal j join customer c"
      " using (namespace, customer) where c.reference like $1::text order by 1, 2",
      wanted);
  if (!rows)
    throw std::runtime_error(rows.error().text);
  std::map<std::string, life> lives;
  for (int i = 0; i < rows->rows(); ++i) {
    auto& its = lives[std::string(rows->text(i, 0))];
    const auto number = static_cast<std::uint64_t>(rows->i64(i, 1));
    auto read = journal::decode(rows->bytes(i, 5),
                                sequence(number),
                                instant{rows->i64(i, 2)},
                                static_cast<std::uint8_t>(rows->i16(i, 3)));
    if (!read)
      throw std::runtime_error(read.error().text);
    its.keys[rows->uuid(i, 4)].push_back(number);
    for (const auto& f : read->facts)
      if (const auto* second = std::get_if<fact::key_added>(&f))
        its.keys[second->key].push_back(number);
    its.units.emplace(number, witnessed{std::move(*read), rows->uuid(i, 4)});
  }
  return lives;
}

fingerprint key_of(const wire::call& c) {
  const auto& body = std::get<command::any>(c.body);
  const auto id = command::given_id(body);
  return fingerprint_of(
      digest_of(id.empty() ? c.key : fmt::format("{}:{}", command::kind(body), id)));
}

bool same(const reply::balance& a, const reply::balance& b) {
  return a.currency == b.currency && a.settled == b.settled && a.live == b.live &&
         a.pending == b.pending && a.reserved == b.reserved;
}

/// What the units up to a sequence left of a currency; none: nothing of it was ever touched.
const reply::balance* left_after(const life& its, std::uint64_t number, currency of) {
  for (auto at = its.units.upper_bound(number); at != its.units.begin();) {
    --at;
    for (const auto& b : at->second.recorded.after)
      if (b.currency == of)
        return &b;
  }
  return nullptr;
}

std::optional<broken_promise> receipt_breach(life& its, const remembered_command& c) {
  using sort = broken_promise::sort;
  const auto at = its.units.find(c.receipt->sequence.value);
  if (at == its.units.end())
    return broken_promise{sort::lost, "was acknowledged and is not in the journal"};
  at->second.asked_for = true;
  const auto& unit = at->second;
  const auto key = key_of(c.call);
  const bool second = std::ranges::any_of(unit.recorded.facts, [&](const fact::any& f) {
    const auto* added = std::get_if<fact::key_added>(&f);
    return added != nullptr && added->key == key;
  });
  if (unit.key != key && !second)
    return broken_promise{sort::lost, "was acknowledged and another command is in its place"};
  if (!std::ranges::equal(c.receipt->after, unit.recorded.after, same))
    return broken_promise{sort::untrue, "was told other balances than its unit left"};
  return std::nullopt;
}

std::optional<broken_promise> read_breach(const life& its, const reply::receipt& told) {
  using sort = broken_promise::sort;
  if (!its.units.contains(told.sequence.value))
    return broken_promise{sort::untrue, "was read at a unit that is not there"};
  for (const auto& b : std::get<reply::balances>(told.body).items) {
    const auto* left = left_after(its, told.sequence.value, b.currency);
    if (left == nullptr ? b.settled != 0 : b.settled != left->settled)
      return broken_promise{sort::untrue, "had a balance that no unit left behind"};
  }
  return std::nullopt;
}

} // namespace

void question_the_journal(remembering_clients& clients, const std::string& conninfo) {
  using sort = remembered_command::sort;
  using broken = broken_promise::sort;
  auto lives = read_lives(clients.plan().name, conninfo);
  const auto tell =
      [&](const std::string& customer, std::uint64_t at, broken what, const std::string& text) {
        clients.breach(what, fmt::format("{} at {} {}", customer, at, text));
      };
  const auto tell_if = [&](const remembered_command& c, const std::optional<broken_promise>& no) {
    if (no)
      tell(c.customer, c.receipt->sequence.value, no->what, no->text);
  };
  for (const auto* c : clients.commands()) {
    auto& its = lives[c->customer];
    if (c->what == sort::read) {
      if (c->receipt)
        tell_if(*c, read_breach(its, *c->receipt));
      continue;
    }
    const auto found = its.keys.find(key_of(c->call));
    const auto times = found == its.keys.end() ? 0 : found->second.size();
    if (times > 1)
      tell(c->customer, found->second.back(), broken::doubled, "is there twice");
    if (c->what == sort::refused) {
      const bool other_content = c->expected.front() == errc::idempotency_conflict;
      if (!other_content && times != 0)
        tell(c->customer, found->second.back(), broken::untrue, "was refused and is there");
      if (c->told == errc::idempotency_conflict && times == 0)
        tell(c->customer, 0, broken::untrue, "a conflict was told with a unit that is not there");
      continue;
    }
    if (times == 1)
      its.units.at(found->second.front()).asked_for = true;
    if (c->receipt)
      tell_if(*c, receipt_breach(its, *c));
  }
  const auto ticks = static_cast<std::uint8_t>(command::any(command::run_due{}).index());
  for (const auto& [customer, its] : lives)
    for (const auto& [number, unit] : its.units)
      if (!unit.asked_for && unit.recorded.kind != ticks)
        tell(customer, number, broken::untrue, "is a unit that nobody asked for");
}

} // namespace accrue::testing
