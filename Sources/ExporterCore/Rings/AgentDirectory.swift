// SPDX-License-Identifier: Apache-2.0
import Metrics
import Platform
import RingMessages
import Rings

/// The agents of all rings, each once: an agent that has moved stands in two rings for a while, and one whose streams have
/// come to several workers has a remote entry wherever it is not registered.
final class AgentDirectory {
    /// An agent's entry in one ring.
    struct Place {
        var agent: RingAgent
        var worker: Int

        func has(_ stream: AgentStream) -> Bool { agent.entry.openStreams & stream.bit != 0 }
    }

    /// One agent as the outside sees it.
    struct Listed {
        /// Where it is online, or was last: whose word counts on its status and registration.
        var owner: RingAgent
        var worker: Int
        /// All rings that know it, that of its owning worker among them.
        fileprivate(set) var places: [Place]
        /// Of all rings the one that has its newest sample.
        fileprivate(set) var newest: Place?

        /// One bit a stream, whichever worker has it.
        var openStreams: UInt32 { places.reduce(0) { $0 | $1.agent.entry.openStreams } }

        /// The worker that has this stream of it; `nil` when none has.
        func worker(having stream: AgentStream) -> Int? { place(having: stream)?.worker }

        /// The ring of the worker that has this stream of it; `nil` when none has.
        func place(having stream: AgentStream) -> Place? {
            places.first { $0.agent === owner && $0.has(stream) } ?? places.first { $0.has(stream) }
        }

        /// When its metrics stream was seen to be gone, monotonic; `nil` while one is open.
        var metricsLostAtNanoseconds: UInt64? {
            places.contains { $0.has(.metrics) } ? nil : owner.metricsLostAtNanoseconds
        }

        /// Wall clock, nanoseconds since the epoch.
        var lastSampleAtNanoseconds: Int64? { newest?.agent.sample?.receivedAtNanoseconds }

        fileprivate mutating func add(_ place: Place, wallNow: Int64) {
            places.append(place)
            guard let arrival = place.agent.sampleArrival else { return }
            if let known = newest?.agent.sampleArrival, !arrival.isNewer(than: known, wallNow: wallNow) { return }
            newest = place
        }
    }

    private let ingestEndpoints: IngestEndpoints
    private var wallOffset = WallOffset()

    /// `--agent-cleanup-timeout`: what the ring of a worker that does not live says is believed for so long.
    private let cleanupNanoseconds: UInt64

    init(ingestEndpoints: IngestEndpoints, cleanupNanoseconds: UInt64 = .max) {
        self.ingestEndpoints = ingestEndpoints
        self.cleanupNanoseconds = cleanupNanoseconds
    }

    /// When an agent was last heard of: wall clock, nanoseconds since the epoch; `nil` when never.
    func lastHeartbeatNanoseconds(of listed: Listed) -> Int64? {
        let reader = ingestEndpoints.follower(of: listed.worker)?.reader
        let heard = reader?.heartbeatNanoseconds(at: Int(listed.owner.slot.index)) ?? 0
        return heard == 0 ? nil : wallOffset.wallNanoseconds(ofMonotonic: heard)
    }

    /// Reads the agent tables anew.
    func refresh(nowNanoseconds: UInt64) {
        var elsewhere: Set<AgentID> = []
        for endpoint in ingestEndpoints.all {
            endpoint.follower.refreshAgents(nowNanoseconds: nowNanoseconds)
            for agent in endpoint.follower.agents.values where agent.entry.status == .remote {
                if agent.entry.openStreams & AgentStream.metrics.bit != 0 { elsewhere.insert(agent.entry.id) }
            }
        }
        guard !elsewhere.isEmpty else { return }
        for endpoint in ingestEndpoints.all {
            for agent in endpoint.follower.agents.values where elsewhere.contains(agent.entry.id) {
                agent.clearMetricsLoss()
            }
        }
    }

    /// The identity of an agent in a ring; that of a remote entry is in the ring of its owning worker.
    func identity(of agent: RingAgent) -> IdentityRecord? {
        if let identity = agent.identity { return identity }
        for endpoint in ingestEndpoints.all {
            for known in endpoint.follower.agents.values where known.entry.id == agent.entry.id {
                if let identity = known.identity, known.entry.isListed { return identity }
            }
        }
        return nil
    }

    /// The pod of the agent in a worker's slot, if the slot is still that of an agent.
    func podName(slot: UInt32, worker: Int) -> String? {
        ingestEndpoints.follower(of: worker)?.agents[slot].flatMap(identity)?.identity.podName
    }

    /// Whether any agent is listed; for timers, which need no list.
    var hasListed: Bool {
        ingestEndpoints.all.contains { endpoint in
            endpoint.follower.agents.values.contains { $0.entry.isListed && $0.identity != nil }
        }
    }

    /// How many entries the rings have, those of remote agents among them.
    var entryCount: Int { ingestEndpoints.all.reduce(0) { $0 + $1.follower.agents.count } }

    func listed() -> [AgentID: Listed] {
        var result: [AgentID: Listed] = [:]
        var remote: [Place] = []
        let wallNow = WallClock.nowNanoseconds()
        let now = MonotonicClock.nowNanoseconds()
        for endpoint in ingestEndpoints.all {
            for agent in endpoint.follower.agents.values {
                if isOutlived(agent.entry, at: endpoint, nowNanoseconds: now) { continue }
                let place = Place(agent: agent, worker: endpoint.index)
                if agent.entry.status == .remote { remote.append(place) }
                // An identity that has not been read yet belongs to a registration that is not answered yet.
                guard agent.entry.isListed, agent.identity != nil else { continue }
                let id = agent.entry.id
                if let known = result[id] {
                    if Self.isBetterOwner(agent, than: known.owner) {
                        result[id]?.owner = agent
                        result[id]?.worker = endpoint.index
                    }
                } else {
                    result[id] = Listed(owner: agent, worker: endpoint.index, places: [])
                }
                result[id]?.add(place, wallNow: wallNow)
            }
        }
        // An agent whose owning worker is gone belongs to no worker, whatever is still open of it.
        for place in remote { result[place.agent.entry.id]?.add(place, wallNow: wallNow) }
        addFormer(to: &result, wallNow: wallNow, nowNanoseconds: now)
        return result
    }

    /// An entry of a worker that does not live, which its worker would have removed by now.
    private func isOutlived(_ entry: AgentEntry, at endpoint: IngestEndpoint, nowNanoseconds now: UInt64) -> Bool {
        guard let deadSince = endpoint.deadSinceNanoseconds else { return false }
        let since = entry.status == .unconnected ? min(deadSince, entry.statusSinceNanoseconds) : deadSince
        return now - min(now, since) > cleanupNanoseconds
    }

    /// Agents of a ring that was reset are known until they are back, or as long as if they had been lost.
    private func addFormer(
        to result: inout [AgentID: Listed], wallNow: Int64, nowNanoseconds now: UInt64
    ) {
        for endpoint in ingestEndpoints.all {
            let former = endpoint.follower.formerAgents
            guard now - min(now, former.sinceNanoseconds) <= cleanupNanoseconds else { continue }
            for agent in former.agents {
                let id = agent.entry.id
                if result[id] == nil { result[id] = Listed(owner: agent, worker: endpoint.index, places: []) }
                result[id]?.add(Place(agent: agent, worker: endpoint.index), wallNow: wallNow)
            }
        }
    }

    private static func isBetterOwner(_ agent: RingAgent, than other: RingAgent) -> Bool {
        if (agent.entry.status == .online) != (other.entry.status == .online) { return agent.entry.status == .online }
        return agent.entry.registeredAtNanoseconds > other.entry.registeredAtNanoseconds
    }
}

extension AgentEntry {
    /// Whether it makes an agent known to the outside.
    var isListed: Bool { status == .online || status == .unconnected }
}
