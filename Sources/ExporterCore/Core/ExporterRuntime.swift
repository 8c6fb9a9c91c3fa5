// SPDX-License-Identifier: Apache-2.0
import Logging
import Metrics
import NIOCore
import Platform
import RingMessages
import Rings
import WorkerLink

/// The base of every feature: the rings and their reading, the heartbeat, the ingest workers, the worker table. It knows
/// features only as ``Feature``. Everything is on the event loop.
final class ExporterRuntime {
    /// How often the worker says that it lives, and looks at `control` and the rings.
    static let tick = TimeAmount.milliseconds(250)
    /// However much there is to read, the worker shows that it lives and reads at least so often.
    static let longestSilenceNanoseconds: UInt64 = 100_000_000
    /// However much there is to read, clients are served after so long.
    static let longestTurnNanoseconds: UInt64 = 100_000_000
    /// Limit of reading at the end of a ring, or of this process: agents may write faster than anybody reads.
    static let longestLastTurnNanoseconds: UInt64 = 1_000_000_000

    let launch: WorkerLaunch
    let loop: any EventLoop
    let logger: Logger
    let control: WorkerTableReader
    let state: ExporterState
    let recorder: RecorderGauge
    let ingestEndpoints = IngestEndpoints()
    let workers: WorkerChannels
    let directory: AgentDirectory
    let records: RecordTable
    let deliveries: DeliveryQueue
    let collecting: CollectionSupport
    private(set) var features: [any Feature] = []
    /// The exporter ends.
    var isDraining = false
    private var lastBeat: UInt64 = 0
    /// There was more to read than a turn had time for.
    private var isNextReadScheduled = false
    /// Workers that are gone, whose rings are not yet.
    var departures: [RingDeparture] = []

    /// - Parameters:
    ///   - stateRing: descriptor of the state ring.
    ///   - recorderRing: descriptor of the recorder's ring.
    init(
        launch: WorkerLaunch, stateRing: Int32, recorderRing: Int32, ingestWorkers: Int, loop: any EventLoop,
        logger: Logger
    ) throws {
        self.launch = launch
        self.loop = loop
        self.logger = logger
        recorder = RecorderGauge(descriptor: recorderRing)
        control = try WorkerTableReader(descriptor: launch.descriptors.control)
        state = try ExporterState(
            descriptor: stateRing, generation: launch.generation,
            suspects: launch.suspects, ingestWorkers: ingestWorkers, logger: logger)
        workers = WorkerChannels(ingestEndpoints: ingestEndpoints, control: control, generation: launch.generation)
        directory = AgentDirectory(
            ingestEndpoints: ingestEndpoints,
            cleanupNanoseconds: UInt64(clamping: launch.settings.agentCleanupTimeout.wholeNanoseconds))
        records = RecordTable(generation: launch.generation)
        deliveries = DeliveryQueue(loop: loop) { [crashGuard = state.crashGuard] in crashGuard.isReading }
        collecting = CollectionSupport(loop: loop, workers: workers, deliveries: deliveries)
        collecting.readRings = { [unowned self] in readRings() }
    }

    /// To be called once, before there is a ring to read.
    func attach(_ features: [any Feature]) {
        self.features = features
        for feature in features { records.add(feature.records) }
    }

    // MARK: Life

    /// Reads what is in the rings, and goes on reading.
    func start() {
        beat()
        readRings()
        let listed = directory.listed().count
        if listed > 0 { logger.info("rebuilt the state from the rings", metadata: ["agents": "\(listed)"]) }
        let core = NIOLoopBound(self, eventLoop: loop)
        loop.scheduleRepeatedTask(initialDelay: Self.tick, delay: Self.tick) { _ in core.value.onTick() }
    }

    private func onTick() {
        beat()
        workers.repairRings(logger)
        readRings()
        workers.publishConditions(nowNanoseconds: lastBeat)
        state.tick(nowNanoseconds: lastBeat)
    }

    private func beat() {
        lastBeat = MonotonicClock.nowNanoseconds()
        workers.beat(nowNanoseconds: lastBeat)
    }

    /// To be called again and again in what takes long: the worker shows that it lives.
    func yieldToEventLoop() {
        guard MonotonicClock.nowNanoseconds().elapsed(since: lastBeat) >= Self.longestSilenceNanoseconds else { return }
        beat()
        workers.publishReadPositions()
    }

    // MARK: Reading

    /// A worker has written something. While there is more to read than a turn has time for it is read anyway: many wakeup channels
    /// at once are not as many turns.
    func handleWakeup() {
        guard !isNextReadScheduled else { return }
        readRings()
    }

    /// Reads every ring to its head, whatever clients do; then says that this side sleeps, and looks once more. A record that
    /// cannot be read in the time given is read in further turns of the loop.
    func readRings(atMostNanoseconds: UInt64 = longestTurnNanoseconds) {
        let losses = workers.losses(nowNanoseconds: MonotonicClock.nowNanoseconds())
        for worker in losses.unasked { giveUpAsking(worker) }
        for worker in losses.gone {
            for feature in features { feature.workerWasLost(worker) }
        }
        defer {
            for feature in features { feature.ringsWereRead() }
            endDepartures()
        }
        let end = MonotonicClock.nowNanoseconds() + atMostNanoseconds
        repeat {
            workers.setSleeping(false)
            for (index, endpoint) in ingestEndpoints.all.enumerated() {
                // Of the time that is left each of those to come has an equal part.
                let now = MonotonicClock.nowNanoseconds()
                let part = (end - min(now, end)) / UInt64(ingestEndpoints.count - index)
                endpoint.follower.poll(untilNanoseconds: now + part)
            }
            workers.publishReadPositions()
            workers.setSleeping(true)
            if ingestEndpoints.all.allSatisfy({ $0.follower.isWaiting }) { return }
        } while MonotonicClock.nowNanoseconds() < end
        readOnSoon()
    }

    /// A millisecond later, not at once: a loop does all that is to be done at once before it looks at its sockets.
    private func readOnSoon() {
        workers.setSleeping(false)
        guard !isNextReadScheduled else { return }
        isNextReadScheduled = true
        loop.assumeIsolated().scheduleTask(in: .milliseconds(1)) { [self] in
            isNextReadScheduled = false
            readRings()
        }
    }

    /// Questions to that worker end with the answers that have come.
    func giveUpAsking(_ worker: Int) {
        for feature in features { feature.workerStoppedAnswering(worker) }
    }
}
