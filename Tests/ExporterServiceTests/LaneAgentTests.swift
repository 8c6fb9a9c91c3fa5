// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Testing

@testable import ExporterService

@Suite struct LaneAgentTests {
    private func entry(
        _ status: AgentStatus, registeredAt: Int64 = 100, since: UInt64, streams: UInt32 = 0
    ) -> AgentEntry {
        AgentEntry(
            id: AgentID(high: 1, low: 2), status: status, registeredAtNanoseconds: registeredAt,
            statusSinceNanoseconds: since, openStreams: streams)
    }

    @Test func aLossIsDatedOnce() {
        let agent = LaneAgent(slot: .none, entry: entry(.online, since: 1))
        agent.update(entry(.online, since: 1, streams: AgentStream.metrics.bit), nowNanoseconds: 10)
        #expect(agent.metricsLostAtNanoseconds == nil)
        agent.update(entry(.online, since: 1), nowNanoseconds: 20)
        #expect(agent.metricsLostAtNanoseconds == 20)
        agent.update(entry(.unconnected, since: 25), nowNanoseconds: 30)
        #expect(agent.metricsLostAtNanoseconds == 20)
    }

    @Test func whatHasComeOverFromAnotherLaneWasLostThere() {
        let agent = LaneAgent(slot: .none, entry: entry(.unconnected, since: 10))
        agent.update(entry(.unconnected, since: 10), nowNanoseconds: 30)
        agent.update(entry(.unconnected, registeredAt: 101, since: 40), nowNanoseconds: 50)
        #expect(agent.metricsLostAtNanoseconds == 40)
    }
}
