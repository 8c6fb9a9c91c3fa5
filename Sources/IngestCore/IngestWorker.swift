// SPDX-License-Identifier: Apache-2.0
import Exchange
import GRPCServer
import Lanes
import Logging
import Logs
import Metrics
import NIOCore
import Platform
import Settings
import WorkerLink
import WorkerRuntime

/// One ingest process: lane, registry, gRPC server, and the loop that ties them together.
///
/// `@unchecked Sendable`: after ``start()`` everything is touched on the event loop alone; the thread that waits for
/// the supervisor only hands messages over to it.
public final class IngestWorker: Worker, @unchecked Sendable {
    /// How often the worker says that it lives, looks at `control`, and judges heartbeats.
    static let tick = TimeAmount.milliseconds(250)
    /// However long a turn of the loop takes, the worker lives and obeys at least so often.
    static let longestSilenceNanoseconds: UInt64 = 100_000_000
    /// Between two turns of registrations: the loop looks at its sockets only when nothing is to be done at once.
    static let registrationRest = TimeAmount.milliseconds(1)
    /// From GOAWAY to closing what is still open.
    static let drainGrace = TimeAmount.milliseconds(1_000)
    /// Before it, how long collections under way may take to end: agents answer within milliseconds, and one that does
    /// not is not waited for. Longer than an exporter that ends waits, which is to say 503 before the agent is gone.
    static let answerGrace = TimeAmount.milliseconds(500)

    let launch: WorkerLaunch
    private let lanes: WorkerDescriptors.Ingest
    let loop: any EventLoop
    let logger: Logger
    let control: ControlReader
    let otherLanes: OtherLanes
    private let loads: WorkerLoads
    private let mover: AgentMover
    /// Lanes of workers that are no more, the one that is being taken over first.
    var adoptions: [(worker: Int, whenDone: @Sendable () -> Void)] = []
    var adoption: LaneAdoption?
    private let lane: LaneWriter
    /// When the predecessor was last alive, `CLOCK_MONOTONIC`; 0: there was none.
    private let predecessorBeatNanoseconds: UInt64
    let outbox = LaneOutbox()
    private let counters: IngestCounters
    private let registry: AgentRegistry
    private let collector: MetricsCollector
    private let answers: AnswerCollector
    let service: AgentService
    let server: GRPCServer
    private let commands: [CommandReader]
    private let bells: [Doorbell]
    private var transport: TransportCounters
    private var pressureSince: UInt64?
    private var isBellDue = false
    private var lastBeat: UInt64 = 0
    private var deadline: (at: UInt64, task: Scheduled<Void>)?
    private(set) var isDraining = false

    /// Opens or takes over the lane; to be called on the loop.
    public init(launch: WorkerLaunch, lanes: WorkerDescriptors.Ingest, loop: any EventLoop, logger: Logger) throws {
        self.launch = launch
        self.lanes = lanes
        self.loop = loop
        self.logger = logger
        guard let secret = InstallationSecret(launch.secret) else {
            throw WorkerLaunchError("the secret has \(launch.secret.count) bytes")
        }
        control = try ControlReader(descriptor: launch.descriptors.control)
        // Taking the ring over is a sign of life already.
        predecessorBeatNanoseconds = (try? LaneReader(descriptor: lanes.up, kind: .up))?.heartbeat ?? 0
        lane = try Self.openLane(launch, lanes, logger)
        counters = IngestCounters(lane: lane)
        // A predecessor's: its connections died with it, and nothing waits yet.
        counters.set(.connectionsOpen, 0)
        counters.set(.waitsForRoom, 0)
        otherLanes = OtherLanes(lanes.otherUps)
        registry = AgentRegistry(lane: lane)
        let note = WorkNote(lane: lane)
        collector = MetricsCollector(
            lane: lane, outbox: outbox, registry: registry, counters: counters, note: note,
            maximumMessageBytes: launch.settings.grpcMaxMessageBytes)
        answers = AnswerCollector(
            lane: lane, outbox: outbox, registry: registry, counters: counters,
            parser: try ParsingThread(loop: loop, limitBytes: Self.parsingLimitBytes(launch.settings), note: note),
            downloads: ProfileDownloads(lane: lane, outbox: outbox, registry: registry, counters: counters),
            note: note, maximumMessageBytes: launch.settings.grpcMaxMessageBytes)
        service = AgentService(
            settings: launch.settings, secret: secret, lane: lane, outbox: outbox, registry: registry,
            collector: collector, answers: answers, counters: counters,
            others: OtherWorkers(
                lanes: otherLanes,
                cleanupNanoseconds: UInt64(clamping: launch.settings.agentCleanupTimeout.wholeNanoseconds),
                deadSince: { [control] in
                    let worker = control.worker(.ingest, $0)
                    return worker.state.isGone ? worker.stateSinceNanoseconds : nil
                }
            ) { [control] in
                let state = control.worker(.ingest, $0).state
                return state == .running || state == .draining
            }, control: control, note: note, index: launch.index, logger: logger)
        var configuration = GRPCServer.Configuration()
        configuration.maxMessageBytes = launch.settings.grpcMaxMessageBytes
        server = GRPCServer(configuration: configuration, eventLoop: loop, service: service, logger: logger)
        commands = [
            CommandReader(descriptor: lanes.downA, parity: 0), CommandReader(descriptor: lanes.downB, parity: 1),
        ]
        bells = [Doorbell(descriptor: lanes.bellA), Doorbell(descriptor: lanes.bellB)]
        transport = TransportCounters(lane: lane)
        loads = WorkerLoads(control: control, others: otherLanes)
        mover = AgentMover(service: service, logger: logger)
    }

    /// Two of the largest messages: while one is parsed the next comes in.
    private static func parsingLimitBytes(_ settings: ProxySettings) -> Int {
        max(64 << 20, 2 * settings.grpcMaxMessageBytes)
    }

    private static func openLane(
        _ launch: WorkerLaunch, _ lanes: WorkerDescriptors.Ingest, _ logger: Logger
    ) throws(LaneError) -> LaneWriter {
        let ring = launch.settings.ringMaxBytes
        if launch.isFresh { return try beginAnew(launch, lanes) }
        do {
            return try LaneWriter.takeOver(
                descriptor: lanes.up, kind: .up, index: launch.index, generation: launch.generation,
                maximumRingBytes: ring)
        } catch .unusable(let reason) {
            logger.error(
                "the predecessor's lane cannot be used: starting with an empty one, agents are asked anew",
                metadata: ["reason": "\(reason)"])
            return try beginAnew(launch, lanes)
        }
    }

    private static func beginAnew(
        _ launch: WorkerLaunch, _ lanes: WorkerDescriptors.Ingest
    ) throws(LaneError) -> LaneWriter {
        let fresh = try LaneWriter.format(
            descriptor: lanes.up, kind: .up, index: launch.index, generation: launch.generation,
            maximumRingBytes: launch.settings.ringMaxBytes)
        fresh.addCounter(IngestCounter.lanesReplaced.rawValue, 1)
        return fresh
    }

    // MARK: Start

    /// On the loop: lists the predecessor's agents, then serves. Succeeds when the worker accepts connections.
    public func start() -> EventLoopFuture<Void> {
        lane.slowestReaderPosition = { [unowned self] in slowestReaderPosition() }
        outbox.onPressure = { [unowned self] in setPressure($0) }
        outbox.onLoss = { [unowned self] in recordLost($0) }
        collector.onMessage = { [unowned self] in breathe() }
        collector.onDrop = { [unowned self] in logDrop($0, $1, count: $2) }
        answers.onDrop = { [unowned self] in logDrop($0, $1) }
        answers.downloads.clock = { [unowned self] in service.reading.nowNanoseconds }
        outbox.onWritten = { [unowned self] in ringSoon() }
        server.onConnectionCount = { [counters] in counters.set(.connectionsOpen, $0) }
        server.standing = { [unowned self] in standing() }
        adoptPredecessorsAgents()
        service.onRegistrationTurn = { [unowned self] in
            loop.scheduleTask(in: Self.registrationRest) { [self] in service.beginRegistrationTurn() }
        }
        beat()
        loop.scheduleRepeatedTask(initialDelay: Self.tick, delay: Self.tick) { [self] _ in onTick() }
        let bellsOpen = [lanes.bellA, lanes.bellB].map { descriptor in
            DoorbellChannel.open(descriptor, on: loop) { [self] in
                // It may be the supervisor that rings: a worker is about to send its agents away.
                let now = MonotonicClock.nowNanoseconds()
                if loads.isSuccessorAwaited(nowNanoseconds: now) { server.standingChanged() }
                readCommands()
            }
        }
        return EventLoopFuture.andAllSucceed(bellsOpen, on: loop).flatMap { [self] in
            server.start(listeningDescriptor: launch.descriptors.listener)
        }
    }

    private func adoptPredecessorsAgents() {
        guard let reader = try? LaneReader(descriptor: lanes.up, kind: .up) else { return }
        var found: [PredecessorsAgent] = []
        for index in 0..<reader.slotHighWater {
            guard let (slot, entry) = reader.entry(at: index) else { continue }
            var agent: PredecessorsAgent?
            if !service.isHeldOff(entry.identityHash) {
                // Reading what it has sent is what a predecessor may have died of.
                service.note.working(on: entry.identityHash) {
                    agent = PredecessorsAgent(slot, entry, in: reader)
                    if agent != nil { adoptAnswers(of: slot, reader) }
                }
            }
            if let agent { found.append(agent) } else { lane.releaseSlot(slot) }
            breathe()
        }
        service.adoptPredecessorsAgents(found, lastBeatNanoseconds: predecessorBeatNanoseconds)
        if !found.isEmpty { logger.info("took over the predecessor's lane", metadata: ["agents": "\(found.count)"]) }
    }

    private func adoptAnswers(of slot: SlotRef, _ reader: LaneReader) {
        for record in lane.currentRecords(of: slot) where RecordType.answers.contains(record.type) {
            _ = reader.read(at: record.position) { header, payload in answers.adopt(header, payload) }
            breathe()
        }
    }

    // MARK: Time

    private func onTick() {
        let now = MonotonicClock.nowNanoseconds()
        beat()
        if !outbox.isEmpty { outbox.retry() }
        repairRing()
        readCommands()
        service.tick(nowNanoseconds: now, isReading: pressureSince == nil)
        collector.tick(nowNanoseconds: now)
        answers.tick(nowNanoseconds: now)
        answers.downloads.tick()
        scheduleDeadline()
        transport.publish(server.statistics)
        counters.set(.ringBytes, lane.ringBytes)
        counters.set(.ringUsedBytes, lane.usedBytes)
        counters.set(.ringCurrentBytes, lane.currentBytes)
        if let since = pressureSince {
            // What was written in this tick may have filled the ring after `now`.
            counters.add(.backPressureNanoseconds, now.elapsed(since: since))
            pressureSince = max(now, since)
        } else if !isDraining {
            mover.tick(
                loads.share(own: server.connectionCount, for: .moving, nowNanoseconds: now), nowNanoseconds: now)
        }
    }

    private func standing() -> AcceptStanding {
        let now = MonotonicClock.nowNanoseconds()
        let share = loads.share(own: server.connectionCount, for: .accepting, nowNanoseconds: now)
        return AcceptStanding(
            isAboveShare: share.isAbove, othersConnections: share.othersTotal,
            patienceNanoseconds: loads.isSuccessorAwaited(nowNanoseconds: now)
                ? AcceptPatience.forSuccessorNanoseconds : AcceptPatience.longestNanoseconds)
    }

    func beat() {
        lastBeat = MonotonicClock.nowNanoseconds()
        lane.beat(lastBeat)
    }

    /// Between two messages of one turn: the tick comes only after the last of them.
    private func breathe() {
        guard MonotonicClock.nowNanoseconds().elapsed(since: lastBeat) >= Self.longestSilenceNanoseconds else { return }
        beat()
        readCommands()
    }

    /// Rounds end at their deadline, not at the next tick.
    private func scheduleDeadline() {
        let deadlines = [collector.nextDeadlineNanoseconds, answers.nextDeadlineNanoseconds]
        guard let next = deadlines.compactMap({ $0 }).min() else { return }
        if let deadline, deadline.at <= next { return }
        deadline?.task.cancel()
        let now = MonotonicClock.nowNanoseconds()
        let wait = TimeAmount.nanoseconds(Int64(clamping: next > now ? next - now : 0))
        let task = loop.scheduleTask(in: wait) { [self] in
            deadline = nil
            collector.tick(nowNanoseconds: MonotonicClock.nowNanoseconds())
            answers.tick(nowNanoseconds: MonotonicClock.nowNanoseconds())
            scheduleDeadline()
        }
        deadline = (next, task)
    }

    /// What in the header does not say what this worker has written is put right: readers wait for that.
    private func repairRing() {
        let repairs = lane.repairHeader()
        if repairs > 0 {
            counters.add(.ringRepairs, UInt64(repairs))
            logger.error(
                "words of the data ring's header had changed and were put right: faulty memory, or another process",
                metadata: ["words": "\(repairs)"])
        }
        counters.set(.ringDamagedPlaces, Int(clamping: lane.damagedPlaces))
        counters.set(.ringDamaged, lane.lostCurrentRecords > 0 ? 1 : 0)
    }

    // MARK: The exporter

    private func readCommands() {
        lane.setSleeping(false)
        repeat {
            for command in commands { readCommands(command) }
            lane.setSleeping(true)
            // The flag is for both: an exporter that has written meanwhile did not ring.
        } while !commands.allSatisfy(\.isWaiting)
        if !outbox.isEmpty { outbox.retry() }
        scheduleDeadline()
    }

    private func readCommands(_ reader: CommandReader) {
        let gone = reader.poll(into: lane, counters: counters) { header, command in
            let key = CollectionRounds.Key(generation: header.generation, number: header.number)
            counters.set(.lastCommand, Int(clamping: LastCommand.word(header.type, number: header.number)))
            if isDraining { refuse(command, key) } else { obey(command, key) }
        }
        guard let gone else { return }
        collector.exporterGone(generation: gone)
        answers.exporterGone(generation: gone)
        answers.downloads.exporterGone(generation: gone)
    }

    private func obey(_ command: ExporterCommand, _ key: CollectionRounds.Key) {
        switch command {
        case .collect(let command): collector.collect(command, key)
        case .ask(let command): answers.ask(command, key)
        case .fetch(let command): answers.downloads.fetch(command, key)
        case .fetchCredit(let credit): answers.downloads.credited(credit, key)
        case .fetchDrop: answers.downloads.drop(key)
        case .windowDrop: collector.dropWindow(key)
        }
    }

    /// This worker drains: whoever asks is told so at once.
    private func refuse(_ command: ExporterCommand, _ key: CollectionRounds.Key) {
        let outcome = RoundOutcome(ending: .draining).payload
        switch command {
        case .collect(let command): tell(command.window == nil ? .roundDone : .windowDone, key, outcome)
        case .ask: tell(.answersDone, key, outcome)
        case .fetch: tell(.fetchEnded, key, FetchEnding(.draining).payload)
        case .fetchCredit, .fetchDrop, .windowDrop: break
        }
    }

    private func tell(_ type: RecordType, _ key: CollectionRounds.Key, _ payload: [UInt8]) {
        outbox.write { [lane] () throws(LaneError) in
            _ = try lane.append(type, generation: key.generation, number: key.number, payload.span.bytes)
        }
    }

    /// The exporter is told once a turn of the loop, whatever number of records the turn has written.
    private func ringSoon() {
        guard !isBellDue else { return }
        isBellDue = true
        loop.execute { [self] in
            isBellDue = false
            for command in commands where command.isPeerSleeping && isRunning(command.peerGeneration) {
                bells[command.parity].ring()
            }
        }
    }

    private func isRunning(_ generation: UInt64) -> Bool {
        control.exporter(generation: generation).map { $0.state != .dead } ?? false
    }

    /// No exporter is overtaken while it lives, of which there are two during a reload; without one the ring goes round.
    private func slowestReaderPosition() -> UInt64? {
        let exporters = control.exporters
        var slowest: UInt64?
        for exporter in [exporters.previous, exporters.present] where exporter.state != .dead {
            let position = commands[Int(exporter.generation % 2)].peerPosition(generation: exporter.generation)
            if let position { slowest = min(slowest ?? position, position) }
        }
        return slowest
    }

    // MARK: Back-pressure

    private func setPressure(_ isOn: Bool) {
        let now = MonotonicClock.nowNanoseconds()
        if isOn {
            pressureSince = now
            counters.set(.waitsForRoom, 1)
            server.pauseReading()
            logger.debug("the ring is full: reading stops until the exporter has read on")
        } else {
            if let since = pressureSince { counters.add(.backPressureNanoseconds, now.elapsed(since: since)) }
            pressureSince = nil
            counters.set(.waitsForRoom, 0)
            server.resumeReading()
        }
    }

    private func logDrop(_ agent: Agent, _ dropped: DroppedSample, count: Int) {
        logger.warning(
            "series of an agent are left out; see \"Limits\" in docs/compatibility.md",
            metadata: [
                "pod": "\(agent.identity.podName)", "agent_id": "\(agent.id)", "metric": "\(dropped.metric)",
                "cause": "\(dropped.cause.name)", "samples": "\(count)",
            ])
    }

    private func logDrop(_ agent: Agent, _ dropped: DroppedAnswer) {
        logger.warning(
            "an answer of an agent, or a part of one, is left out; see \"Limits\" in docs/compatibility.md",
            metadata: [
                "pod": "\(agent.identity.podName)", "agent_id": "\(agent.id)", "stream": "\(dropped.stream.name)",
                "cause": "\(dropped.cause.rawValue)",
            ])
    }

    private func recordLost(_ error: LaneError) {
        switch error {
        case .noMemory: counters.add(.recordsWithoutMemory)
        default: counters.add(.recordsTooLarge)
        }
        logger.error("a record does not go into the lane and is dropped", metadata: ["reason": "\(error)"])
    }

    // MARK: End

    /// On the loop: sends the agents elsewhere. `whenDone` is called when the last connection is closed.
    public func drain(deadlineNanoseconds: UInt64, _ whenDone: @escaping @Sendable () -> Void) {
        guard !isDraining else { return }
        isDraining = true
        logger.info("draining", metadata: ["agents": "\(registry.onlineCount)"])
        server.stopAccepting()
        let left = deadlineNanoseconds - min(deadlineNanoseconds, MonotonicClock.nowNanoseconds())
        let grace = min(Self.answerGrace, .nanoseconds(Int64(clamping: left)))
        awaitAnswers(until: .now() + grace, deadlineNanoseconds: deadlineNanoseconds, whenDone)
    }

    /// A scrape that the agents are answering is answered whole: they are sent away after it.
    private func awaitAnswers(
        until deadline: NIODeadline, deadlineNanoseconds: UInt64, _ whenDone: @escaping @Sendable () -> Void
    ) {
        if collector.isCollecting, .now() < deadline {
            loop.scheduleTask(in: .milliseconds(5)) { [self] in
                awaitAnswers(until: deadline, deadlineNanoseconds: deadlineNanoseconds, whenDone)
            }
            return
        }
        server.drain()
        service.drain()
        let left = deadlineNanoseconds - min(deadlineNanoseconds, MonotonicClock.nowNanoseconds())
        let grace = min(Self.drainGrace, .nanoseconds(Int64(clamping: left)))
        awaitConnections(until: .now() + grace, whenDone)
    }

    /// Agents close their connections when their registration stream has ended; those that do not are closed.
    private func awaitConnections(until deadline: NIODeadline, _ whenDone: @escaping @Sendable () -> Void) {
        if server.connectionCount > 0, .now() < deadline {
            loop.scheduleTask(in: .milliseconds(10)) { [self] in awaitConnections(until: deadline, whenDone) }
            return
        }
        server.closeAll()
        // What was written last, the ends of streams among it, has left with the turn of the loop after this one.
        loop.execute { whenDone() }
    }
}
