// SPDX-License-Identifier: Apache-2.0
import RingMessages

/// Cuts a window into parts whose answers stay well under the agents' message limit of 32 MiB: an agent that would
/// have to send more ends its stream and reconnects as a whole (wire contract, Transport).
///
/// Agents hold minutes or hours, and clients ask for years. So the newest part is asked first, and each empty part makes
/// the next one longer by a growing factor: the number of requests follows the points that the agent holds.
struct WindowPlan {
    /// Half the limit, since the size of an answer is an estimate.
    static let expectedPartBytes = 16.0 * 1024 * 1024
    /// No part is cut shorter, whatever the estimate says: agents keep a value a second at most.
    static let shortestPartSeconds = 1.0
    /// The assumed history of an agent before it has answered anything.
    static let presumedSeries = 2_000
    static let presumedBytesPerSample = 300.0

    private let start: Int64
    private var end: Int64
    private var emptyPartsInARow = 0
    private(set) var isFinished: Bool

    init(_ window: CollectCommand.Window) {
        start = window.startNanoseconds
        end = window.endNanoseconds
        isFinished = start > end
    }

    /// The next part to ask for, from the end of the window to its start.
    /// - Parameter newestNanoseconds: when the agent's newest point was taken, by the agent's clock. With any window that
    ///   has after it costs no part of its own.
    mutating func nextPart(
        series: Int, bytesPerSample: Double, pointsPerSecond: Double, newestNanoseconds: Int64,
        partBytes: Double = expectedPartBytes
    ) -> CollectCommand.Window? {
        if isFinished { return nil }
        let series = series > 0 ? Double(series) : Double(Self.presumedSeries)
        let bytes = bytesPerSample > 0 ? bytesPerSample : Self.presumedBytesPerSample
        let seconds = max(Self.shortestPartSeconds, partBytes / max(1, series * bytes * pointsPerSecond))
        let nanoseconds = Int64(min(seconds * growth * 1e9, Self.longestPartNanoseconds))
        let partEnd = end
        let (partStart, overflow) = min(end, newestNanoseconds).subtractingReportingOverflow(nanoseconds)
        if overflow || partStart <= start {
            isFinished = true
            return CollectCommand.Window(startNanoseconds: start, endNanoseconds: partEnd)
        }
        // Both ends belong to a part, so the next one ends a nanosecond earlier.
        end = partStart - 1
        return CollectCommand.Window(startNanoseconds: partStart, endNanoseconds: partEnd)
    }

    /// Notes whether the answer to the last part held any points, and whether it is known by now how dense they are.
    mutating func received(isEmpty: Bool, isDensityKnown: Bool) {
        if isEmpty { emptyPartsInARow += 1 } else if isDensityKnown { emptyPartsInARow = 0 }
    }

    /// Up to 64 each empty part doubles the next one's length, so that readings which are far apart are found without asking
    /// for many more than a part's bytes. Behind such a gap there is hardly anything: from then on the factor grows,
    /// 4, 8, 16, …, and some seven more parts reach from half an hour to two thousand years.
    private var growth: Double {
        var factor = 1.0
        for count in 0..<min(emptyPartsInARow, Self.countedEmptyParts) {
            factor *= Double(1 << max(1, count - Self.doublings + 2))
        }
        return factor
    }

    private static let doublings = 6
    /// Longer than any window by then, and the product is still a finite number.
    private static let countedEmptyParts = 20
    /// Fits Int64, exactly as a Double too.
    private static let longestPartNanoseconds = Double(Int64(1) << 62)
}

/// How many points of each series an agent keeps a second, learned from its answers.
struct PointDensity {
    /// Before anything is known: agents keep a point every few seconds, so this errs towards small parts.
    static let presumed = 1.0

    private(set) var pointsPerSecond = Self.presumed
    /// Two readings have been seen at least.
    private(set) var isLearned = false

    /// Takes in what an answer held.
    /// - Parameters:
    ///   - pointsPerSeries: its points, divided by the series that the agent is known to have.
    ///   - times: from its oldest point to its newest, nanoseconds.
    ///   - nextNanoseconds: the oldest point that is known after these, from a part that was answered before.
    mutating func observed(pointsPerSeries points: Double, times: ClosedRange<Int64>, nextNanoseconds: Int64?) {
        var observed: Double?
        let within = Double(times.upperBound) - Double(times.lowerBound)
        if points >= Self.pointsOfOneTimePassed, within > 0 {
            observed = max(points - 1, points / 2) / (within / 1e9)
        } else if let nextNanoseconds, nextNanoseconds > times.lowerBound {
            observed = points / ((Double(nextNanoseconds) - Double(times.lowerBound)) / 1e9)
        }
        guard let observed, observed.isFinite, observed > 0 else { return }
        // A gap in what an agent holds looks like thin data: what was learned once is believed only half of that.
        pointsPerSecond = isLearned ? max(observed, pointsPerSecond / 2) : observed
        isLearned = true
    }

    /// With fewer the points are of one reading, whose series may differ by milliseconds in their times.
    private static let pointsOfOneTimePassed = 1.5
}
