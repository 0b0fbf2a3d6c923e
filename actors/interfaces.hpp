// All typed actor interfaces and the messages between them: read this first.
// What each actor keeps to itself is in its own file; types.hpp makes the messages known to CAF.
#pragma once

#include "actors/types.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

namespace accrue {

/// Decides the life of one charge; child of its customer. Its state machine is domain/charges.
using charge_actor = caf::typed_actor<
    // Something happened to the charge, within a unit: answers with what it decides.
    caf::replies_to<charge_event>::with<charge_decision>,
    // The unit ended, or was wound back: this is the state from here on.
    caf::reacts_to<charge_state_is>>;

/// Serialises all decisions for one customer.
using customer_actor = caf::typed_actor<
    // Decides a command; the reply leaves when what it was computed from is durable.
    caf::reacts_to<execute>,
    // A durable wake-up came due: does everything whose time has come.
    caf::reacts_to<tick>,
    // The stored customer, asked for at activation.
    caf::reacts_to<customer_loaded>,
    // A journal row, asked for because of a key that came again.
    caf::reacts_to<row_loaded>,
    // A page of its journal, for a question about the past or a command that needs it.
    caf::reacts_to<past_loaded>,
    // The number of a customer that is being created.
    caf::reacts_to<number_assigned>,
    // The namespace's catalog changed.
    caf::reacts_to<catalog_changed>,
    // A unit could not be stored: this life of the customer is over.
    caf::reacts_to<unit_discarded>,
    // Its quarantine was lifted: this life ends.
    caf::reacts_to<begin_anew>,
    // May it go? Answers true and is gone, or false because it is busy.
    caf::replies_to<retire>::with<bool>,
    // Everything an operator may want to know, as lines.
    caf::replies_to<inspect>::with<text_lines>>;

/// Answer of the directory about quarantines: the oldest of them, and how many there are.
struct quarantine_list {
  std::vector<std::shared_ptr<const held_back>> items;
  std::size_t total = 0;
};

/// Answer of the directory about a customer; the handle is empty where it is not active.
struct customer_found {
  customer_actor actor;
};

} // namespace accrue
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(accrue::customer_found)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(accrue::quarantine_list)
namespace accrue {

/// customer → actor. Activates on first use, lets the idle go, stops the broken.
using directory_actor = caf::typed_actor<
    // Somebody has commands for a customer: its route is opened through the gateway's table.
    caf::reacts_to<activate>,
    // The route table has let go of these customers: no command is under way to them any more.
    caf::reacts_to<routes_closed>,
    // A wake-up for a customer, active or not.
    caf::reacts_to<tick>,
    // The store discarded a customer's units: its life is over.
    caf::reacts_to<unit_discarded>,
    // A life is over; where it was at fault, the next one begins in quarantine.
    caf::reacts_to<customer_stopped>,
    // A life that began after a quarantine is loaded.
    caf::reacts_to<customer_recovered>,
    // An operator lifts a quarantine.
    caf::reacts_to<lift>,
    // A change of the stored quarantines was tried; and the time to try again.
    caf::reacts_to<quarantine_stored>,
    caf::reacts_to<store_quarantine>,
    // Who of a namespace is in quarantine, longest first.
    caf::replies_to<list_held>::with<quarantine_list>,
    // The namespace's catalog changed: tells all its active customers.
    caf::reacts_to<catalog_changed>,
    // Time to look for idle customers.
    caf::reacts_to<sweep>,
    // How many customers are active, and which are stopped and why.
    caf::replies_to<get_activity>::with<activity>,
    // The active actor of a customer, or none.
    caf::replies_to<find_active>::with<customer_found>>;

/// The catalog and the customer numbers of one namespace; journalled as its customer 0.
using namespace_actor = caf::typed_actor<
    // Decides a command about the namespace itself.
    caf::reacts_to<execute>,
    // Gives the next customer number of a shard.
    caf::reacts_to<assign_number>,
    // A unit of the namespace could not be stored.
    caf::reacts_to<unit_discarded>,
    // Its quarantine was lifted: reads its journal again.
    caf::reacts_to<begin_anew>,
    // Its journal, read again.
    caf::reacts_to<namespace_loaded>,
    // A journal row, asked for because of a key that came again.
    caf::reacts_to<row_loaded>>;

/// The persistence actor: owns the lanes. Units reach a lane directly (docs/decisions/0004); what a
/// lane has to say comes through here.
using ledger_writer_actor = caf::typed_actor<
    // A lane that has no thread of its own has something to commit.
    caf::reacts_to<flush>,
    // A lane discarded a customer's units.
    caf::reacts_to<unit_discarded>,
    // Another server owns the shards.
    caf::reacts_to<ownership_lost>,
    // Counts and states of the lanes.
    caf::replies_to<get_status>::with<text_lines>>;

/// Durable wake-ups of one shard: the only source of time-driven messages.
using scheduler_actor = caf::typed_actor<
    // A customer has to be woken at an instant.
    caf::reacts_to<wake>,
    // Time passed.
    caf::reacts_to<look_at_clock>,
    // Wake-ups read from the store.
    caf::reacts_to<wakeups_loaded>>;

/// What leaves the house from one shard, at least once, with its key.
using outbox_actor = caf::typed_actor<
    // Messages became durable.
    caf::reacts_to<look_for_messages>,
    // Messages read from the store.
    caf::reacts_to<messages_loaded>,
    // A page's delivery is on record.
    caf::reacts_to<messages_marked>>;

/// Operators' questions and commands.
using console_actor = caf::typed_actor<
    // One line, or a structured question; the answer goes to the session.
    caf::reacts_to<operator_request>>;

} // namespace accrue
