// Reservations: credit that is held for work whose cost is not known yet. Nothing of it is posted before it is
// settled; the book knows which credit is held.
#pragma once

#include "domain/ledger/book.hpp"

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace accrue {

/// A durable hold on slices of credit. Source: reservations.md.
struct hold {
  std::string reference;
  accrue::currency currency;
  std::string feature;               ///< empty: none
  instant expires_at;                ///< from then on the credit is free
  std::vector<ledger::slice> slices; ///< in collection order

  [[nodiscard]] int128 amount() const noexcept;
  friend bool operator==(const hold&, const hold&) = default;
};

/// How a hold ended.
enum class hold_end : std::uint8_t { settled = 1, released, expired };
[[nodiscard]] std::string_view to_string(hold_end e) noexcept;

/// All holds of a customer, and how the latest ones that are no more ended.
class holds {
public:
  /// As many ends are remembered, to tell why a reservation is not there.
  static constexpr std::size_t ends_max = 64;

  [[nodiscard]] const hold* find(std::string_view reference) const noexcept;
  [[nodiscard]] std::optional<hold_end> ended(std::string_view reference) const noexcept;
  /// Those whose time has come, by expiry.
  [[nodiscard]] std::vector<const hold*> due(instant now) const;
  [[nodiscard]] std::optional<instant> next_expiry() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return open_.size(); }
  [[nodiscard]] std::vector<const hold*> all() const;

  struct end {
    std::string reference;
    hold_end how = hold_end::settled;
    friend bool operator==(const end&, const end&) = default;
  };
  [[nodiscard]] std::span<const end> ends() const noexcept { return ends_; }

  void add(hold h);
  void remove(const std::string& reference, hold_end how);
  void extend(const std::string& reference, instant to);
  /// For a snapshot's reader only.
  void restore_end(end e) { ends_.push_back(std::move(e)); }

  friend bool operator==(const holds& a, const holds& b) {
    return a.open_ == b.open_ && a.ends_ == b.ends_;
  }

private:
  std::map<std::string, hold, std::less<>> open_;
  std::set<std::pair<instant, std::string_view>> by_expiry_; // views of the keys in open_
  std::vector<end> ends_;                                    // oldest first
  void index();

public:
  holds() = default;
  holds(const holds& other) : open_(other.open_), ends_(other.ends_) { index(); }
  holds(holds&&) noexcept = default;
  holds& operator=(holds other) noexcept {
    open_.swap(other.open_);
    by_expiry_.swap(other.by_expiry_);
    ends_.swap(other.ends_);
    return *this;
  }
  ~holds() = default;
};

} // namespace accrue
