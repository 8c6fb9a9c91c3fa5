// SPDX-License-Identifier: Apache-2.0
import WorkerLink

/// A requested change that the fleet is carrying out: changed goals, and those to go back to.
struct Rollout: Equatable {
    enum Kind: Equatable {
        case reload
        case scale(Int)
        case restart(WorkerName)
        case drain(WorkerName)

        /// For people.
        var name: String {
            switch self {
            case .reload: "reload"
            case .scale(let count): "scale \(count)"
            case .restart(let worker): "restart \(worker)"
            case .drain(let worker): "drain \(worker)"
            }
        }
    }

    /// The step that is waited for; follows from goals and states, see ``Fleet/nextStep``.
    enum Step: Equatable {
        /// A process that will take its slot's place comes up beside the present one.
        case prepare(WorkerName)
        /// A process of the new edition takes the place of the present one.
        case replace(WorkerName)
        case remove(WorkerName)
        case drain(WorkerName)
        case add(Int)

        var sendsAgentsAway: Bool {
            switch self {
            case .replace(let worker): worker.role == .ingest
            case .remove, .drain: true
            case .prepare, .add: false
            }
        }
    }

    /// Workers that leave in the rollout take no more connections before the first of them leaves.
    enum AcceptStop: Equatable {
        case notYet
        /// These have not confirmed it yet.
        case waiting([FleetProcess.ID], until: Instant)
        case done
    }

    let kind: Kind
    /// The requester that waits for the outcome.
    let request: RequestID?
    /// Goals before, to go back to.
    let exporterGoal: Goal
    let ingestGoals: [Goal]
    /// `nil`: there was no recorder.
    var recorderGoal: Goal?
    let release: UInt64
    var step: Step?
    /// A step that takes longer has failed.
    var deadline: Instant = 0
    var acceptStop = AcceptStop.notYet
    /// A ring for one more worker is being made.
    var isAddingRing = false
}

/// A request whose answer is owed: by this number the executor knows where it goes.
typealias RequestID = UInt64

/// The one thing that is under way.
enum Work: Equatable {
    case idle
    /// A reload: the installed binaries are asked whether they would start.
    case checking(RequestID?, until: Instant)
    /// They would: the exec waits until nobody on the control socket is cut short.
    case approved(RequestID?, until: Instant)
    case rollout(Rollout)

    var name: String? {
        switch self {
        case .idle: nil
        case .checking, .approved: Rollout.Kind.reload.name
        case .rollout(let rollout): rollout.kind.name
        }
    }
}
