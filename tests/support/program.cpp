// A program's run through the shell, with files for what goes in and comes out. See program.hpp.
#include "tests/support/program.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace accrue::testing {

namespace fs = std::filesystem;

scratch_directory::scratch_directory() {
  std::string name = fs::temp_directory_path() / "accrue-cli-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr)
    throw std::runtime_error("no temporary directory");
  path_ = name;
}

scratch_directory::~scratch_directory() { fs::remove_all(path_); }

std::string contents(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

program_outcome
run_program(const std::string& program, const std::string& arguments, const std::string& input) {
  const scratch_directory here;
  const auto& path = here.path();
  std::ofstream(path / "in") << input;
  const auto programs = fs::read_symlink("/proc/self/exe").parent_path();
  const std::string command = "cd '" + path.string() +
                              "' && env -u ACCRUE_SERVER -u ACCRUE_NAMESPACE " +
                              "-u ACCRUE_DATA_DIR HOME=/nowhere '" + (programs / program).string() +
                              "' " + arguments + " <in >out 2>err";
  const int status = std::system(command.c_str());
  return {WEXITSTATUS(status), contents(path / "out"), contents(path / "err")};
}

} // namespace accrue::testing
