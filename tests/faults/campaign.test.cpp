// Faults of all kinds in an order that a seed picks, round after round, each ending with a kill -9 of the
// server and with everything checked. The kinds are in attacks.hpp, the checks in ordeal.hpp.
#include "tests/faults/attacks.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace accrue;
using namespace accrue::testing;

namespace {

constexpr std::size_t last_words = 4000;  ///< of a server, where something was wrong
constexpr std::size_t rounds_of_few = 20; ///< on one database, where only some kinds are asked for

/// What is asked of a campaign, by the environment (tools/faults).
struct orders {
  std::uint64_t seed = 0;
  std::size_t rounds = 0; ///< 0: each kind once
  std::string only;       ///< kinds of faults whose names contain it
};

std::optional<std::uint64_t> number_in(const char* variable) {
  const char* const given = std::getenv(variable);
  if (given == nullptr)
    return std::nullopt;
  const std::string_view text(given);
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size())
    throw std::invalid_argument(fmt::format("{} is not a number: {}", variable, text));
  return number;
}

orders orders_given() {
  const char* const only = std::getenv("ACCRUE_FAULT_ONLY");
  return {number_in("ACCRUE_FAULT_SEED").value_or(std::random_device()() % 1'000'000),
          number_in("ACCRUE_FAULT_ROUNDS").value_or(0),
          only == nullptr ? "" : only};
}

class campaign {
public:
  explicit campaign(orders given) : orders_(std::move(given)) {}

  void run() {
    constexpr auto all = std::numeric_limits<std::size_t>::max();
    const auto left = [&] { return orders_.rounds == 0 ? all : orders_.rounds - done_; };
    do {
      const auto before = done_;
      at_home(left() - left() / 4); // a short campaign sees both places, too
      on_the_line(left());
      if (done_ == before)
        throw std::invalid_argument("no kind of fault has this in its name: " + orders_.only);
      fmt::print("{} rounds\n", done_);
      std::fflush(stdout);
    } while (done_ < orders_.rounds);
  }

  [[nodiscard]] std::string table() const { return to_text(tallies_); }

private:
  void at_home(std::size_t most) {
    std::mt19937_64 random(orders_.seed + ++eras_);
    faulty_disk disk;
    ordeal it(load("home"), {});
    play(it, attacks_at_home(it, disk, random), most, random);
  }

  void on_the_line(std::size_t most) {
    std::mt19937_64 random(orders_.seed + ++eras_);
    const temporary_database database;
    database_proxy line(database.conninfo());
    // A lease that is short enough to be waited for: nobody says that a server is dead.
    ordeal it(load("line"), {line.conninfo(), database.conninfo(), {"--lease-ms", "500"}});
    play(it, attacks_on_the_line(it, line, random), most, random);
  }

  load_plan load(std::string name) const {
    return {.name = std::move(name),
            .customers_each = 3,
            .deadline_ms = 2000,
            .everything = true,
            .seed = orders_.seed + eras_};
  }

  /// Each kind once, or fewer, on one database; it must not grow for ever.
  void play(ordeal& it, std::vector<attack> kinds, std::size_t most, std::mt19937_64& random) {
    std::erase_if(kinds,
                  [&](const attack& a) { return a.name.find(orders_.only) == std::string::npos; });
    if (kinds.empty())
      return;
    std::ranges::shuffle(kinds, random);
    if (!orders_.only.empty() && orders_.rounds != 0)
      for (std::size_t i = 0; kinds.size() < std::min(most, rounds_of_few); ++i)
        kinds.push_back(kinds[i]);
    kinds.resize(std::min(kinds.size(), most));
    bool good = true;
    for (const auto& one : kinds)
      good = good && round(it, one);
    if (good)
      checked("the end", it, [&] { it.ends(); });
  }

  bool round(ordeal& it, const attack& kind) {
    const bool good = checked(kind.name, it, [&] {
      kind.strike();
      it.kill_server();
      it.comes_back();
      it.holds();
    });
    it.count_into(tallies_[kind.name]);
    ++done_;
    return good;
  }

  /// False when a promise was broken, or the test itself could not go on; said and counted as a failure.
  template <class F>
  bool checked(const std::string& what, ordeal& it, F&& does) {
    std::string trouble;
    try {
      does();
    } catch (const std::exception& e) {
      trouble = e.what();
    }
    trouble += it.clients.breaches();
    if (trouble.empty()) {
      SUCCEED();
      return true;
    }
    const auto said = it.server.output();
    FAIL_CHECK("round " << done_ + 1 << ", " << what << ": " << trouble << "\nthe server said:\n"
                        << said.substr(said.size() - std::min(said.size(), last_words)));
    return false;
  }

  orders orders_;
  std::size_t done_ = 0;
  std::uint64_t eras_ = 0;
  std::map<std::string, fault_tally> tallies_;
};

} // namespace

TEST_CASE("a campaign of faults", "[pg][campaign][D6][D65]") {
  const auto given = orders_given();
  const auto rounds = given.rounds == 0 ? "" : fmt::format(" --rounds {}", given.rounds);
  fmt::print("again with tools/faults --seed {}{}\n", given.seed, rounds);
  std::fflush(stdout);
  const auto began = std::chrono::steady_clock::now();
  campaign all(given);
  try {
    all.run();
  } catch (const std::exception& e) {
    FAIL_CHECK(e.what());
  }
  const auto took =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - began);
  fmt::print("{}{} s\n", all.table(), took.count());
}
