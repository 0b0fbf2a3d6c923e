// Properties of credit over random lives: what the ledger, the holds and the plans of expiry must show after every
// command, and which ways must lead to the same.
#include "tests/domain/credit_life.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;
using ledger::account_type;
using ledger::template_code;

namespace {

using slot = std::pair<grant_id, sub_account_id>;

/// Calls `see(transaction, posting)` for all that was ever posted.
template <class See>
void each_posting(const credit_harness& h, See see) {
  for (const auto& e : h.journal)
    for (const auto& t : e.transactions)
      for (const auto& p : t.postings())
        see(t, p);
}

/// D7: per currency always, per value but for the templates that cross values; and those do it twice, there and
/// back, so that the book as a whole is zero per value.
void check_sums(const credit_harness& h) {
  using value = std::tuple<std::uint32_t, std::string, std::uint32_t>;
  const auto all_zero = [](const auto& sums) {
    return std::ranges::all_of(sums, [](const auto& s) { return s.second == 0; });
  };
  std::map<value, int128> book;
  for (const auto& e : h.journal)
    for (const auto& t : e.transactions) {
      std::map<std::uint32_t, int128> by_currency;
      std::map<value, int128> by_value;
      for (const auto& p : t.postings()) {
        const auto& r = h.customer.book.at(p.account).route;
        const value v{r.currency.number(),
                      r.cost_basis ? r.cost_basis->to_string() : "none",
                      r.cost_basis_currency.value_or(currency{}).number()};
        by_currency[r.currency.number()] += p.amount;
        by_value[v] += p.amount;
        book[v] += p.amount;
      }
      RC_ASSERT(all_zero(by_currency));
      RC_ASSERT(ledger::find_template(t.code())->crosses_cost_basis || all_zero(by_value));
    }
  RC_ASSERT(all_zero(book));
}

/// No credit and no accrued value is below zero, now or at any instant to come.
void check_floors(const credit_harness& h) {
  using place = std::tuple<sub_account_id, grant_id, ledger::spend_id>;
  std::map<place, std::map<instant, int128>> moved;
  each_posting(h, [&](const ledger::transaction& t, const ledger::posting& p) {
    const auto account = h.customer.book.at(p.account).account;
    const auto when = std::max(t.booked_at(), h.now);
    if (account == account_type::fbo)
      moved[{p.account, p.source, {}}][when] += p.amount;
    if (account == account_type::accrued || account == account_type::earnings)
      moved[{p.account, p.source, p.spend}][when] += p.amount;
  });
  for (const auto& [where, movements] : moved) {
    int128 balance = 0;
    for (const auto& [when, amount] : movements) {
      balance += amount;
      RC_ASSERT(balance >= 0);
    }
  }
}

/// Held credit is there, and is what reservations hold.
void check_holds(const credit_harness& h) {
  std::map<slot, int128> in_book;
  std::map<slot, int128> in_holds;
  for (const auto& s : h.customer.book.sources()) {
    RC_ASSERT(s.held >= 0);
    RC_ASSERT(s.held <= s.amount);
    if (s.held > 0)
      in_book[{s.grant, s.account}] += s.held;
  }
  for (const auto* hold : h.customer.extras->holds.all())
    for (const auto& s : hold->slices)
      in_holds[{s.grant, s.account}] += s.amount;
  RC_ASSERT(in_book == in_holds);
}

/// What is planned to expire, less what was released, is what is left of credit whose end lies ahead; of credit
/// that has ended nothing is left.
void check_plans(const credit_harness& h) {
  std::map<slot, int128> planned;
  std::map<slot, int128> standing;
  each_posting(h, [&](const ledger::transaction& t, const ledger::posting& p) {
    if (h.customer.book.at(p.account).account != account_type::fbo || p.source == grant_id())
      return;
    if (ledger::is_breakage(t.code()))
      planned[{p.source, p.account}] -= p.amount;
    if (t.booked_at() <= h.now)
      standing[{p.source, p.account}] += p.amount;
  });
  std::map<slot, int128> left;
  for (const auto& s : h.customer.book.sources())
    left[{s.grant, s.account}] += s.amount;
  for (const auto& [where, amount] : left) {
    const auto end = h.customer.grant_at(where.first).details->expires_at;
    if (end != ledger::never && end > h.now)
      RC_ASSERT(planned[where] == amount);
  }
  for (const auto& [where, amount] : planned) {
    const auto end = h.customer.grant_at(where.first).details->expires_at;
    RC_ASSERT(end != ledger::never);
    if (end > h.now)
      RC_ASSERT(amount == left[where]);
    else
      RC_ASSERT(standing[where] == 0);
  }
}

/// All that is booked, by when it counts, where it stands, who supplied it and, if asked, who used it.
using booked = std::map<std::tuple<instant, std::string, std::uint32_t, std::uint64_t>, int128>;
booked all_booked(const credit_harness& h, bool by_spend = true) {
  std::vector<std::string> names;
  for (const auto& a : h.customer.book.sub_accounts())
    names.push_back(text_of(a, h.catalog));
  booked sums;
  each_posting(h, [&](const ledger::transaction& t, const ledger::posting& p) {
    const auto spend = by_spend ? p.spend.value() : 0;
    sums[{t.booked_at(), names.at(p.account.value), p.source.value, spend}] += p.amount;
  });
  std::erase_if(sums, [](const auto& s) { return s.second == 0; });
  return sums;
}

/// Credit that is left, and what of it is held.
std::vector<std::string> all_left(const credit_harness& h) {
  std::vector<std::string> text;
  for (const auto& s : h.customer.book.sources())
    if (s.amount != 0)
      text.push_back(std::to_string(s.grant.value) + " " +
                     text_of(h.customer.book.at(s.account), h.catalog) + " " + to_string(s.amount) +
                     " " + to_string(s.held));
  std::ranges::sort(text);
  return text;
}

reply::consumed taken(credit_harness& h, const command::any& c) {
  return std::get<reply::consumed>(h.ok(c).body);
}

std::string text_in(int128 minor) { return to_string(money{minor, usd}); }

/// A customer with grants, and after them reservations, in order.
struct reserving {
  struct held {
    std::string id;
    std::string feature;
    int128 amount = 0;
  };
  credit_harness h;
  std::vector<held> all;
  std::vector<held> shuffled; ///< in another order

  reserving(const credit_life& steps, std::size_t grants_max, bool features) {
    std::size_t grants = 0;
    for (const auto& [kind, minor, choice, wait] : steps) {
      chooser next(choice);
      auto g = ranked(credit("g" + std::to_string(grants), text_in(minor)),
                      static_cast<std::uint16_t>(1 + next(3)));
      if (features && next(3) == 0)
        g.features = {"api"};
      if (next(3) == 0)
        g.expires_at = plus_ns(h.now, (1 + next(9)) * day_ns);
      if (kind < 16 && grants++ < grants_max)
        h.ok(g);
    }
    for (const auto& [kind, minor, choice, wait] : steps) {
      const held r{
          "r" + std::to_string(all.size()), features && choice % 2 == 0 ? "api" : "", minor};
      if (kind < 16)
        continue;
      if (const auto done = h.run(up_to(reserve(r.id, text_in(minor), hour_ns, r.feature))))
        all.push_back({r.id, r.feature, std::get<reply::reservation_view>(done->body).held});
    }
    shuffled = all;
    std::ranges::reverse(shuffled);
    if (!all.empty())
      std::ranges::rotate(
          shuffled, shuffled.begin() + static_cast<std::ptrdiff_t>(steps.size() / 3 % all.size()));
  }
};

} // namespace

TEST_CASE("random lives of credit reach every way money moves", "[property][credit]") {
  std::map<template_code, int> forward;
  std::map<template_code, int> back;
  std::map<std::size_t, int> kinds;
  int refused = 0;
  CHECK(over_credit_lives(3000, 100, [&](const credit_life& steps) {
    credit_story s(true);
    s.live(steps, [&](bool accepted) { refused += accepted ? 0 : 1; });
    for (const auto& e : s.h.journal) {
      ++kinds[e.kind];
      for (const auto& t : e.transactions)
        ++(t.direction() == ledger::direction::forward ? forward : back)[t.code()];
    }
  }));
  using enum template_code;
  for (const auto code : {issue,
                          authorize,
                          settle,
                          attribute_advance,
                          collect,
                          collect_advance,
                          translate_accrued,
                          recognize,
                          plan_breakage,
                          release_breakage,
                          reopen_breakage,
                          authorize_unit_purchase,
                          void_unauthorized,
                          void_promotional,
                          void_paid,
                          refund,
                          opening_credit,
                          opening_advance,
                          authorize_purchase,
                          write_off_purchase,
                          write_off_unit_purchase}) {
    INFO(ledger::find_template(code)->name);
    CHECK(forward[code] > 3);
  }
  for (const auto code : {issue,
                          attribute_advance,
                          collect,
                          collect_advance,
                          translate_accrued,
                          recognize,
                          write_off_purchase}) {
    INFO(ledger::find_template(code)->name << ", corrected");
    CHECK(back[code] > 10);
  }
  for (const command::any& c : {command::any(command::reserve{}),
                                command::any(command::settle_reservation{}),
                                command::any(command::release_reservation{}),
                                command::any(command::extend_reservation{}),
                                command::any(command::correct_charge{}),
                                command::any(command::void_grant{}),
                                command::any(command::write_off_grant{}),
                                command::any(command::recognize{})}) {
    INFO(command::kind(c));
    CHECK(kinds[c.index()] > 50);
  }
  CHECK(kinds[command::any(command::refund_grant{}).index()] > 10);
  CHECK(refused > 1000);
}

TEST_CASE("postings sum to zero in every value", "[property][credit][D7][D63]") {
  CHECK(over_credit_lives(1000, 100, [](const credit_life& steps) {
    credit_story s(true);
    s.live(steps);
    check_sums(s.h);
  }));
}

TEST_CASE("credit, accrued value and earnings are never below zero from now on",
          "[property][credit][D8][D61]") {
  CHECK(over_credit_lives(500, 80, [](const credit_life& steps) {
    credit_story s(true);
    s.live(steps, [&s](bool) { check_floors(s.h); });
  }));
}

TEST_CASE("what is held is there, and is what reservations hold", "[property][credit]") {
  CHECK(over_credit_lives(1000, 100, [](const credit_life& steps) {
    credit_story s(true);
    s.live(steps, [&s](bool) { check_holds(s.h); });
  }));
}

TEST_CASE("what is planned to expire is what is left of it", "[property][credit][D61]") {
  CHECK(over_credit_lives(500, 80, [](const credit_life& steps) {
    credit_story s(true);
    s.live(steps, [&s](bool) { check_plans(s.h); });
  }));
}

namespace {

/// What a grant says of its payment is what was posted of it; and what is wholly paid or given up leaves no debt.
void check_payments(const credit_harness& h) {
  enum class what : std::uint8_t { owed, claimed, promised, cash, lost };
  std::map<std::pair<grant_id, what>, int128> sums;
  each_posting(h, [&](const ledger::transaction& t, const ledger::posting& p) {
    const auto& a = h.customer.book.at(p.account);
    if (p.source == grant_id() || a.route.cost_basis == decimal(0))
      return;
    using enum template_code;
    const bool claim = t.code() == void_paid || t.code() == void_paid_unit || t.code() == refund;
    if (a.account == account_type::write_off)
      sums[{p.source, what::lost}] += p.amount;
    else if (a.account == account_type::wash)
      sums[{p.source, what::cash}] += p.amount;
    else if (a.route.stage == ledger::stage::authorized)
      sums[{p.source, what::promised}] += p.amount;
    else if (a.account == account_type::receivable && a.route.cost_basis)
      sums[{p.source, claim ? what::claimed : what::owed}] += p.amount;
  });
  for (const auto& g : h.customer.grants) {
    if (g.funding != funding::external)
      continue;
    const auto& d = *g.details;
    const auto face = g.amount.minor - d.closed_face - d.voided_unauthorized;
    const auto price = purchase::price(g).value().minor;
    RC_ASSERT((sums[{g.id, what::lost}] == -d.written_off));
    RC_ASSERT((sums[{g.id, what::cash}] == -(d.settled - d.refunded)));
    RC_ASSERT((sums[{g.id, what::promised}] == -(d.authorized - d.settled)));
    RC_ASSERT((sums[{g.id, what::claimed}] == d.claimed - d.refunded));
    RC_ASSERT((sums[{g.id, what::owed}] == -face));
    RC_ASSERT(d.written_off >= 0);
    RC_ASSERT(d.settled + d.written_off <= price);
    RC_ASSERT(face >= 0);
    RC_ASSERT(face == 0 || d.authorized + d.written_off < price);
    const auto claim = purchase::claim(g).value().minor;
    RC_ASSERT(claim >= 0);
    RC_ASSERT(claim <= d.claimed - d.refunded);
  }
}

} // namespace

TEST_CASE("what a grant says of its payment is what its postings say",
          "[property][credit][D12][D13][D59][D64]") {
  CHECK(over_credit_lives(1000, 80, [](const credit_life& steps) {
    credit_story s(true);
    s.live(steps, [&s](bool) { check_payments(s.h); });
  }));
}

TEST_CASE("a life of credit replayed is the same customer", "[property][credit]") {
  CHECK(over_credit_lives(1000, 100, [](const credit_life& steps) {
    credit_story s(true);
    s.live(steps);
    customer again;
    again.number = s.h.customer.number;
    again.reference = s.h.customer.reference;
    for (const auto& e : s.h.journal)
      again.apply(e);
    RC_ASSERT(again == s.h.customer);
  }));
}

TEST_CASE("a refused command about credit leaves no trace", "[property][credit][D6]") {
  CHECK(over_credit_lives(500, 80, [](const credit_life& steps) {
    credit_story s(true);
    auto before = s.h.customer;
    s.live(steps, [&](bool accepted) {
      if (!accepted)
        RC_ASSERT(s.h.customer == before);
      before = s.h.customer;
    });
  }));
}

TEST_CASE("receipts tell the balances that a question right after tells",
          "[property][credit][D6]") {
  CHECK(over_credit_lives(500, 80, [](const credit_life& steps) {
    credit_story s(true);
    s.live(steps, [&s](bool accepted) {
      if (accepted)
        for (const auto& b : s.h.receipts.back().after)
          RC_ASSERT(b == s.h.balance(b.code));
    });
  }));
}

TEST_CASE("two corrections in a row are one of their sum", "[property][credit][D8][D60]") {
  int compared = 0;
  CHECK(over_credit_lives(500, 80, [&compared](const credit_life& steps) {
    credit_story s(true);
    s.live(steps);
    for (std::size_t i = s.spends.size() > 4 ? s.spends.size() - 4 : 0; i < s.spends.size(); ++i) {
      const auto first = static_cast<int128>(1 + i * 37 % 500);
      const auto second = static_cast<int128>(1 + i * 91 % 500);
      auto once = s.h;
      auto twice = s.h;
      const auto sum = once.run(correct(s.spends[i], text_in(first + second)));
      if (!twice.run(correct(s.spends[i], text_in(first)))) {
        RC_ASSERT(!sum.has_value());
        continue;
      }
      RC_ASSERT(twice.run(correct(s.spends[i], text_in(second))).has_value() == sum.has_value());
      if (!sum)
        continue;
      ++compared;
      RC_ASSERT(all_booked(once) == all_booked(twice));
      RC_ASSERT(all_left(once) == all_left(twice));
    }
  }));
  CHECK(compared > 100);
}

TEST_CASE("what is collected, given back whole and collected again is the same",
          "[property][credit][D8]") {
  CHECK(over_credit_lives(500, 80, [](const credit_life& steps) {
    credit_story s(true);
    s.live(steps);
    auto& h = s.h;
    h.ok(policy(command::over_settlement::advance));
    h.ok(command::run_due{}); // no hold ends on the way
    const auto booked_before = all_booked(h);
    const auto left_before = all_left(h);
    const auto first = s.fresh();
    const auto got = taken(h, consume(first, "70.07", "api"));
    h.ok(correct(first));
    RC_ASSERT(all_left(h) == left_before);
    RC_ASSERT(all_booked(h) == booked_before);
    const auto again = taken(h, consume(s.fresh(), "70.07", "api"));
    RC_ASSERT(again.slices == got.slices);
    RC_ASSERT(again.booked == got.booked);
  }));
}

// reservations.md, invariants. A settlement takes what was held for it, so its slices are those of collecting the
// actuals where it takes all that was held, or where there is one grant; the totals always are.

TEST_CASE("reservations settled whole, in any order, are the credit collected when they were made",
          "[property][credit][D67]") {
  CHECK(over_credit_lives(500, 40, [](const credit_life& steps) {
    reserving r(steps, 100, true);
    auto collecting = r.h;
    for (const auto& held : r.all)
      collecting.ok(command::release_reservation{held.id});
    for (const auto& held : r.all)
      collecting.ok(consume("c" + held.id, text_in(held.amount), held.feature));
    for (const auto& held : r.shuffled)
      r.h.ok(finish(held.id, text_in(held.amount)));
    RC_ASSERT(all_booked(r.h, false) == all_booked(collecting, false));
    RC_ASSERT(all_left(r.h) == all_left(collecting));
    RC_ASSERT(r.h.customer.extras->holds.size() == 0);
  }));
}

TEST_CASE("reservations settled or released, in any order, are the actuals collected in it",
          "[property][credit][D67]") {
  for (const std::size_t grants : {1, 100})
    CHECK(over_credit_lives(300, 40, [grants](const credit_life& steps) {
      reserving r(steps, grants, false);
      auto collecting = r.h;
      for (const auto& held : r.all)
        collecting.ok(command::release_reservation{held.id});
      int turn = 0;
      for (const auto& held : r.shuffled) {
        const auto actual = held.amount * (turn++ % 5) / 4; // none, a quarter, … all of it
        if (actual == 0) {
          r.h.ok(command::release_reservation{held.id});
          continue;
        }
        r.h.ok(finish(held.id, text_in(actual)));
        collecting.ok(consume("c" + held.id, text_in(actual)));
      }
      RC_ASSERT(r.h.balance() == collecting.balance());
      RC_ASSERT(grants > 1 || all_booked(r.h, false) == all_booked(collecting, false));
      RC_ASSERT(grants > 1 || all_left(r.h) == all_left(collecting));
    }));
}
