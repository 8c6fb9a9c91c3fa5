// SPDX-License-Identifier: Apache-2.0

/// The time by which the supervisor judges others: monotonic, but its own pauses do not pass.
///
/// A supervisor that was stopped, or starved of CPU, has not seen what the workers did meanwhile; they were often
/// stopped with it. So a tick that comes late by more than ``toleranceNanoseconds`` counts as one that came in time, and
/// every deadline measured on this clock moves along.
public struct SuspendFreeClock: Sendable {
    /// How often the supervisor looks: a quarter of a second, as often as workers beat.
    public static let tickNanoseconds: UInt64 = 250_000_000
    /// A tick that is later than this was a pause of ours.
    public static let toleranceNanoseconds: UInt64 = 1_000_000_000

    /// Nanoseconds that have passed on this clock.
    public private(set) var nowNanoseconds: UInt64
    /// Nanoseconds of pauses left out so far.
    public private(set) var pausedNanoseconds: UInt64 = 0
    private var lastMonotonic: UInt64

    /// - Parameter nowNanoseconds: where a predecessor's clock stood; its pauses stay left out.
    public init(monotonicNanoseconds: UInt64, nowNanoseconds: UInt64? = nil) {
        self.nowNanoseconds = nowNanoseconds ?? monotonicNanoseconds
        lastMonotonic = monotonicNanoseconds
    }

    /// To be called at each turn of the loop; returns the length of the pause that was left out, 0 if there was none.
    @discardableResult
    public mutating func advance(monotonicNanoseconds: UInt64) -> UInt64 {
        guard monotonicNanoseconds > lastMonotonic else { return 0 }
        let passed = monotonicNanoseconds - lastMonotonic
        lastMonotonic = monotonicNanoseconds
        let limit = Self.tickNanoseconds + Self.toleranceNanoseconds
        let counted = passed > limit ? Self.tickNanoseconds : passed
        nowNanoseconds += counted
        pausedNanoseconds += passed - counted
        return passed - counted
    }
}
