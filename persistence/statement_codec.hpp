// The bytes of what units did to a customer's credit: kept by the customer since its last block, and a block's then.
#pragma once

#include "domain/past.hpp"
#include "persistence/digest.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace accrue {

/// Adds a unit's items to those of the units before it: some 8 bytes where it has one. `before`: the instant
/// of the unit before it in these bytes, zero where there is none.
void append_unit(std::vector<std::byte>& units,
                 const statement_items& items,
                 instant at,
                 instant before);
/// The items of the units behind `after`. errc: internal for bytes that are none.
[[nodiscard]] result<statement_items> decode_units(std::span<const std::byte> units,
                                                   sequence after);

/// A block without its items, and by what they are known.
struct block_sums {
  statement_block block;
  fingerprint items;

  friend bool operator==(const block_sums&, const block_sums&) = default;
};
/// Everything but its name. `units`: the bytes of its items.
void encode(const statement_block& b,
            std::span<const std::byte> units,
            std::vector<std::byte>& out);
/// errc: internal for bytes that are none or were changed, of a later version too.
[[nodiscard]] result<block_sums> decode_sums(std::span<const std::byte> bytes, sequence through);
/// errc: internal for items that are not the block's.
[[nodiscard]] result<statement_items> decode_items(const block_sums& of,
                                                   std::span<const std::byte> units);

/// Makes the bytes of a block again, from its units.
class statement_writer {
public:
  /// The next unit. `after`: the customer after it, or later.
  void add(const customer& after, const entry& e);
  /// How many since the last `clear`.
  [[nodiscard]] std::uint64_t count() const noexcept { return last_.value - after_.value; }
  [[nodiscard]] const std::vector<std::byte>& units() const noexcept { return units_; }
  [[nodiscard]] statement_items items() const;
  [[nodiscard]] statement_block block() const { return block_of(after_, last_, items()); }
  void clear() noexcept;

private:
  statement_reader reader_;
  statement_items of_unit_;
  std::vector<std::byte> units_;
  sequence after_;
  sequence last_;
  instant at_;
};

} // namespace accrue
