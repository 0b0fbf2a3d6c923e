// Connections that stay within one machine.
#pragma once

namespace accrue::wire {

/// Takes the pacing from a connection whose other end is on this machine, and leaves others as they are.
///
/// Where BBR is the system's congestion control, each write of a connection is timed to a rate that the
/// network is believed to carry. On the loopback there is none, and the timers cost a tenth of what the
/// server can do with small answers. Best effort: a system that does not allow it stays as it was.
void unpace_loopback(int socket) noexcept;

} // namespace accrue::wire
