// What commands about credit lead to: grants and their payments, voids, corrections, recognition, reservations
// and consumption. A part of decisions.hpp, in files of their own.
#pragma once

#include "domain/commands.hpp"
#include "domain/unit.hpp"

#include <string_view>
#include <utility>

namespace accrue {

// Each decides one command on top of the unit; a refusal leaves the unit to be dropped.
[[nodiscard]] result<void> on(unit& u, const command::grant_credit& c);
[[nodiscard]] result<void> on(unit& u, const command::authorize_grant& c);
[[nodiscard]] result<void> on(unit& u, const command::settle_grant& c);
[[nodiscard]] result<void> on(unit& u, const command::void_grant& c);
[[nodiscard]] result<void> on(unit& u, const command::refund_grant& c);
[[nodiscard]] result<void> on(unit& u, const command::write_off_grant& c);
[[nodiscard]] result<void> on(unit& u, const command::correct_charge& c);
[[nodiscard]] result<void> on(unit& u, const command::recognize& c);
[[nodiscard]] result<void> on(unit& u, const command::open_credit& c);
[[nodiscard]] result<void> on(unit& u, const command::open_advance& c);
[[nodiscard]] result<void> on(unit& u, const command::open_balances& c);
[[nodiscard]] result<void> on(unit& u, const command::consume& c);
[[nodiscard]] result<void> on(unit& u, const command::reserve& c);
[[nodiscard]] result<void> on(unit& u, const command::settle_reservation& c);
[[nodiscard]] result<void> on(unit& u, const command::release_reservation& c);
[[nodiscard]] result<void> on(unit& u, const command::extend_reservation& c);

/// Writes down that reservations ended whose time has come: before anything else is decided, so that no rule
/// ever meets one. Source: reservations.md.
void expire_holds(unit& u);

/// What credit of a grant posts with and how long it lives, as this unit sees it.
[[nodiscard]] ledger::grant_of grants_of(const unit& u);

/// What a charge used, from its run, as long as nothing of it was given back, covered or recognised.
[[nodiscard]] std::optional<ledger::realization> from_charge(const charge& c);
/// Whether its invoice has booked what it bills: that is a part of what the charge used from then on.
[[nodiscard]] bool is_booked(const flat_fee::state& s) noexcept;

/// errc: validation for a positive amount's opposite; overflow beyond what sums can bear (D2).
[[nodiscard]] result<money> limited(result<money> m, std::string_view id);
[[nodiscard]] result<money> positive(result<money> m, std::string_view id);
/// The currency of a code, and an amount in it that must be exact and positive.
[[nodiscard]] result<money>
exact_amount(const unit& u, const decimal& amount, std::string_view code, std::string_view id);

} // namespace accrue
