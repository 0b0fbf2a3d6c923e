// What clients sent and were told, and whether it may be so: exactly one answer each, nothing told before it
// is durable, and in the end everything as the reference model says.
#pragma once

#include "persistence/memory_store.hpp"
#include "protocol/codec.hpp"
#include "tests/histories/chronicle.hpp"
#include "tests/histories/model.hpp"

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace accrue::histories {

/// Something a client wants done exactly once, however often it has to ask.
struct intent {
  std::string customer; ///< empty: of the namespace
  std::string key;      ///< empty: the command's own id
  command::any body;
  std::optional<sequence> expected;
  bool original = true; ///< else it takes another's key with other content
  std::optional<reply::receipt> acknowledged;
  bool settled = false;   ///< acknowledged, or refused for good and nothing else is possible
  bool uncertain = false; ///< an answer was lost, or told that nothing is known
  std::size_t in_flight = 0;

  void asked() noexcept {
    settled = acknowledged.has_value();
    uncertain = uncertain && in_flight != 0;
    ++in_flight;
  }
  void unanswered() noexcept {
    uncertain = true;
    settled = acknowledged.has_value();
  }
};

/// A command under way: an intent's, or a query.
struct request {
  std::uint64_t id = 0;
  std::uint32_t server = 0;
  std::optional<std::size_t> intent;
  std::string customer;
  command::any body;
  instant stamp; ///< when the server read it
  instant deadline;
  std::uint64_t durable_before = 0; ///< its customer's last durable unit when it was sent
  bool answered = false;
  bool lost = false; ///< its server ended first
};

class witness {
public:
  witness(chronicle& log, const memory_database& db) : log_(log), db_(db) {}

  std::vector<intent> intents;
  std::deque<request> requests; ///< by id, from 1

  /// A refusal for a passing reason is a finding while nothing is made to fail.
  bool faults_expected = true;
  bool small_queue = false;
  bool recognizes = false; ///< wake-ups may make earnings

  void answered(const wire::answer& a, instant now);
  void ended(std::uint32_t server);
  /// From here on the customer may be in quarantine. Empty: one that is not stored.
  void may_be_held(const std::string& customer) { at_fault_.insert(customer); }
  /// All is quiet: every command whose server lives must have been answered.
  void check_tickets();
  /// Everything, once all intents are settled.
  void check_all(const rules& r);
  /// What the model says of each customer now; after `check_all`.
  [[nodiscard]] const std::map<std::string, model>& models() const noexcept { return models_; }
  /// The customer that its journal leads to; none where there is none, or one that cannot be read.
  [[nodiscard]] std::optional<customer> replayed(const std::string& reference) const;

private:
  /// Something to be confirmed at some state of its customer between two durable units.
  struct observation {
    const request* asked;
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    verdict told;
  };
  struct applied {
    sequence at;
    std::size_t intent;
  };
  using applied_keys = std::map<std::string, applied, std::less<>>;

  void told(request& q, const reply::receipt& r, std::uint64_t durable);
  void refused(request& q, const refusal& why, std::uint64_t durable, instant now);
  [[nodiscard]] std::uint64_t durable(const std::string& customer) const;
  [[nodiscard]] std::string name(const request& q) const;
  [[nodiscard]] static std::vector<std::string> keys_of(const intent& i);

  void check_customer(const std::string& reference,
                      const memory_database::customer_rows& rows,
                      const rules& r);
  void replay_unit(model& m, const stored_row& row, const intent* by, const std::string& where);
  [[nodiscard]] bool confirms(const model& m, const observation& o, const applied_keys& keys) const;
  void check_outbox();

  chronicle& log_;
  const memory_database& db_;
  std::vector<observation> observations_;
  std::set<std::string> at_fault_;
  std::map<std::string, model> models_;
};

} // namespace accrue::histories
