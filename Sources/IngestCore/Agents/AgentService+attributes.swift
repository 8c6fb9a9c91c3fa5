// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Logging
import Metrics
import Platform
import RingMessages
import Rings

/// An agent's own attributes, of its registration and of heartbeats.
extension AgentService {
    func writeIdentity(of agent: Agent) throws(RingError) {
        let payload = agent.record.payload
        _ = try ring.append(
            .identity, agent: agent.slot, generation: 0, number: 0, subject: 0, isCurrent: true,
            payload.span.bytes, RawSpan())
    }

    /// - Parameter taken: the number of a table that the agent has in this ring already.
    func makeSeries(for record: IdentityRecord, above taken: UInt32 = 0) -> AgentSeries {
        // Numbers of tables must rise beyond those that a predecessor of this worker gave out: it began with the time
        // as well, and tables change less than once a second on the average.
        let first = max(
            UInt32(truncatingIfNeeded: WallClock.nowNanoseconds() / 1_000_000_000), taken < .max ? taken + 1 : taken)
        return AgentSeries(
            limits: SeriesLimits(), hashKey: seriesHashKey,
            enrichment: record.enrichment,
            firstTableNumber: first)
    }

    /// It has registered with other labels, or another role, than before.
    func enrich(_ agent: Agent) {
        let enrichment = agent.enrichment
        agent.series.setEnrichment(enrichment)
        noteLabels(enrichment, of: agent)
    }

    func noteLabels(_ enrichment: Enrichment, of agent: Agent) {
        guard enrichment.refusedLabelCount > 0 else { return }
        counters.add(.labelsLeftOut, UInt64(enrichment.refusedLabelCount))
        logger.info(
            "registration labels are left out of the agent's series: too many, too long, or with an invalid name",
            metadata: ["pod": "\(agent.identity.podName)", "labels": "\(enrichment.refusedLabelCount)"])
    }

    func heartbeat(_ request: Banyandb_Fodc_V1_RegisterAgentRequest, of agent: Agent) {
        let now = MonotonicClock.nowNanoseconds()
        agent.lastMessageNanoseconds = reading.nowNanoseconds
        ring.setHeartbeat(now, at: agent.slot)
        registry.setStatus(.online, of: agent, nowNanoseconds: now)
        guard agent.adopt(role: request.nodeRole, labels: request.sortedLabels) else { return }
        enrich(agent)
        outbox.write { [self] () throws(RingError) in
            guard registry.agent(slot: agent.slot.index) === agent else { return }
            try writeIdentity(of: agent)
        }
    }
}

extension Banyandb_Fodc_V1_RegisterAgentRequest {
    /// In an order of their own, whatever the order in the message.
    var sortedLabels: [AgentLabel] {
        labels.sorted { $0.key < $1.key }.map { AgentLabel(key: $0.key, value: $0.value) }
    }
}
