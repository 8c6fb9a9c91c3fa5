// SPDX-License-Identifier: Apache-2.0
import Exchange

/// Cuts a window into parts whose answers stay well under the agents' message limit of 32 MiB: an agent that would
/// have to send more ends its stream and reconnects as a whole (wire contract, Transport).
struct WindowPlan {
    /// Half the limit, since the size of an answer is an estimate.
    static let expectedPartBytes = 16.0 * 1024 * 1024
    /// No part is cut shorter, whatever the estimate says: agents keep a value a second at most.
    static let shortestPartNanoseconds: Int64 = 1_000_000_000
    /// What an agent is taken to hold before it has answered anything.
    static let presumedSeries = 2_000
    static let presumedBytesPerSample = 300.0

    private var nextStart: Int64
    private let end: Int64
    private(set) var isFinished: Bool

    init(_ window: CollectCommand.Window) {
        nextStart = window.startNanoseconds
        end = window.endNanoseconds
        isFinished = nextStart > end
    }

    /// The next part to ask for, by what is known of the agent now.
    mutating func nextPart(series: Int, bytesPerSample: Double, pointsPerSecond: Double) -> CollectCommand.Window? {
        if isFinished { return nil }
        let series = series > 0 ? Double(series) : Double(Self.presumedSeries)
        let bytes = bytesPerSample > 0 ? bytesPerSample : Self.presumedBytesPerSample
        let seconds = Self.expectedPartBytes / max(1, series * bytes * pointsPerSecond)
        // A day is longer than any agent remembers, and keeps the product within Int64.
        let nanoseconds = max(Self.shortestPartNanoseconds, Int64(min(seconds, 86_400) * 1e9))
        let start = nextStart
        // Both ends belong to a part, so the next one begins a nanosecond later.
        let (partEnd, overflow) = start.addingReportingOverflow(nanoseconds)
        if overflow || partEnd >= end {
            isFinished = true
            return CollectCommand.Window(startNanoseconds: start, endNanoseconds: end)
        }
        nextStart = partEnd + 1
        return CollectCommand.Window(startNanoseconds: start, endNanoseconds: partEnd)
    }
}

/// How many points a second an agent keeps, learned from its answers.
struct PointDensity {
    /// Before anything is known: agents keep a point every few seconds, so this errs towards small parts.
    static let presumed = 1.0
    static let lowest = 1.0 / 300

    private(set) var pointsPerSecond = Self.presumed

    mutating func observed(distinctTimes: Int, over part: CollectCommand.Window) {
        let seconds = Double(part.endNanoseconds - part.startNanoseconds) / 1e9
        guard seconds > 0, distinctTimes > 1 else { return }
        pointsPerSecond = max(Self.lowest, Double(distinctTimes) / seconds)
    }
}
