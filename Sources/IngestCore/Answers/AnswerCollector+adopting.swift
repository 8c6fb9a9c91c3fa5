// SPDX-License-Identifier: Apache-2.0
import Platform
import RingMessages
import Rings

extension AnswerCollector {
    /// Takes over an answer out of the ring of a worker that is no more, unless the agent has given a newer one here.
    func adopt(_ header: RecordHeader, _ payload: RawSpan, for agent: Agent) {
        guard let stream = streams.first(where: { $0.stream.record == header.type })?.stream else { return }
        let key = AnswerCache.Key(agent: agent.slot, type: header.type, subject: header.subject)
        guard !answerCache.holds(key) else { return }
        let item = AnswerCache.Item(
            bytes: payload.byteCount, time: time(of: header, payload), checksum: CRC32C.checksum(payload))
        let outcome = answerCache.put(key, item) { [registry] in registry.agent(slot: $0.index)?.isConnected == true }
        switch outcome {
        case .unchanged: return
        case .refused(let evicted): return forget(evicted, countingAs: stream)
        case .kept(let evicted): forget(evicted, countingAs: stream)
        }
        let bytes = payload.copiedBytes
        outbox.write { [self] () throws(RingError) in
            guard registry.agent(slot: agent.slot.index) === agent, answerCache.holds(key) else { return }
            _ = try ring.append(
                header.type, agent: agent.slot, number: header.number, subject: header.subject, isCurrent: true,
                bytes.span.bytes)
        }
    }
}
