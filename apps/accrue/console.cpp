// `status`, `console` and `quarantine`: operators' questions and commands.
// The lines are understood by the server; only quit is ours.
#include "apps/accrue/options.hpp"
#include "apps/accrue/program.hpp"

#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

namespace accrue::cli {

namespace {

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = line.find_first_not_of(blanks);
  if (first == std::string_view::npos)
    return {};
  return line.substr(first, line.find_last_not_of(blanks) - first + 1);
}

wire::call console_call(std::string_view line) {
  wire::call call;
  call.body = wire::operator_command(wire::console_line{std::string(line)});
  return call;
}

/// Until the end of the input or `quit`. A refused line is told and does not end it; its exit code
/// does not get lost where nobody watches.
int run_console(const program& p) {
  auto server = client::connection::open(p.server);
  if (!server)
    return report(p, server.error());
  const bool watched = isatty(STDIN_FILENO) != 0;
  if (watched)
    std::printf("%s, namespace %s. `help` lists the commands, `quit` leaves.\n",
                server->welcome().server_name.c_str(),
                p.server.namespace_reference.c_str());
  int code = exit_done;
  for (std::string input;;) {
    if (watched) {
      std::fputs("accrue> ", stdout);
      std::fflush(stdout);
    }
    if (!std::getline(std::cin, input)) {
      if (watched)
        std::fputs("\n", stdout);
      return code;
    }
    const auto line = trimmed(input);
    if (line.empty())
      continue;
    if (line == "quit" || line == "exit")
      return code;
    const auto answer = server->ask(console_call(line));
    if (answer) {
      show(p, *answer, {});
      continue;
    }
    const int told = report(p, answer.error());
    if (told == exit_no_connection)
      return told;
    if (!watched)
      code = told;
  }
}

void add_quarantine(CLI::App& app, program& p) {
  auto* quarantine =
      app.add_subcommand("quarantine", "Customers that may not write")->require_subcommand(1);
  quarantine->add_subcommand("list", "Who, since when and why, longest first")->callback([&p] {
    p.action = [&p] {
      wire::call call;
      call.body = wire::operator_command(wire::list_quarantine{wire::list_customers::limit_max});
      return run(p, std::move(call));
    };
  });
  auto* lift = quarantine->add_subcommand("lift", "Loads a customer again and lets it write");
  auto what = std::make_shared<wire::lift_quarantine>();
  auto catalog = std::make_shared<bool>(false);
  auto* whom = lift->add_option("customer", what->customer, "Reference of the customer");
  auto* space = lift->add_flag("--catalog", *catalog, "The namespace itself instead of a customer");
  whom->excludes(space);
  lift->add_option("--reason", what->reason, "Why, for the server's log");
  lift->callback([&p, what, catalog] {
    if (what->customer.empty() != *catalog)
      throw CLI::ValidationError("lift", "name a customer, or give --catalog");
    p.action = [&p, what] {
      wire::call call;
      call.body = wire::operator_command(*what);
      return run(p, std::move(call));
    };
  });
}

} // namespace

void add_console(CLI::App& app, program& p) {
  app.add_subcommand("status", "What the server is doing")->callback([&p] {
    p.action = [&p] {
      wire::call call;
      call.body = wire::operator_command(wire::get_status{});
      return run(p, std::move(call));
    };
  });
  app.add_subcommand("console", "A session with the server, line by line")->callback([&p] {
    p.action = [&p] { return run_console(p); };
  });
  add_quarantine(app, p);
}

} // namespace accrue::cli
