// What a remembering client does next: every command of a load is made here. See load.hpp.
#include "tests/system/load.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace accrue::testing {

namespace {

std::uint64_t next_random(std::uint64_t& state) { // splitmix64: the same commands in every run
  std::uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/// The customer of a client that has charges and invoices.
std::string story_of(const std::string& name, std::size_t client) {
  return fmt::format("{}-{}-story", name, client);
}

/// A charge of a month that is over, due at once.
command::create_charge flat_fee_of(const std::string& id, bool from_credit) {
  const auto at = [](const char* text) { return parse_instant(text).value(); };
  command::create_charge c;
  c.id = id;
  c.mode = from_credit ? settlement_mode::credit_only : settlement_mode::credit_then_invoice;
  c.amount = decimal::parse("5.01").value();
  c.currency = "USD";
  c.service_period = {at("2024-03-01T00:00:00Z"), at("2024-04-01T00:00:00Z")};
  return c;
}

} // namespace

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

void remembering_clients::make_read(client& who) {
  // The one with the charges is asked about once it exists.
  const auto which = next_random(who.random) % (plan_.customers_each + (who.steps > 1 ? 1 : 0));
  remembered c;
  c.what = remembered::sort::read;
  c.customer = which == plan_.customers_each
                   ? story_of(plan_.name, who.number)
                   : fmt::format("{}-{}-{}", plan_.name, who.number, which);
  c.call = calls::get_balance(c.customer);
  c.call.deadline_ms = plan_.deadline_ms;
  who.commands.push_back(std::move(c));
}

// More than there is; a currency there is none of; another content under a key that was acknowledged, or
// under one whose unit is on its way: a conflict then says that it is there, so it has to be.
void remembering_clients::make_refused(client& who) {
  const auto back = std::min<std::size_t>(who.commands.size(), plan_.window);
  const bool recent = next_random(who.random) % 2 == 0;
  const auto& old = recent ? who.commands[who.commands.size() - 1 - next_random(who.random) % back]
                           : who.commands[next_random(who.random) % who.commands.size()];
  const auto* spent = std::get_if<command::any>(&old.call.body);
  const auto* taken = spent != nullptr ? std::get_if<command::consume>(spent) : nullptr;
  remembered c;
  c.what = remembered::sort::refused;
  const auto id = fmt::format("no-{}", who.commands.size());
  c.customer = fmt::format("{}-{}-0", plan_.name, who.number);
  if (taken != nullptr && old.what == remembered::sort::booked) {
    c.customer = old.customer;
    c.call = calls::consume(c.customer, taken->id, old.receipt ? "0.08" : "1000000000");
    c.expected = {errc::idempotency_conflict};
    if (!old.receipt)
      c.expected.push_back(errc::insufficient_funds); // the first one was refused for now
  } else if (next_random(who.random) % 2 == 0) {
    c.call = calls::consume(c.customer, id, "1000000000");
    c.expected = {errc::insufficient_funds};
  } else {
    c.call = calls::grant(c.customer, id, "1", "NONE");
    c.expected = {errc::validation};
  }
  c.call.deadline_ms = plan_.deadline_ms;
  who.commands.push_back(std::move(c));
}

// A customer's charges, one after the other, a step only when the one before has its receipt: one that
// the scheduler invoices and that is then paid, one that is paid from credit.
std::size_t remembering_clients::next_step(client& who) {
  who.step_in_flight = true;
  if (who.open_step)
    return *who.open_step;
  const auto n = who.steps++;
  remembered c;
  c.what = remembered::sort::step;
  c.customer = story_of(plan_.name, who.number);
  const auto place = [&](command::any body, std::string key = {}) {
    c.call.customer = c.customer;
    c.call.key = std::move(key);
    c.call.body = std::move(body);
  };
  if (n == 0) {
    c.call = calls::put_customer(c.customer);
  } else if (n == 1) {
    c.call = calls::grant(c.customer, "start", "3.50");
  } else {
    const auto round = (n - 2) / 4;
    const auto id = fmt::format("charge-{}", (n - 2) / 2);
    const bool from_credit = (n - 2) % 4 >= 2;
    if ((n - 2) % 2 == 0)
      place(flat_fee_of(id, from_credit));
    else if (from_credit)
      place(command::advance_charge{id}, "advance-" + id);
    else
      place(command::pay_invoice{fmt::format("#{}", round + 1)}, "pay-" + id);
  }
  c.call.deadline_ms = plan_.deadline_ms;
  who.commands.push_back(std::move(c));
  who.open_step = who.commands.size() - 1;
  return *who.open_step;
}

std::size_t remembering_clients::next_command(client& who) {
  if (!who.to_repeat.empty()) {
    const auto place = who.to_repeat.back();
    who.to_repeat.pop_back();
    return place;
  }
  if (plan_.everything) {
    const auto dice = next_random(who.random) % 100;
    if (dice < 10 && !who.step_in_flight)
      return next_step(who);
    if (dice < 20)
      make_read(who);
    else if (dice < 25)
      make_refused(who);
    if (dice >= 10 && dice < 25)
      return who.commands.size() - 1;
  }
  if (who.commands.size() > 100 && next_random(who.random) % 10 == 0)
    if (const auto old = next_random(who.random) % who.commands.size();
        who.commands[old].what == remembered::sort::booked)
      return old;
  make_command(who);
  return who.commands.size() - 1;
}

} // namespace accrue::testing
