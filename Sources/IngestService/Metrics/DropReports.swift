// SPDX-License-Identifier: Apache-2.0
import Metrics

/// For which causes the log has named an agent whose samples are left out: it sends them again with every answer.
struct DropReports {
    /// Each cause is told of an agent so often.
    static let intervalNanoseconds: UInt64 = 600 * 1_000_000_000

    private var toldAt: [DropCause: UInt64] = [:]

    mutating func isDue(_ cause: DropCause, nowNanoseconds now: UInt64) -> Bool {
        if let before = toldAt[cause], now - min(now, before) < Self.intervalNanoseconds { return false }
        toldAt[cause] = now
        return true
    }
}
