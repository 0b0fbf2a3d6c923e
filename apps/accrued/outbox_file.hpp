// Where messages leave from the private server: a file of JSON lines that a provider's adapter follows.
// Which messages wait, and that they have left, is the store's business.
#pragma once

#include "persistence/store.hpp"

#include <cstddef>
#include <filesystem>
#include <mutex>
#include <span>

namespace accrue {

/// Lines are on disk before they count as delivered, and one may come twice: each has its key.
class outbox_file {
public:
  explicit outbox_file(const std::filesystem::path& path);
  ~outbox_file();
  outbox_file(const outbox_file&) = delete;
  outbox_file& operator=(const outbox_file&) = delete;

  /// Appends the messages with one write and one fdatasync: how many are on disk, all or none. Where the
  /// disk does not take them, what was begun is cut off again. From any thread.
  [[nodiscard]] std::size_t deliver(std::span<const waiting_message> messages);

private:
  std::mutex mutex_;
  int file_;
};

} // namespace accrue
