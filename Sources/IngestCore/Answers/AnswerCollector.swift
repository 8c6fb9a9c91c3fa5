// SPDX-License-Identifier: Apache-2.0
import Exchange
import GRPCServer
import Lanes
import Platform

/// Asks agents on their other streams when the exporter says so, and puts their answers into the lane as they came.
final class AnswerCollector {
    /// What agents may have sent of answers that are not complete, all together: pressure lists of 1,000 agents, or a
    /// registry of 100,000 objects beside some lists.
    static let gatheringBytes = 64 << 20
    /// Of one pressure list: some 2,000 captures.
    static let profileListBytes = 1 << 20

    let lane: LaneWriter
    let outbox: LaneOutbox
    let registry: AgentRegistry
    let counters: IngestCounters
    let parser: ParsingThread
    let note: WorkNote
    let downloads: ProfileDownloads
    var shelf: AnswerShelf
    var rounds: [AgentStream: CollectionRounds] = [:]
    var gatheredBytes = 0
    /// When those who wait for crash records are answered, if nothing comes any more.
    private(set) var quietAt: UInt64 = .max
    /// Crash records on their way through the parsing thread: they have come.
    var crashRecordsBeingParsed = 0
    let maximumMessageBytes: Int
    /// Called for the first dropped answer of an agent, and then for one in each interval of ``DropReports``.
    var onDrop: (Agent, DroppedAnswer) -> Void = { _, _ in }

    init(
        lane: LaneWriter, outbox: LaneOutbox, registry: AgentRegistry, counters: IngestCounters, parser: ParsingThread,
        downloads: ProfileDownloads, note: WorkNote, maximumMessageBytes: Int
    ) {
        self.note = note
        self.downloads = downloads
        self.lane = lane
        self.outbox = outbox
        self.registry = registry
        self.counters = counters
        self.parser = parser
        self.maximumMessageBytes = maximumMessageBytes
        // A quarter of the ring is for what is not metrics; in the smallest, at least for one message of any size.
        shelf = AnswerShelf(limitBytes: max(lane.maximumRingBytes / 4, maximumMessageBytes + 1 << 20))
    }

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

    func ask(_ command: AskCommand, _ key: CollectionRounds.Key) {
        let stream = command.stream
        guard rounds[stream]?.isFull != true else { return publish(RoundOutcome(ending: .busy), of: key, stream) }
        let now = MonotonicClock.nowNanoseconds()
        var waiting: [UInt32] = []
        var skipped: [UInt32] = []
        for agent in targets(of: command) {
            guard let call = agent.answerStream(stream) else { continue }
            if ask(call, key, nowNanoseconds: now) {
                waiting.append(agent.slot.index)
            } else {
                skipped.append(agent.slot.index)
                count(.busy, stream)
            }
        }
        var deadline = command.deadlineNanoseconds
        if stream == .crashDiagnostics {
            deadline = min(deadline, now + AnswerKind.longestQuietNanoseconds)
        }
        let ended = rounds[stream, default: CollectionRounds()].begin(
            key, deadlineNanoseconds: deadline, waitingFor: waiting, skipped: skipped)
        if let ended { publish(ended, of: key, stream) }
        if stream == .crashDiagnostics { awaitQuiet() }
    }

    /// Something may come, or has come, on a StreamCrashDiagnostics: who waits for its records waits a moment more. What
    /// comes unasked keeps nobody waiting.
    func awaitQuiet() {
        guard isAwaitingCrashRecords else { return }
        quietAt = MonotonicClock.nowNanoseconds() + AnswerKind.quietNanoseconds
    }

    var isAwaitingCrashRecords: Bool { rounds[.crashDiagnostics].map { $0.count > 0 } ?? false }

    private func targets(of command: AskCommand) -> [Agent] {
        guard let ids = command.agents else { return Array(registry.all) }
        return ids.compactMap { registry.agent(id: $0) }
    }

    /// - Returns: whether the agent is to be waited for.
    private func ask(_ call: AnswerStreamCall, _ key: CollectionRounds.Key, nowNanoseconds now: UInt64) -> Bool {
        if call.stream == .crashDiagnostics {
            send(AnswerKind.request(.crashDiagnostics), on: call)
            return true
        }
        // It answers no list meanwhile; what is known of it serves.
        if call.fetches.isServing { return false }
        switch call.ledger.ask(nowNanoseconds: now) {
        case .wait: return true
        case .hung: return false
        case .send: break
        }
        if call.stream == .pressureProfiles {
            let id = "list-\(key.generation)-\(key.number)"
            call.listIDs.append(id)
            send(AnswerKind.listRequest(id: id), on: call)
        } else {
            send(AnswerKind.request(call.stream), on: call)
        }
        return true
    }

    private func send(_ request: [UInt8], on call: AnswerStreamCall) {
        call.isAsked = true
        count(.asked, call.stream)
        call.call.send(request)
    }

    // MARK: Streams

    func opened(_ call: AnswerStreamCall) {
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

    /// Nothing more comes from this stream: rounds do not wait for it.
    private func forget(_ call: AnswerStreamCall) {
        call.agent.answerStreams.removeAll { $0 === call }
        unanswered(call)
    }

    // MARK: Rounds

    func answered(_ call: AnswerStreamCall) {
        publish(rounds[call.stream]?.answered(call.agent.slot.index), call.stream)
    }

    func unanswered(_ call: AnswerStreamCall) {
        publish(rounds[call.stream]?.lost(call.agent.slot.index), call.stream)
    }

    func tick(nowNanoseconds now: UInt64) {
        if now >= quietAt, crashRecordsBeingParsed > 0 {
            quietAt = now + AnswerKind.quietNanoseconds
        } else if now >= quietAt {
            quietAt = .max
            publish(rounds[.crashDiagnostics]?.completeAll(), .crashDiagnostics)
        }
        for stream in AgentStream.asked {
            publish(rounds[stream]?.expire(nowNanoseconds: now), stream)
        }
    }

    /// `CLOCK_MONOTONIC` of the next thing ``tick(nowNanoseconds:)`` would do.
    var nextDeadlineNanoseconds: UInt64? {
        var next = rounds.values.compactMap(\.nextDeadlineNanoseconds).min()
        if quietAt != .max { next = min(next ?? .max, quietAt) }
        return next
    }

    func drain() {
        for stream in AgentStream.asked { publish(rounds[stream]?.endAll(.draining), stream) }
        downloads.drain()
    }

    /// The exporter of this generation is gone: nobody waits for what it asked.
    func exporterGone(generation: UInt64) {
        for stream in AgentStream.asked { rounds[stream]?.dropAll(of: generation) }
    }

    private func publish(_ ended: [(CollectionRounds.Key, RoundOutcome)]?, _ stream: AgentStream) {
        for (key, outcome) in ended ?? [] { publish(outcome, of: key, stream) }
    }

    private func publish(_ given: RoundOutcome, of key: CollectionRounds.Key, _ stream: AgentStream) {
        var outcome = given
        if stream == .crashDiagnostics, outcome.ending == .deadline {
            // Records came until the end, and whoever sent none may have none.
            outcome.answered += outcome.unanswered
            outcome.unanswered = []
        }
        count(.silent, stream, outcome.unanswered.count)
        let payload = outcome.payload
        outbox.write { [lane] () throws(LaneError) in
            _ = try lane.append(
                .answersDone, generation: key.generation, number: key.number, subject: 0, payload.span.bytes)
        }
    }
}
