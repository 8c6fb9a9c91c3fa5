// SPDX-License-Identifier: Apache-2.0
import Metrics
import RingMessages
import Rings

/// An agent that can be asked for its metrics, in the ring of the worker that has its stream.
struct ConnectedAgent {
    let agent: RingAgent
    let worker: Int
    let podName: String
    let role: String
}

/// The agents with an open metrics stream, by pod. The list is kept until rings are read again: in a burst of requests it
/// is made once.
final class ConnectedAgents {
    private let directory: AgentDirectory
    private let ingestEndpoints: IngestEndpoints
    private var byPod: [String: [ConnectedAgent]]?

    init(directory: AgentDirectory, ingestEndpoints: IngestEndpoints) {
        self.directory = directory
        self.ingestEndpoints = ingestEndpoints
    }

    /// Rings have been read: agents may have come.
    func invalidate() { byPod = nil }

    /// Those that a filter lets through.
    func matching(_ filter: SeriesFilter, nowNanoseconds: UInt64) -> [ConnectedAgent] {
        let pods = byPod ?? list(nowNanoseconds: nowNanoseconds)
        byPod = pods
        let candidates = filter.podName.map { pods[$0] ?? [] } ?? pods.values.flatMap { $0 }
        return candidates.filter { filter.accepts(role: $0.role, podName: $0.podName) }
    }

    /// Whether its stream is open, as its worker's table says now.
    func isConnected(_ connected: ConnectedAgent) -> Bool {
        let slot = connected.agent.slot
        guard let follower = ingestEndpoints.follower(of: connected.worker),
            follower.agents[slot.index] === connected.agent,
            let (found, entry) = follower.reader?.entry(at: Int(slot.index)), found == slot
        else { return false }
        return entry.openStreams & AgentStream.metrics.bit != 0
    }

    private func list(nowNanoseconds: UInt64) -> [String: [ConnectedAgent]] {
        directory.refresh(nowNanoseconds: nowNanoseconds)
        var pods: [String: [ConnectedAgent]] = [:]
        for listed in directory.listed().values {
            guard let identity = listed.owner.identity, let place = listed.place(having: .metrics) else { continue }
            let podName = identity.identity.podName
            pods[podName, default: []].append(
                ConnectedAgent(agent: place.agent, worker: place.worker, podName: podName, role: identity.role))
        }
        return pods
    }
}
