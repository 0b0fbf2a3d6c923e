// The load driver: options, set-up, one run, its figures.
// What is sent, when and how it is counted is under apps/load/.
#include "apps/load/driver.hpp"
#include "apps/load/report.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <sys/prctl.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>

namespace {

namespace load = accrue::load;

constexpr int exit_refused = 1; ///< commands were refused, or answered differently than before
constexpr int exit_usage = 2;
constexpr int exit_no_connection = 3;
constexpr int exit_connection_lost = 4;
constexpr int exit_interrupted = 130;

struct options {
  load::plan plan;
  std::string json_to;
  std::string record;
  bool ids_given = false;
  bool resend = false;
  bool skip_setup = false;
};

CLI::Option* add_time(CLI::App& app,
                      const std::string& name,
                      std::chrono::milliseconds& into,
                      const std::string& help) {
  return app
      .add_option_function<std::string>(
          name,
          [name, &into](const std::string& text) {
            const auto wait = accrue::client::parse_wait(text);
            if (!wait)
              throw CLI::ValidationError(name, "'" + text + "': write 500ms, 10s or 1m.");
            into = *wait;
          },
          help)
      ->type_name("TIME");
}

void add_load_options(CLI::App& app, load::plan& p) {
  app.add_option("--connections", p.connections, "Connections")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000));
  app.add_option("--in-flight", p.in_flight, "Requests in flight on each connection")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  app.add_option("--batch", p.batch, "Commands of one request")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  app.add_option("--customers", p.customers, "Customers, each as likely as the others")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000'000));
  add_time(app, "--duration", p.duration, "How long to measure; default 10s");
  app.add_option("--intervals", p.intervals, "How often that, one after the other in one run")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  add_time(app, "--warmup", p.warm_up, "How long to run before that; default 1s");
  app.add_option_function<std::string>(
         "--kind",
         [&p](const std::string& text) {
           p.kind = text == "balance" ? load::command_kind::balance : load::command_kind::consume;
         },
         "consume (default) or balance")
      ->check(CLI::IsMember({"consume", "balance"}))
      ->type_name("KIND");
  app.add_option("--prefix", p.prefix, "What references and ids begin with")->capture_default_str();
  app.add_option("--amount", p.amount, "Consumed by each command")
      ->capture_default_str()
      ->check([](const std::string& text) {
        const auto amount = accrue::decimal::parse(text);
        return amount ? std::string() : amount.error().text;
      });
  app.add_option("--currency", p.currency, "Of the credit")->capture_default_str();
  app.add_option("--seed", p.seed, "Which command is whose")->capture_default_str();
}

void add_options(CLI::App& app, options& o) {
  auto& p = o.plan;
  p.server.client_name = "accrue-load";
  app.add_option("--server", p.server.server, "Where accrued listens")
      ->capture_default_str()
      ->envname("ACCRUE_SERVER")
      ->type_name("HOST:PORT");
  app.add_option("--namespace", p.server.namespace_reference, "Namespace of the customers")
      ->capture_default_str()
      ->envname("ACCRUE_NAMESPACE");
  add_load_options(app, p);
  auto* ids_from = app.add_option_function<std::uint64_t>(
      "--ids-from",
      [&o](const std::uint64_t& from) {
        o.plan.ids_from = from;
        o.ids_given = true;
      },
      "Fixed ids PREFIX-CONNECTION-COUNTER, the counters from here; default: new ids each run");
  ids_from->type_name("N");
  auto* count = app.add_option_function<std::uint64_t>(
      "--count",
      [&p](const std::uint64_t& n) { p.count = n; },
      "Commands in total, instead of a duration");
  count->type_name("N");
  auto* record = app.add_option("--record",
                                o.record,
                                "Appends each acknowledged command: customer, id, amount, sequence")
                     ->type_name("FILE");
  app.add_flag("--resend",
               o.resend,
               "Sends the fixed ids again: --count of them, or all of the --record of an earlier "
               "run and what was in flight after it; answers are compared with the record")
      ->needs(ids_from);
  app.add_flag("--no-setup", o.skip_setup, "The customers are there and have credit");
  app.add_option("--json", o.json_to, "Writes the figures as a JSON document; - is stdout")
      ->type_name("FILE|-");
  app.set_version_flag("--version", ACCRUE_VERSION);
  app.callback([&o, count, record] {
    if (o.resend && count->empty() && record->empty())
      throw CLI::RequiredError("--resend without --count: the --record of an earlier run");
    if (o.plan.kind == load::command_kind::balance && (o.resend || !o.record.empty()))
      throw CLI::ValidationError("--record, --resend", "only commands that change something.");
  });
}

void add_open_loop_options(CLI::App& app, load::plan& p) {
  auto* rate = app.add_option_function<double>(
                      "--rate",
                      [&p](const double& per_second) { p.rate = per_second; },
                      "Open loop: commands/s in total that are due whatever the server does; "
                      "latency counts from then")
                   ->check(CLI::Range(0.1, 1e8))
                   ->type_name("N");
  for (const char* other : {"--count", "--resend"}) { // both end when all is answered
    rate->excludes(app.get_option(other));
    app.get_option("--intervals")->excludes(app.get_option(other));
  }
  app.add_option_function<std::string>(
         "--arrivals",
         [&p](const std::string& text) {
           p.arrivals_are = text == "even" ? load::spacing::even : load::spacing::poisson;
         },
         "Of the open loop: poisson (default) or even")
      ->needs(rate)
      ->check(CLI::IsMember({"poisson", "even"}))
      ->type_name("KIND");
}

int report(const accrue::client::failure& why, const std::string& server) {
  const auto& no = why.why.reason;
  if (why.origin == accrue::client::failure::origin::connection) {
    std::fprintf(stderr,
                 "accrue-load: no connection to %s: %s. Start the server with `accrued`, or name "
                 "another one with --server HOST:PORT.\n",
                 server.c_str(),
                 no.text.c_str());
    return exit_no_connection;
  }
  std::fprintf(stderr,
               "accrue-load: %s: %s: %s\n",
               std::string(accrue::to_string(no.code)).c_str(),
               no.subject.c_str(),
               no.text.c_str());
  return no.code == accrue::errc::validation ? exit_usage : exit_refused;
}

int write_json(const options& o, const load::outcome& out) {
  const std::string text = load::to_json(o.plan, out, o.resend).dump(2) + "\n";
  if (o.json_to == "-")
    return std::fputs(text.c_str(), stdout) < 0 ? exit_refused : 0;
  std::FILE* file = std::fopen(o.json_to.c_str(), "w");
  if (file == nullptr || std::fputs(text.c_str(), file) < 0 || std::fclose(file) != 0) {
    std::perror(o.json_to.c_str());
    return exit_refused;
  }
  return 0;
}

int exit_code(const load::outcome& out) {
  if (out.ended == load::ended::connection_lost)
    return exit_connection_lost;
  if (out.ended == load::ended::interrupted)
    return exit_interrupted;
  const bool all_well = out.different == 0 && out.unanswered == 0 && out.by_code.empty();
  return all_well ? 0 : exit_refused;
}

int run(options& o) {
  auto& p = o.plan;
  p.ids = o.ids_given ? p.prefix
                      : p.prefix + "-" +
                            std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(
                                               std::chrono::system_clock::now().time_since_epoch())
                                               .count());
  std::FILE* people = o.json_to == "-" ? stderr : stdout;
  std::optional<load::record> earlier;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> record_to(nullptr, std::fclose);
  if (o.resend && !o.record.empty()) {
    auto read = load::record::read(o.record, p);
    if (!read)
      return report(accrue::client::server_failure(read.error()), p.server.server);
    earlier = std::move(*read);
  } else if (!o.record.empty()) {
    record_to.reset(std::fopen(o.record.c_str(), "a"));
    if (!record_to) {
      std::perror(o.record.c_str());
      return exit_usage;
    }
  }
  if (!o.skip_setup) {
    std::fprintf(people, "%u customers with ample credit ...\n", p.customers);
    std::fflush(people);
    if (const auto done = load::set_up(p); !done)
      return report(done.error(), p.server.server);
  }
  load::driver driver(p,
                      earlier ? &*earlier : nullptr,
                      record_to.get(),
                      [people](double elapsed, bool warming, const load::figures& f) {
                        std::fprintf(
                            people, "%s\n", load::progress_line(elapsed, warming, f).c_str());
                        std::fflush(people);
                      });
  const auto out = driver.run();
  if (!out)
    return report(out.error(), p.server.server);
  std::fputs(load::summary(p, *out, earlier.has_value()).c_str(), people);
  if (!o.json_to.empty())
    if (const int failed = write_json(o, *out); failed != 0)
      return failed;
  return exit_code(*out);
}

} // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_TIMERSLACK, 1UL);
  options o;
  CLI::App app(
      "Load on an Accrue server, a closed or an open loop of commands: rates and latencies.",
      "accrue-load");
  add_options(app, o);
  add_open_loop_options(app, o.plan);
  try {
    app.parse(argc, argv);
    return run(o);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : exit_usage;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "accrue-load: %s\n", e.what());
    return exit_refused;
  }
}
