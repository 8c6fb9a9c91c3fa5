// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import Platform
import Rings
import Sandbox
import Settings
import WorkerLink

/// The parent of all: owns sockets and rings, starts and watches the workers, speaks to systemd. It brings what happens to
/// the ``Fleet`` and does what that wants; it decides nothing. Everything happens on the main thread, in turns of one event
/// queue; nothing in it waits for anybody.
public final class FleetExecutor {
    /// Descriptors that a worker may have open: 50,000 agents, twice while they reconnect, HTTP clients, and some air.
    static let descriptorLimit = 131_072

    let logger = Logger(label: "supervisor")
    let service = ServiceManager()
    let events: EventQueue
    let timer: TickTimer
    let signals: SignalQueue
    let inherited: InheritedResources
    let keeper: DescriptorStoreClient
    let requests: ControlServer?
    /// Keeps a second instance out of the runtime folder.
    let lock: RuntimeLock?
    let processes: WorkerProcesses
    /// Programs, settings and sockets with which workers are started.
    var starter: WorkerStarter
    var reload: ReloadProgress
    var published = PublishedStatus()
    var sandbox = SandboxState()

    var fleet: Fleet
    var clock: SuspendFreeClock
    /// Where answers go that are owed.
    var replies: [RequestID: ControlReply] = [:]
    private var lastRequest: RequestID = 0
    /// Events that are not handled yet.
    private var pending: [Fleet.Event] = []
    private var isHandling = false
    /// The contents of the record, but for the times in it.
    var keptRecord: [UInt8] = []
    /// Of the process whose exit is being handled: fields of the log's line.
    var exitMetadata: (id: FleetProcess.ID, fields: Logger.Metadata)?
    /// Set by `ctl log-level`; told to every worker that starts.
    var changedLogLevel: String?
    /// Sets this process's own level.
    public var onLogLevel: (String) -> Void = { _ in } {
        didSet { if let changedLogLevel { onLogLevel(changedLogLevel) } }
    }

    /// Makes all that the service needs, out of what a predecessor has left as far as it is of use, and starts nothing
    /// yet. An error leaves nothing behind but descriptors, which go with the process.
    public init(_ start: SupervisorStart) throws(StartError) {
        SignalQueue.ignore(SIGPIPE)
        // A limit on file sizes is then an error with a line of its own, and not the end.
        SignalQueue.ignore(SIGXFSZ)
        DescriptorLimit.raise(to: Self.descriptorLimit)
        for line in UnknownVariables.warnings(of: ProcessEnvironment.entries(without: [])) { logger.warning("\(line)") }
        let monotonic = MonotonicClock.nowNanoseconds()
        do throws(SystemError) {
            signals = try SignalQueue([SIGTERM, SIGINT, SIGHUP, SIGCHLD])
            events = try EventQueue()
            timer = try TickTimer(intervalNanoseconds: SuspendFreeClock.tickNanoseconds)
            try events.add(timer.descriptor, token: EventToken.timer.rawValue)
            try events.add(signals.descriptor, token: EventToken.signals.rawValue)
        } catch {
            throw StartError("cannot create the event loop: \(error)")
        }
        // Better said before anything is made.
        let workerPrograms = try WorkerPrograms(folder: start.programs.workerFolder)
        lock = try start.makeLock(logger)
        inherited = try start.makeInheritedResources(logger)
        keeper = DescriptorStoreClient(events: events, logger: logger)
        requests = try start.makeControlServer(events, lock: lock, logger)
        let record = start.inheritance.record
        clock = SuspendFreeClock(
            monotonicNanoseconds: monotonic, nowNanoseconds: record?.steadyNanoseconds(atMonotonic: monotonic))
        processes = WorkerProcesses(events: events)
        starter = WorkerStarter(
            settings: start.settings, programs: workerPrograms, listeners: inherited.listeners,
            control: inherited.control.readable,
            user: start.settings.sandbox == .off
                ? nil : SupervisorSandbox.workerUser.map { .init(user: $0.user, group: $0.group) })
        reload = ReloadProgress(start)
        fleet = try Self.makeFleet(start, inherited, now: clock.nowNanoseconds)
        if start.settings.recordInterval != .zero, !start.settings.records {
            logger.info("nothing is recorded of nodes: set --black-box-dir, or --state-dir, to a folder")
        }
        // A start with another level outweighs what somebody has set meanwhile.
        changedLogLevel = record.flatMap { $0.settings.logLevel == start.settings.logLevel ? $0.logLevel : nil }
        requests?.onRequest = { [unowned self] in dispatch($0, $1) }
        requests?.onRefusal = { [unowned self] line in
            control.add(.controlRequestsRefused)
            logger.warning("\(line)")
        }
        if let exec = start.inheritance.exec {
            try resumeAfterExec(exec, start)
        } else {
            keeper.keep(inherited)
        }
    }

    /// Workers for the rings that there are; those for which there is no use any more give theirs away.
    private static func makeFleet(
        _ start: SupervisorStart, _ inherited: InheritedResources, now: Instant
    ) throws(StartError) -> Fleet {
        if start.inheritance.exec != nil, let fleet = start.inheritance.record?.fleet { return fleet }
        inherited.control.markAllEnded()
        inherited.control.add(.supervisorStarts)
        let (wanted, configured) = (start.wantedWorkers, start.settings.ingestWorkers)
        do throws(SystemError) {
            while inherited.rings.ingest.count < wanted { try inherited.rings.append() }
        } catch {
            throw StartError(
                "cannot create the rings for \(wanted) ingest workers (\(error)); give the service more memory or more "
                    + "descriptors, or fewer --ingest-workers")
        }
        inherited.control.set(.ingestWorkersWanted, UInt64(wanted))
        let rings = inherited.rings.ingest.count
        guard var fleet = start.inheritance.record?.fleet else {
            return Fleet(
                rings: rings, wanted: wanted, configured: configured, isInherited: inherited.isInherited,
                records: start.settings.records, now: now,
                generation: inherited.control.lastGeneration)
        }
        fleet.resumeAfterRestart(
            rings: rings, wanted: wanted, configured: configured, records: start.settings.records, now: now)
        return fleet
    }

    var control: WorkerTable { inherited.control }
    var rings: RingSet { inherited.rings }
    var now: Instant { clock.nowNanoseconds }
    /// As they are in service; a reload that fails goes back to them.
    var settings: ProxySettings { starter.settings }
    /// Why the start has failed, if it has.
    public var startFailure: StartError? { fleet.startFailure.map { StartError($0) } }

    // MARK: The loop

    /// Serves until it is told to end, or the start fails. Returns the exit code of the process: 0 or 1.
    public func run() -> Int32 {
        // Those that were there before their signal was watched.
        reapChildren()
        tick()
        while !fleet.isFinished {
            do throws(SystemError) {
                try turn()
            } catch {
                // Nothing that is described in epoll_wait(2) can happen here; a loop without events would spin.
                logger.critical("the event loop is broken: exiting", error: error)
                for process in processes.running.values { process.child.signal(SIGKILL) }
                return 1
            }
        }
        if let folder = settings.runtimeDirectory { requests?.close(runtimeDirectory: folder) }
        if let startFailure {
            logger.critical("\(startFailure)")
            return 1
        }
        logger.info("all workers have exited")
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

    /// Brings an event to the fleet and performs its actions. Events that arise meanwhile come after it.
    func bring(_ event: Fleet.Event) {
        pending.append(event)
        guard !isHandling else { return }
        isHandling = true
        while !pending.isEmpty {
            for action in fleet.handle(pending.removeFirst(), at: now) { perform(action) }
        }
        isHandling = false
        publishStatus()
        keepRecord()
    }

    /// A number for an answer that is owed.
    func owe(_ reply: ControlReply?) -> RequestID? {
        guard let reply else { return nil }
        lastRequest += 1
        replies[lastRequest] = reply
        return lastRequest
    }

    /// Where an answer goes, once.
    func takeReply(_ request: RequestID?) -> ControlReply? { request.flatMap { replies.removeValue(forKey: $0) } }

    func metadata(_ id: FleetProcess.ID) -> Logger.Metadata {
        if let exitMetadata, exitMetadata.id == id { return exitMetadata.fields }
        guard let process = processes[id] else { return [:] }
        return [
            "worker": "\(process.worker)", "pid": "\(process.child.pid)", "generation": "\(process.generation)",
        ]
    }
}
