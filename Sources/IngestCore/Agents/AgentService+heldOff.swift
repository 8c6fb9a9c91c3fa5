// SPDX-License-Identifier: Apache-2.0
import Exchange
import Logging
import Platform

/// Agents whose messages have crashed workers, and that the supervisor has quarantined for a while.
extension AgentService {
    func isHeldOff(_ identityHash: UInt64) -> Bool {
        control.isHeldOff(identityHash: identityHash, nowNanoseconds: MonotonicClock.nowNanoseconds())
    }

    static func heldOffText(_ identity: AgentIdentity) -> String {
        "\(identity.podName) has crashed workers of the proxy; it is quarantined for a while"
    }

    /// The supervisor has quarantined some identities: their connections are closed, and coming back they are refused.
    func closeHeldOff() {
        let changes = control.heldIdentityChangeCount
        guard changes != heldIdentityChanges else { return }
        heldIdentityChanges = changes
        for agent in Array(registry.all) where agent.isConnected && isHeldOff(agent.identityHash) {
            counters.add(.closedHeldOff)
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
            if agent.registration === registration { registrationEnded(registration, nil) }
        }
        for call in calls { call.connection.close() }
    }
}
