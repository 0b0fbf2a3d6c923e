// The program `histories`: runs a range of seeds on several processes, or shows one.
// What a history is: history.cpp.
#include "tests/histories/history.hpp"

#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <limits>
#include <new>
#include <optional>
#include <sstream>

using namespace accrue::histories;

namespace {

constexpr auto none = std::numeric_limits<std::uint64_t>::max();

struct arguments {
  std::string seeds = "1-1000";
  std::uint64_t jobs = 2;
  bool keep_going = false;
  bool hashes = false;
  std::optional<std::uint64_t> trace;
};

/// What the processes share.
struct shared_state {
  std::atomic<std::uint64_t> next;
  std::atomic<std::uint64_t> smallest_failing{none};
};

/// What a process tells at its end, a line each: `count NAME N`, `failed SEED FINDING`, `hash SEED HASH`.
struct report {
  tally counts;
  std::map<std::uint64_t, std::vector<std::string>> failed;
  std::map<std::uint64_t, std::uint64_t> hashes;
  std::uint64_t run = 0;
};

void run_share(shared_state& shared, std::uint64_t to, const arguments& a, std::FILE* out) {
  tally counts;
  for (;;) {
    const auto seed = shared.next.fetch_add(1);
    if (seed > to || (!a.keep_going && seed > shared.smallest_failing.load()))
      break;
    const auto done = run_history(seed);
    for (const auto& [what, n] : done.counts)
      counts[what] += n;
    ++counts["histories"];
    if (a.hashes)
      std::fprintf(out,
                   "hash %llu %llu\n",
                   static_cast<unsigned long long>(seed),
                   static_cast<unsigned long long>(done.hash));
    if (done.findings.empty())
      continue;
    auto smallest = shared.smallest_failing.load();
    while (seed < smallest && !shared.smallest_failing.compare_exchange_weak(smallest, seed)) {
    }
    for (const auto& what : done.findings)
      std::fprintf(out, "failed %llu %s\n", static_cast<unsigned long long>(seed), what.c_str());
  }
  for (const auto& [what, n] : counts)
    std::fprintf(out, "count %llu %s\n", static_cast<unsigned long long>(n), what.c_str());
}

void read_report(std::FILE* in, report& r) {
  char buffer[4096];
  while (std::fgets(buffer, sizeof buffer, in) != nullptr) {
    std::istringstream line(buffer);
    std::string what;
    std::uint64_t n = 0;
    std::string rest;
    line >> what >> n;
    std::getline(line >> std::ws, rest);
    if (what == "count")
      r.counts[rest] += n;
    else if (what == "failed")
      r.failed[n].push_back(rest);
    else if (what == "hash")
      r.hashes[n] = std::stoull(rest);
  }
}

/// Runs the range on so many processes. False when one of them ended badly.
bool run_range(std::uint64_t from, std::uint64_t to, const arguments& a, report& r) {
  void* page = ::mmap(
      nullptr, sizeof(shared_state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* shared = new (page) shared_state;
  shared->next = from;
  std::vector<std::pair<pid_t, std::FILE*>> children;
  for (std::uint64_t n = 0; n < a.jobs; ++n) {
    int ends[2];
    if (::pipe(ends) != 0)
      return false;
    const auto child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      auto* out = ::fdopen(ends[1], "w");
      run_share(*shared, to, a, out);
      std::fclose(out);
      std::_Exit(0);
    }
    ::close(ends[1]);
    children.emplace_back(child, ::fdopen(ends[0], "r"));
  }
  bool good = true;
  for (const auto& [child, in] : children) {
    read_report(in, r);
    std::fclose(in);
    int status = 0;
    ::waitpid(child, &status, 0);
    good = good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  ::munmap(page, sizeof(shared_state));
  return good;
}

int show(std::uint64_t seed) {
  const auto done = run_history(seed, true);
  std::printf("seed %llu: %zu findings, hash %016llx\n",
              static_cast<unsigned long long>(seed),
              done.findings.size(),
              static_cast<unsigned long long>(done.hash));
  return done.findings.empty() ? 0 : 1;
}

int run_all(const arguments& a) {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  if (std::sscanf(a.seeds.c_str(), "%lu-%lu", &from, &to) != 2 || from < 1 || to < from) {
    std::fprintf(stderr, "--seeds wants FROM-TO, both from 1 on\n");
    return 2;
  }
  report r;
  const auto began = std::chrono::steady_clock::now();
  const bool good = run_range(from, to, a, r);
  const auto seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  for (const auto& [seed, hash] : r.hashes)
    std::printf("%llu %016llx\n",
                static_cast<unsigned long long>(seed),
                static_cast<unsigned long long>(hash));
  if (a.hashes && r.failed.empty() && good)
    return 0;
  std::printf("in these histories:\n");
  for (const auto& [what, n] : r.counts)
    if (what != "histories")
      std::printf("  %9llu %s\n", static_cast<unsigned long long>(n), what.c_str());
  std::printf("%llu histories in %.1f s, %.0f/s\n",
              static_cast<unsigned long long>(r.counts["histories"]),
              seconds,
              static_cast<double>(r.counts["histories"]) / seconds);
  if (!good)
    std::printf("a process ended badly: run the range with --jobs 1\n");
  if (r.failed.empty())
    return good ? 0 : 1;
  const auto& [seed, findings] = *r.failed.begin();
  std::printf("%zu failed; the smallest failing seed is %llu:\n",
              r.failed.size(),
              static_cast<unsigned long long>(seed));
  for (const auto& what : findings)
    std::printf("  %s\n", what.c_str());
  std::printf("see it with: histories --trace %llu\n", static_cast<unsigned long long>(seed));
  return 1;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Random histories of the whole engine in virtual time: one seed is one history."};
  arguments a;
  app.add_option("--seeds", a.seeds, "FROM-TO: the seeds to run")->capture_default_str();
  app.add_option("--jobs", a.jobs, "how many processes")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  app.add_flag("--keep-going", a.keep_going, "run all seeds, also after one has failed");
  app.add_flag("--hashes", a.hashes, "print only the hash of each history");
  app.add_option("--trace", a.trace, "show the history of this seed");
  CLI11_PARSE(app, argc, argv);
  spdlog::set_level(spdlog::level::off);
  return a.trace ? show(*a.trace) : run_all(a);
}
