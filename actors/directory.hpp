// customer → actor: activates on first use, lets the idle go, ends the lives that are over, keeps those at
// fault in quarantine. Holds no state of any customer.
#pragma once

#include "actors/quarantine_book.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <map>
#include <unordered_map>
#include <vector>

namespace accrue {

class directory_state {
public:
  static inline const char* name = "directory";
  directory_state() = default;
  using pointer = directory_actor::stateful_pointer<directory_state>;

  void activate(const accrue::activate& who);
  void routes_closed(const std::vector<accrue::activate>& who);
  void sweep();
  void tick(const accrue::tick& t);
  [[nodiscard]] customer_actor find(const find_active& m);
  void stopped(const customer_stopped& s);
  void recovered(const customer_recovered& r);
  void stored(const quarantine_stored& s);
  void discarded(const unit_discarded& d);
  void catalog(const catalog_changed& c);

  pointer self = nullptr;
  engine_context* context = nullptr;
  std::vector<customer_stopped> stopped_customers;
  std::optional<quarantine_book> held;
  using name_key = std::pair<namespace_id, std::string>;
  struct entry {
    customer_actor actor;
    std::uint32_t life = 0;
    bool routed = false;  ///< the route table sends it commands, and says when it is idle
    bool over = false;    ///< this life has stopped; nobody is sent to it any more
    bool lifted = false;  ///< the first life after a quarantine
    bool leaving = false; ///< was asked to go, has not answered yet
    bool wanted = false;  ///< somebody asked for it meanwhile
    std::vector<accrue::tick> ticks; ///< that came meanwhile
  };
  using entries = std::map<name_key, entry>;
  entries customers;
  std::unordered_map<std::uint32_t, entries::iterator> lives;
  std::map<namespace_id, std::shared_ptr<const accrue::catalog>> catalogs;

private:
  entry& spawn(const name_key& who);
  void ask_to_go(const name_key& who, entry& e);
  void left(const accrue::activate& who, bool gone);
};

/// `quarantined`: by an earlier process.
directory_actor::behavior_type directory_behavior(directory_state::pointer self,
                                                  engine_context* context,
                                                  std::vector<quarantine_row> quarantined);

} // namespace accrue
