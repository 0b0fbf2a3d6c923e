// Virtual time over CAF's test scheduler, which by itself runs first in, first out: the seed picks from
// its jobs instead.
#include "actors/simulation.hpp"

#include "domain/decisions.hpp"
#include "persistence/journal_codec.hpp"

#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <chrono>

namespace accrue {

// What the scheduler sees: time moves only when it may fire.
struct simulation::virtual_time final : time_source {
  instant fired;
  instant now() override { return fired; }
};

simulation::simulation(simulation_options options)
    : options_(std::move(options)), random_(options_.seed), now_(options_.start),
      time_(std::make_unique<virtual_time>()) {
  settings_.set("scheduler.policy", caf::atom("testing"));
  time_->fired = now_;
  start_engine();
}

simulation::~simulation() { stop_engine(); }

void simulation::start_engine() {
  system_ = std::make_unique<caf::actor_system>(settings_);
  scheduler_ = &dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
  writer_ = std::make_shared<ledger_writer_actor>();
  alive_ = true;
  reply_sink& replies = *this;
  store_ = std::make_unique<memory_store>(
      db_,
      replies,
      engine::events_for(writer_),
      [writer = writer_] {
        if (*writer)
          caf::anon_send(*writer, flush{});
      },
      [this] { return now_; });
  engine_parts parts;
  parts.store = store_.get();
  parts.replies = this;
  parts.time = time_.get();
  parts.routes = this;
  parts.limits = options_.limits;
  parts.limits.wake_pause_ns = 0; // virtual time stands still while what is due is done
  parts.namespaces = {options_.space};
  parts.failures = &failures_;
  parts.deliver = [this](std::span<const waiting_message> messages) -> std::size_t {
    if (outbox_fails)
      return 0;
    delivered.insert(delivered.end(), messages.begin(), messages.end());
    return messages.size();
  };
  parts.step = [this] { return alive_ && !holding_ && store_->the_lane().step(); };
  auto made = engine::start(*system_, std::move(parts));
  ENSURE(made.has_value());
  engine_ = std::move(*made);
  *writer_ = engine_->context().writer;
  settle();
}

void simulation::stop_engine() {
  alive_ = false;
  ++generation_;
  routes_.clear();
  engine_->stop();
  *writer_ = ledger_writer_actor{};
  while (scheduler_->has_job())
    scheduler_->run_once();
  engine_.reset();
  while (scheduler_->has_job())
    scheduler_->run_once();
  system_.reset();
  store_.reset();
}

void simulation::hold_commits(bool hold) {
  holding_ = hold;
  // The wake-up of the lane may have come and gone meanwhile.
  if (!hold)
    caf::anon_send(*writer_, flush{});
}

// The new schedulers look at once for what is due: they must not see further than the old ones did, nor
// what was created in the past and nobody has fired yet.
void simulation::crash() {
  stop_engine();
  for (const auto& [_, rows] : db_.customers)
    if (rows.wakeup)
      time_->fired = std::min(time_->fired, plus_ns(*rows.wakeup, -1));
  start_engine();
}

void simulation::set_clock(instant to) {
  ENSURE(to >= now_);
  now_ = to;
}

bool simulation::step() {
  auto& jobs = scheduler_->jobs;
  if (jobs.empty())
    return false;
  if (options_.seed != 0 && jobs.size() > 1)
    std::swap(jobs.front(),
              jobs[std::uniform_int_distribution<std::size_t>(0, jobs.size() - 1)(random_)]);
  scheduler_->run_once();
  return true;
}

void simulation::settle() {
  while (step()) {
  }
}

void simulation::run_due() {
  const auto passed = now_.ns - time_->fired.ns;
  time_->fired = now_;
  scheduler_->advance_time(std::chrono::nanoseconds(passed));
  settle();
  // What a wake-up led to may itself be due by now.
  for (;;) {
    scheduler_->advance_time(std::chrono::nanoseconds(0));
    if (!scheduler_->has_job())
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
  e->from = {0, generation_};
  e->request = next_request_++;
  e->stamp = now_;
  e->deadline = ledger::never;
  e->key = std::move(key);
  if (e->key.empty() && command::given_id(body).empty())
    e->key = "request:" + std::to_string(e->request);
  e->expected_sequence = expected;
  const bool for_namespace = command::is_for_namespace(body);
  e->body = std::move(body);
  const auto request = e->request;
  auto& c = engine_->context();
  if (for_namespace) {
    caf::anon_send(c.namespaces.front().actor, execute{std::move(e)});
    return request;
  }
  auto [it, fresh] = routes_.try_emplace(customer);
  if (it->second.to) {
    caf::anon_send(it->second.to, execute{std::move(e)});
  } else {
    it->second.pending.push_back(std::move(e));
    if (fresh)
      caf::anon_send(c.directory, activate{c.namespaces.front().of.number, customer});
  }
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

void simulation::deliver(reply_address to, std::string_view frame) {
  if (to.slot != 0 || to.generation != generation_)
    return;
  auto parsed = wire::parse_server_frame(frame.substr(wire::prefix_bytes));
  ENSURE(parsed.has_value());
  auto& a = std::get<wire::answer>(*parsed);
  const auto request = a.to.request_id;
  // Every command is answered exactly once.
  if (!answers_.emplace(request, std::move(a)).second)
    findings_.push_back("request " + std::to_string(request) + " was answered twice");
}

void simulation::refuse(reply_address to,
                        std::uint64_t request,
                        std::uint32_t index,
                        const refusal& why) {
  if (to.slot == no_session)
    return;
  std::string frame;
  wire::print(frame, {request, index}, why);
  deliver(to, frame);
}

void simulation::opened(const activate& who, customer_actor to) {
  const auto it = routes_.find(who.reference);
  if (it == routes_.end())
    return;
  it->second.to = to;
  it->second.life = who.life;
  for (auto& e : it->second.pending)
    caf::anon_send(to, execute{std::move(e)});
  it->second.pending.clear();
}

void simulation::close(std::vector<activate> who, directory_actor answer_to) {
  if (who.empty())
    for (const auto& [reference, r] : routes_)
      if (r.to)
        who.push_back({engine_->context().namespaces.front().of.number, reference, r.life});
  routes_closed closed;
  for (const auto& w : who) {
    const auto it = routes_.find(w.reference);
    if (it == routes_.end() || !it->second.to || it->second.life != w.life)
      continue;
    routes_.erase(it);
    closed.customers.push_back(w);
  }
  caf::anon_send(answer_to, std::move(closed));
}

void simulation::retire_all() {
  for (int round = 0; round < 2; ++round) {
    caf::anon_send(engine_->context().directory, sweep{});
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
    for (const auto& t : e->transactions)
      if (!ledger::transaction::make(t.code(),
                                     t.direction(),
                                     t.booked_at(),
                                     {t.postings().begin(), t.postings().end()},
                                     replayed.book))
        find("a transaction of unit " + std::to_string(number) + " does not hold");
  }
  if (rows.wakeup != next_due(replayed))
    find("its wake-up is not what its charges and invoices ask for");
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

std::vector<std::string> simulation::verify() const {
  auto findings = findings_;
  for (const auto& [key, rows] : db_.customers)
    verify_customer(key, rows, findings);
  return findings;
}

} // namespace accrue
