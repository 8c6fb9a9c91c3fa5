// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Metrics
import NIOCore
import Platform

/// How a collection went, as seen by one who waited for it.
struct CollectionResult {
    /// Monotonic. What was read before belongs to an earlier collection.
    var startedAtNanoseconds: UInt64
    var answered = 0
    /// Asked, and silent until the asker's deadline.
    var unanswered = 0
    /// Not asked, since an older request is unanswered for too long.
    var skipped = 0
    /// Workers that were not there or went away meanwhile.
    var failedWorkers = 0
    /// The asker's deadline came first.
    var isLate = false
    /// It was ended before its time, for the exporter ends, or a worker does.
    var isCutShort = false
    /// The same for all who were served at once by the same collection: their answers are one.
    var batch: UInt64 = 0
}

/// The collections of latest values under way. A request joins one that is young, else it starts another; each waits
/// at its own deadline, and all get all of it.
final class Collections {
    /// A collection older than this is not joined: its first samples would be as old. Agents that have not answered it
    /// yet are not asked a second time all the same; that is the ingest workers' matter.
    static let joinableNanoseconds: UInt64 = 1_000_000_000
    /// However long somebody would wait: agents that take longer are hung.
    static let longestNanoseconds: UInt64 = 10_000_000_000

    private final class Round {
        let number: UInt64
        let filter: SeriesFilter
        var result: CollectionResult
        var pendingWorkers: Set<Int>
        var waiters: [UInt64: (CollectionResult) -> Void] = [:]

        init(number: UInt64, filter: SeriesFilter, result: CollectionResult, pendingWorkers: Set<Int>) {
            self.number = number
            self.filter = filter
            self.result = result
            self.pendingWorkers = pendingWorkers
        }
    }

    private let loop: any EventLoop
    private let workers: WorkerLines
    private var rounds: [UInt64: Round] = [:]
    private var nextWaiter: UInt64 = 0
    private var nextBatch: UInt64 = 0
    private(set) var started: UInt64 = 0
    private(set) var joined: UInt64 = 0
    private(set) var durations = Histogram(bounds: Histogram.secondsBounds)

    var underWay: Int { rounds.count }

    init(loop: any EventLoop, workers: WorkerLines) {
        self.loop = loop
        self.workers = workers
    }

    /// Calls `served` once: when everybody has answered, or after `waitNanoseconds`.
    func collect(
        _ filter: SeriesFilter, waitNanoseconds: UInt64, _ served: @escaping (CollectionResult) -> Void
    ) {
        let now = MonotonicClock.nowNanoseconds()
        let young = rounds.values.first {
            $0.filter == filter && now - $0.result.startedAtNanoseconds < Self.joinableNanoseconds
        }
        if young != nil { joined += 1 }
        let round = young ?? start(filter, nowNanoseconds: now)
        nextWaiter += 1
        let waiter = nextWaiter
        round.waiters[waiter] = served
        if round.pendingWorkers.isEmpty { return finish(round) }
        let number = round.number
        loop.assumeIsolated().scheduleTask(in: .nanoseconds(Int64(min(waitNanoseconds, Self.longestNanoseconds)))) {
            [weak self] in
            self?.expire(waiter, of: number)
        }
    }

    private func start(_ filter: SeriesFilter, nowNanoseconds now: UInt64) -> Round {
        started += 1
        let command = CollectCommand(
            deadlineNanoseconds: now + Self.longestNanoseconds, role: filter.role, podName: filter.podName)
        let (number, asked) = workers.send(.collect, command.payload)
        var result = CollectionResult(startedAtNanoseconds: now)
        result.failedWorkers = workers.count - asked.count
        let round = Round(number: number, filter: filter, result: result, pendingWorkers: asked)
        rounds[number] = round
        return round
    }

    // MARK: Events

    func roundEnded(number: UInt64, _ outcome: RoundOutcome, worker: Int) {
        guard let round = rounds[number], round.pendingWorkers.remove(worker) != nil else { return }
        round.result.answered += outcome.answered.count
        round.result.unanswered += outcome.unanswered.count
        round.result.skipped += outcome.skipped.count
        if outcome.ending == .busy { round.result.failedWorkers += 1 }
        // It is about to be replaced: its agents have not had their time either.
        if outcome.ending == .draining { round.result.isCutShort = true }
        if round.pendingWorkers.isEmpty { finish(round) }
    }

    /// The worker is gone, and with it the answers that it still owed: last samples serve.
    func workerLost(_ worker: Int) {
        for round in Array(rounds.values) where round.pendingWorkers.remove(worker) != nil {
            round.result.failedWorkers += 1
            if round.pendingWorkers.isEmpty { finish(round) }
        }
    }

    /// Everybody is served with what has come, and the last samples of the others.
    func endAll() {
        for round in Array(rounds.values) {
            round.result.isCutShort = true
            finish(round)
        }
    }

    private func expire(_ waiter: UInt64, of number: UInt64) {
        guard let round = rounds[number], let served = round.waiters.removeValue(forKey: waiter) else { return }
        nextBatch += 1
        var result = round.result
        result.isLate = true
        result.batch = nextBatch
        // A round without anybody who waits goes on, so that whoever comes within its first second can join it.
        observe(result)
        served(result)
    }

    private func finish(_ round: Round) {
        rounds[round.number] = nil
        guard !round.waiters.isEmpty else { return }
        nextBatch += 1
        var result = round.result
        result.batch = nextBatch
        observe(result)
        for (_, served) in round.waiters.sorted(by: { $0.key < $1.key }) { served(result) }
        round.waiters.removeAll()
    }

    private func observe(_ result: CollectionResult) {
        durations.observe(Double(MonotonicClock.nowNanoseconds() - result.startedAtNanoseconds) / 1e9)
    }
}
