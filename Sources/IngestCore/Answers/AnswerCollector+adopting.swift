// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Platform

extension AnswerCollector {
    /// Takes over an answer out of the lane of a worker that is no more, unless the agent has given a newer one here.
    func adopt(_ header: RecordHeader, _ payload: RawSpan, for agent: Agent) {
        guard let stream = streams.first(where: { $0.stream.record == header.type })?.stream else { return }
        let key = AnswerShelf.Key(agent: agent.slot, type: header.type, subject: header.subject)
        guard !shelf.holds(key) else { return }
        let item = AnswerShelf.Item(
            bytes: payload.byteCount, time: time(of: header, payload), checksum: CRC32C.checksum(payload))
        let outcome = shelf.put(key, item) { [registry] in registry.agent(slot: $0.index)?.isConnected == true }
        switch outcome {
        case .unchanged: return
        case .refused(let evicted): return forget(evicted, countingAs: stream)
        case .kept(let evicted): forget(evicted, countingAs: stream)
        }
        let bytes = payload.copiedBytes
        outbox.write { [self] () throws(LaneError) in
            guard registry.agent(slot: agent.slot.index) === agent, shelf.holds(key) else { return }
            _ = try lane.append(
                header.type, agent: agent.slot, number: header.number, subject: header.subject, isCurrent: true,
                bytes.span.bytes)
        }
    }
}
