// A value that few owners have: a pointer where there is one, and no room where there is none.
#pragma once

#include <memory>

namespace accrue {

/// Reads, copies and compares like a T; one that equals T{} may take no memory. An idle customer is small
/// because what it does not have costs eight bytes.
template <class T>
class rare {
public:
  rare() = default;
  rare(const rare& other) : held_(other.held_ ? std::make_unique<T>(*other.held_) : nullptr) {}
  rare(rare&&) noexcept = default;
  rare& operator=(rare other) noexcept {
    held_.swap(other.held_);
    return *this;
  }
  ~rare() = default;

  [[nodiscard]] const T& operator*() const noexcept { return held_ ? *held_ : nothing(); }
  [[nodiscard]] const T* operator->() const noexcept { return &**this; }
  /// To change it; `trim` afterwards where it may have become T{}.
  [[nodiscard]] T& edit() {
    if (!held_)
      held_ = std::make_unique<T>();
    return *held_;
  }
  void trim() {
    if (held_ && *held_ == nothing())
      held_.reset();
  }

  friend bool operator==(const rare& a, const rare& b) { return *a == *b; }

private:
  static const T& nothing() noexcept {
    static const T none{};
    return none;
  }
  std::unique_ptr<T> held_;
};

} // namespace accrue
