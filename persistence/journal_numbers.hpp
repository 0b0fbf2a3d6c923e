// The numbers by which the journal's bytes name choices, states and facts, independent of the order in
// which the domain declares them. How values are laid out is in journal_fields.hpp.
#pragma once

#include "domain/customer.hpp"
#include "domain/int128.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <optional>
#include <variant>

namespace accrue::journal {

/// The first byte of everything the codec writes. Version 2: tax of customers and invoices, catalogs. Version 3:
/// credit that is paid, expires or is held, and what spends used. Version 4: what is written off, when is
/// recognised.
inline constexpr std::uint8_t format_version = 4;
/// The first version that was ever written; all since then are read.
inline constexpr std::uint8_t format_version_first = 1;

// ------------------------------------------------------------------------- numbers of enums
// Stored for ever: a number is never changed and never used for something else.

template <class Enum>
struct stored {
  Enum value;
  std::uint8_t number;
};

template <class Enum>
stored(Enum, std::uint8_t) -> stored<Enum>;

/// The table of an enum's stored numbers.
template <class Enum>
struct numbers;

template <>
struct numbers<ledger::account_type> {
  using enum ledger::account_type;
  static constexpr std::array all{stored{fbo, 1},
                                  stored{receivable, 2},
                                  stored{accrued, 3},
                                  stored{wash, 4},
                                  stored{earnings, 5},
                                  stored{brokerage, 6},
                                  stored{breakage, 7},
                                  stored{write_off, 8},
                                  stored{tax_payable, 9}};
};
template <>
struct numbers<ledger::stage> {
  using enum ledger::stage;
  static constexpr std::array all{stored{none, 0}, stored{open, 1}, stored{authorized, 2}};
};
template <>
struct numbers<ledger::direction> {
  using enum ledger::direction;
  static constexpr std::array all{stored{forward, 0}, stored{correction, 1}};
};
template <>
struct numbers<funding> {
  using enum funding;
  static constexpr std::array all{stored{promotional, 1}, stored{opening, 2}, stored{external, 3}};
};
template <>
struct numbers<hold_end> {
  using enum hold_end;
  static constexpr std::array all{stored{settled, 1}, stored{released, 2}, stored{expired, 3}};
};
template <>
struct numbers<ledger::part::origin> {
  using enum ledger::part::origin;
  static constexpr std::array all{
      stored{credit, 1}, stored{advance, 2}, stored{invoiced, 3}, stored{opening, 4}};
};
template <>
struct numbers<command::over_settlement> {
  using enum command::over_settlement;
  static constexpr std::array all{stored{refuse, 1}, stored{cap, 2}, stored{advance, 3}};
};
template <>
struct numbers<invoicing::recognition_policy> {
  using enum invoicing::recognition_policy;
  static constexpr std::array all{stored{on_collection, 1}, stored{at_period_end, 2}};
};
template <>
struct numbers<settlement_mode> {
  using enum settlement_mode;
  static constexpr std::array all{
      stored{credit_then_invoice, 1}, stored{credit_only, 2}, stored{invoice_only, 3}};
};
template <>
struct numbers<payment_term> {
  using enum payment_term;
  static constexpr std::array all{stored{in_advance, 1}, stored{in_arrears, 2}};
};

template <>
struct numbers<product::aggregation> {
  using enum product::aggregation;
  static constexpr std::array all{stored{sum, 1},
                                  stored{count, 2},
                                  stored{min, 3},
                                  stored{max, 4},
                                  stored{avg, 5},
                                  stored{unique_count, 6},
                                  stored{latest, 7}};
};
template <>
struct numbers<product::card_type> {
  using enum product::card_type;
  static constexpr std::array all{stored{flat_fee, 1}, stored{usage_based, 2}};
};
template <>
struct numbers<rating::tier_mode> {
  using enum rating::tier_mode;
  static constexpr std::array all{stored{graduated, 1}, stored{volume, 2}};
};
template <>
struct numbers<rating::unit_conversion::operation> {
  using enum rating::unit_conversion::operation;
  static constexpr std::array all{stored{multiply, 1}, stored{divide, 2}};
};
template <>
struct numbers<rating::unit_conversion::rounding_mode> {
  using enum rating::unit_conversion::rounding_mode;
  static constexpr std::array all{
      stored{none, 1}, stored{ceiling, 2}, stored{floor, 3}, stored{half_up, 4}};
};

/// The stored number of an enum's value. A value without one is a defect.
template <class Enum>
[[nodiscard]] std::uint8_t number_of(Enum value) {
  const auto it = std::ranges::find(numbers<Enum>::all, value, &stored<Enum>::value);
  ENSURE(it != numbers<Enum>::all.end());
  return it->number;
}
/// Back; none for a number that was never given.
template <class Enum>
[[nodiscard]] std::optional<Enum> value_of(uint128 number) noexcept {
  for (const auto& s : numbers<Enum>::all)
    if (s.number == number)
      return s.value;
  return std::nullopt;
}

// ---------------------------------------------------------------------- numbers of variants

/// The stored number of a variant's alternative; 0 for types that have none.
template <class T>
inline constexpr std::uint8_t tag_of = 0;

template <>
inline constexpr std::uint8_t tag_of<flat_fee::created> = 1;
template <>
inline constexpr std::uint8_t tag_of<flat_fee::active> = 2;
template <>
inline constexpr std::uint8_t tag_of<flat_fee::collecting_credit> = 3;
template <>
inline constexpr std::uint8_t tag_of<flat_fee::waiting_for_collection> = 4;
template <>
inline constexpr std::uint8_t tag_of<flat_fee::processing> = 5;
template <>
inline constexpr std::uint8_t tag_of<flat_fee::awaiting_payment> = 6;
template <>
inline constexpr std::uint8_t tag_of<flat_fee::finished> = 7;
template <>
inline constexpr std::uint8_t tag_of<flat_fee::deleted> = 8;

template <>
inline constexpr std::uint8_t tag_of<invoicing::draft_waiting_auto_approval> = 1;
template <>
inline constexpr std::uint8_t tag_of<invoicing::draft_manual_approval_needed> = 2;
template <>
inline constexpr std::uint8_t tag_of<invoicing::issuing_charge_booking> = 3;
template <>
inline constexpr std::uint8_t tag_of<invoicing::issuing_charge_booking_failed> = 4;
template <>
inline constexpr std::uint8_t tag_of<invoicing::payment_pending> = 5;
template <>
inline constexpr std::uint8_t tag_of<invoicing::payment_authorized> = 6;
template <>
inline constexpr std::uint8_t tag_of<invoicing::overdue> = 7;
template <>
inline constexpr std::uint8_t tag_of<invoicing::paid> = 8;
template <>
inline constexpr std::uint8_t tag_of<invoicing::uncollectible> = 9;

template <>
inline constexpr std::uint8_t tag_of<rating::flat_price> = 1;
template <>
inline constexpr std::uint8_t tag_of<rating::unit_price> = 2;
template <>
inline constexpr std::uint8_t tag_of<rating::tiered_price> = 3;
template <>
inline constexpr std::uint8_t tag_of<rating::package_price> = 4;
template <>
inline constexpr std::uint8_t tag_of<rating::dynamic_price> = 5;

template <>
inline constexpr std::uint8_t tag_of<fact::customer_changed> = 1;
template <>
inline constexpr std::uint8_t tag_of<fact::grant_recorded> = 2;
template <>
inline constexpr std::uint8_t tag_of<fact::consumed> = 3;
template <>
inline constexpr std::uint8_t tag_of<fact::charge_changed> = 4;
template <>
inline constexpr std::uint8_t tag_of<fact::invoice_changed> = 5;
template <>
inline constexpr std::uint8_t tag_of<fact::advance_opened> = 6;
template <>
inline constexpr std::uint8_t tag_of<fact::message_queued> = 7;
template <>
inline constexpr std::uint8_t tag_of<fact::credit_unit_created> = 8;
template <>
inline constexpr std::uint8_t tag_of<fact::profile_changed> = 9;
template <>
inline constexpr std::uint8_t tag_of<fact::key_added> = 11;
template <>
inline constexpr std::uint8_t tag_of<fact::catalog_replaced> = 12;
template <>
inline constexpr std::uint8_t tag_of<fact::grant_changed> = 13;
template <>
inline constexpr std::uint8_t tag_of<fact::spend_changed> = 14;
template <>
inline constexpr std::uint8_t tag_of<fact::given_back> = 15;
template <>
inline constexpr std::uint8_t tag_of<fact::recognized> = 16;
template <>
inline constexpr std::uint8_t tag_of<fact::reserved> = 17;
template <>
inline constexpr std::uint8_t tag_of<fact::hold_extended> = 18;
template <>
inline constexpr std::uint8_t tag_of<fact::hold_ended> = 19;
template <>
inline constexpr std::uint8_t tag_of<fact::recognition_planned> = 20;
/// The version of the format that an alternative first stood in.
template <class T>
inline constexpr std::uint8_t since_version = format_version_first;
template <>
inline constexpr std::uint8_t since_version<fact::catalog_replaced> = 2;
template <>
inline constexpr std::uint8_t since_version<fact::grant_changed> = 3;
template <>
inline constexpr std::uint8_t since_version<fact::spend_changed> = 3;
template <>
inline constexpr std::uint8_t since_version<fact::given_back> = 3;
template <>
inline constexpr std::uint8_t since_version<fact::recognized> = 3;
template <>
inline constexpr std::uint8_t since_version<fact::reserved> = 3;
template <>
inline constexpr std::uint8_t since_version<fact::hold_extended> = 3;
template <>
inline constexpr std::uint8_t since_version<fact::hold_ended> = 3;
template <>
inline constexpr std::uint8_t since_version<invoicing::uncollectible> = 4;
template <>
inline constexpr std::uint8_t since_version<fact::recognition_planned> = 4;
/// The same of tax as the one who spends.
inline constexpr std::uint8_t invoices_spend_since = 2;

/// A second form of `consumed`: all of it stands in the unit's one transaction, but for the id.
inline constexpr std::uint8_t consumed_plainly = 10;

template <class... Alternatives>
consteval bool tags_are_distinct(const std::variant<Alternatives...>*) {
  std::array<int, 256> seen{};
  if (std::same_as<std::variant<Alternatives...>, fact::any>)
    ++seen[consumed_plainly];
  (++seen[tag_of<Alternatives>], ...);
  return seen[0] == 0 && std::ranges::max(seen) == 1;
}
static_assert(tags_are_distinct(static_cast<const flat_fee::state*>(nullptr)));
static_assert(tags_are_distinct(static_cast<const invoicing::state*>(nullptr)));
static_assert(tags_are_distinct(static_cast<const rating::price::any*>(nullptr)));
static_assert(tags_are_distinct(static_cast<const fact::any*>(nullptr)));

} // namespace accrue::journal
