# How everything is compiled: language, warnings, sanitizers, compiler cache, linker.
# What is compiled stands in the root CMakeLists.txt.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(ACCRUE_GENERATED_DIR "${PROJECT_BINARY_DIR}/generated")

# Line tables are all that a backtrace needs; full debug information costs a quarter of the build.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g")

add_library(accrue_warnings INTERFACE)
target_compile_options(accrue_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wswitch-enum
  $<$<BOOL:${ACCRUE_WERROR}>:-Werror>)

# __FILE__ is relative to the repository, with ccache (which passes relative paths) and without: what
# ENSURE says reads the same everywhere, and two checkouts share the compiler cache.
cmake_path(RELATIVE_PATH PROJECT_SOURCE_DIR
  BASE_DIRECTORY "${PROJECT_BINARY_DIR}" OUTPUT_VARIABLE up)
add_compile_options("-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=" "-fmacro-prefix-map=${up}/=")

if(ACCRUE_SANITIZE)
  set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1") # as above: line tables are all that a report needs
  # CAF 0.17 binds null references in its own headers (init_fun_factory.hpp), hence no-sanitize=null.
  add_compile_options(-fsanitize=${ACCRUE_SANITIZE} -fno-sanitize=null -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  # g++ 12 loses track of initialisation in instrumented code (std::regex alone gives several).
  add_compile_options(-Wno-maybe-uninitialized)
  if(ACCRUE_SANITIZE MATCHES thread)
    # Asio's fences, of which ThreadSanitizer knows nothing; its mutexes say the same.
    add_compile_options(-Wno-tsan)
  endif()
  add_link_options(-fsanitize=${ACCRUE_SANITIZE})
endif()

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
    "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1
    CCACHE_SLOPPINESS=pch_defines,time_macros "${CCACHE}")
endif()

find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
