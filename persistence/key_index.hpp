// Which idempotency keys a customer has used: decided from memory, never by a read per command (D6).
// What a key's command did stands in the journal.
#pragma once

#include "persistence/store.hpp"

#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace accrue {

/// The last keys exactly, all older ones as 32-bit filters that name the unit to look at. A hit among
/// the exact keys is certain; a hit beyond them asks the journal once, before the command is decided.
class key_index {
public:
  struct hit {
    accrue::sequence sequence;
    fingerprint content;
  };
  struct found {
    std::optional<hit> exact;    ///< certain
    std::vector<sequence> older; ///< units that may have the key; the journal has to tell
  };

  /// What is known of a key; nothing in it: the key is new. `last`: the last unit. Units are told apart within
  /// the last 2^32.
  [[nodiscard]] found find(const fingerprint& key, sequence last) const;
  /// A unit's key, in order of sequences; a unit may have two.
  void add(const fingerprint& key, const fingerprint& content, sequence s);
  /// Keys in all.
  [[nodiscard]] std::size_t size() const noexcept {
    return table_ ? table_->filled : recent_.size();
  }

  /// The filters of the keys after `from` up to and with `to`, the last unit, for a key_segment row.
  void encode_segment(sequence from, sequence to, std::vector<std::byte>& out) const;
  /// Takes a segment in, before any exact key. errc: internal for bytes that are no segment.
  [[nodiscard]] result<void> restore_segment(std::span<const std::byte> segment);

private:
  struct exact {
    fingerprint key;
    fingerprint content;
    std::uint32_t sequence; ///< low bits
  };
  struct slot {
    std::uint32_t filter = 0;
    std::uint32_t sequence = 0; ///< low bits; 0: empty
  };
  struct table {
    std::vector<slot> slots = std::vector<slot>(8); ///< open addressing, a power of two
    std::size_t filled = 0;
    void insert(std::uint32_t filter, std::uint32_t unit);
  };
  [[nodiscard]] table& with_table();
  [[nodiscard]] static std::uint32_t filter_of(const fingerprint& key) noexcept;

  std::vector<exact>
      recent_; ///< in order of sequence; at most twice `exact_keys` and those not yet in a segment
  std::unique_ptr<table> table_; ///< none while there are few keys

public:
  /// Forgets exact keys that are old enough and stand in a segment up to `upto`, the last unit.
  void trim(sequence upto);
};

} // namespace accrue
