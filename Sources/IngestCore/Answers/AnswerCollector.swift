// SPDX-License-Identifier: Apache-2.0
import GRPCServer
import Platform
import RingMessages
import Rings

/// Asks agents on their other streams when the exporter says so, and puts their answers into the ring as they came.
final class AnswerCollector {
    /// Limit of incomplete answers of all agents together: pressure lists of 1,000 agents, or a
    /// registry of 100,000 objects beside some lists.
    static let reassemblyBytes = 64 << 20

    let ring: RingWriter
    let outbox: RingOutbox
    let registry: AgentRegistry
    let counters: IngestCounters
    let parser: ParsingThread
    let marker: InFlightMarker
    let downloads: ProfileDownloads
    var answerCache: AnswerCache
    let streams: [AskedStream]
    var gatheredBytes = 0
    let maximumMessageBytes: Int
    /// Called for the first dropped answer of an agent, and then for one in each interval of ``DropReports``.
    var onDrop: (Agent, DroppedAnswer) -> Void = { _, _ in }

    init(
        ring: DataRing, registry: AgentRegistry, downloads: ProfileDownloads, parser: ParsingThread,
        maximumMessageBytes: Int, streams: [StreamDescription] = StreamDescription.all
    ) {
        self.ring = ring.writer
        outbox = ring.outbox
        counters = ring.counters
        marker = ring.marker
        self.registry = registry
        self.downloads = downloads
        self.parser = parser
        self.maximumMessageBytes = maximumMessageBytes
        self.streams = streams.map(AskedStream.init)
        // A quarter of the ring is for what is not metrics; in the smallest, at least for one message of any size.
        answerCache = AnswerCache(
            limitBytes: max(self.ring.maximumRingBytes / 4, maximumMessageBytes + 1 << 20),
            records: Set(streams.filter(\.hasRecords).compactMap(\.stream.record)))
    }

    /// `nil`: this worker does not ask on it.
    func asked(_ stream: AgentStream) -> AskedStream? { streams.first { $0.stream == stream } }

    /// Whether records of this type are answers that are kept.
    func keeps(_ type: RecordType) -> Bool { streams.contains { $0.stream.isKept && $0.stream.record == type } }

    func count(_ counter: StreamCounter, _ stream: AgentStream, _ n: Int = 1) {
        counters.add(counter, of: stream, UInt64(n))
    }

    func countDrop(_ cause: DroppedAnswer.Cause, on call: AnswerStreamCall) {
        count(cause.counter, call.stream)
        let dropped = DroppedAnswer(stream: call.stream, cause: cause)
        let now = MonotonicClock.nowNanoseconds()
        guard call.agent.answerDropReports.isDue(dropped, nowNanoseconds: now) else { return }
        onDrop(call.agent, dropped)
    }

    // MARK: Commands

    func ask(_ command: AskCommand, _ id: CommandID) {
        let stream = command.stream
        guard let asked = asked(stream) else { return publish(CollectionOutcome(ending: .complete), of: id, stream) }
        guard !asked.collections.isFull else { return publish(CollectionOutcome(ending: .busy), of: id, stream) }
        let now = MonotonicClock.nowNanoseconds()
        var waiting: [UInt32] = []
        var skipped: [UInt32] = []
        for agent in targets(of: command) {
            guard let call = agent.answerStream(stream) else { continue }
            if ask(call, id, nowNanoseconds: now) {
                waiting.append(agent.slot.index)
            } else {
                skipped.append(agent.slot.index)
                count(.busy, stream)
            }
        }
        publish(asked.begin(id, command, asking: waiting, skipped: skipped, nowNanoseconds: now), stream)
    }

    /// Crash records that somebody waits for have no end mark: any agent may still send some.
    var isAwaitingRecords: Bool { streams.contains(where: \.isAwaitingRecords) }

    private func targets(of command: AskCommand) -> [Agent] {
        guard let ids = command.agents else { return Array(registry.all) }
        return ids.compactMap { registry.agent(id: $0) }
    }

    /// - Returns: whether the agent is to be waited for.
    private func ask(_ call: AnswerStreamCall, _ id: CommandID, nowNanoseconds now: UInt64) -> Bool {
        if !call.description.hasRecords {
            // While it serves a download it answers no list; what is known of it serves.
            if call.fetches.isServing { return false }
            switch call.outstanding.ask(nowNanoseconds: now) {
            case .wait: return true
            case .hung: return false
            case .send: break
            }
        }
        switch call.description.request {
        case .constant(let request): send(request, on: call)
        case .identified(let request):
            let requestID = "list-\(id.generation)-\(id.number)"
            call.requestIDs.append(requestID)
            send(request(requestID), on: call)
        }
        return true
    }

    private func send(_ request: [UInt8], on call: AnswerStreamCall) {
        call.isAsked = true
        count(.asked, call.stream)
        call.call.send(request)
    }

    // MARK: Streams

    /// - Returns: `nil` for a stream that this worker does not ask on.
    func open(_ call: GRPCCall, _ stream: AgentStream, of agent: Agent) -> (any GRPCCallHandler)? {
        guard let asked = asked(stream) else { return nil }
        let opened = AnswerStreamCall(call: call, asked: asked, agent: agent, collector: self)
        replace(by: opened)
        return opened
    }

    private func replace(by call: AnswerStreamCall) {
        let agent = call.agent
        let older = agent.answerStream(call.stream)
        if let older { forget(older) }
        agent.answerStreams.append(call)
        registry.setStream(call.stream, isOpen: true, of: agent)
        older?.end(GRPCStatus(.aborted, "the agent has opened a newer \(call.stream.method)"))
    }

    func closed(_ call: AnswerStreamCall) {
        let agent = call.agent
        _ = takeGathered(call)
        downloads.closed(call)
        guard agent.answerStreams.contains(where: { $0 === call }) else { return }
        forget(call)
        guard registry.agent(slot: agent.slot.index) === agent else { return }
        registry.setStream(call.stream, isOpen: false, of: agent)
    }

    /// Nothing more comes from this stream: collections do not wait for it.
    private func forget(_ call: AnswerStreamCall) {
        call.agent.answerStreams.removeAll { $0 === call }
        unanswered(call)
    }

    // MARK: Collections

    func answered(_ call: AnswerStreamCall) { publish(call.asked.answered(call.agent.slot.index), call.stream) }

    func unanswered(_ call: AnswerStreamCall) { publish(call.asked.lost(call.agent.slot.index), call.stream) }

    private func publish(_ ended: [AskedStream.Ended], _ stream: AgentStream) {
        for (id, outcome) in ended { publish(outcome, of: id, stream) }
    }

    private func publish(_ outcome: CollectionOutcome, of id: CommandID, _ stream: AgentStream) {
        count(.silent, stream, outcome.unanswered.count)
        outbox.reply(.answersDone, to: id, outcome.payload)
    }
}

extension AnswerCollector: IngestFeature {
    var commands: [RecordType: ExporterCommand] {
        [
            .ask: ExporterCommand(AskCommand.self, refusal: .collection(.answersDone)) { [unowned self] in
                ask($0, $1)
            }
        ]
    }

    var nextDeadlineNanoseconds: UInt64? { streams.compactMap(\.nextDeadlineNanoseconds).min() }

    func tick(nowNanoseconds now: UInt64) {
        for asked in streams { publish(asked.expire(nowNanoseconds: now), asked.stream) }
    }

    func drain() {
        for asked in streams { publish(asked.finishAll(), asked.stream) }
    }

    func exporterGone(generation: UInt64) {
        for asked in streams { asked.drop(ofExporter: generation) }
    }
}
