// SPDX-License-Identifier: Apache-2.0

/// Judges from what a worker shows of itself whether it still works. Pure: the supervisor brings what it has read from
/// the rings and the time of its ``SuspendFreeClock``. Observing allocates nothing.
public struct LivenessWatchdog: Sendable {
    /// Workers beat every 250 ms and work in slices of at most 100 ms: eight beats missed are no bad luck.
    public static let timeoutNanoseconds: UInt64 = 2_000_000_000

    /// Something that must change now and then.
    private struct Progress: Sendable {
        var value: UInt64 = 0
        var sinceNanoseconds: UInt64 = 0
    }

    private var beat = Progress()
    private var rings: [Progress]

    /// - Parameter ringCount: how many rings the worker reads.
    public init(ringCount: Int, nowNanoseconds: UInt64) {
        beat.sinceNanoseconds = nowNanoseconds
        rings = Array(repeating: Progress(value: 0, sinceNanoseconds: nowNanoseconds), count: ringCount)
    }

    /// There are more rings to read now, or fewer.
    public mutating func setRingCount(_ count: Int, nowNanoseconds: UInt64) {
        if count < rings.count { rings.removeLast(rings.count - count) }
        while rings.count < count { rings.append(Progress(value: 0, sinceNanoseconds: nowNanoseconds)) }
    }

    /// The worker's heartbeat word. Only whether it changes counts, not its value.
    public mutating func observe(heartbeat: UInt64, nowNanoseconds: UInt64) {
        if heartbeat != beat.value {
            beat = Progress(value: heartbeat, sinceNanoseconds: nowNanoseconds)
        }
    }

    /// How far the worker has read a ring, and where that ring's writer is. A worker that has read all is idle, not
    /// stuck; `nil`: there is nobody to read from, or nothing is known.
    public mutating func observe(ring: Int, readPosition: UInt64?, head: UInt64, nowNanoseconds: UInt64) {
        guard let readPosition, readPosition < head, readPosition == rings[ring].value else {
            rings[ring] = Progress(value: readPosition ?? 0, sinceNanoseconds: nowNanoseconds)
            return
        }
    }

    /// The stall, if there is one.
    public func verdict(nowNanoseconds: UInt64) -> Stall? {
        if isOld(beat, nowNanoseconds) { return .noHeartbeat }
        for index in rings.indices where isOld(rings[index], nowNanoseconds) {
            return .notReading(ring: index)
        }
        return nil
    }

    private func isOld(_ progress: Progress, _ nowNanoseconds: UInt64) -> Bool {
        nowNanoseconds >= progress.sinceNanoseconds + Self.timeoutNanoseconds
    }
}
