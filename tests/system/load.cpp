// What the remembering clients do. See load.hpp.
#include "tests/system/load.hpp"

#include "tests/system/proof.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace accrue::testing {

namespace {

constexpr std::size_t settle_batch = 500;
constexpr auto pause_after_refusal = std::chrono::milliseconds(5);

/// Refusals after which the same command may be sent again.
bool passes(errc code) {
  return code == errc::storage_unavailable || code == errc::deadline_exceeded ||
         code == errc::overloaded || code == errc::not_owner;
}

std::uint64_t next_random(std::uint64_t& state) { // splitmix64: the same commands in every run
  std::uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

} // namespace

remembering_clients::remembering_clients(load_plan plan) : plan_(std::move(plan)) {
  for (std::size_t n = 0; n < plan_.clients; ++n) {
    auto& who = *clients_.emplace_back(std::make_unique<client>());
    who.number = n;
    who.random = n;
  }
}

remembering_clients::~remembering_clients() { finish(); }

void remembering_clients::start(std::uint16_t port) {
  finishing_ = false;
  running_ = clients_.size();
  for (auto& who : clients_)
    threads_.emplace_back([this, it = who.get(), port] {
      try {
        run(*it, port);
      } catch (const connection_over& end) {
        const std::lock_guard lock(mutex_);
        ++ends_[end.what()];
      } catch (const std::exception& e) {
        breach(e.what());
      }
      const std::lock_guard lock(mutex_);
      --running_;
      changed_.notify_all();
    });
}

// The first commands create the client's customers; later ones consume, and sometimes grant.
void remembering_clients::make_command(client& who) {
  const auto n = who.commands.size();
  const auto each = plan_.customers_each;
  const auto which = n < 2 * each ? n % each : next_random(who.random) % each;
  remembered c;
  c.customer = fmt::format("{}-{}-{}", plan_.name, who.number, which);
  const auto id = std::to_string(n);
  if (n < each) {
    c.call = calls::put_customer(c.customer);
  } else if (n < 2 * each) {
    c.call = calls::grant(c.customer, id, "100000");
    c.effect = 10'000'000;
  } else if (n % 20 == 0) {
    c.call = calls::grant(c.customer, id, "1.50");
    c.effect = 150;
  } else {
    c.call = calls::consume(c.customer, id, "0.07");
    c.effect = -7;
  }
  c.call.deadline_ms = plan_.deadline_ms;
  who.commands.push_back(std::move(c));
}

std::size_t remembering_clients::next_command(client& who) {
  if (!who.to_repeat.empty()) {
    const auto place = who.to_repeat.back();
    who.to_repeat.pop_back();
    return place;
  }
  if (who.commands.size() > 100 && next_random(who.random) % 10 == 0)
    return next_random(who.random) % who.commands.size();
  make_command(who);
  return who.commands.size() - 1;
}

void remembering_clients::run(client& who, std::uint16_t port) {
  wire_client connection(port);
  // Customers first, so that nothing else can be refused for want of them.
  while (who.commands.size() < 2 * plan_.customers_each)
    make_command(who);
  for (std::size_t place = 0; place < 2 * plan_.customers_each; ++place)
    while (!who.commands[place].receipt)
      take(who, place, connection.ask(who.commands[place].call));
  who.to_repeat.clear();
  std::map<std::uint64_t, std::size_t> in_flight;
  for (;;) {
    bool finishing = false;
    {
      const std::lock_guard lock(mutex_);
      finishing = finishing_;
    }
    while (!finishing && in_flight.size() < plan_.window) {
      const auto place = next_command(who);
      in_flight.emplace(connection.send(who.commands[place].call), place);
    }
    if (in_flight.empty())
      return;
    const auto answer = connection.next_answer();
    const auto asked = in_flight.find(answer.to.request_id);
    if (asked == in_flight.end())
      throw unexpected_answer("an answer to nothing that was asked");
    take(who, asked->second, answer);
    in_flight.erase(asked);
  }
}

void remembering_clients::take(client& who, std::size_t place, const wire::answer& answer) {
  auto& c = who.commands[place];
  if (const auto* no = std::get_if<wire::refused>(&answer.body)) {
    {
      const std::lock_guard lock(mutex_);
      ++refusals_[no->reason.code];
    }
    if (!passes(no->reason.code))
      breach(fmt::format("{} of {}: {}", place, c.customer, describe(no->reason)));
    who.to_repeat.push_back(place);
    std::this_thread::sleep_for(pause_after_refusal); // as a good client does
    return;
  }
  const auto* given = std::get_if<reply::receipt>(&answer.body);
  if (given == nullptr)
    return breach("an operator's reply");
  if (!c.receipt)
    c.receipt = *given;
  else if (*c.receipt != *given)
    breach(fmt::format("command {} of {} had sequence {} and another reply with {} now",
                       place,
                       c.customer,
                       c.receipt->sequence.value,
                       given->sequence.value));
  const std::lock_guard lock(mutex_);
  ++receipts_;
  changed_.notify_all();
}

void remembering_clients::wait_for_receipts(std::size_t more) {
  std::unique_lock lock(mutex_);
  const auto wanted = receipts_ + more;
  const bool came = changed_.wait_for(
      lock, std::chrono::seconds(30), [&] { return receipts_ >= wanted || running_ == 0; });
  if (!came || receipts_ < wanted)
    throw unexpected_answer(
        fmt::format("{} receipts of {} wanted, {} clients left", receipts_, wanted, running_));
}

void remembering_clients::join() { threads_.clear(); }

void remembering_clients::finish() {
  {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
  }
  join();
}

void remembering_clients::wait_for_end() { join(); }

void remembering_clients::settle(std::uint16_t port) {
  for (auto& who : clients_)
    threads_.emplace_back([this, it = who.get(), port] {
      try {
        settle(*it, port);
      } catch (const std::exception& e) {
        breach(fmt::format("settling: {}", e.what()));
      }
    });
  join();
}

void remembering_clients::settle(client& who, std::uint16_t port) {
  constexpr std::size_t rounds_max = 2000;
  wire_client connection(port);
  std::vector<std::size_t> left(who.commands.size());
  for (std::size_t i = 0; i < left.size(); ++i)
    left[i] = i;
  for (std::size_t round = 0; !left.empty(); ++round) {
    if (round == rounds_max)
      throw unexpected_answer("refused again and again");
    const std::vector<std::size_t> now(
        left.begin(),
        left.begin() + static_cast<std::ptrdiff_t>(std::min(left.size(), settle_batch)));
    left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(now.size()));
    std::vector<wire::call> batch;
    for (const auto place : now)
      batch.push_back(who.commands[place].call);
    who.to_repeat.clear();
    for (const auto& answer : connection.answers(connection.send(batch), batch.size()))
      take(who, now[answer.to.index], answer);
    left.insert(left.begin(), who.to_repeat.begin(), who.to_repeat.end());
  }
  who.to_repeat.clear();
}

void remembering_clients::compare(std::uint16_t port) {
  struct expected {
    std::set<std::uint64_t> sequences;
    std::size_t commands = 0;
    int128 balance = 0;
  };
  std::map<std::string, expected> all;
  for (const auto& who : clients_)
    for (const auto& c : who->commands) {
      auto& e = all[c.customer];
      ++e.commands;
      e.balance += c.effect;
      if (c.receipt)
        e.sequences.insert(c.receipt->sequence.value);
    }
  wire_client connection(port);
  for (const auto& [customer, e] : all) {
    const auto state = state_of(connection, customer);
    if (e.sequences.size() != e.commands || *e.sequences.rbegin() != e.commands)
      breach(fmt::format("{}: {} commands, {} sequences up to {}",
                         customer,
                         e.commands,
                         e.sequences.size(),
                         *e.sequences.rbegin()));
    if (state.sequence.value != e.commands)
      breach(fmt::format(
          "{}: at sequence {} after {} commands", customer, state.sequence.value, e.commands));
    if (settled(state) != e.balance)
      breach(fmt::format("{}: the balance is not that of its commands", customer));
  }
}

std::size_t remembering_clients::receipts() const {
  const std::lock_guard lock(mutex_);
  return receipts_;
}

void remembering_clients::mark() {
  for (auto& who : clients_)
    who->marked = who->commands.size();
}

std::size_t remembering_clients::receipts_after_mark() const {
  std::size_t count = 0;
  for (const auto& who : clients_)
    for (auto place = who->marked; place < who->commands.size(); ++place)
      count += who->commands[place].receipt ? 1 : 0;
  return count;
}

std::size_t remembering_clients::open() const {
  std::size_t count = 0;
  for (const auto& who : clients_)
    count += static_cast<std::size_t>(
        std::ranges::count_if(who->commands, [](const remembered& c) { return !c.receipt; }));
  return count;
}

void remembering_clients::breach(std::string what) {
  const std::lock_guard lock(mutex_);
  breaches_.push_back(std::move(what));
}

std::string remembering_clients::breaches() const {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (std::size_t i = 0; i < breaches_.size() && i < 20; ++i)
    text += breaches_[i] + "\n";
  if (breaches_.size() > 20)
    text += fmt::format("and {} more\n", breaches_.size() - 20);
  return text;
}

} // namespace accrue::testing
