// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import GRPCServer
import Platform
import RingMessages
import Rings
import TestHooks

/// From the stream to what is kept: every message is parsed as a whole before anything is done with it.
extension AnswerCollector {
    func received(_ message: RawSpan, on call: AnswerStreamCall) {
        let stream = call.stream
        count(.bytes, stream, message.byteCount)
        // An agent that was never asked costs nothing to parse.
        guard call.expectsMessages else { return count(.unasked, stream) }
        // Later messages do not overtake those that are being parsed.
        guard call.messagesBeingParsed == 0 else { return parseAside(message.copiedBytes, on: call) }
        if isKnown(message, on: call) { return }
        guard message.byteCount <= call.description.parsedInPlaceBytes else {
            return parseAside(message.copiedBytes, on: call)
        }
        TestHooks.trapOnPoison(inMessage: message)
        do {
            let parsed = try call.description.parse(message)
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

    /// Takes a message that says the same as one that could be parsed before.
    private func isKnown(_ message: RawSpan, on call: AnswerStreamCall) -> Bool {
        let stream = call.stream
        if call.description.hasRecords {
            if let type = stream.record,
                answerCache.hasRecord(
                    type, of: call.agent.slot, byteCount: message.byteCount, checksum: CRC32C.checksum(message))
            {
                count(.unchanged, stream)
                count(.answered, stream)
                call.asked.noteRecord(nowNanoseconds: MonotonicClock.nowNanoseconds())
                return true
            }
            guard let key = call.recordsParsedBefore[ContentFingerprint(ofTimestamped: message)] else { return false }
            takeRecord(key, message, on: call)
            return true
        }
        guard call.description.isTimestamped, call.parsedBefore == ContentFingerprint(ofTimestamped: message) else {
            return false
        }
        count(.unchanged, stream)
        take(.answer, message, on: call)
        return true
    }

    private func parseAside(_ message: [UInt8], on call: AnswerStreamCall) {
        call.beginsParsing()
        let isTaken = parser.parse(message, of: call.description, from: call.agent.identityHash) { [weak self] result in
            call.endsParsing()
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
        call.endsParsing()
        countDrop(.parserFull, on: call)
        dropped(message.span.bytes, on: call)
    }

    /// A message was not taken: what it answers is not owed any more, and of an answer in several parts no rest is kept.
    private func dropped(_ message: RawSpan, on call: AnswerStreamCall) {
        unanswered(call)
        switch call.description.part(message) {
        case .record: break
        case .whole: call.outstanding.lose()
        case .chunk:
            call.end(
                GRPCStatus(.resourceExhausted, "a piece of a profile was dropped: too many bytes wait to be parsed"))
        case .part:
            gatheredBytes -= call.reassembly.list.bytes.count
            call.reassembly.lose()
        case .last(let requestID):
            _ = takeGathered(call)
            if let requestID { _ = call.endsRequest(requestID) }
            call.outstanding.lose()
        }
    }

    /// The message could be parsed as it was.
    private func noteParsed(_ content: ParsedMessage.Content, _ message: RawSpan, on call: AnswerStreamCall) {
        switch content {
        case .answer where call.description.isTimestamped:
            call.parsedBefore = ContentFingerprint(ofTimestamped: message)
        case .record(let key, isTimeFetched: false):
            if call.recordsParsedBefore.count >= RecordKey.remembered { call.recordsParsedBefore.removeAll() }
            call.recordsParsedBefore[ContentFingerprint(ofTimestamped: message)] = key
        default: break
        }
    }

    private func malformed(_ error: any Error, on call: AnswerStreamCall) {
        if error is LenientMessage.TooLarge {
            countDrop(.overLimit, on: call)
            // Without one of its messages an answer of several would look whole.
            guard call.description.isOneMessage else {
                return call.end(
                    GRPCStatus(.resourceExhausted, "\(call.stream.method): a message was refused: \(error)"))
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
        case .record(let key, _): takeRecord(key, message, on: call)
        case .part(let isLast):
            gather(message, on: call)
            if isLast { gathered(call) }
        case .end(let requestID):
            guard let isNewest = call.endsRequest(requestID) else {
                _ = takeGathered(call)
                return count(.unasked, call.stream)
            }
            gathered(call, isNewest: isNewest)
        case .chunk(let chunk): downloads.received(chunk, on: call)
        case .withoutKey(let isLast):
            countDrop(.withoutKey, on: call)
            if isLast { gathered(call) }
        }
    }

    private func takeRecord(_ key: RecordKey, _ message: RawSpan, on call: AnswerStreamCall) {
        call.asked.noteRecord(nowNanoseconds: MonotonicClock.nowNanoseconds())
        count(.answered, call.stream)
        _ = keep(message, of: call, subject: key.subject, time: key.time)
    }

    /// Whether the message answers a request, or comes late to one.
    private func isAnswer(_ call: AnswerStreamCall) -> Bool {
        guard call.outstanding.answered() else {
            count(.unasked, call.stream)
            return false
        }
        let isAwaited = !call.asked.collections.ids(waitingFor: call.agent.slot.index).isEmpty
        count(isAwaited ? .answered : .late, call.stream)
        return true
    }

    // MARK: Answers of several messages

    private func gather(_ message: RawSpan, on call: AnswerStreamCall) {
        guard call.outstanding.expectsAnswer else { return count(.unasked, call.stream) }
        guard case .parts(let limitBytes) = call.description.answer else { return }
        let before = call.reassembly.list.bytes.count
        let room = Self.reassemblyBytes - gatheredBytes
        call.reassembly.append(message, limitBytes: min(limitBytes ?? maximumMessageBytes, before + max(0, room)))
        gatheredBytes += call.reassembly.list.bytes.count - before
    }

    func takeGathered(_ call: AnswerStreamCall) -> MessageList? {
        gatheredBytes -= call.reassembly.list.bytes.count
        return call.reassembly.take()
    }

    /// All parts of an answer have come.
    /// - Parameter isNewest: it answers the last request. An older answer is kept, too: it is newer than what is known.
    private func gathered(_ call: AnswerStreamCall, isNewest: Bool = true) {
        let list = takeGathered(call)
        guard isAnswer(call) else { return }
        guard let list else {
            countDrop(.overLimit, on: call)
            return unanswered(call)
        }
        if call.stream.isKept {
            let isKept = keep(list.bytes.span.bytes, of: call, time: WallClock.nowNanoseconds())
            if isKept, isNewest { answered(call) } else { unanswered(call) }
        } else {
            pass(list, on: call)
            answered(call)
        }
    }

    /// It is not kept as state: those who asked for it get it, each by the number of its own request.
    private func pass(_ list: MessageList, on call: AnswerStreamCall) {
        guard let type = call.stream.record else { return }
        let agent = call.agent
        for id in call.asked.collections.ids(waitingFor: agent.slot.index) {
            outbox.write { [self] () throws(RingError) in
                guard registry.agent(slot: agent.slot.index) === agent else { return }
                _ = try ring.append(
                    type, agent: agent.slot, generation: id.generation, number: id.number, list.bytes.span.bytes)
            }
        }
    }
}
