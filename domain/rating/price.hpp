// Prices and what modifies them, as values that cannot be made wrong: who holds a `price` holds one
// that was checked. What they come to for a quantity is in line.hpp.
#pragma once

#include "domain/decimal.hpp"
#include "domain/payment_term.hpp"
#include "domain/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace accrue::rating {

/// What is owed at least and at most for a whole period, whatever was used.
struct commitments {
  std::optional<decimal> minimum;
  std::optional<decimal> maximum;

  friend bool operator==(const commitments&, const commitments&) = default;
};

/// The same amount whatever is used.
struct flat_price {
  decimal amount;
  payment_term term = payment_term::in_advance;

  friend bool operator==(const flat_price&, const flat_price&) = default;
};

/// An amount for each unit.
struct unit_price {
  decimal amount;
  rating::commitments commitments;

  friend bool operator==(const unit_price&, const unit_price&) = default;
};

/// Quantities above the bound of the tier before it, up to and including its own.
struct tier {
  std::optional<decimal> up_to; ///< none: open-ended
  std::optional<decimal> flat;  ///< once, when the tier is entered
  std::optional<decimal> unit;  ///< for each unit

  friend bool operator==(const tier&, const tier&) = default;
};

/// graduated: each unit at the price of the tier it falls into; volume: all units at the price of the
/// tier that the whole quantity falls into.
enum class tier_mode : std::uint8_t { graduated = 1, volume };

struct tiered_price {
  tier_mode mode = tier_mode::graduated;
  std::vector<tier> tiers; ///< in a `price`: by ascending bound, the open-ended one last
  rating::commitments commitments;
  /// Place of the tier that was listed first: a graduated price with no usage at all bills that one.
  /// Set when the price is made. Source: errata.md, invoicing.md 2.4.
  std::size_t first_listed = 0;

  friend bool operator==(const tiered_price&, const tiered_price&) = default;
};

/// An amount for each package begun.
struct package_price {
  decimal amount;
  decimal size; ///< units in a package
  rating::commitments commitments;

  friend bool operator==(const package_price&, const package_price&) = default;
};

/// The metered quantity is money already; it is passed on with a surcharge.
struct dynamic_price {
  decimal multiplier = decimal(1);
  rating::commitments commitments;

  friend bool operator==(const dynamic_price&, const dynamic_price&) = default;
};

/// A checked price. Source: invoicing.md 1.5; D30.
class price {
public:
  using any = std::variant<flat_price, unit_price, tiered_price, package_price, dynamic_price>;

  /// errc: validation, the subject being the place at fault ("tiers[2].up_to_amount"): negative amounts, a package without
  /// units, a minimum above the maximum, tiers without a price, without or with more than one open
  /// end, with a bound of 0 or with the same bound twice.
  [[nodiscard]] static result<price> make(any terms);
  /// Back from the journal, without checking it again: only for what was written from a price that `make`
  /// had made. What is checked may grow; what was agreed once stays.
  [[nodiscard]] static price restored(any terms) { return price(std::move(terms)); }

  [[nodiscard]] const any& terms() const noexcept { return terms_; }
  /// Null for a flat price.
  [[nodiscard]] const rating::commitments* commitments() const noexcept;
  [[nodiscard]] bool is_flat() const noexcept { return std::holds_alternative<flat_price>(terms_); }
  /// Whether parts of a period may be billed before its end. Source: invoicing.md 2.7.
  [[nodiscard]] bool may_be_split() const noexcept;
  /// in_arrears for all that depends on usage.
  [[nodiscard]] payment_term term() const noexcept;

  friend bool operator==(const price&, const price&) = default;

private:
  explicit price(any terms) : terms_(std::move(terms)) {}

  any terms_;
};

/// "flat", "unit", "tiered", "package", "dynamic".
[[nodiscard]] std::string_view type_name(const price& p) noexcept;

/// Part of the price of each line. Source: invoicing.md 1.6; D58.
struct percentage_discount {
  decimal percentage; ///< 50 is 50 %
  std::string correlation_id;

  friend bool operator==(const percentage_discount&, const percentage_discount&) = default;
};

/// A quantity of each full period that costs nothing; included quantities are one.
struct usage_discount {
  decimal quantity;
  std::string correlation_id;

  friend bool operator==(const usage_discount&, const usage_discount&) = default;
};

struct discounts {
  std::optional<percentage_discount> percentage;
  std::optional<usage_discount> usage;

  friend bool operator==(const discounts&, const discounts&) = default;
};

/// How a metered quantity becomes a billed one. Source: invoicing.md 1.8.
struct unit_conversion {
  enum class operation : std::uint8_t { multiply = 1, divide };
  enum class rounding_mode : std::uint8_t { none = 1, ceiling, floor, half_up };

  operation op = operation::multiply;
  decimal factor = decimal(1);
  rounding_mode rounding = rounding_mode::none; ///< half_up: half away from zero
  int precision = 0;                            ///< digits after the point where it is rounded
  std::string display_unit{};                   ///< what is billed, for people

  friend bool operator==(const unit_conversion&, const unit_conversion&) = default;
};

/// Reasons why something cannot be priced, as they are told: the subject of the refusal (D62).
namespace reason {
inline constexpr std::string_view invalid_unit_config = "invalid_unit_config";
inline constexpr std::string_view unit_config_unsupported_price = "unit_config_unsupported_price";
inline constexpr std::string_view unit_config_disabled = "unit_config_disabled";
inline constexpr std::string_view volume_split = "invoice_line_graduated_split_not_supported";
inline constexpr std::string_view credits_left = "invoice_line_credits_not_consumed_fully";
inline constexpr std::string_view not_splittable = "invoice_progressive_billing_not_supported";
} // namespace reason

/// What was agreed for a line, the same for all its parts: a price and what belongs to it.
class tariff {
public:
  /// errc: validation for a percentage outside 0..100, a negative usage discount or one on a flat
  /// price (subject: the field), for a factor not above 0 or a precision outside 0..18
  /// (`invalid_unit_config`), and for a conversion on a package or dynamic price
  /// (`unit_config_unsupported_price`). A flat price ignores a conversion.
  [[nodiscard]] static result<tariff>
  make(rating::price p, rating::discounts d = {}, std::optional<unit_conversion> c = {});

  /// As `price::restored`.
  [[nodiscard]] static tariff
  restored(rating::price p, rating::discounts d, std::optional<unit_conversion> c) {
    return {std::move(p), std::move(d), std::move(c)};
  }

  [[nodiscard]] const rating::price& price() const noexcept { return price_; }
  [[nodiscard]] const rating::discounts& discounts() const noexcept { return discounts_; }
  [[nodiscard]] const std::optional<unit_conversion>& conversion() const noexcept {
    return conversion_;
  }

  friend bool operator==(const tariff&, const tariff&) = default;

private:
  tariff(rating::price p, rating::discounts d, std::optional<unit_conversion> c)
      : price_(std::move(p)), discounts_(std::move(d)), conversion_(std::move(c)) {}

  rating::price price_;
  rating::discounts discounts_;
  std::optional<unit_conversion> conversion_;
};

/// A tariff's refusal as it is told of a rate card, whose places are those of a document: a reason stands in
/// the text.
[[nodiscard]] refusal in_rate_card(refusal no);

} // namespace accrue::rating
