// SPDX-License-Identifier: Apache-2.0
import Platform
import RingMessages
import Rings

/// The answers that go into the ring, and those that have to leave it.
extension AnswerCollector {
    /// - Returns: false when there is no room for it.
    func keep(_ message: RawSpan, of call: AnswerStreamCall, subject: UInt64 = 0, time: Int64) -> Bool {
        guard let type = call.stream.record else { return false }
        let agent = call.agent
        let key = AnswerCache.Key(agent: agent.slot, type: type, subject: subject)
        let item = AnswerCache.Item(bytes: message.byteCount, time: time, checksum: CRC32C.checksum(message))
        let outcome = answerCache.put(key, item) { [registry] in registry.agent(slot: $0.index)?.isConnected == true }
        switch outcome {
        case .unchanged:
            count(.unchanged, call.stream)
            return true
        case .refused(let evicted):
            countDrop(.overLimit, on: call)
            forget(evicted, countingAs: call.stream)
            return false
        case .kept(let evicted):
            forget(evicted, countingAs: call.stream)
        }
        let bytes = message.copiedBytes
        let receivedAt = UInt64(bitPattern: WallClock.nowNanoseconds())
        outbox.write { [self] () throws(RingError) in
            guard registry.agent(slot: agent.slot.index) === agent else { return }
            _ = try ring.append(
                type, agent: agent.slot, number: receivedAt, subject: subject, isCurrent: true, bytes.span.bytes)
        }
        return true
    }

    func forget(_ keys: [AnswerCache.Key], countingAs stream: AgentStream) {
        guard !keys.isEmpty else { return }
        count(.evicted, stream, keys.count)
        outbox.write { [ring] () throws(RingError) in
            for key in keys { ring.forget(key.type, agent: key.agent, subject: key.subject) }
        }
    }

    /// A predecessor's kept answers of an agent.
    func adopt(_ header: RecordHeader, _ payload: RawSpan) {
        answerCache.adopt(
            AnswerCache.Key(agent: header.agent, type: header.type, subject: header.subject),
            AnswerCache.Item(
                bytes: payload.byteCount, time: time(of: header, payload), checksum: CRC32C.checksum(payload)))
    }

    /// By which the answerCache says what is oldest.
    func time(of header: RecordHeader, _ payload: RawSpan) -> Int64 {
        if let asked = streams.first(where: { $0.stream.record == header.type }), asked.description.hasRecords,
            case .record(let key, _)? = try? asked.description.parse(payload).content
        {
            return key.time
        }
        return Int64(bitPattern: header.number)
    }

    /// The agent leaves the registry, and its slot is released.
    func left(_ agent: Agent) {
        answerCache.removeAll(of: agent.slot)
    }
}
