// SPDX-License-Identifier: Apache-2.0

/// When an agent reads its node's metrics, and which of these moments it still has: an agent keeps the last values of
/// each series. Here nothing is kept, as values are functions of time; an agent is taken to have run for long already.
public struct RecordingSchedule: Sendable, Equatable {
    public let intervalSeconds: Int64
    /// How many moments an agent has.
    public let pointCount: Int
    /// Agents do not read in step: each has its own part of the interval.
    public let phaseSeconds: Int64

    /// 1978 to 3058: in this range a timestamp's seconds take 5 bytes as a varint, which answers rely on.
    static let earliestSeconds: Int64 = 1 << 28
    static let latestSeconds: Int64 = 1 << 35 - 1

    public init(intervalSeconds: Int64, pointCount: Int, key: UInt64) {
        precondition(intervalSeconds > 0 && pointCount > 0, "a schedule needs an interval and a point")
        self.intervalSeconds = intervalSeconds
        self.pointCount = pointCount
        phaseSeconds = Int64(key % UInt64(intervalSeconds))
    }

    /// The latest moment at or before `nowSeconds`.
    public func latest(nowSeconds: Int64) -> Int64 {
        let now = min(max(nowSeconds, Self.earliestSeconds + intervalSeconds), Self.latestSeconds)
        return (now - phaseSeconds) / intervalSeconds * intervalSeconds + phaseSeconds
    }

    /// The moments of `from...through` that the agent still has, oldest first.
    public func points(from: Int64, through: Int64, nowSeconds: Int64) -> [Int64] {
        let newest = latest(nowSeconds: nowSeconds)
        // Saturating: both ends of the window come from the network.
        let oldest = max(newest - intervalSeconds * Int64(pointCount - 1), Self.earliestSeconds)
        guard from <= newest, through >= oldest else { return [] }
        let last = min(newest, through)
        let steps = from <= oldest ? 0 : (from - oldest + intervalSeconds - 1) / intervalSeconds
        let first = oldest + steps * intervalSeconds
        return first > last ? [] : Array(stride(from: first, through: last, by: Int(intervalSeconds)))
    }
}
