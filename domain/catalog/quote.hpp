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
  const product::plan* plan = nullptr;
  const rate_card* card = nullptr;
  const add_on* source = nullptr; ///< null: the plan
  rating::rated_line rated;
};

/// How a line is called on an invoice: "Addon: storage_50gb", of an add-on with several prices
/// "Addon: storage_50gb: Setup", else its card's name.
[[nodiscard]] std::string name_of(const priced_line& l);

/// The lines of one billing period before credits and tax: the plan's fees, the add-ons in the order given,
/// what was used above what is included. Where an add-on's card has the key of a priced card of the plan,
/// its flat fee adds to that card's before it is rounded and taken in proportion, and so does what it
/// includes. Fees that are charged once count as if the plan began now. A card that comes to nothing makes
/// no line, and no service time makes no usage. errc: validation for a phase that the plan does not have,
/// an add-on that cannot be taken with it or not several times, two add-ons that charge the same usage, and
/// for usage of a card that is not there (subject: its key); unsupported_operation for a card that recurs
/// at another cadence than the plan is billed; invalid_period; overflow.
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
  /// Takes credit for a line, called for each in order: minor units, at most what the line comes to.
  std::function<result<int128>(const priced_line&)> credit;
};

/// A pool of credit that every line may take from.
[[nodiscard]] std::function<result<int128>(const priced_line&)> any_credit(int128 amount);

/// A plan of `credit_only` comes without tax: its lines reach no invoice. errc: as `lines_of`, and what
/// `credit` refuses.
[[nodiscard]] result<quote> quote_for(const selection& s, const circumstances& c, const payer& p);

} // namespace accrue::product
