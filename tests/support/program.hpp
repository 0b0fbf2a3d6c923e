// Our programs, run to their end by a test: arguments in, exit code and text out. The server is a process
// that stays: server_process.hpp.
#pragma once

#include <filesystem>
#include <string>

namespace accrue::testing {

/// A directory that goes away with the test.
class scratch_directory {
public:
  scratch_directory();
  ~scratch_directory();
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
  std::filesystem::path path_;
};

struct program_outcome {
  int code; ///< exit status
  std::string out;
  std::string err;
};

/// The whole file; empty where there is none.
[[nodiscard]] std::string contents(const std::filesystem::path& file);

/// Runs a program that stands beside the test's own, with arguments as a shell reads them, in an empty
/// directory and without settings of whoever runs the test.
program_outcome run_program(const std::string& program,
                            const std::string& arguments,
                            const std::string& input = {});

} // namespace accrue::testing
