// SPDX-License-Identifier: Apache-2.0
import Glibc

/// CLOCK_MONOTONIC: never set, the same in all processes of the machine. Every time that processes compare is of it.
public enum MonotonicClock {
    /// Nanoseconds since a start that no one but the kernel knows.
    public static func nowNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}
