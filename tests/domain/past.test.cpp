// A customer's past in blocks: what an answer has to load, and rows that stand at the very same instant. Random lives
// are in statement_properties.test.cpp.
#include "domain/past.hpp"

#include "tests/domain/credit_support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;

namespace {

constexpr std::size_t block_units = 50;

/// 10,000 USD, of which each minute one is used.
credit_harness long_life(int jobs) {
  credit_harness h;
  h.ok(credit("g", "10000"));
  for (int n = 0; n < jobs; ++n) {
    h.now = plus_ns(h.now, 60 * second_ns);
    h.ok(consume("job-" + std::to_string(n), "1"));
  }
  return h;
}

reply::transactions
page_of(const credit_harness& h, const command::list_transactions& q, past::wanted& loads) {
  const blocks_of_past all(h.customer, h.journal, block_units);
  return std::get<reply::transactions>(all.ask(q, h.catalog, h.now, &loads).value().body);
}

lines text_of(const reply::transactions& page) {
  lines all;
  for (const auto& r : page.rows)
    all.push_back(r.type + " " + r.reference + " " + to_string(money{r.amount, r.currency}) + " " +
                  to_string(money{r.after, r.currency}));
  return all;
}

} // namespace

TEST_CASE("an answer loads the blocks that it begins or ends in, however many there are",
          "[statement][D35]") {
  for (const int jobs : {500, 5000}) {
    CAPTURE(jobs);
    const auto h = long_life(jobs);
    // Twenty rows have at most two blocks, and the units that they name.
    command::list_transactions q;
    q.as_of = plus_ns(h.now, -200 * 60 * second_ns);
    past::wanted loads;
    const auto page = page_of(h, q, loads);
    REQUIRE(page.rows.size() == 20);
    CHECK(page.rows.front().reference == "job-" + std::to_string(jobs - 201));
    CHECK(page.rows.front().after == 1'000'000 - 100 * (jobs - 200));
    CHECK(loads.blocks.size() <= 2);
    CHECK(loads.units.size() == 20);
    // The next page begins where this one ended.
    q.after = page.next;
    loads = {};
    CHECK(page_of(h, q, loads).rows.front().reference == "job-" + std::to_string(jobs - 221));
    CHECK(loads.blocks.size() <= 2);
    // Back from there.
    q.before = q.after;
    q.after.clear();
    q.limit = 19;
    loads = {};
    CHECK(page_of(h, q, loads).rows.front().reference == page.rows.front().reference);
    CHECK(loads.blocks.size() <= 2);
    // A type of which there is one row: its block. A type of which there is none: nothing.
    q = {};
    q.type = command::row_type::funded;
    loads = {};
    CHECK(text_of(page_of(h, q, loads)) == lines{"funded g 10000.00 10000.00"});
    CHECK(loads.blocks.size() == 1);
    CHECK(loads.units.empty());
    q.type = command::row_type::adjusted;
    loads = {};
    CHECK(page_of(h, q, loads).rows.empty());
    CHECK(loads.blocks.empty());
    // A balance.
    command::get_balance b;
    b.as_of = plus_ns(h.now, -777 * second_ns);
    loads = {};
    (void)blocks_of_past(h.customer, h.journal, block_units).ask(b, h.catalog, h.now, &loads);
    CHECK(loads.blocks.size() <= 1);
  }
}

TEST_CASE("what ends at an instant is told before what happens then", "[statement][D35]") {
  const auto end = at("2026-01-05");
  credit_harness h;
  h.ok(until(credit("g", "10"), end));
  h.ok(until(credit("i", "3"), end));
  h.ok(credit("h", "5"));
  h.now = end;
  h.ok(consume("job", "2")); // of h: the others are gone
  command::list_transactions q;
  for (const std::size_t size : {1, 2, 3, 100}) {
    CAPTURE(size);
    const blocks_of_past all(h.customer, h.journal, size);
    const auto ask = [&] {
      return std::get<reply::transactions>(all.ask(q, h.catalog, h.now).value().body);
    };
    q = {};
    // 10 + 3 + 5, less 10 and 3, less 2; of what ends together the later grant stands first.
    CHECK(text_of(ask()) == lines{"consumed job -2.00 3.00",
                                  "expired i -3.00 5.00",
                                  "expired g -10.00 8.00",
                                  "funded h 5.00 18.00",
                                  "funded i 3.00 13.00",
                                  "funded g 10.00 10.00"});
    q.limit = 1;
    lines one_by_one;
    do {
      const auto page = ask();
      one_by_one.push_back(text_of(page).at(0));
      q.after = page.next;
    } while (!q.after.empty());
    CHECK(one_by_one.size() == 6);
    q = {};
    q.as_of = plus_ns(end, -1);
    CHECK(text_of(ask()).front() == "funded h 5.00 18.00");
  }
}

TEST_CASE("what ends at an instant is told after what was recorded before it", "[statement][D65]") {
  const auto end = at("2026-01-05");
  credit_harness h;
  h.ok(credit("h", "5"));
  h.now = end;
  h.ok(consume("job", "2"));
  // Recorded behind it, for the day before: it begins and has ended.
  h.ok(until(from(credit("g", "10"), plus_ns(end, -day_ns)), end));
  CHECK(text_of(std::get<reply::transactions>(h.ok(command::list_transactions{}).body)) ==
        lines{"expired g -10.00 3.00",
              "consumed job -2.00 13.00",
              "funded g 10.00 15.00",
              "funded h 5.00 5.00"});
}

TEST_CASE("opening credit that ends together is one row, whatever is left of each",
          "[statement][D68]") {
  const auto end = at("2026-01-05");
  credit_harness h;
  const auto open = [&](const char* id, const char* amount) {
    command::open_credit c{id, dec(amount), "USD", {}, h.now};
    c.expires_at = end;
    h.ok(c);
  };
  open("a", "4");
  open("b", "6");
  h.ok(consume("job", "4")); // all of a, whose source is gone with it
  command::list_transactions q;
  q.type = command::row_type::expired;
  h.now = plus_ns(end, day_ns);
  const auto ask = [&] { return std::get<reply::transactions>(h.ok(q).body); };
  CHECK(text_of(ask()) == lines{"expired  -6.00 0.00"});
  const auto cursor = ask().rows.at(0).cursor;
  // What is recorded later stands in the same row.
  h.ok(credit("more", "1"));
  CHECK(ask().rows.at(0).cursor == cursor);
}

TEST_CASE("a block is refused for items that are not its sums", "[statement]") {
  const auto h = long_life(3);
  statement_reader reader;
  statement_items items;
  for (const auto& e : h.journal)
    reader.read(h.customer, e, items);
  past p(h.customer);
  const auto last = h.journal.back().number;
  p.add(block_of(sequence(0), last, items));
  auto wrong = items;
  wrong.movements.back().amount += 1;
  CHECK(p.load(last, wrong).error().code == errc::internal);
  CHECK(p.load(last, {}).error().code == errc::internal);
  auto more = items;
  more.add({item_kind::consumed, {plus_ns(h.now, 1), h.now, 9, 0}, {}, 0, 0}, {});
  CHECK(p.load(last, more).error().code == errc::internal);
  CHECK(p.load(last, items).has_value());
}
