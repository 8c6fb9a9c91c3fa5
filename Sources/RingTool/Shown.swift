// SPDX-License-Identifier: Apache-2.0
import Calendar
import Platform

/// Times and sizes as people read them.
enum Shown {
    /// `2026-11-23T08:12:25.123Z`, the wall clock's time in UTC.
    static func wallTime(_ nanoseconds: Int64) -> String {
        RFC3339.text(EpochTime(nanosecondsSinceEpoch: nanoseconds), fraction: .milliseconds)
    }

    /// How long ago a monotonic time was.
    static func age(_ nanoseconds: UInt64) -> String {
        if nanoseconds == 0 { return "never" }
        let now = MonotonicClock.nowNanoseconds()
        if nanoseconds > now { return "in the future" }
        let milliseconds = (now - nanoseconds) / 1_000_000
        return milliseconds < 10_000 ? "\(milliseconds) ms ago" : "\(milliseconds / 1000) s ago"
    }

    static func size(_ byteCount: Int) -> String {
        var (value, unit) = (byteCount, 0)
        let units = ["bytes", "KiB", "MiB", "GiB"]
        while value >= 10 * 1024, unit < units.count - 1 { (value, unit) = (value / 1024, unit + 1) }
        return "\(value) \(units[unit])"
    }
}
