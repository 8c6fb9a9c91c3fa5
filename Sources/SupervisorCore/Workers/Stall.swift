// SPDX-License-Identifier: Apache-2.0

/// By what a worker was found to hang.
public enum Stall: Equatable, Sendable {
    /// Its event loop has not turned.
    case noHeartbeat
    /// It beats, but has not read from a ring that has something for it: the ring's number among those it reads.
    case notReading(ring: Int)

    public var text: String {
        let seconds = LivenessWatchdog.timeoutNanoseconds / 1_000_000_000
        return switch self {
        case .noHeartbeat: "no heartbeat for \(seconds) s"
        case .notReading(let ring): "has not read ring \(ring) for \(seconds) s although it has unread records"
        }
    }
}
