// The bytes of what units did to a customer's credit: kept by the customer since its last block, and a block's then.
#pragma once

#include "domain/past.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace accrue {

/// Adds a unit's items to those of the units before it: 6 bytes a unit, and about 6 an item. `before`: the instant
/// of the unit before it in these bytes, zero where there is none.
void append_unit(std::vector<std::byte>& units,
                 const statement_items& items,
                 instant at,
                 instant before);
/// The items of the units behind `after`. errc: internal for bytes that are none.
[[nodiscard]] result<statement_items> decode_units(std::span<const std::byte> units,
                                                   sequence after);

/// A block without its items and without its name.
void encode(const statement_block& b, std::vector<std::byte>& out);
/// errc: internal for bytes that are none, of a later version too.
[[nodiscard]] result<statement_block> decode_block(std::span<const std::byte> sums,
                                                   sequence through);

} // namespace accrue
