// Properties of a customer over thousands of random lives: what must be true after every command,
// and what its journal must give back at the end.
#include "domain/customer.hpp"

#include "tests/domain/support.hpp"

#include <catch2/catch_test_macros.hpp>
#include <rapidcheck.h>

#include <map>
#include <numeric>
#include <set>
#include <tuple>

using namespace accrue;
using namespace accrue::testing;
using ledger::account_type;
using ledger::stage;

namespace {

/// What to do, with numbers to choose by: (kind, amount, choice, seconds since the last).
using step = std::tuple<int, int, int, int>;
using life = std::vector<step>;

rc::Gen<life> any_life() {
  const auto one = rc::gen::tuple(rc::gen::inRange(0, 20),
                                  rc::gen::inRange(1, 9999),
                                  rc::gen::inRange(0, 360),
                                  rc::gen::inRange(0, 900'000));
  return rc::gen::container<life>(rc::gen::resize(rc::kNominalSize, one));
}

/// Runs `check` over this many lives, always the same ones.
template <class Check>
bool over_lives(int count, Check check) {
  rc::detail::TestMetadata metadata;
  metadata.id = "lives";
  rc::detail::TestParams params;
  params.seed = 20260101;
  params.maxSuccess = count;
  params.maxSize = 200;
  const rc::detail::TestResult outcome = rc::detail::checkTestable(
      [&check] {
        const auto drawn = *any_life();
        check(drawn);
      },
      metadata,
      params);
  std::ostringstream text;
  rc::detail::printResultMessage(outcome, text);
  UNSCOPED_INFO(text.str());
  return outcome.is<rc::detail::SuccessResult>();
}

const char* currency_of(int choice) {
  return choice % 7 == 0 ? "JPY" : choice % 5 == 0 ? "TOKEN" : "USD";
}
decimal amount_of(int minor, int choice) {
  return decimal::make(minor, choice % 7 == 0 ? 0 : choice % 5 == 0 ? 4 : 2).value();
}
const char* feature_of(int choice) {
  return choice % 3 == 0 ? "" : choice % 3 == 1 ? "api" : "disk";
}

command::any grant_of(int serial, int minor, int choice, instant now) {
  command::grant_credit c;
  c.id = "g" + std::to_string(serial);
  c.amount = amount_of(minor, choice);
  c.currency = currency_of(choice);
  c.priority = static_cast<std::uint16_t>(1 + choice % 4);
  if (choice % 2 == 0)
    c.features =
        choice % 4 == 0 ? std::vector<std::string>{"api"} : std::vector<std::string>{"disk", "api"};
  if (choice % 11 == 0)
    c.effective_at = plus_ns(now, -86'400 * ns_per_second);
  return c;
}

command::any charge_of(int serial, int minor, int choice, instant now) {
  command::create_charge c;
  c.id = "f" + std::to_string(serial);
  c.mode = static_cast<settlement_mode>(1 + choice % 3);
  c.amount = minor < 200 ? decimal(0) : amount_of(minor, choice);
  c.currency = currency_of(choice);
  c.term = choice % 2 == 0 ? payment_term::in_advance : payment_term::in_arrears;
  const auto from = plus_ns(now, (choice - 180) * 3600LL * ns_per_second);
  c.service_period = {from, plus_ns(from, choice * 7200LL * ns_per_second)};
  if (choice % 4 == 0)
    c.full_service_period = period{from, plus_ns(from, 30 * 86'400LL * ns_per_second)};
  if (choice % 2 == 1)
    c.invoice_at = plus_ns(now, (choice % 20 - 10) * 3600LL * ns_per_second);
  c.feature = feature_of(choice);
  return c;
}

command::any setting_of(int minor, int choice) {
  command::put_customer c;
  c.over_settlement = static_cast<command::over_settlement>(1 + choice % 3);
  c.advance_limit.emplace();
  if (choice % 2 == 0)
    c.advance_limit->emplace("USD", decimal(minor / 100));
  return c;
}

command::any profile_of(int choice) {
  command::put_billing_profile c;
  c.auto_advance = choice % 4 == 0;
  c.draft_period_ns = choice % 3 * 3600LL * ns_per_second;
  c.due_after_ns = choice % 5 * 86'400LL * ns_per_second;
  return c;
}

command::any opening_of(int serial, int minor, int choice) {
  const auto id = "o" + std::to_string(serial);
  if (choice % 4 == 1)
    return command::open_credit{id, amount_of(minor, choice), currency_of(choice), {}, {}};
  return command::open_advance{id, amount_of(minor, choice), currency_of(choice), {}, {}};
}

/// The choice-th invoice; for a retry one that failed, where there is one.
std::string invoice_of(const customer& c, int kind, int choice) {
  for (const auto& i : c.invoices)
    if (kind == 13 && std::holds_alternative<invoicing::issuing_charge_booking_failed>(i.state))
      return "#" + std::to_string(i.id.value);
  return "#" + std::to_string(1 + choice % (1 + c.invoices_made));
}

command::any command_of(const harness& h, int serial, const step& s) {
  const auto [kind, minor, choice, wait] = s;
  const auto invoice = invoice_of(h.customer, kind, choice);
  const auto charge = "f" + std::to_string(choice % (serial + 1));
  const auto part = choice % 3 == 0 ? std::optional<decimal>() : amount_of(minor, 1);
  switch (kind) {
  case 0:
  case 1:
  case 2:
    return grant_of(serial, minor, choice, h.now);
  case 3:
  case 4:
  case 5:
  case 6:
    return consume("c" + std::to_string(serial),
                   amount_of(minor, choice).to_string(),
                   feature_of(choice),
                   currency_of(choice));
  case 7:
  case 8:
  case 9:
    return charge_of(serial, minor, choice, h.now);
  case 10:
    return command::advance_charge{charge};
  case 11:
    return command::invoice_pending{};
  case 12:
    if (choice % 3 == 0)
      return command::advance_invoice{invoice};
    return command::approve_invoice{invoice};
  case 13:
    return command::retry_invoice{invoice};
  case 14:
    return command::authorize_payment{invoice, part};
  case 15:
    return command::settle_payment{invoice, part};
  case 16:
    return command::pay_invoice{invoice};
  case 17:
    return setting_of(minor, choice);
  case 18:
    return choice % 2 == 0 ? profile_of(choice) : opening_of(serial, minor, choice);
  default:
    return command::run_due{};
  }
}

/// Lives a life; `after` sees the harness after each command and whether it was accepted.
template <class After>
void live(harness& h, const life& steps, After after) {
  h.ok(command::create_credit_unit{"TOKEN", 4});
  int serial = 0;
  for (const auto& s : steps) {
    h.now = plus_ns(h.now, std::get<3>(s) * ns_per_second);
    if (std::get<2>(s) % 13 == 0)
      h.failures.left["charge_booking"] = 1;
    const auto done = h.run(command_of(h, ++serial, s));
    if (!done)
      RC_ASSERT(done.error().code != errc::internal);
    after(done.has_value());
  }
}

int128 sum(const customer& c, currency in, account_type a, stage s, std::optional<decimal> basis) {
  int128 total = 0;
  const auto accounts = c.book.sub_accounts();
  for (std::uint32_t i = 0; i < accounts.size(); ++i)
    if (accounts[i].account == a && accounts[i].route.currency == in &&
        accounts[i].route.stage == s && accounts[i].route.cost_basis == basis)
      total += c.book.balance(sub_account_id(i));
  return total;
}

void check_book(const customer& c) {
  std::map<std::pair<std::uint32_t, std::string>, int128> by_value;
  std::map<sub_account_id, int128> left;
  for (const auto& s : c.book.sources()) {
    RC_ASSERT(s.amount >= 0);
    left[s.account] += s.amount;
  }
  const auto accounts = c.book.sub_accounts();
  for (std::uint32_t i = 0; i < accounts.size(); ++i) {
    const auto& r = accounts[i].route;
    const auto balance = c.book.balance(sub_account_id(i));
    by_value[{r.currency.number(), r.cost_basis ? r.cost_basis->to_string() : "none"}] += balance;
    if (accounts[i].account == account_type::fbo) {
      RC_ASSERT(balance >= 0);
      RC_ASSERT(balance == left[sub_account_id(i)]);
    }
  }
  for (const auto& [value, total] : by_value)
    RC_ASSERT(total == 0);
}

/// The ledger against the invoices, currency by currency.
void check_invoices(const customer& c) {
  struct sums {
    int128 booked = 0;
    int128 authorized = 0;
    int128 settled = 0;
  };
  std::map<currency, sums> expected{{usd, {}}, {jpy, {}}};
  std::set<std::uint64_t> numbers;
  for (const auto& i : c.invoices) {
    RC_ASSERT(!i.currency.is_credit_unit());
    bool earlier_open = false;
    for (const auto& l : i.lines) {
      RC_ASSERT(l.amount == l.credits + l.total);
      RC_ASSERT(l.settled <= l.authorized && l.authorized <= l.total);
      RC_ASSERT(!earlier_open || l.authorized == 0);
      earlier_open = earlier_open || l.authorized < l.total;
      auto& e = expected[i.currency];
      e.booked += l.booked ? l.total : 0;
      e.authorized += l.authorized;
      e.settled += l.settled;
    }
    if (i.issued())
      RC_ASSERT(numbers.insert(i.issued()->number).second);
  }
  RC_ASSERT(numbers.size() == c.invoices_issued);
  RC_ASSERT(numbers.empty() || (*numbers.begin() == 1 && *numbers.rbegin() == numbers.size()));
  const auto par = decimal(1);
  for (const auto& [in, e] : expected) {
    using enum account_type;
    RC_ASSERT(sum(c, in, receivable, stage::open, par) == e.authorized - e.booked);
    RC_ASSERT(sum(c, in, receivable, stage::authorized, par) == e.settled - e.authorized);
    RC_ASSERT(sum(c, in, wash, stage::none, par) == -e.settled);
    RC_ASSERT(sum(c, in, accrued, stage::none, par) == e.booked);
  }
}

/// Settled as balances.md 1.2 defines it.
// `ahead`: with what is booked for later than now.
int128 settled(const customer& c, currency in, bool ahead = false) {
  int128 total = 0;
  const auto accounts = c.book.sub_accounts();
  for (std::uint32_t i = 0; i < accounts.size(); ++i) {
    const auto& a = accounts[i];
    const bool counts = a.account == account_type::fbo ||
                        (a.account == account_type::receivable && !a.route.cost_basis);
    if (a.route.currency == in && counts)
      total +=
          ahead ? c.book.balance(sub_account_id(i)) : c.book.balance_at(sub_account_id(i), c.clock);
  }
  return total;
}

/// What was given minus what was used, from the replies alone.
class given_and_used {
public:
  void note(const reply::receipt& r) {
    if (const auto* g = std::get_if<reply::grant_view>(&r.body))
      net_[g->code] += g->amount;
    if (const auto* c = std::get_if<reply::consumed>(&r.body))
      net_[c->code] -= c->booked;
  }
  void note_opening(const command::any& c, const reply::receipt& r) {
    if (const auto* o = std::get_if<reply::opened>(&r.body))
      net_[o->code] += std::holds_alternative<command::open_credit>(c) ? o->amount : -o->amount;
  }
  [[nodiscard]] int128 expected(const harness& h, const std::string& code) const {
    int128 total = net_.contains(code) ? net_.at(code) : 0;
    for (const auto& c : h.customer.charges)
      if (h.catalog.code(c.terms.amount.currency) == code)
        if (const auto* run = flat_fee::current_run(c.state))
          total -= run->credited();
    return total;
  }

private:
  std::map<std::string, int128> net_;
};

} // namespace

TEST_CASE("random lives reach every kind of command and every state of an invoice", "[property]") {
  std::map<std::string, int> accepted;
  CHECK(over_lives(1000, [&accepted](const life& steps) {
    harness h;
    live(h, steps, [&](bool done) {
      if (done && !h.journal.empty())
        ++accepted[std::to_string(h.journal.back().kind)];
      for (const auto& i : h.customer.invoices)
        ++accepted[std::string(to_string(i.state))];
      for (const auto& c : h.customer.charges)
        ++accepted[std::string(to_string(c.state))];
    });
  }));
  // Commands of customers are the first fifteen alternatives.
  for (int kind = 0; kind < 15; ++kind) {
    INFO("command " << kind);
    CHECK(accepted[std::to_string(kind)] > 30);
  }
  for (const auto* state : {"draft.waiting_auto_approval",
                            "draft.manual_approval_needed",
                            "issuing.charge_booking_failed",
                            "payment_processing.pending",
                            "payment_processing.authorized",
                            "overdue",
                            "paid",
                            "created",
                            "active",
                            "active.realization.processing",
                            "active.awaiting_payment_settlement",
                            "final"}) {
    INFO(state);
    CHECK(accepted[state] > 100);
  }
}

TEST_CASE("after every command values sum to zero and credit is never negative",
          "[property][D7][D67]") {
  CHECK(over_lives(2000, [](const life& steps) {
    harness h;
    live(h, steps, [&h](bool) { check_book(h.customer); });
  }));
}

TEST_CASE("the ledger agrees with the invoices after every command", "[property][D12][D46][D66]") {
  CHECK(over_lives(1000, [](const life& steps) {
    harness h;
    live(h, steps, [&h](bool) { check_invoices(h.customer); });
  }));
}

TEST_CASE("settled is what was given minus what was used", "[property]") {
  CHECK(over_lives(1000, [](const life& steps) {
    harness h;
    given_and_used model;
    std::size_t seen = h.receipts.size();
    live(h, steps, [&](bool accepted) {
      if (!accepted || h.receipts.size() == seen)
        return;
      seen = h.receipts.size();
      model.note(h.receipts.back());
      const auto& e = h.journal.back();
      if (e.kind == command::any(command::open_credit{}).index())
        model.note_opening(command::open_credit{}, h.receipts.back());
      if (e.kind == command::any(command::open_advance{}).index())
        model.note_opening(command::open_advance{}, h.receipts.back());
      for (const auto* code : {"USD", "JPY", "TOKEN"}) {
        const auto in = h.catalog.find_currency(code).value();
        RC_ASSERT(settled(h.customer, in, true) == model.expected(h, code));
      }
    });
  }));
}

TEST_CASE("balances of a receipt are those of the customer right after", "[property][D6]") {
  CHECK(over_lives(1000, [](const life& steps) {
    harness h;
    live(h, steps, [&h](bool accepted) {
      if (!accepted)
        return;
      const unit u(h.customer, h.catalog, h.customer.clock, 0);
      for (const auto& b : h.receipts.back().after) {
        RC_ASSERT(b == balance_of(u, b.currency));
        RC_ASSERT(b.settled == settled(h.customer, b.currency));
      }
    });
  }));
}

TEST_CASE("replaying the journal gives the customer", "[property]") {
  CHECK(over_lives(1000, [](const life& steps) {
    harness h;
    live(h, steps, [](bool) {});
    customer again;
    again.number = h.customer.number;
    again.reference = h.customer.reference;
    for (const auto& e : h.journal)
      again.apply(e);
    RC_ASSERT(again == h.customer);
  }));
}

TEST_CASE("a receipt rebuilt later is the receipt of the time", "[property][D6]") {
  CHECK(over_lives(1000, [](const life& steps) {
    harness h;
    live(h, steps, [](bool) {});
    for (std::size_t i = 0; i < h.journal.size(); ++i)
      RC_ASSERT(receipt_of(h.journal[i], h.customer, h.catalog) == h.receipts[i]);
  }));
}

TEST_CASE("a refused command leaves the customer equal and the sequence unused", "[property][D6]") {
  CHECK(over_lives(500, [](const life& steps) {
    harness h;
    auto before = h.customer;
    live(h, steps, [&](bool accepted) {
      if (!accepted)
        RC_ASSERT(h.customer == before);
      RC_ASSERT(h.customer.last.value == h.journal.size());
      before = h.customer;
    });
  }));
}

TEST_CASE("time never runs backwards in a journal", "[property][D3]") {
  CHECK(over_lives(200, [](const life& steps) {
    harness h;
    live(h, steps, [&h](bool) {
      // Stamps jump back and forth between two ingresses.
      h.now = plus_ns(h.now, h.journal.size() % 2 == 0 ? -3 * ns_per_second : 3 * ns_per_second);
    });
    RC_ASSERT(std::ranges::is_sorted(h.journal, {}, &entry::at));
  }));
}

TEST_CASE("an entry out of sequence is a defect", "[customer]") {
  harness h;
  h.ok(credit("g", "10"));
  auto again = h.customer;
  CHECK_THROWS_AS(again.apply(h.journal.back()), defect);
  auto gap = h.journal.back();
  gap.number = sequence(gap.number.value + 2);
  CHECK_THROWS_AS(again.apply(gap), defect);
}

TEST_CASE("charges and invoices are found by the names people use", "[customer]") {
  harness h;
  h.ok(fee("f", "10"));
  h.ok(command::invoice_pending{});
  CHECK(h.customer.find_charge("f") != nullptr);
  CHECK(h.customer.find_charge("F") == nullptr);
  CHECK(h.customer.find_invoice("#1") == h.customer.find_invoice("ACME-000001"));
  CHECK(h.customer.find_invoice("ACME-000001") != nullptr);
  CHECK(h.customer.find_invoice("ACME-1") == nullptr);
  CHECK(h.customer.find_invoice("acme-000001") == nullptr);
  CHECK(invoice_name(h.customer, h.customer.invoices.at(0)) == "ACME-000001");
}
