// SPDX-License-Identifier: Apache-2.0
import Exchange
import FODCProtocol
import GRPCServer
import Lanes
import Logging
import Metrics
import Platform
import Settings

/// `banyandb.fodc.v1.FODCService`: takes the agents' calls and keeps the registry.
final class AgentService: GRPCService {
    let settings: ProxySettings
    let secret: InstallationSecret
    let registry: AgentRegistry
    let collector: MetricsCollector
    let answers: AnswerCollector
    let counters: IngestCounters
    let others: OtherWorkers
    let lane: LaneWriter
    let outbox: LaneOutbox
    let logger: Logger
    /// Series keys are hashed with a key of this process, so that nobody can choose names that collide.
    private let seriesHashKey = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
    private var reconnects = ReconnectGuard()
    private(set) var reading: ReadingClock
    private var isDraining = false
    private let heartbeatTimeoutNanoseconds: UInt64
    private let cleanupTimeoutNanoseconds: UInt64

    init(
        settings: ProxySettings, secret: InstallationSecret, lane: LaneWriter, outbox: LaneOutbox,
        registry: AgentRegistry, collector: MetricsCollector, answers: AnswerCollector, counters: IngestCounters,
        others: OtherWorkers, logger: Logger
    ) {
        self.settings = settings
        self.secret = secret
        self.lane = lane
        self.outbox = outbox
        self.registry = registry
        self.collector = collector
        self.answers = answers
        self.counters = counters
        self.others = others
        self.logger = logger
        heartbeatTimeoutNanoseconds = UInt64(clamping: settings.agentHeartbeatTimeout.wholeNanoseconds)
        cleanupTimeoutNanoseconds = UInt64(clamping: settings.agentCleanupTimeout.wholeNanoseconds)
        reading = ReadingClock(nowNanoseconds: MonotonicClock.nowNanoseconds())
    }

    func count(_ counter: IngestCounter) { counters.add(counter) }

    // MARK: Calls

    func open(_ call: GRPCCall) -> (any GRPCCallHandler)? {
        guard let stream = AgentStream.allCases.first(where: { $0.path == call.path }) else { return nil }
        if isDraining {
            call.finish(GRPCStatus(.unavailable, "this worker of the proxy is going away: reconnect"))
            return nil
        }
        if stream == .registration { return RegistrationCall(call: call, service: self) }
        guard let agent = authenticate(call, stream) else { return nil }
        if stream == .metrics {
            let metrics = MetricsStreamCall(call: call, agent: agent, collector: collector)
            collector.opened(metrics)
            return metrics
        }
        let answered = AnswerStreamCall(call: call, stream: stream, agent: agent, collector: answers)
        answers.opened(answered)
        return answered
    }

    private func authenticate(_ call: GRPCCall, _ stream: AgentStream) -> Agent? {
        guard let text = call.metadata("agent_id"), !text.isEmpty else {
            counters.add(.refusedNoAgentID)
            call.finish(
                GRPCStatus(
                    .unauthenticated,
                    "\(stream.method): the metadata agent_id is missing; register first and send the id that the answer gives"
                ))
            return nil
        }
        guard let id = AgentID(text), let agent = registry.agent(id: id) else {
            counters.add(.refusedUnknownAgentID)
            call.finish(
                GRPCStatus(
                    .unauthenticated,
                    "\(stream.method): agent_id \(text.prefix(64).debugDescription) is not registered; register first"))
            return nil
        }
        return agent
    }

    // MARK: Registration

    func register(_ request: Banyandb_Fodc_V1_RegisterAgentRequest, on call: RegistrationCall) {
        guard !request.nodeRole.isEmpty else {
            return call.refuse(.invalidArgument, "node role cannot be empty", countAs: .refusedInvalid)
        }
        guard !request.podName.isEmpty else {
            return call.refuse(.invalidArgument, "pod name cannot be empty", countAs: .refusedInvalid)
        }
        let identity = AgentIdentity(podName: request.podName, containerNames: request.containerNames)
        let hash = identity.hash(secret: secret)
        lane.setWorkingOn(hash, 0)
        defer { lane.setWorkingOn(0, 0) }
        guard reconnects.admits(hash, nowNanoseconds: MonotonicClock.nowNanoseconds()) else {
            logger.warning(
                "agent registers in a loop and is held off", metadata: ["pod": "\(request.podName)"])
            let seconds = ReconnectGuard.holdNanoseconds / 1_000_000_000
            return call.refuse(
                .resourceExhausted,
                "\(request.podName) registered more than \(ReconnectGuard.allowedInWindow) times in 10 s without staying; "
                    + "it is held off for \(seconds) s", countAs: .refusedLoop)
        }
        place(Claim(request: request, identity: identity, hash: hash, call: call), alive: [])
    }

    private struct Claim {
        let request: Banyandb_Fodc_V1_RegisterAgentRequest
        let identity: AgentIdentity
        let hash: UInt64
        let call: RegistrationCall

        var labels: [AgentLabel] {
            request.labels.sorted { $0.key < $1.key }.map { AgentLabel(key: $0.key, value: $0.value) }
        }
    }

    /// Finds the place of a newcomer: that of its own unconnected entry, else, when a connection of the same identity
    /// is open, that one's if it proves dead. `alive` are those that have answered a ping for this claim.
    private func place(_ claim: Claim, alive: Set<UInt32>) {
        guard !claim.call.isClosed else { return }
        let namesakes = registry.agents(of: claim.identity, hash: claim.hash)
        if let gone = namesakes.first(where: { $0.registration == nil }) {
            return comeBack(gone, claim)
        }
        guard let suspect = namesakes.first(where: { !alive.contains($0.slot.index) }),
            let older = suspect.registration
        else { return addNew(claim, isTwin: !namesakes.isEmpty) }
        older.call.connection.ping(timeout: .seconds(1)) { [weak self] isAlive in
            guard let self else { return }
            if !isAlive, suspect.registration === older {
                older.isEndedByUs = true
                older.call.connection.close()
                if suspect.registration === older { registrationEnded(older, nil) }
            }
            place(claim, alive: isAlive ? alive.union([suspect.slot.index]) : alive)
        }
    }

    private func addNew(_ claim: Claim, isTwin: Bool) {
        let ownID = claim.identity.agentID(secret: secret)
        guard makeRoom(for: ownID, isNewEntry: true), let slot = lane.claimSlot() else { return refuseForLimit(claim) }
        var id = ownID
        if isTwin || registry.agent(id: id) != nil {
            id = AgentID.random()
            logger.warning(
                "two agents of one identity are alive: the second gets an id of its own",
                metadata: ["pod": "\(claim.identity.podName)", "agent_id": "\(id)", "peer": "\(claim.call.call.peer)"])
        }
        let now = MonotonicClock.nowNanoseconds()
        let record = IdentityRecord(
            id: id, identity: claim.identity, role: claim.request.nodeRole, labels: claim.labels,
            peer: claim.call.call.peer, registeredAtNanoseconds: WallClock.nowNanoseconds())
        let agent = Agent(
            slot: slot, identity: record, identityHash: claim.hash, series: makeSeries(for: record),
            nowNanoseconds: now, readingNanoseconds: reading.nowNanoseconds)
        registry.insert(agent)
        counters.add(isTwin ? .registeredTwin : .registeredNew)
        admit(agent, claim)
    }

    private func comeBack(_ agent: Agent, _ claim: Claim) {
        if agent.status != .online, !makeRoom(for: agent.id, isNewEntry: false) { return refuseForLimit(claim) }
        endStreams(of: agent, GRPCStatus(.aborted, "the agent has registered again"))
        agent.registeredAtNanoseconds = WallClock.nowNanoseconds()
        agent.connectionEpoch &+= 1
        agent.peer = claim.call.call.peer
        if agent.adopt(role: claim.request.nodeRole, labels: claim.labels) {
            agent.series.setEnrichment(agent.enrichment)
        }
        counters.add(.registeredReturned)
        admit(agent, claim)
    }

    /// Writes the identity, then the slot, and only then answers: whoever hears of the id finds it everywhere.
    private func admit(_ agent: Agent, _ claim: Claim) {
        let call = claim.call
        agent.registration = call
        agent.heardAtNanoseconds = reading.nowNanoseconds
        call.bind(agent)
        outbox.write { [self] () throws(LaneError) in
            guard agent.registration === call else { return }
            try writeIdentity(of: agent)
            let now = MonotonicClock.nowNanoseconds()
            lane.setHeartbeat(now, at: agent.slot)
            agent.openStreams |= AgentStream.registration.bit
            registry.setStatus(.online, of: agent, nowNanoseconds: now)
            registry.publish(agent)
            reconnects.answered(agent.identityHash, nowNanoseconds: now)
            call.accept(heartbeatSeconds: settings.heartbeatInterval.components.seconds)
            logger.debug(
                "agent registered",
                metadata: ["pod": "\(agent.identity.podName)", "agent_id": "\(agent.id)", "peer": "\(agent.peer)"])
        }
    }

    func writeIdentity(of agent: Agent) throws(LaneError) {
        let payload = agent.record.payload
        _ = try lane.append(
            .identity, agent: agent.slot, generation: 0, number: 0, subject: 0, isCurrent: true,
            payload.span.bytes, RawSpan())
    }

    /// - Parameter taken: the number of a table that the agent has in this lane already.
    func makeSeries(for record: IdentityRecord, above taken: UInt32 = 0) -> AgentSeries {
        // Numbers of tables must rise beyond those that a predecessor of this worker gave out: it began with the time
        // as well, and tables change less than once a second on the average.
        let first = max(UInt32(truncatingIfNeeded: WallClock.nowNanoseconds() / 1_000_000_000), taken + 1)
        return AgentSeries(
            limits: SeriesLimits(), hashKey: seriesHashKey,
            enrichment: record.enrichment,
            firstTableNumber: first)
    }

    private func refuseForLimit(_ claim: Claim) {
        logger.warning(
            "agent refused: --max-agents is reached",
            metadata: ["pod": "\(claim.identity.podName)", "max_agents": "\(settings.maxAgents)"])
        claim.call.refuse(
            .resourceExhausted, "maximum number of agents (\(settings.maxAgents)) reached", countAs: .refusedLimit)
    }

    func heartbeat(_ request: Banyandb_Fodc_V1_RegisterAgentRequest, of agent: Agent) {
        let now = MonotonicClock.nowNanoseconds()
        agent.heardAtNanoseconds = reading.nowNanoseconds
        lane.setHeartbeat(now, at: agent.slot)
        registry.setStatus(.online, of: agent, nowNanoseconds: now)
        let labels = request.labels.sorted { $0.key < $1.key }.map { AgentLabel(key: $0.key, value: $0.value) }
        guard agent.adopt(role: request.nodeRole, labels: labels) else { return }
        agent.series.setEnrichment(agent.enrichment)
        outbox.write { [self] () throws(LaneError) in
            guard registry.agent(slot: agent.slot.index) === agent else { return }
            try writeIdentity(of: agent)
        }
    }

    /// - Parameter end: how the call ended; `nil` when this worker found the connection dead.
    func registrationEnded(_ call: RegistrationCall, _ end: GRPCCallEnd?) {
        guard let agent = call.agent, agent.registration === call else { return }
        let now = MonotonicClock.nowNanoseconds()
        agent.registration = nil
        reconnects.ended(agent.identityHash, byAgent: !call.isEndedByUs && !isDraining, nowNanoseconds: now)
        agent.openStreams &= ~AgentStream.registration.bit
        registry.setStatus(.unconnected, of: agent, nowNanoseconds: now)
        registry.publish(agent)
        if call.isMoved { return }
        switch end {
        case .connectionClosed(.keepalive), nil: counters.add(.lostKeepalive)
        case .connectionClosed: counters.add(.lostConnection)
        default: counters.add(.lostStreamEnded)
        }
    }

    // MARK: The limit

    /// Whether this agent may be online; drops the longest unconnected entry when the list is full. An agent that is
    /// listed already, here or by the worker that it comes from, is none more.
    private func makeRoom(for id: AgentID, isNewEntry: Bool) -> Bool {
        let limit = settings.maxAgents
        guard registry.count + others.listedBound + (isNewEntry ? 1 : 0) > limit else { return true }
        others.refresh()
        let foreign = others.listed.lazy.filter { $0.key != id && self.isForeign($0.key) }
        guard registry.onlineCount + foreign.filter({ $0.value.isOnline }).count < limit else { return false }
        while isNewEntry, registry.count + foreign.count + 1 > limit, let oldest = registry.longestUnconnected {
            remove(oldest, countAs: .leftEvicted)
        }
        return true
    }

    private var listedCount: Int { registry.count + others.listed.keys.lazy.filter { self.isForeign($0) }.count }
    private func isForeign(_ id: AgentID) -> Bool { registry.agent(id: id) == nil }

    // MARK: Time

    func tick(nowNanoseconds now: UInt64, isReading: Bool) {
        reading.tick(nowNanoseconds: now, isReading: isReading)
        others.refresh()
        let silence = reading.nowNanoseconds
        for agent in Array(registry.all) {
            let quiet = silence - min(silence, agent.heardAtNanoseconds)
            if agent.status == .online, quiet > heartbeatTimeoutNanoseconds {
                registry.setStatus(.unconnected, of: agent, nowNanoseconds: now)
                counters.add(.lostHeartbeatTimeout)
                logger.warning(
                    "agent missed its heartbeats",
                    metadata: [
                        "pod": "\(agent.identity.podName)", "timeout": "\(settings.agentHeartbeatTimeout.goSyntax)",
                    ])
            } else if agent.status == .unconnected {
                if quiet > cleanupTimeoutNanoseconds {
                    remove(agent, countAs: .leftCleanup)
                } else if hasSettledElsewhere(agent) {
                    remove(agent, countAs: .leftElsewhere)
                }
            }
        }
        evictBeyondLimit()
        reconnects.sweep(nowNanoseconds: now)
    }

    /// Whether another worker has it for good. Until then its last sample here is the newest there is of it, and bridges
    /// the time to its first answer there.
    private func hasSettledElsewhere(_ agent: Agent) -> Bool {
        guard agent.registration == nil, let other = others.listed[agent.id],
            other.registeredAtNanoseconds > agent.registeredAtNanoseconds
        else { return false }
        let settled = other.registeredAtNanoseconds.addingReportingOverflow(settings.staleGrace.wholeNanoseconds)
        return settled.overflow || WallClock.nowNanoseconds() > settled.partialValue
    }

    /// While more are listed than `--max-agents`, the worker that holds the longest unconnected one drops it.
    private func evictBeyondLimit() {
        while listedCount > settings.maxAgents, let mine = registry.longestUnconnected {
            let isOlderElsewhere = others.listed.values.contains {
                !$0.isOnline && $0.unconnectedSinceNanoseconds < mine.statusSinceNanoseconds
            }
            if isOlderElsewhere { return }
            remove(mine, countAs: .leftEvicted)
        }
    }

    private func remove(_ agent: Agent, countAs counter: IngestCounter) {
        counters.add(counter)
        answers.left(agent)
        registry.remove(agent)
        let status = GRPCStatus(.unavailable, "the agent has left the registry: register again")
        endStreams(of: agent, status)
        agent.registration?.end(status)
        agent.registration = nil
    }

    /// All but the registration.
    private func endStreams(of agent: Agent, _ status: GRPCStatus) {
        agent.metrics?.end(status)
        for stream in agent.answerStreams { stream.end(status) }
    }

    // MARK: Life of the worker

    /// Lists the agents of the predecessor as unconnected: their connections died with its process.
    func adoptPredecessorsAgents(_ records: [(slot: SlotRef, entry: AgentEntry, identity: IdentityRecord)]) {
        let now = MonotonicClock.nowNanoseconds()
        for (slot, entry, identity) in records {
            let agent = Agent(
                slot: slot, identity: identity, identityHash: entry.identityHash, series: makeSeries(for: identity),
                nowNanoseconds: entry.status == .unconnected ? entry.statusSinceNanoseconds : now,
                readingNanoseconds: reading.nowNanoseconds)
            agent.registeredAtNanoseconds = entry.registeredAtNanoseconds
            agent.connectionEpoch = entry.connectionEpoch
            agent.status = .unconnected
            // The predecessor's tables stay for its last sample, and go with the first of ours.
            agent.obsoleteTableNumbers = lane.currentRecords(of: slot)
                .filter { $0.type == .series }.map { UInt32(truncatingIfNeeded: $0.subject) }
            if entry.status == .online { counters.add(.lostWorker) }
            registry.insert(agent)
        }
    }

    /// Ends the registration streams, so that the agents go elsewhere; what they still answer is taken.
    func drain() {
        isDraining = true
        let status = GRPCStatus(.unavailable, "this worker of the proxy is going away: reconnect")
        for agent in Array(registry.all) { agent.registration?.end(status) }
        collector.drain()
        answers.drain()
    }
}
