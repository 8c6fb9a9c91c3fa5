// SPDX-License-Identifier: Apache-2.0
import Logging
import RingMessages
import Rings

/// Lists what the predecessor of this worker has left in the ring that both write: its agents, as unconnected, and their
/// answers.
struct PredecessorTakeover {
    let core: IngestWorkerCore
    let service: AgentService
    let answers: AnswerCollector

    /// - Parameter descriptor: of the ring.
    func run(_ descriptor: Int32) {
        guard let reader = try? RingReader(descriptor: descriptor, kind: .data) else { return }
        var found: [PredecessorsAgent] = []
        for index in 0..<reader.slotHighWater {
            guard let (slot, entry) = reader.entry(at: index) else { continue }
            var agent: PredecessorsAgent?
            if !service.isQuarantined(entry.identityHash) {
                // Reading what it has sent is what a predecessor may have died of.
                core.ring.marker.working(on: entry.identityHash) {
                    agent = PredecessorsAgent(slot, entry, in: reader)
                    if agent != nil { adoptAnswers(of: slot, reader) }
                }
            }
            if let agent { found.append(agent) } else { core.ring.writer.releaseSlot(slot) }
            core.beatIfDue()
        }
        service.adoptPredecessorsAgents(found, lastBeatNanoseconds: core.ring.predecessorBeatNanoseconds)
        if !found.isEmpty {
            core.logger.info("took over the predecessor's ring", metadata: ["agents": "\(found.count)"])
        }
    }

    private func adoptAnswers(of slot: SlotRef, _ reader: RingReader) {
        for record in core.ring.writer.currentRecords(of: slot) where answers.keeps(record.type) {
            _ = reader.read(at: record.position) { header, payload in answers.adopt(header, payload) }
            core.beatIfDue()
        }
    }
}
