// `accrue rate`: runs rating vectors and tells what differs.
// What a vector is, and what becomes of it, is in rating_vectors.hpp.
#include "apps/accrue/rate.hpp"

#include "apps/accrue/program.hpp"
#include "apps/accrue/rating_vectors.hpp"
#include "apps/accrue/scenario_compare.hpp"
#include "apps/accrue/vector_files.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>

namespace accrue::cli {

namespace {

using nlohmann::json;

struct rate_arguments {
  std::vector<std::string> files;
  std::string only;
  bool json_records = false;
};

/// Runs one vector; whether it passed.
bool run(const rating_vector& v, bool json_records) {
  const auto outcome = run_vector(v);
  std::string why;
  if (!outcome)
    why = outcome.error().text;
  else if (const auto found = compare(v.kind, outcome->expected, outcome->got))
    why = found->text;
  if (json_records) {
    json record{{"id", v.id}, {"kind", v.kind}, {"ok", why.empty()}};
    if (outcome)
      record["answer"] = outcome->got;
    if (!why.empty())
      record["failure"] = why;
    std::printf("%s\n", record.dump().c_str());
  } else if (why.empty()) {
    std::printf("ok %s\n", v.id.c_str());
  } else {
    std::printf("FAIL %s (%s): %s\n", v.id.c_str(), v.kind.c_str(), why.c_str());
  }
  return why.empty();
}

int rate(const rate_arguments& a) {
  const auto all = vectors_of(a.files, a.only, read_rating_vectors);
  if (!all)
    return exit_usage;
  std::size_t passed = 0;
  std::size_t failures = 0;
  for (const auto& v : *all)
    ++(run(v, a.json_records) ? passed : failures);
  std::printf("%zu passed, %zu failed\n", passed, failures);
  return failures == 0 && passed != 0 ? exit_done : exit_refused;
}

} // namespace

void add_rate(CLI::App& app) {
  auto* sub = app.add_subcommand("rate", "Runs rating vectors, without a server");
  auto a = std::make_shared<rate_arguments>();
  sub->add_option("FILE", a->files, "Files of rating vectors")->required();
  sub->add_option("--only", a->only, "The one vector of this id")->type_name("ID");
  sub->add_flag("--json", a->json_records, "A JSON record per vector");
  sub->callback([a, &app] {
    const auto* everywhere = app.get_option_no_throw("--json");
    a->json_records = a->json_records || (everywhere != nullptr && everywhere->count() != 0);
    const int code = rate(*a);
    std::fflush(stdout);
    if (code != exit_done)
      throw CLI::RuntimeError(code);
  });
}

} // namespace accrue::cli
