// The engine in virtual time: order, durability, crashes, faults and wake-ups, one behaviour a test.
// Random histories of all of it together are in histories.test.cpp.
#include "tests/actors/virtual_clients.hpp"

#include <set>

using namespace accrue;
using namespace accrue::testing;

namespace {

/// A customer with 100 USD of credit.
void open_with_credit(virtual_engine& e, const std::string& customer = "acme") {
  e.ok(customer, command::put_customer{});
  e.ok(customer, credit("g", "100"));
}

std::string code_of_balance(const reply::receipt& r) {
  return to_string(money{r.after.at(0).settled, r.after.at(0).currency});
}

} // namespace

TEST_CASE("a month is billed from the grant to the payment", "[simulation]") {
  virtual_engine e;
  e.ok("acme", command::put_customer{});
  e.ok("acme", credit("g", "30"));
  auto charge = fee("c", "100");
  charge.invoice_at = at("2026-02-01");
  e.ok("acme", charge);
  e.advance(at("2026-02-10"));
  const auto issued = e.invoice("acme", "ACME-000001");
  CHECK(issued.status == "payment_processing.pending");
  CHECK(issued.total == 7000);
  CHECK(issued.due_at == at("2026-03-03"));
  e.advance(at("2026-03-03"));
  CHECK(e.invoice("acme", "ACME-000001").status == "overdue");
  e.ok("acme", command::pay_invoice{"ACME-000001"});
  CHECK(e.invoice("acme", "ACME-000001").status == "paid");
  const auto paid = e.ok("acme", command::get_charge{"c"});
  CHECK(std::get<reply::charge_view>(paid.body).status == "final");
  CHECK(e.verify().empty());
}

TEST_CASE("a wake-up fires at its own instant", "[simulation][D3]") {
  virtual_engine e;
  e.ok("acme", command::put_customer{});
  auto charge = fee("c", "100");
  charge.invoice_at = at("2026-01-15T10:30:00Z");
  e.ok("acme", charge);
  e.advance(at("2026-06-01"));
  CHECK(e.invoice("acme", "#1").issued_at == at("2026-01-15T10:30:00Z"));
  CHECK(e.invoice("acme", "#1").status == "overdue");
}

TEST_CASE("moving the clock triggers nothing", "[simulation]") {
  virtual_engine e;
  e.ok("acme", command::put_customer{});
  auto charge = fee("c", "100");
  charge.invoice_at = at("2026-01-15");
  e.ok("acme", charge);
  e.set_clock(at("2026-02-01"));
  e.settle();
  CHECK(e.refused("acme", command::get_invoice{"#1"}) == errc::not_found);
  e.crash();
  CHECK(e.refused("acme", command::get_invoice{"#1"}) == errc::not_found);
  e.run_due();
  CHECK(e.invoice("acme", "#1").issued_at == at("2026-02-01"));
}

TEST_CASE("what a wake-up leads to is fired with it, when it is due by then", "[simulation]") {
  virtual_engine e;
  command::put_billing_profile at_once;
  at_once.due_after_ns = 0;
  e.ok("acme", at_once);
  e.ok("acme", command::put_customer{});
  e.ok("acme", fee("c", "100"));
  e.run_due();
  CHECK(e.invoice("acme", "#1").status == "overdue");
}

TEST_CASE("a wake-up reaches a customer that nobody uses", "[simulation]") {
  virtual_engine e;
  e.ok("acme", command::put_customer{});
  auto charge = fee("c", "100");
  charge.invoice_at = at("2026-01-15");
  e.ok("acme", charge);
  e.retire_all();
  e.crash();
  e.advance(at("2026-01-15"));
  CHECK(e.invoice("acme", "#1").issued_at == at("2026-01-15"));
}

TEST_CASE("no reply leaves before its unit is durable", "[simulation]") {
  virtual_engine e;
  open_with_credit(e);
  e.hold_commits(true);
  const auto used = e.send("acme", consume("u", "40"));
  const auto asked = e.send("acme", command::get_balance{"USD", {}});
  const auto refused = e.send("acme", consume("much", "1000"));
  e.settle();
  CHECK(e.answer_of(used) == nullptr);
  CHECK(e.answer_of(asked) == nullptr);
  CHECK(e.answer_of(refused) == nullptr);
  CHECK(e.times_consumed("acme", "u") == 0);
  e.hold_commits(false);
  e.settle();
  CHECK(code_of_balance(e.receipt(used)) == "60.00");
  CHECK(std::get<reply::balances>(e.receipt(asked).body).items.at(0).settled == 6000);
  CHECK(e.refusal_of(refused) == errc::insufficient_funds);
}

TEST_CASE("what was not durable is gone after a crash, its key is free", "[simulation][D6]") {
  virtual_engine e;
  open_with_credit(e);
  e.hold_commits(true);
  const auto lost = e.send("acme", consume("u", "40"));
  e.settle();
  e.crash();
  e.hold_commits(false);
  e.settle();
  CHECK(e.answer_of(lost) == nullptr);
  CHECK(e.settled("acme") == "100.00");
  e.ok("acme", consume("u", "40"));
  CHECK(e.settled("acme") == "60.00");
  CHECK(e.times_consumed("acme", "u") == 1);
}

TEST_CASE("a key that comes again after a crash gets the same reply", "[simulation][D6]") {
  virtual_engine e;
  open_with_credit(e);
  const auto first = e.ok("acme", consume("u", "40"));
  e.ok("acme", consume("v", "10"));
  e.crash();
  CHECK(e.ok("acme", consume("u", "40")) == first);
  CHECK(e.refused("acme", consume("u", "41")) == errc::idempotency_conflict);
  CHECK(e.settled("acme") == "50.00");
}

TEST_CASE("a key that comes again while the first is in flight waits for it", "[simulation][D6]") {
  virtual_engine e;
  open_with_credit(e);
  e.hold_commits(true);
  const auto first = e.send("acme", consume("u", "40"));
  const auto second = e.send("acme", consume("u", "40"));
  e.settle();
  CHECK(e.answer_of(second) == nullptr);
  e.hold_commits(false);
  e.settle();
  CHECK(e.receipt(first) == e.receipt(second));
  CHECK(e.times_consumed("acme", "u") == 1);
}

TEST_CASE("a customer that was let go comes back as it was", "[simulation]") {
  virtual_engine e;
  open_with_credit(e);
  const auto first = e.ok("acme", consume("u", "40"));
  const auto lives = e.activations();
  e.retire_all();
  CHECK(e.activations() == lives);
  CHECK(e.ok("acme", consume("u", "40")) == first);
  CHECK(e.activations() == lives + 1);
  CHECK(e.settled("acme") == "60.00");
}

TEST_CASE("a snapshot brings back what the journal would", "[simulation]") {
  simulation_options options;
  options.limits.snapshot_every = 3;
  virtual_engine e(options);
  open_with_credit(e);
  e.ok("acme", fee("c", "20"));
  std::vector<reply::receipt> receipts;
  for (int i = 0; i < 10; ++i)
    receipts.push_back(e.ok("acme", consume("u" + std::to_string(i), "1")));
  e.crash();
  for (int i = 0; i < 10; ++i)
    CHECK(e.ok("acme", consume("u" + std::to_string(i), "1")) ==
          receipts[static_cast<std::size_t>(i)]);
  CHECK(e.settled("acme") == "90.00");
  CHECK(e.verify().empty());
}

TEST_CASE("a batch takes few snapshots; whoever finds no room waits for the next, but not for ever",
          "[simulation]") {
  simulation_options options;
  options.limits.snapshot_every = 4;
  options.limits.states_of_batch = 1; // one, and that whole
  virtual_engine e(options);
  const auto snapshot_of = [&](const std::string& customer) {
    const auto& snapshot = e.rows_of(customer).snapshot;
    return snapshot ? snapshot->first.value : 0;
  };
  for (const auto* each : {"a", "b"})
    open_with_credit(e, each); // two units
  e.ok("a", consume("u3", "1"));
  e.ok("b", consume("u3", "1"));
  // The fourth unit of both in one batch, and the fifth of b alone.
  e.send("a", consume("u4", "1"));
  e.send("b", consume("u4", "1"));
  e.settle();
  CHECK(snapshot_of("a") == 4);
  CHECK(snapshot_of("b") == 0);
  e.ok("b", consume("u5", "1"));
  CHECK(snapshot_of("b") == 5);
}

TEST_CASE("a crash at any step, and the same commands again, give the same journal",
          "[simulation][D6]") {
  auto long_fee = fee("c", "70");
  long_fee.invoice_at = at("2026-01-01");
  const std::vector<std::pair<std::string, command::any>> story = {
      {"k1", command::put_customer{}},
      {"k2", credit("g", "50")},
      {"k3", consume("u", "20")},
      {"k4", long_fee},
      {"k5", command::invoice_pending{}},
      {"k6", command::pay_invoice{"#1"}},
      {"k7", consume("v", "0.01")},
      {"k8", credit("h", "5")}};
  const auto live = [&](std::size_t crash_after, bool& crashed) {
    virtual_engine e;
    std::size_t steps = 0;
    for (const auto& [key, c] : story)
      for (;;) {
        const auto request = e.send("acme", c, key);
        bool again = false;
        while (!again && e.step())
          if (++steps == crash_after) {
            e.crash();
            crashed = again = true;
          }
        if (!again && e.answer_of(request) != nullptr)
          break;
      }
    CHECK(e.verify().empty());
    return e.journal("acme");
  };
  bool crashed = false;
  const auto calm = live(0, crashed);
  REQUIRE_FALSE(crashed);
  CHECK(calm.size() == 7); // `v` finds no credit
  for (std::size_t n = 1;; ++n) {
    crashed = false;
    INFO("crash after step " << n);
    REQUIRE(live(n, crashed) == calm);
    if (!crashed)
      break;
  }
}

TEST_CASE("units of a customer are numbered in the order sent", "[simulation]") {
  virtual_engine e;
  open_with_credit(e);
  std::vector<std::uint64_t> sent;
  for (int i = 0; i < 20; ++i)
    sent.push_back(e.send("acme", consume("u" + std::to_string(i), "1")));
  e.settle();
  for (std::size_t i = 0; i < sent.size(); ++i)
    CHECK(e.receipt(sent[i]).sequence.value == 3 + i);
}

TEST_CASE("commands of a customer that is not active yet keep their order", "[simulation]") {
  simulation_options options;
  options.seed = 7;
  virtual_engine e(options);
  const auto made = e.send("acme", command::put_customer{});
  const auto granted = e.send("acme", credit("g", "10"));
  const auto used = e.send("acme", consume("u", "4"));
  e.settle();
  CHECK(e.receipt(made).sequence.value == 1);
  CHECK(e.receipt(granted).sequence.value == 2);
  CHECK(e.receipt(used).sequence.value == 3);
}

TEST_CASE("two customers share a batch and nothing else", "[simulation]") {
  virtual_engine e;
  open_with_credit(e, "acme");
  open_with_credit(e, "zeta");
  e.hold_commits(true);
  const auto a = e.send("acme", consume("u", "10"));
  const auto z = e.send("zeta", consume("u", "20"));
  e.settle();
  const auto batches = e.database().batches;
  e.hold_commits(false);
  e.settle();
  CHECK(e.database().batches == batches + 1);
  CHECK(code_of_balance(e.receipt(a)) == "90.00");
  CHECK(code_of_balance(e.receipt(z)) == "80.00");
  CHECK(e.receipt(a).sequence == e.receipt(z).sequence);
}

TEST_CASE("commands wait while their customer talks with its charges", "[simulation]") {
  virtual_engine e;
  open_with_credit(e);
  auto charge = fee("c", "70");
  charge.invoice_at = at("2026-01-01");
  const auto made = e.send("acme", charge);
  const auto invoiced = e.send("acme", command::invoice_pending{});
  const auto used = e.send("acme", consume("u", "30"));
  const auto too_much = e.send("acme", consume("v", "1"));
  const auto asked = e.send("acme", command::get_balance{"USD", {}});
  e.settle();
  CHECK(e.receipt(made).sequence.value == 3);
  CHECK(e.receipt(invoiced).sequence.value == 4);
  CHECK(e.receipt(used).sequence.value == 5);
  CHECK(e.refusal_of(too_much) == errc::insufficient_funds);
  CHECK(std::get<reply::balances>(e.receipt(asked).body).items.at(0).settled == 0);
}

TEST_CASE("more waiting commands than a customer takes are refused as overloaded", "[simulation]") {
  simulation_options options;
  options.limits.customer_queue = 2;
  virtual_engine e(options);
  open_with_credit(e);
  e.retire_all(); // commands wait for the customer to be loaded
  std::vector<std::uint64_t> sent;
  e.send("acme", command::get_customer{});
  for (int i = 0; i < 6; ++i)
    sent.push_back(e.send("acme", consume("u" + std::to_string(i), "1")));
  e.settle();
  std::size_t accepted = 0;
  for (const auto request : sent) {
    const auto* a = e.answer_of(request);
    REQUIRE(a != nullptr);
    if (std::holds_alternative<reply::receipt>(a->body))
      ++accepted;
    else
      CHECK(e.refusal_of(request) == errc::overloaded);
  }
  CHECK(e.settled("acme") == std::to_string(100 - accepted) + ".00");
}

TEST_CASE("a commit that fails for a passing reason is repeated", "[simulation]") {
  virtual_engine e;
  open_with_credit(e);
  e.commit_faults() = {commit_fault::retry, commit_fault::retry, commit_fault::in_doubt};
  CHECK(code_of_balance(e.ok("acme", consume("u", "40"))) == "60.00");
  CHECK(code_of_balance(e.ok("acme", consume("v", "10"))) == "50.00");
  CHECK(e.times_consumed("acme", "u") == 1);
  CHECK(e.verify().empty());
}

TEST_CASE("a unit that cannot be stored costs its customer one life and nobody else anything",
          "[simulation]") {
  virtual_engine e;
  open_with_credit(e, "acme");
  open_with_credit(e, "zeta");
  const auto lives = e.activations();
  e.hold_commits(true);
  const auto first = e.send("acme", consume("u", "10"));
  const auto other = e.send("zeta", consume("u", "20"));
  const auto later = e.send("acme", consume("v", "5"));
  const auto asked = e.send("acme", command::get_balance{"USD", {}});
  e.settle();
  e.commit_faults() = {commit_fault::poison};
  e.hold_commits(false);
  e.settle();
  CHECK(e.refusal_of(first) == errc::storage_unavailable);
  CHECK(e.refusal_of(later) == errc::storage_unavailable);
  CHECK(e.refusal_of(asked) == errc::storage_unavailable);
  CHECK(code_of_balance(e.receipt(other)) == "80.00");
  CHECK(e.settled("acme") == "100.00");
  CHECK(e.activations() == lives + 1);
  CHECK(e.lift("acme") == sequence(2));
  e.ok("acme", consume("v", "5"));
  e.ok("acme", consume("u", "10"));
  e.ok("acme", consume("u", "10"));
  CHECK(e.settled("acme") == "85.00");
  CHECK(e.settled("zeta") == "80.00");
  CHECK(e.times_consumed("acme", "u") == 1);
  CHECK(e.verify().empty());
}

TEST_CASE("a unit that was talked over with charges and cannot be stored is told once",
          "[simulation]") {
  virtual_engine e;
  open_with_credit(e);
  e.ok("acme", fee("c", "170"));
  e.hold_commits(true);
  const auto lost = e.send("acme", command::invoice_pending{}, "k");
  e.settle();
  e.commit_faults() = {commit_fault::poison};
  e.hold_commits(false);
  e.settle();
  CHECK(e.refusal_of(lost) == errc::storage_unavailable);
  CHECK(e.settled("acme") == "100.00");
  REQUIRE(e.lift("acme"));
  e.ok("acme", command::invoice_pending{}, "k");
  CHECK(e.invoice("acme", "#1").number == "ACME-000001");
  CHECK(e.settled("acme") == "0.00");
  CHECK(e.verify().empty());
}

TEST_CASE("a customer whose creation was lost can be created", "[simulation]") {
  virtual_engine e;
  e.commit_faults() = {commit_fault::poison};
  CHECK(e.refused("acme", command::put_customer{}, "k") == errc::storage_unavailable);
  CHECK(e.lift("acme") == sequence(0));
  CHECK(e.ok("acme", command::put_customer{}, "k").sequence.value == 1);
  CHECK(e.verify().empty());
}

TEST_CASE("a booking that fails leaves the invoice to be retried, also after a crash",
          "[simulation][D21]") {
  virtual_engine e;
  e.ok("acme", manual_approval());
  open_with_credit(e);
  auto charge = fee("c", "170");
  charge.invoice_at = at("2026-01-01");
  e.ok("acme", charge);
  e.ok("acme", command::invoice_pending{});
  e.failures().left["charge_booking"] = 1;
  e.ok("acme", command::approve_invoice{"#1"});
  CHECK(e.invoice("acme", "#1").status == "issuing.charge_booking_failed");
  e.crash();
  e.ok("acme", command::retry_invoice{"#1"});
  CHECK(e.invoice("acme", "#1").number == "ACME-000001");
  CHECK(e.verify().empty());
}

TEST_CASE("a change of the catalog reaches customers that are active", "[simulation][D63]") {
  virtual_engine e;
  e.ok("acme", command::put_customer{});
  CHECK(e.refused("acme", credit("g", "5", "TOKEN")) == errc::validation);
  e.ok("acme", command::create_credit_unit{"TOKEN", 6});
  e.ok("acme", credit("g", "0.000001", "TOKEN"));
  CHECK(e.settled("acme", "TOKEN") == "0.000001");
  e.crash();
  CHECK(e.settled("acme", "TOKEN") == "0.000001");
}

TEST_CASE("what leaves the house leaves at least once, whatever happens", "[simulation][D27]") {
  virtual_engine e;
  e.ok("acme", command::put_customer{});
  e.outbox_fails = true;
  e.ok("acme", fee("c", "10"));
  e.ok("acme", command::invoice_pending{});
  CHECK(e.delivered.empty());
  CHECK(e.database().outbox.size() == 1);
  e.crash();
  CHECK(e.delivered.empty());
  e.outbox_fails = false;
  e.advance(plus_ns(e.now(), 2 * ns_per_second));
  REQUIRE(e.delivered.size() == 1);
  CHECK(e.delivered[0].topic == "invoice.issued");
  CHECK(e.delivered[0].subject == "ACME-000001");
  CHECK(e.database().outbox.empty());
}

TEST_CASE("a command that expects another sequence is refused", "[simulation]") {
  virtual_engine e;
  open_with_credit(e);
  const auto stale = e.send("acme", consume("u", "1"), {}, sequence(1));
  e.settle();
  CHECK(e.refusal_of(stale) == errc::conflict);
  const auto fresh = e.send("acme", consume("u", "1"), {}, sequence(2));
  e.settle();
  CHECK(e.receipt(fresh).sequence.value == 3);
}

TEST_CASE("one seed is one history, another seed another", "[simulation]") {
  const auto order = [](std::uint64_t seed) {
    simulation_options options;
    options.seed = seed;
    virtual_engine e(options);
    std::vector<std::uint64_t> sent;
    for (const auto* name : {"a", "b", "c", "d", "e", "f"})
      sent.push_back(e.send(name, command::put_customer{}));
    std::string answered;
    while (e.step())
      for (std::size_t i = 0; i < sent.size(); ++i)
        if (e.answer_of(sent[i]) && answered.find(static_cast<char>('a' + i)) == std::string::npos)
          answered += static_cast<char>('a' + i);
    return answered;
  };
  std::set<std::string> seen;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CHECK(order(seed) == order(seed));
    seen.insert(order(seed));
  }
  CHECK(seen.size() > 1);
}
