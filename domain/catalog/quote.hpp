// What a plan with add-ons comes to for a period and a usage: the lines of its invoice, before there
// is one. Preview and invoice ask the same functions (D44).
#pragma once

#include "domain/catalog/plan.hpp"
#include "domain/rating/line.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace accrue::product {

/// What somebody has, or might have, of a plan.
struct selection {
  std::reference_wrapper<const product::plan> plan;
  std::size_t phase = 0;
  std::vector<std::reference_wrapper<const add_on>> add_ons; ///< as often as each is taken
};

/// What it is rated with. `service` lies in `full`; where it is shorter, flat fees are charged in
/// proportion if the plan says so.
struct circumstances {
  period service;
  period full;
  /// Metered quantities by the key of the rate card; what is not named was not used.
  std::map<std::string, decimal, std::less<>> usage;
};

enum class line_kind : std::uint8_t { plan_base = 1, add_on, overage };

/// "plan_base", "addon", "overage".
[[nodiscard]] std::string_view to_string(line_kind k) noexcept;

/// One line, and what it is for. Points into the plan and add-ons it was made from.
struct priced_line {
  line_kind kind = line_kind::plan_base;
  const rate_card* card = nullptr;
  const add_on* source = nullptr; ///< null: the plan
  rating::rated_line rated;
};

/// How a line is called on an invoice: "Addon: storage_50gb", else its card's name.
[[nodiscard]] std::string name_of(const priced_line& l);

/// The lines before credits and tax: the plan's fees, the add-ons in the order given, what was used
/// above what is included. An included quantity of an add-on whose card has the key of the plan's and
/// no price adds to that card's. A card that comes to nothing makes no line. errc: validation for a
/// phase that the plan does not have, an add-on that cannot be taken with it or not several times, and
/// for usage of a card that is not there (subject: its key); invalid_period; overflow.
/// Source: invoicing.md 1.7, 1.9, 1.10.
[[nodiscard]] result<std::vector<priced_line>> lines_of(const selection& s, const circumstances& c);

/// Credit that would pay a part, and what is left then.
struct after_credits {
  int128 credits = 0;
  int128 tax = 0;
  int128 total = 0;

  friend bool operator==(const after_credits&, const after_credits&) = default;
};

struct quote {
  std::vector<priced_line> lines;
  rating::totals subtotal;
  std::optional<rating::tax> tax;                      ///< before credits
  std::optional<product::after_credits> after_credits; ///< where a customer's credit is known

  [[nodiscard]] int128 total() const noexcept;
};

/// Who asks: both are empty where nobody is named.
struct payer {
  std::optional<rating::tax_rate> tax;
  std::optional<int128> credit; ///< what could be spent on it, minor units, not below 0
};

/// errc: as `lines_of`.
[[nodiscard]] result<quote> quote_for(const selection& s, const circumstances& c, const payer& p);

} // namespace accrue::product
