// An item's first byte: the kind, and what is so common that it is not said again. A unit begins with it, too, where it
// has one item, as most have.
#include "persistence/statement_codec.hpp"

#include "persistence/varint.hpp"

#include <algorithm>

namespace accrue {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::uint8_t kinds = 7; // the mask, too
constexpr std::uint8_t booked_then = 8;
constexpr std::uint8_t one_movement = 16;
constexpr std::uint8_t has_grant = 32;
constexpr std::uint8_t only_item = 64; // a unit begins with it; else with one of the next two
constexpr std::uint8_t first_transaction = 128;
constexpr std::uint8_t no_items = 0;
constexpr std::uint8_t some_items = 1;

void put(byte_writer& w, std::int64_t value) { w.varint(zigzag(value)); }
void put(byte_writer& w, const statement_place& p) {
  put(w, p.booked_at.ns);
  put(w, p.recorded_at.ns);
  w.varint(p.sequence);
  w.varint(p.transaction);
}

std::int64_t integer(byte_reader& r) {
  const auto value = unzigzag(r.varint());
  if (value < std::numeric_limits<std::int64_t>::min() ||
      value > std::numeric_limits<std::int64_t>::max())
    r.fail("an instant is too far");
  return static_cast<std::int64_t>(value);
}
// Wraps around, as the writer's differences do.
instant moved(instant from, std::int64_t by) {
  return {static_cast<std::int64_t>(static_cast<std::uint64_t>(from.ns) +
                                    static_cast<std::uint64_t>(by))};
}
std::int64_t between(instant from, instant to) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(to.ns) -
                                   static_cast<std::uint64_t>(from.ns));
}
statement_place place(byte_reader& r) {
  statement_place p;
  p.booked_at.ns = integer(r);
  p.recorded_at.ns = integer(r);
  p.sequence = r.number<std::uint64_t>();
  p.transaction = r.number<std::uint32_t>();
  return p;
}

fingerprint print_of(std::span<const std::byte> bytes) {
  return fingerprint_of(digester().add(bytes).finish());
}
void put(std::vector<std::byte>& out, const fingerprint& print) {
  out.insert(out.end(), print.begin(), print.end());
}

item_kind kind(byte_reader& r, std::uint8_t code) {
  if ((code & kinds) == 0)
    r.fail("an item is of no kind");
  return static_cast<item_kind>(code & kinds);
}

tl::unexpected<refusal> unreadable(const byte_reader& r) {
  return refuse(errc::internal, std::string("a statement cannot be read: ") + r.reason());
}

} // namespace

void append_unit(std::vector<std::byte>& units,
                 const statement_items& items,
                 instant at,
                 instant before) {
  byte_writer w(units);
  const auto code_of = [&](const statement_item& i) {
    return static_cast<std::uint8_t>(
        static_cast<std::uint8_t>(i.kind) | (i.place.booked_at == at ? booked_then : 0) |
        (i.count == 1 ? one_movement : 0) | (i.grant != grant_id{} ? has_grant : 0) |
        (i.place.transaction == 0 ? first_transaction : 0));
  };
  const bool only = items.items.size() == 1;
  if (only)
    w.byte(static_cast<std::uint8_t>(code_of(items.items.front()) | only_item));
  else
    w.byte(items.items.empty() ? no_items : some_items);
  if (items.items.size() > 1)
    w.varint(items.items.size());
  w.varint(static_cast<std::uint64_t>(between(before, at))); // time does not run backwards
  for (const auto& i : items.items) {
    if (!only)
      w.byte(code_of(i));
    if (i.place.transaction != 0)
      w.varint(i.place.transaction);
    if (i.place.booked_at != at)
      put(w, between(at, i.place.booked_at));
    if (i.grant != grant_id{})
      w.varint(i.grant.value);
    if (i.count != 1)
      w.varint(i.count);
    for (const auto& m : items.moved(i)) {
      w.varint(m.account.value);
      w.varint(zigzag(m.amount));
    }
  }
}

result<statement_items> decode_units(std::span<const std::byte> units, sequence after) {
  statement_items all;
  byte_reader r(units);
  instant at;
  std::vector<statement_movement> movements;
  for (auto number = after.value + 1; r.left() != 0; ++number) {
    const auto head = r.byte();
    const bool only = (head & only_item) != 0;
    if (!only && head > some_items)
      r.fail("a unit begins with nothing known");
    auto left = only ? 1 : head == some_items ? r.count(2) : 0;
    at = moved(at, static_cast<std::int64_t>(r.number<std::uint64_t>()));
    for (; left > 0 && !r.failed(); --left) {
      const auto code = only ? head : r.byte();
      statement_item i;
      i.kind = kind(r, code);
      i.place.sequence = number;
      if ((code & first_transaction) == 0)
        i.place.transaction = r.number<std::uint32_t>();
      i.place.booked_at = (code & booked_then) != 0 ? at : moved(at, integer(r));
      i.place.recorded_at = i.kind == item_kind::expired ? i.place.booked_at : at;
      if ((code & has_grant) != 0)
        i.grant = grant_id(r.number<std::uint32_t>());
      movements.clear();
      for (auto n = (code & one_movement) != 0 ? 1 : r.count(2); n > 0 && !r.failed(); --n) {
        const sub_account_id account(r.number<std::uint32_t>());
        movements.push_back({account, unzigzag(r.varint())});
      }
      all.add(i, movements);
    }
  }
  if (r.failed())
    return unreadable(r);
  return all;
}

void encode(const statement_block& b,
            std::span<const std::byte> units,
            std::vector<std::byte>& out) {
  const auto begin = out.size();
  byte_writer w(out);
  w.byte(version);
  w.varint(b.after.value);
  w.varint(b.runs.size());
  for (const auto& run : b.runs) {
    put(w, run.first);
    put(w, run.last);
    w.varint(run.sums.size());
    for (const auto& s : run.sums) {
      w.byte(static_cast<std::uint8_t>(s.kind));
      w.varint(s.account.value);
      w.varint(zigzag(s.amount));
      w.varint(s.items);
    }
  }
  put(out, print_of(units));
  put(out, print_of(std::span(out).subspan(begin)));
}

result<block_sums> decode_sums(std::span<const std::byte> bytes, sequence through) {
  constexpr auto print_size = sizeof(fingerprint);
  if (bytes.size() < 2 * print_size || bytes.front() != std::byte{version})
    return refuse(errc::internal, "a statement block is of another version, or cut short");
  const auto rest = bytes.first(bytes.size() - print_size);
  if (!std::ranges::equal(print_of(rest), bytes.last(print_size)))
    return refuse(errc::internal, "the sums of a statement block were changed");
  block_sums all{{{}, through, {}}, {}};
  std::ranges::copy(rest.last(print_size), all.items.begin());
  byte_reader r(rest.first(rest.size() - print_size));
  (void)r.byte(); // the version
  auto& b = all.block;
  b.after = sequence(r.number<std::uint64_t>());
  if (b.after >= through)
    r.fail("it ends before it begins");
  for (auto runs = r.count(9); runs > 0 && !r.failed(); --runs) {
    auto& run = b.runs.emplace_back();
    run.first = place(r);
    run.last = place(r);
    for (auto n = r.count(4); n > 0 && !r.failed(); --n) {
      statement_sum s;
      s.kind = kind(r, r.byte());
      s.account = sub_account_id(r.number<std::uint32_t>());
      s.amount = unzigzag(r.varint());
      s.items = r.number<std::uint32_t>();
      run.sums.push_back(s);
    }
  }
  if (!r.failed() && r.left() != 0)
    r.fail("something follows");
  if (r.failed())
    return unreadable(r);
  return all;
}

result<statement_items> decode_items(const block_sums& of, std::span<const std::byte> units) {
  if (print_of(units) != of.items)
    return refuse(errc::internal,
                  "the items of the statement block up to unit " +
                      std::to_string(of.block.through.value) +
                      " were changed; delete its row, and it is made again");
  return decode_units(units, of.block.after);
}

void statement_writer::add(const customer& after, const entry& e) {
  if (units_.empty())
    after_ = sequence(e.number.value - 1);
  of_unit_.clear();
  reader_.read(after, e, of_unit_);
  append_unit(units_, of_unit_, e.at, at_);
  last_ = e.number;
  at_ = e.at;
}

statement_items statement_writer::items() const {
  auto all = decode_units(units_, after_);
  ENSURE(all);
  return std::move(*all);
}

void statement_writer::clear() noexcept {
  units_.clear();
  after_ = last_;
  at_ = {};
}

} // namespace accrue
