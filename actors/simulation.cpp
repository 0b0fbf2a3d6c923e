// One server that is driven from test and scenario code, and the invariants over what it stored.
#include "actors/simulation.hpp"

#include "domain/decisions.hpp"
#include "persistence/journal_codec.hpp"
#include "persistence/statement_codec.hpp"

#include <algorithm>

namespace accrue {

// What the scheduler sees: time moves only when it may fire.
struct simulation::virtual_time final : time_source {
  instant fired;
  instant now() override { return fired; }
};

simulation::simulation(simulation_options options)
    : options_(std::move(options)), random_(options_.seed), now_(options_.start),
      time_(std::make_unique<virtual_time>()) {
  time_->fired = now_;
  start_server();
}

simulation::~simulation() = default;

void simulation::start_server() {
  if (options_.prepare)
    options_.prepare(db_);
  virtual_server_parts parts;
  parts.database = &db_;
  parts.time = time_.get();
  parts.now = [this] { return now_; };
  parts.limits = options_.limits;
  parts.limits.wake_pause_ns = 0; // virtual time stands still while what is due is done
  parts.space = options_.space;
  parts.failures = &failures_;
  if (options_.seed != 0)
    parts.pick = [this](std::size_t jobs) {
      return std::uniform_int_distribution<std::size_t>(0, jobs - 1)(random_);
    };
  parts.answered = [this](reply_address, wire::answer a) {
    const auto request = a.to.request_id;
    // Every command is answered exactly once.
    if (!answers_.emplace(request, std::move(a)).second)
      findings_.push_back("request " + std::to_string(request) + " was answered twice");
  };
  parts.deliver = [this](std::span<const waiting_message> messages) -> std::size_t {
    if (outbox_fails)
      return 0;
    delivered.insert(delivered.end(), messages.begin(), messages.end());
    return messages.size();
  };
  parts.serve_lane = [this](memory_lane& lane) { return !holding_ && lane.step(); };
  server_ = std::make_unique<virtual_server>(std::move(parts));
  settle();
}

void simulation::hold_commits(bool hold) {
  holding_ = hold;
  // The wake-up of the lane may have come and gone meanwhile.
  if (!hold)
    server_->wake_lane();
}

// The new schedulers look at once for what is due: they must not see further than the old ones did, nor
// what was created in the past and nobody has fired yet.
void simulation::crash() {
  server_.reset();
  for (const auto& [_, rows] : db_.customers)
    if (rows.wakeup)
      time_->fired = std::min(time_->fired, plus_ns(*rows.wakeup, -1));
  start_server();
}

void simulation::set_clock(instant to) {
  ENSURE(to >= now_);
  now_ = to;
}

bool simulation::step() { return server_->step(); }

void simulation::settle() { server_->settle(); }

void simulation::run_due() {
  const auto passed = now_.ns - time_->fired.ns;
  time_->fired = now_;
  server_->advance_timers(passed);
  settle();
  // What a wake-up led to may itself be due by now.
  for (;;) {
    server_->advance_timers(0);
    if (!server_->has_job())
      break;
    settle();
  }
}

void simulation::advance(instant to) {
  std::map<customer_key, instant> fired;
  for (;;) {
    std::optional<std::pair<instant, customer_key>> next;
    for (const auto& [key, rows] : db_.customers) {
      if (!rows.wakeup || *rows.wakeup > to)
        continue;
      const auto it = fired.find(key);
      if (it != fired.end() && it->second == *rows.wakeup)
        continue; // tried, and still due
      if (!next || *rows.wakeup < next->first)
        next.emplace(*rows.wakeup, key);
    }
    if (!next)
      break;
    fired[next->second] = next->first;
    now_ = std::max(now_, next->first);
    run_due();
  }
  now_ = std::max(now_, to);
  run_due();
}

std::uint64_t simulation::send(const std::string& customer,
                               command::any body,
                               std::string key,
                               std::optional<sequence> expected) {
  auto e = std::make_shared<envelope>();
  e->request = next_request_++;
  e->stamp = now_;
  e->deadline = ledger::never;
  e->key = std::move(key);
  if (e->key.empty() && command::given_id(body).empty())
    e->key = "request:" + std::to_string(e->request);
  e->expected_sequence = expected;
  e->body = std::move(body);
  const auto request = e->request;
  server_->execute(customer, std::move(e));
  return request;
}

const wire::answer* simulation::answer_of(std::uint64_t request) const {
  const auto it = answers_.find(request);
  return it == answers_.end() ? nullptr : &it->second;
}

result<reply::receipt>
simulation::ask(const std::string& customer, command::any body, std::string key) {
  const auto request = send(customer, std::move(body), std::move(key));
  settle();
  const auto* a = answer_of(request);
  if (a == nullptr)
    return accrue::refuse(errc::deadline_exceeded, "no answer: something is held back or was lost");
  if (const auto* no = std::get_if<wire::refused>(&a->body))
    return tl::unexpected(no->reason);
  return std::get<reply::receipt>(a->body);
}

result<sequence> simulation::lift(const std::string& customer) {
  auto told = std::make_shared<result<sequence>>(
      accrue::refuse(errc::deadline_exceeded, "no answer: something is held back"));
  server_->lift(customer, [told](result<sequence> at) { *told = std::move(at); });
  settle();
  return *told;
}

void simulation::retire_all() {
  for (int round = 0; round < 2; ++round) {
    server_->sweep();
    settle();
  }
}

result<std::vector<entry>> simulation::journal_of(const std::string& customer) const {
  for (const auto& [key, number] : db_.numbers) {
    if (key.second != customer)
      continue;
    std::vector<entry> entries;
    for (const auto& [_, row] : db_.customers.at({key.first, number}).journal) {
      auto e = journal::decode(row.body, row.sequence, row.at, static_cast<std::uint8_t>(row.kind));
      if (!e)
        return tl::unexpected(e.error());
      entries.push_back(std::move(*e));
    }
    return entries;
  }
  return accrue::refuse(errc::not_found, "no such customer", customer);
}

namespace {

// One customer's stored rows against each other: chain, sequence, replay, sums, projections.
void verify_customer(const customer_key& key,
                     const memory_database::customer_rows& rows,
                     std::vector<std::string>& findings) {
  const auto find = [&](const std::string& what) {
    findings.push_back("customer " + rows.reference + ": " + what);
  };
  customer replayed;
  replayed.number = key.customer;
  digest tip{};
  statement_writer blocks;
  for (const auto& [number, stored] : rows.journal) {
    journal_row row;
    row.owner = key;
    row.sequence = stored.sequence;
    row.at = stored.at;
    row.kind = stored.kind;
    row.key = stored.key;
    row.content = stored.content;
    if (chain_row(tip, row, stored.body) != stored.hash)
      find("the chain breaks at unit " + std::to_string(number));
    tip = stored.hash;
    const auto e = journal::decode(
        stored.body, stored.sequence, stored.at, static_cast<std::uint8_t>(stored.kind));
    if (!e)
      return find("unit " + std::to_string(number) + " cannot be read");
    if (e->number.value != replayed.last.value + 1)
      return find("a gap before unit " + std::to_string(number));
    replayed.apply(*e);
    blocks.add(replayed, *e);
    if (const auto block = rows.blocks.find(number); block != rows.blocks.end()) {
      std::vector<std::byte> sums;
      encode(blocks.block(), blocks.units(), sums);
      if (sums != block->second.sums || blocks.units() != block->second.items)
        find("the statement block up to unit " + std::to_string(number) + " is not of its units");
      blocks.clear();
    }
    for (const auto& t : e->transactions)
      if (!ledger::transaction::make(t.code(),
                                     t.direction(),
                                     t.booked_at(),
                                     {t.postings().begin(), t.postings().end()},
                                     replayed.book))
        find("a transaction of unit " + std::to_string(number) + " does not hold");
  }
  if (rows.wakeup != next_due(replayed))
    find("its wake-up is not what its charges, invoices and reservations ask for");
  std::map<currency, int128> sums;
  for (std::uint32_t n = 0; n < replayed.book.sub_accounts().size(); ++n)
    sums[replayed.book.at(sub_account_id(n)).route.currency] +=
        replayed.book.balance(sub_account_id(n));
  for (const auto& [_, sum] : sums)
    if (sum != 0)
      find("its book does not sum to zero");
  std::vector<std::byte> bytes;
  for (const auto& c : replayed.charges) {
    bytes.clear();
    journal::encode(c, bytes);
    const auto it = rows.charges.find(c.terms.id.value);
    if (it == rows.charges.end() || it->second.body != bytes)
      find("charge " + c.terms.reference + " is stored differently");
  }
  for (const auto& i : replayed.invoices) {
    bytes.clear();
    journal::encode(i, bytes);
    const auto it = rows.invoices.find(i.id.value);
    if (it == rows.invoices.end() || it->second.body != bytes)
      find("an invoice is stored differently");
  }
}

} // namespace

std::vector<std::string> verify(const memory_database& db) {
  std::vector<std::string> findings;
  for (const auto& [key, rows] : db.customers)
    verify_customer(key, rows, findings);
  return findings;
}

std::vector<std::string> simulation::verify() const {
  auto findings = findings_;
  for (auto& what : accrue::verify(db_))
    findings.push_back(std::move(what));
  return findings;
}

} // namespace accrue
