// Random histories: clients, held commits, faults, crashes, time; one seed is one history. Afterwards
// everything that was acknowledged stands in the journal exactly once. ACCRUE_SEEDS=from:to runs others.
#include "tests/actors/virtual_clients.hpp"

#include <cstdlib>
#include <map>
#include <random>
#include <string>

using namespace accrue;
using namespace accrue::testing;

namespace {

/// Something a client wants done exactly once, and how often it has asked.
struct intent {
  std::string customer;
  std::string key; ///< empty: the command's own id
  command::any body;
  std::vector<std::uint64_t> requests;
  std::vector<bool> seen; ///< whether the answer of that request was looked at
  std::optional<reply::receipt> acknowledged;
  bool refused = false; ///< for good: the last time it was asked
  bool lost = false;    ///< a crash swallowed an answer
};

class random_history {
public:
  explicit random_history(std::uint64_t seed) : random_(seed), engine_(options_of(seed)) {
    const auto names = 1 + pick(3);
    for (std::uint64_t n = 0; n < names; ++n)
      customers_.push_back(std::string(1, static_cast<char>('a' + n)));
    if (pick(2) == 0) {
      command::put_billing_profile p;
      p.auto_advance = pick(2) == 0;
      p.draft_period_ns = static_cast<std::int64_t>(pick(3)) * 3600 * ns_per_second;
      engine_.ok("", p);
    }
    for (const auto& name : customers_) {
      command::put_customer c;
      c.over_settlement = static_cast<command::over_settlement>(1 + pick(3));
      add(name, c);
    }
  }

  void live(int actions) {
    for (int i = 0; i < actions; ++i) {
      act();
      look_at_answers();
    }
  }

  /// Lets all clients come to an answer, then checks what must hold.
  void end() {
    engine_.commit_faults().clear();
    engine_.failures().left.clear();
    engine_.outbox_fails = false;
    engine_.hold_commits(false);
    settle();
    lift_all();
    for (bool again = true; again;) {
      again = false;
      for (auto& i : intents_)
        if (i.lost || !(i.acknowledged || i.refused)) {
          i.lost = false;
          ask(i);
          settle();
          again = true;
        }
    }
    check_journals();
    check_engine_against_journal();
    CHECK(engine_.verify() == std::vector<std::string>{});
    // The answers of keys are what they were, also from a fresh start.
    engine_.crash();
    for (auto& i : intents_)
      if (i.acknowledged)
        ask(i);
    settle();
    // At least once: all of it leaves sooner or later.
    engine_.advance(plus_ns(engine_.now(), 5 * ns_per_second));
    CHECK(engine_.database().outbox.empty());
    CHECK(engine_.delivered.size() >= engine_.database().delivered.size());
  }

private:
  static simulation_options options_of(std::uint64_t seed) {
    std::mt19937_64 random(seed * 31 + 7);
    simulation_options o;
    o.seed = seed;
    o.limits.snapshot_every = 2 + random() % 12;
    o.limits.customer_queue = random() % 4 == 0 ? 3 : 4096;
    return o;
  }

  std::uint64_t pick(std::uint64_t below) {
    return std::uniform_int_distribution<std::uint64_t>(0, below - 1)(random_);
  }
  decimal cents(std::uint64_t below) {
    return decimal::make(static_cast<int128>(1 + pick(below)), 2).value();
  }

  void add(const std::string& customer, command::any body) {
    intent i;
    i.customer = customer;
    if (command::given_id(body).empty() || pick(4) == 0)
      i.key = "key" + std::to_string(intents_.size());
    i.body = std::move(body);
    intents_.push_back(std::move(i));
    ask(intents_.back());
  }

  void ask(intent& i) {
    i.requests.push_back(engine_.send(i.customer, i.body, i.key));
    i.seen.push_back(false);
    i.refused = false;
  }

  command::any some_command() {
    const auto id = "x" + std::to_string(intents_.size());
    const std::string currency = pick(5) == 0 ? "JPY" : "USD";
    const auto whole = [&](std::uint64_t below) {
      return currency == "JPY" ? decimal(static_cast<std::int64_t>(1 + pick(below)))
                               : cents(below * 100);
    };
    const auto invoice = "#" + std::to_string(1 + pick(3));
    switch (pick(12)) {
    case 0:
    case 1: {
      command::grant_credit g;
      g.id = id;
      g.amount = whole(50);
      g.currency = currency;
      if (pick(4) == 0)
        g.features = {"api"};
      g.priority = static_cast<std::uint16_t>(100 + pick(2));
      return g;
    }
    case 2: {
      command::create_charge c = fee(id, "1", static_cast<settlement_mode>(1 + pick(3)));
      c.amount = whole(30);
      c.currency = currency;
      c.invoice_at =
          plus_ns(engine_.now(), static_cast<std::int64_t>(pick(48)) * 3600 * ns_per_second);
      c.feature = pick(3) == 0 ? "api" : "";
      return c;
    }
    case 3:
      return command::invoice_pending{};
    case 4:
      return command::approve_invoice{invoice};
    case 5:
      return command::pay_invoice{invoice};
    case 6:
      return command::retry_invoice{invoice};
    case 7:
      return command::authorize_payment{invoice, cents(500)};
    default:
      return command::consume{id, whole(10), currency, pick(4) == 0 ? "api" : ""};
    }
  }

  void act() {
    switch (pick(26)) {
    case 24:
    case 25:
      return lift_all();
    case 0:
      return crash();
    case 1:
      engine_.hold_commits(pick(2) == 0);
      return;
    case 2:
      engine_.commit_faults().push_back(static_cast<commit_fault>(pick(4)));
      return;
    case 3:
      engine_.failures().left["charge_booking"] = static_cast<std::uint32_t>(pick(3));
      engine_.outbox_fails = pick(3) == 0;
      return;
    case 4:
      engine_.advance(
          plus_ns(engine_.now(), static_cast<std::int64_t>(1 + pick(20 * 3600)) * ns_per_second));
      return;
    case 5:
      return engine_.retire_all();
    case 6:
      return settle();
    case 7:
    case 8:
      return ask(intents_[pick(intents_.size())]); // again, whatever came of it
    case 9:
      reads_.push_back({customers_[pick(customers_.size())], 0});
      reads_.back().second = engine_.send(reads_.back().first, command::get_balance{});
      return;
    default:
      break;
    }
    if (pick(3) != 0)
      add(customers_[pick(customers_.size())], some_command());
    for (auto n = pick(40); n > 0 && engine_.step(); --n)
      look_at_answers();
  }

  void settle() {
    engine_.settle();
    look_at_answers();
  }

  /// Who is let out has nobody to wait for: only a lift that cannot succeed while commits are held may fail.
  void lift_all() {
    const auto held = engine_.database().quarantined;
    for (const auto& [_, what] : held) {
      const auto lifted = engine_.lift(what.reference);
      if (!lifted)
        CHECK(lifted.error().code == errc::deadline_exceeded);
    }
    look_at_answers();
  }

  void crash() {
    look_at_answers();
    engine_.crash();
    for (auto& i : intents_)
      for (std::size_t n = 0; n < i.requests.size(); ++n)
        if (!i.seen[n] && engine_.answer_of(i.requests[n]) == nullptr) {
          i.seen[n] = true;
          i.lost = true;
        }
    reads_.clear();
  }

  std::uint64_t durable(const std::string& customer) {
    for (const auto& [_, rows] : engine_.database().customers)
      if (rows.reference == customer && !rows.journal.empty())
        return rows.journal.rbegin()->first;
    return 0;
  }

  void look_at_answers() {
    for (auto& i : intents_)
      for (std::size_t n = 0; n < i.requests.size(); ++n)
        if (!i.seen[n])
          if (const auto* a = engine_.answer_of(i.requests[n])) {
            i.seen[n] = true;
            take(i, *a);
          }
    std::erase_if(reads_, [&](const auto& r) {
      const auto* a = engine_.answer_of(r.second);
      if (a == nullptr)
        return false;
      if (const auto* told = std::get_if<reply::receipt>(&a->body))
        REQUIRE(told->sequence.value <= durable(r.first));
      return true;
    });
  }

  void take(intent& i, const wire::answer& a) {
    if (const auto* no = std::get_if<wire::refused>(&a.body)) {
      const auto code = no->reason.code;
      INFO(i.customer << " " << command::kind(i.body) << ": " << to_string(code) << " "
                      << no->reason.text);
      REQUIRE(code != errc::internal);
      REQUIRE(code != errc::idempotency_conflict);
      REQUIRE(code != errc::deadline_exceeded);
      const bool passing = code == errc::storage_unavailable || code == errc::overloaded ||
                           code == errc::quarantined;
      // Once acknowledged, a key is never refused for what it asks.
      REQUIRE((passing || !i.acknowledged));
      // Nor by a quarantine: its reply is in the store.
      REQUIRE((code != errc::quarantined || !i.acknowledged));
      if (passing)
        i.lost = true;
      else
        i.refused = true;
      return;
    }
    const auto& receipt = std::get<reply::receipt>(a.body);
    REQUIRE(receipt.sequence.value <= durable(i.customer));
    if (!i.acknowledged)
      i.acknowledged = receipt;
    INFO(i.customer << " " << command::kind(i.body) << " " << i.key);
    REQUIRE(*i.acknowledged == receipt);
  }

  void check_journals() {
    for (const auto& customer : customers_) {
      const auto journal = engine_.journal(customer);
      std::map<std::uint64_t, std::size_t> acknowledged; // by sequence
      std::map<std::string, std::size_t> recorded;       // by id
      for (const auto& e : journal)
        for (const auto& f : e.facts)
          if (const auto* c = std::get_if<fact::consumed>(&f))
            ++recorded[c->id];
          else if (const auto* g = std::get_if<fact::grant_recorded>(&f))
            ++recorded[g->grant.reference];
      std::size_t from_clients = 0;
      for (const auto& i : intents_) {
        if (i.customer != customer)
          continue;
        const std::string id(command::given_id(i.body));
        const bool counted = std::holds_alternative<command::consume>(i.body) ||
                             std::holds_alternative<command::grant_credit>(i.body);
        INFO(customer << " " << command::kind(i.body) << " " << id);
        if (counted)
          CHECK(recorded[id] == (i.acknowledged ? 1 : 0));
        if (!i.acknowledged)
          continue;
        ++from_clients;
        const auto s = i.acknowledged->sequence.value;
        REQUIRE(s >= 1);
        REQUIRE(s <= journal.size());
        CHECK(journal[s - 1].kind == i.body.index());
        CHECK(++acknowledged[s] == 1);
      }
      // The others are wake-ups of ours.
      static const auto due = command::any(command::run_due{}).index();
      const auto ticks = static_cast<std::size_t>(
          std::ranges::count_if(journal, [](const entry& e) { return e.kind == due; }));
      CHECK(journal.size() == from_clients + ticks);
    }
  }

  void check_engine_against_journal() {
    for (const auto& name : customers_) {
      accrue::customer replayed;
      for (const auto& e : engine_.journal(name))
        replayed.apply(e);
      const auto told =
          std::get<reply::accounts>(engine_.ok(name, command::get_accounts{}).body).items;
      REQUIRE(told.size() == replayed.book.sub_accounts().size());
      for (std::uint32_t n = 0; n < told.size(); ++n)
        CHECK(told[n].balance == replayed.book.balance(sub_account_id(n)));
      for (const auto& s : replayed.book.sources())
        CHECK(s.amount >= 0);
    }
  }

  std::mt19937_64 random_;
  virtual_engine engine_;
  std::vector<std::string> customers_;
  std::vector<intent> intents_;
  std::vector<std::pair<std::string, std::uint64_t>> reads_;
};

std::pair<std::uint64_t, std::uint64_t> seeds() {
  const char* given = std::getenv("ACCRUE_SEEDS");
  if (given == nullptr)
    return {1, 301};
  const std::string text(given);
  const auto colon = text.find(':');
  REQUIRE(colon != std::string::npos);
  return {std::stoull(text.substr(0, colon)), std::stoull(text.substr(colon + 1))};
}

} // namespace

TEST_CASE("whatever happens, what was acknowledged stands exactly once", "[histories][D6][D66]") {
  const auto [from, to] = seeds();
  for (auto seed = from; seed < to; ++seed) {
    INFO("repeat it with ACCRUE_SEEDS=" << seed << ":" << seed + 1);
    random_history h(seed);
    h.live(80);
    h.end();
  }
  CHECK(from < to);
}
