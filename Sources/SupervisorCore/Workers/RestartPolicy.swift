// SPDX-License-Identifier: Apache-2.0
import Platform

/// How long a dead worker waits for its successor: not at all the first time, then longer and longer, so that a worker
/// that cannot live costs little and still gets its chance. Pure; times are those of the ``SuspendFreeClock``.
public struct RestartPolicy: Equatable, Sendable {
    /// The wait after the second death in a row; doubles with each.
    public static let firstDelayNanoseconds: UInt64 = 250_000_000
    /// No wait is longer: the agents come back every 5 s.
    public static let longestDelayNanoseconds: UInt64 = 5_000_000_000
    /// A worker that has served for so long before it died is replaced at once: waiting helps only against what kills at the start, and
    /// while nobody serves a scrape waits.
    public static let steadyNanoseconds: UInt64 = 10_000_000_000
    /// A worker that has served for so long was healthy: its death is a first one again.
    public static let healthyNanoseconds: UInt64 = 60_000_000_000
    /// From so many deaths in a row on the service is degraded.
    public static let degradedDeaths = 3

    /// Deaths in a row, none after a healthy life.
    public private(set) var deathsInRow = 0
    /// Those of them that came soon after the start, one after the other.
    public private(set) var quickDeathsInRow = 0
    /// When the first and the last of them were.
    public private(set) var firstDeathNanoseconds: UInt64 = 0
    public private(set) var lastDeathNanoseconds: UInt64 = 0

    public init() {}

    /// A predecessor's counts.
    init(deathsInRow: Int, quickDeathsInRow: Int, firstDeathNanoseconds: UInt64, lastDeathNanoseconds: UInt64) {
        self.deathsInRow = deathsInRow
        self.quickDeathsInRow = min(quickDeathsInRow, deathsInRow)
        self.firstDeathNanoseconds = firstDeathNanoseconds
        self.lastDeathNanoseconds = lastDeathNanoseconds
    }

    public var isDegraded: Bool { deathsInRow >= Self.degradedDeaths }

    /// Notes a death and says how long to wait, in nanoseconds.
    ///
    /// - Parameter readySince: when it had become ready; `nil` if it never had.
    public mutating func died(readySince: UInt64?, nowNanoseconds: UInt64) -> UInt64 {
        if isHealthy(readySince: readySince, nowNanoseconds: nowNanoseconds) { forget() }
        if let readySince, nowNanoseconds.elapsed(since: readySince) >= Self.steadyNanoseconds { quickDeathsInRow = 0 }
        if deathsInRow == 0 { firstDeathNanoseconds = nowNanoseconds }
        lastDeathNanoseconds = nowNanoseconds
        deathsInRow += 1
        quickDeathsInRow += 1
        return Self.delayNanoseconds(deathsInRow: quickDeathsInRow)
    }

    /// Notes that it lives; after ``healthyNanoseconds`` the deaths before are forgotten.
    public mutating func lives(readySince: UInt64, nowNanoseconds: UInt64) {
        if isHealthy(readySince: readySince, nowNanoseconds: nowNanoseconds) { forget() }
    }

    public static func delayNanoseconds(deathsInRow: Int) -> UInt64 {
        guard deathsInRow > 1 else { return 0 }
        let doublings = deathsInRow - 2
        // Past some doublings the longest holds, and the shift stays small.
        return doublings >= 16
            ? longestDelayNanoseconds : min(longestDelayNanoseconds, firstDelayNanoseconds << doublings)
    }

    private func isHealthy(readySince: UInt64?, nowNanoseconds: UInt64) -> Bool {
        readySince.map { nowNanoseconds.elapsed(since: $0) >= Self.healthyNanoseconds } ?? false
    }

    private mutating func forget() {
        deathsInRow = 0
        quickDeathsInRow = 0
    }
}
