# Puts persistence/migrations/*.sql into the library, as names and texts in the order of their numbers.
# Included by the root CMakeLists.txt; run as a script (cmake -P) when the build writes the source.

# Gives the generated files: #include "persistence/embedded_migrations.hpp" declares
# accrue::embedded_migrations(). None as long as there is no migration.
function(accrue_embed_migrations out)
  accrue_glob(migrations persistence/migrations/*.sql)
  set(${out} "" PARENT_SCOPE)
  if(NOT migrations)
    return()
  endif()
  set(header "${ACCRUE_GENERATED_DIR}/persistence/embedded_migrations.hpp")
  set(source "${ACCRUE_GENERATED_DIR}/persistence/embedded_migrations.cpp")
  add_custom_command(
    OUTPUT "${header}" "${source}"
    COMMAND "${CMAKE_COMMAND}" "-DFOLDER=${PROJECT_SOURCE_DIR}/persistence/migrations"
      "-DHEADER=${header}" "-DSOURCE=${source}"
      -P "${PROJECT_SOURCE_DIR}/cmake/embed_migrations.cmake"
    DEPENDS ${migrations} "${PROJECT_SOURCE_DIR}/cmake/embed_migrations.cmake"
    COMMENT "Embedding the migrations"
    VERBATIM)
  set(${out} "${header}" "${source}" PARENT_SCOPE)
endfunction()

if(NOT CMAKE_SCRIPT_MODE_FILE)
  return()
endif()

file(WRITE "${HEADER}" [[
// The migrations of persistence/migrations/, embedded by the build.
// Generated: edit the .sql files.
#pragma once

#include <span>
#include <string_view>

namespace accrue {

/// A migration: its file's name without ".sql" (e.g. "0001_ledger") and its text, byte for byte.
struct embedded_migration {
  std::string_view name;
  std::string_view text;
};

/// All migrations in the order of their names.
[[nodiscard]] std::span<const embedded_migration> embedded_migrations() noexcept;

} // namespace accrue
]])

file(GLOB migrations "${FOLDER}/*.sql")
list(SORT migrations)
set(rows "")
foreach(migration IN LISTS migrations)
  cmake_path(GET migration STEM LAST_ONLY name)
  file(READ "${migration}" text)
  string(APPEND rows "    {\"${name}\", R\"__sql__(${text})__sql__\"},\n")
endforeach()
file(WRITE "${SOURCE}" "// Generated from persistence/migrations/*.sql.
#include \"persistence/embedded_migrations.hpp\"

namespace accrue {
namespace {
constexpr embedded_migration all[] = {
${rows}};
} // namespace

std::span<const embedded_migration> embedded_migrations() noexcept { return all; }

} // namespace accrue
")
