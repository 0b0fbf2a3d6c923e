# Generates and compiles protocol/accrue/v1/*.proto, in the build folder only.
# Gives a library; its headers are "accrue/v1/<name>.pb.h", as the .proto files import each other.
function(accrue_protobuf_wire target)
  accrue_glob(protos protocol/accrue/*.proto)
  if(NOT protos)
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE protobuf::libprotobuf)
    return()
  endif()

  # The lite runtime is enough, and smaller, when every file asks for it.
  set(runtime protobuf::libprotobuf-lite)
  foreach(proto IN LISTS protos)
    file(STRINGS "${proto}" lite REGEX "^ *option +optimize_for *= *LITE_RUNTIME")
    if(NOT lite)
      set(runtime protobuf::libprotobuf)
    endif()
  endforeach()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${protos})

  set(proto_dir "${PROJECT_SOURCE_DIR}/protocol")
  set(out_dir "${ACCRUE_GENERATED_DIR}/protocol")
  set(sources "")
  foreach(proto IN LISTS protos)
    cmake_path(RELATIVE_PATH proto BASE_DIRECTORY "${proto_dir}" OUTPUT_VARIABLE name)
    cmake_path(REMOVE_EXTENSION name LAST_ONLY)
    list(APPEND sources "${out_dir}/${name}.pb.cc" "${out_dir}/${name}.pb.h")
  endforeach()
  file(MAKE_DIRECTORY "${out_dir}")
  # All in one call: protoc reads the imports anyway, and the files change together.
  add_custom_command(
    OUTPUT ${sources}
    COMMAND protobuf::protoc --proto_path "${proto_dir}" --cpp_out "${out_dir}" ${protos}
    DEPENDS ${protos}
    COMMENT "Generating the wire types"
    VERBATIM)
  add_library(${target} STATIC ${sources})
  target_compile_options(${target} PRIVATE -w) # not ours to mend
  # SYSTEM: nor are warnings in the generated headers.
  target_include_directories(${target} SYSTEM PUBLIC "${out_dir}")
  target_link_libraries(${target} PUBLIC ${runtime})
endfunction()
