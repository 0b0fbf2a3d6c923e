// The libFuzzer entry point; not a test by itself. Build with clang++ -fsanitize=fuzzer,address,undefined
// from this file, protocol/*.cpp, domain/**.cpp and the generated accrue/v1/*.pb.cc.
#include "tests/protocol/fuzz_input.hpp"

#include <cstddef>
#include <cstdint>

/// First byte: how the rest is cut into reads; 0: the rest is one payload.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view rest(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  if (bytes[0] == 0)
    accrue::wire::exercise_payload(rest);
  else
    accrue::wire::exercise_stream(rest, bytes[0]);
  return 0;
}
