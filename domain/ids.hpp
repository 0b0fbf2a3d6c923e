// Names of things: numbers the engine gives, references the clients give.
// What they name is defined where it lives.
#pragma once

#include "domain/result.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace accrue {

/// A number with a meaning; two ids of different things never compare or convert.
template <class Tag, class Rep = std::uint64_t>
struct id {
  Rep value = 0;

  constexpr id() = default;
  constexpr explicit id(Rep v) noexcept : value(v) {}
  friend constexpr auto operator<=>(id, id) noexcept = default;
};

using namespace_id = id<struct namespace_tag, std::uint32_t>;
/// A customer's number in its namespace; number mod 64 is its shard (D65). 0 is the namespace itself.
using customer_id = id<struct customer_tag>;
/// Place of a unit in its customer's journal: 1, 2, 3 … without a gap (D65).
using sequence = id<struct sequence_tag>;
/// A grant, a charge, an invoice: numbered per customer and kind, in order of recording.
using grant_id = id<struct grant_tag, std::uint32_t>;
using charge_id = id<struct charge_tag, std::uint32_t>;
using invoice_id = id<struct invoice_tag, std::uint32_t>;
/// A sub-account's number in its customer's book.
using sub_account_id = id<struct sub_account_tag, std::uint32_t>;

/// Customers and namespaces are numbered with 31 bits (D65): so wide are they in the store.
inline constexpr std::uint64_t customer_number_max = (std::uint64_t{1} << 31) - 1;
inline constexpr std::uint32_t namespace_number_max = (std::uint32_t{1} << 31) - 1;

/// Shards are fixed when the database is created.
inline constexpr std::uint32_t shard_count = 64;

inline constexpr std::size_t reference_bytes_max = 128;

/// A reference given by a client: 1..128 bytes of valid text without control characters, unique per
/// customer and kind for ever (D65, D6). errc: validation, naming `what`.
[[nodiscard]] result<void> check_reference(std::string_view text, std::string_view what);

/// FNV-1a over namespace reference, a zero byte and customer reference, mod 64: the shard of a customer (D65).
[[nodiscard]] std::uint32_t shard_of(std::string_view namespace_reference,
                                     std::string_view customer_reference) noexcept;

} // namespace accrue
