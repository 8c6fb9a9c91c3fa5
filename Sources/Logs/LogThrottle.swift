// SPDX-License-Identifier: Apache-2.0

/// Keeps a message that repeats from filling the log, and says how often it was kept back.
///
///     if let suppressed = throttle.admit(now) { logger.warning("…", metadata: ["suppressed": "\(suppressed)"]) }
public struct LogThrottle: Sendable {
    /// Lines let through in one interval.
    public let burst: Int
    public let intervalNanoseconds: UInt64

    private var intervalStart: UInt64?
    private var admitted = 0
    private var suppressed = 0

    public init(burst: Int = 5, interval: Duration = .seconds(10)) {
        self.burst = burst
        let (seconds, attoseconds) = interval.components
        intervalNanoseconds = UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, attoseconds / 1_000_000_000))
    }

    /// How many were kept back since the last that was let through, if this one may go; `nil`: keep it back.
    /// `nowNanoseconds` is monotonic.
    public mutating func admit(_ nowNanoseconds: UInt64) -> Int? {
        if let start = intervalStart, nowNanoseconds >= start, nowNanoseconds - start < intervalNanoseconds {
            guard admitted < burst else {
                suppressed += 1
                return nil
            }
        } else {
            intervalStart = nowNanoseconds
            admitted = 0
        }
        admitted += 1
        defer { suppressed = 0 }
        return suppressed
    }

    /// What was kept back and not told yet; told now. For an end or a periodic summary, so that nothing stays silent.
    public mutating func takeSuppressed() -> Int {
        defer { suppressed = 0 }
        return suppressed
    }
}
