// SPDX-License-Identifier: Apache-2.0

/// By what a worker was found to hang.
public enum Hang: Equatable, Sendable {
    /// Its event loop has not turned.
    case noHeartbeat
    /// It beats, but has not read from a lane that has something for it: the lane's number among those it reads.
    case notReading(lane: Int)

    public var text: String {
        let seconds = HangWatch.patienceNanoseconds / 1_000_000_000
        return switch self {
        case .noHeartbeat: "no heartbeat for \(seconds) s"
        case .notReading(let lane): "has not read ring \(lane) for \(seconds) s although it has unread records"
        }
    }
}
