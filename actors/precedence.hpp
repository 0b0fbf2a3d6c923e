// Which thread of this process runs first where there are more of them than cores.
#pragma once

#include <optional>

namespace accrue {

/// Lets one thread go before all others for a while; on a machine with one core nobody does. For use on that
/// thread alone.
///
/// Needs the right to it: a limit of nice values (RLIMIT_NICE; LimitNICE= of a systemd unit) or CAP_SYS_NICE.
class precedence {
public:
  /// False where the system does not allow it; then everything stays as it was.
  [[nodiscard]] bool take() noexcept;
  void give_back() noexcept;

private:
  std::optional<int> usual_; ///< nice value, while it is another one
};

} // namespace accrue
