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
    /// Room for tens of thousands of commands; a full one fails the command at once.
    static let commandRingBytes = 1 << 20

    private let launch: WorkerLaunch
    private let lanes: WorkerDescriptors.Exporter
    private let loop: any EventLoop
    private let logger: Logger
    private let control: ControlReader
    private let state: ExporterState
    private let followers: [LaneFollower]
    private let workers: WorkerLines
    private let directory: AgentDirectory
    private let collections: Collections
    private let windows: Windows
    private let answers: AnswerCollections
    private var server: HTTPServer!
    private var metrics: MetricsEndpoint!
    private var health: HealthEndpoint!
    private var router: Router!
    private let reports: ReportSources
    private let lifecycle: LifecycleCollector
    private var lifecycleTimer: LifecycleTimer?
    private let downloads: Downloads
    private var requests = RequestStatistics()
    private var isDraining = false
    private var lastBeat: UInt64 = 0

    public init(launch: WorkerLaunch, lanes: WorkerDescriptors.Exporter, loop: any EventLoop, logger: Logger) throws {
        self.launch = launch
        self.lanes = lanes
        self.loop = loop
        self.logger = logger
        control = try ControlReader(descriptor: launch.descriptors.control)
        let state = try ExporterState(
            descriptor: lanes.state, generation: launch.generation,
            cause: control.exporter(generation: launch.generation)?.cause ?? .none,
            logger: logger)
        self.state = state
        followers = lanes.ups.enumerated().map {
            LaneFollower(worker: $0, descriptor: $1, watch: state.watch, logger: logger)
        }
        let writers = try lanes.downs.enumerated().map { index, descriptor in
            try Self.openLane(descriptor, index: index, launch, logger)
        }
        workers = WorkerLines(
            lanes: writers, bells: lanes.bells.map { Doorbell(descriptor: $0) }, followers: followers, control: control,
            generation: launch.generation)
        directory = AgentDirectory(followers: followers)
        collections = Collections(loop: loop, workers: workers)
        windows = Windows(loop: loop, workers: workers)
        answers = AnswerCollections(loop: loop, workers: workers, followers: followers)
        reports = ReportSources(
            directory: directory, collections: answers,
            reader: AnswerReader(followers: followers, watch: state.watch),
            thread: ReportThread(loop: loop, note: state.asideNote))
        downloads = Downloads(
            loop: loop, line: workers,
            space: SpoolSpace(
                folder: launch.settings.spoolDirectory,
                maximumBytes: UInt64(launch.settings.spoolMaxBytes)),
            logger: logger)
        lifecycle = LifecycleCollector(sources: reports, state: state, loop: loop, logger: logger)
        wire()
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
        let startedAt = MonotonicClock.nowNanoseconds()
        let selection = SampleSelection(
            directory: directory, workers: workers,
            graceNanoseconds: UInt64(clamping: launch.settings.staleGrace.wholeNanoseconds),
            exporterLostAtNanoseconds: launch.generation > 1 ? startedAt : nil)
        metrics = MetricsEndpoint(collections: collections, selection: selection) { [unowned self] in ownFamilies() }
        let windowed = WindowsEndpoint(collections: collections, windows: windows, selection: selection)
        health = HealthEndpoint(
            directory: directory, control: control, generation: launch.generation, followers: followers)
        router = Router(
            [
                "/": SiteEndpoints.home,
                "/openapi.yaml": SiteEndpoints.openAPI,
                "/health": { [unowned self] in health.handle($0, $1) },
                "/metrics": { [unowned self] in metrics.handle($0, $1) },
                "/metrics-windows": { windowed.handle($0, $1) },
            ].merging(reportEndpoints()) { own, _ in own })
        var configuration = HTTPServer.Configuration()
        configuration.readTimeout = .nanoseconds(launch.settings.httpReadTimeout.wholeNanoseconds)
        configuration.writeTimeout = .nanoseconds(launch.settings.httpWriteTimeout.wholeNanoseconds)
        configuration.onRequestEnd = { [unowned self] end in
            requests.ended(path: router.label(of: end.path), end)
        }
        server = HTTPServer(configuration: configuration, eventLoop: loop, handler: router, logger: logger)
        for follower in followers {
            follower.delegate = self
            follower.onRecord = { [unowned self] in breathe() }
        }
    }

    private func reportEndpoints() -> [String: Router.Endpoint] {
        let topology = TopologyEndpoint(sources: reports)
        let cluster = ClusterEndpoint(sources: reports)
        let configuration = ConfigurationEndpoint(sources: reports)
        let lifecycleReport = LifecycleEndpoint(collector: lifecycle, answers: reports.answers)
        let diagnostics = DiagnosticsEndpoint(sources: reports)
        let lists = ProfileLists(sources: reports)
        let profiles = ProfileListEndpoint(lists: lists, sources: reports)
        let download = DownloadEndpoint(lists: lists, downloads: downloads, directory: directory)
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

    private func ownFamilies() -> [ExtraFamily] {
        OwnMetrics(
            directory: directory, followers: followers, workers: health.workers, collections: collections,
            windows: windows, answers: answers, reports: reports, lifecycle: lifecycle, downloads: downloads.statistics,
            skippedRecords: state.watch.skippedRecords, http: server.statistics, requests: requests,
            samplesServed: metrics.samplesServed, duplicateSeries: metrics.duplicateSeries
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
        let bellsOpen = lanes.bells.map { descriptor in
            DoorbellChannel.open(descriptor, on: loop) { [self] in readLanes() }
        }
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
        readLanes()
    }

    private func beat() {
        lastBeat = MonotonicClock.nowNanoseconds()
        workers.beat(nowNanoseconds: lastBeat)
    }

    private func breathe() {
        guard MonotonicClock.nowNanoseconds() - lastBeat >= Self.longestSilenceNanoseconds else { return }
        beat()
        workers.publishReadPositions()
    }

    /// Reads every lane to its head, whatever clients do; then says that this side sleeps, and looks once more.
    private func readLanes() {
        for worker in workers.lostWorkers(nowNanoseconds: MonotonicClock.nowNanoseconds()) {
            collections.workerLost(worker)
            windows.workerLost(worker)
            answers.workerLost(worker)
            downloads.workerLost(worker)
        }
        workers.setSleeping(false)
        repeat {
            for follower in followers { follower.poll() }
            workers.publishReadPositions()
            workers.setSleeping(true)
        } while !followers.allSatisfy({ $0.reader?.isAtHead ?? true })
    }

    /// Collections end at once with what has come; answers under way are finished, windows and what is slow are cut.
    public func drain(deadlineNanoseconds: UInt64, _ whenDone: @escaping @Sendable () -> Void) {
        guard !isDraining else { return }
        isDraining = true
        server.stopAccepting()
        // What agents have answered until now belongs to the answers that end here.
        readLanes()
        collections.endAll()
        windows.endAll()
        answers.endAll()
        downloads.endAll()
        let now = MonotonicClock.nowNanoseconds()
        let left = Int64(clamping: deadlineNanoseconds - min(now, deadlineNanoseconds))
        let cut = loop.scheduleTask(in: min(.nanoseconds(left), Self.drainLimit)) { [self] in
            server.closeAll()
            whenDone()
        }
        server.drain().whenComplete { _ in
            cut.cancel()
            whenDone()
        }
    }

    /// Answers that are not through by then are cut.
    static let drainLimit = TimeAmount.seconds(3)
}

extension ExporterWorker {
    public func retire(deadlineNanoseconds: UInt64, _ whenDone: @escaping @Sendable () -> Void) {
        drain(deadlineNanoseconds: deadlineNanoseconds, whenDone)
    }

    public func laneArrived(_ index: Int, _ lane: LaneDescriptors) {
        for descriptor in lane.list { MemoryFile.close(descriptor) }
    }
    public func laneGone(_ index: Int) {}
    public func adoptLane(_ index: Int, _ whenDone: @escaping @Sendable () -> Void) { whenDone() }
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
        case .windowDone: windows.roundEnded(number: header.number, worker: worker)
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

    func profileEnded(_ header: RecordHeader, _ ending: FetchEnding) {
        guard header.generation == launch.generation else { return }
        downloads.ended(number: header.number, ending)
    }
}
