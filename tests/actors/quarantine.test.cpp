// One bad unit, one defect or one corrupt row holds back one customer, until an operator lets it out; its
// neighbours do not notice. In virtual time; with the real server and PostgreSQL in tests/system.
#include "persistence/journal_codec.hpp"
#include "tests/actors/virtual_clients.hpp"

#include <functional>
#include <map>
#include <set>

using namespace accrue;
using namespace accrue::testing;

namespace {

/// A customer with 100 USD of credit: two units.
void open_with_credit(virtual_engine& e, const std::string& customer) {
  e.ok(customer, command::put_customer{});
  e.ok(customer, credit("g", "100"));
}

/// The store does not take this unit, as if a constraint said so.
void refuse_unit(virtual_engine& e, const std::string& customer, std::uint64_t unit) {
  e.database().refused_units.insert({e.key_of(customer), sequence(unit)});
}

const quarantine* stored_quarantine(virtual_engine& e, const std::string& customer) {
  for (const auto& [_, what] : e.database().quarantined)
    if (what.reference == customer)
      return &what;
  return nullptr;
}

} // namespace

TEST_CASE("all before the bad unit is stored and acknowledged, all from it on is discarded",
          "[quarantine][D66]") {
  // Units 1 and 2 open the customer; 3 to 7 share a batch, in which each of them is the bad one once.
  for (std::uint64_t bad = 3; bad <= 7; ++bad) {
    INFO("unit " << bad);
    virtual_engine e;
    open_with_credit(e, "acme");
    open_with_credit(e, "zeta");
    refuse_unit(e, "acme", bad);
    e.hold_commits(true);
    std::vector<std::uint64_t> sent;
    std::vector<std::uint64_t> asked;
    std::vector<std::uint64_t> neighbours;
    for (int i = 3; i <= 7; ++i) {
      sent.push_back(e.send("acme", consume("u" + std::to_string(i), "1")));
      asked.push_back(e.send("acme", command::get_balance{"USD", {}}));
      neighbours.push_back(e.send("zeta", consume("u" + std::to_string(i), "1")));
    }
    const auto repeated = e.send("acme", consume("u3", "1"));
    e.settle();
    e.hold_commits(false);
    e.settle();
    for (std::size_t i = 0; i < sent.size(); ++i) {
      CHECK(e.receipt(neighbours[i]).sequence.value == 3 + i);
      if (3 + i < bad) {
        CHECK(e.receipt(sent[i]).sequence.value == 3 + i);
        CHECK(e.receipt(asked[i]).sequence.value == 3 + i);
      } else {
        CHECK(e.refusal_of(sent[i]) == errc::storage_unavailable);
        CHECK(e.refusal_of(asked[i]) == errc::storage_unavailable);
      }
    }
    CHECK(e.refusal_of(repeated) == errc::storage_unavailable);
    CHECK(e.journal("acme").size() == bad - 1);
    // 100.00 less 1.00 for each unit from 3 up to the bad one.
    CHECK(e.settled("acme") == std::to_string(100 - (bad - 3)) + ".00");
    CHECK(e.settled("zeta") == "95.00");
    REQUIRE(stored_quarantine(e, "acme") != nullptr);
    CHECK(stored_quarantine(e, "acme")->last_good.value == bad - 1);
    CHECK(stored_quarantine(e, "acme")->kind == quarantine_kind::store_refused);
    CHECK(e.verify().empty());
  }
}

TEST_CASE("in quarantine nothing is written, known keys and queries are answered", "[quarantine]") {
  virtual_engine e;
  open_with_credit(e, "acme");
  open_with_credit(e, "zeta");
  const auto before = e.ok("acme", consume("u", "10"));
  refuse_unit(e, "acme", 4);
  CHECK(e.refused("acme", consume("v", "5")) == errc::storage_unavailable);
  CHECK(e.refused("acme", consume("v", "5")) == errc::quarantined);
  CHECK(e.refused("acme", command::put_customer{}, "other") == errc::quarantined);
  CHECK(e.ok("acme", consume("u", "10")) == before);
  CHECK(e.refused("acme", consume("u", "11")) == errc::idempotency_conflict);
  CHECK(e.settled("acme") == "90.00");
  e.ok("zeta", consume("v", "5"));
  const auto why = e.ask("acme", consume("v", "5"));
  CHECK(why.error().subject == "acme");
  CHECK(why.error().text.find("lift") != std::string::npos);
  // The cause has to go first: else the same unit comes back to where it was.
  CHECK(e.lift("acme") == sequence(3));
  CHECK(e.refused("acme", consume("v", "5")) == errc::storage_unavailable);
  CHECK(e.refused("acme", consume("v", "5")) == errc::quarantined);
  e.database().refused_units.clear();
  CHECK(e.lift("acme") == sequence(3));
  CHECK(e.lift("acme").error().code == errc::not_found);
  CHECK(e.ok("acme", consume("v", "5")).sequence == sequence(4));
  CHECK(e.settled("acme") == "85.00");
  CHECK(e.database().quarantined.empty());
  CHECK(e.verify().empty());
}

TEST_CASE("two bad customers in one batch are held back, the third is not", "[quarantine]") {
  virtual_engine e;
  for (const auto* name : {"a", "b", "c"})
    open_with_credit(e, name);
  refuse_unit(e, "a", 3);
  refuse_unit(e, "c", 4);
  e.hold_commits(true);
  std::map<std::string, std::vector<std::uint64_t>> sent;
  for (const auto* id : {"u", "v"})
    for (const auto* name : {"a", "b", "c"})
      sent[name].push_back(e.send(name, consume(id, "1")));
  e.settle();
  e.hold_commits(false);
  e.settle();
  CHECK(e.refusal_of(sent["a"][0]) == errc::storage_unavailable);
  CHECK(e.refusal_of(sent["a"][1]) == errc::storage_unavailable);
  CHECK(e.receipt(sent["b"][1]).sequence == sequence(4));
  CHECK(e.receipt(sent["c"][0]).sequence == sequence(3));
  CHECK(e.refusal_of(sent["c"][1]) == errc::storage_unavailable);
  CHECK(e.database().quarantined.size() == 2);
  CHECK(e.verify().empty());
}

TEST_CASE("a quarantine outlives the server", "[quarantine]") {
  virtual_engine e;
  open_with_credit(e, "acme");
  refuse_unit(e, "acme", 3);
  CHECK(e.refused("acme", consume("u", "1")) == errc::storage_unavailable);
  e.crash();
  CHECK(e.refused("acme", consume("u", "1")) == errc::quarantined);
  CHECK(e.settled("acme") == "100.00");
  e.database().refused_units.clear();
  CHECK(e.lift("acme") == sequence(2));
  e.crash();
  e.ok("acme", consume("u", "1"));
}

TEST_CASE("a quarantine that the store does not take at once holds, and is stored later",
          "[quarantine]") {
  virtual_engine e;
  open_with_credit(e, "acme");
  refuse_unit(e, "acme", 3);
  e.database().failing_reads = 1; // what goes beside the lane: here, storing the quarantine
  CHECK(e.refused("acme", consume("u", "1")) == errc::storage_unavailable);
  CHECK(e.refused("acme", consume("u", "1")) == errc::quarantined);
  CHECK(e.database().quarantined.empty());
  e.database().failing_reads = 1;
  CHECK(e.lift("acme").error().code == errc::storage_unavailable);
  CHECK(e.refused("acme", consume("u", "1")) == errc::quarantined);
  e.advance(plus_ns(e.now(), 2 * ns_per_second));
  CHECK(e.database().quarantined.size() == 1);
  e.crash();
  CHECK(e.refused("acme", consume("u", "1")) == errc::quarantined);
}

TEST_CASE("a lift that happened and was said to have failed is undone, not half done",
          "[quarantine]") {
  virtual_engine e;
  open_with_credit(e, "acme");
  refuse_unit(e, "acme", 3);
  CHECK(e.refused("acme", consume("u", "1")) == errc::storage_unavailable);
  CHECK(stored_quarantine(e, "acme") != nullptr);
  e.database().lost_answers = 1;
  CHECK(e.lift("acme").error().code == errc::storage_unavailable);
  CHECK(e.refused("acme", consume("u", "1")) == errc::quarantined);
  e.advance(plus_ns(e.now(), 2 * ns_per_second));
  CHECK(stored_quarantine(e, "acme") != nullptr);
  e.crash();
  CHECK(e.refused("acme", consume("u", "1")) == errc::quarantined);
}

TEST_CASE("a quarantine that the store never takes keeps no other one out of it", "[quarantine]") {
  virtual_engine e;
  for (const char* name : {"acme", "zeta"}) {
    open_with_credit(e, name);
    refuse_unit(e, name, 3);
  }
  e.database().untakable = e.key_of("acme");
  CHECK(e.refused("acme", consume("u", "1")) == errc::storage_unavailable);
  CHECK(e.refused("zeta", consume("u", "1")) == errc::storage_unavailable);
  e.advance(plus_ns(e.now(), 3 * ns_per_second));
  CHECK(stored_quarantine(e, "acme") == nullptr);
  CHECK(stored_quarantine(e, "zeta") != nullptr);
}

TEST_CASE("a customer whose decision meets a defect is held back, what it had in flight is kept",
          "[quarantine]") {
  virtual_engine e;
  open_with_credit(e, "acme");
  open_with_credit(e, "zeta");
  e.hold_commits(true);
  const auto kept = e.send("acme", consume("u", "10"));
  e.settle();
  e.failures().left["decide:acme"] = 1;
  const auto bad = e.send("acme", consume("v", "1"));
  const auto later = e.send("acme", consume("w", "1"));
  const auto other = e.send("zeta", consume("u", "10"));
  e.settle();
  CHECK(e.refusal_of(bad) == errc::storage_unavailable);
  CHECK(e.refusal_of(later) == errc::storage_unavailable);
  e.hold_commits(false);
  e.settle();
  CHECK(e.receipt(kept).sequence == sequence(3));
  CHECK(e.receipt(other).sequence == sequence(3));
  CHECK(e.refused("acme", consume("v", "1")) == errc::quarantined);
  CHECK(e.settled("acme") == "90.00");
  REQUIRE(stored_quarantine(e, "acme") != nullptr);
  CHECK(stored_quarantine(e, "acme")->kind == quarantine_kind::defect);
  CHECK(stored_quarantine(e, "acme")->last_good == sequence(3));
  CHECK(stored_quarantine(e, "acme")->why.find("made to fail") != std::string::npos);
  CHECK(e.lift("acme") == sequence(3));
  CHECK(e.ok("acme", consume("v", "1")).sequence == sequence(4));
}

TEST_CASE("a charge that throws holds back its customer and nobody else", "[quarantine]") {
  virtual_engine e;
  for (const auto* name : {"acme", "zeta"}) {
    open_with_credit(e, name);
    e.ok(name, fee(std::string("c-") + name, "70"));
  }
  e.failures().left["charge:c-acme"] = 1;
  const auto bad = e.send("acme", command::invoice_pending{}, "k");
  const auto behind = e.send("acme", consume("u", "1"));
  const auto other = e.send("zeta", command::invoice_pending{}, "k");
  e.settle();
  CHECK(e.refusal_of(bad) == errc::storage_unavailable);
  CHECK(e.refusal_of(behind) == errc::storage_unavailable);
  CHECK(e.receipt(other).sequence == sequence(4));
  CHECK(e.refused("acme", command::invoice_pending{}, "k") == errc::quarantined);
  CHECK(e.settled("acme") == "100.00");
  REQUIRE(e.lift("acme"));
  CHECK(e.ok("acme", command::invoice_pending{}, "k").sequence == sequence(4));
  CHECK(e.settled("acme") == "30.00");
  CHECK(e.verify().empty());
}

TEST_CASE("a wake-up waits while its customer is in quarantine, and runs when it is lifted",
          "[quarantine][D3]") {
  virtual_engine e;
  open_with_credit(e, "acme");
  auto charge = fee("c", "170");
  charge.invoice_at = at("2026-01-15");
  e.ok("acme", charge);
  refuse_unit(e, "acme", 4);
  CHECK(e.refused("acme", consume("u", "1")) == errc::storage_unavailable);
  const auto lives = e.activations();
  e.advance(at("2026-01-20"));
  CHECK(e.activations() == lives); // nobody is loaded in vain
  CHECK(e.refused("acme", command::get_invoice{"#1"}) == errc::not_found);
  e.database().refused_units.clear();
  CHECK(e.lift("acme") == sequence(3));
  e.run_due();
  CHECK(e.invoice("acme", "#1").issued_at == at("2026-01-20"));
}

TEST_CASE("stored state that does not fit together holds back its customer at its next use",
          "[quarantine]") {
  struct damage {
    const char* what;
    std::function<void(memory_database::customer_rows&)> does;
  };
  const std::vector<damage> all = {
      {"a body that cannot be read", [](auto& rows) { rows.journal.at(2).body.resize(1); }},
      {"a body that can be read, of another unit",
       [](auto& rows) { rows.journal.at(4).body = rows.journal.at(3).body; }},
      {"a hash", [](auto& rows) { rows.journal.at(3).hash[7] ^= std::byte{1}; }},
      {"a row that is missing", [](auto& rows) { rows.journal.erase(3); }},
      {"a snapshot of nothing",
       [](auto& rows) {
         rows.snapshot.emplace(sequence(3), std::vector<std::byte>(5, std::byte{0x55}));
       }},
      {"a snapshot ahead of the journal",
       [](auto& rows) {
         std::vector<std::byte> body;
         customer c;
         c.reference = "acme";
         c.last = sequence(9);
         journal::encode(c, body);
         rows.snapshot.emplace(sequence(9), body);
       }},
      {"a snapshot of another customer",
       [](auto& rows) {
         std::vector<std::byte> body;
         customer c;
         c.reference = "zeta";
         c.last = sequence(4);
         journal::encode(c, body);
         rows.snapshot.emplace(sequence(4), body);
       }},
      {"no journal", [](auto& rows) { rows.journal.clear(); }}};
  for (const auto& d : all) {
    INFO(d.what);
    virtual_engine e;
    open_with_credit(e, "acme");
    open_with_credit(e, "zeta");
    e.ok("acme", consume("u", "1"));
    e.ok("acme", consume("v", "2"));
    const auto whole = e.rows_of("acme");
    e.retire_all();
    d.does(e.rows_of("acme"));
    CHECK(e.refused("acme", command::get_balance{"USD", {}}) == errc::storage_unavailable);
    CHECK(e.refused("acme", command::get_balance{"USD", {}}) == errc::quarantined);
    CHECK(e.refused("acme", consume("w", "1")) == errc::quarantined);
    CHECK(e.refused("acme", consume("u", "1")) == errc::quarantined);
    const auto lives = e.activations();
    for (int i = 0; i < 5; ++i)
      CHECK(e.refused("acme", consume("w", "1")) == errc::quarantined);
    CHECK(e.activations() == lives); // no loop of reloading
    e.ok("zeta", consume("u", "1"));
    REQUIRE(stored_quarantine(e, "acme") != nullptr);
    CHECK(stored_quarantine(e, "acme")->kind == quarantine_kind::corrupt_state);
    const auto still = e.lift("acme");
    REQUIRE_FALSE(still);
    CHECK(still.error().code == errc::quarantined);
    CHECK(e.refused("acme", consume("w", "1")) == errc::quarantined);
    REQUIRE(stored_quarantine(e, "acme") != nullptr);
    e.rows_of("acme") = whole;
    CHECK(e.lift("acme") == sequence(4));
    CHECK(e.settled("acme") == "97.00");
    CHECK(e.ok("acme", consume("w", "1")).sequence == sequence(5));
    CHECK(e.verify().empty());
  }
}

TEST_CASE("a unit that cannot be read when its key comes again holds back its customer",
          "[quarantine]") {
  virtual_engine e;
  open_with_credit(e, "acme");
  e.ok("acme", consume("u", "1"));
  const auto whole = e.rows_of("acme");
  e.rows_of("acme").journal.at(3).body.resize(1);
  e.ok("acme", consume("v", "1")); // what is in memory goes on
  CHECK(e.refused("acme", consume("u", "1")) == errc::storage_unavailable);
  CHECK(e.refused("acme", command::get_customer{}) == errc::quarantined);
  e.rows_of("acme").journal.at(3) = whole.journal.at(3);
  CHECK(e.lift("acme") == sequence(4));
  CHECK(e.ok("acme", consume("u", "1")).sequence == sequence(3));
}

TEST_CASE("a creation that was refused is not created behind the operator's back", "[quarantine]") {
  virtual_engine e;
  e.commit_faults() = {commit_fault::poison};
  CHECK(e.refused("acme", command::put_customer{}, "k") == errc::storage_unavailable);
  CHECK(e.refused("acme", command::put_customer{}, "k") == errc::quarantined);
  CHECK(e.refused("acme", command::get_customer{}) == errc::not_found);
  // Its number is taken: another one of its shard gets the next.
  e.crash();
  for (int i = 0; i < 200; ++i)
    e.ok("other" + std::to_string(i), command::put_customer{});
  CHECK(e.refused("acme", command::put_customer{}, "k") == errc::quarantined);
  CHECK(e.lift("acme") == sequence(0));
  e.ok("acme", command::put_customer{}, "k");
  std::set<customer_id> numbers;
  for (const auto& [_, number] : e.database().numbers)
    CHECK(numbers.insert(number).second);
  CHECK(e.verify().empty());
}

TEST_CASE("a reply that tells of discarded units is not released, whoever decided when",
          "[quarantine]") {
  // The discard happens at the store; the customer learns of it steps later and decides meanwhile.
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    INFO("seed " << seed);
    simulation_options options;
    options.seed = seed;
    virtual_engine e(options);
    open_with_credit(e, "acme");
    open_with_credit(e, "zeta");
    e.ok("acme", fee("c", "10"));
    refuse_unit(e, "acme", 4 + seed % 5);
    std::vector<std::pair<std::string, std::uint64_t>> sent;
    const auto send = [&](const std::string& who, command::any c, const std::string& key = {}) {
      sent.emplace_back(who, e.send(who, std::move(c), key));
    };
    for (int i = 0; i < 12; ++i) {
      send("acme", consume("u" + std::to_string(i), "1"));
      send("acme", command::get_balance{"USD", {}});
      send("acme", consume("u" + std::to_string(i / 2), "1"));
      if (i == 2)
        send("acme", command::invoice_pending{}, "invoice");
      send("zeta", consume("u" + std::to_string(i), "1"));
      for (std::uint64_t n = 0; n < (seed + static_cast<std::uint64_t>(i)) % 9; ++n)
        e.step();
      if (i == 6)
        e.retire_all();
    }
    e.settle();
    const auto last = e.journal("acme").size();
    CHECK(last == 3 + seed % 5);
    for (const auto& [who, request] : sent) {
      const auto* a = e.answer_of(request);
      REQUIRE(a != nullptr);
      const auto* told = std::get_if<reply::receipt>(&a->body);
      if (who == "zeta")
        REQUIRE(told != nullptr);
      if (who == "acme" && told != nullptr)
        REQUIRE(told->sequence.value <= last);
    }
    e.database().refused_units.clear();
    CHECK(e.lift("acme") == sequence(last));
    e.ok("acme", consume("after", "1"));
    CHECK(e.verify().empty());
  }
}

TEST_CASE("lifting while commands come in loses none and answers each once", "[quarantine]") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    simulation_options options;
    options.seed = seed;
    virtual_engine e(options);
    open_with_credit(e, "acme");
    refuse_unit(e, "acme", 3);
    CHECK(e.refused("acme", consume("u", "1")) == errc::storage_unavailable);
    e.database().refused_units.clear();
    std::vector<std::uint64_t> sent;
    for (int i = 0; i < 6; ++i) {
      sent.push_back(e.send("acme", consume("v" + std::to_string(i), "1")));
      sent.push_back(e.send("acme", command::get_customer{}));
      for (std::uint64_t n = 0; n < seed % 7; ++n)
        e.step();
      if (i == static_cast<int>(seed % 6))
        CHECK(e.lift("acme") == sequence(2));
    }
    e.settle();
    for (const auto request : sent)
      CHECK(e.answer_of(request) != nullptr);
    e.ok("acme", consume("last", "1"));
    CHECK(e.verify().empty());
  }
}

TEST_CASE("a bad unit of the namespace holds back its catalog, not its customers", "[quarantine]") {
  virtual_engine e;
  e.ok("", command::create_credit_unit{"TOKEN", 6});
  open_with_credit(e, "acme");
  e.commit_faults() = {commit_fault::poison};
  CHECK(e.refused("", command::create_credit_unit{"COINS", 2}) == errc::storage_unavailable);
  CHECK(e.refused("", command::create_credit_unit{"COINS", 2}) == errc::quarantined);
  CHECK(e.refused("acme", credit("h", "1", "COINS")) == errc::validation);
  e.ok("acme", credit("h", "1", "TOKEN"));
  e.ok("zeta", command::put_customer{});
  e.crash();
  CHECK(e.refused("", command::create_credit_unit{"COINS", 2}) == errc::quarantined);
  e.ok("acme", credit("i", "1", "TOKEN"));
  CHECK(e.lift("") == sequence(1));
  e.ok("", command::create_credit_unit{"COINS", 2});
  e.ok("acme", credit("j", "1", "COINS"));
  e.failures().left["decide:"] = 1;
  CHECK(e.refused("", command::create_credit_unit{"BEADS", 2}) == errc::quarantined);
  CHECK(e.lift("") == sequence(2));
  e.ok("", command::create_credit_unit{"BEADS", 2});
  CHECK(e.verify().empty());
}

TEST_CASE("the namespace knows keys of long ago", "[quarantine][D6]") {
  simulation_options options;
  options.limits.snapshot_every = 100;
  virtual_engine e(options);
  const auto profile = [](std::int64_t days) {
    command::put_billing_profile p;
    p.due_after_ns = days * 86400 * ns_per_second;
    return p;
  };
  const auto first = e.ok("", profile(1), "first");
  // More than the exact keys (1,000) behind a snapshot: the journal has to be asked.
  for (int i = 0; i < 1300; ++i)
    e.ok("", profile(2 + i % 5), "key" + std::to_string(i));
  const auto units = e.ok("", profile(9), "ninth").sequence;
  const auto again = e.send("", profile(1), "first");
  const auto twice = e.send("", profile(1), "first");
  const auto other = e.send("", profile(3), "first");
  const auto fresh = e.send("", profile(3), "fresh");
  e.settle();
  CHECK(e.receipt(again) == first);
  CHECK(e.receipt(twice) == first);
  CHECK(e.refusal_of(other) == errc::idempotency_conflict);
  CHECK(e.receipt(fresh).sequence.value == units.value + 1);
}
