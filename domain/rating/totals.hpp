// Sums of lines and invoices, and the tax on them. How a line comes about is in line.hpp.
#pragma once

#include "domain/money.hpp"
#include "domain/result.hpp"

#include <memory>
#include <optional>
#include <string>

namespace accrue::rating {

/// What lines add up to, in minor units of one currency. Source: invoicing.md 2.8.
struct totals {
  int128 amount = 0;  ///< regular lines, before discounts
  int128 charges = 0; ///< commitments that usage did not reach
  int128 discounts = 0;
  int128 taxes_inclusive = 0; ///< contained in the amounts already
  int128 taxes_exclusive = 0; ///< comes on top
  int128 credits = 0;

  [[nodiscard]] int128 taxes() const noexcept { return taxes_inclusive + taxes_exclusive; }
  [[nodiscard]] int128 total() const noexcept {
    return amount + charges + taxes_exclusive - discounts - credits;
  }
  /// What later parts of the same period count as billed: before credits, without commitments (D23).
  [[nodiscard]] int128 net() const noexcept { return amount - discounts; }

  totals& operator+=(const totals& other) noexcept;
  friend bool operator==(const totals&, const totals&) = default;
};

/// A customer's rate of tax; a customer without one pays none (D26).
class tax_rate {
public:
  /// errc: validation for a rate outside 0..1 (0.1 is 10 %, D58) or an empty name.
  [[nodiscard]] static result<tax_rate> make(std::string name, decimal fraction);

  /// Back from the journal, without checking it again.
  [[nodiscard]] static tax_rate restored(std::string name, decimal fraction) {
    return tax_rate(std::move(name), fraction);
  }

  [[nodiscard]] const std::string& name() const noexcept { return agreed_->name; }
  [[nodiscard]] const decimal& fraction() const noexcept { return agreed_->fraction; }

  friend bool operator==(const tax_rate& a, const tax_rate& b) noexcept {
    return a.agreed_ == b.agreed_ || *a.agreed_ == *b.agreed_;
  }

private:
  struct terms {
    std::string name;
    decimal fraction;

    friend bool operator==(const terms&, const terms&) = default;
  };

  tax_rate(std::string name, decimal fraction)
      : agreed_(std::make_shared<const terms>(terms{std::move(name), fraction})) {}

  /// Shared by a customer and its invoices: whoever has no rate, as most have none, keeps no room for one.
  std::shared_ptr<const terms> agreed_;
};

/// The tax line of an invoice.
struct tax {
  tax_rate rate;
  int128 base = 0;
  int128 amount = 0; ///< round(base × rate), once for the whole invoice

  friend bool operator==(const tax&, const tax&) = default;
};

/// The tax on an invoice whose lines add up to `lines`. Its base is what is left to pay after
/// discounts and credits: credit was taxed when it was bought, by the purchase line being an ordinary
/// line of its invoice (D53). Empty without a rate, and where nothing is left to pay. errc: overflow.
[[nodiscard]] result<std::optional<tax>>
tax_on(const totals& lines, const std::optional<tax_rate>& rate, currency c);

/// The invoice's totals: those of its lines with the tax on top.
[[nodiscard]] totals with_tax(totals lines, const std::optional<tax>& t) noexcept;

} // namespace accrue::rating
