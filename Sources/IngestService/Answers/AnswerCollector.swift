// SPDX-License-Identifier: Apache-2.0
import Exchange
import FODCProtocol
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

    private let lane: LaneWriter
    private let outbox: LaneOutbox
    private let registry: AgentRegistry
    private let counters: IngestCounters
    private let parser: ParsingThread
    let downloads: ProfileDownloads
    private var shelf: AnswerShelf
    private var rounds: [AgentStream: CollectionRounds] = [:]
    private var gatheredBytes = 0
    /// When those who wait for crash records are answered, if nothing comes any more.
    private var quietAt: UInt64 = .max
    private let maximumMessageBytes: Int

    init(
        lane: LaneWriter, outbox: LaneOutbox, registry: AgentRegistry, counters: IngestCounters, parser: ParsingThread,
        downloads: ProfileDownloads, maximumMessageBytes: Int
    ) {
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

    private func count(_ counter: StreamCounter, _ stream: AgentStream, _ n: Int = 1) {
        counters.add(counter, of: stream, UInt64(n))
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
            quietAt = now + AnswerKind.quietNanoseconds
            deadline = min(deadline, now + AnswerKind.longestQuietNanoseconds)
        }
        let ended = rounds[stream, default: CollectionRounds()].begin(
            key, deadlineNanoseconds: deadline, waitingFor: waiting, skipped: skipped)
        if let ended { publish(ended, of: key, stream) }
    }

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

    // MARK: Messages

    func received(_ message: RawSpan, on call: AnswerStreamCall) {
        let stream = call.stream
        count(.bytes, stream, message.byteCount)
        // Whoever was never asked costs itself the parsing of nothing.
        guard call.expectsMessages else { return count(.unasked, stream) }
        if stream == .crashDiagnostics, call.messagesBeingParsed == 0,
            shelf.hasCrashRecord(
                of: call.agent.slot, byteCount: message.byteCount, checksum: CRC32C.checksum(message))
        {
            count(.unchanged, stream)
            count(.answered, stream)
            quietAt = MonotonicClock.nowNanoseconds() + AnswerKind.quietNanoseconds
            return
        }
        if stream == .crashDiagnostics, call.messagesBeingParsed == 0,
            let key = call.recordsParsedBefore[ContentFingerprint(ofTimestamped: message)]
        {
            return takeCrashRecord(key, message, on: call)
        }
        if AnswerKind.isTimestamped(stream), call.messagesBeingParsed == 0 {
            let fingerprint = ContentFingerprint(ofTimestamped: message)
            if call.parsedBefore == fingerprint {
                count(.unchanged, stream)
                return take(.answer, message, on: call)
            }
        }
        guard call.messagesBeingParsed == 0, message.byteCount <= AnswerKind.parsedInPlaceBytes(stream) else {
            return parseAside(message.copiedBytes, on: call)
        }
        do {
            let parsed = try ParsedMessage(message, of: stream)
            if let repaired = parsed.repaired {
                count(.repaired, stream)
                take(parsed.content, repaired.span.bytes, on: call)
            } else {
                noteParsed(parsed.content, message, on: call)
                take(parsed.content, message, on: call)
            }
        } catch {
            malformed(error, on: call)
        }
    }

    private func parseAside(_ message: [UInt8], on call: AnswerStreamCall) {
        call.messagesBeingParsed += 1
        let isTaken = parser.parse(message, of: call.stream) { [weak self] result in
            call.messagesBeingParsed -= 1
            guard let self, !call.isClosed else { return }
            switch result {
            case .success(let parsed):
                if parsed.repaired != nil {
                    count(.repaired, call.stream)
                } else {
                    noteParsed(parsed.content, message.span.bytes, on: call)
                }
                let bytes = parsed.repaired ?? message
                take(parsed.content, bytes.span.bytes, on: call)
            case .failure(let error): malformed(error, on: call)
            }
        }
        guard !isTaken else { return }
        call.messagesBeingParsed -= 1
        count(.droppedParserFull, call.stream)
        unanswered(call)
    }

    /// The message could be parsed as it was.
    private func noteParsed(_ content: ParsedMessage.Content, _ message: RawSpan, on call: AnswerStreamCall) {
        switch content {
        case .answer where AnswerKind.isTimestamped(call.stream):
            call.parsedBefore = ContentFingerprint(ofTimestamped: message)
        case .crashRecord(let key, isTimeFetched: false):
            if call.recordsParsedBefore.count >= CrashRecordKey.remembered { call.recordsParsedBefore.removeAll() }
            call.recordsParsedBefore[ContentFingerprint(ofTimestamped: message)] = key
        default: break
        }
    }

    private func malformed(_ error: any Error, on call: AnswerStreamCall) {
        count(.malformed, call.stream)
        call.end(GRPCStatus(.internalError, "\(call.stream.method): a message cannot be parsed: \(error)"))
    }

    private func take(_ content: ParsedMessage.Content, _ message: RawSpan, on call: AnswerStreamCall) {
        switch content {
        case .answer:
            guard isAnswer(call) else { return }
            let isKept = keep(message, of: call, time: WallClock.nowNanoseconds())
            if isKept { answered(call) } else { unanswered(call) }
        case .crashRecord(let key, _): takeCrashRecord(key, message, on: call)
        case .profileRecord: gather(message, on: call, limitBytes: Self.profileListBytes)
        case .profileListEnd(let requestID): profileListEnded(requestID, on: call)
        case .profileChunk(let chunk): downloads.received(chunk, on: call)
        case .registryPart(let isLast):
            gather(message, on: call, limitBytes: maximumMessageBytes)
            if isLast { registryEnded(on: call) }
        case .withoutKey(let isLast):
            count(.droppedWithoutKey, call.stream)
            if isLast { registryEnded(on: call) }
        }
    }

    private func takeCrashRecord(_ key: CrashRecordKey, _ message: RawSpan, on call: AnswerStreamCall) {
        quietAt = MonotonicClock.nowNanoseconds() + AnswerKind.quietNanoseconds
        count(.answered, call.stream)
        _ = keep(message, of: call, subject: key.subject, time: key.time)
    }

    /// Whether the message answers a request, or comes late to one.
    private func isAnswer(_ call: AnswerStreamCall) -> Bool {
        guard call.ledger.answered() else {
            count(.unasked, call.stream)
            return false
        }
        let isAwaited = rounds[call.stream]?.isWaiting(for: call.agent.slot.index) ?? false
        count(isAwaited ? .answered : .late, call.stream)
        return true
    }

    // MARK: Answers of several messages

    private func gather(_ message: RawSpan, on call: AnswerStreamCall, limitBytes: Int) {
        guard call.ledger.expectsAnswer else { return count(.unasked, call.stream) }
        let before = call.gathering.list.bytes.count
        let room = Self.gatheringBytes - gatheredBytes
        call.gathering.append(message, limitBytes: min(limitBytes, before + max(0, room)))
        gatheredBytes += call.gathering.list.bytes.count - before
    }

    private func takeGathered(_ call: AnswerStreamCall) -> MessageList? {
        gatheredBytes -= call.gathering.list.bytes.count
        return call.gathering.take()
    }

    private func profileListEnded(_ requestID: String, on call: AnswerStreamCall) {
        let list = takeGathered(call)
        guard let index = call.listIDs.firstIndex(of: requestID) else { return count(.unasked, call.stream) }
        let isNewest = index == call.listIDs.endIndex - 1
        call.listIDs.removeFirst(index + 1)
        guard isAnswer(call) else { return }
        guard let list else {
            count(.droppedOverLimit, call.stream)
            return unanswered(call)
        }
        // Also an older list is newer than what is known.
        let isKept = keep(list.bytes.span.bytes, of: call, time: WallClock.nowNanoseconds())
        if isKept, isNewest || call.listIDs.isEmpty { answered(call) } else { unanswered(call) }
    }

    private func registryEnded(on call: AnswerStreamCall) {
        let list = takeGathered(call)
        guard isAnswer(call) else { return }
        guard let list else {
            count(.droppedOverLimit, call.stream)
            return unanswered(call)
        }
        // It is nobody's state: those who asked for it get it, each by the number of its own request.
        for key in rounds[call.stream]?.waiting(for: call.agent.slot.index) ?? [] {
            let agent = call.agent
            outbox.write { [self] () throws(LaneError) in
                guard registry.agent(slot: agent.slot.index) === agent else { return }
                _ = try lane.append(
                    .schemaRegistry, agent: agent.slot, generation: key.generation, number: key.number,
                    list.bytes.span.bytes)
            }
        }
        answered(call)
    }

    // MARK: What is kept

    /// - Returns: false when there is no room for it.
    private func keep(_ message: RawSpan, of call: AnswerStreamCall, subject: UInt64 = 0, time: Int64) -> Bool {
        guard let type = RecordType.answer(of: call.stream) else { return false }
        let agent = call.agent
        let key = AnswerShelf.Key(agent: agent.slot, type: type, subject: subject)
        let item = AnswerShelf.Item(bytes: message.byteCount, time: time, checksum: CRC32C.checksum(message))
        let outcome = shelf.put(key, item) { [registry] in registry.agent(slot: $0.index)?.registration != nil }
        switch outcome {
        case .unchanged:
            count(.unchanged, call.stream)
            return true
        case .refused(let evicted):
            count(.droppedOverLimit, call.stream)
            forget(evicted, countingAs: call.stream)
            return false
        case .kept(let evicted):
            forget(evicted, countingAs: call.stream)
        }
        let bytes = message.copiedBytes
        let receivedAt = UInt64(bitPattern: WallClock.nowNanoseconds())
        outbox.write { [self] () throws(LaneError) in
            guard registry.agent(slot: agent.slot.index) === agent else { return }
            _ = try lane.append(
                type, agent: agent.slot, number: receivedAt, subject: subject, isCurrent: true, bytes.span.bytes)
        }
        return true
    }

    private func forget(_ keys: [AnswerShelf.Key], countingAs stream: AgentStream) {
        guard !keys.isEmpty else { return }
        count(.evicted, stream, keys.count)
        outbox.write { [lane] () throws(LaneError) in
            for key in keys { lane.forget(key.type, agent: key.agent, subject: key.subject) }
        }
    }

    /// What a predecessor has kept of an agent.
    func adopt(_ header: RecordHeader, _ payload: RawSpan) {
        var time = Int64(bitPattern: header.number)
        if header.type == .crashRecord,
            case .crashRecord(let key, _)? = try? ParsedMessage(payload, of: .crashDiagnostics).content
        {
            time = key.time
        }
        shelf.adopt(
            AnswerShelf.Key(agent: header.agent, type: header.type, subject: header.subject),
            AnswerShelf.Item(bytes: payload.byteCount, time: time, checksum: CRC32C.checksum(payload)))
    }

    /// The agent leaves the registry, and its slot is released.
    func left(_ agent: Agent) {
        shelf.removeAll(of: agent.slot)
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

    private func answered(_ call: AnswerStreamCall) {
        publish(rounds[call.stream]?.answered(call.agent.slot.index), call.stream)
    }

    private func unanswered(_ call: AnswerStreamCall) {
        publish(rounds[call.stream]?.lost(call.agent.slot.index), call.stream)
    }

    func tick(nowNanoseconds now: UInt64) {
        if now >= quietAt {
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
