// The operator's command line: global options, subcommands, exit codes.
// Each subcommand is in a file of its own under apps/accrue/.
#include "apps/accrue/price.hpp"
#include "apps/accrue/program.hpp"
#include "apps/accrue/quote.hpp"
#include "apps/accrue/rate.hpp"
#include "apps/accrue/simulate.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <exception>

namespace {

namespace cli = accrue::cli;

constexpr auto footer = R"(
Exit codes: 0 done, 1 refused or a check found something, 2 wrong usage, 3 no connection.
docs/cli.md has an example of each command.)";

void add_global_options(CLI::App& app, cli::program& p) {
  app.add_option("--server", p.server.server, "Where accrued listens")
      ->capture_default_str()
      ->envname("ACCRUE_SERVER")
      ->type_name("HOST:PORT")
      ->check([](const std::string& text) {
        const auto where = accrue::client::parse_endpoint(text);
        return where ? std::string() : where.error().text;
      });
  app.add_option("--namespace", p.server.namespace_reference, "Namespace of the customers")
      ->capture_default_str()
      ->envname("ACCRUE_NAMESPACE")
      ->type_name("NAME");
  app.add_option("--key",
                 p.key,
                 "Idempotency key of a command that changes something; "
                 "default: its kind and id")
      ->type_name("KEY");
  app.add_option_function<std::string>(
         "--timeout",
         [&p](const std::string& text) {
           const auto wait = accrue::client::parse_wait(text);
           if (!wait || wait->count() == 0)
             throw CLI::ValidationError("--timeout", "'" + text + "': write 500ms, 10s or 1m.");
           p.server.timeout = *wait;
         },
         "How long to wait for the server; default 10s")
      ->type_name("TIME");
  app.add_flag("--json", p.json, "One JSON document an answer");
  app.set_version_flag("--version", ACCRUE_VERSION);
}

} // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN); // a server that goes away is an error with a text
  cli::program p;
  CLI::App app("Accrue's command line: customers, credit, charges, invoices, payments, the ledger.",
               "accrue");
  app.fallthrough(); // global options may stand behind the subcommand
  app.require_subcommand(1);
  app.footer(footer);
  add_global_options(app, p);
  cli::add_console(app, p);
  cli::add_customer(app, p);
  cli::add_credit(app, p);
  cli::add_credit_history(app, p);
  cli::add_import(app, p);
  cli::add_billing(app, p);
  cli::add_ledger(app, p);
  cli::add_verify(app, p);
  cli::add_simulate(app);
  cli::add_rate(app);
  cli::add_price(app, p);
  cli::add_quote(app, p);
  cli::add_catalog(app, p);
  try {
    app.parse(argc, argv);
    return p.action ? p.action() : cli::exit_done;
  } catch (const CLI::RuntimeError& e) {
    return e.get_exit_code();
  } catch (const CLI::ParseError& e) {
    const auto rest = app.remaining();
    if (e.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError) && !rest.empty()) {
      std::fprintf(
          stderr, "accrue: no command '%s'; `accrue --help` lists them.\n", rest.front().c_str());
      return cli::exit_usage;
    }
    return app.exit(e) == 0 ? cli::exit_done : cli::exit_usage;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "accrue: %s\n", e.what());
    return cli::exit_refused;
  }
}
