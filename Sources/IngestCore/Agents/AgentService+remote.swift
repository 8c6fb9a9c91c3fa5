// SPDX-License-Identifier: Apache-2.0
import GRPCServer
import Logging
import Metrics
import Platform
import RingMessages
import Rings

/// Streams of agents that are registered at another worker: a service mesh spreads an agent's streams over connections, and
/// what it opens after a GOAWAY comes over a new one. Their answers are written under a slot that counts in no list.
extension AgentService {
    /// How long an agent's owning worker may be without it before its streams here end: it may just be coming back there.
    static let ownerlessNanoseconds: UInt64 = 1_000_000_000

    /// The owner of this stream: an agent of this worker, or of another.
    func agent(ofStreamWith id: AgentID) -> Agent? {
        let present = registry.agent(id: id)
        if let present, present.registration != nil { return present }
        for _ in 0..<Self.looksAtOwner {
            guard let owner = others.owner(of: id) else { return present?.status == .remote ? nil : present }
            if let present, present.registeredAtNanoseconds > owner.registeredAtNanoseconds, present.status != .remote {
                return present
            }
            // Its owning worker may just have copied the record to the head.
            guard let identity = others.identity(of: id, at: owner) else { continue }
            guard let agent = present ?? addRemote(identity) else { return nil }
            settle(agent, at: owner, identity)
            counters.add(.remoteStreamsOpened)
            return agent
        }
        return nil
    }

    private static let looksAtOwner = 3

    private func addRemote(_ identity: IdentityRecord) -> Agent? {
        guard let slot = ring.claimSlot() else { return nil }
        let agent = Agent(
            slot: slot, identity: identity, identityHash: identity.identity.hash(secret: secret),
            series: makeSeries(for: identity), nowNanoseconds: MonotonicClock.nowNanoseconds(),
            readingNanoseconds: reading.nowNanoseconds)
        agent.status = .remote
        registry.insert(agent)
        write(agent)
        return agent
    }

    /// The agent's owning worker is there, by this registration.
    private func settle(_ agent: Agent, at owner: RemoteEntry, _ identity: IdentityRecord) {
        let before = agent.owner
        if before?.worker != owner.worker || before?.registeredAtNanoseconds != owner.registeredAtNanoseconds {
            // The open streams here belong to an earlier registration.
            endStreams(of: agent, GRPCStatus(.aborted, "the agent has registered again"))
        }
        agent.owner = RemoteOwner(
            worker: owner.worker, registeredAtNanoseconds: owner.registeredAtNanoseconds,
            identityPosition: owner.identityPosition)
        setPeerIdentity(owner.peerIdentity, of: agent)
        registry.setStatus(.remote, of: agent, nowNanoseconds: MonotonicClock.nowNanoseconds())
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
        outbox.write { [self] () throws(RingError) in
            guard registry.agent(slot: agent.slot.index) === agent else { return }
            try writeIdentity(of: agent)
        }
    }

    // MARK: Time

    func judgeRemote(_ agent: Agent, nowNanoseconds now: UInt64) {
        // It is just registering here.
        guard agent.registration == nil else { return }
        guard var owner = agent.owner else { return remove(agent, countAs: nil) }
        let listed = others.listed(agent.id)
        if let listed, listed.isOnline, listed.worker == owner.worker,
            listed.registeredAtNanoseconds == owner.registeredAtNanoseconds
        {
            owner.goneSinceNanoseconds = nil
            if listed.identityPosition != owner.identityPosition,
                let identity = others.identity(of: agent.id, at: listed)
            {
                owner.identityPosition = listed.identityPosition
                adopt(identity, for: agent)
            }
        } else {
            owner.goneSinceNanoseconds = owner.goneSinceNanoseconds ?? now
        }
        if agent.isConnected, let since = owner.goneSinceNanoseconds, now - min(now, since) >= Self.ownerlessNanoseconds
        {
            counters.add(.remoteStreamsEnded, UInt64(agent.remoteStreamCount))
            endStreams(of: agent, GRPCStatus(.unavailable, "the agent has left the worker that it was registered at"))
        }
        owner.idleSinceNanoseconds = agent.isConnected ? nil : owner.idleSinceNanoseconds ?? now
        agent.owner = owner
        // Until then its last sample here may be the newest there is of it.
        let grace = UInt64(clamping: settings.staleGrace.wholeNanoseconds)
        if let since = owner.idleSinceNanoseconds, now - min(now, since) > grace { remove(agent, countAs: nil) }
    }
}

extension Agent {
    var remoteStreamCount: Int { status == .remote ? dataStreamCount : 0 }
}
