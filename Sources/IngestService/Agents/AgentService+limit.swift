// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Logging

/// `--max-agents`, over all workers.
extension AgentService {
    /// Whether a newcomer may be online under this id. Its claim is in the table already: of two that come at the same time
    /// to two workers one at least sees the other, and the earlier wins.
    func isWithinLimit(_ id: AgentID, _ mark: ClaimMark) -> Bool {
        let limit = settings.maxAgents
        // What all count together is at least as many as there are: mostly the tables need not be read.
        guard registry.countWithClaims + others.listedBound > limit else { return true }
        var active = others.activeIDs(before: mark)
        // Who comes back is unconnected until there is room in the ring.
        for agent in registry.all
        where agent.status == .online || agent.status == .claiming || agent.registration != nil {
            active.insert(agent.id)
        }
        for claim in openClaims.all where !claim.isSettled && claim.mark < mark { active.insert(claim.id) }
        active.remove(id)
        return active.count < limit
    }

    func refuseForLimit(_ identity: AgentIdentity, _ call: RegistrationCall) {
        logger.warning(
            "agent refused: --max-agents is reached",
            metadata: ["pod": "\(identity.podName)", "max_agents": "\(settings.maxAgents)"])
        call.refuse(
            .resourceExhausted, "maximum number of agents (\(settings.maxAgents)) reached", countAs: .refusedLimit)
    }

    private var listedCount: Int {
        registry.count + others.listed.keys.lazy.filter { self.isOnlyElsewhere($0) }.count
    }

    private func isOnlyElsewhere(_ id: AgentID) -> Bool { registry.agent(id: id).map { $0.status == .foreign } ?? true }

    /// A newcomer may have been one too many.
    func evictIfBeyondLimit() {
        guard registry.countWithClaims + others.listedBound > settings.maxAgents else { return }
        others.refresh()
        evictBeyondLimit()
    }

    /// While more are listed than `--max-agents`, the worker that holds the longest unconnected one drops it.
    func evictBeyondLimit() {
        while listedCount > settings.maxAgents,
            // A copy of who is online elsewhere would make no room, and its last values are needed yet.
            let mine = registry.longestUnconnected({ others.listed[$0.id]?.isOnline != true })
        {
            // Whoever has it must be there to drop it.
            let isOlderElsewhere = others.listed.contains { id, other in
                other.isServing && !other.isOnline && isOnlyElsewhere(id)
                    && other.unconnectedSinceNanoseconds < mine.statusSinceNanoseconds
            }
            if isOlderElsewhere { return }
            remove(mine, countAs: .leftEvicted)
        }
    }
}
