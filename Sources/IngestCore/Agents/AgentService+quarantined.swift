// SPDX-License-Identifier: Apache-2.0
import Logging
import Platform
import RingMessages

/// Agents whose messages have crashed workers, and that the supervisor has quarantined for a while.
extension AgentService {
    func isQuarantined(_ identityHash: UInt64) -> Bool {
        control.isQuarantined(identityHash: identityHash, nowNanoseconds: MonotonicClock.nowNanoseconds())
    }

    static func quarantinedText(_ identity: AgentIdentity) -> String {
        "\(identity.podName) has crashed workers of the proxy; it is quarantined for a while"
    }

    /// The supervisor has quarantined some identities: their connections are closed, and coming back they are refused.
    func closeQuarantined() {
        let changes = control.heldIdentityChangeCount
        guard changes != heldIdentityChanges else { return }
        heldIdentityChanges = changes
        for agent in Array(registry.all) where agent.isConnected && isQuarantined(agent.identityHash) {
            counters.add(.closedQuarantined)
            logger.warning(
                "agent is quarantined: its messages have crashed workers",
                metadata: ["pod": "\(agent.identity.podName)"])
            closeConnections(of: agent)
        }
    }

    /// Of its registration, and of all its streams here.
    func closeConnections(of agent: Agent) {
        let calls = [agent.metrics?.call].compactMap { $0 } + agent.answerStreams.map(\.call)
        if let registration = agent.registration {
            registration.isEndedByUs = true
            registration.call.connection.close()
            if agent.registration === registration { registrationEnded(registration, nil, departure: .closedByProxy) }
        }
        for call in calls { call.connection.close() }
    }
}
