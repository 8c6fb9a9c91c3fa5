// SPDX-License-Identifier: Apache-2.0

/// Judges from what a worker shows of itself whether it still works. Pure: the supervisor brings what it has read from
/// the lanes and the time of its ``SteadyClock``. Observing allocates nothing.
public struct HangWatch: Sendable {
    /// Workers beat every 250 ms and work in slices of at most 100 ms: eight beats missed are no bad luck.
    public static let patienceNanoseconds: UInt64 = 2_000_000_000

    /// Something that must change now and then.
    private struct Progress: Sendable {
        var value: UInt64 = 0
        var sinceNanoseconds: UInt64 = 0
    }

    private var beat = Progress()
    private var lanes: [Progress]

    /// - Parameter laneCount: how many lanes the worker reads.
    public init(laneCount: Int, nowNanoseconds: UInt64) {
        beat.sinceNanoseconds = nowNanoseconds
        lanes = Array(repeating: Progress(value: 0, sinceNanoseconds: nowNanoseconds), count: laneCount)
    }

    /// There are more lanes to read now, or fewer.
    public mutating func setLaneCount(_ count: Int, nowNanoseconds: UInt64) {
        if count < lanes.count { lanes.removeLast(lanes.count - count) }
        while lanes.count < count { lanes.append(Progress(value: 0, sinceNanoseconds: nowNanoseconds)) }
    }

    /// The worker's heartbeat word. Only whether it changes counts, not its value.
    public mutating func observe(heartbeat: UInt64, nowNanoseconds: UInt64) {
        if heartbeat != beat.value {
            beat = Progress(value: heartbeat, sinceNanoseconds: nowNanoseconds)
        }
    }

    /// How far the worker has read a lane, and where that lane's writer is. A worker that has read all is idle, not
    /// stuck; `nil`: there is nobody to read from, or nothing is known.
    public mutating func observe(lane: Int, readPosition: UInt64?, head: UInt64, nowNanoseconds: UInt64) {
        guard let readPosition, readPosition < head, readPosition == lanes[lane].value else {
            lanes[lane] = Progress(value: readPosition ?? 0, sinceNanoseconds: nowNanoseconds)
            return
        }
    }

    /// The stall, if there is one.
    public func verdict(nowNanoseconds: UInt64) -> Hang? {
        if isOld(beat, nowNanoseconds) { return .noHeartbeat }
        for index in lanes.indices where isOld(lanes[index], nowNanoseconds) {
            return .notReading(lane: index)
        }
        return nil
    }

    private func isOld(_ progress: Progress, _ nowNanoseconds: UInt64) -> Bool {
        nowNanoseconds >= progress.sinceNanoseconds + Self.patienceNanoseconds
    }
}
