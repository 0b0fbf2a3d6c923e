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

} // namespace

bool remembering_clients::passes(errc code) noexcept {
  return code == errc::storage_unavailable || code == errc::deadline_exceeded ||
         code == errc::overloaded || code == errc::not_owner;
}

remembering_clients::remembering_clients(load_plan plan) : plan_(std::move(plan)) {
  for (std::size_t n = 0; n < plan_.clients; ++n) {
    auto& who = *clients_.emplace_back(std::make_unique<client>());
    who.number = n;
    who.random = n + (plan_.seed << 16);
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
      it->connection.reset();
      --running_;
      changed_.notify_all();
    });
}

void remembering_clients::run(client& who, std::uint16_t port) {
  wire_client fresh(port);
  {
    const std::lock_guard lock(mutex_);
    who.connection.emplace(std::move(fresh));
  }
  auto& connection = *who.connection;
  // Customers first, so that nothing else can be refused for want of them.
  while (who.commands.size() < 2 * plan_.customers_each)
    make_command(who);
  for (std::size_t place = 0; place < 2 * plan_.customers_each; ++place)
    while (!who.commands[place].receipt)
      take(who, place, connection.ask(sends(who.commands[place])));
  who.to_repeat.clear();
  who.step_in_flight = false;
  std::map<std::uint64_t, std::size_t> in_flight;
  for (;;) {
    bool finishing = false;
    {
      const std::lock_guard lock(mutex_);
      finishing = finishing_;
    }
    while (!finishing && in_flight.size() < plan_.window) {
      const auto place = next_command(who);
      who.made = who.commands.size();
      in_flight.emplace(connection.send(sends(who.commands[place])), place);
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

const wire::call& remembering_clients::sends(remembered& command) {
  if (std::exchange(command.sent, true))
    ++sent_again_;
  return command.call;
}

void remembering_clients::take(client& who, std::size_t place, const wire::answer& answer) {
  auto& c = who.commands[place];
  if (const auto* no = std::get_if<wire::refused>(&answer.body))
    return refused(who, place, no->reason);
  const auto* given = std::get_if<reply::receipt>(&answer.body);
  if (given == nullptr)
    return breach("an operator's reply");
  if (c.what == remembered::sort::refused)
    breach(broken_promise::sort::doubled,
           fmt::format("{} of {} was accepted with sequence {} and not refused as {}",
                       place,
                       c.customer,
                       given->sequence.value,
                       to_string(c.expected.front())));
  if (who.open_step == place) {
    who.open_step.reset();
    who.step_in_flight = false;
  }
  if (!c.receipt) {
    c.receipt = *given;
    acknowledged_ += c.what == remembered::sort::read ? 0 : 1;
  } else if (*c.receipt != *given)
    breach(broken_promise::sort::doubled,
           fmt::format("command {} of {} had sequence {} and another reply with {} now",
                       place,
                       c.customer,
                       c.receipt->sequence.value,
                       given->sequence.value));
  const std::lock_guard lock(mutex_);
  ++receipts_;
  changed_.notify_all();
}

void remembering_clients::refused(client& who, std::size_t place, const refusal& why) {
  auto& c = who.commands[place];
  if (c.what == remembered::sort::refused && std::ranges::count(c.expected, why.code) != 0) {
    c.told = why.code;
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    ++refusals_[why.code];
  }
  const bool later = passes(why.code);
  if (c.what == remembered::sort::step) {
    who.step_in_flight = false; // its turn comes again
    if (all_steps_) {
      who.to_repeat.push_back(place);
      std::this_thread::sleep_for(pause_after_refusal);
    }
  } else if (!later)
    breach(fmt::format("{} of {}: {}", place, c.customer, describe(why)));
  else if (c.what == remembered::sort::booked)
    who.to_repeat.push_back(place);
  if (later)
    std::this_thread::sleep_for(pause_after_refusal); // as a good client does
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

void remembering_clients::abandon() {
  {
    const std::lock_guard lock(mutex_);
    for (auto& who : clients_)
      if (who->connection)
        who->connection->shut_down();
  }
  join();
}

void remembering_clients::settle(std::uint16_t port, scope which) {
  all_steps_ = which == scope::all;
  for (auto& who : clients_)
    threads_.emplace_back([this, it = who.get(), port, which] {
      try {
        settle(*it, port, which);
      } catch (const std::exception& e) {
        breach(fmt::format("settling: {}", e.what()));
      }
    });
  join();
  all_steps_ = false;
}

void remembering_clients::settle(client& who, std::uint16_t port, scope which) {
  constexpr std::size_t rounds_max = 2000;
  wire_client connection(port);
  std::vector<std::size_t> left;
  for (auto i = which == scope::all ? 0 : who.settled; i < who.commands.size(); ++i)
    if (const auto& c = who.commands[i];
        c.what == remembered::sort::booked || (c.what == remembered::sort::step && c.receipt))
      left.push_back(i);
  // In doubt, or refused so far: either will do.
  if (who.open_step)
    left.push_back(*who.open_step);
  for (std::size_t round = 0; !left.empty(); ++round) {
    if (round == rounds_max)
      throw unexpected_answer("refused again and again");
    const std::vector<std::size_t> now(
        left.begin(),
        left.begin() + static_cast<std::ptrdiff_t>(std::min(left.size(), settle_batch)));
    left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(now.size()));
    std::vector<wire::call> batch;
    for (const auto place : now)
      batch.push_back(sends(who.commands[place]));
    who.to_repeat.clear();
    for (const auto& answer : connection.answers(connection.send(batch), batch.size()))
      take(who, now[answer.to.index], answer);
    left.insert(left.begin(), who.to_repeat.begin(), who.to_repeat.end());
  }
  who.to_repeat.clear();
  who.step_in_flight = false;
  who.settled = who.commands.size();
}

void remembering_clients::compare(std::uint16_t port) {
  using sort = broken_promise::sort;
  struct expected {
    std::set<std::uint64_t> sequences;
    std::size_t commands = 0;
    int128 balance = 0;
  };
  std::map<std::string, expected> all;
  for (const auto& who : clients_)
    for (const auto& c : who->commands) {
      if (c.what != remembered::sort::booked)
        continue;
      auto& e = all[c.customer];
      ++e.commands;
      e.balance += c.effect;
      if (c.receipt)
        e.sequences.insert(c.receipt->sequence.value);
    }
  wire_client connection(port);
  for (const auto& [customer, e] : all) {
    const auto state = state_of(connection, customer);
    const auto all_given = e.sequences.size() == e.commands;
    if (!all_given || *e.sequences.rbegin() != e.commands)
      breach(all_given ? sort::doubled : sort::other,
             fmt::format("{}: {} commands, {} sequences up to {}",
                         customer,
                         e.commands,
                         e.sequences.size(),
                         e.sequences.empty() ? 0 : *e.sequences.rbegin()));
    if (state.sequence.value != e.commands)
      breach(
          state.sequence.value < e.commands ? sort::lost : sort::doubled,
          fmt::format(
              "{}: at sequence {} after {} commands", customer, state.sequence.value, e.commands));
    if (settled(state) != e.balance)
      breach(sort::untrue, fmt::format("{}: the balance is not that of its commands", customer));
  }
}

std::size_t remembering_clients::receipts() const {
  const std::lock_guard lock(mutex_);
  return receipts_;
}

void remembering_clients::mark() {
  for (auto& who : clients_)
    who->marked = who->made;
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
    count += static_cast<std::size_t>(std::ranges::count_if(who->commands, [](const remembered& c) {
      return c.what == remembered::sort::booked && !c.receipt;
    }));
  return count;
}

std::vector<const remembered_command*> remembering_clients::commands() const {
  std::vector<const remembered_command*> all;
  for (const auto& who : clients_)
    for (const auto& c : who->commands)
      all.push_back(&c);
  return all;
}

std::size_t remembering_clients::connections_lost() const {
  const std::lock_guard lock(mutex_);
  std::size_t sum = 0;
  for (const auto& [how, count] : ends_)
    sum += count;
  return sum;
}

void remembering_clients::breach(broken_promise::sort what, std::string text) {
  const std::lock_guard lock(mutex_);
  breaches_.push_back({what, std::move(text)});
}

std::string remembering_clients::breaches() const {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (std::size_t i = 0; i < breaches_.size() && i < 20; ++i)
    text += breaches_[i].text + "\n";
  if (breaches_.size() > 20)
    text += fmt::format("and {} more\n", breaches_.size() - 20);
  return text;
}

} // namespace accrue::testing
