// Processes around a PostgreSQL server: starting one under the right account, recognising one that
// was left behind, ending it. What the cluster's directory looks like is in embedded_cluster.cpp.
#pragma once

#include "domain/result.hpp"

#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace accrue::postgres {

/// A file descriptor that is closed at the end.
class open_file {
public:
  open_file() noexcept = default;
  explicit open_file(int descriptor) noexcept : descriptor_(descriptor) {}
  open_file(open_file&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  open_file& operator=(open_file&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~open_file() {
    if (descriptor_ >= 0)
      ::close(descriptor_);
  }
  [[nodiscard]] int get() const noexcept { return descriptor_; }

private:
  int descriptor_ = -1;
};

/// Who the server runs as.
struct account {
  uid_t user;
  gid_t group;
  std::vector<gid_t> groups;
  bool changed; ///< we are root and step down to it
};

/// The present user or, for root, the user `postgres`, because PostgreSQL refuses to run as root.
[[nodiscard]] result<account> server_account();

/// Starts a program in a session of its own, so that an interrupt typed at ours does not reach it,
/// with its output going to `output` and no other descriptor of ours open. -1 when that failed. With
/// `tied` it is sent SIGQUIT when the thread that started it ends, however that ends. From any thread.
[[nodiscard]] pid_t
spawn(const std::vector<std::string>& command, const account& as, int output, bool tied = false);

/// How a program ended (127: it could not be started) and what it said.
struct finished {
  int status;
  std::string output;
};

/// Runs a program to its end.
[[nodiscard]] finished run(const std::vector<std::string>& command, const account& as);

/// The content of a file from an offset on; empty when it cannot be read.
[[nodiscard]] std::string slurp(const std::filesystem::path& path, std::uintmax_t from = 0);

/// The lines of postmaster.pid that matter: its process id and whether it takes connections.
struct pid_file {
  pid_t pid = 0;
  bool ready = false;
};

[[nodiscard]] pid_file read_pid_file(const std::filesystem::path& data);

/// What is known of a process that a pid file names.
enum class process : std::uint8_t { gone, dying, our_server, a_stranger };

[[nodiscard]] process look_at(pid_t pid, const std::filesystem::path& data);

/// Processes that run the program `postgres` from within the data directory and have not ended.
[[nodiscard]] std::vector<pid_t> servers_in(const std::filesystem::path& data);

/// Ends, without mercy, all server processes that work in the data directory, stopped ones included,
/// and waits until they are gone. For processes whose server has died: while one of them is left no
/// new server may use the directory. False when one is still there after five seconds.
[[nodiscard]] bool end_orphans(const std::filesystem::path& data);

/// Continues processes that were stopped, then fast shutdown; after half a minute the immediate one, and ten seconds later SIGKILL (the cluster
/// then recovers at the next start). `child` says that the server is ours to reap. False when it is
/// still there.
[[nodiscard]] bool shut_down(pid_t pid, bool child, const std::filesystem::path& data);

} // namespace accrue::postgres
