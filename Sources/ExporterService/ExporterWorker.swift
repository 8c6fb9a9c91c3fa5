// SPDX-License-Identifier: Apache-2.0
import Exchange
import HTTPServer
import Lanes
import Logging
import Logs
import Metrics
import NIOCore
import Platform
import Settings
import WorkerLink
import WorkerRuntime

/// The exporter process: reads the ingest workers' lanes, serves HTTP. Holds nothing that it cannot rebuild from them.
///
/// `@unchecked Sendable`: after ``start()`` everything is touched on the event loop alone; the thread that waits for
/// the supervisor only hands messages over to it.
public final class ExporterWorker: Worker, @unchecked Sendable {
    /// How often the worker says that it lives, and looks at `control` and the lanes.
    static let tick = TimeAmount.milliseconds(250)
    /// However much there is to read, the worker shows that it lives and reads at least so often.
    static let longestSilenceNanoseconds: UInt64 = 100_000_000
    /// However much there is to read, clients are served after so long.
    static let longestTurnNanoseconds: UInt64 = 100_000_000
    /// What is read of lanes at the end of one, or of this process: agents may write faster than anybody reads.
    static let longestLastTurnNanoseconds: UInt64 = 1_000_000_000
    /// Room for tens of thousands of commands; a full one fails the command at once.
    static let commandRingBytes = 1 << 20

    private let launch: WorkerLaunch
    private let revision: String
    let loop: any EventLoop
    let logger: Logger
    private let control: ControlReader
    let state: ExporterState
    let peers = IngestPeers()
    let workers: WorkerLines
    let directory: AgentDirectory
    let collections: Collections
    private let windows: Windows
    private let partial = PartialAnswers()
    let deliveries: DeliveryQueue
    let answers: AnswerCollections
    private(set) var server: HTTPServer!
    private var metrics: MetricsEndpoint!
    private(set) var health: HealthEndpoint!
    private var router: Router!
    private let reports: ReportSources
    private let lifecycle: LifecycleCollector
    private(set) var lifecycleTimer: LifecycleTimer?
    private let downloads: Downloads
    private let budgets: MemoryBudgets
    private var requests = RequestStatistics()
    private var isDraining = false
    /// No new work is begun: a successor serves, or the service ends.
    var isEnding = false
    private var lastBeat: UInt64 = 0
    /// There was more to read than a turn had time for.
    private var isToReadOn = false
    /// Workers that are gone, whose lanes are not yet.
    var departures: [LaneDeparture] = []

    /// - Parameter revision: the commit of this build, for its metric.
    public init(
        launch: WorkerLaunch, lanes: WorkerDescriptors.Exporter, loop: any EventLoop, logger: Logger,
        revision: String = "unknown"
    ) throws {
        self.launch = launch
        self.revision = revision
        self.loop = loop
        self.logger = logger
        control = try ControlReader(descriptor: launch.descriptors.control)
        state = try ExporterState(
            descriptor: lanes.state, generation: launch.generation,
            suspects: launch.suspects.map(RecordName.init(word:)), ingestWorkers: lanes.ups.count, logger: logger)
        workers = WorkerLines(peers: peers, control: control, generation: launch.generation)
        directory = AgentDirectory(
            peers: peers,
            cleanupNanoseconds: UInt64(clamping: launch.settings.agentCleanupTimeout.wholeNanoseconds))
        deliveries = DeliveryQueue(loop: loop) { [watch = state.watch] in watch.isReading }
        let support = CollectionSupport(loop: loop, workers: workers, deliveries: deliveries)
        collections = Collections(support, connected: ConnectedAgents(directory: directory, peers: peers))
        budgets = MemoryBudgets(machine: .current())
        windows = Windows(support, directory: directory, budgetBytes: budgets.windowBytes)
        answers = AnswerCollections(support, peers: peers)
        let reportBudget = ReportBudget(limitBytes: budgets.reportBytes)
        reports = ReportSources(
            directory: directory, collections: answers,
            reader: AnswerReader(peers: peers, watch: state.watch, budget: reportBudget),
            threads: try ReportThreads(loop: loop, note: state.note), budget: reportBudget, deliveries: deliveries,
            partial: partial)
        downloads = try Downloads(
            loop: loop, line: workers,
            space: SpoolSpace(
                folder: launch.settings.spoolDirectory,
                maximumBytes: UInt64(launch.settings.spoolMaxBytes)),
            deliveries: deliveries, logger: logger)
        lifecycle = LifecycleCollector(sources: reports, state: state, loop: loop, logger: logger)
        support.readLanes = { [unowned self] in readLanes() }
        wire()
        for index in lanes.ups.indices {
            peers.put(try makePeer(index, up: lanes.ups[index], down: lanes.downs[index], bell: lanes.bells[index]))
        }
        state.notesStand(in: peers[Self.notesWorker]?.lane)
    }

    /// In whose command lane the notes of what is being read stand: ``ExporterNote``.
    static let notesWorker = 0

    func makePeer(_ index: Int, up: Int32, down: Int32, bell: Int32) throws -> IngestPeer {
        let follower = LaneFollower(worker: index, descriptor: up, watch: state.watch, logger: logger)
        follower.delegate = self
        follower.onRecord = { [unowned self] in breathe() }
        let lane = try Self.openLane(down, index: index, launch, logger)
        // A question that was not read is not overwritten: the ring is full, and the next question is refused.
        lane.slowestReaderPosition = { [unowned follower, generation = launch.generation] in
            let taken = follower.reader?.peerReadPosition(Int(generation % 2))
            return taken?.generation == generation ? taken?.position : nil
        }
        return IngestPeer(
            follower: follower, lane: lane, bell: Doorbell(descriptor: bell), descriptors: [up, down, bell])
    }

    /// A command lane goes on where the last exporter of this parity left it. One that cannot be used is begun anew:
    /// nothing in it outlives its exporter.
    private static func openLane(
        _ descriptor: Int32, index: Int, _ launch: WorkerLaunch, _ logger: Logger
    ) throws(LaneError) -> LaneWriter {
        guard !launch.isFresh else { return try beginAnew(descriptor, index: index, launch) }
        do {
            return try LaneWriter.takeOver(
                descriptor: descriptor, kind: .down, index: index, generation: launch.generation,
                maximumRingBytes: commandRingBytes)
        } catch .unusable(let reason) {
            logger.error("a command lane cannot be used: begun anew", metadata: ["reason": "\(reason)"])
            return try beginAnew(descriptor, index: index, launch)
        }
    }

    private static func beginAnew(
        _ descriptor: Int32, index: Int, _ launch: WorkerLaunch
    ) throws(LaneError) -> LaneWriter {
        try LaneWriter.format(
            descriptor: descriptor, kind: .down, index: index, generation: launch.generation,
            maximumRingBytes: commandRingBytes)
    }

    private func wire() {
        let selection = SampleSelection(
            directory: directory, workers: workers,
            graceNanoseconds: UInt64(clamping: launch.settings.staleGrace.wholeNanoseconds))
        metrics = MetricsEndpoint(
            collections: collections, selection: selection, partial: partial, loop: loop,
            ownFamilies: { [unowned self] in ownFamilies($0) }, breathe: { [unowned self] in breathe() })
        let windowed = WindowsEndpoint(
            collections: collections, windows: windows, selection: selection, partial: partial)
        health = HealthEndpoint(
            directory: directory, control: control, generation: launch.generation, peers: peers)
        let probes = ProbeEndpoints(control: control, peers: peers) { [unowned self] in isDraining }
        router = Router(
            [
                "/": SiteEndpoints.home,
                "/-/healthy": { probes.healthy($0, $1) },
                "/-/ready": { probes.ready($0, $1) },
                "/openapi.yaml": SiteEndpoints.openAPI,
                "/health": { [unowned self] in health.handle($0, $1) },
                "/metrics": { [unowned self] in metrics.handle($0, $1) },
                "/metrics-windows": { windowed.handle($0, $1) },
            ].merging(reportEndpoints()) { own, _ in own })
        var configuration = HTTPServer.Configuration()
        configuration.readTimeout = .nanoseconds(launch.settings.httpReadTimeout.wholeNanoseconds)
        configuration.writeTimeout = .nanoseconds(launch.settings.httpWriteTimeout.wholeNanoseconds)
        configuration.reservedPaths = ["/metrics", "/health", "/-/healthy", "/-/ready"]
        configuration.maximumUnsentBytes = budgets.unsentBytes
        configuration.onWork = { [unowned self] in
            assert(!state.watch.isReading, "an answer is made while a record is read")
            breathe()
        }
        configuration.onRequestEnd = { [unowned self] end in
            requests.ended(path: router.label(of: end.path), end)
        }
        server = HTTPServer(configuration: configuration, eventLoop: loop, handler: router, logger: logger)
        reports.budget.cutSlowestReader = { [unowned self] in server.evictSlowReader(holdsReport: true) }
    }

    private func reportEndpoints() -> [String: Router.Endpoint] {
        let topology = TopologyEndpoint(sources: reports)
        let cluster = ClusterEndpoint(sources: reports)
        let configuration = ConfigurationEndpoint(sources: reports)
        let lifecycleReport = LifecycleEndpoint(collector: lifecycle, sources: reports)
        let diagnostics = DiagnosticsEndpoint(sources: reports)
        let lists = ProfileLists(sources: reports)
        let profiles = ProfileListEndpoint(lists: lists, sources: reports)
        let download = DownloadEndpoint(lists: lists, downloads: downloads, sources: reports)
        return [
            "/cluster": { cluster.handle($0, $1) },
            "/cluster/topology": { topology.handle($0, $1) },
            "/cluster/config": { configuration.handle($0, $1) },
            "/cluster/lifecycle": { lifecycleReport.handle($0, $1) },
            "/diagnostics": { diagnostics.handle($0, $1) },
            "/pressure-profiles": { profiles.handle($0, $1) },
            "/pressure-profiles/{pod_name}/{profile_id}/{type}": { download.handle($0, $1) },
        ]
    }

    private func ownFamilies(_ selected: SampleSelection.Selected) -> [ExtraFamily] {
        OwnMetrics(
            revision: revision, maximumAgents: launch.settings.maxAgents, directory: directory, peers: peers,
            control: control,
            workers: health.workers, collections: collections,
            windows: windows, answers: answers, reports: reports, lifecycle: lifecycle, downloads: downloads.statistics,
            skippedRecords: state.watch.skippedRecords, repairedWords: workers.repairedWords, http: server.statistics,
            requests: requests, samplesServed: metrics.samplesServed, duplicateSeries: metrics.duplicateSeries,
            oddBounds: metrics.oddBounds, selected: selected, partial: partial
        ).families() + LifecycleEndpoint.families(lifecycle.consistency)
    }

    /// Somebody should hear of it before the night in which a profile is wanted.
    private func checkSpoolFolder() {
        guard let reason = downloads.space.unusable else { return }
        logger.warning(
            "profiles cannot be downloaded: the spool folder cannot be used; set --spool-dir to one that can be written",
            metadata: ["folder": "\(downloads.space.folder)", "reason": "\(reason)"])
    }

    // MARK: Life

    public func start() -> EventLoopFuture<Void> {
        beat()
        readLanes()
        let listed = directory.listed().count
        if listed > 0 { logger.info("rebuilt from the lanes", metadata: ["agents": "\(listed)"]) }
        loop.scheduleRepeatedTask(initialDelay: Self.tick, delay: Self.tick) { [self] _ in onTick() }
        startLifecycleTimer()
        checkSpoolFolder()
        let bellsOpen = peers.all.map { $0.listen(on: loop) { [self] in bellRang() } }
        return EventLoopFuture.andAllSucceed(bellsOpen, on: loop).flatMap { [self] in
            server.start(listeningDescriptor: launch.descriptors.listener)
        }
    }

    private func startLifecycleTimer() {
        let interval = launch.settings.lifecycleInterval.wholeNanoseconds
        guard interval > 0 else { return }
        lifecycleTimer = LifecycleTimer(collector: lifecycle, interval: .nanoseconds(interval), loop: loop) {
            [directory] in !directory.listed().isEmpty
        }
        lifecycleTimer?.start()
    }

    private func onTick() {
        beat()
        workers.repairRings(logger)
        readLanes()
        workers.publishConditions(nowNanoseconds: lastBeat)
        state.tick(nowNanoseconds: lastBeat)
    }

    private func beat() {
        lastBeat = MonotonicClock.nowNanoseconds()
        workers.beat(nowNanoseconds: lastBeat)
    }

    private func breathe() {
        guard MonotonicClock.nowNanoseconds().elapsed(since: lastBeat) >= Self.longestSilenceNanoseconds else { return }
        beat()
        workers.publishReadPositions()
    }

    /// A worker has written something. While there is more to read than a turn has time for it is read anyway: many bells
    /// at once are not as many turns.
    func bellRang() {
        guard !isToReadOn else { return }
        readLanes()
    }

    /// Reads every lane to its head, whatever clients do; then says that this side sleeps, and looks once more. What
    /// cannot be read in the time given is read in further turns of the loop.
    func readLanes(atMostNanoseconds: UInt64 = longestTurnNanoseconds) {
        let losses = workers.losses(nowNanoseconds: MonotonicClock.nowNanoseconds())
        for worker in losses.unasked { giveUpAsking(worker) }
        for worker in losses.gone { downloads.workerLost(worker) }
        defer {
            collections.didReadLanes()
            health.counts.invalidate()
            endDepartures()
        }
        let end = MonotonicClock.nowNanoseconds() + atMostNanoseconds
        repeat {
            workers.setSleeping(false)
            for (index, peer) in peers.all.enumerated() {
                // Of the time that is left each of those to come has an equal part.
                let now = MonotonicClock.nowNanoseconds()
                let part = (end - min(now, end)) / UInt64(peers.count - index)
                peer.follower.poll(untilNanoseconds: now + part)
            }
            workers.publishReadPositions()
            workers.setSleeping(true)
            if peers.all.allSatisfy({ $0.follower.isWaiting }) { return }
        } while MonotonicClock.nowNanoseconds() < end
        readOnSoon()
    }

    /// A millisecond later, not at once: a loop does all that is to be done at once before it looks at its sockets.
    private func readOnSoon() {
        workers.setSleeping(false)
        guard !isToReadOn else { return }
        isToReadOn = true
        loop.assumeIsolated().scheduleTask(in: .milliseconds(1)) { [self] in
            isToReadOn = false
            readLanes()
        }
    }

    /// What that worker was asked ends with what has come.
    private func giveUpAsking(_ worker: Int) {
        collections.workerLost(worker)
        windows.workerLost(worker)
        answers.workerLost(worker)
    }

    /// Nothing comes from that worker's lane any more.
    func workerLost(_ worker: Int) {
        giveUpAsking(worker)
        downloads.workerLost(worker)
    }

    /// Takes no more connections, lets scrapes under way end, and then ends the rest: answers under way are finished, windows
    /// and what is slow are cut.
    public func drain(deadlineNanoseconds: UInt64, _ whenDone: @escaping @Sendable () -> Void) {
        guard !isDraining else { return }
        isDraining = true
        isEnding = true
        server.stopAccepting()
        let now = MonotonicClock.nowNanoseconds()
        let grace = min(Self.scrapeGraceNanoseconds, deadlineNanoseconds.elapsed(since: now))
        awaitScrapes(untilNanoseconds: now + grace, deadlineNanoseconds: deadlineNanoseconds, whenDone)
    }

    /// A scrape that agents are answering is answered whole.
    private func awaitScrapes(
        untilNanoseconds: UInt64, deadlineNanoseconds: UInt64, _ whenDone: @escaping @Sendable () -> Void
    ) {
        guard collections.underWay > 0, MonotonicClock.nowNanoseconds() < untilNanoseconds else {
            return endAll(deadlineNanoseconds: deadlineNanoseconds, whenDone)
        }
        loop.assumeIsolated().scheduleTask(in: .milliseconds(5)) { [self] in
            awaitScrapes(
                untilNanoseconds: untilNanoseconds, deadlineNanoseconds: deadlineNanoseconds, whenDone)
        }
    }

    private func endAll(deadlineNanoseconds: UInt64, _ whenDone: @escaping @Sendable () -> Void) {
        // What agents have answered until now belongs to the answers that end here.
        readLanes(atMostNanoseconds: Self.longestLastTurnNanoseconds)
        collections.endAll()
        windows.endAll()
        answers.endAll()
        downloads.endAll()
        deliveries.deliver()
        let left = Int64(clamping: deadlineNanoseconds.elapsed(since: MonotonicClock.nowNanoseconds()))
        let cut = loop.scheduleTask(in: min(.nanoseconds(left), Self.drainLimit)) { [self] in
            server.closeAll()
            whenDone()
        }
        server.drain().whenComplete { _ in
            cut.cancel()
            whenDone()
        }
    }

    /// How long scrapes under way may take to end. Ingest workers keep their agents for longer (`IngestWorker.answerGrace`), so
    /// that a scrape which is not whole by then is refused, not answered without agents that were sent away.
    static let scrapeGraceNanoseconds: UInt64 = 250_000_000
    /// Answers that are not through by then are cut.
    static let drainLimit = TimeAmount.seconds(3)
}

extension ExporterWorker: LaneFollowerDelegate {
    func windowArrived(_ header: RecordHeader, _ payload: RawSpan, from agent: LaneAgent) {
        guard header.generation == launch.generation else { return }
        windows.arrived(number: header.number, payload, from: agent)
    }

    func roundEnded(_ header: RecordHeader, _ outcome: RoundOutcome, worker: Int) {
        guard header.generation == launch.generation else { return }
        switch header.type {
        case .roundDone: collections.roundEnded(number: header.number, outcome, worker: worker)
        case .windowDone: windows.roundEnded(number: header.number, outcome, records: header.subject, worker: worker)
        default: answers.roundEnded(number: header.number, outcome, worker: worker)
        }
    }

    func registryArrived(_ header: RecordHeader, _ payload: RawSpan, from agent: LaneAgent) {
        guard header.generation == launch.generation else { return }
        answers.registryArrived(number: header.number, payload, from: agent.entry.id)
    }

    func profileChunkArrived(_ header: RecordHeader, _ payload: RawSpan) {
        guard header.generation == launch.generation else { return }
        downloads.chunkArrived(number: header.number, offset: header.subject, payload)
    }

    func recordsSkipped(worker: Int) { giveUpAsking(worker) }

    func ringWasReset(worker: Int) { state.forgetSuspects(worker: worker) }

    func profileEnded(_ header: RecordHeader, _ ending: FetchEnding) {
        guard header.generation == launch.generation else { return }
        downloads.ended(number: header.number, ending, byteCount: header.subject)
    }
}
