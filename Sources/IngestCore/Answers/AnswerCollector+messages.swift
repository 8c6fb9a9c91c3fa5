// SPDX-License-Identifier: Apache-2.0
import Exchange
import FODCProtocol
import GRPCServer
import Lanes
import Platform
import TestHooks

/// From the stream to what is kept: every message is parsed as a whole before anything is done with it.
extension AnswerCollector {
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
            awaitQuiet()
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
        TestHooks.trapOnPoison(inMessage: message)
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
        let isCrashRecord = call.stream == .crashDiagnostics
        if isCrashRecord { crashRecordsBeingParsed += 1 }
        let isTaken = parser.parse(message, of: call.stream, from: call.agent.identityHash) { [weak self] result in
            call.messagesBeingParsed -= 1
            if isCrashRecord { self?.crashRecordsBeingParsed -= 1 }
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
        if isCrashRecord { crashRecordsBeingParsed -= 1 }
        countDrop(.parserFull, on: call)
        dropped(message.span.bytes, on: call)
    }

    /// A message was not taken: what it answers is not owed any more, and of an answer in several parts no rest is kept.
    private func dropped(_ message: RawSpan, on call: AnswerStreamCall) {
        unanswered(call)
        switch AnswerPart(message, of: call.stream) {
        case .record: break
        case .whole: call.ledger.lose()
        case .chunk:
            call.end(GRPCStatus(.resourceExhausted, "a piece of a profile was dropped: too much waits to be parsed"))
        case .part:
            gatheredBytes -= call.gathering.list.bytes.count
            call.gathering.lose()
        case .last(let listID):
            _ = takeGathered(call)
            if let listID, let index = call.listIDs.firstIndex(of: listID) { call.listIDs.removeFirst(index + 1) }
            call.ledger.lose()
        }
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
        if error is LenientMessage.TooLarge {
            countDrop(.overLimit, on: call)
            // Without one of its messages an answer of several would look whole.
            guard AnswerKind.isOneMessage(call.stream) else {
                return call.end(
                    GRPCStatus(.resourceExhausted, "\(call.stream.method): a message is not taken: \(error)"))
            }
            if isAnswer(call) { unanswered(call) }
            return
        }
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
            countDrop(.withoutKey, on: call)
            if isLast { registryEnded(on: call) }
        }
    }

    private func takeCrashRecord(_ key: CrashRecordKey, _ message: RawSpan, on call: AnswerStreamCall) {
        awaitQuiet()
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

    func takeGathered(_ call: AnswerStreamCall) -> MessageList? {
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
            countDrop(.overLimit, on: call)
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
            countDrop(.overLimit, on: call)
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
}
