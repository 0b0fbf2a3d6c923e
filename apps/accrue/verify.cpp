// `verify`: proves the database from its rows, and compares what a running engine says with them.
// The proofs are persistence's; here they are asked for and their findings shown.
#include "persistence/verify.hpp"

#include "apps/accrue/comparison.hpp"
#include "apps/accrue/database.hpp"
#include "apps/accrue/options.hpp"
#include "apps/accrue/program.hpp"
#include "apps/accrue/table.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>
#include <memory>

namespace accrue::cli {

namespace {

using nlohmann::json;

constexpr std::size_t findings_max = 100;

struct verify_arguments {
  database_place place;
  bool offline = false;
};

instant now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(since).count()};
}

/// The engine that answers, and the customers it had before the journal was read: those of them that
/// are not in the journal then are a finding.
struct engine_side {
  client::connection connection;
  wire::customers customers;
};

json json_of(const verification& v) {
  json findings = json::array();
  for (const auto& f : v.findings)
    findings.push_back({{"what", to_string(f.what)}, {"where", f.where}, {"text", f.text}});
  return {{"customers", v.customers},
          {"units", v.units},
          {"transactions", v.transactions},
          {"postings", v.postings},
          {"batches", v.batches},
          {"found", v.found},
          {"findings", std::move(findings)}};
}

json json_of(const comparison& c) {
  json differences = json::array();
  for (const auto& d : c.differences)
    differences.push_back({{"customer", d.customer}, {"text", d.text}});
  return {{"customers", c.customers},
          {"agree", c.agree},
          {"moved", c.moved},
          {"unproved", c.unproved},
          {"found", c.found},
          {"differences", std::move(differences)}};
}

std::string engine_summary(const comparison& c) {
  std::string out = std::to_string(c.customers) +
                    (c.customers == 1 ? " customer asked about: " : " customers asked about: ") +
                    std::to_string(c.agree) + " as in the journal";
  if (c.moved != 0)
    out += ", " + std::to_string(c.moved) + " moved on meanwhile";
  if (c.unproved != 0)
    out += ", " + std::to_string(c.unproved) + " without a proved journal";
  return out + ", " + std::to_string(c.found) + " differ";
}

void show_outcome(const program& p,
                  const verification& v,
                  const std::optional<comparison>& engine,
                  const std::string& why_not) {
  const bool clean = v.clean() && (!engine || engine->found == 0);
  if (p.json) {
    show(json{{"clean", clean},
              {"journal", json_of(v)},
              {"engine", engine ? json_of(*engine) : json(nullptr)},
              {"engine_skipped", engine ? json(nullptr) : json(why_not)}});
    return;
  }
  std::string out = to_lines({{"Journal", v.summary()},
                              {"Engine", engine ? engine_summary(*engine) : why_not},
                              {"Verified", clean ? "all holds" : "NOT CLEAN"}});
  table t({{"What"}, {"Where"}, {"Finding"}});
  for (const auto& f : v.findings)
    t.row({std::string(to_string(f.what)), f.where, f.text});
  if (engine)
    for (const auto& d : engine->differences)
      t.row({"engine", d.customer, d.text});
  if (!t.empty())
    out += "\n" + t.to_string();
  const auto all = v.found + (engine ? engine->found : 0);
  const auto shown = v.findings.size() + (engine ? engine->differences.size() : 0);
  if (all > shown)
    out += "... and " + std::to_string(all - shown) + " more.\n";
  std::fputs(out.c_str(), stdout);
}

int unreadable(const program& p, const refusal& why) {
  std::fprintf(stderr,
               "accrue: nothing was verified: %s%s%s\n",
               why.subject.c_str(),
               why.subject.empty() ? "" : ": ",
               why.text.c_str());
  if (p.json)
    show(to_json(wire::refused{why, wire::entry(why.code).retry}));
  return exit_no_connection;
}

int verify_all(const program& p, const verify_arguments& a) {
  auto database = open(a.place);
  if (!database)
    return unreadable(p, database.error());

  std::string why_not;
  std::optional<engine_side> engine;
  if (a.offline)
    why_not = "not asked (--offline)";
  else if (database->cluster)
    why_not = "not running on this data directory";
  else if (auto connection = client::connection::open(p.server); !connection)
    why_not = "not asked, " + p.server.server + ": " + connection.error().why.reason.text;
  else if (auto customers = list_customers(*connection); !customers)
    why_not = "not asked, " + p.server.server + ": " + customers.error().why.reason.text;
  else
    engine = engine_side{std::move(*connection), std::move(*customers)};

  replayed_customers replayed;
  verify_options options;
  options.findings_max = findings_max;
  if (engine)
    options.on_customer =
        [&, at = now()](const customer_key& owner, const customer& c, const digest&) {
          if (owner.customer != customer_id{})
            replayed.keep(c, at);
        };
  const auto journal = verify(database->session, options);
  if (!journal)
    return unreadable(p, {errc::storage_unavailable, "the database", journal.error().text});

  std::optional<comparison> compared;
  if (engine) {
    auto done =
        compare(engine->connection, engine->customers, replayed, journal->clean(), findings_max);
    if (!done)
      return report(p, done.error());
    compared = std::move(*done);
  }
  show_outcome(p, *journal, compared, why_not);
  return journal->clean() && (!compared || compared->found == 0) ? exit_done : exit_refused;
}

} // namespace

void add_verify(CLI::App& app, program& p) {
  auto* sub = app.add_subcommand(
      "verify", "Proves the database from its rows and compares the engine with it");
  auto a = std::make_shared<verify_arguments>();
  auto* directory =
      sub->add_option_function<std::string>(
             "--data-dir",
             [a](const std::string& path) { a->place.directory = path; },
             "Of the server's private database; default $ACCRUE_DATA_DIR, ./accrue-data or "
             "~/.local/share/accrue")
          ->type_name("DIR");
  sub->add_option("--database-url", a->place.url, "Of the database, where it is not private")
      ->type_name("URL")
      ->excludes(directory);
  sub->add_flag("--offline", a->offline, "Does not ask the server at --server");
  sub->callback([&p, a] {
    if (a->place.directory.empty())
      a->place.directory = default_data_directory();
    p.action = [&p, a] { return verify_all(p, *a); };
  });
}

} // namespace accrue::cli
