// SPDX-License-Identifier: Apache-2.0
import Exchange
import GRPCServer
import Lanes
import Platform

/// Which claims of other workers this one is at.
struct ClaimsHeard {

    /// There are claims that have not come to their end: their lanes are looked at again.
    var arePending = false
    /// Agents whose connections are being pinged, by slot.
    var pinged: Set<UInt32> = []
}

/// What this worker says to claims of others against its agents: it pings the older connection, and writes into the
/// agent's entry what came of it.
extension AgentService {
    /// Some loads, unless somebody has claimed something.
    func answerClaims() {
        let haveBeenMade = others.haveClaimsBeenMade()
        guard haveBeenMade || claimsHeard.arePending else { return }
        claimsHeard.arePending = false
        let claims = Dictionary(grouping: others.claims, by: \.entry.identityHash)
        for (hash, claims) in claims {
            // One after the other: the next has its turn when this one is no claim any more.
            guard let first = claims.min(by: { $0.mark < $1.mark }) else { continue }
            for agent in registry.agents(hash: hash) where agent.status != .foreign {
                guard let older = agent.registration, agent.status != .claiming else { continue }
                claimsHeard.arePending = true
                answer(first, against: agent, older)
            }
        }
    }

    private func answer(_ claim: Rival, against agent: Agent, _ older: RegistrationCall) {
        let number = claim.entry.claim & ClaimVerdict.numberMask
        if let said = ClaimVerdict(word: agent.claim), said.worker == claim.worker, said.number == number { return }
        if older.isEndedByUs || older.call.isFinished {
            // We have sent it away ourselves, and there it is.
            registrationEnded(older, .finished(.ok))
            return say(ClaimVerdict(worker: claim.worker, number: number, isAlive: false), of: agent)
        }
        guard claimsHeard.pinged.insert(agent.slot.index).inserted else { return }
        older.call.connection.ping(timeout: Self.pingTimeout) { [weak self] isAlive in
            guard let self else { return }
            claimsHeard.pinged.remove(agent.slot.index)
            if !isAlive { foundDead(older, of: agent) }
            // If it has come back meanwhile, that connection is asked in its turn.
            guard agent.registration == nil || agent.registration === older else { return }
            say(ClaimVerdict(worker: claim.worker, number: number, isAlive: agent.registration === older), of: agent)
        }
    }

    private func say(_ verdict: ClaimVerdict, of agent: Agent) {
        guard registry.agent(slot: agent.slot.index) === agent, agent.status != .claiming else { return }
        agent.claim = verdict.word
        registry.publish(agent)
    }
}
