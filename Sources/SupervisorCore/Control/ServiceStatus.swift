// SPDX-License-Identifier: Apache-2.0

/// The contents of `fodc-proxy ctl status`: the service at one moment. Filled by the supervisor, shown by
/// ``StatusReport``.
struct ServiceStatus: Equatable {
    enum Phase: String, Equatable {
        case starting, serving, reloading, stopping
    }

    /// One ingest worker or exporter.
    struct Worker: Equatable {
        enum State: String, Equatable {
            /// No process; one is due.
            case waiting
            case starting
            /// Of a reload: it has checked itself and waits for its predecessor's ring.
            case standby
            case running
            /// It serves what it has and takes nothing new.
            case draining
            /// It is being ended, because it hangs or did not become ready.
            case ending
            /// Somebody has sent its agents away; it stays away until it is restarted.
            case drained
        }

        /// Values that only an ingest worker has: those of its ring's header.
        struct Ingest: Equatable {
            var agentsOnline = 0
            /// Listed, and their connection is gone.
            var agentsUnconnected = 0
            var connections = 0
            /// Of the ring: what has been written and not yet overwritten.
            var ringUsedBytes = 0
            /// Of the ring as it is now.
            var ringBytes = 0
        }

        /// `ingest-0`, `exporter`.
        var name: String
        /// 0: it has no process.
        var processID: Int32 = 0
        var state: State
        var generation: UInt64 = 0
        /// Of the present process.
        var uptimeNanoseconds: UInt64 = 0
        /// Starts after a death, in the life of the service.
        var restarts: UInt64 = 0
        var deathsInRow = 0
        /// Why the last one ended, for people; `nil`: none has.
        var lastCause: String?
        /// Until the next start, while there is no process.
        var nextStartNanoseconds: UInt64?
        /// `nil`: it is an exporter, or the ring has no form yet.
        var ingest: Ingest?
    }

    struct Reload: Equatable {
        var isSuccess: Bool
        /// Why it failed; empty after a success.
        var reason: String = ""
        /// Wall clock, since the epoch.
        var atNanoseconds: Int64
    }

    var version: String
    /// Of this process's program; it stays when the program executes itself anew.
    var processID: Int32
    var phase: Phase
    /// `nil`: all is well.
    var degradedReason: String?
    /// Of the service: over reloads, not over restarts.
    var uptimeNanoseconds: UInt64
    /// The addresses that the sockets are really bound to: `[::]:17912`; `none` where agents do not connect without TLS.
    var grpcAddress: String
    /// `nil`: agents do not connect with TLS.
    var grpcTLSAddress: String?
    var httpAddress: String
    /// `complete`, `off`, or what the sandboxes of the processes lack.
    var sandbox = "complete"
    var logLevel: String
    /// Requested number of ingest workers.
    var ingestWorkersWanted: Int
    /// Ingest workers first, by index, then exporters.
    var workers: [Worker]
    /// Identities of agents that are quarantined now.
    var quarantinedIdentities: Int = 0
    /// `nil`: there was none since the service was started.
    var lastReload: Reload?

    /// Ingest workers that have a process that serves.
    var ingestWorkersRunning: Int { workers.count { $0.name.hasPrefix("ingest-") && $0.state == .running } }
}
