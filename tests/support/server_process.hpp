// The real server as a process: started on a port of its own choice, stopped, killed, started again.
// What is said to it over its socket is wire_client.hpp's.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace accrue::testing {

/// A data directory for a server, with a cluster in it that no server has used since it was created:
/// making one waits for the disk many times, so it is made once in a test process and copied. Goes
/// away with this object; declare it before the server.
class server_directory {
public:
  server_directory();
  ~server_directory();
  server_directory(const server_directory&) = delete;
  server_directory& operator=(const server_directory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
  std::filesystem::path path_;
};

/// One `accrued`, found beside the test's own program. The destructor leaves nothing running: neither
/// the server nor the PostgreSQL in its data directory, whatever the test did; the directory stays.
/// Should the whole test be killed, the kernel ends the server. For one thread, the test's first.
/// ACCRUE_TEST_THREADS in the environment is the number of its actor threads. A sanitizer's report in
/// what it printed fails the test.
class server_process {
public:
  enum class until : std::uint8_t {
    ready,  ///< the constructor returns when the server takes connections
    spawned ///< and here at once
  };

  /// Starts it on 127.0.0.1, port 0. Throws when it ends or is not ready in a minute; the text is
  /// what it printed.
  explicit server_process(std::filesystem::path data,
                          std::vector<std::string> more_arguments = {},
                          until when = until::ready);
  ~server_process();
  server_process(server_process&&) noexcept;
  /// Both stay what they were, in each other's place.
  server_process& operator=(server_process&& other) noexcept;

  /// Waits for its line "serves … on ADDRESS:PORT". Throws like the constructor.
  void wait_until_ready();
  /// Waits until it has ended: its exit status, or minus the signal. Throws after the patience.
  int wait_for_end(std::chrono::milliseconds patience = std::chrono::seconds(60));
  /// SIGTERM, then the same.
  int stop();
  /// SIGKILL, and gone. Its PostgreSQL stays, as after a real crash.
  void kill();
  /// Starts it again with the same arguments, and for this life with some more; it must have ended.
  void restart(const std::vector<std::string>& this_time = {}, until when = until::ready);
  void signal(int number) const;

  [[nodiscard]] std::uint16_t port() const;
  /// 0 where it has ended and was waited for.
  [[nodiscard]] pid_t pid() const;
  /// Everything it has printed, of all its lives.
  [[nodiscard]] std::string output() const;
  [[nodiscard]] const std::filesystem::path& data() const;
  /// Connection string of the PostgreSQL in its data directory.
  [[nodiscard]] std::string conninfo() const;
  /// Process id of that PostgreSQL; throws where there is none.
  [[nodiscard]] pid_t postmaster() const;
  /// The same; 0 where there is none at the moment.
  [[nodiscard]] pid_t postmaster_now() const;

private:
  struct life;
  std::unique_ptr<life> it_;
};

} // namespace accrue::testing
