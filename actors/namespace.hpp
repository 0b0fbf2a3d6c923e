// One namespace: its catalog as immutable snapshots, and the numbers of new customers. Journalled as
// customer 0 of itself. No customer's money.
#pragma once

#include "actors/recorder.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace accrue {

class namespace_state {
public:
  static inline const char* name = "namespace";
  namespace_state() = default;
  using pointer = namespace_actor::stateful_pointer<namespace_state>;

  /// errc: internal when the stored journal does not fit together.
  result<void>
  start(pointer me, engine_context& c, const space& of, const stored_namespace& stored);
  void receive(const std::shared_ptr<const envelope>& e);
  void row(const row_loaded& r);
  [[nodiscard]] customer_id assign(const std::string& customer);

  pointer self = nullptr;
  engine_context* context = nullptr;
  std::optional<recorder> records;
  std::shared_ptr<const catalog> current;
  std::vector<std::uint64_t> last_customer; ///< by shard
  std::vector<std::pair<sequence, std::shared_ptr<const envelope>>> repeats;
  bool broken = false;
};

namespace_actor::behavior_type namespace_behavior(namespace_state::pointer self,
                                                  engine_context* context,
                                                  space of,
                                                  const stored_namespace& stored);

/// The catalog that a namespace's journal leads to. errc: internal.
[[nodiscard]] result<catalog> replay_catalog(const std::string& reference,
                                             const stored_namespace& stored);

} // namespace accrue
