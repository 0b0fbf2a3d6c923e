// The server: reads its configuration, wires the parts from top to bottom, runs until it is told to stop,
// and takes them down in order. No logic of its own.
#include "actors/engine.hpp"
#include "actors/gateway.hpp"
#include "apps/accrued/cluster_watch.hpp"
#include "apps/accrued/outbox_file.hpp"
#include "persistence/crash_point.hpp"
#include "persistence/pg_store.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <span>

namespace {

using namespace accrue;

constexpr std::uint32_t recognize_every_hours_max = 8784; // a year

struct configuration {
  std::string file;
  std::string data_dir;
  std::string database_url;
  std::string listen = "127.0.0.1:7117";
  std::vector<std::string> spaces{"default"};
  std::int16_t lanes = 1;
  unsigned threads = 1;
  std::int64_t lease_ms = 5000;
  std::int64_t hello_timeout_ms = 5000;
  std::int64_t frame_timeout_ms = 30000;
  std::uint32_t recognize_every_hours = 24;
  std::int64_t sweep_ms = 10000;
  std::size_t connections_max = 4096;
  std::size_t in_flight_max = 8192;
  std::uint32_t connection_in_flight_max = 4096;
  std::int64_t queue_target_ms = 2;
  std::size_t buffers_mib = 256;
  bool take_over = false;
  std::string crash_at;
  std::string log_level = "info";
  std::string throw_in;
};

class system_time final : public time_source {
public:
  instant now() override {
    const auto t = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(t).count()};
  }
};

std::string default_data_dir() {
  if (const char* given = std::getenv("ACCRUE_DATA_DIR"))
    return given;
  return "accrue-data";
}

// What the configuration file says of what the command line leaves open. Throws like its parser.
void read_file(const CLI::App& app, configuration& c) {
  const auto file = toml::parse_file(c.file);
  const auto take = [&](const char* name, auto& into) {
    if (app.count("--" + std::string(name)) > 0)
      return;
    if (const auto v = file[name].value<std::remove_reference_t<decltype(into)>>())
      into = *v;
  };
  for (const auto& [key, value] : file) {
    const std::string name(key.str());
    if (app.get_option_no_throw("--" + name) == nullptr)
      throw CLI::ValidationError(c.file, "unknown setting '" + name + "'");
  }
  take("data-dir", c.data_dir);
  take("database-url", c.database_url);
  take("listen", c.listen);
  take("lanes", c.lanes);
  take("threads", c.threads);
  take("lease-ms", c.lease_ms);
  take("hello-timeout-ms", c.hello_timeout_ms);
  take("frame-timeout-ms", c.frame_timeout_ms);
  take("sweep-ms", c.sweep_ms);
  take("recognize-every-hours", c.recognize_every_hours);
  if (c.recognize_every_hours > recognize_every_hours_max)
    throw CLI::ValidationError(c.file, "recognize-every-hours must be 0 to 8784");
  take("connections-max", c.connections_max);
  take("in-flight-max", c.in_flight_max);
  take("connection-in-flight-max", c.connection_in_flight_max);
  take("queue-target-ms", c.queue_target_ms);
  take("buffers-mib", c.buffers_mib);
  take("log-level", c.log_level);
  if (const auto* names = file["space"].as_array(); names && app.count("--space") == 0) {
    c.spaces.clear();
    for (const auto& n : *names)
      c.spaces.push_back(n.value_or(std::string()));
  }
}

// What bounds the connections and what is held for them.
void offer_limits(CLI::App& app, configuration& c) {
  app.add_option("--hello-timeout-ms",
                 c.hello_timeout_ms,
                 "a connection that says no hello for so long is closed")
      ->check(CLI::Range(50, 600000))
      ->capture_default_str();
  app.add_option(
         "--frame-timeout-ms", c.frame_timeout_ms, "how long a begun frame may take to be whole")
      ->check(CLI::Range(50, 600000))
      ->capture_default_str();
  app.add_option("--recognize-every-hours",
                 c.recognize_every_hours,
                 "customers turn accrued value into earnings once in so many hours, each at its "
                 "own; 0: by command only")
      ->check(CLI::Range(0U, recognize_every_hours_max))
      ->capture_default_str();
  app.add_option("--sweep-ms", c.sweep_ms, "a customer unused for up to twice this is let go")
      ->check(CLI::Range(50, 86400000))
      ->capture_default_str();
  app.add_option("--connections-max",
                 c.connections_max,
                 "connections; more are told 'overloaded' and closed")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app.add_option("--in-flight-max",
                 c.in_flight_max,
                 "commands of all connections without an answer; more are told 'overloaded'")
      ->check(CLI::Range(16, 1000000))
      ->capture_default_str();
  app.add_option(
         "--connection-in-flight-max", c.connection_in_flight_max, "the same, of one connection")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app.add_option("--queue-target-ms",
                 c.queue_target_ms,
                 "once commands queue for longer than a burst, only so many are accepted as are "
                 "answered in this time beside that of one commit")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--buffers-mib",
                 c.buffers_mib,
                 "memory for unread requests and unsent replies of all connections; above, the one "
                 "that holds most is cut")
      ->check(CLI::Range(8, 1048576))
      ->capture_default_str();
}

// Command line over configuration file over defaults.
std::optional<int> read_configuration(int argc, char** argv, configuration& c) {
  CLI::App app(
      "accrued: the billing engine's server. Without --database-url it creates and runs a private "
      "PostgreSQL in its data directory.");
  app.set_version_flag("--version", ACCRUE_VERSION);
  app.add_option("--config", c.file, "TOML file with the same names as the options")
      ->check(CLI::ExistingFile);
  app.add_option(
      "--data-dir", c.data_dir, "where the private database and the outbox live [accrue-data]");
  app.add_option("--database-url", c.database_url, "use this PostgreSQL instead of a private one");
  app.add_option("--listen", c.listen, "address and port to serve")->capture_default_str();
  app.add_option("--space", c.spaces, "namespaces to serve; created where they are new")
      ->capture_default_str();
  app.add_option("--lanes", c.lanes, "database connections that write")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--threads", c.threads, "threads for the actors")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--lease-ms", c.lease_ms, "how long this server owns its shards without renewing")
      ->check(CLI::Range(500, 600000))
      ->capture_default_str();
  offer_limits(app, c);
  app.add_flag(
      "--take-over", c.take_over, "do not wait for the lease of a server that is known to be dead");
  app.add_option("--throw-in",
                 c.throw_in,
                 "this customer's first decision meets a defect: for tests of quarantine")
      ->group("For tests only");
  app.add_option("--log-level", c.log_level, "trace, debug, info, warning, error")
      ->capture_default_str();
  // For tests (persistence/crash_point.hpp), hence not in the help: NAME[:N] kills the server at the
  // N-th pass of a named point.
  app.add_option("--crash-at", c.crash_at)->group("");
  try {
    app.parse(argc, argv);
    if (!c.file.empty())
      read_file(app, c);
    return std::nullopt;
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  } catch (const toml::parse_error& e) {
    std::cerr << c.file << ":" << e.source().begin.line << ": " << e.description() << "\n";
    return 2;
  }
}

/// Files that this process has open beside connections: database, logs, outbox, listener, and some to spare.
constexpr std::size_t files_kept = 64;

/// Raises the limit on open files to what the system allows; how many connections that is enough for.
std::size_t connections_possible() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0)
    return SIZE_MAX;
  files.rlim_cur = files.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &files);
  (void)::getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur == RLIM_INFINITY)
    return SIZE_MAX;
  // Those above the limit need a file as well, to be told so.
  const auto kept = files_kept + gateway_options::farewells_max;
  return files.rlim_cur > 2 * kept ? files.rlim_cur - kept
                                   : std::max<std::size_t>(files.rlim_cur / 2, 1);
}

result<gateway_options> listen_options(const configuration& c) {
  gateway_options o;
  const auto colon = c.listen.rfind(':');
  char* end = nullptr;
  const auto port =
      colon == std::string::npos ? -1 : std::strtol(c.listen.c_str() + colon + 1, &end, 10);
  if (port < 0 || port > 65535 || end == nullptr || *end != '\0')
    return refuse(errc::validation, "--listen takes ADDRESS:PORT", c.listen);
  o.address = c.listen.substr(0, colon);
  o.port = static_cast<std::uint16_t>(port);
  o.hello_timeout = std::chrono::milliseconds(c.hello_timeout_ms);
  o.frame_timeout = std::chrono::milliseconds(c.frame_timeout_ms);
  o.admission = {c.in_flight_max, std::chrono::milliseconds(c.queue_target_ms)};
  o.limits.in_flight_max = c.connection_in_flight_max;
  o.buffers_max = c.buffers_mib << 20;
  o.connections_max = c.connections_max;
  if (const auto possible = connections_possible(); possible < o.connections_max) {
    spdlog::warn("only {} connections are possible, not {}: the limit on open files is too low",
                 possible,
                 o.connections_max);
    o.connections_max = possible;
  }
  return o;
}

int fail(const refusal& why) {
  std::fprintf(stderr,
               "accrued: %s%s%s\n",
               why.subject.c_str(),
               why.subject.empty() ? "" : ": ",
               why.text.c_str());
  return 1;
}

struct shutdown {
  boost::asio::io_context& io;
  gateway& door;
  pg_store& store;
  bool begun = false;

  void begin(const std::string& why) {
    if (std::exchange(begun, true)) {
      spdlog::warn("stopping at once");
      std::_Exit(130);
    }
    spdlog::info("stopping ({}): {} connections, {} commands in flight",
                 why,
                 door.connections(),
                 door.in_flight());
    door.drain(std::chrono::seconds(10), [this](std::size_t cut, std::size_t unanswered) {
      if (cut != 0)
        spdlog::warn(
            "{} connections were cut, {} commands were left without an answer", cut, unanswered);
      pass(crash_point::stop_begun);
      store.stop([this] { io.stop(); });
    });
  }
};

// NOLINTNEXTLINE(readability-function-size): the composition root, wired by hand from top to bottom
int run(const configuration& c) {
  if (!c.crash_at.empty())
    if (auto ok = arm_crash_point(c.crash_at); !ok)
      return fail(ok.error());
  auto listening = listen_options(c);
  if (!listening)
    return fail(listening.error());
  const std::filesystem::path data = c.data_dir.empty() ? default_data_dir() : c.data_dir;
  std::optional<cluster_watch> cluster;
  pg_store_options storing;
  storing.conninfo = c.database_url;
  storing.lanes = c.lanes;
  storing.lease = std::chrono::milliseconds(c.lease_ms);
  storing.owner = "accrued " + std::to_string(::getpid());
  storing.take_over = c.take_over;
  std::error_code ignored;
  std::filesystem::create_directories(data, ignored);
  boost::asio::io_context io(1);
  boost::asio::signal_set signals(io);
  const auto take_signals = [&] {
    boost::system::error_code none;
    signals.add(SIGINT, none);
    signals.add(SIGTERM, none);
  };
  if (c.database_url.empty()) {
    take_signals(); // from here on the end is an orderly one, or PostgreSQL would stay behind
    cluster_settings settings;
    settings.directory = data;
    auto started = embedded_cluster::start(settings);
    if (!started)
      return fail(started.error());
    storing.conninfo = started->conninfo();
    cluster.emplace(std::move(*started));
    pass(crash_point::cluster_ready);
    storing.take_over = true; // the directory's lock says that its last owner is gone
  }

  system_time time;
  gateway door(io, time, std::move(*listening));
  if (auto ok = door.listen(); !ok)
    return fail(ok.error());

  caf::actor_system_config settings;
  settings.set("scheduler.policy", caf::atom("sharing"));
  settings.set("scheduler.max-threads", c.threads);
  caf::actor_system system(settings);

  auto writer = std::make_shared<ledger_writer_actor>();
  auto events = engine::events_for(writer);
  if (cluster)
    events.held_up = [&](int backend) { cluster->kill_backend(backend); };
  auto store = pg_store::open(io, storing, door, events, [&] { return time.now(); });
  if (!store)
    return fail(store.error());
  outbox_file outbox(data / "outbox.jsonl");

  shutdown down{io, door, **store};
  engine_parts parts;
  parts.store = store->get();
  parts.replies = &door;
  parts.time = &time;
  parts.routes = &door;
  fail_points failures; // the point is one customer's: no two actor threads count it
  if (!c.throw_in.empty()) {
    spdlog::warn("for tests: the first decision of customer {} will fail", c.throw_in);
    failures.left["decide:" + c.throw_in] = 1;
    parts.failures = &failures;
  }
  parts.limits.sweep_ns = c.sweep_ms * 1'000'000;
  parts.limits.recognize_every_hours = c.recognize_every_hours;
  parts.namespaces = c.spaces;
  parts.deliver = [&](std::span<const waiting_message> messages) {
    return outbox.deliver(messages);
  };
  if (cluster)
    parts.database_status = [&] { return cluster->status(); };
  parts.stop_process = [](const std::string& why) {
    spdlog::critical("{}: the process ends; what was acknowledged is in the store", why);
    spdlog::shutdown();
    std::_Exit(3);
  };
  (*store)->start();
  auto running = engine::start(system, std::move(parts));
  if (!running)
    return fail(running.error());
  *writer = (*running)->context().writer;
  door.serve((*running)->context());

  if (!cluster)
    take_signals();
  std::function<void()> wait_for_signal = [&] {
    signals.async_wait([&](const boost::system::error_code& error, int number) {
      if (error)
        return;
      down.begin(number == SIGINT ? "interrupted" : "terminated");
      wait_for_signal();
    });
  };
  wait_for_signal();
  spdlog::info("at most {} connections and {} commands in flight",
               door.options().connections_max,
               door.options().admission.in_flight_max);
  spdlog::info("accrued {} serves {} on {}:{}",
               ACCRUE_VERSION,
               fmt::join(c.spaces, ", "),
               c.listen.substr(0, c.listen.rfind(':')),
               door.port());
  ::prctl(PR_SET_TIMERSLACK, 1);
  io.run();
  pass(crash_point::lease_returned);

  std::uint64_t units = 0;
  for (const auto* l : (*store)->lanes())
    units += l->counts().units;
  (*running)->stop();
  door.forget_actors();
  *writer = ledger_writer_actor{};
  system.await_all_actors_done();
  spdlog::info("stopped: {} units of work committed since the start", units);
  store->reset();
  if (cluster)
    if (auto ok = cluster->stop(); !ok)
      return fail(ok.error());
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  configuration c;
  if (const auto status = read_configuration(argc, argv, c))
    return *status;
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
  spdlog::set_level(spdlog::level::from_str(c.log_level));
  return run(c);
}
