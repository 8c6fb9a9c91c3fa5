// SPDX-License-Identifier: Apache-2.0

/// Something that takes several workers' doing, one step after the other: a reload, a scaling. One at a time.
final class Operation {
    enum Step: Equatable {
        /// A new exporter beside the present one, which then retires.
        case replaceExporter
        /// A new process that stands by, for what is replaced later: who does not come up is known before anybody has gone.
        case prepareIngest(Int)
        /// The process that stands by, or a new one that does, takes the lane of the present one.
        case replaceIngest(Int)
        case addIngest
        /// The last one: its agents go to the others, its lane to ingest 0.
        case removeIngest
        /// Its agents go to the others, and it stays away.
        case drainIngest(Int)

        var text: String {
            switch self {
            case .replaceExporter: "exporter"
            case .prepareIngest(let index), .replaceIngest(let index), .drainIngest(let index): "ingest-\(index)"
            case .addIngest: "a new ingest worker"
            case .removeIngest: "the last ingest worker"
            }
        }
    }

    enum Result: Equatable {
        case success(String)
        case failure(String)
    }

    /// `reload`, `scale 4`: for people.
    let name: String
    var steps: [Step]
    var current: Step?
    /// Who the present step waits for.
    var awaited: SupervisedWorker?
    /// First its present process has to end: it is of the program before.
    var awaitsOldEnd = false
    /// Workers that have been told to take no more connections and have not confirmed it yet, by number; until when that is
    /// waited for; and whether this operation has told them.
    var awaitedHolds: Set<UInt64> = []
    var holdDeadlineNanoseconds: UInt64 = 0
    var hasHeldLeavers = false
    /// By the supervisor's clock; a step that takes longer has failed.
    var deadlineNanoseconds: UInt64 = 0
    /// Of a reload before the exec: what is asked for.
    var order: ReloadOrder?
    /// Of a reload before the exec: the programs on disk have said that they are what is wanted.
    var isApproved = false
    /// Of a reload after the exec: what there was before.
    var previous: Handover?
    /// Who waits for the outcome.
    var reply: ControlReply?
    private var whenDone: [(Result) -> Void] = []

    init(name: String, steps: [Step]) {
        self.name = name
        self.steps = steps
    }

    /// Whether its process was started by the program that the exec has brought, with the settings that are to hold.
    func isNew(_ worker: SupervisedWorker) -> Bool {
        guard let previous, worker.process != nil else { return false }
        // The clock has moved since whatever the program before did.
        return worker.life.startedAtNanoseconds >= previous.steadyNanoseconds
    }

    func onDone(_ body: @escaping (Result) -> Void) {
        whenDone.append(body)
    }

    func finish(_ result: Result) {
        let bodies = whenDone
        whenDone = []
        for body in bodies { body(result) }
    }
}
