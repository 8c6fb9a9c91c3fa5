// SPDX-License-Identifier: Apache-2.0
import Platform

/// How a sample came to this process. Times are monotonic.
enum SampleSource: Equatable {
    /// It was seen to come: when it was read, and when ingest had received it. A sample that is copied from one ring into
    /// another stays as old as it is.
    case came(readAtNanoseconds: UInt64, receivedAtNanoseconds: UInt64)
    /// It was in the ring when that was opened: this process, or the ring, is new.
    case found(atNanoseconds: UInt64)
}

/// When records are being read, by both clocks.
struct Reading {
    let nowNanoseconds: UInt64
    let wallNowNanoseconds: Int64
    /// The current records of a ring are looked for, in place of new ones.
    let isRebuild: Bool

    init(isRebuild: Bool) {
        self.isRebuild = isRebuild
        // In this order: a pause between the two makes samples younger, not older.
        wallNowNanoseconds = WallClock.nowNanoseconds()
        nowNanoseconds = MonotonicClock.nowNanoseconds()
    }

    /// - Parameter wallTime: nanoseconds since the epoch. One that is to come counts as now: the clock was set back since.
    func monotonicNanoseconds(ofWall wallTime: Int64) -> Int64 {
        Int64(clamping: nowNanoseconds).subtractingClamped(max(0, wallNowNanoseconds.subtractingClamped(wallTime)))
    }

    /// - Parameter wallTime: nanoseconds since the epoch. It is brought to the monotonic clock now, when it is young as a
    ///   rule: a step of the wall clock would have to meet just this moment to matter.
    func origin(ofReceivedAt wallTime: Int64) -> SampleSource {
        guard !isRebuild else { return .found(atNanoseconds: nowNanoseconds) }
        let age = UInt64(clamping: wallNowNanoseconds.subtractingClamped(wallTime))
        return .came(
            readAtNanoseconds: nowNanoseconds, receivedAtNanoseconds: nowNanoseconds - min(nowNanoseconds, age))
    }
}

/// When something came that an agent has sent: of two rings that have the like, which has the newer?
struct ReceiveTime {
    var origin: SampleSource
    /// When ingest received it, wall clock, nanoseconds since the epoch.
    var wallNanoseconds: Int64

    /// - Parameter wallNow: nanoseconds since the epoch.
    func isNewer(than other: ReceiveTime, wallNow: Int64) -> Bool {
        // The wall clock may have been set back between the two; this process's own has not.
        if case .came(_, let own) = origin, case .came(_, let others) = other.origin, own != others {
            return own > others
        }
        // A time to come is of before the clock was set back: whatever is not, came later.
        let (isAhead, isOtherAhead) = (wallNanoseconds > wallNow, other.wallNanoseconds > wallNow)
        return isAhead == isOtherAhead ? wallNanoseconds > other.wallNanoseconds : isOtherAhead
    }
}
