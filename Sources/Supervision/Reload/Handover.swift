// SPDX-License-Identifier: Apache-2.0
import Lanes
import Platform
import Settings
import WorkerLink

/// What a supervisor tells the program that takes its place in the same process: everything that it knows and that is not
/// in a lane. Descriptors keep their numbers over the exec.
struct Handover {
    /// To be raised when a program of the version before would not understand it, or the other way round.
    static let version: UInt64 = 1

    struct Worker: Equatable {
        var role: WorkerRole
        var index: Int
        var generation: UInt64
        /// 0: it has no process.
        var pid: Int32
        var pidfd: Int32
        var link: Int32
        var state: WorkerLife.State
        var startedAtNanoseconds: UInt64
        var readyAtNanoseconds: UInt64?
        var policy: [UInt64]
        var isLeaving: Bool
        var isDraining: Bool
        var startsFresh: Bool
        /// Its lanes are none of those that are handed over.
        var hasOldLanes: Bool
        /// Of the last death of its kind.
        var lastCause: DeathCause?
        var killAtNanoseconds: UInt64?
        /// Of the last death that nobody had asked for.
        var lastFailure: DeathCause?
    }

    struct KeptLane: Equatable {
        var name: StoredName
        var writable: Int32
    }

    struct Bell: Equatable {
        var index: Int
        var parity: Int
        var ingestEnd: Int32
        var exporterEnd: Int32
    }

    var layout: UInt64
    /// The command line that stands for the settings from now on; whoever takes over reads it together with the environment.
    var arguments: [String]
    /// What was in service, to go back to when the reload fails.
    var previous: ProxySettings
    var programs: ProgramPaths
    var previousWorkerFolder: String
    /// The workers' programs that were in service, as open files.
    var previousPrograms: [WorkerRole: Int32]
    var steadyNanoseconds: UInt64
    /// What the command line of the service's start gave, which a reload of the unit does not repeat.
    var startFlags: [(flag: SettingsFlag, value: String)] = []
    /// A SIGHUP came while the reload was under way.
    var hasPendingReload = false
    /// Somebody has changed it at run time.
    var logLevel: String?
    var lock: Int32?
    var controlSocket: Int32?
    /// The connection of whoever waits for the outcome.
    var reply: Int32?
    var grpc: Listeners.Socket
    var http: Listeners.Socket
    /// Listened on until all workers are replaced.
    var previousGRPC: Listeners.Socket?
    var previousHTTP: Listeners.Socket?
    var lanes: [KeptLane] = []
    var bells: [Bell] = []
    var nextGeneration: UInt64
    var workers: [Worker] = []
    var suspicion = Suspicion()
    /// Whose lane was replaced last, and when.
    var quarantine: (name: String, atNanoseconds: UInt64)?
    /// Names that are still to be taken out of systemd's store.
    var obsoleteNames: [String] = []

    /// Every descriptor that has to stay open.
    var descriptors: [Int32] {
        var all = [lock, controlSocket, reply].compactMap { $0 } + [grpc.descriptor, http.descriptor]
        all += [previousGRPC, previousHTTP].compactMap { $0?.descriptor }
        all += lanes.map(\.writable) + bells.flatMap { [$0.ingestEnd, $0.exporterEnd] }
        all += previousPrograms.values
        all += workers.flatMap { [$0.pidfd, $0.link] }.filter { $0 >= 0 }
        return all
    }

    func lane(_ role: StoredName.Role, _ index: Int = 0) -> KeptLane? {
        lanes.first { $0.name.place == StoredName.Place(role, index) }
    }
}
