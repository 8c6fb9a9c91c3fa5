// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import GRPCServer
import Logging
import Metrics
import Platform
import RingMessages
import Rings
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
    let ring: RingWriter
    let outbox: RingOutbox
    let logger: Logger
    /// Those that agents can open, by the path of the call.
    private let streams: [String: AgentStream]
    /// Series keys are hashed with a key of this process, so that nobody can choose names that collide.
    let seriesHashKey = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
    var reconnects = ReconnectGuard()
    var sources: RegistrationSources
    /// Those that the log has told of.
    var toldSources = ToldSources()
    var limitState = AgentLimitState()
    let events: AgentEventLog
    /// Registrations that have come and wait for their turn.
    var registrations = RegistrationQueue<PendingRegistration>()
    /// Whether ``beginRegistrationTurn()`` has been asked for.
    var isRegistrationTurnDue = false
    /// Called after registrations have been worked on: ``beginRegistrationTurn()`` is to be called after the sockets have been
    /// looked at again.
    var onRegistrationTurn: () -> Void = {}
    var reading: AgentClock
    private(set) var isDraining = false
    let control: WorkerTableReader
    let marker: InFlightMarker
    /// Of this worker.
    let index: Int
    /// Registrations that wait to hear whether an older connection of their identity here is alive.
    var waitingRegistrations = WaitingRegistrations()
    /// RegisterAgent streams on which nobody has registered yet.
    var silentCalls = FirstMessageWatch<RegistrationCall>()
    var heldIdentityChanges: UInt64 = 0
    let heartbeatTimeoutNanoseconds: UInt64
    let cleanupTimeoutNanoseconds: UInt64

    init(
        settings: ProxySettings, secret: InstallationSecret, ring: DataRing, registry: AgentRegistry,
        collector: MetricsCollector, answers: AnswerCollector, others: OtherWorkers, control: WorkerTableReader,
        index: Int,
        logger: Logger
    ) {
        self.settings = settings
        self.secret = secret
        self.ring = ring.writer
        outbox = ring.outbox
        counters = ring.counters
        marker = ring.marker
        self.registry = registry
        self.collector = collector
        self.answers = answers
        self.others = others
        self.control = control
        self.index = index
        self.logger = logger
        let streams = [.registration, .metrics] + answers.streams.map(\.stream)
        self.streams = Dictionary(uniqueKeysWithValues: streams.map { ($0.path, $0) })
        events = AgentEventLog(logger: logger)
        sources = RegistrationSources(
            limits: RegistrationSources.Limits(
                perConnection: settings.maxAgentsPerConnection, perSource: settings.maxAgentsPerSource,
                maxAgents: settings.maxAgents))
        let timeout = UInt64(clamping: settings.agentHeartbeatTimeout.wholeNanoseconds)
        heartbeatTimeoutNanoseconds = timeout == 0 ? .max : timeout
        cleanupTimeoutNanoseconds = UInt64(clamping: settings.agentCleanupTimeout.wholeNanoseconds)
        reading = AgentClock(nowNanoseconds: MonotonicClock.nowNanoseconds())
    }

    func count(_ counter: IngestCounter) { counters.add(counter) }

    // MARK: Calls

    func open(_ call: GRPCCall) -> (any GRPCCallHandler)? {
        guard let stream = streams[call.path] else { return nil }
        if isDraining {
            call.finish(GRPCStatus(.unavailable, "this worker of the proxy is being stopped: reconnect"))
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
        if stream == .metrics { return collector.open(call, of: agent) }
        return answers.open(call, stream, of: agent)
    }

    private func authenticate(_ call: GRPCCall, _ stream: AgentStream) -> Agent? {
        guard let text = call.metadata("agent_id"), !text.isEmpty else {
            counters.add(.refusedNoAgentID)
            call.finish(
                GRPCStatus(
                    .unauthenticated,
                    "\(stream.method): the metadata agent_id is missing; register first and send the ID of the response"
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
        guard isPeer(of: agent, call, stream) else { return nil }
        guard !isQuarantined(agent.identityHash) else {
            counters.add(.refusedQuarantined)
            call.finish(GRPCStatus(.resourceExhausted, Self.quarantinedText(agent.identity)))
            return nil
        }
        return agent
    }

    // MARK: The end of an agent

    /// - Parameter counter: `nil` for one that was not listed.
    func remove(_ agent: Agent, countAs counter: IngestCounter?) {
        if let counter { counters.add(counter) }
        if let cause = Self.removalCause(counter) {
            events.note(.removed, agent, cause: cause, nowNanoseconds: MonotonicClock.nowNanoseconds())
        }
        answers.left(agent)
        if counter == .leftEvicted {
            agent.departure = .evicted
            registry.publish(agent)
        }
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
}

extension AgentService: IngestFeature {
    func tick(nowNanoseconds now: UInt64) { tick(nowNanoseconds: now, isReading: outbox.isEmpty) }

    /// Ends the registration streams, so that the agents go elsewhere; what they still answer is taken.
    func drain() {
        isDraining = true
        let status = GRPCStatus(.unavailable, "this worker of the proxy is being stopped: reconnect")
        for pending in registrations.removeAll() { pending.call.end(status) }
        for waiting in waitingRegistrations.removeAll() { waiting.call.end(status) }
        for agent in Array(registry.all) { agent.registration?.end(status) }
    }
}
