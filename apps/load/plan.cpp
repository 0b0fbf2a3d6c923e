// Reading what an earlier run recorded, and creating the customers that a run works on.
// The commands themselves are sent by driver.cpp.
#include "apps/load/plan.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <thread>

namespace accrue::load {

namespace {

constexpr std::uint32_t customers_at_once = 5000;
constexpr int rounds_max = 100;
/// Enough for any run in any currency.
constexpr std::int64_t ample = 1'000'000'000'000;

struct line {
  std::uint32_t connection = 0;
  std::uint64_t counter = 0;
  std::uint64_t sequence = 0;
};

/// "CUSTOMER ID AMOUNT SEQUENCE", all as the plan has them.
std::optional<line> parse_line(const std::string& text, const plan& p) {
  std::istringstream words(text);
  std::string customer;
  std::string id;
  std::string amount;
  line l;
  char dash = 0;
  if (!(words >> customer >> id >> amount >> l.sequence) || amount != p.amount ||
      !id.starts_with(p.ids + "-"))
    return std::nullopt;
  std::istringstream numbers(id.substr(p.ids.size() + 1));
  if (!(numbers >> l.connection >> dash >> l.counter) || dash != '-' ||
      l.connection >= p.connections || l.counter < p.ids_from ||
      customer != p.customer(p.customer_of(l.connection, l.counter)))
    return std::nullopt;
  return l;
}

std::vector<wire::call> set_up_calls(const plan& p, std::uint32_t from, std::uint32_t to) {
  const decimal credit(ample);
  std::vector<wire::call> calls;
  for (std::uint32_t number = from; number < to; ++number) {
    wire::call call;
    call.customer = p.customer(number);
    call.key = "accrue-load:" + p.currency;
    command::put_customer put;
    put.currency = p.currency;
    call.body = command::any(put);
    calls.push_back(call);
    command::grant_credit grant;
    grant.id = "accrue-load-" + p.currency;
    grant.amount = credit;
    grant.currency = p.currency;
    call.key.clear();
    call.body = command::any(grant);
    calls.push_back(std::move(call));
  }
  return calls;
}

} // namespace

result<record> record::read(const std::string& file, const plan& p) {
  std::ifstream in(file);
  if (!in)
    return refuse(errc::validation, "Cannot be read.", file);
  record r;
  r.first_ = p.ids_from;
  r.sequences_.resize(p.connections);
  for (std::string text; std::getline(in, text);) {
    if (in.eof())
      break; // without its newline it may be cut off
    const auto l = parse_line(text, p);
    if (!l)
      return refuse(errc::validation, "Made with other options: '" + text + "'.", file);
    auto& of_connection = r.sequences_[l->connection];
    of_connection.resize(std::max<std::size_t>(of_connection.size(), l->counter - p.ids_from + 1));
    of_connection[l->counter - p.ids_from] = l->sequence;
    ++r.size_;
  }
  return r;
}

client::outcome<void> set_up(const plan& p) {
  auto server = client::connection::open(p.server);
  if (!server)
    return tl::unexpected(std::move(server.error()));
  for (std::uint32_t from = 0; from < p.customers; from += customers_at_once) {
    auto calls = set_up_calls(p, from, std::min(from + customers_at_once, p.customers));
    for (int round = 0; !calls.empty(); ++round) {
      std::vector<std::size_t> again;
      std::optional<wire::refused> no;
      std::uint32_t wait_ms = 0;
      auto done = server->ask_all(calls, [&](std::size_t i, client::answer_body& answer) {
        auto* refused = std::get_if<wire::refused>(&answer);
        if (refused == nullptr)
          return;
        if (refused->retry.advice != wire::retry_advice::none && round < rounds_max) {
          again.push_back(i);
          wait_ms = std::max(wait_ms, refused->retry.after_ms);
        } else {
          no = std::move(*refused);
        }
      });
      if (!done)
        return done;
      if (no)
        return tl::unexpected(client::failure{client::failure::origin::server, std::move(*no)});
      std::ranges::sort(again);
      std::vector<wire::call> rest;
      for (const auto i : again)
        rest.push_back(std::move(calls[i]));
      calls = std::move(rest);
      if (!calls.empty())
        std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
    }
  }
  return {};
}

} // namespace accrue::load
