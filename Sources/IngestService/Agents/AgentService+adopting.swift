// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Metrics
import Platform

extension AgentService {
    /// What became of an agent in the lane of a worker that is no more.
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
            // Whoever else has this id here, it is not the one of that lane.
            guard present.identity == found.identity.identity else { return (.completed, nil) }
            adoptMetrics(of: found, for: present)
            return (.completed, present)
        }
        guard registry.count < settings.maxAgents, let slot = lane.claimSlot() else { return (.noRoom, nil) }
        let now = MonotonicClock.nowNanoseconds()
        let since = found.entry.statusSinceNanoseconds
        let agent = Agent(
            slot: slot, identity: found.identity, identityHash: found.identity.identity.hash(secret: secret),
            series: makeSeries(for: found.identity), nowNanoseconds: since,
            readingNanoseconds: reading.nowNanoseconds - min(reading.nowNanoseconds, now - min(now, since)))
        agent.connectionEpoch = found.entry.connectionEpoch
        agent.status = .unconnected
        registry.insert(agent)
        lane.setHeartbeat(found.heartbeatNanoseconds, at: slot)
        outbox.write { [self] () throws(LaneError) in
            guard registry.agent(slot: slot.index) === agent else { return }
            try writeIdentity(of: agent)
        }
        adoptMetrics(of: found, for: agent)
        counters.add(.agentsAdopted)
        return (.adopted, agent)
    }

    private func adoptMetrics(of found: AdoptableAgent, for agent: Agent) {
        guard let metrics = found.metrics, lacksSample(agent) else { return }
        if agent.publishedTableNumber == nil {
            agent.series.skipTableNumbers(through: metrics.tableNumber)
        }
        // A number that is still to come here would be given out twice.
        guard metrics.tableNumber < agent.publishedTableNumber ?? agent.series.tableNumber else { return }
        outbox.write { [self] () throws(LaneError) in
            guard registry.agent(slot: agent.slot.index) === agent, lacksSample(agent) else { return }
            _ = try lane.append(
                .series, agent: agent.slot, subject: UInt64(metrics.tableNumber), isCurrent: true,
                metrics.table.span.bytes)
            _ = try lane.append(.sample, agent: agent.slot, isCurrent: true, metrics.sample.span.bytes)
            // It goes with the first sample of ours.
            agent.obsoleteTableNumbers.append(metrics.tableNumber)
        }
    }

    private func lacksSample(_ agent: Agent) -> Bool {
        lane.entry(at: agent.slot)?.samplePosition == AgentEntry.noPosition
    }
}
