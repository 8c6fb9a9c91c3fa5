// SPDX-License-Identifier: Apache-2.0
import Platform
import WorkerLink

extension Fleet {
    /// An event. Events of processes that are gone are ignored.
    enum Event: Equatable {
        /// Time passes. `monotonic`: CLOCK_MONOTONIC, which a shutdown is measured on.
        case tick(monotonic: UInt64)

        // Messages and exits of processes.
        case standsBy(FleetProcess.ID)
        case ready(FleetProcess.ID)
        case stopsAccepting(FleetProcess.ID)
        case adopted(ring: Int, by: FleetProcess.ID)
        case stalled(FleetProcess.ID, Stall)
        case exited(FleetProcess.ID, ChildProcess.End, CrashEvidence)
        case startFailed(FleetProcess.ID)
        /// The trouble that the recorder reports; `nil`: it records.
        case recorderTrouble(FleetProcess.ID, RecorderTrouble?)

        // Rings.
        /// The ring of the process that was to start has another writer.
        case ringHeld(FleetProcess.ID, by: Int32, isFormerChild: Bool)
        case ringDamaged(Int, String)
        case ringAdded
        case ringFailed(String)

        // Requests.
        case scale(Int, RequestID?)
        case restart(WorkerName, RequestID?)
        case drain(WorkerName, RequestID?)
        case reload(RequestID?)
        /// A reload that cannot be: its settings are wrong.
        case reloadRefused(String, RequestID?)
        /// SIGHUP.
        case reloadAsIs
        case checked(failure: String?)
        /// An exec would cut short nobody on the control socket.
        case requestsAnswered
        /// The exec has failed.
        case execFailed(String)
        /// SIGTERM or SIGINT.
        case terminate(monotonic: UInt64)
    }
}

/// In-flight markers of a dead worker in the headers of its rings, for crash attribution.
struct CrashEvidence: Equatable {
    /// Agents that an ingest worker was working on.
    var identities: [UInt64] = []
    /// The one of these that its event loop was at.
    var onLoop: UInt64?
    /// Records that the exporter was reading: words of its notes.
    var records: [UInt64] = []
    /// The ingest worker whose ring the exporter was reading.
    var ring: Int?
}
