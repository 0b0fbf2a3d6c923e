// Operators' questions and commands: status, inspect, what is stuck, retry. Goes through the customer
// like everybody else, never around it.
#pragma once

#include "actors/context.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace accrue {

class console_state {
public:
  static inline const char* name = "console";
  console_state() = default;
  using pointer = console_actor::stateful_pointer<console_state>;

  void ask(const operator_request& r);

  pointer self = nullptr;
  engine_context* context = nullptr;
  instant started;

private:
  void line(const operator_request& r, const std::string& text);
  void status(const operator_request& r, bool as_lines);
  void inspect(const operator_request& r, const std::string& customer);
  void customers(const operator_request& r, const wire::list_customers& q, bool as_lines);
  void stuck(const operator_request& r);
  void quarantine(const operator_request& r, std::uint32_t limit, bool as_lines);
  void lift(const operator_request& r, const wire::lift_quarantine& l, bool as_lines);
  void carry(const operator_request& r, const std::string& customer, command::any what);
  void say(const operator_request& r, std::vector<std::string> lines);
  void answer(const operator_request& r, const wire::operator_reply& reply);
};

console_actor::behavior_type console_behavior(console_state::pointer self, engine_context* context);

} // namespace accrue
