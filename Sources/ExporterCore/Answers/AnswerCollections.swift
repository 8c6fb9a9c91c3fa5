// SPDX-License-Identifier: Apache-2.0
import Platform
import RingMessages
import Rings

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
    private typealias Running = WorkerCollections<Target, AnswerResult, AnswerResult>

    struct Target: Hashable {
        var stream: AgentStream
        /// `nil`: all that have the stream.
        var agents: [AgentID]?
    }

    /// Collections of some agents of one stream at a time: well below what an ingest worker takes.
    static let maximumSelective = 16

    private let ingestEndpoints: IngestEndpoints
    private let support: CollectionSupport
    private lazy var running = Running(support) { [unowned self] in answers(to: $0) }
    private(set) var statistics: [AgentStream: Statistics] = [:]

    var underWay: Int { running.engine.count }

    struct Statistics {
        var started: UInt64 = 0
        var joined: UInt64 = 0
        /// When the last collection of all agents began, `CLOCK_MONOTONIC`.
        var lastWholeNanoseconds: UInt64?
        var durations = Histogram(bounds: Histogram.secondsBounds)
    }

    init(_ support: CollectionSupport, ingestEndpoints: IngestEndpoints) {
        self.support = support
        self.ingestEndpoints = ingestEndpoints
    }

    /// Calls `served` once: when everybody has answered, or at the end of the collection, `waitNanoseconds` after its start.
    func collect(_ wanted: Target, waitNanoseconds: UInt64, _ served: @escaping (AnswerResult) -> Void) {
        var target = wanted
        let ofStream = running.engine.all.filter { $0.request.stream == wanted.stream }
        let selective = ofStream.lazy.filter { $0.request.agents != nil }.count
        if selective >= Self.maximumSelective, !ofStream.contains(where: { $0.request == wanted }) {
            target.agents = nil
        }
        if let same = ofStream.first(where: { $0.request == target }) {
            statistics[target.stream, default: Statistics()].joined += 1
            _ = running.join(same.id, served)
            return
        }
        statistics[target.stream, default: Statistics()].started += 1
        let now = MonotonicClock.nowNanoseconds()
        if target.agents == nil { statistics[target.stream]?.lastWholeNanoseconds = now }
        let deadline = now + waitNanoseconds
        let number = running.begin(target, AnswerResult())
        _ = running.join(number, served)
        let command = AskCommand(stream: target.stream, deadlineNanoseconds: deadline, agents: target.agents)
        running.ask(number, .ask, command.payload, deadlineNanoseconds: deadline) { result, asked in
            if !asked.refused.isEmpty { result.refusal = .commandRingFull }
        }
    }

    /// When all agents were last asked on a stream; `nil`: never.
    func lastWholeNanoseconds(of stream: AgentStream) -> UInt64? { statistics[stream]?.lastWholeNanoseconds }

    // MARK: Events

    func roundEnded(number: UInt64, _ outcome: CollectionOutcome, worker: Int) {
        let agents = ingestEndpoints.follower(of: worker)?.agents ?? [:]
        func ids(_ slots: [UInt32]) -> [AgentID] { slots.compactMap { agents[$0]?.entry.id } }
        running.workerDone(worker, in: number) { [self] result, target in
            result.answered.formUnion(ids(outcome.answered))
            result.unanswered.formUnion(ids(outcome.unanswered))
            result.skipped.formUnion(ids(outcome.skipped))
            switch outcome.ending {
            case .busy: result.refusal = .workerBusy
            case .draining: interrupt(worker, .workerDraining, target, &result)
            case .complete, .deadline: break
            }
        }
    }

    func registryArrived(number: UInt64, _ payload: RawSpan, from agent: AgentID) {
        guard running.engine.contains(number) else { return }
        let bytes = payload.copiedBytes
        running.note(in: number) { $0.registries[agent] = bytes }
    }

    func workerLost(_ worker: Int) {
        running.workerLost(worker) { [self] result, target in interrupt(worker, .workerLost, target, &result) }
    }

    /// The agents of that worker that would have been asked have not answered.
    private func interrupt(
        _ worker: Int, _ cause: CollectionResult.Interruption, _ target: Target, _ result: inout AnswerResult
    ) {
        result.interruptions.insert(cause)
        let chosen = target.agents.map(Set.init)
        for agent in (ingestEndpoints.follower(of: worker)?.agents ?? [:]).values
        where agent.entry.openStreams & target.stream.bit != 0 && chosen?.contains(agent.entry.id) ?? true {
            result.unanswered.insert(agent.entry.id)
        }
    }

    /// This exporter ends: a report now would lack what agents were about to say.
    func endAll() { running.finishAll { $0.isCutShort = true } }

    private func answers(to served: Running.Engine.Served) -> [(Running.Engine.Ticket, AnswerResult)] {
        let entry = served.entry
        var result = entry.outcome
        for worker in entry.pending where served.ending == .deadline {
            interrupt(worker, .workerSilent, entry.request, &result)
        }
        // An agent that has moved between workers may have been asked twice.
        result.unanswered.subtract(result.answered)
        result.skipped.subtract(result.answered)
        let seconds = Double(MonotonicClock.nowNanoseconds().elapsed(since: entry.startedAtNanoseconds)) / 1e9
        statistics[entry.request.stream, default: Statistics()].durations.observe(seconds)
        return served.tickets.map { ($0, result) }
    }
}

extension AnswerCollections: MetricSource {
    func addMetrics(to families: inout FamilyBuilder) {
        let statistics = AgentStream.asked.map { ($0, self.statistics[$0] ?? Statistics()) }
        families.add(
            "fodc_proxy_stream_collections_total", .counter, "Collections that were started, by stream.",
            statistics.map { ([("stream", $0.0.name)], Double($0.1.started)) })
        families.add(
            "fodc_proxy_stream_collections_joined_total", .counter, "Requests that joined a collection under way.",
            statistics.map { ([("stream", $0.0.name)], Double($0.1.joined)) })
        families.add(
            "fodc_proxy_stream_collection_duration_seconds", "Duration of collections, by stream.",
            statistics.map { ([("stream", $0.0.name)], $0.1.durations) })
    }
}
