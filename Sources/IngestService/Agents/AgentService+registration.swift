// SPDX-License-Identifier: Apache-2.0
import Exchange
import FODCProtocol
import GRPCServer
import Lanes
import Logging
import Metrics
import Platform

/// Registration: a newcomer writes into the lane that it is there, looks who else is of its identity, here and elsewhere,
/// waits until it is known which of them are alive, and only then is online and answered.
extension AgentService {
    func isLooping(
        _ identity: AgentIdentity, _ hash: UInt64, _ namesakes: [Rival], _ call: RegistrationCall
    ) -> Bool {
        var lives = reconnects.shortLives(of: hash).map { [$0] } ?? []
        // A worker says the same in all its entries of an identity.
        var byWorker: [Int: ShortLives] = [:]
        for namesake in namesakes where namesake.entry.shortLives > 0 {
            let said = ShortLives(
                count: Int(namesake.entry.shortLives), lastNanoseconds: namesake.entry.lastShortLifeNanoseconds)
            if said.lastNanoseconds >= byWorker[namesake.worker]?.lastNanoseconds ?? 0 {
                byWorker[namesake.worker] = said
            }
        }
        lives += byWorker.values
        let now = MonotonicClock.nowNanoseconds()
        guard let until = ReconnectGuard.heldOffUntil(lives, nowNanoseconds: now) else { return false }
        logger.warning("agent registers in a loop and is held off", metadata: ["pod": "\(identity.podName)"])
        for agent in registry.agents(of: identity, hash: hash) {
            agent.heldOffUntilNanoseconds = until
            registry.publish(agent)
        }
        let seconds = ReconnectGuard.holdNanoseconds / 1_000_000_000
        call.refuse(
            .resourceExhausted,
            "\(identity.podName) registered more than \(ReconnectGuard.allowedInWindow) times in 10 s without staying; "
                + "it is held off for \(seconds) s", countAs: .refusedLoop)
        return true
    }

    // MARK: The claim

    func begin(
        _ request: Banyandb_Fodc_V1_RegisterAgentRequest, _ identity: AgentIdentity, _ hash: UInt64,
        _ call: RegistrationCall
    ) {
        let ofIdentity = openClaims.line(of: hash).count { !$0.isSettled }
        switch ClaimRoom(ofIdentity: ofIdentity, all: openClaims.count, maxAgents: settings.maxAgents) {
        case .free: break
        case .identityIsFull: return refuseForClaims(identity, call)
        case .full: return refuseForLimit(identity, call)
        }
        guard let slot = lane.claimSlot() else { return refuseForLimit(identity, call) }
        counters.add(.claimNumbers)
        let number = ClaimVerdict.number(
            generation: generation, count: lane.counter(IngestCounter.claimNumbers.rawValue))
        let id = identity.agentID(secret: secret)
        var entry = AgentEntry(
            id: id, identityHash: hash, status: .claiming,
            statusSinceNanoseconds: MonotonicClock.nowNanoseconds(), claim: number)
        // It is there before it takes its time: who looked before that and did not see it has an earlier time.
        lane.setEntry(entry, at: slot)
        registry.hasClaimSlot(true)
        LaneFence.sequential()
        entry.registeredAtNanoseconds = WallClock.nowNanoseconds()
        lane.setEntry(entry, at: slot)
        let mark = ClaimMark(registeredAtNanoseconds: entry.registeredAtNanoseconds, worker: index)
        let claim = OpenClaim(
            request: request, identity: identity, id: id, hash: hash, call: call, slot: slot,
            judgement: ClaimCase(mark: mark, number: number))
        openClaims.insert(claim, of: hash, mark: mark)
        lane.setSource(call.origin.source, at: slot)
        call.begin(claim)
        call.isCounted = true
        sources.opened(call.origin)
        advance(claim)
        guard !openClaims.isEmpty, !isLookingAtClaims else { return }
        isLookingAtClaims = true
        onClaimsOpen()
    }

    private func refuseForClaims(_ identity: AgentIdentity, _ call: RegistrationCall) {
        logger.warning(
            "agent refused: too many registrations of its identity are under way",
            metadata: ["pod": "\(identity.podName)"])
        call.refuse(
            .resourceExhausted,
            "\(ClaimRoom.perIdentity) registrations of \(identity.podName) are under way: register again later",
            countAs: .refusedLoop)
    }

    /// Identities at a look. For each the tables of the other workers are searched, some 50 µs: all agents of a large
    /// installation, coming back at once, have their turn within some looks.
    private static let claimsAtALook = 100
    /// Settling near `--max-agents` costs more. The rest has its turn at the next look.
    private static let lookNanoseconds: UInt64 = 10_000_000

    /// Looks again what has become of the claims.
    /// - Returns: whether there are some still.
    func lookAtClaims() -> Bool {
        let end = MonotonicClock.nowNanoseconds() + Self.lookNanoseconds
        openClaims.beginRound()
        for _ in 0..<Self.claimsAtALook {
            guard let claim = openClaims.next() else { break }
            advance(claim)
            if MonotonicClock.nowNanoseconds() >= end { break }
        }
        isLookingAtClaims = !openClaims.isEmpty
        return isLookingAtClaims
    }

    private func advance(_ claim: OpenClaim) {
        guard !claim.isSettled, openClaims.isFirst(claim, of: claim.hash) else { return }
        guard !claim.call.isClosed else { return withdraw(claim) }
        var isWaiting = false
        for suspect in registry.agents(of: claim.identity, hash: claim.hash) where suspect.registration != nil {
            isWaiting = isInTheWay(suspect, of: claim) || isWaiting
        }
        // A ping of a connection that is closed already has been answered at once, and the claim settled with it.
        guard !claim.isSettled, openClaims.isFirst(claim, of: claim.hash) else { return }
        let namesakes = others.namesakes(claim.hash)
        let ruling = claim.judgement.rule(
            on: others.rivals(among: namesakes), nowNanoseconds: MonotonicClock.nowNanoseconds())
        switch ruling {
        case .wait:
            isWaiting = true
            // Also when the next in the way, an earlier claim that has come online, is at a worker that has looked before.
            if claim.judgement.waitedForCount > claim.announcedCount {
                claim.announcedCount = claim.judgement.waitedForCount
                counters.add(.claimsMade)
            }
        case .alone: if !isWaiting { settle(claim, namesakes, twins: []) }
        case .twin(let twins): if !isWaiting { settle(claim, namesakes, twins: twins) }
        }
    }

    /// Whether a connection of the same identity here still has to be heard. It is asked for a sign of life.
    private func isInTheWay(_ suspect: Agent, of claim: OpenClaim) -> Bool {
        guard let older = suspect.registration, !claim.alive.contains(suspect.slot.index) else { return false }
        if older.isEndedByUs || older.call.isFinished {
            // We have sent it away ourselves, and here it is again.
            registrationEnded(older, .finished(.ok))
            return false
        }
        guard claim.pinged.insert(suspect.slot.index).inserted else { return true }
        older.call.connection.ping(timeout: Self.pingTimeout) { [weak self] isAlive in
            guard let self else { return }
            claim.pinged.remove(suspect.slot.index)
            if isAlive, suspect.registration === older { claim.alive.insert(suspect.slot.index) }
            if !isAlive { foundDead(older, of: suspect) }
            advance(claim)
        }
        return suspect.registration === older && !claim.alive.contains(suspect.slot.index)
    }

    /// How long a connection has for the answer to a ping.
    static let pingTimeout = Duration.seconds(1)

    func foundDead(_ registration: RegistrationCall, of agent: Agent) {
        guard agent.registration === registration else { return }
        registration.isEndedByUs = true
        registration.call.connection.close()
        if agent.registration === registration { registrationEnded(registration, nil) }
    }

    func withdraw(_ claim: OpenClaim) {
        // Refusing it may have ended its call, and with that the claim, already.
        guard openClaims.remove(claim, of: claim.hash) else { return }
        if claim.isAnnounced { counters.add(.claimsWithdrawn) }
        releaseSlot(of: claim)
    }

    private func releaseSlot(of claim: OpenClaim) {
        lane.releaseSlot(claim.slot)
        registry.hasClaimSlot(false)
    }

    // MARK: The outcome

    /// It is known who else of this identity is alive: the newcomer takes a place that none of them has.
    private func settle(_ claim: OpenClaim, _ namesakes: [Rival], twins: [AgentID]) {
        let mine = registry.agents(of: claim.identity, hash: claim.hash)
        let taken = Set(twins).union(mine.filter { $0.registration != nil }.map(\.id))
        // First its own; then one that a twin has left, here or elsewhere, so that it is not listed once more.
        let left = mine.map(\.id) + namesakes.filter(others.isLeft).map(\.entry.id)
        let id = ([claim.id] + left).first { !taken.contains($0) && registry.agent(id: $0)?.registration == nil }
        let isTwin = !taken.isEmpty
        if claim.isAnnounced {
            counters.add(
                claim.judgement.hasLostPatience ? .claimsUnanswered : twins.isEmpty ? .claimsGone : .claimsAlive)
        }
        let place = id ?? AgentID.random()
        let isKnownElsewhere = namesakes.contains { $0.entry.id == place && others.isLeft($0) }
        let isNewcomer = registry.agent(id: place) == nil && !isKnownElsewhere
        guard isWithinLimit(place, claim, isNewcomer: isNewcomer) else {
            refuseForLimit(claim.identity, claim.call)
            return withdraw(claim)
        }
        claim.isSettled = true
        if let agent = registry.agent(id: place) {
            comeBack(agent, claim)
        } else {
            addNew(claim, place, isTwin: isTwin, isReturning: isKnownElsewhere)
        }
        limitState.isEvictionDue = true
        guard !isRegistrationTurnDue else { return }
        isRegistrationTurnDue = true
        onRegistrationTurn()
    }

    private func addNew(_ claim: OpenClaim, _ id: AgentID, isTwin: Bool, isReturning: Bool) {
        if isTwin {
            logger.warning(
                "two agents of one identity are alive: the second gets an id of its own",
                metadata: ["pod": "\(claim.identity.podName)", "agent_id": "\(id)", "peer": "\(claim.call.call.peer)"])
        }
        let record = IdentityRecord(
            id: id, identity: claim.identity, role: claim.request.nodeRole, labels: claim.labels,
            peer: claim.call.call.peer, registeredAtNanoseconds: claim.mark.registeredAtNanoseconds)
        let agent = Agent(
            slot: claim.slot, identity: record, identityHash: claim.hash, series: makeSeries(for: record),
            nowNanoseconds: MonotonicClock.nowNanoseconds(), readingNanoseconds: reading.nowNanoseconds)
        agent.status = .claiming
        agent.claim = claim.judgement.number
        noteLabels(record.enrichment, of: agent)
        agent.shortLives = reconnects.shortLives(of: claim.hash)
        // In this order, so that the others never count one too few.
        registry.insert(agent)
        registry.hasClaimSlot(false)
        counters.add(isTwin ? .registeredTwin : isReturning ? .registeredReturned : .registeredNew)
        claim.outcome = isTwin ? "twin" : isReturning ? "returned" : "new"
        admit(agent, claim)
    }

    private func comeBack(_ agent: Agent, _ claim: OpenClaim) {
        endStreams(of: agent, GRPCStatus(.aborted, "the agent has registered again"))
        agent.registeredAtNanoseconds = claim.mark.registeredAtNanoseconds
        agent.connectionEpoch &+= 1
        agent.peer = claim.call.call.peer
        agent.home = nil
        if agent.adopt(role: claim.request.nodeRole, labels: claim.labels) { enrich(agent) }
        counters.add(.registeredReturned)
        claim.outcome = "returned"
        admit(agent, claim)
    }

    /// Writes the identity, then the slot, and only then answers: whoever hears of the id finds it everywhere.
    private func admit(_ agent: Agent, _ claim: OpenClaim) {
        let call = claim.call
        agent.registration = call
        agent.source = call.origin.source
        lane.setSource(agent.source, at: agent.slot)
        agent.heardAtNanoseconds = reading.nowNanoseconds
        call.bind(agent)
        outbox.write { [self] () throws(LaneError) in
            guard agent.registration === call else { return closeClaim(claim, of: agent) }
            do throws(LaneError) {
                try writeIdentity(of: agent)
            } catch {
                if error != .full { refuseForRoom(agent, claim) }
                throw error
            }
            let now = MonotonicClock.nowNanoseconds()
            lane.setHeartbeat(now, at: agent.slot)
            agent.openStreams |= AgentStream.registration.bit
            agent.claim = 0
            agent.isShortLived = false
            agent.shortLives = reconnects.shortLives(of: agent.identityHash)
            registry.setStatus(.online, of: agent, nowNanoseconds: now)
            registry.publish(agent)
            closeClaim(claim, of: agent)
            call.accept(heartbeatSeconds: settings.heartbeatInterval.components.seconds)
            events.note(.registered, agent, cause: claim.outcome, nowNanoseconds: now)
        }
    }

    /// The lane does not take its identity, so nobody would know of it: it is as before, and has to come again.
    private func refuseForRoom(_ agent: Agent, _ claim: OpenClaim) {
        closeClaim(claim, of: agent)
        agent.registration = nil
        logger.warning("agent refused: the lane has no room for it", metadata: ["pod": "\(agent.identity.podName)"])
        claim.call.refuse(
            .resourceExhausted, "the proxy has no room for another agent: register again later",
            countAs: .refusedNoRoom)
        if agent.status == .claiming { remove(agent, countAs: nil) }
    }

    /// The agent is in the table, or went away before: nothing waits for this claim any more.
    private func closeClaim(_ claim: OpenClaim, of agent: Agent) {
        _ = openClaims.remove(claim, of: claim.hash)
        if agent.slot != claim.slot { releaseSlot(of: claim) }
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
        let first = max(
            UInt32(truncatingIfNeeded: WallClock.nowNanoseconds() / 1_000_000_000), taken < .max ? taken + 1 : taken)
        return AgentSeries(
            limits: SeriesLimits(), hashKey: seriesHashKey,
            enrichment: record.enrichment,
            firstTableNumber: first)
    }

    /// It has registered with other labels, or another role, than before.
    private func enrich(_ agent: Agent) {
        let enrichment = agent.enrichment
        agent.series.setEnrichment(enrichment)
        noteLabels(enrichment, of: agent)
    }

    private func noteLabels(_ enrichment: Enrichment, of agent: Agent) {
        guard enrichment.refusedLabelCount > 0 else { return }
        counters.add(.labelsLeftOut, UInt64(enrichment.refusedLabelCount))
        logger.info(
            "labels of the agent's registration are not put on its series: too many, too long, or of a bad name",
            metadata: ["pod": "\(agent.identity.podName)", "labels": "\(enrichment.refusedLabelCount)"])
    }

    func heartbeat(_ request: Banyandb_Fodc_V1_RegisterAgentRequest, of agent: Agent) {
        let now = MonotonicClock.nowNanoseconds()
        agent.heardAtNanoseconds = reading.nowNanoseconds
        lane.setHeartbeat(now, at: agent.slot)
        registry.setStatus(.online, of: agent, nowNanoseconds: now)
        let labels = request.labels.sorted { $0.key < $1.key }.map { AgentLabel(key: $0.key, value: $0.value) }
        guard agent.adopt(role: request.nodeRole, labels: labels) else { return }
        enrich(agent)
        outbox.write { [self] () throws(LaneError) in
            guard registry.agent(slot: agent.slot.index) === agent else { return }
            try writeIdentity(of: agent)
        }
    }

    /// - Parameter end: how the call ended; `nil` when this worker found the connection dead.
    func registrationEnded(_ call: RegistrationCall, _ end: GRPCCallEnd?) {
        if let claim = call.claim, !claim.isSettled { return withdraw(claim) }
        guard let agent = call.agent, agent.registration === call else { return }
        let now = MonotonicClock.nowNanoseconds()
        agent.registration = nil
        // Gone before it was answered, or before there was room in the ring to say that it is there.
        if agent.status == .claiming { return remove(agent, countAs: nil) }
        agent.isShortLived = reconnects.ended(
            agent.identityHash, answeredAtNanoseconds: call.answeredAtNanoseconds,
            byAgent: !call.isEndedByUs && !isDraining, nowNanoseconds: now)
        agent.shortLives = reconnects.shortLives(of: agent.identityHash)
        agent.openStreams &= ~AgentStream.registration.bit
        registry.setStatus(.unconnected, of: agent, nowNanoseconds: now)
        registry.publish(agent)
        if call.isMoved { return }
        let cause: String
        switch end {
        case .connectionClosed(.keepalive), nil:
            counters.add(.lostKeepalive)
            cause = "keepalive"
        case .connectionClosed:
            counters.add(.lostConnection)
            cause = "connection_lost"
        default:
            counters.add(.lostStreamEnded)
            cause = "stream_ended"
        }
        // What this worker sends away when it ends, it says with one line.
        if !isDraining { events.note(.lost, agent, cause: cause, nowNanoseconds: now) }
    }
}
