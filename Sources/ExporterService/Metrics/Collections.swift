// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Metrics
import NIOCore
import Platform

/// The collections of latest values under way. A request joins one that is young, else it starts another; each waits
/// at its own deadline, and all get all of it.
///
/// A request with a filter takes what a collection of more agents already has, and waits for its own agents alone. When many
/// filters come at once they share a collection of all: the work that agents and workers have does not grow with the
/// number of requests.
final class Collections {
    /// A collection older than this is not joined: its first samples would be as old. Agents that have not answered it
    /// yet are not asked a second time all the same; that is the ingest workers' matter.
    static let joinableNanoseconds: UInt64 = 1_000_000_000
    /// However long somebody would wait: agents that take longer are hung.
    static let longestNanoseconds: UInt64 = 10_000_000_000
    /// Collections with a filter at a time. With those without, of which one a second starts and lasts ten at most, that is
    /// well below what an ingest worker takes, also while two exporters serve.
    static let maximumFiltered = 8

    private struct Waiter {
        let filter: SeriesFilter
        let served: (CollectionResult) -> Void
        /// Its own agents that have not answered, in a collection of more agents; nil: it waits for the whole collection.
        var missing: [ConnectedAgent]?
        /// The workers that matter to it; nil: all.
        var workers: Set<Int>?
        /// An earlier collection has the samples of its other agents; monotonic.
        var since: UInt64?
    }

    private final class Collection {
        let number: UInt64
        let filter: SeriesFilter
        var result: CollectionResult
        var pendingWorkers: Set<Int>
        /// Where in its command ring each worker finds the question.
        let positions: [Int: UInt64]
        var waiters: [UInt64: Waiter] = [:]

        init(number: UInt64, filter: SeriesFilter, result: CollectionResult, asked: WorkerLines.Asked) {
            self.number = number
            self.filter = filter
            self.result = result
            positions = asked.positions
            pendingWorkers = Set(asked.positions.keys)
        }
    }

    /// A collection that has ended, and is young enough to be shared.
    private struct Ended {
        let filter: SeriesFilter
        var result: CollectionResult
    }

    private let loop: any EventLoop
    private let workers: WorkerLines
    private let connected: ConnectedAgents
    private var underWayByNumber: [UInt64: Collection] = [:]
    private var ended: [Ended] = []
    private var nextWaiter: UInt64 = 0
    private var nextBatch: UInt64 = 0
    private(set) var started: UInt64 = 0
    private(set) var joined: UInt64 = 0
    private(set) var durations = Histogram(bounds: Histogram.secondsBounds)
    /// Called at a deadline, so that what has been answered in time counts.
    var readLanes: () -> Void = {}

    var underWay: Int { underWayByNumber.count }

    init(loop: any EventLoop, workers: WorkerLines, connected: ConnectedAgents) {
        self.loop = loop
        self.workers = workers
        self.connected = connected
    }

    /// Calls `served` once: when every agent of the filter has answered, or after `waitNanoseconds`.
    func collect(
        _ filter: SeriesFilter, waitNanoseconds: UInt64, _ served: @escaping (CollectionResult) -> Void
    ) {
        let now = MonotonicClock.nowNanoseconds()
        ended.removeAll { now - $0.result.startedAtNanoseconds >= Self.joinableNanoseconds }
        var waiter = Waiter(filter: filter, served: served)
        var wanted = filter
        if !filter.isEmpty, let index = ended.lastIndex(where: { $0.filter.covers(filter) }) {
            let since = ended[index].result.startedAtNanoseconds
            let rest = missing(filter, since: since, nowNanoseconds: now)
            if rest.isEmpty {
                joined += 1
                return serveFromEnded(index, served)
            }
            // Of an agent that has not answered there it alone is asked.
            if Set(rest.map(\.podName)).count == 1, let only = rest.first, filter.podName == nil {
                wanted = SeriesFilter(role: filter.role, podName: only.podName)
                waiter.since = since
            }
        }
        let collection = collection(for: wanted, nowNanoseconds: now)
        if collection.filter != wanted {
            let awaited = missing(
                wanted, since: collection.result.startedAtNanoseconds, nowNanoseconds: now)
            waiter.workers = Set(awaited.map(\.worker))
            waiter.missing = awaited
        }
        nextWaiter += 1
        let id = nextWaiter
        collection.waiters[id] = waiter
        if collection.pendingWorkers.isEmpty { return finish(collection) }
        if waiter.missing != nil, serveComplete(collection), collection.waiters[id] == nil { return }
        let number = collection.number
        loop.assumeIsolated().scheduleTask(in: .nanoseconds(Int64(min(waitNanoseconds, Self.longestNanoseconds)))) {
            [weak self] in
            self?.expire(id, of: number)
        }
    }

    /// One that is young and has these agents, else a new one.
    private func collection(for filter: SeriesFilter, nowNanoseconds now: UInt64) -> Collection {
        let young = underWayByNumber.values.filter {
            $0.filter.covers(filter) && now - $0.result.startedAtNanoseconds < Self.joinableNanoseconds
        }
        // Of others the newest: what its agents answer is youngest.
        if let own = young.first(where: { $0.filter == filter }) ?? young.max(by: { $0.number < $1.number }) {
            joined += 1
            return own
        }
        let filtered = underWayByNumber.values.lazy.filter { !$0.filter.isEmpty }.count
        if !filter.isEmpty, filtered >= Self.maximumFiltered {
            return collection(for: SeriesFilter(), nowNanoseconds: now)
        }
        return start(filter, nowNanoseconds: now)
    }

    private func start(_ filter: SeriesFilter, nowNanoseconds now: UInt64) -> Collection {
        started += 1
        let command = CollectCommand(
            deadlineNanoseconds: now + Self.longestNanoseconds, role: filter.role, podName: filter.podName)
        let asked = workers.ask(.collect, command.payload)
        var result = CollectionResult(startedAtNanoseconds: now)
        for worker in asked.refused { result.refusals[worker] = .commandRingFull }
        let collection = Collection(number: asked.number, filter: filter, result: result, asked: asked)
        underWayByNumber[asked.number] = collection
        return collection
    }

    // MARK: Parts of collections

    /// The agents of a filter that can answer and have not done so since.
    private func missing(_ filter: SeriesFilter, since: UInt64, nowNanoseconds now: UInt64) -> [ConnectedAgent] {
        connected.matching(filter, nowNanoseconds: now).filter {
            !Freshness.isAnswer($0.agent.sampleOrigin, since: since)
        }
    }

    private func serveFromEnded(_ index: Int, _ served: (CollectionResult) -> Void) {
        if ended[index].result.batch == 0 {
            nextBatch += 1
            ended[index].result.batch = nextBatch
        }
        served(ended[index].result)
    }

    /// Lanes have been read and their events are told: requests that wait for a part of a collection may have it now.
    func didReadLanes() {
        connected.invalidate()
        // What is shared from now on may show other samples.
        for index in ended.indices { ended[index].result.batch = 0 }
        for collection in Array(underWayByNumber.values) { serveComplete(collection) }
    }

    /// - Returns: whether anybody was served.
    @discardableResult
    private func serveComplete(_ collection: Collection) -> Bool {
        let since = collection.result.startedAtNanoseconds
        var ready: [UInt64] = []
        for (id, waiter) in collection.waiters {
            guard var missing = waiter.missing else { continue }
            missing.removeAll {
                !collection.pendingWorkers.contains($0.worker)
                    || Freshness.isAnswer($0.agent.sampleOrigin, since: since)
                    || !connected.isConnected($0)
            }
            collection.waiters[id]?.missing = missing
            if missing.isEmpty { ready.append(id) }
        }
        guard !ready.isEmpty else { return false }
        nextBatch += 1
        let batch = nextBatch
        let waiters = ready.sorted().compactMap { collection.waiters.removeValue(forKey: $0) }
        for waiter in waiters { serve(waiter, collection.result, batch: batch) }
        return true
    }

    private func serve(_ waiter: Waiter, _ collected: CollectionResult, batch: UInt64) {
        var result = collected
        result.batch = batch
        if let workers = waiter.workers {
            result.refusals = result.refusals.filter { workers.contains($0.key) }
            result.interruptions = result.interruptions.filter { workers.contains($0.key) }
        }
        observe(result)
        if let since = waiter.since {
            result.startedAtNanoseconds = since
            // It shows samples of two collections: no other answer is the same.
            nextBatch += 1
            result.batch = nextBatch
        }
        waiter.served(result)
    }

    // MARK: Events

    func roundEnded(number: UInt64, _ outcome: RoundOutcome, worker: Int) {
        guard let collection = underWayByNumber[number], collection.pendingWorkers.remove(worker) != nil else { return }
        switch outcome.ending {
        case .busy: collection.result.refusals[worker] = .workerBusy
        // It is about to be replaced: its agents have not had their time.
        case .draining: collection.result.interruptions[worker] = .workerDraining
        case .complete, .deadline: break
        }
        if collection.pendingWorkers.isEmpty { finish(collection) }
    }

    /// The worker is gone, and with it the answers that it still owed: last samples serve.
    func workerLost(_ worker: Int) {
        for collection in Array(underWayByNumber.values) where collection.pendingWorkers.remove(worker) != nil {
            collection.result.interruptions[worker] = .workerLost
            if collection.pendingWorkers.isEmpty { finish(collection) }
        }
    }

    /// The service ends: everybody is served with what has come.
    func endAll() {
        for collection in Array(underWayByNumber.values) {
            collection.result.isCutShort = true
            finish(collection)
        }
    }

    private func expire(_ waiter: UInt64, of number: UInt64) {
        guard underWayByNumber[number]?.waiters[waiter] != nil else { return }
        readLanes()
        guard let collection = underWayByNumber[number],
            let expired = collection.waiters.removeValue(forKey: waiter)
        else { return }
        var result = collection.result
        let now = MonotonicClock.nowNanoseconds()
        for worker in collection.pendingWorkers
        where workers.isSilent(worker, askedAt: collection.positions[worker] ?? 0, nowNanoseconds: now) {
            result.interruptions[worker] = .workerSilent
        }
        nextBatch += 1
        // A collection without waiters goes on, so that a request within its first second can join it.
        serve(expired, result, batch: nextBatch)
    }

    private func finish(_ collection: Collection) {
        underWayByNumber[collection.number] = nil
        let result = collection.result
        if result.refusals.isEmpty, result.interruptions.isEmpty, !result.isCutShort {
            ended.append(Ended(filter: collection.filter, result: result))
        }
        guard !collection.waiters.isEmpty else { return }
        nextBatch += 1
        let batch = nextBatch
        let waiters = collection.waiters.sorted { $0.key < $1.key }
        collection.waiters.removeAll()
        for (_, waiter) in waiters { serve(waiter, result, batch: batch) }
    }

    private func observe(_ result: CollectionResult) {
        durations.observe(Double(MonotonicClock.nowNanoseconds().elapsed(since: result.startedAtNanoseconds)) / 1e9)
    }
}
