// Rating of one line: a tariff and a usage become detailed lines and their totals, as plain numbers.
// How they read is in texts.hpp: no text is made here.
#pragma once

#include "domain/rating/quantity.hpp"
#include "domain/rating/tiers.hpp"
#include "domain/rating/totals.hpp"
#include "domain/time.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace accrue::rating {

/// What a detailed line bills. With the tier it makes up the line's reference, which stays the same
/// whenever the line is rated again.
enum class component : std::uint8_t {
  flat = 1,
  unit_usage,
  usage, ///< packages begun, or what a dynamic price passes on
  volume_flat,
  volume_usage,
  graduated_usage,
  graduated_flat,
  minimum_spend, ///< what usage left open of a minimum: the one commitment
};

/// Quantity times price, with what was taken off. Amounts are minor units.
struct detailed_line {
  component what = component::flat;
  std::uint32_t tier = 0; ///< from 1; 0: none
  payment_term term = payment_term::in_arrears;
  decimal quantity = {};
  decimal per_unit = {}; ///< never rounded, except where it is an amount itself
  int128 amount = 0;     ///< rounded
  std::optional<int128> percentage_discount = {};
  std::optional<int128> maximum_discount = {}; ///< what lies above the maximum
  int128 credits = 0;

  [[nodiscard]] bool is_commitment() const noexcept { return what == component::minimum_spend; }
  [[nodiscard]] int128 discounts() const noexcept {
    return percentage_discount.value_or(0) + maximum_discount.value_or(0);
  }
  /// What is left to pay.
  [[nodiscard]] int128 total() const noexcept { return amount - discounts() - credits; }
  [[nodiscard]] rating::totals totals() const noexcept;

  friend bool operator==(const detailed_line&, const detailed_line&) = default;
};

/// A part of a credit that pays a part of a detailed line.
struct applied_credit {
  std::size_t line = 0;   ///< place among the detailed lines
  std::size_t credit = 0; ///< place among the credits given
  int128 amount = 0;

  friend bool operator==(const applied_credit&, const applied_credit&) = default;
};

/// A stretch of time and what was used in it.
struct line {
  accrue::period period;
  /// The full period of which `period` is a part that is billed by itself; none: it is the whole.
  std::optional<accrue::period> split_of;
  accrue::currency currency;
  rating::usage usage;
  /// Net of the earlier parts of the same full period (D23, `totals::net`).
  int128 previously_billed = 0;
  /// To be taken in this order; all of it has to find its place.
  std::span<const int128> credits;

  [[nodiscard]] bool is_first() const noexcept {
    return !split_of || period.from == split_of->from;
  }
  [[nodiscard]] bool is_last() const noexcept { return !split_of || period.to == split_of->to; }
  [[nodiscard]] const accrue::period& full_period() const noexcept {
    return split_of ? *split_of : period;
  }
};

struct options {
  bool ignore_minimum = false; ///< the period goes on: no minimum is owed yet
  bool ignore_credits = false;
  bool conversion_enabled =
      true; ///< off: what would need a conversion is refused, never billed raw
};

struct rated_line {
  std::vector<detailed_line> lines;
  std::vector<applied_credit> credits;
  usage billed; ///< after conversion and discount; what was metered stays with the line
  std::optional<discounted_usage> free_of_charge;
  rating::totals totals;

  friend bool operator==(const rated_line&, const rated_line&) = default;
};

/// Rates one line into `out`, whose memory is used again; after a refusal its content means nothing.
/// Rating the same again gives the same. errc: validation for negative usage, credits that are
/// negative or do not find their place (`reason::credits_left`); invalid_period for a part that does
/// not lie in its full period; unsupported_operation for a volume price on a part with usage before
/// it (`reason::volume_split`) and a conversion that is switched off (`reason::unit_config_disabled`);
/// overflow. Source: invoicing.md 2.2 to 2.8.
[[nodiscard]] result<void>
rate(const tariff& t, const line& l, rated_line& out, const options& o = {});

/// The same into a new value.
[[nodiscard]] result<rated_line> rate(const tariff& t, const line& l, const options& o = {});

// The steps of it that other parts of billing use too.

/// Takes off what lies above `maximum` (minor units), counted from what was billed before.
void limit_spend(std::span<detailed_line> lines, int128 maximum, int128 previously_billed);

/// Pays lines with credits, each credit in turn on the lines in order, up to what each has left.
/// errc: validation, as `rate`.
[[nodiscard]] result<void> apply_credits(std::span<detailed_line> lines,
                                         std::span<const int128> credits,
                                         std::vector<applied_credit>& applied);

/// The part of a line's period that can be billed at `now`; none: nothing yet. `invoice_at` matters
/// to flat prices only. `progressive`: parts may be billed before the end. errc:
/// unsupported_operation (`reason::not_splittable`) for a part of what cannot be split.
/// Source: invoicing.md 2.7.
[[nodiscard]] result<std::optional<period>>
billable_part(const price& p, const line& l, instant invoice_at, instant now, bool progressive);

} // namespace accrue::rating
