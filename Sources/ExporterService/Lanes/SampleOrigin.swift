// SPDX-License-Identifier: Apache-2.0
import Platform

/// How a sample came to this process. Times are monotonic.
enum SampleOrigin: Equatable {
    /// It was seen to come: when it was read, and when ingest had received it. A sample that is copied from one lane into
    /// another stays as old as it is.
    case came(readAtNanoseconds: UInt64, receivedAtNanoseconds: UInt64)
    /// It was in the lane when that was opened: this process, or the lane, is new.
    case found(atNanoseconds: UInt64)
}

/// When records are being read, by both clocks.
struct Reading {
    let nowNanoseconds: UInt64
    let wallNowNanoseconds: Int64
    /// What is current in a lane is looked for, in place of what is new.
    let isRebuild: Bool

    init(isRebuild: Bool) {
        self.isRebuild = isRebuild
        // In this order: a pause between the two makes samples younger, not older.
        wallNowNanoseconds = WallClock.nowNanoseconds()
        nowNanoseconds = MonotonicClock.nowNanoseconds()
    }

    /// - Parameter wallTime: nanoseconds since the epoch. It is brought to the monotonic clock now, when it is young as a
    ///   rule: a step of the wall clock would have to meet just this moment to matter.
    func origin(ofSampleReceivedAt wallTime: Int64) -> SampleOrigin {
        guard !isRebuild else { return .found(atNanoseconds: nowNanoseconds) }
        let age = UInt64(clamping: wallNowNanoseconds.subtractingReportingOverflow(wallTime).partialValue)
        return .came(
            readAtNanoseconds: nowNanoseconds, receivedAtNanoseconds: nowNanoseconds - min(nowNanoseconds, age))
    }
}
