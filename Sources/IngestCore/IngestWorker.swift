// SPDX-License-Identifier: Apache-2.0
import GRPCServer
import Logging
import NIOCore
import Platform
import RingMessages
import Rings
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
    let otherRings: OtherRings
    private let adoptions: RingAdoptions
    private let ownRing: Int32
    /// nil where agents do not connect with TLS.
    private let tls: AgentsTLS?

    /// Opens or takes over the ring; to be called on the loop.
    public convenience init(
        launch: WorkerLaunch, rings: WorkerDescriptors.Ingest, loop: any EventLoop, logger: Logger
    ) throws {
        try self.init(launch: launch, rings: rings, loop: loop, logger: logger, streams: StreamDescription.all)
    }

    /// - Parameter streams: those that are asked by an `AskCommand`.
    init(
        launch: WorkerLaunch, rings: WorkerDescriptors.Ingest, loop: any EventLoop, logger: Logger,
        streams: [StreamDescription]
    ) throws {
        guard let secret = InstallationSecret(launch.secret) else {
            throw WorkerLaunchError("the secret has \(launch.secret.count) bytes")
        }
        let settings = launch.settings
        ownRing = rings.dataRing
        core = try IngestWorkerCore(launch: launch, rings: rings, loop: loop, logger: logger)
        let ring = core.ring
        otherRings = OtherRings(rings.otherDataRings)
        let registry = AgentRegistry(ring: ring.writer)
        metrics = MetricsCollector(
            ring: ring, registry: registry, maximumMessageBytes: settings.grpcMaxMessageBytes)
        downloads = ProfileDownloads(ring: ring, registry: registry)
        answers = AnswerCollector(
            ring: ring, registry: registry, downloads: downloads,
            parser: try ParsingThread(loop: loop, limitBytes: Self.parsingLimitBytes(settings), marker: ring.marker),
            maximumMessageBytes: settings.grpcMaxMessageBytes, streams: streams)
        service = AgentService(
            settings: settings, secret: secret, ring: ring, registry: registry, collector: metrics, answers: answers,
            others: OtherWorkers(rings: otherRings, control: core.control, settings: settings), control: core.control,
            index: launch.index, logger: logger)
        var configuration = GRPCServer.Configuration()
        configuration.maxMessageBytes = settings.grpcMaxMessageBytes
        configuration.allowedSources = settings.grpcAllowFrom
        tls = try AgentsTLS(settings: settings, counters: ring.counters, loop: loop, logger: logger)
        server = GRPCServer(configuration: configuration, eventLoop: loop, service: service, logger: logger)
        balance = ConnectionBalance(core: core, others: otherRings, server: server, service: service)
        adoptions = RingAdoptions(core: core, others: otherRings, service: service)
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
        server.share = { [balance] in balance.share() }
        let transport = TransportCounters(ring: core.ring.writer, server: server)
        var features: [any IngestFeature] = [service, metrics, answers, downloads, transport, balance]
        if let tls { features.append(tls) }
        core.install(features)
        PredecessorTakeover(core: core, service: service, answers: answers).run(ownRing)
        service.onRegistrationTurn = { [core, unowned service] in
            core.loop.assumeIsolated().scheduleTask(in: Self.registrationRest) { service.beginRegistrationTurn() }
        }
        core.start()
        let listening = core.commands.listen { [core, balance] in
            balance.supervisorMayHaveSpoken()
            core.readCommands()
        }
        tls?.start()
        return listening.flatMap { [self] in listen() }
    }

    private func listen() -> EventLoopFuture<Void> {
        var begun: [EventLoopFuture<Void>] = []
        if core.launch.descriptors.listener >= 0 {
            begun.append(server.start(listeningDescriptor: core.launch.descriptors.listener))
        }
        if let listener = core.launch.descriptors.tlsListener, let tls {
            begun.append(server.start(listeningDescriptor: listener, security: { tls.context }))
        }
        return EventLoopFuture.andAllSucceed(begun, on: core.loop)
    }

    // MARK: The supervisor

    public func setAccepting(_ isAccepting: Bool) { server.setAccepting(isAccepting) }

    public func ringArrived(_ index: Int, _ ring: RingDescriptors) {
        for extra in [ring.commandRing, ring.wakeup].compactMap({ $0 }) { MemoryFile.close(extra) }
        guard index != core.launch.index else { return MemoryFile.close(ring.dataRing) }
        otherRings.arrived(index, descriptor: ring.dataRing)
        core.logger.debug("another worker's ring has arrived", metadata: ["worker": "ingest-\(index)"])
    }

    public func ringGone(_ index: Int) {
        otherRings.gone(index)
        core.logger.debug("another worker's ring is gone", metadata: ["worker": "ingest-\(index)"])
    }

    public func adoptRing(_ index: Int, _ whenDone: @escaping @Sendable () -> Void) {
        adoptions.adopt(index, whenDone)
    }
}
