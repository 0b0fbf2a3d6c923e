// The trial balance of a customer: what stands on each of its sub-accounts, and what that is worth in money.
#pragma once

#include "domain/customer.hpp"
#include "domain/replies.hpp"

namespace accrue {

/// All sub-accounts at `now`, in order of their opening, each with its money where the cost basis is known: balance ×
/// cost basis, rounded (D1); of what was paid, given up or is claimed the balance itself; brokerage is the balancing
/// figure, so that the money of each currency sums to zero. Where rounding has no brokerage to stand on, a last row
/// without a balance has it. Source: D11. errc: overflow.
[[nodiscard]] result<reply::accounts>
trial_balance(const customer& c, const catalog& cat, instant now);

} // namespace accrue
