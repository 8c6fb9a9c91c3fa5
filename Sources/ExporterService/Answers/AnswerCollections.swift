// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import NIOCore
import Platform

/// How a collection of one of the other streams went.
struct AnswerResult {
    /// Asked, and answered.
    var answered: Set<AgentID> = []
    /// Asked, and silent until the end.
    var unanswered: Set<AgentID> = []
    /// Not asked: they owe an older answer, or serve a download.
    var skipped: Set<AgentID> = []
    /// A worker that runs could not be asked.
    var refusal: AskRefusal?
    /// Why agents of workers did not have their time: what is known of them serves.
    var interruptions: Set<CollectionResult.Interruption> = []
    /// This exporter ends.
    var isCutShort = false
    /// The schema registries that came, each a `MessageList`.
    var registries: [AgentID: [UInt8]] = [:]
    /// The same for all who were served by one collection at once.
    var batch: UInt64 = 0

    /// Why there is no answer that is whole; `nil` when there may be one.
    var failure: ReportFailure? { refusal.map(ReportFailure.init) ?? (isCutShort ? .stopping : nil) }

    /// Whether an agent that was to be asked has not said what it has.
    var isPartial: Bool { !unanswered.isEmpty || !skipped.isEmpty || !interruptions.isEmpty || failure != nil }

    /// All that have the stream.
    var requested: Set<AgentID> { answered.union(unanswered).union(skipped) }
}

/// The collections of the other streams under way. A question of the same to the same agents joins the one that runs;
/// many questions to different agents at once share one to all.
final class AnswerCollections {
    struct Target: Hashable {
        var stream: AgentStream
        /// `nil`: all that have the stream.
        var agents: [AgentID]?
    }

    /// A worker ends a round at its deadline by itself; this much later nobody waits for its word any more.
    private static let graceNanoseconds: UInt64 = 250_000_000
    /// Collections of some agents of one stream at a time: well below what an ingest worker takes.
    static let maximumSelective = 16

    private final class Round {
        let number: UInt64
        let target: Target
        let startedAtNanoseconds: UInt64
        var result = AnswerResult()
        var pendingWorkers: Set<Int>
        var waiters: [(AnswerResult) -> Void] = []

        init(number: UInt64, target: Target, startedAtNanoseconds: UInt64, pendingWorkers: Set<Int>) {
            self.number = number
            self.target = target
            self.startedAtNanoseconds = startedAtNanoseconds
            self.pendingWorkers = pendingWorkers
        }
    }

    private let loop: any EventLoop
    private let workers: WorkerLines
    private let peers: IngestPeers
    private var rounds: [UInt64: Round] = [:]
    private var nextBatch: UInt64 = 0
    private(set) var statistics: [AgentStream: Statistics] = [:]

    var underWay: Int { rounds.count }

    struct Statistics {
        var started: UInt64 = 0
        var joined: UInt64 = 0
        var durations = Histogram(bounds: Histogram.secondsBounds)
    }

    init(loop: any EventLoop, workers: WorkerLines, peers: IngestPeers) {
        self.loop = loop
        self.workers = workers
        self.peers = peers
    }

    /// Calls `served` once, in a turn of the loop of its own: when everybody has answered, or at the end of the
    /// collection, `waitNanoseconds` after its start.
    func collect(_ wanted: Target, waitNanoseconds: UInt64, _ served: @escaping (AnswerResult) -> Void) {
        var target = wanted
        let selective = rounds.values.lazy.filter { $0.target.stream == wanted.stream && $0.target.agents != nil }.count
        if selective >= Self.maximumSelective, !rounds.values.contains(where: { $0.target == wanted }) {
            target.agents = nil
        }
        if let running = rounds.values.first(where: { $0.target == target }) {
            statistics[target.stream, default: Statistics()].joined += 1
            running.waiters.append(served)
            return
        }
        statistics[target.stream, default: Statistics()].started += 1
        let now = MonotonicClock.nowNanoseconds()
        let command = AskCommand(
            stream: target.stream, deadlineNanoseconds: now + waitNanoseconds, agents: target.agents)
        let asked = workers.ask(.ask, command.payload)
        let number = asked.number
        let round = Round(
            number: number, target: target, startedAtNanoseconds: now, pendingWorkers: Set(asked.positions.keys))
        if !asked.refused.isEmpty { round.result.refusal = .commandRingFull }
        round.waiters.append(served)
        rounds[number] = round
        if round.pendingWorkers.isEmpty { return finish(round) }
        let limit = TimeAmount.nanoseconds(Int64(clamping: waitNanoseconds + Self.graceNanoseconds))
        loop.assumeIsolated().scheduleTask(in: limit) { [weak self] in
            guard let self, let late = rounds[number] else { return }
            for worker in late.pendingWorkers { interrupted(worker, .workerSilent, late) }
            finish(late)
        }
    }

    // MARK: Events

    func roundEnded(number: UInt64, _ outcome: RoundOutcome, worker: Int) {
        guard let round = rounds[number], round.pendingWorkers.remove(worker) != nil else { return }
        let agents = peers.follower(of: worker)?.agents ?? [:]
        func ids(_ slots: [UInt32]) -> [AgentID] { slots.compactMap { agents[$0]?.entry.id } }
        round.result.answered.formUnion(ids(outcome.answered))
        round.result.unanswered.formUnion(ids(outcome.unanswered))
        round.result.skipped.formUnion(ids(outcome.skipped))
        switch outcome.ending {
        case .busy: round.result.refusal = .workerBusy
        case .draining: interrupted(worker, .workerDraining, round)
        case .complete, .deadline: break
        }
        if round.pendingWorkers.isEmpty { finish(round) }
    }

    func registryArrived(number: UInt64, _ payload: RawSpan, from agent: AgentID) {
        rounds[number]?.result.registries[agent] = payload.copiedBytes
    }

    func workerLost(_ worker: Int) {
        for round in Array(rounds.values) where round.pendingWorkers.remove(worker) != nil {
            interrupted(worker, .workerLost, round)
            if round.pendingWorkers.isEmpty { finish(round) }
        }
    }

    /// The agents of that worker that would have been asked have not answered.
    private func interrupted(_ worker: Int, _ cause: CollectionResult.Interruption, _ round: Round) {
        round.result.interruptions.insert(cause)
        let chosen = round.target.agents.map(Set.init)
        for agent in (peers.follower(of: worker)?.agents ?? [:]).values
        where agent.entry.openStreams & round.target.stream.bit != 0 && chosen?.contains(agent.entry.id) ?? true {
            round.result.unanswered.insert(agent.entry.id)
        }
    }

    /// This exporter ends: a report now would lack what agents were about to say.
    func endAll() {
        for round in Array(rounds.values) {
            round.result.isCutShort = true
            finish(round)
        }
    }

    private func finish(_ round: Round) {
        rounds[round.number] = nil
        // Whoever has moved may have been asked twice.
        round.result.unanswered.subtract(round.result.answered)
        round.result.skipped.subtract(round.result.answered)
        nextBatch += 1
        round.result.batch = nextBatch
        let seconds = Double(MonotonicClock.nowNanoseconds().elapsed(since: round.startedAtNanoseconds)) / 1e9
        statistics[round.target.stream, default: Statistics()].durations.observe(seconds)
        let (waiters, result) = (round.waiters, round.result)
        // Not at once: a lane is being read, and those who are served read lanes.
        loop.assumeIsolated().execute {
            for served in waiters { served(result) }
        }
    }
}
