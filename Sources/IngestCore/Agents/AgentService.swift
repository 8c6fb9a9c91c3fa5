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
    let seriesHashKey = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
    var reconnects = ReconnectGuard()
    var sources: RegistrationSources
    var limitState = AgentLimitState()
    let events: AgentEventLog
    /// Registrations that have come and wait for their turn.
    var registrations = RegistrationQueue<PendingRegistration>()
    /// Whether ``beginRegistrationTurn()`` has been asked for.
    var isRegistrationTurnDue = false
    /// Called after registrations have been worked on: ``beginRegistrationTurn()`` is to be called after the sockets have been
    /// looked at again.
    var onRegistrationTurn: () -> Void = {}
    private(set) var reading: ReadingClock
    private(set) var isDraining = false
    let control: ControlReader
    let note: WorkNote
    /// Of this worker.
    let index: Int
    /// Registrations that wait to hear whether an older connection of their identity here is alive.
    var waitingRegistrations = WaitingRegistrations()
    /// RegisterAgent streams on which nobody has registered yet.
    var silentCalls = FirstMessageWatch<RegistrationCall>()
    private var heldIdentityChanges: UInt64 = 0
    private let heartbeatTimeoutNanoseconds: UInt64
    private let cleanupTimeoutNanoseconds: UInt64

    init(
        settings: ProxySettings, secret: InstallationSecret, lane: LaneWriter, outbox: LaneOutbox,
        registry: AgentRegistry, collector: MetricsCollector, answers: AnswerCollector, counters: IngestCounters,
        others: OtherWorkers, control: ControlReader, note: WorkNote, index: Int, logger: Logger
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
        self.control = control
        self.note = note
        self.index = index
        self.logger = logger
        events = AgentEventLog(logger: logger)
        sources = RegistrationSources(
            limits: RegistrationSources.Limits(
                perConnection: settings.maxAgentsPerConnection, perSource: settings.maxAgentsPerSource,
                maxAgents: settings.maxAgents))
        let timeout = UInt64(clamping: settings.agentHeartbeatTimeout.wholeNanoseconds)
        heartbeatTimeoutNanoseconds = timeout == 0 ? .max : timeout
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
        if stream == .registration {
            let registration = RegistrationCall(call: call, service: self)
            guard
                let crowd = silentCalls.opened(
                    registration, on: call.connection.id, from: call.connection.source,
                    nowNanoseconds: reading.nowNanoseconds)
            else {
                registration.refuseForCrowd()
                return nil
            }
            for other in crowd { other.refuseForCrowd() }
            return registration
        }
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
        guard let id = AgentID(text), let agent = agent(ofStreamWith: id) else {
            counters.add(.refusedUnknownAgentID)
            call.finish(
                GRPCStatus(
                    .unauthenticated,
                    "\(stream.method): agent_id \(text.prefix(64).debugDescription) is not registered; register first"))
            return nil
        }
        guard !isHeldOff(agent.identityHash) else {
            counters.add(.refusedHeldOff)
            call.finish(GRPCStatus(.resourceExhausted, Self.heldOffText(agent.identity)))
            return nil
        }
        return agent
    }

    // MARK: Held off

    func isHeldOff(_ identityHash: UInt64) -> Bool {
        control.isHeldOff(identityHash: identityHash, nowNanoseconds: MonotonicClock.nowNanoseconds())
    }

    static func heldOffText(_ identity: AgentIdentity) -> String {
        "\(identity.podName) has sent what ended workers of the proxy; it is held off for a while"
    }

    /// The supervisor has held off some identities: their connections are closed, and coming back they are refused.
    private func closeHeldOff() {
        let changes = control.heldIdentityChangeCount
        guard changes != heldIdentityChanges else { return }
        heldIdentityChanges = changes
        for agent in Array(registry.all) where agent.isConnected && isHeldOff(agent.identityHash) {
            counters.add(.closedHeldOff)
            logger.warning(
                "agent is held off: what it sent has ended workers", metadata: ["pod": "\(agent.identity.podName)"])
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

    // MARK: Time

    func tick(nowNanoseconds now: UInt64, isReading: Bool) {
        reading.tick(nowNanoseconds: now, isReading: isReading)
        others.refresh()
        closeHeldOff()
        for call in silentCalls.expire(nowNanoseconds: reading.nowNanoseconds) { call.refuseForSilence() }
        for agent in Array(registry.all) { judge(agent, nowNanoseconds: now) }
        counters.set(.foreignStreams, registry.all.reduce(0) { $0 + $1.foreignStreamCount })
        evictBeyondLimit()
        reconnects.sweep(nowNanoseconds: now)
        events.tick(nowNanoseconds: now)
    }

    private func judge(_ agent: Agent, nowNanoseconds now: UInt64) {
        if agent.status == .foreign { return judgeForeign(agent, nowNanoseconds: now) }
        lookForConflict(agent, nowNanoseconds: now)
        guard registry.agent(slot: agent.slot.index) === agent else { return }
        if hasSettledElsewhere(agent, nowNanoseconds: now) { return remove(agent, countAs: .leftElsewhere) }
        if agent.takeMessageProgress() { agent.heardAtNanoseconds = reading.nowNanoseconds }
        endOrphanedStreams(of: agent, nowNanoseconds: now)
        let silence = reading.nowNanoseconds
        let quiet = silence - min(silence, agent.heardAtNanoseconds)
        if agent.status == .online, quiet > heartbeatTimeoutNanoseconds {
            registry.setStatus(.unconnected, of: agent, nowNanoseconds: now)
            counters.add(.lostHeartbeatTimeout)
            logger.warning(
                "agent missed its heartbeats",
                metadata: [
                    "pod": "\(agent.identity.podName)", "agent_id": "\(agent.id)", "peer": "\(agent.peer)",
                    "cause": "heartbeat_timeout", "timeout": "\(settings.agentHeartbeatTimeout.goSyntax)",
                ])
        } else if agent.status == .unconnected, quiet > cleanupTimeoutNanoseconds {
            remove(agent, countAs: .leftCleanup)
        }
    }

    /// How long the registration of an agent may be gone while its data streams live here.
    static let orphanedNanoseconds: UInt64 = 3_000_000_000

    /// The agents' client runs one reconnect at a time: one whose new registration was lost while it was still opening the
    /// other streams skips the reconnect, and its heartbeats only fail. What makes it reconnect is the end of a data stream.
    private func endOrphanedStreams(of agent: Agent, nowNanoseconds now: UInt64) {
        guard agent.registration == nil, agent.status == .unconnected, agent.dataStreamCount > 0 else {
            agent.orphanedSinceNanoseconds = nil
            return
        }
        let since = agent.orphanedSinceNanoseconds ?? now
        agent.orphanedSinceNanoseconds = since
        guard now - min(now, since) >= Self.orphanedNanoseconds else { return }
        agent.orphanedSinceNanoseconds = nil
        counters.add(.orphanedStreamsEnded, UInt64(agent.dataStreamCount))
        endStreams(of: agent, GRPCStatus(.unavailable, "the agent's registration has ended: register again"))
    }

    /// Whether it has gone over to another worker for good. Until then its last sample here is the newest there is of it, and
    /// bridges the time to its first answer there; and what is known here of registrations that did not last is needed.
    private func hasSettledElsewhere(_ agent: Agent, nowNanoseconds now: UInt64) -> Bool {
        guard agent.registration == nil, agent.status == .unconnected, let other = others.listed(agent.id),
            other.registeredAtNanoseconds > agent.registeredAtNanoseconds
        else { return false }
        if let lives = agent.shortLives, now - min(now, lives.lastNanoseconds) <= ReconnectGuard.remembersNanoseconds {
            return false
        }
        let settled = other.registeredAtNanoseconds.addingReportingOverflow(settings.staleGrace.wholeNanoseconds)
        return settled.overflow || WallClock.nowNanoseconds() > settled.partialValue
    }

    /// - Parameter counter: `nil` for one that was not listed.
    func remove(_ agent: Agent, countAs counter: IngestCounter?) {
        if let counter { counters.add(counter) }
        if let cause = Self.removalCause(counter) {
            events.note(.removed, agent, cause: cause, nowNanoseconds: MonotonicClock.nowNanoseconds())
        }
        answers.left(agent)
        registry.remove(agent)
        let status = GRPCStatus(.unavailable, "the agent has left the registry: register again")
        endStreams(of: agent, status)
        agent.registration?.end(status)
        agent.registration = nil
    }

    /// `nil` for an agent that goes on at another worker, or was never listed.
    private static func removalCause(_ counter: IngestCounter?) -> String? {
        switch counter {
        case .leftCleanup: "cleanup"
        case .leftEvicted: "evicted"
        default: nil
        }
    }

    /// All but the registration.
    func endStreams(of agent: Agent, _ status: GRPCStatus) {
        agent.metrics?.end(status)
        for stream in agent.answerStreams { stream.end(status) }
    }

    // MARK: Life of the worker

    /// Lists the agents of the predecessor as unconnected: their connections died with its process. The time to their
    /// removal goes on where it was: it is counted from the last heartbeat, without the time in which no worker was there.
    ///
    /// - Parameter lastBeatNanoseconds: when the predecessor was last alive, `CLOCK_MONOTONIC`.
    func adoptPredecessorsAgents(_ records: [PredecessorsAgent], lastBeatNanoseconds: UInt64 = 0) {
        let now = MonotonicClock.nowNanoseconds()
        for record in records {
            let (slot, entry, identity) = (record.slot, record.entry, record.identity)
            // A registration that had not been answered ended with its connection; and of who has killed us twice nothing is
            // read again.
            guard entry.status != .pending, !isHeldOff(entry.identityHash) else {
                lane.releaseSlot(slot)
                continue
            }
            // The predecessor's tables stay for its last sample, and go with the first of ours.
            let tables = lane.currentRecords(of: slot)
                .filter { $0.type == .series }.map { UInt32(truncatingIfNeeded: $0.subject) }
            let agent = Agent(
                slot: slot, identity: identity, identityHash: entry.identityHash,
                series: makeSeries(for: identity, above: tables.filter(AdoptableAgent.isBelievable).max() ?? 0),
                nowNanoseconds: entry.status == .unconnected ? entry.statusSinceNanoseconds : now,
                readingNanoseconds: reading.before(
                    record.heartbeatNanoseconds == 0
                        ? 0 : lastBeatNanoseconds - min(lastBeatNanoseconds, record.heartbeatNanoseconds)))
            agent.source = record.source
            agent.registeredAtNanoseconds = entry.registeredAtNanoseconds
            agent.connectionEpoch = entry.connectionEpoch
            agent.status = .unconnected
            if entry.status == .foreign {
                agent.status = .foreign
                agent.home = ForeignHome(
                    worker: Int(entry.home) - 1, registeredAtNanoseconds: 0,
                    identityPosition: AgentEntry.noPosition, idleSinceNanoseconds: now)
            }
            adoptShortLives(entry, of: agent)
            agent.obsoleteTableNumbers = tables
            agent.sampleReceivedAtNanoseconds = record.sampleReceivedAtNanoseconds
            if entry.status == .online { counters.add(.lostWorker) }
            registry.insert(agent)
        }
    }

    /// What another worker has known of registrations of this identity that did not last, and nobody else says any more. All
    /// entries of one worker say the same, and may be read again: what is known here already is not added to.
    func adoptShortLives(_ entry: AgentEntry, of agent: Agent) {
        guard entry.shortLives > 0 else { return }
        let last = min(MonotonicClock.nowNanoseconds(), entry.lastShortLifeNanoseconds)
        let lives = ShortLives(count: Int(entry.shortLives), lastNanoseconds: last)
        reconnects.adopt(lives, of: agent.identityHash)
        agent.shortLives = reconnects.shortLives(of: agent.identityHash)
        agent.isShortLived = entry.isShortLived
    }

    /// Ends the registration streams, so that the agents go elsewhere; what they still answer is taken.
    func drain() {
        isDraining = true
        let status = GRPCStatus(.unavailable, "this worker of the proxy is going away: reconnect")
        for pending in registrations.removeAll() { pending.call.end(status) }
        for waiting in waitingRegistrations.removeAll() { waiting.call.end(status) }
        for agent in Array(registry.all) { agent.registration?.end(status) }
        collector.drain()
        answers.drain()
    }
}
