// Why a customer may not write until an operator says so, as a value that store, engine and wire share.
// Who gets there and who leaves is actors/quarantine_book.hpp's.
#pragma once

#include "domain/ids.hpp"
#include "domain/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace accrue {

/// What happened. The numbers are stored and on the wire.
enum class quarantine_kind : std::uint8_t {
  store_refused = 1, ///< the store does not take a unit: a constraint, a value out of range
  defect = 2,        ///< an invariant did not hold while a command was decided
  corrupt_state = 3, ///< what is stored does not fit together
};

/// "store_refused", …
[[nodiscard]] constexpr std::string_view to_string(quarantine_kind k) noexcept {
  switch (k) {
  case quarantine_kind::store_refused:
    return "store_refused";
  case quarantine_kind::defect:
    return "defect";
  case quarantine_kind::corrupt_state:
    return "corrupt_state";
  }
  return "defect";
}

/// One customer's quarantine.
struct quarantine {
  std::string reference; ///< of the customer; empty: the namespace itself
  instant since;
  quarantine_kind kind = quarantine_kind::defect;
  std::string why;    ///< for operators, one line; may quote the database
  sequence last_good; ///< the last unit that is stored and fits; 0: none

  friend bool operator==(const quarantine&, const quarantine&) = default;
};

} // namespace accrue
