// What happens in a history, as it happens: a hash over all of it, counts, and lines for a reader.
// And the dice that everything is thrown with.
#pragma once

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace accrue::histories {

/// One seed, one sequence of numbers: the only source of chance in a history.
class dice {
public:
  explicit dice(std::uint64_t seed) : bits_(seed * 0x9e3779b97f4a7c15ULL + 1) {}

  /// 0 … below − 1.
  std::uint64_t pick(std::uint64_t below) { return bits_() % below; }
  /// True once in so many times.
  bool once_in(std::uint64_t times) { return pick(times) == 0; }
  template <class T>
  const T& one_of(const std::vector<T>& from) {
    return from[pick(from.size())];
  }

private:
  std::mt19937_64 bits_;
};

using tally = std::map<std::string, std::uint64_t, std::less<>>;

class chronicle {
public:
  explicit chronicle(bool shown) : shown_(shown) {}

  /// Something happened: `what` is counted, all of it is hashed, `text()` is printed where it is shown.
  template <class Text>
  void tell(std::string_view what, std::initializer_list<std::uint64_t> numbers, Text&& text) {
    for (const char c : what)
      mix(static_cast<unsigned char>(c));
    for (const auto n : numbers)
      mix(n);
    count(what);
    if (shown_)
      std::printf("%s\n", std::string(text()).c_str());
  }
  void count(std::string_view what) {
    const auto it = counts_.find(what);
    ++(it == counts_.end() ? counts_[std::string(what)] : it->second);
  }
  /// Something that must not be.
  void find(std::string what) {
    if (shown_)
      std::printf("FOUND: %s\n", what.c_str());
    findings_.push_back(std::move(what));
  }

  [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }
  [[nodiscard]] const tally& counts() const noexcept { return counts_; }
  [[nodiscard]] const std::vector<std::string>& findings() const noexcept { return findings_; }

private:
  void mix(std::uint64_t n) noexcept { // FNV-1a, a word at a time
    hash_ = (hash_ ^ n) * 1099511628211ULL;
    hash_ ^= hash_ >> 29;
  }

  bool shown_;
  std::uint64_t hash_ = 14695981039346656037ULL;
  tally counts_;
  std::vector<std::string> findings_;
};

} // namespace accrue::histories
