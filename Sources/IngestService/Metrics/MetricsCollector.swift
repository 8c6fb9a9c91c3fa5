// SPDX-License-Identifier: Apache-2.0
import DequeModule
import Exchange
import GRPCServer
import Lanes
import Metrics
import Platform

/// Asks agents for their metrics when the exporter says so, and puts their answers into the lane.
final class MetricsCollector {
    /// An agent whose oldest request for the latest values is unanswered for longer is neither asked nor waited for.
    static let hungAfterNanoseconds: UInt64 = 10_000_000_000
    /// More than the exporter lets run and wait at once.
    static let maximumWindowJobs = 32

    private let lane: LaneWriter
    private let outbox: LaneOutbox
    private let registry: AgentRegistry
    private let counters: IngestCounters
    let note: WorkNote
    private var latest = CollectionRounds()
    /// What was asked with the rounds in `latest`, for agents that connect meanwhile.
    private var latestCommands: [CollectionRounds.Key: CollectCommand] = [:]
    private var pacing = AnswerPacing()
    /// Those who are to be asked when there is room.
    private var line: Deque<MetricsStreamCall> = []
    private var windows = CollectionRounds()
    /// Called after every message: a turn of the loop can hold a message of every agent, and take seconds.
    var onMessage: () -> Void = {}

    init(lane: LaneWriter, outbox: LaneOutbox, registry: AgentRegistry, counters: IngestCounters, note: WorkNote) {
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
                if now - sentAt > Self.hungAfterNanoseconds {
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

    private func collectWindow(_ command: CollectCommand, _ key: CollectionRounds.Key) {
        guard let window = command.window, !windows.isFull else {
            return publish(RoundOutcome(ending: .busy), of: key, as: .windowDone)
        }
        let now = MonotonicClock.nowNanoseconds()
        var asked: [Agent] = []
        var skipped: [UInt32] = []
        for agent in registry.all {
            guard let stream = agent.metrics, Self.matches(agent, command) else { continue }
            let isHung = stream.requests.latestSentAtNanoseconds.map { now - $0 > Self.hungAfterNanoseconds } ?? false
            if isHung || agent.windowJobs.count >= Self.maximumWindowJobs {
                skipped.append(agent.slot.index)
                counters.add(.notAskedBusy)
            } else {
                asked.append(agent)
            }
        }
        let ended = windows.begin(
            key, deadlineNanoseconds: command.deadlineNanoseconds, waitingFor: asked.map(\.slot.index), skipped: skipped
        )
        if let ended { return publish(ended, of: key, as: .windowDone) }
        for agent in asked {
            agent.windowJobs.append(WindowJob(round: key, plan: WindowPlan(window)))
            askNextPart(of: agent)
        }
    }

    private static func matches(_ agent: Agent, _ command: CollectCommand) -> Bool {
        (command.role.map { $0 == agent.role } ?? true)
            && (command.podName.map { $0 == agent.identity.podName } ?? true)
    }

    // MARK: Requests

    /// Asks those in line as far as there is room; nobody any more when all collections are over.
    private func askNext() {
        while pacing.hasRoom, let stream = line.popFirst() {
            stream.isInLine = false
            guard !stream.isClosed, stream.agent.metrics === stream, latest.count > 0 else { continue }
            let series = stream.agent.series
            stream.expectedBytes = AnswerPacing.estimate(
                series: series.seriesCount, bytesPerSample: series.averageWireBytesPerSample)
            pacing.asked(expecting: stream.expectedBytes)
            stream.requests.sent(.latest, atNanoseconds: MonotonicClock.nowNanoseconds())
            counters.add(.askedLatest)
            stream.call.send(MetricsRequestMessage.latest)
        }
    }

    /// Its answer is in, or nobody waits with the others for it.
    private func settle(_ stream: MetricsStreamCall) {
        pacing.settled(stream.expectedBytes)
        stream.expectedBytes = 0
    }

    private func askNextPart(of agent: Agent) {
        guard let stream = agent.metrics, !stream.requests.isWindowOutstanding else { return }
        while !agent.windowJobs.isEmpty {
            let round = agent.windowJobs[0].round
            let part = agent.windowJobs[0].plan.nextPart(
                series: agent.series.seriesCount, bytesPerSample: agent.series.averageWireBytesPerSample,
                pointsPerSecond: agent.density.pointsPerSecond)
            if let part, windows.contains(round) {
                agent.windowJobs[0].part = part
                stream.requests.sent(.window, atNanoseconds: MonotonicClock.nowNanoseconds())
                counters.add(.askedWindow)
                stream.call.send(MetricsRequestMessage.window(part))
                return
            }
            agent.windowJobs.removeFirst()
            publish(windows.answered(agent.slot.index, in: round), as: .windowDone)
        }
    }

    // MARK: Answers

    func received(_ message: RawSpan, on stream: MetricsStreamCall) {
        defer { onMessage() }
        IngestPoisonHook.trap(on: message)
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
            case .window: try receivedPart(message, of: stream.agent)
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
        let isLate = MonotonicClock.nowNanoseconds() - sentAtNanoseconds > Self.hungAfterNanoseconds
        counters.add(isLate ? .answeredLate : .answeredLatest)
        publishSample(of: agent, stream.latestRound)
        publish(latest.answered(agent.slot.index), as: .roundDone)
    }

    private func receivedPart(_ message: RawSpan, of agent: Agent) throws(DecodeError) {
        guard let job = agent.windowJobs.first, let part = job.part else { return }
        // A round that is over is waited for by nobody; its answer has only to be taken off the stream.
        if windows.contains(job.round) {
            let columns = try agent.series.decodeWindow(message, receivedAtNanoseconds: WallClock.nowNanoseconds())
            counters.add(columns.summary)
            counters.add(.answeredWindow)
            agent.density.observed(distinctTimes: columns.distinctTimeCount, over: part)
            publishWindow(columns, of: agent, job.round)
        }
        askNextPart(of: agent)
    }

    // MARK: Streams

    func opened(_ stream: MetricsStreamCall) {
        let agent = stream.agent
        let older = agent.metrics
        agent.metrics = stream
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
        publish(windows.expire(nowNanoseconds: now), as: .windowDone)
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

    func drain() {
        publish(latest.endAll(.draining), as: .roundDone)
        publish(windows.endAll(.draining), as: .windowDone)
    }

    /// The exporter of this generation is gone: nobody waits for what it asked.
    func exporterGone(generation: UInt64) {
        latest.dropAll(of: generation)
        windows.dropAll(of: generation)
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

    private func publishWindow(_ columns: WindowColumns, of agent: Agent, _ key: CollectionRounds.Key) {
        outbox.write { [self] () throws(LaneError) in
            guard registry.agent(slot: agent.slot.index) === agent else { return }
            try publishTable(of: agent)
            _ = try lane.append(
                .window, agent: agent.slot, generation: key.generation, number: key.number, subject: 0,
                byteCount: columns.byteCount, isCurrent: false
            ) { span in
                columns.write(into: &span)
            }
        }
    }

    /// A changed table goes ahead of what names it.
    private func publishTable(of agent: Agent) throws(LaneError) {
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

    private func publish(_ ended: [(CollectionRounds.Key, RoundOutcome)], as type: RecordType) {
        for (key, outcome) in ended { publish(outcome, of: key, as: type) }
    }

    private func publish(_ outcome: RoundOutcome, of key: CollectionRounds.Key, as type: RecordType) {
        counters.add(.notAnswered, UInt64(outcome.unanswered.count))
        let payload = outcome.payload
        outbox.write { [lane] () throws(LaneError) in
            _ = try lane.append(
                type, agent: .none, generation: key.generation, number: key.number, subject: 0, isCurrent: false,
                payload.span.bytes, RawSpan())
        }
    }
}
