// SPDX-License-Identifier: Apache-2.0

/// Decides which samples of a node are recorded. Pure.
struct RecordingInterval: Sendable {
    let nanoseconds: Int64

    /// Scrapes of the same interval come a little early now and then: one that comes by less than a fifth too early counts.
    private static let toleranceShare: Int64 = 5

    init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    private var leastDistance: Int64 { nanoseconds - nanoseconds / Self.toleranceShare }

    /// - Parameters:
    ///   - received: wall clock, nanoseconds since the epoch.
    ///   - last: of the node's sample that was recorded last; `nil`: none was.
    ///   - isCopy: its ring's writer has copied it: it may be one that was recorded long ago.
    func isDue(receivedAt received: Int64, last: Int64?, isCopy: Bool) -> Bool {
        guard let last else { return true }
        let (distance, isOver) = received.subtractingReportingOverflow(last)
        guard !isOver else { return !isCopy }
        // A distance below zero: the clock was set back.
        return distance >= leastDistance || !isCopy && distance <= -leastDistance
    }
}
