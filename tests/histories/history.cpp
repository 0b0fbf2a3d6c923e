// The actions of a history and their weights, and how it comes to rest. See history.hpp.
#include "tests/histories/history.hpp"

#include "actors/simulation.hpp"
#include "domain/recognition.hpp"
#include "tests/histories/script.hpp"
#include "tests/histories/witness.hpp"
#include "tests/histories/world.hpp"

#include <algorithm>

namespace accrue::histories {
namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t hour = 3600 * ns_per_second;
const instant first_day{1'767'225'600 * ns_per_second}; // 2026-01-01

class history : private listener {
public:
  history(std::uint64_t seed, bool shown)
      : chance_(seed), log_(shown), faulty_(!chance_.once_in(8)), limits_(limits()),
        world_(chance_, log_, *this, limits_, first_day), script_(chance_),
        witness_(log_, world_.database()) {
    witness_.faults_expected = faulty_;
    witness_.recognizes = limits_.recognize_every_hours != 0;
    witness_.small_queue = limits_.customer_queue < 4096;
    const auto customers = 1 + chance_.pick(4);
    for (std::uint64_t n = 0; n < customers; ++n)
      customers_.push_back(std::string(1, static_cast<char>('a' + n)));
  }

  history_outcome run() {
    try {
      open_shop();
      world_.trouble = faulty_ && chance_.once_in(2);
      for (auto actions = 20 + chance_.pick(60); actions > 0; --actions)
        act();
      come_to_rest();
      ask_again_after_restart();
      if (!log_.findings().empty())
        return outcome(); // who stopped half-way has nothing to compare
      witness_.check_all(rules_);
      check_wakeups();
      for (auto& what : verify(world_.database()))
        log_.find(std::move(what));
    } catch (const defect& broken) {
      log_.find("a defect: " + broken.what);
    }
    return outcome();
  }

private:
  history_outcome outcome() const { return {log_.findings(), log_.hash(), log_.counts()}; }

  engine_limits limits() {
    engine_limits l;
    l.snapshot_every = 2 + chance_.pick(12);
    l.customer_queue = chance_.once_in(6) ? 3 : 4096;
    l.recognize_every_hours =
        chance_.once_in(2) ? static_cast<std::uint32_t>(1 + chance_.pick(6)) : 0;
    return l;
  }

  // The namespace's units and profile stand before anything else happens.
  void open_shop() {
    rules_.currencies = {
        {"USD", currency{840, 2}}, {"JPY", currency{392, 0}}, {"TOKEN", currency{1000, 3}}};
    auto& p = rules_.profile;
    p.auto_advance = !chance_.once_in(3);
    p.draft_period_ns = static_cast<std::int64_t>(chance_.pick(3)) * hour;
    p.due_after_ns = static_cast<std::int64_t>(chance_.pick(3)) * 24 * hour;
    if (chance_.once_in(3))
      p.recognition = invoicing::recognition_policy::at_period_end;
    world_.start_server();
    world_.settle();
    want("", command::create_credit_unit{"TOKEN", 3});
    want("",
         command::put_billing_profile{
             p.auto_advance, p.draft_period_ns, p.due_after_ns, p.recognition});
    world_.settle();
    for (const auto& name : customers_)
      if (!chance_.once_in(10))
        want(name, script_.customer());
  }

  void want(const std::string& customer, command::any body) {
    intent i;
    i.customer = customer;
    if (command::given_id(body).empty() ? !chance_.once_in(30) : chance_.once_in(4))
      i.key = "key" + std::to_string(witness_.intents.size());
    i.body = std::move(body);
    if (customer.empty())
      i.key = "shop" + std::to_string(witness_.intents.size());
    else if (chance_.once_in(12))
      i.expected = sequence(world_.durable(customer) + chance_.pick(3) / 2);
    witness_.intents.push_back(std::move(i));
    ask(witness_.intents.size() - 1);
  }

  void want_something() {
    const auto& who = chance_.one_of(customers_);
    want(who, script_.command_at(who, world_.now(), witness_.intents.size()));
  }

  void ask_something() {
    const auto& who = chance_.one_of(customers_);
    send(who, script_.query(who, world_.now()), {}, std::nullopt, std::nullopt);
  }

  void ask(std::size_t n) {
    auto& i = witness_.intents[n];
    const auto servers = world_.servers();
    if (servers.empty())
      return;
    if (!i.settled && i.in_flight == 0 && n + 1 < witness_.intents.size())
      log_.count("asked again");
    i.asked();
    send(i.customer, i.body, i.key, i.expected, n);
  }

  void send(const std::string& customer,
            const command::any& body,
            const std::string& key,
            std::optional<sequence> expected,
            std::optional<std::size_t> of) {
    const auto servers = world_.servers();
    if (servers.empty())
      return;
    request q;
    q.id = witness_.requests.size() + 1;
    q.server = chance_.one_of(servers);
    q.intent = of;
    q.customer = customer;
    q.body = body;
    q.stamp = world_.now();
    q.deadline = ledger::never;
    if (faulty_ && !resting_ && chance_.once_in(15))
      q.deadline = plus_ns(world_.now(), static_cast<std::int64_t>(chance_.pick(2000)) * ms);
    q.durable_before = customer.empty() ? 0 : world_.durable(customer);
    auto e = std::make_shared<envelope>();
    e->request = q.id;
    e->deadline = q.deadline;
    e->key = key;
    e->expected_sequence = expected;
    e->body = body;
    log_.tell("sent", {q.id, q.server, body.index()}, [&] {
      return to_string(world_.now()) + "  request " + std::to_string(q.id) + " to server " +
             std::to_string(q.server) + ": " + customer + " " + std::string(command::kind(body)) +
             " " + std::string(command::given_id(body)) + (key.empty() ? "" : " key " + key);
    });
    witness_.requests.push_back(std::move(q));
    auto& kept = witness_.requests.back();
    world_.send(kept.server, customer, std::move(e), kept.stamp);
  }

  void act() {
    if (world_.servers().empty() || chance_.once_in(6))
      world_.start_server();
    if (faulty_ && chance_.once_in(5))
      go_wrong();
    if (const auto& held = world_.database().quarantined; !held.empty() && chance_.once_in(4))
      world_.lift(held.begin()->second.reference, std::make_shared<bool>());
    switch (chance_.pick(16)) {
    case 0:
      let_land();
      world_.pass(static_cast<std::int64_t>(1 + chance_.pick(chance_.once_in(3) ? 40 : 3)) * hour);
      break;
    case 1:
      let_land();
      world_.pass(static_cast<std::int64_t>(chance_.pick(9000)) * ms);
      break;
    case 2:
      world_.settle();
      break;
    case 3:
    case 4: // once more, whatever came of it
      ask(chance_.pick(witness_.intents.size()));
      break;
    case 5:
      take_key();
      break;
    case 6:
    case 7:
      ask_something();
      break;
    case 8: {
      const auto& who = chance_.one_of(customers_);
      want(who, script_.bad_command(who, world_.now(), witness_.intents.size()));
      break;
    }
    default:
      want_something();
      if (chance_.once_in(8)) // at once from another connection
        ask(witness_.intents.size() - 1);
    }
    world_.pass(static_cast<std::int64_t>(chance_.pick(20)) * ms);
    for (auto n = chance_.pick(60); n > 0 && world_.step(); --n) {
    }
  }

  // Where nothing is to go wrong, no commit takes longer than the lease.
  void let_land() {
    if (!faulty_)
      world_.settle();
  }

  // Somebody uses the key of another command for something else.
  void take_key() {
    const auto n = chance_.pick(witness_.intents.size());
    auto& owner = witness_.intents[n];
    if (!owner.original || owner.customer.empty())
      return;
    owner.original = false;
    auto thief = owner;
    thief.body = script_.other_content(owner.body);
    thief.acknowledged.reset();
    thief.settled = false;
    thief.uncertain = false;
    thief.in_flight = 0;
    thief.expected.reset();
    witness_.intents.push_back(std::move(thief));
    ask(witness_.intents.size() - 1);
  }

  void go_wrong() {
    switch (chance_.pick(15)) {
    case 0:
      return world_.crash();
    case 11:
      return world_.throw_in(chance_.one_of(customers_));
    case 1:
    case 2:
      world_.hold_commits = !world_.hold_commits;
      return;
    case 3:
      return world_.store_away(chance_.once_in(2));
    case 4:
      world_.failures().left["charge_booking"] = static_cast<std::uint32_t>(chance_.pick(3));
      return;
    case 5:
      world_.outbox_fails = chance_.once_in(2);
      return;
    case 6:
      world_.trouble = !world_.trouble;
      return;
    case 7:
      return world_.end_some_actor();
    case 8:
    case 9:
      return world_.retire_idle();
    case 10:
      return world_.let_continue();
    default:
      return fall_behind();
    }
  }

  // The sharpest one: a server stands still past its lease, another takes over and serves, the first goes on.
  void fall_behind() {
    world_.stand_still();
    if (chance_.once_in(3))
      return;
    for (auto n = chance_.pick(3); n > 0; --n)
      ask_something();
    world_.pass(lease_ns + static_cast<std::int64_t>(chance_.pick(3000)) * ms);
    world_.start_server();
    for (auto n = chance_.pick(5); n > 0; --n)
      want_something();
    for (auto n = 200 + chance_.pick(400); n > 0 && world_.step(); --n) {
    }
    world_.let_continue();
    for (auto n = chance_.pick(4); n > 0; --n)
      ask_something();
  }

  // Faults end, and everybody asks until there is an answer.
  void come_to_rest() {
    resting_ = true;
    world_.calm_down();
    world_.settle();
    for (int round = 0; round < 40; ++round) {
      world_.pass(2 * ns_per_second);
      world_.settle();
      if (world_.servers().empty())
        world_.start_server();
      const auto held = std::make_shared<bool>(world_.servers().empty());
      for (const auto& name : customers_)
        world_.lift(name, held);
      world_.settle();
      witness_.check_tickets();
      bool all = !*held;
      for (std::size_t n = 0; n < witness_.intents.size(); ++n)
        if (auto& i = witness_.intents[n]; !i.settled) {
          all = false;
          ask(n);
          if (chance_.once_in(2))
            world_.settle();
        }
      if (all || !log_.findings().empty())
        return;
    }
    log_.find("after 80 quiet seconds there are commands that nobody decides");
  }

  // From a fresh start, keys are answered as they were, and all that is due is done.
  void ask_again_after_restart() {
    if (!log_.findings().empty())
      return;
    world_.crash();
    world_.pass(2 * lease_ns);
    world_.settle();
    world_.start_server();
    for (std::size_t n = 0; n < witness_.intents.size(); ++n)
      if (witness_.intents[n].acknowledged)
        ask(n);
    for (const auto& name : customers_) {
      send(name, command::get_balance{}, {}, std::nullopt, std::nullopt);
      send(name, command::list_invoices{}, {}, std::nullopt, std::nullopt);
      send(name, command::list_grants{}, {}, std::nullopt, std::nullopt);
    }
    world_.settle();
    for (int n = 0; n < 3; ++n) {
      world_.pass(70 * ns_per_second);
      world_.settle();
    }
    witness_.check_tickets();
    if (!world_.database().outbox.empty())
      log_.find("messages stay in the outbox");
    if (world_.delivered.size() < world_.database().delivered.size())
      log_.find("a message was put on record that never left");
  }

  // What is due and would do something has been done by its wake-up.
  void check_wakeups() {
    for (const auto& [reference, m] : witness_.models()) {
      const auto now = plus_ns(world_.now(), -65 * ns_per_second);
      const auto due = m.expect(command::run_due{}, now);
      const auto* did = std::get_if<reply::receipt>(&due);
      if (did != nullptr && now >= m.clock() && std::get<reply::ran_due>(did->body).steps != 0)
        log_.find("customer " + reference + " has something due that no wake-up has done");
      check_hour(reference, m, now);
    }
  }

  // What can be earned has its hour, and no hour has passed.
  void check_hour(const std::string& reference, const model& m, instant now) {
    const auto replayed = witness_.replayed(reference);
    if (!replayed || limits_.recognize_every_hours == 0 || now < m.clock())
      return;
    const auto left = m.expect(command::recognize{{}, command::recognizable::both}, now);
    const auto* could = std::get_if<reply::receipt>(&left);
    if (could != nullptr && !std::get<reply::recognized>(could->body).amounts.empty() &&
        replayed->recognizes_at == 0)
      log_.find("customer " + reference + " has accrued value and no hour to recognise it");
    if (replayed->recognizes_at != 0 && start_of_hour(replayed->recognizes_at) <= now)
      log_.find("customer " + reference + " let its hour pass");
  }

  void answered(const wire::answer& a) override { witness_.answered(a, world_.now()); }
  void ended(std::uint32_t server) override { witness_.ended(server); }
  void at_fault(const std::string& customer) override { witness_.may_be_held(customer); }

  dice chance_;
  chronicle log_;
  bool faulty_;
  bool resting_ = false;
  engine_limits limits_;
  rules rules_;
  world world_;
  script script_;
  witness witness_;
  std::vector<std::string> customers_;
};

} // namespace

history_outcome run_history(std::uint64_t seed, bool shown) { return history(seed, shown).run(); }

} // namespace accrue::histories
