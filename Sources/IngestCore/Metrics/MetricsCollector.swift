// SPDX-License-Identifier: Apache-2.0
import DequeModule
import Exchange
import GRPCServer
import Lanes
import Metrics
import Platform
import TestHooks

/// Asks agents for their metrics when the exporter says so, and puts their answers into the lane.
final class MetricsCollector {
    /// An agent whose oldest request for the latest values is unanswered for longer is neither asked nor waited for.
    static let hungAfterNanoseconds: UInt64 = 10_000_000_000

    let lane: LaneWriter
    let outbox: LaneOutbox
    let registry: AgentRegistry
    let counters: IngestCounters
    let note: WorkNote
    private var latest = CollectionRounds()
    /// What was asked with the rounds in `latest`, for agents that connect meanwhile.
    private var latestCommands: [CollectionRounds.Key: CollectCommand] = [:]
    private var pacing = AnswerPacing()
    /// Those who are to be asked when there is room.
    private var line: Deque<MetricsStreamCall> = []
    var windows = CollectionRounds()
    /// `window` records that were written for each of them.
    var windowRecords: [CollectionRounds.Key: UInt64] = [:]
    /// What the answer to a part of a window may take by estimate.
    let windowPartBytes: Double
    /// Called after every message: a turn of the loop can hold a message of every agent, and take seconds.
    var onMessage: () -> Void = {}
    /// Called when samples of an agent are left out for a cause that it has not been named for of late.
    var onDrop: (Agent, DroppedSample, _ count: Int) -> Void = { _, _, _ in }

    init(
        lane: LaneWriter, outbox: LaneOutbox, registry: AgentRegistry, counters: IngestCounters, note: WorkNote,
        maximumMessageBytes: Int
    ) {
        windowPartBytes = min(WindowPlan.expectedPartBytes, Double(maximumMessageBytes) / 2)
        self.lane = lane
        self.outbox = outbox
        self.registry = registry
        self.counters = counters
        self.note = note
    }

    // MARK: Commands

    func collect(_ command: CollectCommand, _ key: CollectionRounds.Key) {
        guard command.window == nil else { return collectWindow(command, key) }
        guard !latest.isFull else { return publish(RoundOutcome(ending: .busy), of: key, as: .roundDone) }
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
                stream.isInLine = true
                stream.latestRound = key
                line.append(stream)
            }
            waiting.append(agent.slot.index)
        }
        let ended = latest.begin(
            key, deadlineNanoseconds: command.deadlineNanoseconds, waitingFor: waiting, skipped: skipped)
        latestCommands = latestCommands.filter { latest.contains($0.key) }
        if let ended { publish(ended, of: key, as: .roundDone) } else { latestCommands[key] = command }
        askNext()
    }

    /// An agent that connects while a collection runs belongs to it: a request that joins the collection has come after the
    /// agent, and would lack it.
    private func join(_ stream: MetricsStreamCall) {
        for (key, command) in latestCommands where latest.contains(key) && Self.matches(stream.agent, command) {
            latest.add(stream.agent.slot.index, to: key)
            guard !stream.isInLine else { continue }
            stream.isInLine = true
            stream.latestRound = key
            line.append(stream)
        }
        askNext()
    }

    static func matches(_ agent: Agent, _ command: CollectCommand) -> Bool {
        (command.role.map { ExactText.areEqual($0, agent.role) } ?? true)
            && (command.podName.map { ExactText.areEqual($0, agent.identity.podName) } ?? true)
    }

    // MARK: Requests

    /// Asks those in line as far as there is room; nobody any more when all collections are over.
    private func askNext() {
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
    func askLatest(_ stream: MetricsStreamCall, for key: CollectionRounds.Key) {
        guard stream.requests.latestSentAtNanoseconds == nil, !stream.isInLine else { return }
        stream.isInLine = true
        stream.latestRound = key
        line.append(stream)
        askNext()
    }

    /// Its answer is in, or nobody waits with the others for it.
    private func settle(_ stream: MetricsStreamCall) {
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
        publishSample(of: agent, stream.latestRound)
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

    func opened(_ stream: MetricsStreamCall) {
        let agent = stream.agent
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

    /// Nothing more comes from this stream of the agent: rounds do not wait for it.
    private func forget(_ agent: Agent) {
        agent.windowJobs.removeAll()
        publish(latest.lost(agent.slot.index), as: .roundDone)
        publish(windows.lost(agent.slot.index), as: .windowDone)
    }

    // MARK: Time

    func tick(nowNanoseconds now: UInt64) {
        publish(latest.expire(nowNanoseconds: now), as: .roundDone)
        windowTick(nowNanoseconds: now)
        for agent in registry.all {
            guard let stream = agent.metrics, stream.expectedBytes > 0,
                let sentAt = stream.requests.latestSentAtNanoseconds,
                now - min(now, sentAt) > AnswerPacing.patienceNanoseconds
            else { continue }
            settle(stream)
        }
        askNext()
    }

    /// `CLOCK_MONOTONIC` of the next thing ``tick(nowNanoseconds:)`` would do.
    var nextDeadlineNanoseconds: UInt64? {
        [latest.nextDeadlineNanoseconds, windows.nextDeadlineNanoseconds].compactMap { $0 }.min()
    }

    /// Whether a collection of the latest values waits for an agent.
    var isCollecting: Bool { latest.count > 0 }

    func drain() {
        publish(latest.endAll(.draining), as: .roundDone)
        publish(windows.endAll(.draining), as: .windowDone)
        forgetEndedWindows()
    }

    /// The exporter of this generation is gone: nobody waits for what it asked.
    func exporterGone(generation: UInt64) {
        latest.dropAll(of: generation)
        windows.dropAll(of: generation)
        forgetEndedWindows()
    }

    // MARK: Into the lane

    private func publishSample(of agent: Agent, _ key: CollectionRounds.Key) {
        outbox.write { [self] () throws(LaneError) in
            guard registry.agent(slot: agent.slot.index) === agent else { return }
            try publishTable(of: agent)
            _ = try lane.append(
                .sample, agent: agent.slot, generation: key.generation, number: key.number, subject: 0,
                byteCount: agent.series.sampleByteCount, isCurrent: true
            ) { span in
                agent.series.writeSample(into: &span)
            }
            agent.sampleReceivedAtNanoseconds = agent.series.receivedAtNanoseconds
            for number in agent.obsoleteTableNumbers {
                lane.forget(.series, agent: agent.slot, subject: UInt64(number))
            }
            agent.obsoleteTableNumbers.removeAll(keepingCapacity: true)
        }
    }

    /// A changed table goes ahead of what names it.
    func publishTable(of agent: Agent) throws(LaneError) {
        let number = agent.series.tableNumber
        guard agent.publishedTableNumber != number else { return }
        _ = try lane.append(
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

    func publish(_ ended: [(CollectionRounds.Key, RoundOutcome)], as type: RecordType) {
        for (key, outcome) in ended { publish(outcome, of: key, as: type) }
    }

    func publish(_ outcome: RoundOutcome, of key: CollectionRounds.Key, as type: RecordType) {
        counters.add(.notAnswered, UInt64(outcome.unanswered.count))
        let payload = outcome.payload
        let records = type == .windowDone ? windowRecords.removeValue(forKey: key) ?? 0 : 0
        outbox.write { [lane] () throws(LaneError) in
            _ = try lane.append(
                type, agent: .none, generation: key.generation, number: key.number, subject: records, isCurrent: false,
                payload.span.bytes, RawSpan())
        }
    }
}
