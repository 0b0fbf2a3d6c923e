// A grant of credit: what was granted, how far it is paid, and what was taken back. What is left of it
// stands in the book.
#pragma once

#include "domain/ledger/realization.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace accrue {

/// Who pays for a grant: nobody, an earlier system, or the customer outside of invoices.
enum class funding : std::uint8_t { promotional = 1, opening, external };

[[nodiscard]] std::string_view to_string(funding f) noexcept;

/// What few grants have.
struct grant_details {
  instant expires_at = ledger::never;
  sequence recorded_in;              ///< the unit that planned its end
  std::optional<decimal> cost_basis; ///< of what was bought; of opening credit, if it is known
  std::optional<currency> fiat;      ///< what it is bought in
  // The payment, in fiat.
  int128 authorized = 0;
  int128 settled = 0;
  int128 written_off = 0; ///< that nobody will pay
  int128 closed_face = 0; ///< the credit that what is authorised or written off stands for
  // The void.
  std::optional<instant> voided_at;
  int128 voided_unauthorized = 0; ///< face that nobody pays any more
  int128 voided_paid = 0;         ///< face whose payment the customer may have back
  int128 claimed = 0;             ///< fiat of that payment
  int128 refunded = 0;            ///< of it, paid back

  friend bool operator==(const grant_details&, const grant_details&) = default;
};

/// A grant of credit, as recorded.
struct grant {
  grant_id id;
  std::string reference;
  accrue::funding funding = funding::promotional;
  money amount;
  std::uint16_t priority = ledger::default_priority;
  std::vector<std::string> features;
  instant effective_at;
  rare<grant_details> details;

  [[nodiscard]] ledger::lifetime life() const noexcept {
    return {effective_at, details->expires_at};
  }
  [[nodiscard]] std::optional<decimal> cost_basis() const {
    return funding == funding::promotional ? std::optional(decimal{0}) : details->cost_basis;
  }
  /// What it posts with.
  [[nodiscard]] ledger::credit_terms terms() const;

  friend bool operator==(const grant&, const grant&) = default;
};

/// Where a grant stands, seen from outside: voided before expired before pending (balances.md 3.8; D34).
enum class grant_status : std::uint8_t { pending = 1, active, expired, voided };
[[nodiscard]] std::string_view to_string(grant_status s) noexcept;
[[nodiscard]] grant_status status_of(const grant& g, instant now) noexcept;
/// "active.payment.pending", …, "final" (balances.md 3.4).
[[nodiscard]] std::string_view internal_status(const grant& g);
/// "pending", "authorized", "settled"; empty for what nobody buys.
[[nodiscard]] std::string_view payment_status(const grant& g);

namespace purchase {

/// What there is to pay: round(face × cost basis), of all that was granted or of what is not voided unpaid.
/// Source: D64. errc: overflow.
[[nodiscard]] result<money> price(const grant& g);
[[nodiscard]] result<money> price_of_whole(const grant& g);

/// A payment step and what becomes of the grant by it.
struct step {
  ledger::purchase_step posted;
  grant_details after;
};
/// errc: over_authorization for more than is open (D12), validation for nothing or less.
[[nodiscard]] result<step> authorize(const grant& g, int128 fiat);
/// errc: over_settlement for more than is authorised, validation.
[[nodiscard]] result<step> settle(const grant& g, int128 fiat);
/// All that is open; a step of nothing where nothing is. errc: overflow.
[[nodiscard]] result<step> write_off(const grant& g);
/// Takes back as much of what was written off as a payment of `fiat` will need to find open. errc: overflow.
[[nodiscard]] result<step> recover(const grant& g, int128 fiat);
/// The cash that is the customer's again by a void, as far as it was not paid back: what was settled beyond the price of
/// what stays (D59). errc: overflow.
[[nodiscard]] result<money> claim(const grant& g);
/// errc: conflict for more than the claim, validation.
[[nodiscard]] result<step> refund(const grant& g, int128 fiat);

/// What a void does to the payment of a grant of which nothing is written off, in order: an authorisation released, then the unpaid part, then the paid one.
struct voiding {
  ledger::purchase_step released; ///< only with a refund (D59)
  int128 unauthorized = 0;        ///< face
  ledger::purchase_step paid;     ///< face, and the claim in fiat
  int128 rounding = 0; ///< face that the payment so far stands for by the new price (D64)
  money refunded;
  grant_details after;
};
/// `face`: what is left of the credit and goes. Source: D13, D59, D64. errc: overflow.
[[nodiscard]] result<voiding> void_rest(const grant& g, int128 face, bool refund, instant now);

} // namespace purchase

} // namespace accrue
