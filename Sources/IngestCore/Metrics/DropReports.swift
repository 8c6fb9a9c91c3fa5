// SPDX-License-Identifier: Apache-2.0

/// For which causes the log has named an agent of which something is left out: it sends that again with every answer.
struct DropReports<Cause: Hashable> {
    /// Each cause is told of an agent so often.
    static var intervalNanoseconds: UInt64 { 600 * 1_000_000_000 }

    private var toldAt: [Cause: UInt64] = [:]

    mutating func isDue(_ cause: Cause, nowNanoseconds now: UInt64) -> Bool {
        if let before = toldAt[cause], now - min(now, before) < Self.intervalNanoseconds { return false }
        toldAt[cause] = now
        return true
    }
}
