// SPDX-License-Identifier: Apache-2.0
import Exchange
import GRPCServer
import Lanes
import Logging
import NIOCore
import Platform
import Settings
import WorkerLink
import WorkerRuntime

/// One ingest process: a core and the features on it, wired. It decides nothing.
///
/// `@unchecked Sendable`: after ``start()`` everything is touched on the event loop alone; the thread that waits for
/// the supervisor only hands messages over to it.
public final class IngestWorker: Worker, @unchecked Sendable {
    /// Between two turns of registrations: the loop looks at its sockets only when nothing is to be done at once.
    static let registrationRest = TimeAmount.milliseconds(1)

    let core: IngestWorkerCore
    let service: AgentService
    let server: GRPCServer
    private let metrics: MetricsCollector
    let answers: AnswerCollector
    private let downloads: ProfileDownloads
    private let balance: ConnectionBalance
    let otherLanes: OtherLanes
    private let adoptions: LaneAdoptions
    private let ownLane: Int32

    /// Opens or takes over the lane; to be called on the loop.
    public convenience init(
        launch: WorkerLaunch, lanes: WorkerDescriptors.Ingest, loop: any EventLoop, logger: Logger
    ) throws {
        try self.init(launch: launch, lanes: lanes, loop: loop, logger: logger, streams: StreamDescription.all)
    }

    /// - Parameter streams: those that are asked by an `AskCommand`.
    init(
        launch: WorkerLaunch, lanes: WorkerDescriptors.Ingest, loop: any EventLoop, logger: Logger,
        streams: [StreamDescription]
    ) throws {
        guard let secret = InstallationSecret(launch.secret) else {
            throw WorkerLaunchError("the secret has \(launch.secret.count) bytes")
        }
        let settings = launch.settings
        ownLane = lanes.up
        core = try IngestWorkerCore(launch: launch, lanes: lanes, loop: loop, logger: logger)
        let ring = core.ring
        otherLanes = OtherLanes(lanes.otherUps)
        let registry = AgentRegistry(lane: ring.writer)
        metrics = MetricsCollector(
            ring: ring, registry: registry, maximumMessageBytes: settings.grpcMaxMessageBytes)
        downloads = ProfileDownloads(ring: ring, registry: registry)
        answers = AnswerCollector(
            ring: ring, registry: registry, downloads: downloads,
            parser: try ParsingThread(loop: loop, limitBytes: Self.parsingLimitBytes(settings), note: ring.note),
            maximumMessageBytes: settings.grpcMaxMessageBytes, streams: streams)
        service = AgentService(
            settings: settings, secret: secret, ring: ring, registry: registry, collector: metrics, answers: answers,
            others: OtherWorkers(lanes: otherLanes, control: core.control, settings: settings), control: core.control,
            index: launch.index, logger: logger)
        var configuration = GRPCServer.Configuration()
        configuration.maxMessageBytes = settings.grpcMaxMessageBytes
        server = GRPCServer(configuration: configuration, eventLoop: loop, service: service, logger: logger)
        balance = ConnectionBalance(core: core, others: otherLanes, server: server, service: service)
        adoptions = LaneAdoptions(core: core, others: otherLanes, service: service)
    }

    /// Two of the largest messages: while one is parsed the next comes in.
    private static func parsingLimitBytes(_ settings: ProxySettings) -> Int {
        max(64 << 20, 2 * settings.grpcMaxMessageBytes)
    }

    /// On the loop: lists the predecessor's agents, then serves. Succeeds when the worker accepts connections.
    public func start() -> EventLoopFuture<Void> {
        let dropLog = DropLog(logger: core.logger)
        metrics.onDrop = dropLog.note
        answers.onDrop = dropLog.note
        metrics.onMessage = { [core] in core.beatIfDue() }
        downloads.clock = { [service] in service.reading.nowNanoseconds }
        core.ring.onPressure = { [server] isFull in
            if isFull { server.pauseReading() } else { server.resumeReading() }
        }
        server.onConnectionCount = { [counters = core.ring.counters] in counters.set(.connectionsOpen, $0) }
        server.standing = { [balance] in balance.standing() }
        let transport = TransportCounters(lane: core.ring.writer, server: server)
        core.install([service, metrics, answers, downloads, transport, balance])
        PredecessorTakeover(core: core, service: service, answers: answers).run(ownLane)
        service.onRegistrationTurn = { [core, unowned service] in
            core.loop.assumeIsolated().scheduleTask(in: Self.registrationRest) { service.beginRegistrationTurn() }
        }
        core.start()
        let listening = core.commands.listen { [core, balance] in
            balance.supervisorMayHaveSpoken()
            core.readCommands()
        }
        return listening.flatMap { [self] in server.start(listeningDescriptor: core.launch.descriptors.listener) }
    }

    // MARK: The supervisor

    public func setAccepting(_ isAccepting: Bool) { server.setAccepting(isAccepting) }

    public func laneArrived(_ index: Int, _ lane: LaneDescriptors) {
        for extra in [lane.down, lane.bell].compactMap({ $0 }) { MemoryFile.close(extra) }
        guard index != core.launch.index else { return MemoryFile.close(lane.up) }
        otherLanes.arrived(index, descriptor: lane.up)
        core.logger.debug("another worker's ring has arrived", metadata: ["worker": "ingest-\(index)"])
    }

    public func laneGone(_ index: Int) {
        otherLanes.gone(index)
        core.logger.debug("another worker's ring is gone", metadata: ["worker": "ingest-\(index)"])
    }

    public func adoptLane(_ index: Int, _ whenDone: @escaping @Sendable () -> Void) {
        adoptions.adopt(index, whenDone)
    }
}
