// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Logging
import Platform

/// What the last look at all tables has shown of `--max-agents`.
struct AgentLimitState {
    /// Agents that are away and have never answered: they make room for anybody.
    var unsettled = 0
    /// Agents that have never answered, by the address that they have registered from.
    var unansweredBySource: [UInt64: Int] = [:]
    var lookedAtNanoseconds: UInt64 = 0
    /// Until then newcomers are refused without another look: all places were taken by agents that are online.
    var fullUntilNanoseconds: UInt64 = 0
    /// A newcomer may have been one too many.
    var isEvictionDue = false

    /// A look at all tables costs some 100 ns an agent; with a full table newcomers cost one such look in this time.
    static let lookNanoseconds: UInt64 = 50_000_000
    /// An address with more agents than this that have never answered does not displace agents that have. Agents are asked
    /// with every scrape, so a rolling update of a cluster behind one address stays below it; a storm does not.
    static let newcomersPerSource = 20
}

/// `--max-agents`, over all workers.
extension AgentService {
    /// Whether a claim may be online under this id. It is in the table already: of two that come at the same time
    /// to two workers one at least sees the other, and the earlier wins.
    ///
    /// Agents that are known come before newcomers: a newcomer makes agents leave that are away and have never answered, and
    /// others only if its address has not brought many newcomers that have not answered yet.
    func isWithinLimit(_ id: AgentID, _ claim: OpenClaim, isNewcomer: Bool) -> Bool {
        let limit = settings.maxAgents
        // What all count together is at least as many as there are: mostly the tables need not be read.
        guard registry.countWithClaims + others.listedBound > limit else { return true }
        let now = MonotonicClock.nowNanoseconds()
        if isNewcomer {
            guard now >= limitState.fullUntilNanoseconds else { return false }
            guard mayDisplace(claim, nowNanoseconds: now) else { return false }
        }
        // Of itself each claim is counted twice at most.
        if registry.activeBound + openClaims.count - 2 + others.activeBound < limit { return true }
        let active = activeCount(but: id, before: claim.mark)
        guard active >= limit else { return true }
        if isNewcomer, active - openClaims.count - others.claimingBound >= limit {
            limitState.fullUntilNanoseconds = now + AgentLimitState.lookNanoseconds
        }
        return false
    }

    private func mayDisplace(_ claim: OpenClaim, nowNanoseconds now: UInt64) -> Bool {
        let source = claim.call.origin.source
        if now - min(now, limitState.lookedAtNanoseconds) >= AgentLimitState.lookNanoseconds {
            others.refresh()
            lookAtLimit(nowNanoseconds: now)
        }
        let unanswered = limitState.unansweredBySource[source] ?? 0
        limitState.unansweredBySource[source] = unanswered + 1
        if limitState.unsettled > 0 {
            limitState.unsettled -= 1
            return true
        }
        return unanswered < AgentLimitState.newcomersPerSource
    }

    /// What the tables say, as they were looked at last.
    private func lookAtLimit(nowNanoseconds now: UInt64) {
        limitState.lookedAtNanoseconds = now
        limitState.unansweredBySource = others.unansweredBySource
        limitState.unsettled = 0
        for agent in registry.all where !agent.hasAnswered && agent.status != .foreign {
            limitState.unansweredBySource[agent.source, default: 0] += 1
            if isAway(agent) { limitState.unsettled += 1 }
        }
        for (id, other) in others.listed where !other.hasSample && isAway(other) && isOnlyElsewhere(id) {
            limitState.unsettled += 1
        }
    }

    /// A copy of an agent that is online elsewhere makes no room, and its last values are needed yet.
    private func isAway(_ agent: Agent) -> Bool {
        agent.status == .unconnected && agent.registration == nil && others.listed[agent.id]?.isOnline != true
    }

    private func isAway(_ other: OtherWorkers.Listed) -> Bool { other.isServing && !other.isOnline }

    /// Those that are online or claimed before this claim, without the agent that it is for.
    private func activeCount(but id: AgentID, before mark: ClaimMark) -> Int {
        var active = others.activeIDs(before: mark)
        // An agent that comes back is unconnected until there is room in the ring.
        for agent in registry.all
        where agent.status == .online || agent.status == .claiming || agent.registration != nil {
            active.insert(agent.id)
        }
        for claim in openClaims.all where !claim.isSettled && claim.mark < mark { active.insert(claim.id) }
        active.remove(id)
        return active.count
    }

    func refuseForLimit(_ identity: AgentIdentity, _ call: RegistrationCall) {
        logger.warning(
            "agent refused: --max-agents is reached",
            metadata: [
                "pod": "\(identity.podName)", "max_agents": "\(settings.maxAgents)", "peer": "\(call.call.peer)",
            ])
        call.refuse(
            .resourceExhausted, "maximum number of agents (\(settings.maxAgents)) reached", countAs: .refusedLimit)
    }

    /// Whether its connection and the address of that may have one more agent; it is refused if not.
    func isWithinSourceLimits(_ identity: AgentIdentity, _ call: RegistrationCall) -> Bool {
        let limits = sources.limits
        let elsewhere = limits.limit(of: call.origin) > 0 ? others.agentsBySource[call.origin.source] ?? 0 : 0
        switch sources.verdict(call.origin, elsewhere: elsewhere) {
        case .free: return true
        case .connectionIsFull:
            refuse(
                identity, call, .refusedConnectionLimit,
                "a connection may have \(limits.perConnection) agents (--max-agents-per-connection)")
        case .sourceIsFull:
            refuse(
                identity, call, .refusedSourceLimit,
                "an address may have \(limits.limit(of: call.origin)) agents (--max-agents-per-source)")
        }
        return false
    }

    private func refuse(
        _ identity: AgentIdentity, _ call: RegistrationCall, _ counter: IngestCounter, _ reason: String
    ) {
        logger.warning(
            "agent refused: \(reason)", metadata: ["pod": "\(identity.podName)", "peer": "\(call.call.peer)"])
        call.refuse(.resourceExhausted, reason, countAs: counter)
    }

    // MARK: Eviction

    private var listedCount: Int {
        registry.count + others.listed.keys.lazy.filter { self.isOnlyElsewhere($0) }.count
    }

    private func isOnlyElsewhere(_ id: AgentID) -> Bool { registry.agent(id: id).map { $0.status == .foreign } ?? true }

    private var mayBeBeyondLimit: Bool { registry.countWithClaims + others.listedBound > settings.maxAgents }

    /// At the end of a turn in which agents have registered: one look for all of them, unless the last one has just been.
    /// Then the tick does it; how many are too many until then is bounded by what that look has shown.
    func evictIfDue() {
        guard limitState.isEvictionDue else { return }
        limitState.isEvictionDue = false
        let sinceLook = MonotonicClock.nowNanoseconds().elapsed(since: limitState.lookedAtNanoseconds)
        guard sinceLook >= AgentLimitState.lookNanoseconds else { return }
        guard mayBeBeyondLimit else { return }
        others.refresh()
        evictBeyondLimit()
    }

    /// An agent that may make room, here or at another worker.
    private struct Candidate {
        var hasAnswered: Bool
        var unconnectedSinceNanoseconds: UInt64
        /// `nil`: another worker has it, and drops it.
        var own: Agent?

        static func goesBefore(_ one: Candidate, _ other: Candidate) -> Bool {
            one.hasAnswered != other.hasAnswered
                ? other.hasAnswered : one.unconnectedSinceNanoseconds < other.unconnectedSinceNanoseconds
        }
    }

    /// While more are listed than `--max-agents`, those that are away leave: first those that have never answered, of
    /// both kinds those first that have been away longest. Each worker drops its own.
    func evictBeyondLimit() {
        let excess = listedCount - settings.maxAgents
        guard excess > 0 else { return }
        lookAtLimit(nowNanoseconds: MonotonicClock.nowNanoseconds())
        var candidates = registry.all.filter(isAway).map { agent in
            Candidate(
                hasAnswered: agent.hasAnswered, unconnectedSinceNanoseconds: agent.statusSinceNanoseconds, own: agent)
        }
        for (id, other) in others.listed where isAway(other) && isOnlyElsewhere(id) {
            candidates.append(
                Candidate(
                    hasAnswered: other.hasSample, unconnectedSinceNanoseconds: other.unconnectedSinceNanoseconds))
        }
        candidates.sort(by: Candidate.goesBefore)
        for candidate in candidates.prefix(excess) {
            if !candidate.hasAnswered { limitState.unsettled -= 1 }
            if let agent = candidate.own { remove(agent, countAs: .leftEvicted) }
        }
    }
}
