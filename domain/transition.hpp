// The few lines that all state machines share: a row's result, and legality as a compile-time fact.
#pragma once

#include "domain/result.hpp"

#include <type_traits>
#include <variant>

namespace accrue {

/// Result of one row: one of the targets, or the row's reason to refuse. The targets in the
/// signature are the documentation of the machine.
template <class... Targets>
class to {
public:
  template <class T>
  requires(std::is_same_v<std::remove_cvref_t<T>, Targets> || ...) to(T&& target)
      : value_(std::forward<T>(target)) {}
  to(tl::unexpected<refusal> no) : value_(std::move(no.value())) {}

  /// The state it leads to, in the machine's own variant.
  template <class State>
  [[nodiscard]] result<State> into() && {
    return std::visit(
        [](auto&& v) -> result<State> {
          if constexpr (std::is_same_v<std::remove_cvref_t<decltype(v)>, refusal>)
            return tl::unexpected(std::forward<decltype(v)>(v));
          else
            return State(std::forward<decltype(v)>(v));
        },
        std::move(value_));
  }

private:
  std::variant<Targets..., refusal> value_;
};

} // namespace accrue
