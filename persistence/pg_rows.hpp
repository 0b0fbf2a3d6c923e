// Journal rows as PostgreSQL gives them, for the store's reads.
#pragma once

#include "persistence/pg.hpp"
#include "persistence/store.hpp"

#include <memory>

namespace accrue {

inline constexpr const char* row_columns = "sequence, at, kind, key, content, hash, body";

/// Of a row of `row_columns`.
[[nodiscard]] stored_row row_at(const pg::result& r, int i);

/// (namespace, customer)
[[nodiscard]] std::shared_ptr<pg::parameters> owned_by(customer_key k);

} // namespace accrue
