// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import Platform
import Rings
import WorkerLink

/// The base of the features of an ingest worker: the event loop, the heartbeat, the rings, and the time at which each of
/// them has something to do. Lives on the loop.
final class IngestWorkerCore {
    /// How often the worker says that it lives, looks at `control`, and judges heartbeats.
    static let tick = TimeAmount.milliseconds(250)
    /// However long a turn of the loop takes, the worker lives and carries out at least so often.
    static let longestSilenceNanoseconds: UInt64 = 100_000_000

    let launch: WorkerLaunch
    let loop: any EventLoop
    let logger: Logger
    let control: WorkerTableReader
    let ring: DataRing
    let commands: CommandRings
    private(set) var isDraining = false

    private var features: [any IngestFeature] = []
    private var lastBeat: UInt64 = 0
    private var deadline: (at: UInt64, task: Scheduled<Void>)?

    /// Opens or takes over the data ring.
    init(
        launch: WorkerLaunch, rings: WorkerDescriptors.Ingest, loop: any EventLoop, logger: Logger
    ) throws {
        self.launch = launch
        self.loop = loop
        self.logger = logger
        control = try WorkerTableReader(descriptor: launch.descriptors.control)
        ring = try DataRing(launch, rings, logger)
        commands = CommandRings(rings, ring: ring, control: control, loop: loop)
    }

    /// Before anything else: from here on commands are understood.
    /// - Parameter features: in the order in which they are told of everything.
    func install(_ features: [any IngestFeature]) {
        self.features = features
        for feature in features { commands.add(feature) }
    }

    func start() {
        beat()
        ring.publishState(nowNanoseconds: lastBeat)
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.scheduleRepeatedTask(initialDelay: Self.tick, delay: Self.tick) { _ in bound.value.onTick() }
    }

    // MARK: Time

    private func onTick() {
        let now = MonotonicClock.nowNanoseconds()
        beat()
        ring.outbox.retry()
        ring.repair()
        readCommands()
        for feature in features { feature.tick(nowNanoseconds: now) }
        scheduleDeadline()
        ring.publishState(nowNanoseconds: now)
    }

    func beat() {
        lastBeat = MonotonicClock.nowNanoseconds()
        ring.writer.beat(lastBeat)
    }

    /// Between two messages of one turn of the loop: the tick comes only after the last of them.
    func beatIfDue() {
        guard MonotonicClock.nowNanoseconds().elapsed(since: lastBeat) >= Self.longestSilenceNanoseconds else { return }
        beat()
        readCommands()
    }

    /// Collections end at their deadline, not at the next tick.
    private func scheduleDeadline() {
        guard let next = features.compactMap(\.nextDeadlineNanoseconds).min() else { return }
        if let deadline, deadline.at <= next { return }
        deadline?.task.cancel()
        let now = MonotonicClock.nowNanoseconds()
        let wait = TimeAmount.nanoseconds(Int64(clamping: next > now ? next - now : 0))
        deadline = (next, loop.assumeIsolated().scheduleTask(in: wait) { [self] in atDeadline() })
    }

    private func atDeadline() {
        deadline = nil
        let now = MonotonicClock.nowNanoseconds()
        for feature in features where feature.nextDeadlineNanoseconds != nil { feature.tick(nowNanoseconds: now) }
        scheduleDeadline()
    }

    // MARK: Exporters

    func readCommands() {
        commands.read(isDraining: isDraining) { generation in
            for feature in features { feature.exporterGone(generation: generation) }
        }
        ring.outbox.retry()
        scheduleDeadline()
    }

    // MARK: The end

    /// From here on exporters are refused what they ask.
    func beginDraining() { isDraining = true }

    /// Somebody waits for what agents send now.
    var isCollecting: Bool { features.contains(where: \.isCollecting) }

    /// Agents go elsewhere, and what is under way ends.
    func drainFeatures() {
        for feature in features { feature.drain() }
    }
}
