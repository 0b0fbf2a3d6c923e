// How processes around a PostgreSQL server are started, recognised and ended: fork, exec, /proc,
// signals. Which files they work on is in embedded_cluster.cpp.
#include "persistence/postgres_process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

namespace accrue::postgres {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

result<account> server_account() {
  if (::geteuid() != 0)
    return account{::geteuid(), ::getegid(), {}, false};
  const passwd* const found = ::getpwnam("postgres");
  if (found == nullptr)
    return refuse(
        errc::storage_unavailable,
        "PostgreSQL refuses to run as root, and there is no user 'postgres' to run it as: "
        "create that user or start this program as another one");
  int count = 64;
  std::vector<gid_t> groups(64);
  ::getgrouplist("postgres", found->pw_gid, groups.data(), &count);
  groups.resize(static_cast<std::size_t>(std::clamp(count, 0, 64)));
  return account{found->pw_uid, found->pw_gid, std::move(groups), true};
}

pid_t spawn(const std::vector<std::string>& command, const account& as, int output, bool tied) {
  std::vector<char*> argv;
  for (const std::string& it : command)
    argv.push_back(const_cast<char*>(it.c_str()));
  argv.push_back(nullptr);
  // A signal that reaches the child before it is another program must not run a handler of ours, which
  // may share a pipe with us: none comes in until there are none.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t child = ::fork();
  if (child != 0) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return child;
  }
  // Only calls that are safe between fork and exec from here on.
  ::setsid();
  for (int number = 1; number < NSIG; ++number)
    ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int input = ::open("/dev/null", O_RDONLY);
  const bool ready = input >= 0 && ::dup2(input, 0) >= 0 && ::dup2(output, 1) >= 0 &&
                     ::dup2(output, 2) >= 0 && ::chdir("/") == 0 &&
                     (!as.changed || (::setgroups(as.groups.size(), as.groups.data()) == 0 &&
                                      ::setresgid(as.group, as.group, as.group) == 0 &&
                                      ::setresuid(as.user, as.user, as.user) == 0));
  // A socket of ours that a server holds would stay open, and its port taken, after our end.
  ::close_range(3, ~0U, 0);
  // Changing the user clears this, so it comes last.
  if (tied)
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
  if (ready)
    ::execv(argv[0], argv.data());
  ::_exit(127);
}

finished run(const std::vector<std::string>& command, const account& as) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return {127, std::strerror(errno)};
  open_file reading(ends[0]);
  open_file writing(ends[1]);
  const pid_t child = spawn(command, as, writing.get());
  if (child < 0)
    return {127, std::strerror(errno)};
  writing = open_file(); // else the end of the output would never be seen
  std::string output;
  char chunk[4096];
  for (;;) {
    const ssize_t got = ::read(reading.get(), chunk, sizeof chunk);
    if (got > 0)
      output.append(chunk, static_cast<std::size_t>(got));
    if (got == 0 || (got < 0 && errno != EINTR))
      break;
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  while (!output.empty() && output.back() == '\n')
    output.pop_back();
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128, std::move(output)};
}

std::string slurp(const fs::path& path, std::uintmax_t from) {
  std::ifstream in(path, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(from));
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

pid_file read_pid_file(const fs::path& data) {
  std::istringstream lines(slurp(data / "postmaster.pid"));
  pid_file out;
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (number == 1)
      out.pid = static_cast<pid_t>(std::strtol(line.c_str(), nullptr, 10));
    if (number == 8)
      out.ready = line.starts_with("ready");
  }
  return out;
}

namespace {

/// While it lives, this thread (and no other) looks at files and processes as the owner of a directory does. Where
/// another user's process works may otherwise be read only with CAP_SYS_PTRACE, which root in a container
/// does not have.
class owners_eyes {
public:
  explicit owners_eyes(const fs::path& directory) {
    struct stat about {};
    if (::geteuid() != 0 || ::stat(directory.c_str(), &about) != 0)
      return;
    group_ = ::setfsgid(about.st_gid);
    user_ = ::setfsuid(about.st_uid);
  }
  ~owners_eyes() {
    if (user_ >= 0)
      ::setfsuid(static_cast<uid_t>(user_));
    if (group_ >= 0)
      ::setfsgid(static_cast<gid_t>(group_));
  }
  owners_eyes(const owners_eyes&) = delete;
  owners_eyes& operator=(const owners_eyes&) = delete;

private:
  int user_ = -1;
  int group_ = -1;
};

} // namespace

process look_at(pid_t pid, const fs::path& data) {
  if (pid <= 0 || (::kill(pid, 0) != 0 && errno == ESRCH))
    return process::gone;
  const fs::path about = "/proc/" + std::to_string(pid);
  const std::string stat = slurp(about / "stat");
  const auto name_end = stat.rfind(") ");
  if (name_end == std::string::npos)
    return process::gone;
  if (stat[name_end + 2] == 'Z' || stat[name_end + 2] == 'X')
    return process::dying;
  const owners_eyes as_it(data);
  std::error_code failed;
  // A server works from within its data directory.
  const bool ours = fs::equivalent(about / "cwd", data, failed);
  return ours && !failed ? process::our_server : process::a_stranger;
}

namespace {

/// Waits until the process is gone; `child` says that it is ours to reap.
bool wait_for_end(pid_t pid, bool child, const fs::path& data, std::chrono::milliseconds patience) {
  const auto until = clock::now() + patience;
  for (;;) {
    if (child) {
      const pid_t reaped = ::waitpid(pid, nullptr, WNOHANG);
      if (reaped == pid || (reaped < 0 && errno == ECHILD))
        return true;
    } else if (look_at(pid, data) != process::our_server) {
      return true;
    }
    if (clock::now() >= until)
      return false;
    std::this_thread::sleep_for(5ms);
  }
}

} // namespace

std::vector<pid_t> servers_in(const fs::path& data) {
  std::vector<pid_t> found;
  const owners_eyes as_they(data);
  std::error_code failed;
  for (fs::directory_iterator it("/proc", failed), end; !failed && it != end;
       it.increment(failed)) {
    const std::string name = it->path().filename().string();
    const auto pid = static_cast<pid_t>(std::strtol(name.c_str(), nullptr, 10));
    std::error_code unreadable;
    // The program may have been replaced since: "…/postgres (deleted)".
    const auto program = fs::read_symlink(it->path() / "exe", unreadable).filename().string();
    if (pid > 0 && !unreadable && program.starts_with("postgres") &&
        look_at(pid, data) == process::our_server)
      found.push_back(pid);
  }
  return found;
}

bool end_orphans(const fs::path& data) {
  const auto until = clock::now() + 5s;
  for (;;) {
    const auto left = servers_in(data);
    if (left.empty())
      return true;
    if (clock::now() >= until)
      return false;
    for (const pid_t pid : left)
      ::kill(pid, SIGKILL);
    std::this_thread::sleep_for(5ms);
  }
}

bool shut_down(pid_t pid, bool child, const fs::path& data) {
  // Who stands still hears nothing, and the others would wait for it.
  for (const pid_t one : servers_in(data))
    ::kill(one, SIGCONT);
  ::kill(pid, SIGINT);
  if (wait_for_end(pid, child, data, 30s))
    return true;
  ::kill(pid, SIGQUIT);
  if (wait_for_end(pid, child, data, 10s))
    return true;
  ::kill(pid, SIGKILL);
  return wait_for_end(pid, child, data, 10s) && end_orphans(data);
}

} // namespace accrue::postgres
