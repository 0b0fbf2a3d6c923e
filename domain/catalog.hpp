// What a namespace defines for all its customers: credit units, the billing profile, what is sold.
// Customers hold it as an immutable snapshot; a change makes a new one.
#pragma once

#include "domain/catalog/plan.hpp"
#include "domain/invoicing/invoice.hpp"
#include "domain/money.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace accrue {

/// A unit of account of the namespace (D63).
struct credit_unit {
  std::string code;
  accrue::currency currency;

  friend bool operator==(const credit_unit&, const credit_unit&) = default;
};

struct catalog {
  std::string namespace_reference;
  std::vector<credit_unit> credit_units; ///< in order of definition; number = 1000 + place
  invoicing::profile profile;
  product::catalog products;
  /// The server's, not the namespace's: customers recognise by themselves once in so many hours; 0: never (D47).
  std::uint32_t recognize_every_hours = 0;

  /// The currency or credit unit of a code. errc: validation, naming the code.
  [[nodiscard]] result<accrue::currency> find_currency(std::string_view code) const;
  /// The code of a currency; never empty for one that was found here.
  [[nodiscard]] std::string_view code(accrue::currency c) const noexcept;
  /// The catalog with one more credit unit. errc: validation for the code or exponent, conflict when
  /// the code is taken.
  [[nodiscard]] result<catalog> with_credit_unit(std::string_view code,
                                                 std::uint8_t exponent) const;

  friend bool operator==(const catalog&, const catalog&) = default;
};

} // namespace accrue
