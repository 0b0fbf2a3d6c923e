# Functions that turn a folder into a target: a layer, a program, a test executable, the benchmarks.
# A folder without sources yet gives a target without code, or none; configuring never fails for it.

# Absolute paths of the files that match the patterns, relative to the repository; found again when
# the build starts.
function(accrue_glob out)
  list(TRANSFORM ARGN PREPEND "${PROJECT_SOURCE_DIR}/" OUTPUT_VARIABLE patterns)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${patterns})
  set(${out} ${files} PARENT_SCOPE)
endfunction()

# The library accrue_<name> from <name>/**.cpp and generated sources.
function(accrue_layer name)
  cmake_parse_arguments(arg "" "" "EXTRA_SOURCES;PUBLIC" ${ARGN})
  set(target accrue_${name})
  accrue_glob(sources ${name}/*.cpp)
  list(APPEND sources ${arg_EXTRA_SOURCES})
  if(sources)
    set(scope PUBLIC)
    add_library(${target} STATIC ${sources})
    target_link_libraries(${target} PRIVATE accrue_warnings)
  else()
    set(scope INTERFACE)
    add_library(${target} INTERFACE)
  endif()
  target_include_directories(${target} ${scope} "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${target} ${scope} ${arg_PUBLIC})
  accrue_headers(${target} ${scope} ${name})
endfunction()

# The headers of a folder as the target's, so that each can be compiled alone:
# `cmake --build ... --target all_verify_interface_header_sets`.
function(accrue_headers target scope folder)
  accrue_glob(headers ${folder}/*.hpp)
  if(headers)
    target_sources(${target} ${scope}
      FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES ${headers})
    set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  endif()
endfunction()

# A precompiled header for the layer's own sources, if it has any.
function(accrue_precompile name)
  get_target_property(type accrue_${name} TYPE)
  if(NOT type STREQUAL "INTERFACE_LIBRARY")
    target_precompile_headers(accrue_${name} PRIVATE ${ARGN})
    target_compile_options(accrue_${name} PRIVATE -fpch-preprocess) # for ccache
  endif()
endfunction()

# The allocator of the programs and the benchmarks; sanitizers bring their own.
function(accrue_link_allocator target)
  if(NOT ACCRUE_SANITIZE)
    target_link_libraries(${target} PRIVATE PkgConfig::JEMALLOC)
  endif()
endfunction()

# The program apps/<name>.cpp with apps/<name>/**.cpp and the other sources named, with dashes.
function(accrue_program name)
  set(main "${PROJECT_SOURCE_DIR}/apps/${name}.cpp")
  accrue_glob(sources apps/${name}.cpp apps/${name}/*.cpp ${ARGN})
  if(NOT main IN_LIST sources)
    return()
  endif()
  string(REPLACE _ - output ${name})
  set(target program_${name})
  add_executable(${target} ${sources})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${output})
  target_compile_definitions(${target} PRIVATE ACCRUE_VERSION="${PROJECT_VERSION}")
  target_link_libraries(${target} PRIVATE
    accrue_warnings ${ACCRUE_PROGRAM_LIBRARIES})
  accrue_link_allocator(${target})
  add_dependencies(programs ${target})
endfunction()

# The test executable test_<name> from tests/<name>/**.cpp.
# UNIT: what the asan preset builds and runs. THREADS: what the tsan preset does. SERIAL: not beside
# other tests.
# TIMEOUT: seconds; sanitizers get five times as many.
function(accrue_test name)
  cmake_parse_arguments(arg "UNIT;THREADS;SERIAL" "TIMEOUT" "SOURCES;LINK" ${ARGN})
  set(target test_${name})
  if(arg_SOURCES)
    set(sources ${arg_SOURCES})
  else()
    accrue_glob(sources tests/${name}/*.cpp)
  endif()
  if(NOT sources)
    return()
  endif()
  add_executable(${target} ${sources})
  # Both are relative to the repository, where ctest starts the tests: absolute paths would keep
  # checkouts from sharing the compiler cache. A test that changes its directory resolves them first.
  cmake_path(RELATIVE_PATH CMAKE_RUNTIME_OUTPUT_DIRECTORY
    BASE_DIRECTORY "${PROJECT_SOURCE_DIR}" OUTPUT_VARIABLE bin_dir)
  target_compile_definitions(${target} PRIVATE
    ACCRUE_SOURCE_DIR="." ACCRUE_BIN_DIR="${bin_dir}" ACCRUE_VERSION="${PROJECT_VERSION}")
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${target} PRIVATE
    accrue_warnings ${arg_LINK} nlohmann_json::nlohmann_json Catch2::Catch2WithMain rapidcheck)

  add_test(NAME ${name} COMMAND ${target} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  if(ACCRUE_SANITIZE)
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 5")
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} RUN_SERIAL ${arg_SERIAL})
  if(arg_UNIT)
    set_tests_properties(${name} PROPERTIES LABELS unit)
    add_dependencies(unit_tests ${target})
  endif()
  if(arg_THREADS)
    set_property(TEST ${name} APPEND PROPERTY LABELS threads)
    add_dependencies(threaded_tests ${target})
  endif()
endfunction()

# One executable per bench/*.cpp.
function(accrue_benchmarks)
  find_package(benchmark REQUIRED)
  accrue_glob(sources bench/*.cpp)
  foreach(source IN LISTS sources)
    cmake_path(GET source STEM stem)
    set(target bench_${stem})
    add_executable(${target} "${source}")
    target_link_libraries(${target} PRIVATE accrue_warnings accrue_actors benchmark::benchmark)
    accrue_link_allocator(${target})
  endforeach()
endfunction()
