// `accrue simulate`: runs scenario files step by step and tells what came out.
// The steps are in scenario_engine.hpp, the language in docs/scenarios.md.
#include "apps/accrue/simulate.hpp"

#include "apps/accrue/program.hpp"
#include "apps/accrue/scenario_compare.hpp"
#include "apps/accrue/scenario_engine.hpp"
#include "apps/accrue/scenario_postgres.hpp"
#include "apps/accrue/scenario_trace.hpp"
#include "apps/accrue/vector_files.hpp"

#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <memory>

namespace accrue::cli {

namespace {

using nlohmann::json;

struct simulate_arguments {
  std::vector<std::string> files;
  std::string only;
  std::optional<std::vector<std::string>> needs; ///< absent: all are run
  std::string store = "memory";
  std::string database_url; ///< empty: a private cluster
  bool restart_each_step = false;
  bool json_records = false;
  bool trace = false;
};

/// How a step went: `text` says why it failed, empty where it did not.
struct step_outcome {
  std::string text;
  json answer;
  std::optional<refusal> refused;
};

step_outcome failed(std::string text) { return {std::move(text), {}, {}}; }

/// The answer of a step that was expected to be refused.
step_outcome judge_refusal(const scenario_step& s, const step_answer& answer, bool changed) {
  const auto wanted = s.fields["expect_error"].get<std::string>();
  if (answer)
    return failed("expected error " + wanted + ", but it succeeded");
  const auto& why = answer.error().why;
  const std::string code(to_string(why.code));
  if (code != wanted)
    return failed("expected error " + wanted + ", got " + code + ": " + why.text);
  if (changed)
    return failed("refused with " + code + ", and yet something was recorded");
  return {{}, {}, why};
}

step_outcome
run_step(scenario_engine& engine, const scenario_step& s, std::size_t number, bool restart) {
  if (restart)
    engine.restart();
  const auto customer = scenario_engine::customer_of(s);
  const bool refusal_wanted = s.fields.contains("expect_error");
  // A customer appears on first use, refused or not: only what comes after counts as a change.
  if (refusal_wanted && s.op != "customer" && !not_built(s))
    if (auto there = engine.ensure(customer); !there)
      return failed(there.error().why.text);
  const auto before = engine.units(customer);
  const auto answer = engine.perform(s, number);
  if (!answer && answer.error().what == step_failure::kind::not_built)
    return failed("not built yet: " + answer.error().why.text);
  if (!answer && answer.error().what == step_failure::kind::broken)
    return failed(answer.error().why.text);
  if (refusal_wanted)
    return judge_refusal(s, answer, engine.units(customer) != before);
  if (!answer) {
    const auto& why = answer.error().why;
    return {"refused: " + std::string(to_string(why.code)) +
                (why.subject.empty() ? "" : ": " + why.subject) + ": " + why.text,
            {},
            why};
  }
  step_outcome done{{}, *answer, {}};
  if (s.fields.contains("expect"))
    if (const auto found = compare(s.op, s.fields["expect"], *answer))
      done.text = found->not_built ? "not built yet: " + found->text : found->text;
  return done;
}

void show_record(const scenario& s, std::size_t number, const step_outcome& done) {
  const auto& step = s.steps[number - 1];
  json record{{"id", s.id},
              {"step", number},
              {"op", step.op},
              {"line", step.line},
              {"ok", done.text.empty()},
              {"answer", done.answer}};
  if (done.refused)
    record["error"] = {{"code", std::string(to_string(done.refused->code))},
                       {"subject", done.refused->subject},
                       {"text", done.refused->text}};
  if (!done.text.empty())
    record["failure"] = done.text;
  std::printf("%s\n", record.dump().c_str());
}

void show_trace(scenario_trace& trace,
                scenario_engine& engine,
                const scenario& s,
                std::size_t number) {
  std::printf("%s step %zu (%s)\n", s.id.c_str(), number, s.steps[number - 1].op.c_str());
  const auto lines = trace.follow(engine.database());
  if (!lines)
    std::printf("  the journal cannot be read: %s\n", lines.error().text.c_str());
  else
    for (const auto& line : *lines)
      std::printf("%s\n", line.c_str());
}

/// Runs one vector to its end or to its first failure; whether it passed.
bool run_scenario(const scenario& s, const simulate_arguments& a, scenario_postgres* store) {
  simulation_options options;
  if (store != nullptr) {
    auto fresh = store->fresh();
    if (!fresh) {
      std::printf("FAIL %s: %s\n", s.id.c_str(), fresh.error().text.c_str());
      return false;
    }
    options = std::move(*fresh);
  }
  scenario_engine engine(std::move(options));
  scenario_trace trace;
  for (std::size_t n = 1; n <= s.steps.size(); ++n) {
    const auto& step = s.steps[n - 1];
    step_outcome done;
    try {
      done = run_step(engine, step, n, a.restart_each_step || step.fields.value("restart", false));
    } catch (const defect& d) {
      done = failed("a defect: " + d.what);
    }
    if (a.trace)
      show_trace(trace, engine, s, n);
    if (a.json_records)
      show_record(s, n, done);
    if (done.text.empty())
      continue;
    if (!a.json_records)
      std::printf(
          "FAIL %s step %zu (%s): %s\n", s.id.c_str(), n, step.op.c_str(), done.text.c_str());
    return false;
  }
  if (!a.json_records)
    std::printf("ok %s\n", s.id.c_str());
  return true;
}

bool wanted(const scenario& s, const simulate_arguments& a) {
  if (!a.needs)
    return true;
  return std::ranges::all_of(s.needs, [&](const std::string& need) {
    return std::ranges::find(*a.needs, need) != a.needs->end();
  });
}

int simulate(const simulate_arguments& a) {
  const auto all = vectors_of(a.files, a.only, read_scenarios);
  if (!all)
    return exit_usage;
  spdlog::set_level(spdlog::level::off); // faults are played on purpose and told by the steps
  std::unique_ptr<scenario_postgres> store;
  if (a.store == "postgres") {
    auto opened = scenario_postgres::open(a.database_url);
    if (!opened) {
      std::fprintf(stderr, "accrue: %s\n", opened.error().text.c_str());
      return exit_no_connection;
    }
    store = std::move(*opened);
  }
  std::size_t passed = 0;
  std::size_t failures = 0;
  std::size_t skipped = 0;
  for (const auto& s : *all) {
    if (!wanted(s, a))
      ++skipped;
    else
      ++(run_scenario(s, a, store.get()) ? passed : failures);
  }
  if (store)
    if (const auto found = store->verify(); !found.empty()) {
      std::printf("FAIL verify: %s\n", found.c_str());
      ++failures;
    }
  std::printf("%zu passed, %zu failed", passed, failures);
  if (skipped != 0)
    std::printf(", %zu skipped", skipped);
  std::printf("\n");
  return failures == 0 && passed != 0 ? exit_done : exit_refused;
}

void finish(int code) {
  std::fflush(stdout);
  if (code != exit_done)
    throw CLI::RuntimeError(code);
}

/// "a,b" to its parts; an empty list is a list too: only what needs nothing.
std::vector<std::string> parts_of(const std::string& list) {
  std::vector<std::string> parts;
  for (std::size_t from = 0; from < list.size();) {
    const auto end = std::min(list.find(',', from), list.size());
    if (end != from)
      parts.push_back(list.substr(from, end - from));
    from = end + 1;
  }
  return parts;
}

} // namespace

void add_simulate(CLI::App& app) {
  auto* sub =
      app.add_subcommand("simulate", "Runs scenario files in virtual time, without a server");
  auto a = std::make_shared<simulate_arguments>();
  sub->add_option("FILE", a->files, "Scenario files")->required();
  sub->add_option("--only", a->only, "The one vector of this id")->type_name("ID");
  sub->add_option_function<std::string>(
         "--needs",
         [a](const std::string& list) { a->needs = parts_of(list); },
         "Runs the vectors that need nothing but these, and counts the others as skipped; '' for "
         "those that need nothing")
      ->type_name("LIST");
  sub->add_option("--store", a->store, "Where the engine keeps its units")
      ->capture_default_str()
      ->check(CLI::IsMember({"memory", "postgres"}));
  sub->add_option("--database-url",
                  a->database_url,
                  "With --store postgres: a database to use instead of a private cluster")
      ->type_name("URL");
  sub->add_flag("--restart-each-step",
                a->restart_each_step,
                "Kills and restarts the engine before each step");
  sub->add_flag("--json", a->json_records, "A JSON record per step");
  sub->add_flag("--trace", a->trace, "Every state transition and posting");
  sub->callback([a, &app] {
    const auto* everywhere = app.get_option_no_throw("--json");
    a->json_records = a->json_records || (everywhere != nullptr && everywhere->count() != 0);
    finish(simulate(*a));
  });
}

} // namespace accrue::cli
