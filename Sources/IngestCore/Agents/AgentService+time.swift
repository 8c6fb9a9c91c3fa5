// SPDX-License-Identifier: Apache-2.0
import GRPCServer
import Logging
import Platform
import Rings
import Settings

/// Effects of time on agents: heartbeats that are missed, entries that are cleaned up, streams that have lost their agent.
extension AgentService {
    func tick(nowNanoseconds now: UInt64, isReading: Bool) {
        reading.tick(nowNanoseconds: now, isReading: isReading)
        others.refresh()
        closeQuarantined()
        for call in silentCalls.expire(nowNanoseconds: reading.nowNanoseconds) { call.refuseForSilence() }
        for agent in Array(registry.all) { judge(agent, nowNanoseconds: now) }
        counters.set(.remoteStreams, registry.all.reduce(0) { $0 + $1.remoteStreamCount })
        evictBeyondLimit()
        reconnects.sweep(nowNanoseconds: now)
        events.tick(nowNanoseconds: now)
    }

    private func judge(_ agent: Agent, nowNanoseconds now: UInt64) {
        if agent.status == .remote { return judgeRemote(agent, nowNanoseconds: now) }
        lookForConflict(agent, nowNanoseconds: now)
        guard registry.agent(slot: agent.slot.index) === agent else { return }
        if hasSettledElsewhere(agent, nowNanoseconds: now) { return remove(agent, countAs: .leftElsewhere) }
        if agent.takeMessageProgress() { agent.lastMessageNanoseconds = reading.nowNanoseconds }
        endOrphanedStreams(of: agent, nowNanoseconds: now)
        let silence = reading.nowNanoseconds
        let quiet = silence - min(silence, agent.lastMessageNanoseconds)
        if agent.status == .online, quiet > heartbeatTimeoutNanoseconds {
            registry.setStatus(.unconnected, of: agent, nowNanoseconds: now, departure: .heartbeatMissed)
            counters.add(.lostHeartbeatTimeout)
            logger.warning(
                "agent missed its heartbeats",
                metadata: [
                    "pod": "\(agent.identity.podName)", "agent_id": "\(agent.id)", "peer": "\(agent.peer)",
                    "cause": "heartbeat_timeout", "timeout": "\(settings.agentHeartbeatTimeout.goSyntax)",
                ])
        } else if agent.status == .unconnected, quiet > cleanupTimeoutNanoseconds {
            remove(agent, countAs: .leftCleanup)
        }
    }

    /// How long the registration of an agent may be gone while its data streams live here.
    static let orphanedNanoseconds: UInt64 = 3_000_000_000

    /// The agents' client runs one reconnect at a time: one whose new registration was lost while it was still opening the
    /// other streams skips the reconnect, and its heartbeats only fail. The end of a data stream makes it reconnect.
    private func endOrphanedStreams(of agent: Agent, nowNanoseconds now: UInt64) {
        guard agent.registration == nil, agent.status == .unconnected, agent.dataStreamCount > 0 else {
            agent.orphanedSinceNanoseconds = nil
            return
        }
        let since = agent.orphanedSinceNanoseconds ?? now
        agent.orphanedSinceNanoseconds = since
        guard now - min(now, since) >= Self.orphanedNanoseconds else { return }
        agent.orphanedSinceNanoseconds = nil
        counters.add(.orphanedStreamsEnded, UInt64(agent.dataStreamCount))
        endStreams(of: agent, GRPCStatus(.unavailable, "the agent's registration has ended: register again"))
    }

    /// Whether it has gone over to another worker for good. Until then its last sample here is the newest there is of it, and
    /// bridges the time to its first answer there; and what is known here of registrations that did not last is needed.
    private func hasSettledElsewhere(_ agent: Agent, nowNanoseconds now: UInt64) -> Bool {
        guard agent.registration == nil, agent.status == .unconnected, let other = others.listed(agent.id),
            other.registeredAtNanoseconds > agent.registeredAtNanoseconds
        else { return false }
        if let lives = agent.shortLives, now - min(now, lives.lastNanoseconds) <= ReconnectGuard.remembersNanoseconds {
            return false
        }
        let settled = other.registeredAtNanoseconds.addingReportingOverflow(settings.staleGrace.wholeNanoseconds)
        return settled.overflow || WallClock.nowNanoseconds() > settled.partialValue
    }
}
