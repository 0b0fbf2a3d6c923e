// `status` and `console`: operators' questions, line by line.
// The lines are understood by the server; only quit is ours.
#include "apps/accrue/options.hpp"
#include "apps/accrue/program.hpp"

#include <unistd.h>

#include <cstdio>
#include <iostream>
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
}

} // namespace accrue::cli
