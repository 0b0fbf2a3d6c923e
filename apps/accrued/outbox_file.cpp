// Lines are made and appended here. See outbox_file.hpp.
#include "apps/accrued/outbox_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>

namespace accrue {
namespace {

std::string json_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += '\\';
    out += c;
  }
  return out;
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t taken = ::write(file, text.data(), text.size());
    if (taken < 0 && errno != EINTR)
      return false;
    if (taken > 0)
      text.remove_prefix(static_cast<std::size_t>(taken));
  }
  return ::fdatasync(file) == 0;
}

} // namespace

outbox_file::outbox_file(const std::filesystem::path& path)
    : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {}

outbox_file::~outbox_file() {
  if (file_ >= 0)
    ::close(file_);
}

std::size_t outbox_file::deliver(std::span<const waiting_message> messages) {
  std::string lines;
  for (const auto& m : messages)
    fmt::format_to(std::back_inserter(lines),
                   R"({{"key":"{}/{}/{}/{}","topic":"{}","customer":"{}","subject":"{}"}})"
                   "\n",
                   m.owner.space.value,
                   m.owner.customer.value,
                   m.sequence.value,
                   m.place,
                   m.topic,
                   json_text(m.reference),
                   json_text(m.subject));
  const std::lock_guard lock(mutex_);
  const off_t end = ::lseek(file_, 0, SEEK_END);
  if (end >= 0 && write_all(file_, lines))
    return messages.size();
  spdlog::error(
      "{} messages cannot leave, the outbox file: {}", messages.size(), std::strerror(errno));
  if (end >= 0 && ::ftruncate(file_, end) != 0)
    spdlog::error("the outbox file has a broken last line: {}", std::strerror(errno));
  return 0;
}

} // namespace accrue
