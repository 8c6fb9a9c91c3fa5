// SPDX-License-Identifier: Apache-2.0

/// What the supervisor says to a worker.
public enum SupervisorMessage: Equatable, Sendable {
    /// End in order: no new work, finish what runs, be gone by the deadline (CLOCK_MONOTONIC).
    case drain(deadlineNanoseconds: UInt64)
    /// End at once.
    case stop
    /// Log from this level on (`trace` … `error`).
    case logLevel(String)
}

/// What a worker says to the supervisor.
public enum WorkerMessage: Equatable, Sendable {
    /// It serves.
    case ready
    /// For people: what it is doing now. Cut to ``MessageCoding/limitTextBytes``.
    case status(String)
}
