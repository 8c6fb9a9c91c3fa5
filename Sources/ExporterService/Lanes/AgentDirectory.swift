// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Metrics
import Platform

/// The agents of all lanes, each once: an agent that has moved stands in two lanes for a while.
final class AgentDirectory {
    /// One agent as the outside sees it.
    struct Listed {
        /// Where it is online, or was last.
        var home: LaneAgent
        var worker: Int
        /// Of all lanes the one that has its newest sample.
        var newest: LaneAgent?
    }

    private let followers: [LaneFollower]
    /// From the monotonic clock to the wall's. Taken once, so that a time that does not change is shown as one.
    private let wallOffsetNanoseconds: Int64

    init(followers: [LaneFollower]) {
        self.followers = followers
        wallOffsetNanoseconds = WallClock.nowNanoseconds() &- Int64(clamping: MonotonicClock.nowNanoseconds())
    }

    /// When an agent was last heard of: wall clock, nanoseconds since the epoch; `nil` when never.
    func lastHeartbeatNanoseconds(of listed: Listed) -> Int64? {
        let heard = followers[listed.worker].reader?.heartbeatNanoseconds(at: Int(listed.home.slot.index)) ?? 0
        return heard == 0 ? nil : Int64(clamping: heard) &+ wallOffsetNanoseconds
    }

    func refresh(nowNanoseconds: UInt64) {
        for follower in followers { follower.refreshAgents(nowNanoseconds: nowNanoseconds) }
    }

    func listed() -> [AgentID: Listed] {
        var result: [AgentID: Listed] = [:]
        for follower in followers {
            for agent in follower.agents.values
            where agent.entry.status == .online || agent.entry.status == .unconnected {
                // An identity that has not been read yet belongs to a registration that is not answered yet.
                guard agent.identity != nil else { continue }
                let newest = agent.sample == nil ? nil : agent
                guard var known = result[agent.entry.id] else {
                    result[agent.entry.id] = Listed(home: agent, worker: follower.worker, newest: newest)
                    continue
                }
                if Self.isBetterHome(agent, than: known.home) {
                    known.home = agent
                    known.worker = follower.worker
                }
                if let sample = agent.sample,
                    sample.receivedAtNanoseconds > known.newest?.sample?.receivedAtNanoseconds ?? .min
                {
                    known.newest = agent
                }
                result[agent.entry.id] = known
            }
        }
        return result
    }

    private static func isBetterHome(_ agent: LaneAgent, than other: LaneAgent) -> Bool {
        if (agent.entry.status == .online) != (other.entry.status == .online) { return agent.entry.status == .online }
        return agent.entry.registeredAtNanoseconds > other.entry.registeredAtNanoseconds
    }
}
