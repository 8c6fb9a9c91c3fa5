// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import Platform
import Rings
import WorkerLink
import WorkerRuntime

/// The exporter process: reads the ingest workers' rings, serves HTTP. Holds nothing that it cannot rebuild from them.
///
/// It puts ``ExporterRuntime``, ``HTTPFrontend`` and the features together, and takes them through start, retirement and drain.
/// Endpoints, record handlers and metrics are the features' own.
///
/// `@unchecked Sendable`: after ``start()`` everything is touched on the event loop alone; the thread that waits for
/// the supervisor only hands messages over to it.
public final class ExporterWorker: Worker, @unchecked Sendable {
    /// How long scrapes under way may take to end. Ingest workers keep their agents for longer (`IngestWorker.answerGrace`), so
    /// that a scrape which is not whole by then is refused, not answered without agents that were sent away.
    static let scrapeGraceNanoseconds: UInt64 = 250_000_000
    /// Answers that are not through by then are cut.
    static let drainLimit = TimeAmount.seconds(3)

    let core: ExporterRuntime
    let web: HTTPFrontend
    let features: [any Feature]
    private let registry = MetricRegistry()
    /// No new work is begun: a successor serves, or the service ends.
    private var isEnding = false

    /// - Parameter revision: the commit of this build, for its metric.
    public convenience init(
        launch: WorkerLaunch, rings: WorkerDescriptors.Exporter, loop: any EventLoop, logger: Logger, revision: String
    ) throws {
        try self.init(
            launch: launch, rings: rings, loop: loop, logger: logger, revision: revision,
            makeFeatures: ExporterFeatures.make)
    }

    init(
        launch: WorkerLaunch, rings: WorkerDescriptors.Exporter, loop: any EventLoop, logger: Logger, revision: String,
        makeFeatures: (FeatureContext) throws -> [any Feature]
    ) throws {
        let core = try ExporterRuntime(
            launch: launch, stateRing: rings.state, recorderRing: rings.recorderState,
            ingestWorkers: rings.dataRings.count, loop: loop, logger: logger)
        let budgets = MemoryBudgets(machine: .current())
        let access = try WebAccess(settings: launch.settings, loop: loop, logger: logger)
        let web = HTTPFrontend(
            settings: launch.settings, access: access,
            unsentBytes: budgets.bytes(upTo: HTTPFrontend.maximumUnsentBytes), loop: loop,
            logger: logger
        ) { [unowned core] in
            assert(!core.state.crashGuard.isReading, "an answer is made while a record is read")
            core.yieldToEventLoop()
        }
        let partial = PartialAnswers()
        let features = try makeFeatures(
            FeatureContext(
                core: core, web: web, registry: registry, partial: partial, budgets: budgets, revision: revision))
        core.attach(features)
        web.publish(features.flatMap(\.endpoints))
        let accessMetrics = AccessMetrics(
            web: access, ingest: IngestTotals(core.ingestEndpoints),
            hasAgentsTLS: launch.settings.grpcTLSListenAddress != nil)
        registry.add([web, accessMetrics, partial, RingMetrics(core)] + features.flatMap(\.metrics))
        try core.open(rings)
        self.core = core
        self.web = web
        self.features = features
    }

    // MARK: Life

    public func start() -> EventLoopFuture<Void> {
        core.start()
        for feature in features { feature.start() }
        return core.listen().flatMap { [self] in
            web.start(listeningDescriptor: core.launch.descriptors.listener)
        }
    }

    /// Takes no more connections, lets scrapes under way end, and then ends the rest: answers under way are finished, windows
    /// and what is slow are cut.
    public func drain(deadlineNanoseconds: UInt64, _ whenDone: @escaping @Sendable () -> Void) {
        guard !core.isDraining else { return }
        core.isDraining = true
        isEnding = true
        web.server.stopAccepting()
        let now = MonotonicClock.nowNanoseconds()
        let grace = min(Self.scrapeGraceNanoseconds, deadlineNanoseconds.elapsed(since: now))
        awaitScrapes(untilNanoseconds: now + grace, deadlineNanoseconds: deadlineNanoseconds, whenDone)
    }

    /// A scrape that agents are answering is answered whole.
    private func awaitScrapes(
        untilNanoseconds: UInt64, deadlineNanoseconds: UInt64, _ whenDone: @escaping @Sendable () -> Void
    ) {
        guard features.contains(where: \.isAwaitingAgents), MonotonicClock.nowNanoseconds() < untilNanoseconds else {
            return endAll(deadlineNanoseconds: deadlineNanoseconds, whenDone)
        }
        core.loop.assumeIsolated().scheduleTask(in: .milliseconds(5)) { [self] in
            awaitScrapes(
                untilNanoseconds: untilNanoseconds, deadlineNanoseconds: deadlineNanoseconds, whenDone)
        }
    }

    private func endAll(deadlineNanoseconds: UInt64, _ whenDone: @escaping @Sendable () -> Void) {
        // The agents' answers until now belong to the questions that end here.
        core.readRings(atMostNanoseconds: ExporterRuntime.longestLastTurnNanoseconds)
        for feature in features { feature.endAll() }
        core.deliveries.deliver()
        let left = Int64(clamping: deadlineNanoseconds.elapsed(since: MonotonicClock.nowNanoseconds()))
        let cut = core.loop.scheduleTask(in: min(.nanoseconds(left), Self.drainLimit)) { [self] in
            web.server.closeAll()
            whenDone()
        }
        web.server.drain().whenComplete { _ in
            cut.cancel()
            whenDone()
        }
    }

    /// A successor serves. Requests under way go on, rings are read, and each connection gets one more answer; what is left some
    /// seconds before the deadline is drained.
    public func retire(deadlineNanoseconds: UInt64, _ whenDone: @escaping @Sendable () -> Void) {
        guard !isEnding else { return }
        isEnding = true
        core.logger.info("retiring", metadata: ["connections": "\(web.server.connectionCount)"])
        core.state.release()
        for feature in features { feature.retire() }
        let left = Int64(clamping: deadlineNanoseconds.elapsed(since: MonotonicClock.nowNanoseconds()))
        let rest = TimeAmount.nanoseconds(max(0, left - Self.drainLimit.nanoseconds))
        let drain = core.loop.assumeIsolated().scheduleTask(in: rest) { [self] in
            self.drain(deadlineNanoseconds: deadlineNanoseconds, whenDone)
        }
        web.server.retire().whenComplete { _ in
            drain.cancel()
            whenDone()
        }
    }

    // MARK: Ingest workers

    public func ringArrived(_ index: Int, _ ring: RingDescriptors) throws { try core.ringArrived(index, ring) }

    public func ringGone(_ index: Int) { core.depart(index) }

    public func adoptRing(_ index: Int, _ whenDone: @escaping @Sendable () -> Void) { whenDone() }
}
