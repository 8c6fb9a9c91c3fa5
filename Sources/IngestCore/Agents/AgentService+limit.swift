// SPDX-License-Identifier: Apache-2.0
import Logging
import Platform
import RingMessages
import Rings

/// The result of the last look at all tables for `--max-agents`.
struct AgentLimitState {
    /// Distinct agents that are listed over all workers.
    var listed = 0
    /// The part of the workers' counts together that is counted twice or gone: of the listed, and of the
    /// online.
    var listedTooMany = 0
    var onlineTooMany = 0
    /// Agents that are away and have never answered: they make room for anybody.
    var unsettled = 0
    /// Agents here that have never answered, by the address that they have registered from.
    var unansweredBySource: [UInt64: Int] = [:]
    var lookedAtNanoseconds: UInt64 = 0
    /// A newcomer may have been one too many.
    var isEvictionDue = false

    /// A look at all tables costs some 100 ns an agent; with a full table newcomers cost one such look in this time.
    static let lookNanoseconds: UInt64 = 50_000_000
    /// An address with more agents than this that have never answered does not displace agents that have. Agents are asked
    /// with every scrape, so a rolling update of a cluster behind one address stays below it; a storm does not.
    static let newcomersPerSource = 20
}

/// `--max-agents`, over all workers. An agent that is listed anywhere has its place and comes back without a question, so only
/// newcomers are judged: by the counts that all workers keep in their headers, and where these reach the limit by a look at
/// the tables. Agents that register at several workers between two looks may exceed it.
extension AgentService {
    /// Whether one more agent may be listed. A newcomer makes agents leave that are away and have never answered, and others only
    /// if its address has not brought many newcomers that have not answered yet.
    func hasRoom(forNewcomerFrom source: UInt64) -> Bool {
        let limit = settings.maxAgents
        // The sum of all counts is at least as many as there are: mostly the tables need not be looked at.
        guard listedBound >= limit else { return true }
        let now = MonotonicClock.nowNanoseconds()
        if now - min(now, limitState.lookedAtNanoseconds) >= AgentLimitState.lookNanoseconds { lookAtLimit() }
        guard listedBound - limitState.listedTooMany >= limit else { return true }
        guard onlineBound - limitState.onlineTooMany < limit, mayDisplace(source) else { return false }
        limitState.isEvictionDue = true
        return true
    }

    private var listedBound: Int { registry.count + others.listedBound }
    private var onlineBound: Int { registry.activeCount + others.activeBound }

    private func mayDisplace(_ source: UInt64) -> Bool {
        let unansweredHere = limitState.unansweredBySource[source] ?? 0
        limitState.unansweredBySource[source] = unansweredHere + 1
        if limitState.unsettled > 0 {
            limitState.unsettled -= 1
            return true
        }
        return unansweredHere + others.unanswered(of: source) < AgentLimitState.newcomersPerSource
    }

    private func lookAtLimit() {
        others.look()
        var online = 0
        var state = AgentLimitState()
        state.lookedAtNanoseconds = MonotonicClock.nowNanoseconds()
        state.isEvictionDue = limitState.isEvictionDue
        for agent in registry.all where agent.status != .remote {
            state.listed += 1
            // An agent that comes back is unconnected until there is room in the ring.
            let isOnline = agent.status != .unconnected || agent.registration != nil
            if isOnline || others.listed(agent.id)?.isOnline == true { online += 1 }
            guard !agent.hasAnswered else { continue }
            state.unansweredBySource[agent.source, default: 0] += 1
            if isAway(agent) { state.unsettled += 1 }
        }
        others.forEachListed { other in
            guard isOnlyElsewhere(other.id) else { return }
            state.listed += 1
            if other.isOnline { online += 1 }
            if !other.hasSample, isAway(other) { state.unsettled += 1 }
        }
        state.listedTooMany = max(0, listedBound - state.listed)
        state.onlineTooMany = max(0, onlineBound - online)
        limitState = state
    }

    /// A copy of an agent that is online elsewhere makes no room, and its last values are needed yet.
    private func isAway(_ agent: Agent) -> Bool {
        agent.status == .unconnected && agent.registration == nil && others.listed(agent.id)?.isOnline != true
    }

    private func isAway(_ other: RemoteEntry) -> Bool { other.isServing && !other.isOnline }

    private func isOnlyElsewhere(_ id: AgentID) -> Bool { registry.agent(id: id).map { $0.status == .remote } ?? true }

    func refuseForLimit(_ identity: AgentIdentity, _ call: RegistrationCall) {
        logger.warning(
            "agent refused: --max-agents are registered",
            metadata: [
                "pod": "\(identity.podName)", "max_agents": "\(settings.maxAgents)", "peer": "\(call.call.peer)",
            ])
        call.refuse(
            .resourceExhausted, "maximum number of agents (\(settings.maxAgents)) reached", countAs: .refusedLimit)
    }

    /// Whether its connection and the address of that may have one more agent; it is refused if not.
    func isWithinSourceLimits(_ identity: AgentIdentity, _ call: RegistrationCall) -> Bool {
        let limits = sources.limits
        let elsewhere = limits.limit(of: call.origin) > 0 ? others.agents(of: call.origin.source) : 0
        switch sources.verdict(call.origin, elsewhere: elsewhere) {
        case .free: return true
        case .connectionIsFull:
            refuse(
                identity, call, .refusedConnectionLimit,
                "the limit is \(limits.perConnection) agents on one connection (--max-agents-per-connection)")
        case .sourceIsFull:
            refuse(
                identity, call, .refusedSourceLimit,
                "the limit is \(limits.limit(of: call.origin)) agents from one address (--max-agents-per-source)")
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

    /// At the end of a turn in which newcomers have displaced others: one look for all of them, unless the last one has just
    /// been. Then the tick does it; how many are too many until then is bounded by what that look has shown.
    func evictIfDue() {
        guard limitState.isEvictionDue else { return }
        let sinceLook = MonotonicClock.nowNanoseconds().elapsed(since: limitState.lookedAtNanoseconds)
        if sinceLook >= AgentLimitState.lookNanoseconds { evictBeyondLimit() }
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
        limitState.isEvictionDue = false
        guard listedBound > settings.maxAgents else { return }
        lookAtLimit()
        let excess = limitState.listed - settings.maxAgents
        guard excess > 0 else { return }
        var candidates = registry.all.filter(isAway).map { agent in
            Candidate(
                hasAnswered: agent.hasAnswered, unconnectedSinceNanoseconds: agent.statusSinceNanoseconds, own: agent)
        }
        others.forEachListed { other in
            guard isAway(other), isOnlyElsewhere(other.id) else { return }
            candidates.append(
                Candidate(hasAnswered: other.hasSample, unconnectedSinceNanoseconds: other.statusSinceNanoseconds))
        }
        candidates.sort(by: Candidate.goesBefore)
        for candidate in candidates.prefix(excess) {
            if !candidate.hasAnswered { limitState.unsettled -= 1 }
            if let agent = candidate.own { remove(agent, countAs: .leftEvicted) }
        }
    }
}
