// SPDX-License-Identifier: Apache-2.0
import WorkerLink

/// Nanoseconds on the supervisor's ``SuspendFreeClock``.
typealias Instant = UInt64

/// Programs and settings that a process is started with. A process of another edition than its slot's goal is replaced.
struct Edition: Equatable {
    /// Programs and settings: rises with each reload, and goes back when one fails.
    var release: UInt64
    /// Rises with each `ctl restart` of the slot.
    var restart: UInt64 = 0
}

/// One process of a worker.
struct FleetProcess: Equatable {
    typealias ID = UInt64

    /// The state diagram of a process. An exit ends it from everywhere.
    ///
    ///     starting ──► standby ──► starting ──► serving ──► draining
    ///         └──────────────────────────────────►┘
    ///     starting, serving, draining ──► aborting ──► killing
    enum State: Equatable {
        /// It has not said yet that it serves, or stands by; it is given up at this time.
        case starting(until: Instant)
        /// It could serve, and waits for the ring of a predecessor that still does.
        case standby
        case serving
        /// It was told to end, and is killed at this time.
        case draining(until: Instant)
        /// It was aborted for this reason, and is killed at this time.
        case aborting(DeathCause, until: Instant)
        /// It was killed for this reason; its end will be told.
        case killing(DeathCause)
    }

    /// Never used twice in the life of the service.
    let id: ID
    /// Rises with each process of the slot.
    let generation: UInt64
    let edition: Edition
    var state: State
    let startedAt: Instant
    /// `nil`: it has not served yet.
    var readyAt: Instant?
    /// `false`: it was told to take no more connections.
    var isAccepting = true

    var isServing: Bool { state == .serving }

    var isStarting: Bool { if case .starting = state { true } else { false } }

    var isBeingKilled: Bool { if case .killing = state { true } else { false } }

    var isDraining: Bool { if case .draining = state { true } else { false } }

    /// Why the supervisor wanted its end, if it did: then the signal that ended it says nothing.
    var verdict: DeathCause? {
        switch state {
        case .aborting(let cause, _), .killing(let cause): cause
        case .draining: .requested
        case .starting, .standby, .serving: nil
        }
    }
}
