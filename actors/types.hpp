// The messages between actors, as structs with full names, and their registration with CAF.
// All stay in the process. What is large travels as a shared, immutable pointer.
#pragma once

#include "domain/catalog.hpp"
#include "domain/unit.hpp"
#include "persistence/store.hpp"
#include "protocol/codec.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace accrue {

/// A command on its way: who asked, when it came in, and what.
struct envelope {
  reply_address from;
  std::uint64_t request = 0;
  std::uint32_t index = 0;
  instant stamp;    ///< when it came in (D3)
  instant deadline; ///< after it nobody waits for an undecided command
  std::string key;  ///< idempotency key as given; may be empty
  std::optional<sequence> expected_sequence;
  command::any body;
};

struct execute {
  std::shared_ptr<const envelope> command;
};

/// A namespace as the engine holds it.
struct space {
  namespace_id number;
  std::string reference;
};

struct tick {
  customer_key owner;
  std::string reference; ///< of the customer
  instant due;
  instant now;
};

struct customer_loaded {
  std::shared_ptr<result<stored_customer>> stored;
};
struct row_loaded {
  sequence number;
  std::shared_ptr<result<stored_row>> row;
  std::optional<instant> late; ///< not read: for those only whose deadline is not after this one
};
/// Units, or parts of statement blocks, for a reading under way.
using past_part =
    std::variant<std::vector<stored_row>, std::vector<stored_sums>, std::vector<stored_items>>;
struct past_loaded {
  std::uint32_t reading = 0;
  std::shared_ptr<result<past_part>> part;
};
struct number_assigned {
  customer_id number;
};
struct assign_number {
  std::string customer;
  std::function<void(customer_id)> to;
};
struct catalog_changed {
  namespace_id space;
  std::shared_ptr<const accrue::catalog> catalog;
};
/// From `from` on this life's units are not in the store.
struct unit_discarded {
  customer_key owner;
  std::uint32_t life = 0;
  sequence from;
  std::string why;
};
struct ownership_lost {
  std::string why;
};

struct charge_event {
  std::uint64_t unit = 0;
  flat_fee::event event;
};
/// What the charge decides, or why not.
struct charge_decision {
  result<flat_fee::decision> decided;
  std::string broken; ///< not empty: it met a defect, with this text
};
struct charge_state_is {
  std::uint64_t unit = 0;
  flat_fee::state state;
};

struct retire {
  bool over = false; ///< the directory knows that this life has stopped
};
struct inspect {};
struct sweep {};
struct flush {};
struct get_status {};
struct get_activity {};
/// A timer; `number` tells whether a later one has replaced it. 0: try loading again.
struct look_at_clock {
  std::uint64_t number = 0;
};
/// `retry`: the outbox's own, after something failed.
struct look_for_messages {
  bool retry = false;
};
struct text_lines {
  std::vector<std::string> lines;
};

/// A customer by name. `life` tells which activation of it, where that matters: 0 any.
struct activate {
  namespace_id space;
  std::string reference;
  std::uint32_t life = 0;
};
struct routes_closed {
  std::vector<activate> customers;
};
/// A life is over, and nothing of it is under way any more. A namespace says it of itself with an empty
/// reference.
struct customer_stopped {
  namespace_id space;
  std::string reference;
  customer_key owner;
  std::uint32_t life = 0;
  std::optional<quarantine_kind> fault; ///< none: the next life is a usual one
  std::string why;
  sequence last_good;
};
/// A life that began after a quarantine was lifted is loaded.
struct customer_recovered {
  namespace_id space;
  std::string reference;
  std::uint32_t life = 0;
  sequence last;
};
struct find_active {
  namespace_id space;
  std::string reference;
  bool load = false; ///< one that is not active, too
};
struct activity {
  std::size_t active = 0;
  std::size_t quarantined = 0;
  std::vector<customer_stopped> stopped; ///< since the start, latest last
};

/// A quarantine as the directory and whoever is in it share it.
struct held_back {
  customer_key owner;
  quarantine what;
  std::atomic<std::uint64_t> refused{0}; ///< commands since the quarantine, or this process, began
};
struct list_held {
  namespace_id space;
  std::uint32_t limit = 0;
};
/// An operator lets a customer out of quarantine.
struct lift {
  namespace_id space;
  std::string reference; ///< empty: the namespace itself
  std::string by;
  std::string reason;
  std::function<void(result<sequence>)> done; ///< where it goes on, or why it does not
};
/// A change of the stored quarantines was tried.
struct quarantine_stored {
  namespace_id space;
  std::string reference;
  bool lifted = false;
  std::shared_ptr<result<void>> done;
};
struct store_quarantine {};
/// The quarantine is lifted: this life ends.
struct begin_anew {};
struct namespace_loaded {
  std::shared_ptr<result<std::vector<stored_row>>> rows;
};

struct wake {
  customer_key owner;
  std::string reference;
  std::optional<instant> due; ///< none: nothing to wake for any more
  bool again = false;         ///< something was done: the same due is worth another try at once
};
struct wakeups_loaded {
  std::shared_ptr<result<std::vector<due_wakeup>>> due;
};
struct messages_loaded {
  std::shared_ptr<result<std::vector<waiting_message>>> waiting;
};
struct messages_marked {
  bool done = false;
};
struct operator_request {
  reply_address from;
  wire::answer_to to;
  namespace_id space;
  wire::operator_command command;
  std::string client; ///< as the connection's hello says
};

} // namespace accrue

#define ACCRUE_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(accrue::type)
ACCRUE_MESSAGE(execute)
ACCRUE_MESSAGE(tick)
ACCRUE_MESSAGE(customer_loaded)
ACCRUE_MESSAGE(row_loaded)
ACCRUE_MESSAGE(past_loaded)
ACCRUE_MESSAGE(number_assigned)
ACCRUE_MESSAGE(assign_number)
ACCRUE_MESSAGE(catalog_changed)
ACCRUE_MESSAGE(unit_discarded)
ACCRUE_MESSAGE(ownership_lost)
ACCRUE_MESSAGE(charge_event)
ACCRUE_MESSAGE(charge_decision)
ACCRUE_MESSAGE(charge_state_is)
ACCRUE_MESSAGE(retire)
ACCRUE_MESSAGE(inspect)
ACCRUE_MESSAGE(sweep)
ACCRUE_MESSAGE(flush)
ACCRUE_MESSAGE(get_status)
ACCRUE_MESSAGE(get_activity)
ACCRUE_MESSAGE(look_at_clock)
ACCRUE_MESSAGE(look_for_messages)
ACCRUE_MESSAGE(text_lines)
ACCRUE_MESSAGE(activate)
ACCRUE_MESSAGE(routes_closed)
ACCRUE_MESSAGE(customer_stopped)
ACCRUE_MESSAGE(customer_recovered)
ACCRUE_MESSAGE(list_held)
ACCRUE_MESSAGE(lift)
ACCRUE_MESSAGE(quarantine_stored)
ACCRUE_MESSAGE(store_quarantine)
ACCRUE_MESSAGE(begin_anew)
ACCRUE_MESSAGE(namespace_loaded)
ACCRUE_MESSAGE(find_active)
ACCRUE_MESSAGE(activity)
ACCRUE_MESSAGE(wake)
ACCRUE_MESSAGE(wakeups_loaded)
ACCRUE_MESSAGE(messages_loaded)
ACCRUE_MESSAGE(messages_marked)
ACCRUE_MESSAGE(operator_request)
#undef ACCRUE_MESSAGE
