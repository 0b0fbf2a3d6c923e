// Looking namespaces up; everything else of the context is wiring.
#include "actors/context.hpp"

#include <algorithm>

namespace accrue {

engine_context::namespace_entry*
engine_context::find_namespace(std::string_view reference) noexcept {
  const auto it =
      std::ranges::find_if(namespaces, [&](const auto& n) { return n.of.reference == reference; });
  return it == namespaces.end() ? nullptr : &*it;
}

engine_context::namespace_entry* engine_context::find_namespace(namespace_id number) noexcept {
  const auto it =
      std::ranges::find_if(namespaces, [&](const auto& n) { return n.of.number == number; });
  return it == namespaces.end() ? nullptr : &*it;
}

} // namespace accrue
