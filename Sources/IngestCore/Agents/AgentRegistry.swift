// SPDX-License-Identifier: Apache-2.0
import Metrics
import Platform
import RingMessages
import Rings

/// The agents of this worker, and their slots in its ring. An agent's slot is true before anybody is told of it.
final class AgentRegistry {
    private let ring: RingWriter
    private(set) var onlineCount = 0
    private var remoteCount = 0
    private var pendingCount = 0
    private var bySlot: [UInt32: Agent] = [:]
    private var byID: [AgentID: Agent] = [:]
    private var byIdentity: [UInt64: [Agent]] = [:]

    init(ring: RingWriter) {
        self.ring = ring
    }

    var all: Dictionary<UInt32, Agent>.Values { bySlot.values }
    /// Those that are listed, or about to be: all but the remote ones.
    var count: Int { bySlot.count - remoteCount }
    /// Those that are online, or newcomers that are about to be.
    var activeCount: Int { onlineCount + pendingCount }

    func agent(id: AgentID) -> Agent? { byID[id] }
    func agent(slot: UInt32) -> Agent? { bySlot[slot] }
    /// Those whose identity has this hash and really is this one, but for remote ones.
    func agents(of identity: AgentIdentity, hash: UInt64) -> [Agent] {
        agents(hash: hash).filter { $0.identity == identity && $0.status != .remote }
    }
    func agents(hash: UInt64) -> [Agent] { byIdentity[hash] ?? [] }

    func insert(_ agent: Agent) {
        bySlot[agent.slot.index] = agent
        byID[agent.id] = agent
        byIdentity[agent.identityHash, default: []].append(agent)
        count(agent.status, 1)
        publish(agent)
        publishCounts()
    }

    func remove(_ agent: Agent) {
        bySlot[agent.slot.index] = nil
        if byID[agent.id] === agent { byID[agent.id] = nil }
        byIdentity[agent.identityHash]?.removeAll { $0 === agent }
        if byIdentity[agent.identityHash]?.isEmpty == true { byIdentity[agent.identityHash] = nil }
        count(agent.status, -1)
        ring.releaseSlot(agent.slot)
        publishCounts()
    }

    private func count(_ status: AgentStatus, _ n: Int) {
        switch status {
        case .online: onlineCount += n
        case .remote: remoteCount += n
        case .pending: pendingCount += n
        case .free, .unconnected: break
        }
    }

    /// The other workers judge by these whether `--max-agents` may be near, so they are true at any time.
    private func publishCounts() {
        ring.setCounter(IngestCounter.agentsOnline.rawValue, UInt64(onlineCount))
        ring.setCounter(IngestCounter.agentsUnconnected.rawValue, UInt64(count - activeCount))
        ring.setCounter(IngestCounter.agentsPending.rawValue, UInt64(pendingCount))
    }

    /// Writes what has changed of an agent into its slot.
    func publish(_ agent: Agent) {
        ring.setEntry(agent.entry(seriesCount: agent.series.seriesCount), at: agent.slot)
    }

    /// - Parameter departure: why an agent is unconnected from now on. When an agent is unconnected already, the first cause stands.
    func setStatus(
        _ status: AgentStatus, of agent: Agent, nowNanoseconds: UInt64, departure: DepartureCause = .unknown
    ) {
        guard agent.status != status else { return }
        count(agent.status, -1)
        count(status, 1)
        agent.status = status
        agent.departure = departure
        agent.statusSinceNanoseconds = nowNanoseconds
        publish(agent)
        publishCounts()
    }

    func setStream(_ stream: AgentStream, isOpen: Bool, of agent: Agent) {
        let mask = isOpen ? agent.openStreams | stream.bit : agent.openStreams & ~stream.bit
        guard mask != agent.openStreams else { return }
        agent.openStreams = mask
        publish(agent)
    }
}
