// When accrued value becomes earnings, and how: by command, or at hours that customers plan for themselves.
// Source: D11, D47.
#pragma once

#include "domain/commands.hpp"
#include "domain/unit.hpp"

#include <optional>

namespace accrue {

/// The whole hour since 1970 that a customer recognises value in which may be recognised from `eligible` on: the first
/// of its own, one in every `every` of them. Customers come one after the other, not all at midnight. 0 where no instant
/// is so late.
[[nodiscard]] std::uint32_t
recognition_hour(customer_id c, instant eligible, std::uint32_t every) noexcept;
[[nodiscard]] instant start_of_hour(std::uint32_t hour) noexcept;

/// What a unit has to plan for the value that it accrued, at collection or at the end of its charge's period; nothing
/// where the server recognises by command only, nothing was accrued at a known price, or an earlier hour is planned. Who
/// accrued before the server recognised by itself plans with its next unit, whatever that is.
[[nodiscard]] std::optional<fact::recognition_planned> planned_by(const unit& u);

/// The command of a customer whose hour has come.
[[nodiscard]] std::optional<command::recognize> due_recognition(const customer& c,
                                                                instant now) noexcept;

/// The same, where nothing else of the customer is due: that comes first.
[[nodiscard]] std::optional<command::recognize> only_recognition_due(const customer& c,
                                                                     instant now) noexcept;
/// Whether the unit of a wake-up has nothing that is worth a place in the journal: it came too early, or nothing that is
/// due can be done.
[[nodiscard]] bool does_nothing(const unit& u) noexcept;

/// Units, and realizations, that one command takes; where there are more, the scheduler goes on at once.
inline constexpr std::uint32_t recognized_at_once = 1000;

} // namespace accrue
