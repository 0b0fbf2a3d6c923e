// How a server is started with its output on a pipe, watched by a thread, and taken down.
// Which directory it works in, and what it is asked, is up to the tests.
#include "tests/support/server_process.hpp"

#include "persistence/postgres_process.hpp"
#include "tests/support/temporary_database.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <random>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace accrue::testing {

namespace fs = std::filesystem;

namespace {

constexpr auto patience_to_start = std::chrono::seconds(60);
constexpr auto patience_to_stop = std::chrono::seconds(20);

/// The port in "… serves default on 127.0.0.1:41234".
std::optional<std::uint16_t> announced_port(std::string_view line) {
  const auto colon = line.rfind(':');
  if (line.find(" serves ") == std::string_view::npos || colon == std::string_view::npos)
    return std::nullopt;
  std::uint16_t port = 0;
  const char* const end = line.data() + line.size();
  const auto read = std::from_chars(line.data() + colon + 1, end, port);
  if (read.ec != std::errc() || read.ptr != end)
    return std::nullopt;
  return port;
}

pid_t spawn(const std::vector<std::string>& command, int output) {
  std::vector<char*> argv;
  for (const auto& word : command)
    argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child != 0)
    return child;
  // Only calls that are safe between fork and exec from here on.
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() == parent && ::dup2(output, 1) >= 0 && ::dup2(output, 2) >= 0)
    ::execv(argv[0], argv.data());
  ::_exit(127);
}

} // namespace

server_directory::server_directory() {
  static const temporary_directory pristine;
  if (!fs::exists(pristine.path()) && server_process(pristine.path()).stop() != 0)
    throw std::runtime_error("the first server did not stop cleanly");
  std::random_device seed;
  path_ = pristine.path().string() + fmt::format("-{:08x}", seed());
  const postgres::account self{::geteuid(), ::getegid(), {}, false};
  const auto copied = postgres::run({"/bin/cp", "-a", pristine.path(), path_}, self);
  if (copied.status != 0)
    throw std::runtime_error(copied.output);
}

server_directory::~server_directory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

struct server_process::life {
  std::vector<std::string> command;
  fs::path data;
  pid_t pid = 0;

  std::mutex mutex;
  std::condition_variable changed;
  std::string output;
  std::uint16_t port = 0;
  bool ended = false; ///< its end of the pipe is closed
  std::jthread reader;

  void start(const std::vector<std::string>& this_time = {});
  void read(int from);
  void end_without_mercy() noexcept;
  int reap();
};

void server_process::life::start(const std::vector<std::string>& this_time) {
  auto whole = command;
  whole.insert(whole.end(), this_time.begin(), this_time.end());
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw std::runtime_error("no pipe");
  port = 0;
  ended = false;
  pid = spawn(whole, ends[1]);
  ::close(ends[1]);
  reader = std::jthread([this, from = ends[0]] { read(from); });
  if (pid < 0)
    throw std::runtime_error("no process");
}

void server_process::life::read(int from) {
  std::string line;
  char chunk[4096];
  for (ssize_t got = 0; (got = ::read(from, chunk, sizeof chunk)) != 0;) {
    if (got < 0)
      continue; // interrupted
    const std::lock_guard lock(mutex);
    for (const char c : std::string_view(chunk, static_cast<std::size_t>(got))) {
      if (c != '\n') {
        line += c;
        continue;
      }
      if (const auto found = announced_port(line))
        port = *found;
      output.append(line).append("\n");
      if (std::getenv("ACCRUE_TEST_LOG") != nullptr) // for people who look for what went wrong
        std::fprintf(stderr, "%s\n", line.c_str());
      line.clear();
    }
    changed.notify_all();
  }
  ::close(from);
  const std::lock_guard lock(mutex);
  output += line;
  ended = true;
  changed.notify_all();
}

// After the pipe was closed or a SIGKILL.
int server_process::life::reap() {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  pid = 0;
  reader.join();
  // What a sanitizer found counts, also where a test does not care how the server ended.
  if (output.find("Sanitizer") != std::string::npos ||
      output.find(": runtime error: ") != std::string::npos)
    FAIL_CHECK(output);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void server_process::life::end_without_mercy() noexcept {
  if (pid > 0) {
    ::kill(pid, SIGCONT);
    ::kill(pid, SIGTERM);
    std::unique_lock lock(mutex);
    if (!changed.wait_for(lock, patience_to_stop, [this] { return ended; }))
      ::kill(pid, SIGKILL);
    lock.unlock();
    reap();
  }
  // Another server may hold the directory; then the PostgreSQL in it is not ours to end.
  const postgres::open_file lock(::open((data / "lock").c_str(), O_RDWR | O_CLOEXEC));
  if (lock.get() < 0 || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return;
  const fs::path cluster = data / "data";
  const pid_t left = postgres::read_pid_file(cluster).pid;
  if (postgres::look_at(left, cluster) == postgres::process::our_server)
    (void)postgres::shut_down(left, false, cluster);
}

server_process::server_process(fs::path data, std::vector<std::string> more_arguments, until when)
    : it_(std::make_unique<life>()) {
  it_->data = std::move(data);
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path() / "accrued";
  it_->command = {program.string(), "--data-dir", it_->data.string(), "--listen", "127.0.0.1:0"};
  if (const char* threads = std::getenv("ACCRUE_TEST_THREADS"))
    it_->command.insert(it_->command.end(), {"--threads", threads});
  for (auto& argument : more_arguments)
    it_->command.push_back(std::move(argument));
  try {
    it_->start();
    if (when == until::ready)
      wait_until_ready();
  } catch (...) {
    it_->end_without_mercy();
    throw;
  }
}

server_process::~server_process() {
  if (it_)
    it_->end_without_mercy();
}

server_process::server_process(server_process&&) noexcept = default;

server_process& server_process::operator=(server_process&& other) noexcept {
  std::swap(it_, other.it_);
  return *this;
}

void server_process::wait_until_ready() {
  std::unique_lock lock(it_->mutex);
  const bool told = it_->changed.wait_for(
      lock, patience_to_start, [this] { return it_->port != 0 || it_->ended; });
  if (!told || it_->port == 0)
    throw std::runtime_error((told ? "accrued ended: " : "accrued is not ready: ") + it_->output);
}

int server_process::wait_for_end(std::chrono::milliseconds patience) {
  {
    std::unique_lock lock(it_->mutex);
    if (!it_->changed.wait_for(lock, patience, [this] { return it_->ended; }))
      throw std::runtime_error("accrued does not end: " + it_->output);
  }
  return it_->reap();
}

int server_process::stop() {
  signal(SIGTERM);
  return wait_for_end();
}

void server_process::kill() {
  signal(SIGKILL);
  it_->reap();
}

void server_process::restart(const std::vector<std::string>& this_time, until when) {
  it_->start(this_time);
  if (when == until::ready)
    wait_until_ready();
}

void server_process::signal(int number) const {
  if (it_->pid <= 0 || ::kill(it_->pid, number) != 0)
    throw std::runtime_error("accrued is not running");
}

std::uint16_t server_process::port() const {
  const std::lock_guard lock(it_->mutex);
  return it_->port;
}

pid_t server_process::pid() const { return it_->pid; }

std::string server_process::output() const {
  const std::lock_guard lock(it_->mutex);
  return it_->output;
}

const fs::path& server_process::data() const { return it_->data; }

std::string server_process::conninfo() const {
  return fmt::format("host={} port=5432 user=postgres dbname=postgres",
                     (fs::canonical(it_->data) / "run").string());
}

pid_t server_process::postmaster_now() const {
  return postgres::read_pid_file(it_->data / "data").pid;
}

pid_t server_process::postmaster() const {
  const pid_t found = postmaster_now();
  if (found <= 0)
    throw std::runtime_error("there is no PostgreSQL in " + it_->data.string());
  return found;
}

} // namespace accrue::testing
