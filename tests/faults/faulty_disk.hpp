// The disk shim from the tests' side: what it is told while a server runs. See disk_shim.c.
// Which promises hold then is in the tests.
#pragma once

#include "tests/faults/disk_shim.h"
#include "tests/support/temporary_database.hpp"

#include <chrono>
#include <cstdint>
#include <string_view>

namespace accrue::testing {

/// While it lives, every PostgreSQL that is started by this process or by its children has a disk that
/// obeys. One at a time; declare it before the server.
class faulty_disk {
public:
  faulty_disk();
  ~faulty_disk();
  faulty_disk(const faulty_disk&) = delete;
  faulty_disk& operator=(const faulty_disk&) = delete;

  /// Faults from now on meet only files whose path has this in it. At most 63 bytes; while healthy.
  void only(std::string_view part_of_path);
  /// Every `n`-th call fails; 1: each.
  void every(std::uint32_t n);

  void delay_syncs(std::chrono::microseconds by);
  void fail_growth(int error); ///< what would make a file longer
  void fail_writes(int error);
  void fail_syncs(int error);
  void fail_reads(int error);
  /// No faults any more; the filter and the choice of calls are lifted as well.
  void heal();

  [[nodiscard]] std::uint64_t syncs() const;
  [[nodiscard]] std::uint64_t failures() const;

private:
  temporary_directory directory_;
  disk_control* control_ = nullptr;
};

} // namespace accrue::testing
