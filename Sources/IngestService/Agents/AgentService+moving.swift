// SPDX-License-Identifier: Apache-2.0
import GRPCServer
import Lanes
import Platform

extension AgentService {
    /// Who has just come is not sent on: it would be the same again in the next moment.
    static let shortestStayNanoseconds: Int64 = 2_000_000_000

    /// Sends up to `count` agents to the other workers, those first that have been here longest. An agent that owes an
    /// answer or serves a download stays, and so does one whose connection others share: it would not be closed.
    /// - Returns: their connections.
    func move(_ count: Int, nowNanoseconds now: UInt64) -> [GRPCConnection] {
        // Crash records that somebody waits for have no end mark: any agent may still send some.
        guard answers.quietAt == .max else { return [] }
        var registrations: [UInt64: Int] = [:]
        for agent in registry.all {
            if let call = agent.registration?.call { registrations[call.connection.id, default: 0] += 1 }
        }
        let before = WallClock.nowNanoseconds() - Self.shortestStayNanoseconds
        let candidates = registry.all.filter { agent in
            guard let call = agent.registration?.call, agent.status == .online else { return false }
            return agent.isIdle(nowNanoseconds: now) && agent.registeredAtNanoseconds < before
                && registrations[call.connection.id] == 1
        }
        let chosen = candidates.sorted { $0.registeredAtNanoseconds < $1.registeredAtNanoseconds }.prefix(count)
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
    /// Nothing is expected of it: all its requests are answered or lost, and no download is under way.
    func isIdle(nowNanoseconds now: UInt64) -> Bool {
        guard registration?.isEndedByUs == false, let metrics else { return false }
        return metrics.requests.isEmpty && !metrics.isInLine && windowJobs.isEmpty
            && answerStreams.allSatisfy {
                !$0.ledger.isWaiting(nowNanoseconds: now) && !$0.fetches.isServing && $0.messagesBeingParsed == 0
            }
    }
}
