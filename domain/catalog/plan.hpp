// What a seller offers: meters, features, plans with phases and rate cards, add-ons. Values; a
// `product::catalog` is one that was checked as a whole. What an offer costs is in quote.hpp.
#pragma once

#include "domain/charges/flat_fee.hpp"
#include "domain/money.hpp"
#include "domain/rating/price.hpp"
#include "domain/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace accrue::product {

enum class aggregation : std::uint8_t { sum = 1, count, min, max, avg, unique_count, latest };

[[nodiscard]] std::string_view to_string(aggregation a) noexcept;

/// What is counted of events.
struct meter {
  std::string key;
  product::aggregation aggregation = product::aggregation::sum;
  std::string unit; ///< for people

  /// Whether its value only rises within a period, so that parts of it may be billed.
  [[nodiscard]] bool only_rises() const noexcept;
  friend bool operator==(const meter&, const meter&) = default;
};

/// What is sold, and which meter tells how much of it was used.
struct feature {
  std::string key;
  std::string meter; ///< empty: it is not metered
  bool archived = false;

  friend bool operator==(const feature&, const feature&) = default;
};

/// How often something recurs: months, or hours. Exactly one of them is above 0.
class cadence {
public:
  /// A month.
  cadence() = default;
  /// "P1M", "P1Y" (twelve months), "P2W", "P1D", "PT1H". errc: validation.
  [[nodiscard]] static result<cadence> parse(std::string_view text);

  [[nodiscard]] int months() const noexcept { return months_; }
  [[nodiscard]] std::int64_t hours() const noexcept { return hours_; }
  /// Whether one of both goes into the other without a rest.
  [[nodiscard]] bool aligned_with(const cadence& other) const noexcept;
  /// Months as "P3M"; hours as weeks, days or hours, whichever is whole.
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const cadence&, const cadence&) = default;

private:
  cadence(int months, std::int64_t hours) : months_(months), hours_(hours) {}

  int months_ = 1;
  std::int64_t hours_ = 0;
};

enum class card_type : std::uint8_t { flat_fee = 1, usage_based };

[[nodiscard]] std::string_view to_string(card_type t) noexcept;

/// One thing on a plan's price list.
struct rate_card {
  std::string key;
  std::string name;    ///< as it stands on invoices; empty: the key
  std::string feature; ///< empty: none
  card_type type = card_type::flat_fee;
  std::optional<rating::tariff> tariff;    ///< none: free of charge, and not billed
  std::optional<product::cadence> cadence; ///< none: once
  decimal included;                        ///< quantity of each period that costs nothing

  friend bool operator==(const rate_card&, const rate_card&) = default;
};

struct phase {
  std::string key;
  std::string name;
  std::optional<product::cadence> duration; ///< none: to the end, only of the last one
  std::vector<rate_card> rate_cards;

  friend bool operator==(const phase&, const phase&) = default;
};

/// What an instant says of a plan's effective range. At its first instant a plan is active, at its
/// last one archived (ranges are half-open, D4).
enum class plan_status : std::uint8_t { draft = 1, scheduled, active, archived };

[[nodiscard]] std::string_view to_string(plan_status s) noexcept;

/// One version of a plan.
struct plan {
  std::string key;
  std::uint32_t version = 1;
  std::string name;
  accrue::currency currency;
  product::cadence billing_cadence;
  bool prorate = true; ///< flat fees of a shortened period are charged in proportion
  settlement_mode mode = settlement_mode::credit_then_invoice;
  std::optional<instant> effective_from; ///< none: a draft
  std::optional<instant> effective_to;
  std::vector<phase> phases;
  std::vector<std::string> add_ons; ///< keys of those that can be taken with it

  [[nodiscard]] plan_status status(instant now) const noexcept;
  friend bool operator==(const plan&, const plan&) = default;
};

/// Something that is taken beside a plan.
struct add_on {
  std::string key;
  std::string name;
  accrue::currency currency;
  bool multiple = false; ///< may be taken several times; then it has flat prices only
  std::vector<rate_card> rate_cards;

  friend bool operator==(const add_on&, const add_on&) = default;
};

/// All of it, as it is written down.
struct listing {
  std::vector<meter> meters;
  std::vector<feature> features;
  std::vector<add_on> add_ons;
  std::vector<plan> plans;

  friend bool operator==(const listing&, const listing&) = default;
};

/// How long the lists of an offer may be: nobody reads more, and each is looked at as a whole.
inline constexpr std::size_t rate_cards_max = 200;
inline constexpr std::size_t phases_max = 100;
inline constexpr std::size_t add_ons_max = 100;

/// A listing that holds together; empty at first. Source: invoicing.md 1.1 to 1.9.
class catalog {
public:
  catalog() = default;
  /// Instants are floored to seconds (D3). errc: validation; the subject is the place of the first fault, written as in a document of the
  /// listing: "plans[0].phases[1].rate_cards[2].cadence".
  [[nodiscard]] static result<catalog> make(listing l);
  /// Back from the journal, without checking it again: only for what was written from a catalog that
  /// `make` had made. What is checked may grow; what was taken once stays.
  [[nodiscard]] static catalog restored(listing l) { return catalog(std::move(l)); }

  [[nodiscard]] const listing& all() const noexcept { return all_; }
  /// Null where there is none.
  [[nodiscard]] const add_on* find_add_on(std::string_view key) const noexcept;
  [[nodiscard]] const plan* find_plan(std::string_view key, std::uint32_t version) const noexcept;
  /// The highest version of a plan; null where there is none.
  [[nodiscard]] const plan* latest_plan(std::string_view key) const noexcept;
  /// The version that is effective at an instant, else the latest one; null where there is none.
  [[nodiscard]] const plan* plan_at(std::string_view key, instant at) const noexcept;

  friend bool operator==(const catalog&, const catalog&) = default;

private:
  explicit catalog(listing l) : all_(std::move(l)) {}

  listing all_;
};

/// Whether `next` may take the place of `now_valid`: what people may rely on stays. A plan version that is
/// active stays as it is, with the add-ons, features and meters that it uses, but for an end that it gets
/// from `now` on and further add-ons to choose from. One that is archived may leave unless it is its plan's
/// latest, not change. A new version has a higher number than all there are. errc: conflict, the subject
/// being the place in `next`; validation where a plan that does not count yet has an archived feature.
/// Source: invoicing.md 1.2, 1.4, 1.9.
[[nodiscard]] result<void>
check_succession(const catalog& now_valid, const catalog& next, instant now);

} // namespace accrue::product
