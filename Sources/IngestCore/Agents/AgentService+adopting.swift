// SPDX-License-Identifier: Apache-2.0
import GRPCServer
import Metrics
import Platform
import RingMessages
import Rings

extension AgentService {
    /// The outcome for an agent in the ring of a removed worker.
    enum Adoption {
        /// It is listed here now, unconnected.
        case adopted
        /// It was here already, and has what it lacked.
        case completed
        /// As many agents as there may be are here.
        case noRoom
    }

    /// Lists an agent of a worker that is no more, so that its id and its last values survive; or gives one that has come
    /// here already what it has not sent anew.
    func adopt(_ found: AdoptableAgent) -> (Adoption, Agent?) {
        if let present = registry.agent(id: found.identity.id) {
            // Another agent with this id here is not the one of that ring.
            guard present.identity == found.identity.identity else { return (.completed, nil) }
            // It may have registered at a third worker meanwhile: then that is its owning worker, and its streams here go on.
            if present.status == .remote, present.registration == nil, others.owner(of: found.identity.id) == nil {
                // Its owning worker is the worker that is no more: here is where it is listed from now on.
                endStreams(of: present, GRPCStatus(.unavailable, "the agent's worker of the proxy is gone: reconnect"))
                present.owner = nil
                registry.setStatus(
                    .unconnected, of: present, nowNanoseconds: MonotonicClock.nowNanoseconds(), departure: .moved)
                registry.publish(present)
            }
            comeOver(found, to: present)
            adoptMetrics(of: found, for: present)
            return (.completed, present)
        }
        guard registry.count < settings.maxAgents, let slot = ring.claimSlot() else { return (.noRoom, nil) }
        let since = found.entry.statusSinceNanoseconds
        let agent = Agent(
            slot: slot, identity: found.identity, identityHash: found.identity.identity.hash(secret: secret),
            series: makeSeries(for: found.identity), nowNanoseconds: since,
            readingNanoseconds: lastMessageNanoseconds(found))
        agent.connectionEpoch = found.entry.connectionEpoch
        setPeerIdentity(found.peerIdentity, of: agent)
        agent.status = .unconnected
        agent.departure = found.entry.status == .online ? .moved : found.entry.departure
        adoptShortLives(found.entry, of: agent)
        registry.insert(agent)
        ring.setHeartbeat(found.heartbeatNanoseconds, at: slot)
        outbox.write { [self] () throws(RingError) in
            guard registry.agent(slot: slot.index) === agent else { return }
            try writeIdentity(of: agent)
        }
        adoptMetrics(of: found, for: agent)
        counters.add(.agentsAdopted)
        return (.adopted, agent)
    }

    /// By ``AgentClock``. An agent is removed so long after its last heartbeat, wherever that came.
    private func lastMessageNanoseconds(_ found: AdoptableAgent) -> UInt64 {
        let now = MonotonicClock.nowNanoseconds()
        let heard = found.heartbeatNanoseconds > 0 ? found.heartbeatNanoseconds : found.entry.statusSinceNanoseconds
        return reading.before(now - min(now, heard))
    }

    /// An entry that has stood here since the agent went to the worker that is no more, now the last that there is of it:
    /// it takes over when the agent was there, or it would be dropped for one that it has left long ago.
    private func comeOver(_ found: AdoptableAgent, to present: Agent) {
        guard present.registration == nil, present.status == .unconnected,
            found.entry.registeredAtNanoseconds > present.registeredAtNanoseconds
        else { return }
        present.registeredAtNanoseconds = found.entry.registeredAtNanoseconds
        present.statusSinceNanoseconds = found.entry.statusSinceNanoseconds
        present.lastMessageNanoseconds = lastMessageNanoseconds(found)
        present.peer = found.identity.peer
        setPeerIdentity(found.peerIdentity, of: present)
        if present.adopt(role: found.identity.role, labels: found.identity.labels) {
            present.series.setEnrichment(present.enrichment)
        }
        if present.shortLives == nil { adoptShortLives(found.entry, of: present) }
        ring.setHeartbeat(found.heartbeatNanoseconds, at: present.slot)
        registry.publish(present)
        outbox.write { [self] () throws(RingError) in
            guard registry.agent(slot: present.slot.index) === present else { return }
            try writeIdentity(of: present)
        }
    }

    private func adoptMetrics(of found: AdoptableAgent, for agent: Agent) {
        guard let metrics = found.metrics, wants(metrics, agent) else { return }
        // A number that is still to come here would be given out twice.
        agent.series.skipTableNumbers(through: metrics.tableNumber)
        outbox.write { [self] () throws(RingError) in
            guard registry.agent(slot: agent.slot.index) === agent, wants(metrics, agent) else { return }
            _ = try ring.append(
                .series, agent: agent.slot, subject: UInt64(metrics.tableNumber), isCurrent: true,
                metrics.table.span.bytes)
            _ = try ring.append(.sample, agent: agent.slot, isCurrent: true, metrics.sample.span.bytes)
            agent.sampleReceivedAtNanoseconds = metrics.receivedAtNanoseconds
            // It goes with the first sample of ours.
            agent.obsoleteTableNumbers.append(metrics.tableNumber)
        }
    }

    /// Whether the sample is newer than what stands here, and the number of its table has meant no other table here.
    private func wants(_ metrics: AdoptableAgent.Metrics, _ agent: Agent) -> Bool {
        guard metrics.tableNumber != agent.publishedTableNumber,
            !agent.obsoleteTableNumbers.contains(metrics.tableNumber)
        else { return false }
        if ring.entry(at: agent.slot)?.samplePosition == AgentEntry.noPosition { return true }
        return agent.sampleReceivedAtNanoseconds.map { $0 < metrics.receivedAtNanoseconds } ?? false
    }
}
