// SPDX-License-Identifier: Apache-2.0
import GRPCServer
import Platform
import Rings

extension AgentService {
    /// An agent that has just come is not sent on: it would be the same again in the next moment.
    static let shortestStayNanoseconds: UInt64 = 2_000_000_000

    /// Sends up to `count` agents to the other workers, those first that have been here longest. An agent that owes an
    /// answer or serves a download stays, and so does one whose connection others share, or that has streams at another
    /// worker: theirs would end with it.
    /// - Returns: their connections.
    func move(_ count: Int, nowNanoseconds now: UInt64) -> [GRPCConnection] {
        // Crash records that somebody waits for have no end mark: any agent may still send some.
        guard !answers.isAwaitingRecords else { return [] }
        var agents: [UInt64: Int] = [:]
        for agent in registry.all {
            for connection in agent.connectionIDs { agents[connection, default: 0] += 1 }
        }
        let candidates = registry.all.compactMap { agent -> (agent: Agent, since: UInt64)? in
            guard let registration = agent.registration, let since = registration.answeredAtNanoseconds,
                agent.status == .online, agent.isIdle(nowNanoseconds: now),
                now - min(now, since) > Self.shortestStayNanoseconds,
                agents[registration.call.connection.id] == 1, !others.hasRemoteStreams(agent.id)
            else { return nil }
            return (agent, since)
        }
        let chosen = candidates.sorted { $0.since < $1.since }.prefix(count).map(\.agent)
        let status = GRPCStatus(.unavailable, "moved to another worker of the proxy: reconnect")
        return chosen.compactMap { agent in
            guard let registration = agent.registration else { return nil }
            counters.add(.agentsMoved)
            let connection = registration.call.connection
            connection.drain()
            registration.move(status)
            return connection
        }
    }
}

extension Agent {
    /// Of all its calls here.
    var connectionIDs: Set<UInt64> {
        Set(
            [registration?.call, metrics?.call].compactMap { $0?.connection.id }
                + answerStreams.map(\.call.connection.id))
    }

    /// Nothing is expected of it: all its requests are answered or lost, and no download is under way.
    func isIdle(nowNanoseconds now: UInt64) -> Bool {
        guard registration?.isEndedByUs == false, let metrics else { return false }
        return metrics.requests.isEmpty && !metrics.isInLine && windowJobs.isEmpty
            && answerStreams.allSatisfy {
                !$0.outstanding.isWaiting(nowNanoseconds: now) && !$0.fetches.isServing && $0.messagesBeingParsed == 0
            }
    }
}
