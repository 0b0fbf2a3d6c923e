// The control file and the environment by which the shim gets into PostgreSQL's processes.
#include "tests/faults/faulty_disk.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace accrue::testing {

namespace fs = std::filesystem;

namespace {

void set(std::uint32_t& field, std::uint32_t value) {
  __atomic_store_n(&field, value, __ATOMIC_SEQ_CST);
}

} // namespace

faulty_disk::faulty_disk() {
  fs::create_directories(directory_.path());
  const auto path = (directory_.path() / "disk").string();
  const auto library =
      fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "lib" / "disk_shim.so";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  // For the user that PostgreSQL runs as.
  if (!fs::exists(library) || file < 0 || ::fchmod(file, 0666) != 0 ||
      ::chmod(directory_.path().c_str(), 0755) != 0 || ::ftruncate(file, sizeof *control_) != 0)
    throw std::runtime_error("the disk shim cannot be set up: " + library.string());
  void* const mapped =
      ::mmap(nullptr, sizeof *control_, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (mapped == MAP_FAILED)
    throw std::runtime_error("the disk shim's control file cannot be mapped");
  control_ = static_cast<disk_control*>(mapped);
  ::setenv("LD_PRELOAD", library.c_str(), 1);
  ::setenv(DISK_CONTROL_VARIABLE, path.c_str(), 1);
  // A server with AddressSanitizer insists on being the first library otherwise.
  const char* const given = std::getenv("ASAN_OPTIONS");
  ::setenv("ASAN_OPTIONS",
           (std::string(given == nullptr ? "" : given) + ":verify_asan_link_order=0").c_str(),
           1);
}

faulty_disk::~faulty_disk() {
  heal();
  ::unsetenv("LD_PRELOAD");
  ::unsetenv(DISK_CONTROL_VARIABLE);
  ::munmap(control_, sizeof *control_);
}

void faulty_disk::only(std::string_view part_of_path) {
  if (part_of_path.size() >= sizeof control_->only)
    throw std::invalid_argument("too long a part of a path");
  std::ranges::fill(control_->only, '\0');
  std::ranges::copy(part_of_path, control_->only);
}

void faulty_disk::every(std::uint32_t n) { set(control_->every, n); }
void faulty_disk::delay_syncs(std::chrono::microseconds by) {
  set(control_->sync_delay_us, static_cast<std::uint32_t>(by.count()));
}
void faulty_disk::fail_growth(int error) {
  set(control_->grow_error, static_cast<std::uint32_t>(error));
}
void faulty_disk::fail_writes(int error) {
  set(control_->write_error, static_cast<std::uint32_t>(error));
}
void faulty_disk::fail_syncs(int error) {
  set(control_->sync_error, static_cast<std::uint32_t>(error));
}
void faulty_disk::fail_reads(int error) {
  set(control_->read_error, static_cast<std::uint32_t>(error));
}

void faulty_disk::heal() {
  delay_syncs(std::chrono::microseconds(0));
  fail_growth(0);
  fail_writes(0);
  fail_syncs(0);
  fail_reads(0);
  every(1);
  only("");
}

std::uint64_t faulty_disk::syncs() const {
  return __atomic_load_n(&control_->syncs, __ATOMIC_SEQ_CST);
}
std::uint64_t faulty_disk::failures() const {
  return __atomic_load_n(&control_->failures, __ATOMIC_SEQ_CST);
}

} // namespace accrue::testing
