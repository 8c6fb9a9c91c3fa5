// SPDX-License-Identifier: Apache-2.0
import DequeModule
import GRPCServer
import Metrics
import Platform
import RingMessages
import Rings
import TestHooks

/// Asks agents for their metrics when the exporter says so, and puts their answers into the ring.
final class MetricsCollector {
    /// An agent whose oldest request for the latest values is unanswered for longer is neither asked nor waited for.
    static let hungAfterNanoseconds: UInt64 = 10_000_000_000

    let ring: RingWriter
    let outbox: RingOutbox
    let registry: AgentRegistry
    let counters: IngestCounters
    let marker: InFlightMarker
    var latest = AgentCollections<CollectCommand>()
    private var pacing = AnswerPacing()
    /// Those who are to be asked when there is room.
    private var line: Deque<MetricsStreamCall> = []
    var windows = AgentCollections<CollectCommand>()
    /// `window` records that were written for each of them.
    var windowRecords: [CommandID: UInt64] = [:]
    /// The estimated size that the answer to a part of a window may have.
    let windowPartBytes: Double
    /// Called after every message: a turn of the loop can hold a message of every agent, and take seconds.
    var onMessage: () -> Void = {}
    /// Called when samples of an agent are left out for a cause that it has not been named for of late.
    var onDrop: (Agent, DroppedSample, _ count: Int) -> Void = { _, _, _ in }

    init(ring: DataRing, registry: AgentRegistry, maximumMessageBytes: Int) {
        self.ring = ring.writer
        outbox = ring.outbox
        counters = ring.counters
        marker = ring.marker
        self.registry = registry
        windowPartBytes = min(WindowPlan.expectedPartBytes, Double(maximumMessageBytes) / 2)
    }

    // MARK: Commands

    func collect(_ command: CollectCommand, _ id: CommandID) {
        guard !latest.isFull else { return publish(CollectionOutcome(ending: .busy), of: id, as: .roundDone) }
        let now = MonotonicClock.nowNanoseconds()
        var waiting: [UInt32] = []
        var skipped: [UInt32] = []
        for agent in registry.all {
            guard let stream = agent.metrics, Self.matches(agent, command) else { continue }
            if let sentAt = stream.requests.latestSentAtNanoseconds {
                if now.elapsed(since: sentAt) > Self.hungAfterNanoseconds {
                    skipped.append(agent.slot.index)
                    counters.add(.notAskedBusy)
                    continue
                }
            } else if !stream.isInLine {
                enqueue(stream, for: id)
            }
            waiting.append(agent.slot.index)
        }
        publish(
            latest.begin(
                id, command, asking: waiting, skipped: skipped, deadlineNanoseconds: command.deadlineNanoseconds,
                nowNanoseconds: now), as: .roundDone)
        askNext()
    }

    /// An agent that connects while a collection runs belongs to it: a request that joins the collection has come after the
    /// agent, and would lack it.
    private func join(_ stream: MetricsStreamCall) {
        let ids = latest.all.filter { Self.matches(stream.agent, $0.request) }.map(\.id)
        for id in ids {
            latest.add(stream.agent.slot.index, to: id)
            if !stream.isInLine { enqueue(stream, for: id) }
        }
        askNext()
    }

    static func matches(_ agent: Agent, _ command: CollectCommand) -> Bool {
        (command.role.map { ExactText.areEqual($0, agent.role) } ?? true)
            && (command.podName.map { ExactText.areEqual($0, agent.identity.podName) } ?? true)
    }

    // MARK: Requests

    private func enqueue(_ stream: MetricsStreamCall, for id: CommandID) {
        stream.isInLine = true
        stream.latestCollection = id
        line.append(stream)
    }

    /// Asks those in line as far as there is room; nobody any more when all collections are over.
    func askNext() {
        while pacing.hasRoom, let stream = line.popFirst() {
            stream.isInLine = false
            guard !stream.isClosed, stream.agent.metrics === stream,
                latest.count > 0 || !stream.agent.windowJobs.isEmpty
            else { continue }
            let series = stream.agent.series
            stream.expectedBytes = AnswerPacing.estimate(
                series: series.seriesCount, bytesPerSample: series.averageWireBytesPerSample)
            pacing.asked(expecting: stream.expectedBytes)
            stream.requests.sent(.latest, atNanoseconds: MonotonicClock.nowNanoseconds())
            counters.add(.askedLatest)
            stream.call.send(MetricsRequestMessage.latest)
        }
    }

    /// Asks one agent for its latest values, for what they tell of it.
    func askLatest(_ stream: MetricsStreamCall, for id: CommandID) {
        guard stream.requests.latestSentAtNanoseconds == nil, !stream.isInLine else { return }
        enqueue(stream, for: id)
        askNext()
    }

    /// Its answer is in, or nobody waits with the others for it.
    func settle(_ stream: MetricsStreamCall) {
        pacing.settled(stream.expectedBytes)
        stream.expectedBytes = 0
    }

    // MARK: Answers

    func received(_ message: RawSpan, on stream: MetricsStreamCall) {
        defer { onMessage() }
        TestHooks.trapOnPoison(inMessage: message)
        guard let request = stream.requests.answered() else {
            // Nobody asked: an agent that floods costs itself the parsing of nothing.
            counters.add(.answeredUnasked)
            return
        }
        do {
            switch request.kind {
            case .latest:
                settle(stream)
                askNext()
                try receivedLatest(message, on: stream, sentAtNanoseconds: request.sentAtNanoseconds)
            case .window: try receivedPart(message, on: stream)
            }
        } catch DecodeError.tooManyEntries(let limit) {
            counters.add(.answeredTooManyEntries)
            stream.end(GRPCStatus(.resourceExhausted, "StreamMetricsRequest has more than \(limit) entries"))
        } catch {
            counters.add(.answeredMalformed)
            stream.end(
                GRPCStatus(.internalError, "StreamMetricsRequest cannot be parsed: \(error)"))
        }
    }

    private func receivedLatest(
        _ message: RawSpan, on stream: MetricsStreamCall, sentAtNanoseconds: UInt64
    ) throws(DecodeError) {
        let agent = stream.agent
        let summary = try agent.series.decodeLatest(message, receivedAtNanoseconds: WallClock.nowNanoseconds())
        counters.add(summary)
        note(summary, of: agent)
        let isLate = MonotonicClock.nowNanoseconds().elapsed(since: sentAtNanoseconds) > Self.hungAfterNanoseconds
        counters.add(isLate ? .answeredLate : .answeredLatest)
        publishSample(of: agent, stream.latestCollection)
        publish(latest.answered(agent.slot.index), as: .roundDone)
        stream.hasAnsweredLatest = true
        askNextPart(of: agent)
    }

    func note(_ summary: DecodeSummary, of agent: Agent) {
        guard let dropped = summary.firstDropped else { return }
        guard agent.sampleDropReports.isDue(dropped.cause, nowNanoseconds: MonotonicClock.nowNanoseconds()) else {
            return
        }
        onDrop(agent, dropped, summary.drops[dropped.cause])
    }

    // MARK: Streams

    func open(_ call: GRPCCall, of agent: Agent) -> any GRPCCallHandler {
        let stream = MetricsStreamCall(call: call, agent: agent, collector: self)
        let older = agent.metrics
        agent.metrics = stream
        agent.series.checkDescriptionsNext()
        registry.setStream(.metrics, isOpen: true, of: agent)
        if let older {
            settle(older)
            forget(agent)
            older.end(GRPCStatus(.aborted, "the agent has opened a newer StreamMetrics"))
        }
        join(stream)
        return stream
    }

    func closed(_ stream: MetricsStreamCall) {
        settle(stream)
        askNext()
        let agent = stream.agent
        guard agent.metrics === stream else { return }
        agent.metrics = nil
        registry.setStream(.metrics, isOpen: false, of: agent)
        forget(agent)
    }

    /// Nothing more comes from this stream of the agent: collections do not wait for it.
    private func forget(_ agent: Agent) {
        agent.windowJobs.removeAll()
        publish(latest.lost(agent.slot.index), as: .roundDone)
        publish(windows.lost(agent.slot.index), as: .windowDone)
    }

    // MARK: Into the ring

    private func publishSample(of agent: Agent, _ id: CommandID) {
        outbox.write { [self] () throws(RingError) in
            guard registry.agent(slot: agent.slot.index) === agent else { return }
            try publishTable(of: agent)
            _ = try ring.append(
                .sample, agent: agent.slot, generation: id.generation, number: id.number, subject: 0,
                byteCount: agent.series.sampleByteCount, isCurrent: true
            ) { span in
                agent.series.writeSample(into: &span)
            }
            agent.sampleReceivedAtNanoseconds = agent.series.receivedAtNanoseconds
            for number in agent.obsoleteTableNumbers {
                ring.forget(.series, agent: agent.slot, subject: UInt64(number))
            }
            agent.obsoleteTableNumbers.removeAll(keepingCapacity: true)
        }
    }

    /// A changed table goes ahead of what names it.
    func publishTable(of agent: Agent) throws(RingError) {
        let number = agent.series.tableNumber
        guard agent.publishedTableNumber != number else { return }
        _ = try ring.append(
            .series, agent: agent.slot, generation: 0, number: 0, subject: UInt64(number),
            byteCount: agent.series.tableByteCount, isCurrent: true
        ) { span in
            agent.series.writeTable(into: &span)
        }
        // The older one stays until a sample names the newer: a reader must find the table of any sample it finds.
        if let older = agent.publishedTableNumber { agent.obsoleteTableNumbers.append(older) }
        agent.publishedTableNumber = number
        registry.publish(agent)
    }

    func publish(_ served: [AgentCollections<CollectCommand>.Served], as type: RecordType) {
        for served in served { publish(served, as: type) }
    }

    func publish(_ served: AgentCollections<CollectCommand>.Served?, as type: RecordType) {
        if let served { publish(served.outcome, of: served.entry.id, as: type) }
    }

    func publish(_ outcome: CollectionOutcome, of id: CommandID, as type: RecordType) {
        counters.add(.notAnswered, UInt64(outcome.unanswered.count))
        let records = type == .windowDone ? windowRecords.removeValue(forKey: id) ?? 0 : 0
        outbox.reply(type, to: id, subject: records, outcome.payload)
    }
}
