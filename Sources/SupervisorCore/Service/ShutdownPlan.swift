// SPDX-License-Identifier: Apache-2.0

/// How the service ends: workers drain, and who is not gone in time is killed. Pure. Times are CLOCK_MONOTONIC: systemd,
/// which waits for the end, does not leave out the supervisor's pauses either.
public struct ShutdownPlan: Equatable, Sendable {
    /// The deadline that workers are told: a little before they are killed.
    public static let workersNanoseconds: UInt64 = 7_500_000_000
    /// When the rest is killed; the service is to be gone within 10 s of the signal.
    public static let drainNanoseconds: UInt64 = 8_000_000_000
    /// The same after a second signal: somebody is in a hurry.
    public static let hastyNanoseconds: UInt64 = 1_000_000_000

    public enum Step: Equatable, Sendable {
        /// Tell the workers to end in order, ingest first.
        case drain(deadlineNanoseconds: UInt64)
        /// Tell them to end at once.
        case hasten
        /// Kill who is left.
        case kill
    }

    private var signals = 0
    private var killAtNanoseconds: UInt64?

    public init() {}

    public var hasBegun: Bool { signals > 0 }

    /// SIGTERM or SIGINT has come.
    public mutating func signalled(nowNanoseconds: UInt64) -> Step {
        signals += 1
        switch signals {
        case 1:
            killAtNanoseconds = nowNanoseconds + Self.drainNanoseconds
            return .drain(deadlineNanoseconds: nowNanoseconds + Self.workersNanoseconds)
        case 2:
            let hasty = nowNanoseconds + Self.hastyNanoseconds
            killAtNanoseconds = min(killAtNanoseconds ?? hasty, hasty)
            return .hasten
        default:
            return .kill
        }
    }

    /// Time passes; `.kill` once.
    public mutating func tick(nowNanoseconds: UInt64) -> Step? {
        guard let killAt = killAtNanoseconds, nowNanoseconds >= killAt else { return nil }
        killAtNanoseconds = nil
        return .kill
    }
}
