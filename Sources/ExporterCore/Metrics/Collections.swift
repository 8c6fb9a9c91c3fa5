// SPDX-License-Identifier: Apache-2.0
import Metrics
import Platform
import RingMessages

/// The collections of latest values under way. A request joins one that is young, else it starts another; each waits
/// at its own deadline, and all get all of it.
///
/// A request with a filter takes what a collection of more agents already has, and waits for its own agents alone. When many
/// filters come at once they share a collection of all: the work that agents and workers have does not grow with the
/// number of requests.
final class Collections {
    private typealias Running = WorkerCollections<SeriesFilter, CollectionResult, CollectionResult>
    private typealias Ticket = Running.Engine.Ticket

    /// A collection older than this is not joined: its first samples would be as old. Agents that have not answered it
    /// yet are not asked a second time all the same; that is the ingest workers' matter.
    static let joinableNanoseconds: UInt64 = 1_000_000_000
    /// However long somebody would wait: agents that take longer are hung.
    static let longestNanoseconds: UInt64 = 10_000_000_000
    /// Collections with a filter at a time. With those without, of which one a second starts and lasts ten at most, that is
    /// well below what an ingest worker takes, also while two exporters serve.
    static let maximumFiltered = 8

    /// The special state of a request that does not simply wait for a whole collection of its own filter.
    private struct Part {
        /// Its own agents that have not answered, in a collection of more agents; nil: it waits for the whole collection.
        var missing: [ConnectedAgent]?
        /// The workers that matter to it; nil: all.
        var workers: Set<Int>?
        /// An earlier collection has the samples of its other agents; monotonic.
        var since: UInt64?
    }

    /// A collection that has ended, and is young enough to be shared.
    private struct Ended {
        let filter: SeriesFilter
        var result: CollectionResult
    }

    private let connected: ConnectedAgents
    private lazy var running = Running(support) { [unowned self] in answers(to: $0) }
    private let support: CollectionSupport
    private var parts: [Ticket: Part] = [:]
    private var ended: [Ended] = []
    private var lastBatch: UInt64 = 0
    /// When the last collection of all agents began, `CLOCK_MONOTONIC`.
    private(set) var lastWholeNanoseconds: UInt64?
    private(set) var started: UInt64 = 0
    private(set) var joined: UInt64 = 0
    private(set) var durations = Histogram(bounds: Histogram.secondsBounds)

    var underWay: Int { running.engine.count }

    init(_ support: CollectionSupport, connected: ConnectedAgents) {
        self.support = support
        self.connected = connected
    }

    /// Calls `served` once: when every agent of the filter has answered, or after `waitNanoseconds`.
    func collect(
        _ filter: SeriesFilter, waitNanoseconds: UInt64, _ served: @escaping (CollectionResult) -> Void
    ) {
        let now = MonotonicClock.nowNanoseconds()
        ended.removeAll { now.elapsed(since: $0.result.startedAtNanoseconds) >= Self.joinableNanoseconds }
        var part = Part()
        var wanted = filter
        if !filter.isEmpty, let index = ended.lastIndex(where: { $0.filter.covers(filter) }) {
            let since = ended[index].result.startedAtNanoseconds
            let rest = missing(filter, since: since, nowNanoseconds: now)
            if rest.isEmpty { return serveFromEnded(index, served) }
            // Of an agent that has not answered there it alone is asked.
            if Set(rest.map { ExactText($0.podName) }).count == 1, let only = rest.first, filter.podName == nil {
                wanted = SeriesFilter(role: filter.role, podName: only.podName)
                part.since = since
            }
        }
        let until = now + min(waitNanoseconds, Self.longestNanoseconds)
        if let entry = joinable(for: wanted, nowNanoseconds: now) {
            joined += 1
            if entry.request != wanted {
                let awaited = missing(wanted, since: entry.startedAtNanoseconds, nowNanoseconds: now)
                part.workers = Set(awaited.map(\.worker))
                part.missing = awaited
            }
            parts[running.join(entry.id, untilNanoseconds: until, served)] = part
            if part.missing != nil { serveComplete(entry.id) }
        } else {
            start(wanted, part, nowNanoseconds: now, untilNanoseconds: until, served)
        }
    }

    /// One that is young and has these agents; nil: it is to be started.
    private func joinable(for filter: SeriesFilter, nowNanoseconds now: UInt64) -> Running.Engine.Entry? {
        let young = running.engine.all.filter {
            $0.request.covers(filter) && now.elapsed(since: $0.startedAtNanoseconds) < Self.joinableNanoseconds
        }
        // Of others the newest: what its agents answer is youngest.
        return young.first { $0.request == filter } ?? young.max { $0.id < $1.id }
    }

    private func start(
        _ wanted: SeriesFilter, _ own: Part, nowNanoseconds now: UInt64, untilNanoseconds until: UInt64,
        _ served: @escaping (CollectionResult) -> Void
    ) {
        var (filter, part) = (wanted, own)
        let filtered = running.engine.all.lazy.filter { !$0.request.isEmpty }.count
        if !wanted.isEmpty, filtered >= Self.maximumFiltered {
            filter = SeriesFilter()
            let awaited = missing(wanted, since: now, nowNanoseconds: now)
            part.workers = Set(awaited.map(\.worker))
            part.missing = awaited
        }
        started += 1
        if filter.isEmpty { lastWholeNanoseconds = now }
        let number = running.begin(filter, CollectionResult(startedAtNanoseconds: now))
        parts[running.join(number, untilNanoseconds: until, served)] = part
        let deadline = now + Self.longestNanoseconds
        let command = CollectCommand(deadlineNanoseconds: deadline, role: filter.role, podName: filter.podName)
        running.ask(number, .collect, command.payload, deadlineNanoseconds: deadline) { result, asked in
            for worker in asked.refused { result.refusals[worker] = .commandRingFull }
        }
        if part.missing != nil { serveComplete(number) }
    }

    // MARK: Parts of collections

    /// The agents of a filter that can answer and have not done so since.
    private func missing(_ filter: SeriesFilter, since: UInt64, nowNanoseconds now: UInt64) -> [ConnectedAgent] {
        connected.matching(filter, nowNanoseconds: now).filter {
            !StalenessPolicy.isAnswer($0.agent.sampleOrigin, since: since)
        }
    }

    private func serveFromEnded(_ index: Int, _ served: @escaping (CollectionResult) -> Void) {
        joined += 1
        if ended[index].result.batch == 0 { ended[index].result.batch = nextBatch() }
        running.deliver(ended[index].result, served)
    }

    private func nextBatch() -> UInt64 {
        lastBatch += 1
        return lastBatch
    }

    /// Rings have been read and their events are told: requests that wait for a part of a collection may have it now.
    func didReadRings() {
        connected.invalidate()
        // Answers that are shared from now on may show other samples.
        for index in ended.indices { ended[index].result.batch = 0 }
        for entry in running.engine.all { serveComplete(entry.id) }
    }

    private func serveComplete(_ number: UInt64) {
        guard let entry = running.engine[number] else { return }
        var ready: [Ticket] = []
        for ticket in entry.tickets {
            guard var missing = parts[ticket]?.missing else { continue }
            missing.removeAll {
                !entry.pending.contains($0.worker)
                    || StalenessPolicy.isAnswer($0.agent.sampleOrigin, since: entry.startedAtNanoseconds)
                    || !connected.isConnected($0)
            }
            parts[ticket]?.missing = missing
            if missing.isEmpty { ready.append(ticket) }
        }
        if !ready.isEmpty { running.release(ready, of: number) }
    }

    // MARK: Events

    func roundEnded(number: UInt64, _ outcome: CollectionOutcome, worker: Int) {
        running.workerDone(worker, in: number) { result, _ in
            switch outcome.ending {
            case .busy: result.refusals[worker] = .workerBusy
            // It is about to be replaced: its agents have not had their time.
            case .draining: result.interruptions[worker] = .workerDraining
            case .complete, .deadline: break
            }
        }
    }

    /// The worker is gone, and with it the answers that it still owed: last samples serve.
    func workerLost(_ worker: Int) {
        running.workerLost(worker) { result, _ in result.interruptions[worker] = .workerLost }
    }

    /// The service ends: everybody is served with what has come.
    func endAll() { running.finishAll { $0.isCutShort = true } }

    // MARK: Answers

    /// The answers for requests whose wait is over.
    private func answers(to served: Running.Engine.Served) -> [(Ticket, CollectionResult)] {
        let (entry, ending) = (served.entry, served.ending)
        var result = entry.outcome
        if ending == .complete, result.refusals.isEmpty, result.interruptions.isEmpty {
            ended.append(Ended(filter: entry.request, result: result))
        }
        if ending == .late {
            for worker in entry.pending where running.isSilent(worker, in: entry.id) {
                result.interruptions[worker] = .workerSilent
            }
        }
        result.batch = nextBatch()
        return served.tickets.map { ($0, answer(result, to: parts.removeValue(forKey: $0) ?? Part())) }
    }

    private func answer(_ collected: CollectionResult, to part: Part) -> CollectionResult {
        var result = collected
        if let workers = part.workers {
            result.refusals = result.refusals.filter { workers.contains($0.key) }
            result.interruptions = result.interruptions.filter { workers.contains($0.key) }
        }
        durations.observe(Double(MonotonicClock.nowNanoseconds().elapsed(since: result.startedAtNanoseconds)) / 1e9)
        if let since = part.since {
            result.startedAtNanoseconds = since
            // It shows samples of two collections: no other answer is the same.
            result.batch = nextBatch()
        }
        return result
    }
}

extension Collections: MetricSource {
    func addMetrics(to families: inout FamilyBuilder) {
        families.add(
            "fodc_proxy_collections_total", .counter, "Collections of the latest values that were started.",
            Double(started))
        families.add(
            "fodc_proxy_collections_joined_total", .counter, "Requests that joined a collection under way.",
            Double(joined))
        families.add(
            "fodc_proxy_collection_duration_seconds", "Time that requests waited for a collection.", [([], durations)])
    }
}
