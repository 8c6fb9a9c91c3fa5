// SPDX-License-Identifier: Apache-2.0
import Glibc
import Lanes
import Logging
import Platform
import Settings
import WorkerLink

/// The parent of all: owns sockets and lanes, starts and watches the workers, speaks to systemd. Everything happens on
/// the main thread, in turns of one event queue; nothing in it waits for anybody.
public final class Supervisor {
    /// Where the service is in its life.
    enum Phase: Equatable {
        /// Until every worker has been ready once.
        case starting
        case serving
        case stopping
    }

    /// Descriptors that a worker may have open: 50,000 agents, twice while they reconnect, HTTP clients, and some air.
    static let descriptorLimit = 131_072

    let logger = Logger(label: "supervisor")
    let service = ServiceManager()
    let events: EventQueue
    let timer: TickTimer
    let signals: SignalQueue
    /// Where the programs are, also those of a later version.
    let programs: ProgramPaths
    let estate: Estate
    let keeper: StoreKeeper
    let requests: ControlServer?
    /// Keeps a second instance out of the runtime folder.
    let lock: RuntimeLock?

    /// As they are in service; a reload that fails goes back to them.
    var settings: ProxySettings
    var starter: WorkerStarter
    /// Present ingest workers by index.
    var ingest: [SupervisedWorker]
    var exporter: SupervisedWorker
    /// Who is about to take somebody's place, and who is about to be gone.
    var successors: [SupervisedWorker] = []
    var leaving: [SupervisedWorker] = []
    /// Killed, and to be reaped: nothing tells of their end.
    var unwatched: [ChildProcess] = []
    /// Of a layout that is no more, with workers that still use them.
    var oldLanes: [LaneSet] = []

    let startedAtNanoseconds: UInt64
    var phase = Phase.starting
    var clock: SteadyClock
    var shutdown = ShutdownPlan()
    var suspicion = Suspicion()
    /// What somebody has asked for and waits for.
    var operation: Operation?
    var check: ProgramTrial?
    var lastReload: ReloadOutcome?
    /// A SIGHUP came when no reload could begin.
    var hasPendingReload = false
    /// Of the present settings those that somebody has chosen.
    let given: Set<SettingsFlag>
    /// What the command line of the service's start gave.
    let startFlags: [(flag: SettingsFlag, value: String)]
    /// Whose lane was replaced last, and when.
    var lastQuarantine: (name: String, atNanoseconds: UInt64)?
    /// Sets this process's own level.
    public var onLogLevel: (String) -> Void = { _ in } {
        didSet { if let changedLogLevel { onLogLevel(changedLogLevel) } }
    }
    /// Set by `ctl log-level`; told to every worker that starts.
    var changedLogLevel: String?
    var lastPingNanoseconds: UInt64 = 0
    var lastStatus = ""
    /// `nil`: nothing has been told yet, and `control` may bear what a predecessor has.
    var lastDegradedReason: String?
    /// Why the start has failed, if it has.
    public internal(set) var startFailure: StartError?

    /// Makes all that the service needs, out of what a predecessor has left as far as it is of use, and starts nothing
    /// yet. An error leaves nothing behind but descriptors, which go with the process.
    public init(_ start: SupervisorStart) throws(StartError) {
        SignalQueue.ignore(SIGPIPE)
        // A limit on file sizes is then an error with a line of its own, and not the end.
        SignalQueue.ignore(SIGXFSZ)
        DescriptorLimit.raise(to: Self.descriptorLimit)
        for line in UnknownVariables.warnings(of: ProcessEnvironment.entries(without: [])) { logger.warning("\(line)") }
        let monotonic = MonotonicClock.nowNanoseconds()
        settings = start.settings
        given = start.given
        startFlags = start.startFlags
        programs = start.programs
        do throws(SystemError) {
            signals = try SignalQueue([SIGTERM, SIGINT, SIGHUP, SIGCHLD])
            events = try EventQueue()
            timer = try TickTimer(intervalNanoseconds: SteadyClock.tickNanoseconds)
            try events.add(timer.descriptor, token: EventToken.timer.rawValue)
            try events.add(signals.descriptor, token: EventToken.signals.rawValue)
        } catch {
            throw StartError("the event loop cannot be made: \(error)")
        }
        // Better said before anything is made.
        let workerPrograms = try WorkerPrograms(folder: programs.workerFolder)
        lock = try start.makeLock(logger)
        estate = try start.makeEstate(logger)
        keeper = StoreKeeper(events: events, logger: logger)
        requests = try start.makeControlServer(events, lock: lock, logger)
        clock = SteadyClock(monotonicNanoseconds: monotonic, nowNanoseconds: start.handover?.steadyNanoseconds)
        starter = WorkerStarter(
            settings: settings, programs: workerPrograms, listeners: estate.listeners,
            control: estate.control.readable)
        let now = clock.nowNanoseconds
        startedAtNanoseconds = now
        ingest = []
        exporter = SupervisedWorker(
            .exporter, index: 0, generation: estate.control.lastGeneration(.exporter, index: 0),
            life: WorkerLife(nowNanoseconds: now), nowNanoseconds: now)
        requests?.onRequest = { [unowned self] in obey($0, $1) }
        requests?.onRefusal = { [unowned self] line in
            control.add(.controlRequestsRefused)
            logger.warning("\(line)")
        }
        if let handover = start.handover {
            try adopt(handover)
        } else {
            try begin()
        }
    }

    /// Workers for the lanes that there are; those for which there is no use any more give theirs away.
    private func begin() throws(StartError) {
        control.buryAll()
        control.add(.supervisorStarts)
        for held in control.heldIdentities(nowNanoseconds: MonotonicClock.nowNanoseconds()) {
            suspicion.goOnHolding(held.hash, untilNanoseconds: now + held.leftNanoseconds)
        }
        let wanted = estate.wantedWorkers(settings)
        do throws(SystemError) {
            while lanes.ingest.count < wanted { try lanes.append() }
        } catch {
            throw StartError(
                "the lanes for \(wanted) ingest workers cannot be made (\(error)); give the service more memory or more "
                    + "descriptors, or fewer --ingest-workers")
        }
        for lanes in lanes.ingest { ingest.append(makeIngest(lanes.index)) }
        estate.setWantedWorkers(
            wanted, settings: settings,
            isScaled: control.value(.scaledFromWorkers) != 0 && wanted != settings.ingestWorkers)
        keeper.keep(estate)
    }

    func makeIngest(_ index: Int) -> SupervisedWorker {
        SupervisedWorker(
            .ingest, index: index, generation: estate.control.lastGeneration(.ingest, index: index),
            life: WorkerLife(nowNanoseconds: now), nowNanoseconds: now)
    }

    var control: ControlBoard { estate.control }
    var lanes: LaneSet { estate.lanes }
    var now: UInt64 { clock.nowNanoseconds }

    /// Who is there to serve.
    var present: [SupervisedWorker] { ingest + [exporter] }
    /// All that may have a process.
    var everyone: [SupervisedWorker] { present + successors + leaving }

    /// Serves until it is told to end, or the start fails. Returns the exit code of the process: 0 or 1.
    public func run() -> Int32 {
        // Those that were there before their signal was watched.
        reapChildren()
        while everyone.contains(where: { $0.life.state != .finished }) {
            do throws(SystemError) {
                try turn()
            } catch {
                // Nothing that is described in epoll_wait(2) can happen here; a loop without events would spin.
                logger.critical("the event loop is broken: ending", error: error)
                for worker in everyone { perform(worker.life.killNow(), on: worker) }
                return 1
            }
        }
        if let folder = settings.runtimeDirectory { requests?.close(runtimeDirectory: folder) }
        if let startFailure {
            logger.critical("\(startFailure)")
            return 1
        }
        logger.info("all workers have ended")
        return 0
    }

    /// One turn of the loop: waits for events and handles them.
    private func turn() throws(SystemError) {
        try events.wait(timeoutMilliseconds: -1) { token in
            let pause = clock.advance(monotonicNanoseconds: MonotonicClock.nowNanoseconds())
            if pause > 0 {
                logger.warning("was paused", metadata: ["seconds": "\(StatusText.seconds(pause))"])
            }
            handle(EventToken(rawValue: token))
        }
    }
}
