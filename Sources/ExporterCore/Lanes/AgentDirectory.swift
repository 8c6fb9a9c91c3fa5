// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Metrics
import Platform

/// The agents of all lanes, each once: an agent that has moved stands in two lanes for a while, and one whose streams have
/// come to several workers has a foreign entry wherever it is not registered.
final class AgentDirectory {
    /// An agent's entry in one lane.
    struct Place {
        var agent: LaneAgent
        var worker: Int

        func has(_ stream: AgentStream) -> Bool { agent.entry.openStreams & stream.bit != 0 }
    }

    /// One agent as the outside sees it.
    struct Listed {
        /// Where it is online, or was last: whose word counts on its status and registration.
        var home: LaneAgent
        var worker: Int
        /// All lanes that know it, that of its home among them.
        fileprivate(set) var places: [Place]
        /// Of all lanes the one that has its newest sample.
        fileprivate(set) var newest: Place?

        /// One bit a stream, whichever worker has it.
        var openStreams: UInt32 { places.reduce(0) { $0 | $1.agent.entry.openStreams } }

        /// The worker that has this stream of it; `nil` when none has.
        func worker(having stream: AgentStream) -> Int? { place(having: stream)?.worker }

        /// The lane of the worker that has this stream of it; `nil` when none has.
        func place(having stream: AgentStream) -> Place? {
            places.first { $0.agent === home && $0.has(stream) } ?? places.first { $0.has(stream) }
        }

        /// When its metrics stream was seen to be gone, monotonic; `nil` while one is open.
        var metricsLostAtNanoseconds: UInt64? {
            places.contains { $0.has(.metrics) } ? nil : home.metricsLostAtNanoseconds
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

    private let peers: IngestPeers
    private var wallOffset = WallOffset()

    /// `--agent-cleanup-timeout`: what the ring of a worker that does not live says is believed for so long.
    private let cleanupNanoseconds: UInt64

    init(peers: IngestPeers, cleanupNanoseconds: UInt64 = .max) {
        self.peers = peers
        self.cleanupNanoseconds = cleanupNanoseconds
    }

    /// When an agent was last heard of: wall clock, nanoseconds since the epoch; `nil` when never.
    func lastHeartbeatNanoseconds(of listed: Listed) -> Int64? {
        let reader = peers.follower(of: listed.worker)?.reader
        let heard = reader?.heartbeatNanoseconds(at: Int(listed.home.slot.index)) ?? 0
        return heard == 0 ? nil : wallOffset.wallNanoseconds(ofMonotonic: heard)
    }

    /// Reads the agent tables anew.
    func refresh(nowNanoseconds: UInt64) {
        var elsewhere: Set<AgentID> = []
        for peer in peers.all {
            peer.follower.refreshAgents(nowNanoseconds: nowNanoseconds)
            for agent in peer.follower.agents.values where agent.entry.status == .foreign {
                if agent.entry.openStreams & AgentStream.metrics.bit != 0 { elsewhere.insert(agent.entry.id) }
            }
        }
        guard !elsewhere.isEmpty else { return }
        for peer in peers.all {
            for agent in peer.follower.agents.values where elsewhere.contains(agent.entry.id) {
                agent.metricsAreOpenElsewhere()
            }
        }
    }

    /// The identity of an agent in a lane; that of a foreign entry is in the lane of its home.
    func identity(of agent: LaneAgent) -> IdentityRecord? {
        if let identity = agent.identity { return identity }
        for peer in peers.all {
            for known in peer.follower.agents.values where known.entry.id == agent.entry.id {
                if let identity = known.identity, known.entry.isListed { return identity }
            }
        }
        return nil
    }

    /// The pod of the agent in a worker's slot, if the slot is still that of an agent.
    func podName(slot: UInt32, worker: Int) -> String? {
        peers.follower(of: worker)?.agents[slot].flatMap(identity)?.identity.podName
    }

    func listed() -> [AgentID: Listed] {
        var result: [AgentID: Listed] = [:]
        var foreign: [Place] = []
        let wallNow = WallClock.nowNanoseconds()
        let now = MonotonicClock.nowNanoseconds()
        for peer in peers.all {
            for agent in peer.follower.agents.values {
                if isOutlived(agent.entry, at: peer, nowNanoseconds: now) { continue }
                let place = Place(agent: agent, worker: peer.index)
                if agent.entry.status == .foreign { foreign.append(place) }
                // An identity that has not been read yet belongs to a registration that is not answered yet.
                guard agent.entry.isListed, agent.identity != nil else { continue }
                let id = agent.entry.id
                if let known = result[id] {
                    if Self.isBetterHome(agent, than: known.home) {
                        result[id]?.home = agent
                        result[id]?.worker = peer.index
                    }
                } else {
                    result[id] = Listed(home: agent, worker: peer.index, places: [])
                }
                result[id]?.add(place, wallNow: wallNow)
            }
        }
        // An agent whose home is gone belongs to no worker, whatever is still open of it.
        for place in foreign { result[place.agent.entry.id]?.add(place, wallNow: wallNow) }
        addFormer(to: &result, wallNow: wallNow, nowNanoseconds: now)
        return result
    }

    /// An entry of a worker that does not live, which its worker would have removed by now.
    private func isOutlived(_ entry: AgentEntry, at peer: IngestPeer, nowNanoseconds now: UInt64) -> Bool {
        guard let deadSince = peer.deadSinceNanoseconds else { return false }
        let since = entry.status == .unconnected ? min(deadSince, entry.statusSinceNanoseconds) : deadSince
        return now - min(now, since) > cleanupNanoseconds
    }

    /// Agents of a ring that was reset are known until they are back, or as long as if they had been lost.
    private func addFormer(
        to result: inout [AgentID: Listed], wallNow: Int64, nowNanoseconds now: UInt64
    ) {
        for peer in peers.all {
            let former = peer.follower.formerAgents
            guard now - min(now, former.sinceNanoseconds) <= cleanupNanoseconds else { continue }
            for agent in former.agents {
                let id = agent.entry.id
                if result[id] == nil { result[id] = Listed(home: agent, worker: peer.index, places: []) }
                result[id]?.add(Place(agent: agent, worker: peer.index), wallNow: wallNow)
            }
        }
    }

    private static func isBetterHome(_ agent: LaneAgent, than other: LaneAgent) -> Bool {
        if (agent.entry.status == .online) != (other.entry.status == .online) { return agent.entry.status == .online }
        return agent.entry.registeredAtNanoseconds > other.entry.registeredAtNanoseconds
    }
}

extension AgentEntry {
    /// Whether it makes an agent known to the outside.
    var isListed: Bool { status == .online || status == .unconnected }
}
