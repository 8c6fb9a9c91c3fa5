// SPDX-License-Identifier: Apache-2.0

/// A clock that runs only while this worker reads its sockets. Heartbeats are judged by it: an agent is not late for
/// a pause of ours, be it back-pressure or a machine that stood still.
struct AgentClock {
    /// A tick that comes later than this after the one before counts as a pause of ours.
    static let longestStepNanoseconds: UInt64 = 1_000_000_000

    private(set) var nowNanoseconds: UInt64 = 0
    private var lastTickNanoseconds: UInt64

    init(nowNanoseconds: UInt64) {
        lastTickNanoseconds = nowNanoseconds
        // Not 0: what a predecessor has heard was before.
        self.nowNanoseconds = nowNanoseconds
    }

    /// The time of so long ago.
    func before(_ nanoseconds: UInt64) -> UInt64 { nowNanoseconds - min(nowNanoseconds, nanoseconds) }

    mutating func tick(nowNanoseconds now: UInt64, isReading: Bool) {
        let step = now &- lastTickNanoseconds
        lastTickNanoseconds = now
        if isReading, step <= Self.longestStepNanoseconds { nowNanoseconds += step }
    }
}
