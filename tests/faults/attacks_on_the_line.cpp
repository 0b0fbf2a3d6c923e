// Attacks on a server whose database is elsewhere: on the wire between them, and by other servers. See
// attacks.hpp.
#include "tests/faults/attacks.hpp"

#include <chrono>
#include <csignal>
#include <stdexcept>

namespace accrue::testing {
namespace {

using namespace std::chrono_literals;
using at_commit = database_proxy::at_commit;
using clock = ordeal::clock;

class far_away {
public:
  far_away(ordeal& it, database_proxy& line, std::mt19937_64& random)
      : it_(it), line_(line), random_(random) {}

  [[nodiscard]] std::chrono::milliseconds up_to(unsigned most_ms) const {
    return std::chrono::milliseconds(random_() % most_ms);
  }
  void load() const { it_.begin_load(100 + random_() % 400); }

  void at_a_commit(at_commit what) const {
    load();
    line_.arm(what);
    if (!line_.wait_until_done())
      throw std::runtime_error("there was no commit");
  }
  void cut_everything() const {
    load();
    line_.cut();
    it_.recovers();
  }
  void unreachable() const {
    load();
    line_.refuse(true);
    line_.cut();
    ordeal::run_for(up_to(1500)); // the lease may lapse
    line_.refuse(false);
    it_.recovers();
  }
  /// The connections stay silent for ever, later ones are well.
  void all_silent() const {
    load();
    line_.swallow(true);
    ordeal::run_for(up_to(500));
    line_.swallow(false);
    it_.recovers();
  }
  void slow_line() const {
    line_.delay(2ms);
    at_a_commit(at_commit::cut_after);
    it_.recovers();
    line_.delay(0ms);
  }

  /// Stood still until another server has the shards, which goes on with the same customers; then it
  /// wakes up, with requests in front of it and its last batch behind it.
  void taken_over() const {
    load();
    wire_client left(it_.server.port());
    const auto since = clock::now();
    it_.server.signal(SIGSTOP);
    auto former = it_.successor();
    std::swap(former, it_.server); // now the successor is the server
    it_.clients.abandon();
    it_.recovers(since);
    load();
    const auto known = it_.clients.plan().name + "-0-0";
    left.send(calls::get_balance(known));
    left.send(calls::consume(known, "to the former one", "0.01"));
    former.signal(SIGCONT);
    try {
      for (;;)
        if (!std::holds_alternative<wire::refused>(left.next_answer().body))
          it_.clients.breach(broken_promise::sort::untrue, "a former owner answered");
    } catch (const connection_over&) {
    }
    if (const auto status = former.wait_for_end(); status != 3)
      it_.clients.breach("a former owner ended with " + std::to_string(status));
  }

private:
  ordeal& it_;
  database_proxy& line_;
  std::mt19937_64& random_;
};

} // namespace

std::vector<attack> attacks_on_the_line(ordeal& it, database_proxy& line, std::mt19937_64& random) {
  const far_away at(it, line, random);
  const auto recovers = [&it, at](at_commit what) {
    return [&it, at, what] {
      at.at_a_commit(what);
      it.recovers();
    };
  };
  return {{"kill -9 of the server, lease waited for",
           [&it, at] {
             it.begin_load(1);
             ordeal::run_for(at.up_to(150));
           }},
          {"cut before COMMIT", recovers(at_commit::cut_before)},
          {"cut within the batch", recovers(at_commit::cut_half)},
          {"cut after COMMIT", recovers(at_commit::cut_after)},
          {"cut before COMMIT, server killed", [at] { at.at_a_commit(at_commit::cut_before); }},
          {"cut after COMMIT, server killed", [at] { at.at_a_commit(at_commit::cut_after); }},
          {"cut anywhere", [at] { at.cut_everything(); }},
          {"database unreachable", [at] { at.unreachable(); }},
          {"line silent after COMMIT",
           [&it, at] {
             const auto since = clock::now();
             at.at_a_commit(at_commit::swallow);
             it.recovers(since);
           }},
          {"all lines silent", [at] { at.all_silent(); }},
          {"slow line, cut after COMMIT", [at] { at.slow_line(); }},
          {"taken over while stood still", [at] { at.taken_over(); }}};
}

} // namespace accrue::testing
