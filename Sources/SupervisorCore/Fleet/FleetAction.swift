// SPDX-License-Identifier: Apache-2.0
import WorkerLink

extension Fleet {
    /// An effect for the executor; effects are done in order. A failure comes back as an event.
    enum Action: Equatable {
        // Processes.
        case start(Launch)
        case send(FleetProcess.ID, Order)
        case signal(FleetProcess.ID, Signal)
        /// The last writer of an ingest slot's ring, if it is a former child.
        case killRingHolder(Int)
        /// A process serves: its rings are watched from now on.
        case watch(FleetProcess.ID)

        // Rings and the table of workers.
        case addRing
        case dropRing(Int)
        /// The last slot's ring is taken over by that process; ``Event/adopted(ring:by:)`` says that it is.
        case adoptRing(Int, by: FleetProcess.ID)
        /// Every worker looks at what has changed.
        case wake
        case enter(WorkerName, generation: UInt64, TableChange)
        case publishWanted
        case quarantine(identity: UInt64)
        case countRingReset

        // Reload.
        case checkPrograms(isAsIs: Bool)
        case stopCheck
        case pauseRequests
        case resumeRequests
        case exec
        /// A reload has ended. After a failure its settings are taken back, but for the sockets of those who serve with them.
        case settleReload(failure: String?, keepsGRPC: Bool, keepsHTTP: Bool)
        /// A reload was refused or failed before the exec.
        case countReload(failure: String)

        // Reports.
        case serviceReady
        case serviceStopping
        case finished(Rollout.Kind, failure: String?, RequestID?)
        case reply(RequestID, Answer)
        case log(Notice)
    }

    /// A process to be started.
    struct Launch: Equatable {
        let id: FleetProcess.ID
        let worker: WorkerName
        let generation: UInt64
        let isStandby: Bool
        let isFresh: Bool
        var suspects: [UInt64] = []
        /// Why the process before it ended, if one has.
        let after: DeathCause?
    }

    /// A message to a process. Deadlines are spans: the executor adds them to CLOCK_MONOTONIC.
    enum Order: Equatable {
        case drain(within: UInt64)
        /// All end: by this time of CLOCK_MONOTONIC.
        case drainAll(deadline: UInt64)
        case retire(within: UInt64)
        case accepting(Bool)
        case stop
        case takeRing
    }

    enum Signal: Equatable {
        /// SIGABRT, which leaves a core, and SIGCONT so that a stopped process takes it.
        case abort
        case kill
    }

    enum Answer: Equatable {
        case done(String)
        case failed(String)
    }

    /// A change of a process's entry in the table of workers.
    enum TableChange: Equatable {
        case starting(after: DeathCause?)
        /// A process that stood by has the ring now.
        case started(FleetProcess.ID)
        case serving
        case draining(isReplaced: Bool)
        case replacementEnded
        case drained
        case ended(DeathCause, isDrained: Bool)
    }

    /// A line of the log.
    struct Notice: Equatable {
        enum Severity: Equatable { case debug, info, notice, warning, error }

        let severity: Severity
        let text: String
        /// The process that it is about, for the line's fields.
        var process: FleetProcess.ID?
        var fields: [String: String] = [:]
    }
}
