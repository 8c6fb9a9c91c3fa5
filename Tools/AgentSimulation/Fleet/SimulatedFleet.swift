// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import Platform
import Synchronization

/// All agents of a process.
public final class SimulatedFleet: Sendable {
    private let settings: FleetSettings
    private let group: MultiThreadedEventLoopGroup
    private let shards: [(eventLoop: any EventLoop, shard: NIOLoopBound<FleetShard>)]
    private let scrapedSeries: ScrapedSeriesStore?
    private let output: @Sendable (String) -> Void
    private let startedAtNanoseconds = MonotonicClock.nowNanoseconds()
    private let isStopping = Atomic(false)
    public let statistics = FleetStatistics()

    /// How often the fleet looks whether all are registered or the run is over.
    private static let tick = TimeAmount.milliseconds(50)

    /// - Parameter output: takes lines about the fleet, from any thread.
    /// - Throws: if the proxy's name cannot be resolved.
    public init(_ settings: FleetSettings, output: @escaping @Sendable (String) -> Void) throws {
        self.settings = settings
        self.output = output
        group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, settings.threadCount))
        scrapedSeries = settings.scrape.map { _ in ScrapedSeriesStore(pointCount: settings.windowPointCount) }
        let builder = try FleetBuilder(settings)
        let loops = Array(group.makeIterator())
        let statistics = statistics
        let isVerbose = settings.isVerbose
        let store = scrapedSeries
        shards = try loops.enumerated().map { position, loop in
            // Made on the loop that it will live on.
            let shard = try loop.submit {
                let agents = builder.agents(
                    of: position, shardCount: loops.count, eventLoop: loop, statistics: statistics, scraped: store,
                    log: { if isVerbose { output($0) } })
                return NIOLoopBound(FleetShard(agents, seed: settings.seed &+ UInt64(position)), eventLoop: loop)
            }.wait()
            return (loop, shard)
        }
    }

    /// Runs until the duration is over, enough answers are given, or ``stop()`` is called.
    public func run() async throws {
        report(.started)
        try await startScraping()
        for (eventLoop, shard) in shards {
            eventLoop.execute {
                shard.value.start(settings: self.settings, shardCount: self.shards.count, eventLoop: eventLoop)
            }
        }
        var nextReport = settings.reportInterval
        var wereAllRegistered = false
        while !isOver {
            try await Task.sleep(nanoseconds: UInt64(Self.tick.nanoseconds))
            let areAllRegistered = statistics.snapshot.registered == settings.agentCount
            if areAllRegistered, !wereAllRegistered { report(.allRegistered) }
            wereAllRegistered = areAllRegistered
            if elapsed >= nextReport {
                report(.status)
                nextReport = elapsed + settings.reportInterval
            }
        }
        report(.ended)
        for (eventLoop, shard) in shards {
            try await eventLoop.submit { shard.value.stop() }.get()
        }
        try await group.shutdownGracefully()
    }

    /// Ends ``run()`` soon. From any thread, any number of times.
    public func stop() {
        isStopping.store(true, ordering: .relaxed)
    }

    private var elapsed: Duration {
        .nanoseconds(Int64(MonotonicClock.nowNanoseconds().elapsed(since: startedAtNanoseconds)))
    }

    private var isOver: Bool {
        if isStopping.load(ordering: .relaxed) { return true }
        if let duration = settings.duration, elapsed >= duration { return true }
        if let limit = settings.exitAfterAnswers, statistics.snapshot.answers >= limit { return true }
        return false
    }

    private func report(_ event: SimulatorStatus.Event) {
        let report = SimulatorStatus(
            event: event, agentCount: settings.agentCount, elapsedSeconds: elapsed / .seconds(1),
            processorSeconds: SimulatorUsage.processorSeconds, peakResidentBytes: SimulatorUsage.peakResidentBytes,
            counts: statistics.snapshot)
        output(settings.reportsAsJSON ? report.json : report.text)
    }

    /// The first reading comes before the first agent, later ones each interval.
    private func startScraping() async throws {
        guard let url = settings.scrape, let store = scrapedSeries else { return }
        let loop = group.next()
        await scrapeOnce(url, into: store, on: loop)
        let interval = TimeAmount.seconds(settings.recordIntervalSeconds)
        loop.scheduleRepeatedAsyncTask(initialDelay: interval, delay: interval) { _ in
            loop.makeFutureWithTask { await self.scrapeOnce(url, into: store, on: loop) }
        }
    }

    private func scrapeOnce(_ url: ScrapeURL, into store: ScrapedSeriesStore, on loop: any EventLoop) async {
        let seconds = WallClock.nowNanoseconds() / 1_000_000_000
        do {
            let body = try await ScrapeClient.fetch(url, on: loop).get()
            let outcome = PrometheusTextParser.parse(body.readableBytesView)
            store.add(outcome.metrics, seconds: seconds)
            guard let fault = outcome.firstFault else { return }
            statistics.count(error: "scrape: bad lines")
            if settings.isVerbose { output("scrape: \(outcome.rejectedLines) bad lines, first: \(fault)") }
        } catch {
            statistics.count(error: "scrape failed")
            if settings.isVerbose { output("scrape failed: \(error)") }
        }
    }
}
