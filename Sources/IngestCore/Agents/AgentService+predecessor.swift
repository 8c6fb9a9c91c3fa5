// SPDX-License-Identifier: Apache-2.0
import Platform
import RingMessages
import Rings

/// The agents that the predecessor of this worker has left in the ring.
extension AgentService {
    /// Lists the agents of the predecessor as unconnected: their connections died with its process. The time to their
    /// removal goes on where it was: it is counted from the last heartbeat, without the time in which no worker was there.
    ///
    /// - Parameter lastBeatNanoseconds: when the predecessor was last alive, `CLOCK_MONOTONIC`.
    func adoptPredecessorsAgents(_ records: [PredecessorsAgent], lastBeatNanoseconds: UInt64 = 0) {
        let now = MonotonicClock.nowNanoseconds()
        for record in records {
            let (slot, entry, identity) = (record.slot, record.entry, record.identity)
            // A registration that had not been answered ended with its connection; and of who has killed us twice nothing is
            // read again.
            guard entry.status != .pending, !isQuarantined(entry.identityHash) else {
                ring.releaseSlot(slot)
                continue
            }
            // The predecessor's tables stay for its last sample, and go with the first of ours.
            let tables = ring.currentRecords(of: slot)
                .filter { $0.type == .series }.map { UInt32(truncatingIfNeeded: $0.subject) }
            let agent = Agent(
                slot: slot, identity: identity, identityHash: entry.identityHash,
                series: makeSeries(for: identity, above: tables.filter(AdoptableAgent.isBelievable).max() ?? 0),
                nowNanoseconds: entry.status == .unconnected ? entry.statusSinceNanoseconds : now,
                readingNanoseconds: reading.before(
                    record.heartbeatNanoseconds == 0
                        ? 0 : lastBeatNanoseconds - min(lastBeatNanoseconds, record.heartbeatNanoseconds)))
            agent.source = record.source
            agent.peerIdentity = record.peerIdentity
            agent.registeredAtNanoseconds = entry.registeredAtNanoseconds
            agent.connectionEpoch = entry.connectionEpoch
            agent.status = .unconnected
            // An orderly predecessor has sent its agents away before it ended.
            agent.departure = entry.status == .online ? .workerCrashed : entry.departure
            if entry.status == .remote {
                agent.status = .remote
                agent.owner = RemoteOwner(
                    worker: Int(entry.owner) - 1, registeredAtNanoseconds: 0,
                    identityPosition: AgentEntry.noPosition, idleSinceNanoseconds: now)
            }
            adoptShortLives(entry, of: agent)
            agent.obsoleteTableNumbers = tables
            agent.sampleReceivedAtNanoseconds = record.sampleReceivedAtNanoseconds
            if entry.status == .online { counters.add(.lostWorker) }
            registry.insert(agent)
        }
    }

    /// Another worker's count of registrations of this identity that did not last, which no other table has any more. All
    /// entries of one worker say the same, and may be read again: what is known here already is not added to.
    func adoptShortLives(_ entry: AgentEntry, of agent: Agent) {
        guard entry.shortLives > 0 else { return }
        let last = min(MonotonicClock.nowNanoseconds(), entry.lastShortLifeNanoseconds)
        let lives = ShortLives(count: Int(entry.shortLives), lastNanoseconds: last)
        reconnects.adopt(lives, of: agent.identityHash)
        agent.shortLives = reconnects.shortLives(of: agent.identityHash)
        agent.isShortLived = entry.isShortLived
    }
}
