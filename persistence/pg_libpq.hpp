// What the two halves of the PostgreSQL client share and nobody else may see: libpq's own header,
// errors made from its objects, and the pointer lists it wants. Included by pg.cpp and
// pg_connection.cpp only.
#pragma once

#include "persistence/pg.hpp"

#include <libpq-fe.h>

#include <string>
#include <string_view>
#include <vector>

namespace accrue::pg {

/// What the connection itself last complained about.
[[nodiscard]] error error_of(const PGconn* connection);

/// The error that a statement was answered with.
[[nodiscard]] error error_of(const PGresult* rows);

/// The pointers that libpq wants beside a statement; reused, so that a warm one never allocates.
struct argument_lists {
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;

  void take(const parameters& from) {
    const int count = from.count();
    values.clear();
    lengths.clear();
    formats.assign(static_cast<std::size_t>(count), 1);
    for (int i = 0; i < count; ++i) {
      values.push_back(from.value(i));
      lengths.push_back(std::max(0, from.length(i)));
    }
  }
};

} // namespace accrue::pg
