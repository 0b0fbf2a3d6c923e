// Transactions: what cannot be made, and every template with a right and wrong examples.
// Which amounts the engine puts into them is tested with posting rules, collection and commands.
#include "domain/ledger/transaction.hpp"

#include "domain/ledger/book.hpp"
#include "tests/domain/support.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <limits>
#include <map>
#include <set>

using namespace accrue;
using namespace accrue::ledger;
using accrue::testing::at;
using accrue::testing::dec;
using accrue::testing::usd;

namespace {

const currency eur{978, 2};
const currency acme{1000, 2};
constexpr auto most = static_cast<int128>(~uint128{0} >> 1);

account_type account_named(std::string_view name) {
  for (int i = 1; i <= static_cast<int>(account_type_count); ++i)
    if (to_string(static_cast<account_type>(i)) == name)
      return static_cast<account_type>(i);
  FAIL("no account " << name);
  return {};
}

/// Postings from text: "fbo@0.5 -30, receivable.open:ACME@0.25/USD +30": account, stage, currency
/// (USD), cost basis ("none" or absent: unknown), its currency, minor units; "#1" a source.
class ledger_text {
public:
  ledger::book book;

  std::vector<posting> postings(const std::string& text) {
    std::vector<posting> made;
    std::istringstream in(text);
    for (std::string address, amount; in >> address >> amount;)
      made.push_back(one(address, std::stoll(amount)));
    return made;
  }

  result<transaction> make(template_code code, direction dir, const std::string& text) {
    return transaction::make(code, dir, at("2026-01-01"), postings(text), book);
  }

  sub_account_id open(const sub_account& where) {
    const auto found = book.find(where);
    return found ? *found : book.open(where);
  }

private:
  static std::string cut(std::string& text, char mark) {
    const auto place = text.find(mark);
    if (place == std::string::npos)
      return {};
    auto rest = text.substr(place + 1);
    text.resize(place);
    return rest;
  }
  static currency named(const std::string& code) {
    return code == "ACME" ? acme : code == "EUR" ? eur : usd;
  }

  posting one(std::string address, int128 amount) {
    posting p;
    p.amount = amount;
    if (const auto source = cut(address, '#'); !source.empty())
      p.source = grant_id(static_cast<std::uint32_t>(std::stoul(source)));
    sub_account where;
    auto basis = cut(address, '@');
    if (const auto fiat = cut(basis, '/'); !fiat.empty())
      where.route.cost_basis_currency = named(fiat);
    if (!basis.empty() && basis != "none")
      where.route.cost_basis = dec(basis);
    where.route.currency = named(cut(address, ':'));
    const auto stage = cut(address, '.');
    where.account = account_named(address);
    if (where.account == account_type::receivable)
      where.route.stage = stage == "open" ? ledger::stage::open : ledger::stage::authorized;
    if (where.account == account_type::fbo)
      where.route.priority = default_priority;
    p.account = open(where);
    return p;
  }
};

struct example {
  template_code code;
  std::string postings;
  bool correctable;
};

/// One right example a template, from ledger.md 5 and D64. Correctable where the pages name a
/// correction.
const std::vector<example>& right_examples() {
  using enum template_code;
  static const std::vector<example> all = {
      {issue, "fbo@0.5 +100 receivable.open@0.5 -100", true},
      {authorize, "receivable.authorized@1 -40 receivable.open@1 +40", false},
      {settle, "wash@1 -40 receivable.authorized@1 +40", false},
      {attribute_advance, "receivable.open@none +30 receivable.open@0.5 -30", true},
      {collect, "fbo@0 -30 fbo@0.5 -50 accrued@0 +30 accrued@0.5 +50", true},
      {collect_advance, "fbo@none -30 accrued@none +30", true},
      {translate_accrued, "accrued@none -30 accrued@0.5 +30", true},
      {recognize, "accrued@0.5 -30 earnings@0.5 +30", true},
      {exchange,
       "receivable.open@0.25 -25 brokerage@0.25 +25 receivable.open:ACME@0.25/USD +100 "
       "brokerage:ACME@0.25/USD -100",
       false},
      {plan_breakage, "fbo@0 -30 breakage@0 +30", false},
      {release_breakage, "fbo@0 +30 breakage@0 -30", false},
      {reopen_breakage, "fbo@0 -30 breakage@0 +30", false},
      {authorize_purchase,
       "receivable.open@0.5 +100 receivable.authorized@0.5 -50 brokerage@0.5 -50",
       true},
      {authorize_unit_purchase,
       "receivable.open:ACME@0.25/USD +100 brokerage:ACME@0.25/USD -100 brokerage@0.25 +25 "
       "receivable.authorized@0.25 -25",
       true},
      {void_promotional, "fbo@0 -60 wash@0 +60", false},
      {void_unauthorized, "fbo@0.5 -60 receivable.open@0.5 +60", false},
      {void_paid, "fbo@0.5 -70 brokerage@0.5 +35 receivable.open@0.5 +35", false},
      {void_paid_unit,
       "fbo:ACME@0.25/USD -80 brokerage:ACME@0.25/USD +80 brokerage@0.25 -20 "
       "receivable.open@0.25 +20",
       false},
      {refund, "receivable.open@0.5 -35 wash@0.5 +35", false},
      {accrue_invoice, "receivable.open@1 -70 accrued@1 +70", true},
      {invoice_tax, "receivable.open@1 -7 tax_payable@1 +7", true},
      {write_off_receivable, "receivable.open@1 +77 write_off@1 -77", true},
      {write_off_purchase, "receivable.open@0.5 +100 write_off@0.5 -50 brokerage@0.5 -50", true},
      {opening_credit, "fbo@none +10 wash@none -10", true},
      {opening_advance, "receivable.open@none -10 accrued@none +10", false},
      {write_off_unit_purchase,
       "receivable.open:ACME@0.25/USD +100 brokerage:ACME@0.25/USD -100 brokerage@0.25 +25 "
       "write_off@0.25 -25",
       true},
  };
  return all;
}

std::vector<posting> negated(std::vector<posting> postings) {
  for (auto& p : postings)
    p.amount = -p.amount;
  return postings;
}

errc code_of(const result<transaction>& made) {
  REQUIRE_FALSE(made.has_value());
  return made.error().code;
}

} // namespace

TEST_CASE("every template has a right example here and is found by its code", "[ledger][D7]") {
  std::set<template_code> shown;
  for (const auto& e : right_examples())
    shown.insert(e.code);
  CHECK(shown.size() == templates().size());
  for (const auto& t : templates()) {
    INFO(t.name);
    CHECK(shown.contains(t.code));
    CHECK(find_template(t.code) == &t);
  }
  CHECK(find_template(static_cast<template_code>(0)) == nullptr);
  CHECK(find_template(static_cast<template_code>(5)) == nullptr);
  CHECK(find_template(static_cast<template_code>(9999)) == nullptr);
}

TEST_CASE("codes and names of templates are unique, codes are sorted", "[ledger]") {
  std::set<std::string_view> names;
  auto last = static_cast<template_code>(0);
  for (const auto& t : templates()) {
    CHECK(names.insert(t.name).second);
    CHECK(last < t.code);
    last = t.code;
  }
}

TEST_CASE("the right example of every template is a transaction", "[ledger][D7][D64]") {
  for (const auto& e : right_examples()) {
    ledger_text text;
    const auto made = text.make(e.code, direction::forward, e.postings);
    INFO(find_template(e.code)->name);
    REQUIRE(made.has_value());
    CHECK(made->code() == e.code);
    CHECK(made->booked_at() == at("2026-01-01"));
    CHECK(made->postings().size() == text.postings(e.postings).size());
  }
}

TEST_CASE("signs the other way round are a correction, and only where one exists",
          "[ledger][D64]") {
  for (const auto& e : right_examples()) {
    ledger_text text;
    const auto back = negated(text.postings(e.postings));
    INFO(find_template(e.code)->name);
    CHECK_FALSE(transaction::make(e.code, direction::forward, {}, back, text.book).has_value());
    const auto correction = transaction::make(e.code, direction::correction, {}, back, text.book);
    CHECK(correction.has_value() == e.correctable);
    CHECK_FALSE(text.make(e.code, direction::correction, e.postings).has_value());
  }
}

TEST_CASE("a transaction without one of its postings is refused", "[ledger][D7]") {
  for (const auto& e : right_examples()) {
    ledger_text text;
    const auto all = text.postings(e.postings);
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto some = all;
      some.erase(some.begin() + static_cast<std::ptrdiff_t>(i));
      const auto made = transaction::make(e.code, direction::forward, {}, some, text.book);
      INFO(find_template(e.code)->name << " without posting " << i);
      CHECK(code_of(made) == errc::internal);
    }
  }
}

TEST_CASE("a minor unit more in any posting is refused", "[ledger][D7]") {
  for (const auto& e : right_examples()) {
    ledger_text text;
    const auto all = text.postings(e.postings);
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto off = all;
      off[i].amount += 1;
      INFO(find_template(e.code)->name << " posting " << i);
      CHECK(code_of(transaction::make(e.code, direction::forward, {}, off, text.book)) ==
            errc::internal);
    }
  }
}

TEST_CASE("postings of one template are refused under another", "[ledger][D7]") {
  using enum template_code;
  // Alike by intent: a reopening is a plan again; where the brokerage share is zero, purchases are
  // as at face; an advance is collected like other credit of unknown cost.
  const std::set<std::pair<template_code, template_code>> alike = {
      {plan_breakage, reopen_breakage},
      {reopen_breakage, plan_breakage},
      {authorize, authorize_purchase},
      {void_unauthorized, void_paid},
      {write_off_receivable, write_off_purchase},
      {collect_advance, collect},
  };
  for (const auto& e : right_examples())
    for (const auto& other : templates()) {
      if (other.code == e.code || alike.contains({e.code, other.code}))
        continue;
      ledger_text text;
      INFO(find_template(e.code)->name << " as " << other.name);
      CHECK_FALSE(text.make(other.code, direction::forward, e.postings).has_value());
    }
}

TEST_CASE("value keeps its cost basis except where an advance gets its price", "[ledger][D7]") {
  using enum template_code;
  struct row {
    template_code code;
    std::string postings;
    bool good;
  };
  const std::vector<row> rows = {
      {collect, "fbo@0 -30 accrued@0.5 +30", false},
      {collect, "fbo@0 -30 accrued +30", false},
      {collect, "fbo@0.70 -30 accrued@0.7 +30", true}, // one price, two spellings
      {collect, "fbo@0 -30 fbo@0.5 -50 accrued@0 +50 accrued@0.5 +30", false},
      {issue, "fbo@0.5 +100 receivable.open@1 -100", false},
      {settle, "wash@1 -40 receivable.authorized@0 +40", false},
      {recognize, "accrued@0.5 -30 earnings@1 +30", false},
      {authorize_purchase,
       "receivable.open@0.5 +100 receivable.authorized@0.5 -50 brokerage@1 -50",
       false},
      {authorize_purchase, "receivable.open@1 +100 receivable.authorized@1 -100", true},
      {void_paid, "fbo@1 -70 receivable.open@1 +70", true},
      {issue, "fbo:ACME@0.25/USD +100 receivable.open:ACME@0.25/EUR -100", false},
      {attribute_advance, "receivable.open@none +30 receivable.open:EUR@0.5 -30", false},
      {translate_accrued, "accrued@none -30 accrued:EUR@0.5 +30", false},
      {exchange,
       "receivable.open@0.25 -25 brokerage@0.25 +25 receivable.open:ACME@0.25/USD +100 "
       "brokerage:ACME@0.25/USD -25",
       false},
  };
  for (const auto& r : rows) {
    ledger_text text;
    INFO(r.postings);
    CHECK(text.make(r.code, direction::forward, r.postings).has_value() == r.good);
  }
}

TEST_CASE("a translation leads from unknown to known cost, never between known ones",
          "[ledger][D7]") {
  // ledger.md 4, R7b and R9.
  using enum template_code;
  ledger_text text;
  CHECK_FALSE(text.make(
      attribute_advance, direction::forward, "receivable.open@0.5 +30 receivable.open@1 -30"));
  CHECK_FALSE(text.make(
      attribute_advance, direction::forward, "receivable.open@0.5 +30 receivable.open@none -30"));
  CHECK_FALSE(text.make(translate_accrued, direction::forward, "accrued@0.5 -30 accrued@1 +30"));
  CHECK_FALSE(text.make(translate_accrued, direction::forward, "accrued@0.5 -30 accrued@none +30"));
}

TEST_CASE("a purchase above face value gives the difference to brokerage", "[ledger][D64]") {
  // 100 credits at 1.25: fiat 125, brokerage -(100 - 125) = +25.
  using enum template_code;
  ledger_text text;
  CHECK(text.make(authorize_purchase,
                  direction::forward,
                  "receivable.open@1.25 +100 receivable.authorized@1.25 -125 brokerage@1.25 +25"));
  CHECK(text.make(
      void_paid, direction::forward, "fbo@1.25 -40 brokerage@1.25 -10 receivable.open@1.25 +50"));
}

TEST_CASE("cash meets only the authorized stage", "[ledger]") {
  // ledger.md 4, R6.
  ledger_text text;
  CHECK(code_of(text.make(template_code::settle,
                          direction::forward,
                          "wash@1 -40 receivable.open@1 +40")) == errc::internal);
}

TEST_CASE("authorization never runs backwards", "[ledger]") {
  // ledger.md 4, R7a: authorized + / open - is refused, as a correction too (5.2).
  ledger_text text;
  const std::string back = "receivable.authorized@1 +40 receivable.open@1 -40";
  CHECK_FALSE(text.make(template_code::authorize, direction::forward, back));
  CHECK_FALSE(text.make(template_code::authorize, direction::correction, back));
}

TEST_CASE("the same sub-account, source and spend twice is refused", "[ledger]") {
  // ledger.md 4, R1.
  ledger_text text;
  CHECK(code_of(text.make(template_code::collect,
                          direction::forward,
                          "fbo@0#1 -10 fbo@0#1 -20 accrued@0#1 +30")) == errc::internal);
  CHECK(text.make(template_code::collect,
                  direction::forward,
                  "fbo@0#1 -10 fbo@0#2 -20 accrued@0#1 +10 accrued@0#2 +20"));
}

TEST_CASE("nothing, zero amounts and unknown templates are refused", "[ledger][D7][D22]") {
  ledger_text text;
  CHECK(code_of(text.make(template_code::collect, direction::forward, "")) == errc::internal);
  CHECK(code_of(text.make(template_code::collect, direction::forward, "fbo@0 +0 accrued@0 +0")) ==
        errc::internal);
  CHECK(code_of(text.make(template_code::collect,
                          direction::forward,
                          "fbo@0#1 -10 accrued@0#1 +10 accrued@0#2 +0")) == errc::internal);
  CHECK(code_of(text.make(static_cast<template_code>(5),
                          direction::forward,
                          "fbo@0 -10 accrued@0 +10")) == errc::internal);
}

TEST_CASE("mixed signs on one side of a flow are refused", "[ledger]") {
  // ledger.md 4, R5 leaves this open as a defect of the reference; exact shapes close it.
  ledger_text text;
  CHECK_FALSE(text.make(
      template_code::collect, direction::forward, "fbo@0#1 -40 fbo@0#2 +10 accrued@0 +30"));
}

TEST_CASE("a sum that leaves 128 bits is an overflow, never a wrap", "[ledger][D2]") {
  ledger_text text;
  auto postings = text.postings("fbo@0#1 -1 fbo@0#2 -1 fbo@0#3 -1 accrued@0 +1");
  postings[0].amount = -most;
  postings[1].amount = -most;
  postings[2].amount = -2;
  postings[3].amount = most;
  const auto made =
      transaction::make(template_code::collect, direction::forward, {}, postings, text.book);
  CHECK(code_of(made) == errc::overflow);
}

TEST_CASE("which accounts may face each other", "[ledger][D64]") {
  using enum account_type;
  // The pairs of ledger.md 4 R4, and those that the templates of D64 add.
  const std::set<std::pair<account_type, account_type>> allowed = {{fbo, receivable},
                                                                   {fbo, fbo},
                                                                   {accrued, accrued},
                                                                   {fbo, accrued},
                                                                   {receivable, accrued},
                                                                   {receivable, wash},
                                                                   {accrued, earnings},
                                                                   {fbo, brokerage},
                                                                   {receivable, brokerage},
                                                                   {fbo, breakage},
                                                                   {receivable, receivable},
                                                                   {fbo, wash},
                                                                   {receivable, tax_payable},
                                                                   {receivable, write_off},
                                                                   {brokerage, brokerage},
                                                                   {write_off, brokerage},
                                                                   {brokerage, write_off}};
  for (const auto& t : templates())
    for (const auto& a : t.legs)
      for (const auto& b : t.legs) {
        INFO(t.name);
        if (&a != &b)
          CHECK(may_face(a.account, b.account));
      }
  for (int i = 1; i <= static_cast<int>(account_type_count); ++i)
    for (int j = 1; j <= i; ++j) {
      const auto a = static_cast<account_type>(i);
      const auto b = static_cast<account_type>(j);
      INFO(to_string(a) << " " << to_string(b));
      CHECK(may_face(a, b) == may_face(b, a));
      if (may_face(a, b) && a != b)
        CHECK((allowed.contains({a, b}) || allowed.contains({b, a})));
    }
}
