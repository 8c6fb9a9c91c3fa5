// SPDX-License-Identifier: Apache-2.0
import GRPCServer
import Logging
import Platform
import RingMessages
import Rings

/// Carries out what ``RegistrationConflict`` decides.
extension AgentService {
    /// How long a connection has for the answer to a ping.
    static let pingTimeout = Duration.seconds(1)

    /// Compares its registration with those of the same id at other workers, as the tables were looked at last.
    func lookForConflict(_ agent: Agent, nowNanoseconds now: UInt64) {
        guard agent.status != .pending, let call = agent.registration else { return }
        let others = others.conflicting(with: agent.id).map {
            RegistrationConflict.RemoteRegistration(mark: $0.mark, confirmedAtNanoseconds: $0.confirmedAtNanoseconds)
        }
        perform(call.conflict?.check(against: others, nowNanoseconds: now) ?? [], on: agent, call)
    }

    func perform(_ actions: [RegistrationConflict.Action], on agent: Agent, _ call: RegistrationCall) {
        for action in actions {
            switch action {
            case .ping: ping(agent, call)
            case .publishConfirmation:
                agent.confirmedAtNanoseconds = MonotonicClock.nowNanoseconds()
                registry.publish(agent)
            case .drop(let isRegisteredElsewhere):
                if isRegisteredElsewhere { yieldElsewhere(agent) } else { foundDead(call, of: agent) }
            case .yieldToOlder: yieldToOlder(agent, call)
            case .count(let outcome): counters.add(outcome.counter)
            }
        }
    }

    private func ping(_ agent: Agent, _ call: RegistrationCall) {
        // A registration that this worker has sent away is over, though its connection may still answer.
        if call.isEndedByUs || call.call.isFinished { return registrationEnded(call, .finished(.ok)) }
        call.call.connection.ping(timeout: Self.pingTimeout) { [weak self] isAlive in
            guard let self else { return }
            if agent.registration === call {
                let now = MonotonicClock.nowNanoseconds()
                perform(call.conflict?.pingEnded(isAlive: isAlive, nowNanoseconds: now) ?? [], on: agent, call)
            }
            decideWaiting(agent.identityHash)
        }
    }

    private func foundDead(_ call: RegistrationCall, of agent: Agent) {
        call.isEndedByUs = true
        call.call.connection.close()
        if agent.registration === call { registrationEnded(call, nil, departure: .keepalive) }
    }

    /// Its connection here is one that it has left.
    private func yieldElsewhere(_ agent: Agent) {
        counters.add(.yieldedElsewhere)
        logger.info(
            "agent has registered at another worker: closing its connection here",
            metadata: ["pod": "\(agent.identity.podName)", "agent_id": "\(agent.id)"])
        closeConnections(of: agent)
    }

    /// Another agent of its identity, registered before it at another worker, is alive. The entry here under that agent's id
    /// goes with the registration.
    private func yieldToOlder(_ agent: Agent, _ call: RegistrationCall) {
        logger.warning(
            "duplicate agent: an older connection of its identity is alive at another worker; it gets an ID of its own",
            metadata: ["pod": "\(agent.identity.podName)", "agent_id": "\(agent.id)", "peer": "\(agent.peer)"])
        let status = GRPCStatus(
            .unavailable, "another agent with this identity is alive: register again for an ID of your own")
        // Sent away, it is not lost.
        agent.registration = nil
        call.end(status)
        endStreams(of: agent, status)
        remove(agent, countAs: nil)
    }
}

extension RegistrationConflict.Outcome {
    fileprivate var counter: IngestCounter {
        switch self {
        case .alive: .conflictsAlive
        case .gone: .conflictsGone
        case .unanswered: .conflictsUnanswered
        case .withdrawn: .conflictsWithdrawn
        }
    }
}
