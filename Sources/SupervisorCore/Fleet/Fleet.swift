// SPDX-License-Identifier: Apache-2.0
import Settings
import WorkerLink

/// All workers of the service: which processes there are, what each slot is to become, and what somebody has asked for.
/// Pure: events go in with their time, actions come out. ``FleetExecutor`` does them.
///
/// A slot takes the next step from its state towards its goal, after every event:
///
/// | in the slot            | goal `serve`: same edition | goal `serve`: another edition         | goal `drained`, `removed` |
/// |------------------------|----------------------------|---------------------------------------|---------------------------|
/// | nothing                | start when due             | start when due                        | removed: ring to ingest-0, then the slot goes |
/// | `starting`             | ready: `serving`; late: abort | drain, for a second at most        | drain at its turn         |
/// | `serving`              | stall: abort               | start a standby; at its turn drain    | drain at its turn         |
/// | `draining`             | exit: start                | exit: the standby takes the ring      | exit: done                |
/// | `aborting`, `killing`  | exit: start when due       | kill; exit: start                     | exit: done                |
/// | + standby `starting`   | kill the standby           | says so: `standby`; an exporter serves at once | kill the standby |
/// | + standby `standby`    | kill the standby           | takes the ring when nobody has it     | kill the standby          |
///
/// An exit that nobody wanted puts the next start off (``RestartPolicy``). A reload, a scaling, a restart, a draining only
/// changes goals (``Rollout``). Order is kept by these rules, whatever happens:
/// - A slot has one process that writes its ring: the one in `serving`.
/// - All standby processes are up before the first slot leaves service; one slot at a time leaves.
/// - Slots that leave stop accepting before the first of them drains.
/// - An exporter retires when its successor serves.
/// - A process of a rollout that ends before it has served fails the rollout: the goals before hold again.
struct Fleet: Equatable {
    /// Where the service is in its life.
    enum Phase: Equatable {
        /// Until every worker serves.
        case starting
        case serving
        case stopping
    }

    /// In which a worker sends its agents away.
    static let drainNanoseconds: UInt64 = 3_000_000_000
    /// In which a worker lets go of a ring that is to be emptied.
    static let ringResetNanoseconds: UInt64 = 1_000_000_000
    /// In which a process that nobody wants any more, and that has not said yet that it is ready, ends what it has begun.
    static let unreadyLimitNanoseconds: UInt64 = 1_000_000_000
    /// In which an exporter that has a successor ends what it still runs.
    static let retireNanoseconds: UInt64 = 30_000_000_000
    /// On top of these, before a process that has not ended is killed.
    static let killAfterNanoseconds: UInt64 = 1_000_000_000
    /// A process that does not serve by then never will: starting takes milliseconds, a scan of a full ring a second.
    static let readyLimitNanoseconds: UInt64 = 10_000_000_000
    /// For one that stood by, from its predecessor's end on.
    static let takeRingLimitNanoseconds: UInt64 = 4_000_000_000
    /// Between SIGABRT (which leaves a core) and SIGKILL (which nothing survives).
    static let abortLimitNanoseconds: UInt64 = 500_000_000
    /// Where agents and clients rely on the service already, one worker that does not come up delays its readiness for so long.
    static let startTimeoutNanoseconds: UInt64 = 10_000_000_000

    var phase = Phase.starting
    var exporter: Slot
    /// By index.
    var ingest: [Slot]
    /// `nil`: nothing is recorded. The service never waits for it: it is started, watched and replaced, and that is all.
    var recorder: Slot?
    var work = Work.idle
    /// A SIGHUP came when no reload could begin.
    var hasPendingReload = false
    /// Of what is in service.
    var release: UInt64 = 1
    /// Of the last reload: a number is never used twice.
    var lastRelease: UInt64 = 1
    var lastProcess: FleetProcess.ID = 0
    var lastRestart: UInt64 = 0
    /// Of ingest workers that were there once, by index: the generation of the last process.
    var pastGenerations: [Int: UInt64] = [:]
    /// Generation of the last process of a recorder that was removed.
    var pastRecorderGeneration: UInt64 = 0
    /// Requested number of ingest workers.
    var wanted: Int
    /// `--ingest-workers` in service.
    var configured: Int
    /// A predecessor has left what agents and clients rely on.
    var isInherited: Bool
    let startedAt: Instant
    var shutdown = ShutdownPlan()
    var attribution = CrashAttribution()
    /// The ring that was reset last, and when.
    var lastRingReset: RingReset?
    /// Why nothing is recorded, by the recorder's own word.
    var recorderTrouble: RecorderTrouble?
    /// Why the start has failed, if it has.
    var startFailure: String?

    /// Of the event that is being handled.
    var now: Instant
    var actions: [Action] = []

    struct RingReset: Equatable {
        var name: String
        var at: Instant
    }

    /// Nothing runs yet: the first event starts everybody.
    ///
    /// - Parameters:
    ///   - rings: ingest workers that there are rings for; may be more than `wanted` after a restart.
    ///   - records: whether there is to be a recorder.
    ///   - generation: of the last process of a worker, 0 if there was none.
    init(
        rings: Int, wanted: Int, configured: Int, isInherited: Bool, records: Bool = false, now: Instant,
        generation: (WorkerName) -> UInt64 = { _ in 0 }
    ) {
        let goal = Goal.serve(Edition(release: 1))
        exporter = Slot(WorkerName(.exporter), goal: goal, generation: generation(WorkerName(.exporter)), startAt: now)
        ingest = (0..<max(rings, wanted)).map {
            let worker = WorkerName(.ingest, $0)
            return Slot(worker, goal: goal, generation: generation(worker), startAt: now)
        }
        if records {
            let worker = WorkerName(.recorder)
            recorder = Slot(worker, goal: goal, generation: generation(worker), startAt: now)
        }
        (self.wanted, self.configured, self.isInherited) = (wanted, configured, isInherited)
        (startedAt, self.now) = (now, now)
        for index in ingest.count..<WorkerLaunch.limitWorkers {
            let last = generation(WorkerName(.ingest, index))
            if last > 0 { pastGenerations[index] = last }
        }
    }

    mutating func handle(_ event: Event, at now: Instant) -> [Action] {
        self.now = max(now, self.now)
        actions.removeAll(keepingCapacity: true)
        apply(event)
        advance()
        return actions
    }

    private mutating func apply(_ event: Event) {
        switch event {
        case .tick(let monotonic): tick(monotonic)
        case .standsBy(let id): standsBy(id)
        case .ready(let id): becomeReady(id)
        case .stopsAccepting(let id): confirmAcceptStop(id)
        case .adopted(let ring, let id): adopted(ring, by: id)
        case .stalled(let id, let hang): stall(id, hang)
        case .exited(let id, let end, let evidence): handleExit(id, { DeathCause(end, verdict: $0) }, evidence)
        case .startFailed(let id): handleExit(id, { _ in .exited(code: 127) }, CrashEvidence(), isStarted: false)
        case .recorderTrouble(let id, let trouble):
            if recorder?.serving?.id == id { recorderTrouble = trouble }
        case .ringHeld(let id, let pid, let isFormerChild): waitForRing(id, pid, isFormerChild)
        case .ringDamaged(let index, let reason): repairRing(index, reason)
        case .ringAdded: addSlot()
        case .ringFailed(let reason): failToAddRing(reason)
        case .scale(let count, let request): scale(to: count, request)
        case .restart(let worker, let request): restart(worker, request)
        case .drain(let worker, let request): drain(worker, request)
        case .reload(let request): reload(request)
        case .reloadRefused(let reason, let request): refuseReload(reason, request)
        case .reloadAsIs: reloadAsIs()
        case .checked(let failure): checked(failure)
        case .requestsAnswered: if case .approved = work { emit(.exec) }
        case .execFailed(let reason): failReload(reason)
        case .terminate(let monotonic): terminate(monotonic)
        }
    }

    mutating func emit(_ action: Action) { actions.append(action) }

    mutating func log(
        _ severity: Notice.Severity, _ text: String, _ process: FleetProcess.ID? = nil, fields: [String: String] = [:]
    ) {
        emit(.log(Notice(severity: severity, text: text, process: process, fields: fields)))
    }

    // MARK: Slots

    subscript(worker: WorkerName) -> Slot {
        get {
            switch worker.role {
            case .ingest: return ingest[worker.index]
            case .exporter: return exporter
            case .recorder:
                guard let recorder else { preconditionFailure("there is no recorder") }
                return recorder
            }
        }
        set {
            switch worker.role {
            case .ingest: ingest[worker.index] = newValue
            case .exporter: exporter = newValue
            case .recorder: recorder = newValue
            }
        }
    }

    /// Ingest workers by index, the exporter, then the recorder.
    var slots: [Slot] { servingSlots + [recorder].compactMap { $0 } }
    /// Those without which the service is not whole: ingest workers by index, then the exporter.
    var servingSlots: [Slot] { ingest + [exporter] }
    /// Those that there are to be seen.
    var presentSlots: [Slot] { ingest.filter { !$0.isLeavingForGood } + [exporter] + [recorder].compactMap { $0 } }
    var workers: [WorkerName] { slots.map(\.worker) }

    /// Whether there is such a slot.
    func exists(_ worker: WorkerName) -> Bool {
        switch worker.role {
        case .ingest: ingest.indices.contains(worker.index)
        case .exporter: true
        case .recorder: recorder != nil
        }
    }

    func find(_ id: FleetProcess.ID) -> (worker: WorkerName, place: Slot.Place)? {
        if let place = exporter.place(of: id) { return (exporter.worker, place) }
        for slot in ingest { if let place = slot.place(of: id) { return (slot.worker, place) } }
        return recorder.flatMap { slot in slot.place(of: id).map { (slot.worker, $0) } }
    }

    func process(_ id: FleetProcess.ID) -> FleetProcess? { find(id).flatMap { self[$0.worker][$0.place] } }

    /// All have ended, and no more will be started.
    var isFinished: Bool { phase == .stopping && !slots.contains(where: \.hasProcess) }
}
