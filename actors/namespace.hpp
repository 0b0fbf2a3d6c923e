// One namespace: its catalog as immutable snapshots, and the numbers of new customers. Journalled as
// customer 0 of itself. No customer's money.
#pragma once

#include "actors/recorder.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <deque>

namespace accrue {

class namespace_state {
public:
  static inline const char* name = "namespace";
  namespace_state() = default;
  using pointer = namespace_actor::stateful_pointer<namespace_state>;

  void start(pointer me, engine_context& c, const space& of, const stored_namespace& stored);
  void receive(std::shared_ptr<const envelope> e);
  void row(const row_loaded& r);
  void discarded(const unit_discarded& d);
  /// Its quarantine was lifted: what was read of its journal since, or why nothing was.
  void reload();
  void loaded(const result<std::vector<stored_row>>& rows);
  /// An invariant did not hold.
  void broken(const std::string& why) { stop(quarantine_kind::defect, why, records_->value.last); }
  /// A message was dealt with: nobody's command is in the middle of being decided.
  void settled() noexcept { deciding_.reset(); }
  [[nodiscard]] customer_id assign(const std::string& customer);

private:
  // A command that waits for the journal to tell about its key; the next ones wait behind it, as they may
  // have the same key.
  struct asking {
    std::shared_ptr<const envelope> command;
    command_prints prints;
    std::vector<sequence> to_ask; ///< one after the other, from the back
  };
  struct repeat {
    sequence where;
    std::shared_ptr<const envelope> command;
  };

  result<void> restore(const std::vector<stored_row>& rows);
  void stop(std::optional<quarantine_kind> fault, const std::string& why, sequence last_good);
  void go_on();
  void begin(std::shared_ptr<const envelope> e);
  void decide(const envelope& e, const command_prints& p);
  void load_row(sequence where, instant deadline);
  void asked_row(const stored_row* row, const result<entry>& unit);
  [[nodiscard]] bool held() const noexcept { return fault_.has_value(); }
  void refuse_held(const envelope& e);

  pointer self_ = nullptr;
  engine_context* context_ = nullptr;
  space of_;
  std::optional<recorder> records_;
  std::shared_ptr<const catalog> current_;
  std::vector<std::uint64_t> last_customer_; ///< by shard
  std::shared_ptr<const envelope> deciding_; ///< whose caller is told when deciding it breaks
  std::deque<std::shared_ptr<const envelope>> waiting_;
  std::optional<asking> asking_;
  std::vector<repeat> repeats_;
  std::optional<quarantine_kind> fault_; ///< in quarantine: the catalog stays as it was
};

namespace_actor::behavior_type namespace_behavior(namespace_state::pointer self,
                                                  engine_context* context,
                                                  const space& of,
                                                  const stored_namespace& stored);

/// The catalog that a namespace's journal leads to. errc: internal.
[[nodiscard]] result<catalog> replay_catalog(const std::string& reference,
                                             const std::vector<stored_row>& rows);

} // namespace accrue
