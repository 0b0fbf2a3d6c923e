// A transaction: postings that balance. Whoever holds one holds proof; nobody checks it again.
#pragma once

#include "domain/ids.hpp"
#include "domain/ledger/templates.hpp"
#include "domain/time.hpp"

#include <span>
#include <utility>
#include <vector>

namespace accrue::ledger {

/// Who used the value: a charge, or the unit that recorded a consume or a settled reservation, or an
/// opening balance; of tax, the invoice it stands on. Travels with the value through everything that happens
/// to it later (D9).
class spend_id {
public:
  constexpr spend_id() = default;
  static constexpr spend_id of(charge_id c) noexcept {
    return spend_id(std::uint64_t{c.value} << 2 | 1);
  }
  static constexpr spend_id of(sequence unit) noexcept { return spend_id(unit.value << 2 | 2); }
  static constexpr spend_id of(invoice_id i) noexcept {
    return spend_id(std::uint64_t{i.value} << 2 | 3);
  }
  /// Back from the journal's number.
  static constexpr spend_id stored(std::uint64_t value) noexcept { return spend_id(value); }

  [[nodiscard]] constexpr std::uint64_t value() const noexcept { return value_; }
  [[nodiscard]] constexpr bool is_charge() const noexcept { return (value_ & 3) == 1; }
  [[nodiscard]] constexpr bool is_unit() const noexcept { return (value_ & 3) == 2; }
  [[nodiscard]] constexpr bool is_invoice() const noexcept { return (value_ & 3) == 3; }
  /// The charge's or invoice's number, or the unit's sequence.
  [[nodiscard]] constexpr std::uint64_t number() const noexcept { return value_ >> 2; }
  friend constexpr auto operator<=>(spend_id, spend_id) noexcept = default;

private:
  constexpr explicit spend_id(std::uint64_t v) noexcept : value_(v) {}
  std::uint64_t value_ = 0;
};

/// One signed amount on one sub-account, in minor units of its route's currency.
struct posting {
  sub_account_id account;
  grant_id source; ///< the grant that supplied the value; 0 none
  spend_id spend;
  int128 amount = 0;

  friend bool operator==(const posting&, const posting&) = default;
};

/// Resolves the sub-account numbers of one customer.
class chart {
public:
  virtual ~chart() = default;
  /// The address of a number; a number nobody opened is a defect.
  [[nodiscard]] virtual const sub_account& at(sub_account_id number) const = 0;
};

/// Postings that balance per (currency, cost basis, cost basis currency), in the shape of a known
/// template, between accounts that may face each other. Cannot be made otherwise.
/// Source: D7; ledger.md 4; design.md 9.
class transaction {
public:
  /// The only way to compose one. errc: internal for anything that does not balance, has no postings, a
  /// zero amount, two postings on one (sub-account, source, spend), or not the template's shape: the
  /// caller composed it, so no client input can lead here; overflow when a sum leaves 128 bits.
  [[nodiscard]] static result<transaction> make(template_code code,
                                                direction dir,
                                                instant booked_at,
                                                std::vector<posting> postings,
                                                const chart& accounts);

  /// Back from the journal, without proving it again: only for bytes that were written from a
  /// transaction that `make` had proved. The journal's codec is the one caller; `accrue verify` proves
  /// every stored transaction again. Never a way to compose one.
  [[nodiscard]] static transaction restored(template_code code,
                                            ledger::direction dir,
                                            instant booked_at,
                                            std::vector<posting> postings) {
    return transaction(code, dir, booked_at, std::move(postings));
  }

  [[nodiscard]] template_code code() const noexcept { return code_; }
  [[nodiscard]] ledger::direction direction() const noexcept { return direction_; }
  /// When it counts; may lie in the past or in the future of when it was recorded.
  [[nodiscard]] instant booked_at() const noexcept { return booked_at_; }
  [[nodiscard]] std::span<const posting> postings() const noexcept { return postings_; }

  friend bool operator==(const transaction&, const transaction&) = default;

private:
  transaction(template_code code, ledger::direction dir, instant at, std::vector<posting> postings)
      : code_(code), direction_(dir), booked_at_(at), postings_(std::move(postings)) {}

  template_code code_;
  ledger::direction direction_;
  instant booked_at_;
  std::vector<posting> postings_;
};

} // namespace accrue::ledger
