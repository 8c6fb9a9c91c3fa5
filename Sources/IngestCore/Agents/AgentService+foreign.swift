// SPDX-License-Identifier: Apache-2.0
import Exchange
import GRPCServer
import Lanes
import Logging
import Metrics
import Platform

/// Streams of agents that are registered at another worker: a service mesh spreads an agent's streams over connections, and
/// what it opens after a GOAWAY comes over a new one. Their answers are written under a slot that counts in no list.
extension AgentService {
    /// How long an agent's home may be without it before its streams here end: it may just be coming back there.
    static let homelessNanoseconds: UInt64 = 1_000_000_000

    /// The owner of this stream: an agent of this worker, or of another.
    func agent(ofStreamWith id: AgentID) -> Agent? {
        let present = registry.agent(id: id)
        if let present, present.registration != nil { return present }
        for _ in 0..<Self.looksAtHome {
            guard let home = others.home(of: id) else { return present?.status == .foreign ? nil : present }
            if let present, present.registeredAtNanoseconds > home.registeredAtNanoseconds, present.status != .foreign {
                return present
            }
            // Its home may just have carried the record forward.
            guard let identity = others.identity(of: id, at: home) else { continue }
            guard let agent = present ?? addForeign(identity) else { return nil }
            settle(agent, at: home, identity)
            counters.add(.foreignStreamsOpened)
            return agent
        }
        return nil
    }

    private static let looksAtHome = 3

    private func addForeign(_ identity: IdentityRecord) -> Agent? {
        guard let slot = lane.claimSlot() else { return nil }
        let agent = Agent(
            slot: slot, identity: identity, identityHash: identity.identity.hash(secret: secret),
            series: makeSeries(for: identity), nowNanoseconds: MonotonicClock.nowNanoseconds(),
            readingNanoseconds: reading.nowNanoseconds)
        agent.status = .foreign
        registry.insert(agent)
        write(agent)
        return agent
    }

    /// The agent's home is there, by this registration.
    private func settle(_ agent: Agent, at home: RemoteEntry, _ identity: IdentityRecord) {
        let before = agent.home
        if before?.worker != home.worker || before?.registeredAtNanoseconds != home.registeredAtNanoseconds {
            // The open streams here belong to an earlier registration.
            endStreams(of: agent, GRPCStatus(.aborted, "the agent has registered again"))
        }
        agent.home = ForeignHome(
            worker: home.worker, registeredAtNanoseconds: home.registeredAtNanoseconds,
            identityPosition: home.identityPosition)
        registry.setStatus(.foreign, of: agent, nowNanoseconds: MonotonicClock.nowNanoseconds())
        adopt(identity, for: agent)
        registry.publish(agent)
    }

    private func adopt(_ identity: IdentityRecord, for agent: Agent) {
        guard agent.role != identity.role || agent.labels != identity.labels else { return }
        agent.role = identity.role
        agent.labels = identity.labels
        agent.series.setEnrichment(agent.enrichment)
        write(agent)
    }

    private func write(_ agent: Agent) {
        outbox.write { [self] () throws(LaneError) in
            guard registry.agent(slot: agent.slot.index) === agent else { return }
            try writeIdentity(of: agent)
        }
    }

    // MARK: Time

    func judgeForeign(_ agent: Agent, nowNanoseconds now: UInt64) {
        // It is just registering here.
        guard agent.registration == nil else { return }
        guard var home = agent.home else { return remove(agent, countAs: nil) }
        let listed = others.listed(agent.id)
        if let listed, listed.isOnline, listed.worker == home.worker,
            listed.registeredAtNanoseconds == home.registeredAtNanoseconds
        {
            home.goneSinceNanoseconds = nil
            if listed.identityPosition != home.identityPosition,
                let identity = others.identity(of: agent.id, at: listed)
            {
                home.identityPosition = listed.identityPosition
                adopt(identity, for: agent)
            }
        } else {
            home.goneSinceNanoseconds = home.goneSinceNanoseconds ?? now
        }
        if agent.isConnected, let since = home.goneSinceNanoseconds, now - min(now, since) >= Self.homelessNanoseconds {
            counters.add(.foreignStreamsEnded, UInt64(agent.foreignStreamCount))
            endStreams(of: agent, GRPCStatus(.unavailable, "the agent has left the worker that it was registered at"))
        }
        home.idleSinceNanoseconds = agent.isConnected ? nil : home.idleSinceNanoseconds ?? now
        agent.home = home
        // Until then its last sample here may be the newest there is of it.
        let grace = UInt64(clamping: settings.staleGrace.wholeNanoseconds)
        if let since = home.idleSinceNanoseconds, now - min(now, since) > grace { remove(agent, countAs: nil) }
    }
}

extension Agent {
    var foreignStreamCount: Int { status == .foreign ? dataStreamCount : 0 }
}
