// Asking the server once and printing what comes back, to the right stream with the right exit code.
#include "apps/accrue/program.hpp"

#include "apps/accrue/text.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <random>

namespace accrue::cli {

namespace {

void print(std::FILE* to, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), to);
  std::fflush(to);
}

} // namespace

void show(const nlohmann::json& document) {
  // References are checked text, but a server may be of another kind.
  print(stdout, document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void show(const program& p, const client::answer_body& answer, std::string_view customer) {
  if (p.json)
    show(to_json(answer));
  else
    print(stdout, to_text(answer, customer));
}

int report(const program& p, const client::failure& why, const std::string& repeat) {
  const auto& [no, retry] = why.why;
  std::string again;
  if (!repeat.empty() && retry.advice != wire::retry_advice::none)
    again = " Repeat it with " + repeat + ".";
  if (why.origin == client::failure::origin::connection) {
    print(stderr,
          "accrue: no connection to " + p.server.server + ": " + no.text +
              ". Start the server with `accrued`, or name another one with --server "
              "HOST:PORT." +
              again + "\n");
    return exit_no_connection;
  }
  print(stderr, "accrue: " + to_text(why.why) + again + "\n");
  if (p.json)
    show(to_json(why.why));
  return exit_refused;
}

int run(const program& p, wire::call what, const std::string& generated_id) {
  const auto* c = std::get_if<command::any>(&what.body);
  const bool changes = c != nullptr && !command::is_query(*c);
  if (!p.key.empty() && !changes) {
    print(stderr, "accrue: --key is for commands that change something.\n");
    return exit_usage;
  }
  what.key = p.key;
  std::string repeat = generated_id.empty() ? "" : "--id " + generated_id;
  if (changes && what.key.empty() && command::given_id(*c).empty()) {
    what.key = new_id(); // nothing else makes a repetition known as one
    repeat = "--key " + what.key;
  }
  auto server = client::connection::open(p.server);
  if (!server)
    return report(p, server.error()); // nothing was sent
  const auto answer = server->ask(what);
  if (!answer)
    return report(p, answer.error(), repeat);
  show(p, *answer, what.customer);
  return exit_done;
}

int run(const program& p,
        std::string customer,
        command::any what,
        const std::string& generated_id) {
  wire::call call;
  call.customer = std::move(customer);
  call.body = std::move(what);
  return run(p, std::move(call), generated_id);
}

std::string new_id() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  std::random_device entropy;
  const std::uint64_t chance = std::uint64_t{entropy()} << 32 | entropy();
  std::array<char, 32> text{};
  const int count = std::snprintf(text.data(),
                                  text.size(),
                                  "%012llx%012llx",
                                  static_cast<unsigned long long>(ms & 0xFFFF'FFFF'FFFF),
                                  static_cast<unsigned long long>(chance & 0xFFFF'FFFF'FFFF));
  return {text.data(), static_cast<std::size_t>(count)};
}

client::outcome<wire::customers> list_customers(client::connection& server) {
  wire::customers all;
  for (;;) {
    wire::list_customers page;
    page.limit = wire::list_customers::limit_max;
    if (!all.items.empty())
      page.after = all.items.back().reference;
    wire::call call;
    call.body = wire::operator_command(page);
    auto answer = server.ask(call);
    if (!answer)
      return tl::unexpected(std::move(answer.error()));
    auto* reply = std::get_if<wire::operator_reply>(&*answer);
    auto* some = reply == nullptr ? nullptr : std::get_if<wire::customers>(reply);
    if (some == nullptr)
      return tl::unexpected(client::server_failure(
          {errc::internal, "list_customers", "The server answered something else."}));
    all.items.insert(all.items.end(), some->items.begin(), some->items.end());
    if (some->items.size() < page.limit)
      return all;
  }
}

} // namespace accrue::cli
