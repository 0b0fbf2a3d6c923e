// Which thread of this process runs first where there are more of them than cores.
#pragma once

namespace accrue {

/// Lets one thread go before all others for a while. Made, asked and destroyed on that thread.
///
/// Needs the right to it: a limit of nice values (RLIMIT_NICE; LimitNICE= of a systemd unit) or CAP_SYS_NICE.
class precedence {
public:
  precedence() noexcept;

  /// Takes it or gives it back. False where the system refuses it; then it stays as it was.
  bool set(bool first) noexcept;

private:
  int usual_; ///< nice value
  bool first_ = false;
};

} // namespace accrue
