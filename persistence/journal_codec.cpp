// Entries, sub-accounts and whole customers as bytes; docs/journal-format.md shows them byte by byte.
// How single values are laid out is in journal_fields.hpp, all stored numbers in journal_numbers.hpp.
#include "persistence/journal_codec.hpp"

#include "persistence/journal_accounts.hpp"
#include "persistence/journal_facts.hpp"

#include <limits>

namespace accrue::journal {
namespace {

using ledger::posting;
using ledger::transaction;

// The head of an entry: four flags, then the number of transactions.
constexpr unsigned has_opened = 1;
constexpr unsigned has_plain_balance = 2; // one, with nothing reserved or pending
constexpr unsigned has_balances = 4;
constexpr unsigned has_one_fact = 8;
constexpr unsigned head_flags = 4;

constexpr std::size_t posting_bytes_min = 4;

// ------------------------------------------------------------------------------ transactions
// By column: heads and counts of all, moved instants of those that have one, four integers a posting.

constexpr std::uint64_t numbers_max = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t units_max = std::numeric_limits<std::uint64_t>::max() >> 2;
constexpr uint128 first_invoice_code = uint128{numbers_max} * 2 + 4;
// 0 none, 1 this unit, then even for charges and behind them invoices, odd for other units by distance.
uint128 spend_code(ledger::spend_id spend, sequence unit) {
  if (spend == ledger::spend_id{})
    return 0;
  if (spend.is_charge() && spend.number() <= numbers_max)
    return uint128{spend.number()} * 2 + 2;
  if (spend.is_invoice() && spend.number() <= numbers_max)
    return uint128{spend.number()} * 2 + first_invoice_code;
  ENSURE(spend.is_unit());
  if (spend == ledger::spend_id::of(unit))
    return 1;
  return zigzag(int128{unit.value} - int128{spend.number()}) * 2 + 1;
}

ledger::spend_id read_spend(field_reader& r, sequence unit) {
  const auto code = r.varint();
  if (code == 0)
    return {};
  if (code == 1)
    return ledger::spend_id::of(unit);
  if (code % 2 == 0) {
    const bool is_charge = code < first_invoice_code;
    const auto number = (code - (is_charge ? 2 : first_invoice_code)) / 2;
    if (!is_charge && number <= numbers_max && r.version() >= invoices_spend_since)
      return ledger::spend_id::of(invoice_id(static_cast<std::uint32_t>(number)));
    if (is_charge)
      return ledger::spend_id::of(charge_id(static_cast<std::uint32_t>(number)));
  } else {
    const auto number = int128{unit.value} - unzigzag(code / 2);
    if (number >= 0 && number <= units_max)
      return ledger::spend_id::of(sequence(static_cast<std::uint64_t>(number)));
  }
  r.fail("no charge, invoice or unit spends this");
  return {};
}

void write_transactions(field_writer& w, const entry& e) {
  for (const auto& t : e.transactions) {
    const unsigned moved = t.booked_at() == e.at ? 0 : 1;
    w.varint(static_cast<unsigned>(t.code()) << 2 | number_of(t.direction()) * 2U | moved);
    w.varint(t.postings().size());
  }
  for (const auto& t : e.transactions)
    if (t.booked_at() != e.at)
      w.varint(zigzag(int128{t.booked_at().ns} - e.at.ns));
  for (const auto& t : e.transactions)
    for (const auto& p : t.postings()) {
      w.varint(p.account.value);
      w.varint(zigzag(p.amount));
      w.varint(p.source.value);
      w.varint(spend_code(p.spend, e.number));
    }
}

/// What is read of a transaction before its postings.
struct transaction_head {
  ledger::template_code code{};
  ledger::direction direction{};
  bool moved = false;
  std::size_t postings = 0;
  instant booked_at;
};

transaction_head read_head(byte_reader& r) {
  transaction_head h;
  const auto bits = r.number<std::uint32_t>();
  h.moved = (bits & 1) != 0;
  h.direction = value_of<ledger::direction>(bits >> 1 & 1).value_or(h.direction);
  h.postings = r.count(posting_bytes_min);
  if (bits >> 2 > std::numeric_limits<std::uint16_t>::max() ||
      ledger::find_template(static_cast<ledger::template_code>(bits >> 2)) == nullptr)
    r.fail("an unknown template");
  h.code = static_cast<ledger::template_code>(bits >> 2);
  return h;
}

void read_moved_instant(byte_reader& r, instant at, transaction_head& h) {
  h.booked_at = at;
  if (!h.moved)
    return;
  const auto delta = unzigzag(r.varint());
  constexpr auto range = int128{1} << 65;
  const auto ns = delta < -range || delta > range ? range : int128{at.ns} + delta;
  h.booked_at.ns = static_cast<std::int64_t>(ns);
  if (delta == 0 || h.booked_at.ns != ns)
    r.fail("an instant is out of range");
}

void read_transactions(field_reader& r, std::size_t count, entry& e) {
  std::vector<transaction_head> heads;
  std::size_t postings = 0;
  for (; count > 0 && !r.failed(); --count) {
    heads.push_back(read_head(r));
    postings += heads.back().postings;
  }
  for (auto& h : heads)
    read_moved_instant(r, e.at, h);
  if (postings > r.left() / posting_bytes_min)
    r.fail("a count is bigger than what follows");
  for (const auto& h : heads) {
    if (r.failed())
      return;
    std::vector<posting> legs(h.postings);
    for (auto& p : legs) {
      p.account.value = r.number<std::uint32_t>();
      p.amount = unzigzag(r.varint());
      p.source.value = r.number<std::uint32_t>();
      p.spend = read_spend(r, e.number);
    }
    e.transactions.push_back(
        transaction::restored(h.code, h.direction, h.booked_at, std::move(legs)));
  }
}

// ---------------------------------------------------------------------------- balances, facts

bool is_plain(const std::vector<reply::balance>& all) noexcept {
  return all.size() == 1 && all[0].live == all[0].settled && all[0].pending == 0 &&
         all[0].reserved == 0;
}

void write_balances(field_writer& w, const std::vector<reply::balance>& all) {
  if (is_plain(all))
    return w(all[0].currency, all[0].settled);
  if (all.empty())
    return;
  w.varint(all.size());
  for (const auto& b : all)
    w(b.currency, b.settled, b.live, b.pending, b.reserved);
}

void read_balances(field_reader& r, unsigned flags, std::vector<reply::balance>& all) {
  if ((flags & has_plain_balance) != 0) {
    auto& b = all.emplace_back();
    r(b.currency, b.settled);
    b.live = b.settled;
  } else if ((flags & has_balances) != 0) {
    for (auto left = r.count(5); left > 0 && !r.failed(); --left) {
      auto& b = all.emplace_back();
      r(b.currency, b.settled, b.live, b.pending, b.reserved);
    }
    if (all.empty() || is_plain(all))
      r.fail("balances are not in their shortest form");
  }
}

// What a unit whose one transaction is a collection took; none for other units.
std::optional<int128> plainly_taken(const entry& e) {
  if (e.transactions.size() != 1 || e.transactions[0].code() != ledger::template_code::collect)
    return std::nullopt;
  int128 taken = 0;
  for (const auto& p : e.transactions[0].postings()) {
    if (p.amount <= 0)
      continue;
    const auto sum = checked_add(taken, p.amount);
    if (!sum)
      return std::nullopt;
    taken = *sum;
  }
  return taken;
}

bool is_same_currency(currency a, currency b) noexcept {
  return currency_code(a) == currency_code(b);
}

bool is_plainly_consumed(const entry& e, const fact::consumed& f, currency last) {
  return f.uncovered == 0 && is_same_currency(f.currency, last) && plainly_taken(e) == f.booked;
}

void write_fact(field_writer& w, const entry& e, const fact::any& f) {
  const auto* consumed = std::get_if<fact::consumed>(&f);
  if (consumed == nullptr || !is_plainly_consumed(e, *consumed, w.last_currency()))
    return w(f);
  w.varint(consumed_plainly);
  w(consumed->id);
}

void read_fact(field_reader& r, const entry& e, fact::any& f) {
  const auto tag = r.number<std::uint8_t>();
  const auto last = r.last_currency();
  if (tag != consumed_plainly) {
    r.alternative(tag, f);
    const auto* full = std::get_if<fact::consumed>(&f);
    if (full != nullptr && is_plainly_consumed(e, *full, last))
      r.fail("a fact is not in its shortest form");
    return;
  }
  auto& plain = f.emplace<fact::consumed>();
  const auto taken = plainly_taken(e);
  if (!taken)
    return r.fail("nothing was collected");
  plain.booked = *taken;
  plain.currency = last;
  r(plain.id);
}

void read_facts(field_reader& r, unsigned flags, entry& e) {
  const bool one = (flags & has_one_fact) != 0;
  auto left = one ? 1 : r.count(1);
  if (!one && left == 1)
    r.fail("facts are not in their shortest form");
  for (; left > 0 && !r.failed(); --left)
    read_fact(r, e, e.facts.emplace_back());
}

template <class Object>
void write_object(const Object& x, std::vector<std::byte>& out, std::uint8_t version) {
  field_writer w(out, {}, version);
  w.byte(version);
  w(x);
}

template <class Object>
result<Object> read_object(std::span<const std::byte> bytes) {
  field_reader r(bytes);
  r.read_version();
  Object x;
  r(x);
  expect_end(r);
  if (r.failed())
    return unreadable(r);
  return x;
}

} // namespace

void encode(const entry& e, std::vector<std::byte>& out) {
  field_writer w(out, e.at);
  w.byte(format_version);
  unsigned flags = e.opened.empty() ? 0 : has_opened;
  if (!e.after.empty())
    flags |= is_plain(e.after) ? has_plain_balance : has_balances;
  if (e.facts.size() == 1)
    flags |= has_one_fact;
  w.varint(uint128{e.transactions.size()} << head_flags | flags);
  write_transactions(w, e);
  if (!e.opened.empty())
    write_accounts(w, e.opened);
  write_balances(w, e.after);
  if (e.facts.size() != 1)
    w.varint(e.facts.size());
  for (const auto& f : e.facts)
    write_fact(w, e, f);
}

result<entry>
decode(std::span<const std::byte> body, sequence number, instant at, std::uint8_t kind) {
  field_reader r(body, at);
  entry e;
  e.number = number;
  e.at = at;
  e.kind = kind;
  r.read_version();
  const auto head = r.varint();
  const auto flags = static_cast<unsigned>(head & ((1U << head_flags) - 1));
  const auto count = head >> head_flags;
  // A transaction takes two bytes at least.
  if (count > r.left() / 2)
    r.fail("a count is bigger than what follows");
  if ((flags & has_plain_balance) != 0 && (flags & has_balances) != 0)
    r.fail("unknown flags");
  if (!r.failed())
    read_transactions(r, static_cast<std::size_t>(count), e);
  if ((flags & has_opened) != 0) {
    e.opened = read_accounts(r);
    if (e.opened.empty())
      r.fail("nothing was opened");
  }
  read_balances(r, flags, e.after);
  read_facts(r, flags, e);
  expect_end(r);
  if (r.failed())
    return unreadable(r);
  return e;
}

void encode(const charge& c, std::vector<std::byte>& out, std::uint8_t version) {
  write_object(c, out, version);
}

result<charge> decode_charge(std::span<const std::byte> bytes) {
  return read_object<charge>(bytes);
}

void encode(const invoicing::invoice& i, std::vector<std::byte>& out, std::uint8_t version) {
  write_object(i, out, version);
}

result<invoicing::invoice> decode_invoice(std::span<const std::byte> bytes) {
  return read_object<invoicing::invoice>(bytes);
}

} // namespace accrue::journal
