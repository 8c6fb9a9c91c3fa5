// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import GRPCServer
import Logging
import Platform
import RingMessages
import Rings

/// Registration: a newcomer is published in this worker's table and answered, without asking any other worker. Only an older
/// connection of its identity at this worker is asked first whether it lives, since both would have one entry.
/// The rule for one id at two workers is in ``RegistrationConflict``.
extension AgentService {
    func isLooping(_ identity: AgentIdentity, _ hash: UInt64, _ call: RegistrationCall) -> Bool {
        var lives = reconnects.shortLives(of: hash).map { [$0] } ?? []
        // A worker says the same in all its entries of an identity.
        var byWorker: [Int: ShortLives] = [:]
        for entry in others.entries(identityHash: hash) {
            guard let said = entry.shortLives, said.lastNanoseconds >= byWorker[entry.worker]?.lastNanoseconds ?? 0
            else { continue }
            byWorker[entry.worker] = said
        }
        lives += byWorker.values
        let now = MonotonicClock.nowNanoseconds()
        guard let until = ReconnectGuard.quarantinedUntil(lives, nowNanoseconds: now) else { return false }
        logger.warning("agent registers in a loop: refusing it for a while", metadata: ["pod": "\(identity.podName)"])
        for agent in registry.agents(of: identity, hash: hash) {
            agent.quarantinedUntilNanoseconds = until
            registry.publish(agent)
        }
        let seconds = ReconnectGuard.quarantineNanoseconds / 1_000_000_000
        call.refuse(
            .resourceExhausted,
            "\(identity.podName) registered more than \(ReconnectGuard.allowedInWindow) times in 10 s without staying; "
                + "it is refused for \(seconds) s", countAs: .refusedLoop)
        return true
    }

    // MARK: An older connection at this worker

    /// Registers it, or lets it wait until the older connections of its identity here have been asked.
    func decide(_ pending: PendingRegistration) {
        guard !pending.call.isClosed, !pending.call.call.isFinished else { return }
        var isWaiting = false
        for agent in registry.agents(of: pending.identity, hash: pending.hash) where agent.registration != nil {
            isWaiting = isSilent(agent, since: pending.arrivedAtNanoseconds) || isWaiting
        }
        guard isWaiting else { return place(pending) }
        if !waitingRegistrations.append(pending) { refuseForCrowd(pending) }
    }

    /// Whether its connection still has to be heard. It is asked for a sign of life.
    private func isSilent(_ agent: Agent, since arrival: UInt64) -> Bool {
        guard let older = agent.registration, older.conflict.map({ $0.aliveAtNanoseconds < arrival }) ?? false else {
            return false
        }
        perform(older.conflict?.challenge() ?? [], on: agent, older)
        // A connection that is closed already has been answered for at once.
        return agent.registration === older && older.conflict.map { $0.aliveAtNanoseconds < arrival } ?? false
    }

    /// An older connection of this identity has been heard, or is gone.
    func decideWaiting(_ identityHash: UInt64) {
        for pending in waitingRegistrations.take(identityHash) {
            marker.working(on: identityHash) { decide(pending) }
        }
    }

    private func refuseForCrowd(_ pending: PendingRegistration) {
        logger.warning(
            "agent refused: too many registrations of its identity are in progress",
            metadata: ["pod": "\(pending.identity.podName)"])
        pending.call.refuse(
            .resourceExhausted,
            "\(WaitingRegistrations.limitPerIdentity) registrations of \(pending.identity.podName) are in progress: "
                + "register again later", countAs: .refusedLoop)
    }

    // MARK: Its place

    private func place(_ pending: PendingRegistration) {
        others.look(notOlderThan: OtherWorkers.registrationLookNanoseconds)
        let here = registry.agents(of: pending.identity, hash: pending.hash)
        let elsewhere = others.entries(identityHash: pending.hash)
        let placement = AgentPlacement(
            own: pending.identity.agentID(secret: secret),
            local: here.map { AgentPlacement.Local(id: $0.id, isConnected: $0.registration != nil) },
            remote: elsewhere, nowNanoseconds: MonotonicClock.nowNanoseconds())
        let id = placement.id ?? AgentID.random()
        let present = registry.agent(id: id)
        let isListedElsewhere = elsewhere.contains { $0.id == id && $0.isListed }
        let isNewcomer = present == nil && !isListedElsewhere
        guard !isNewcomer || hasRoom(forNewcomerFrom: pending.call.origin.source) else {
            return refuseForLimit(pending.identity, pending.call)
        }
        if let present {
            comeBack(present, pending)
        } else {
            addNew(pending, id, isDuplicate: placement.isDuplicate, isReturning: isListedElsewhere)
        }
    }

    private func addNew(_ pending: PendingRegistration, _ id: AgentID, isDuplicate: Bool, isReturning: Bool) {
        guard let slot = ring.claimSlot() else { return refuseForLimit(pending.identity, pending.call) }
        if isDuplicate {
            logger.warning(
                "duplicate agent: two agents with one identity are alive; the second gets an ID of its own",
                metadata: [
                    "pod": "\(pending.identity.podName)", "agent_id": "\(id)", "peer": "\(pending.call.call.peer)",
                ])
        }
        let record = IdentityRecord(
            id: id, identity: pending.identity, role: pending.request.nodeRole, labels: pending.request.sortedLabels,
            peer: pending.call.call.peer, registeredAtNanoseconds: WallClock.nowNanoseconds())
        let agent = Agent(
            slot: slot, identity: record, identityHash: pending.hash, series: makeSeries(for: record),
            nowNanoseconds: MonotonicClock.nowNanoseconds(), readingNanoseconds: reading.nowNanoseconds)
        agent.status = .pending
        noteLabels(record.enrichment, of: agent)
        agent.shortLives = reconnects.shortLives(of: pending.hash)
        registry.insert(agent)
        counters.add(isDuplicate ? .registeredDuplicate : isReturning ? .registeredReturned : .registeredNew)
        admit(agent, pending.call, as: isDuplicate ? "twin" : isReturning ? "returned" : "new")
    }

    private func comeBack(_ agent: Agent, _ pending: PendingRegistration) {
        endStreams(of: agent, GRPCStatus(.aborted, "the agent has registered again"))
        agent.registeredAtNanoseconds = WallClock.nowNanoseconds()
        agent.confirmedAtNanoseconds = 0
        agent.connectionEpoch &+= 1
        agent.peer = pending.call.call.peer
        agent.owner = nil
        if agent.adopt(role: pending.request.nodeRole, labels: pending.request.sortedLabels) { enrich(agent) }
        counters.add(.registeredReturned)
        admit(agent, pending.call, as: "returned")
    }

    /// Writes the identity, then the slot, and only then answers: whoever hears of the id finds it everywhere.
    ///
    /// - Parameter outcome: as in the metrics: `new`, `returned` or `duplicate`.
    private func admit(_ agent: Agent, _ call: RegistrationCall, as outcome: String) {
        let mark = RegistrationMark(registeredAtNanoseconds: agent.registeredAtNanoseconds, worker: index)
        call.bind(agent, RegistrationConflict(mark: mark, sinceNanoseconds: MonotonicClock.nowNanoseconds()))
        agent.registration = call
        agent.source = call.origin.source
        ring.setSource(agent.source, at: agent.slot)
        setPeerIdentity(PeerIdentity.hash(of: call.call.connection.security?.peerNames, secret: secret), of: agent)
        agent.lastMessageNanoseconds = reading.nowNanoseconds
        outbox.write { [self] () throws(RingError) in
            guard agent.registration === call else { return }
            do throws(RingError) {
                try writeIdentity(of: agent)
            } catch {
                if error != .full { refuseForRoom(agent, call) }
                throw error
            }
            let now = MonotonicClock.nowNanoseconds()
            ring.setHeartbeat(now, at: agent.slot)
            agent.openStreams |= AgentStream.registration.bit
            agent.isShortLived = false
            agent.shortLives = reconnects.shortLives(of: agent.identityHash)
            registry.setStatus(.online, of: agent, nowNanoseconds: now)
            registry.publish(agent)
            call.accept(heartbeatSeconds: settings.heartbeatInterval.components.seconds)
            events.note(.registered, agent, cause: outcome, nowNanoseconds: now)
            lookForConflict(agent, nowNanoseconds: now)
        }
    }

    /// The ring does not take its identity, so nobody would know of it: it is as before, and has to come again.
    private func refuseForRoom(_ agent: Agent, _ call: RegistrationCall) {
        agent.registration = nil
        logger.warning(
            "agent refused: the data ring has no room for it", metadata: ["pod": "\(agent.identity.podName)"])
        call.refuse(
            .resourceExhausted, "the proxy has no room for another agent: register again later",
            countAs: .refusedNoRoom)
        if agent.status == .pending { remove(agent, countAs: nil) }
    }

    // MARK: The end

    /// - Parameters:
    ///   - end: how the call ended; `nil` when this worker closed the connection, or found it dead.
    ///   - departure: why, when this worker knows more than `end` says.
    func registrationEnded(_ call: RegistrationCall, _ end: GRPCCallEnd?, departure: DepartureCause? = nil) {
        if let hash = call.identityHash { waitingRegistrations.remove(call, of: hash) }
        guard let agent = call.agent, agent.registration === call else { return }
        perform(call.conflict?.end() ?? [], on: agent, call)
        let now = MonotonicClock.nowNanoseconds()
        agent.registration = nil
        // Gone before it was answered, or before there was room in the ring to say that it is there.
        if agent.status == .pending { return remove(agent, countAs: nil) }
        agent.isShortLived = reconnects.ended(
            agent.identityHash, answeredAtNanoseconds: call.answeredAtNanoseconds,
            byAgent: !call.isEndedByUs && !isDraining, nowNanoseconds: now)
        agent.shortLives = reconnects.shortLives(of: agent.identityHash)
        agent.openStreams &= ~AgentStream.registration.bit
        let isSentAway = call.isMoved || isDraining
        registry.setStatus(
            .unconnected, of: agent, nowNanoseconds: now,
            departure: isSentAway ? .moved : departure ?? DepartureCause(end, isEndedByUs: call.isEndedByUs))
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
        // The agents that this worker sends away when it ends have one line together.
        if !isDraining { events.note(.lost, agent, cause: cause, nowNanoseconds: now) }
    }
}
