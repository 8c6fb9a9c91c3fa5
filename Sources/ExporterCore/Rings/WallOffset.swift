// SPDX-License-Identifier: Apache-2.0
import Platform

/// Brings times of the monotonic clock to the wall's, for people. The distance of the two is kept, so that a time that does not
/// change is shown as one, and taken anew when it has moved: the wall clock was set, or it went on while the machine slept.
struct WallOffset {
    /// The time that the wall clock is slewed by in minutes, and that between two looks at two clocks, is not a move.
    static let toleranceNanoseconds: UInt64 = 100_000_000

    private var kept: Int64?

    /// - Returns: nanoseconds since the epoch.
    mutating func wallNanoseconds(ofMonotonic time: UInt64) -> Int64 {
        wallNanoseconds(
            ofMonotonic: time, wallNow: WallClock.nowNanoseconds(), monotonicNow: MonotonicClock.nowNanoseconds())
    }

    mutating func wallNanoseconds(ofMonotonic time: UInt64, wallNow: Int64, monotonicNow: UInt64) -> Int64 {
        let present = wallNow.subtractingClamped(Int64(clamping: monotonicNow))
        let offset: Int64
        if let kept, kept.subtractingClamped(present).magnitude <= Self.toleranceNanoseconds {
            offset = kept
        } else {
            offset = present
        }
        kept = offset
        return Int64(clamping: time) &+ offset
    }
}
