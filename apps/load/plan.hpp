// What is sent: a pure function of the options, a connection and a counter, so that a later run can
// send the same again. Sockets and clocks are driver.hpp's.
#pragma once

#include "apps/accrue/client.hpp"
#include "apps/load/arrivals.hpp"
#include "domain/decimal.hpp"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace accrue::load {

enum class command_kind : std::uint8_t { consume, balance };

/// The options, with what follows from them.
struct plan {
  client::settings server;
  command_kind kind = command_kind::consume;
  std::uint32_t connections = 64;
  std::uint32_t in_flight = 16; ///< requests of one connection
  std::uint32_t batch = 1;      ///< commands of one request
  std::uint32_t customers = 1000;
  std::chrono::milliseconds duration{10'000}; ///< of one interval
  std::chrono::milliseconds warm_up{1'000};
  std::uint32_t intervals = 1;             ///< measured one after the other
  std::optional<double> rate;              ///< commands/s in total: an open loop
  spacing arrivals_are = spacing::poisson; ///< of the open loop
  std::optional<std::uint64_t> count;      ///< commands in total, instead of the duration
  std::uint64_t ids_from = 0;
  std::uint64_t seed = 1;
  std::string prefix = "load";
  std::string ids; ///< what ids begin with: the prefix, and the run's own mark unless ids are fixed
  std::string amount = "0.01";
  std::string currency = "USD";

  [[nodiscard]] std::string customer(std::uint32_t number) const {
    std::string digits = std::to_string(number);
    if (digits.size() < 6)
      digits.insert(0, 6 - digits.size(), '0');
    return prefix + "-" + digits;
  }

  /// Whose command it is: evenly spread, the same each time.
  [[nodiscard]] std::uint32_t customer_of(std::uint32_t connection,
                                          std::uint64_t counter) const noexcept {
    std::uint64_t x = seed * 0x9E3779B97F4A7C15 + (std::uint64_t{connection} << 40) + counter;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9; // splitmix64
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return static_cast<std::uint32_t>((x ^ (x >> 31)) % customers);
  }

  /// "IDS-CONNECTION-COUNTER", written over what `id` holds.
  void write_id(std::string& id, std::uint32_t connection, std::uint64_t counter) const {
    char digits[24];
    const auto append = [&](std::uint64_t number) {
      const auto end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
      id += '-';
      id.append(std::begin(digits), end);
    };
    id = ids;
    append(connection);
    append(counter);
  }
};

/// What an earlier run was told: the sequence of each acknowledged command.
class record {
public:
  /// Reads a file that `--record` wrote. errc: validation when it was made with other options.
  [[nodiscard]] static result<record> read(const std::string& file, const plan& p);

  /// 0: not acknowledged then.
  [[nodiscard]] std::uint64_t sequence_of(std::uint32_t connection,
                                          std::uint64_t counter) const noexcept {
    const auto& line = sequences_[connection];
    const std::uint64_t place = counter - first_;
    return place < line.size() ? line[place] : 0;
  }
  /// Behind the last command of the connection that was acknowledged.
  [[nodiscard]] std::uint64_t end_of(std::uint32_t connection) const noexcept {
    return first_ + sequences_[connection].size();
  }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

private:
  std::vector<std::vector<std::uint64_t>> sequences_; ///< by connection, from ids_from on
  std::uint64_t first_ = 0;
  std::uint64_t size_ = 0;
};

/// Creates the customers and gives them ample credit; harmless when they are there. Returns when all
/// is durable.
[[nodiscard]] client::outcome<void> set_up(const plan& p);

} // namespace accrue::load
