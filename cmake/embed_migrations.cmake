# Puts persistence/migrations/NNNN_name.sql into the library: generates accrue::migrations(), which
# persistence/migrate.hpp declares. Included by the root CMakeLists.txt; run as a script by the build.

# Gives the generated source; none as long as nobody declares the list.
function(accrue_embed_migrations out)
  set(${out} "" PARENT_SCOPE)
  if(NOT EXISTS "${PROJECT_SOURCE_DIR}/persistence/migrate.hpp")
    return()
  endif()
  accrue_glob(migrations persistence/migrations/*.sql)
  set(source "${ACCRUE_GENERATED_DIR}/persistence/migrations.cpp")
  # A removed file changes no date, hence the list as a dependency of its own.
  file(CONFIGURE OUTPUT "${ACCRUE_GENERATED_DIR}/persistence/migrations.txt" CONTENT "${migrations}")
  add_custom_command(
    OUTPUT "${source}"
    COMMAND "${CMAKE_COMMAND}" "-DFOLDER=${PROJECT_SOURCE_DIR}/persistence/migrations"
      "-DSOURCE=${source}" -P "${PROJECT_SOURCE_DIR}/cmake/embed_migrations.cmake"
    DEPENDS ${migrations} "${ACCRUE_GENERATED_DIR}/persistence/migrations.txt"
      "${PROJECT_SOURCE_DIR}/cmake/embed_migrations.cmake"
    COMMENT "Embedding the migrations"
    VERBATIM)
  set(${out} "${source}" PARENT_SCOPE)
endfunction()

if(NOT CMAKE_SCRIPT_MODE_FILE)
  return()
endif()

file(GLOB migrations "${FOLDER}/*.sql")
list(SORT migrations)
set(rows "")
set(last 0)
foreach(migration IN LISTS migrations)
  cmake_path(GET migration STEM LAST_ONLY stem)
  if(NOT stem MATCHES "^0*([1-9][0-9]*)_([a-z0-9_]+)$")
    message(FATAL_ERROR "${migration}: a migration is called NNNN_name.sql")
  endif()
  set(number ${CMAKE_MATCH_1})
  set(name ${CMAKE_MATCH_2})
  if(number LESS_EQUAL last)
    message(FATAL_ERROR "${migration}: two migrations with number ${number}")
  endif()
  set(last ${number})
  file(READ "${migration}" text)
  string(APPEND rows "    {${number}, \"${name}\", R\"__sql__(${text})__sql__\"},\n")
endforeach()

list(LENGTH migrations count)
file(WRITE "${SOURCE}" "// Generated from persistence/migrations/*.sql; edit those.
#include \"persistence/migrate.hpp\"

#include <array>

namespace accrue {
namespace {
constexpr std::array<migration, ${count}> embedded{{
${rows}}};
} // namespace

std::span<const migration> migrations() { return embedded; }

} // namespace accrue
")
