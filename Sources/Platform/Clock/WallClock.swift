// SPDX-License-Identifier: Apache-2.0
import Glibc

/// CLOCK_REALTIME: what is shown to people and written into answers; never compared to find out how long something took.
public enum WallClock {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    public static func nowNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
