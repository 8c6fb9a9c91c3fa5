// SPDX-License-Identifier: Apache-2.0
import Collecting
import Metrics
import NIOCore
import Platform
import RingMessages
import Rings

/// The window collections under way and waiting. Requests for the same window share one. An answer that is not whole is
/// refused (``WindowRefusal``).
final class Windows {
    private typealias Running = WorkerCollections<Request, Collected, Outcome>
    typealias Ticket = CollectionEngine<UInt64, Request, Int, Collected>.Ticket

    /// Windows are large on every side: at the agents, in the rings, here.
    static let maximumRunning = 8
    static let maximumWaiting = 16
    /// Answers of all windows under way, here.
    static let maximumAnswerBytes = 192 << 20
    /// The wait for a client that is refused.
    static let retryAfterSeconds = 5
    /// The longest wait (HTTP contract). Until then a window goes on as long as its agents send.
    static let longestNanoseconds: UInt64 = 300_000_000_000
    /// An agent whose metrics stream was lost less long ago is expected back: agents reconnect within milliseconds, and 5 s
    /// after an attempt that failed.
    static let reconnectNanoseconds: UInt64 = 6_000_000_000
    /// A window waits so long for agents that are expected back, and for workers, before it is refused.
    static let timeoutNanoseconds: UInt64 = 2_000_000_000
    private static let lookAgain = TimeAmount.milliseconds(20)

    enum Outcome {
        case done([WindowAgent])
        case refused(WindowRefusal)
    }

    struct Request: Equatable {
        var startNanoseconds: Int64
        var endNanoseconds: Int64
        var filter: SeriesFilter

        func matches(_ identity: IdentityRecord) -> Bool {
            filter.accepts(role: identity.role, podName: identity.identity.podName)
        }
    }

    /// The parts of a window that have come.
    struct Collected {
        enum Phase: Equatable {
            /// For others to end.
            case waiting
            /// For agents that are expected back. Since when, `CLOCK_MONOTONIC`.
            case starting(sinceNanoseconds: UInt64)
            /// Workers have been asked.
            case running
        }

        let source: NetworkSource
        var phase = Phase.waiting
        var agents: [AgentID: WindowAgent] = [:]
        var byteCount = 0
        /// `window` records that have come, and those that the workers say they have written.
        var recordsTaken: UInt64 = 0
        var recordsWritten: UInt64 = 0
        var refusal: WindowRefusal?
    }

    private let support: CollectionSupport
    private let directory: AgentDirectory
    private lazy var running = Running(support) { [unowned self] in answers(to: $0) }
    /// Bytes of the answers of all windows under way; the window that goes beyond the limit is given up.
    private(set) var budget: ByteBudget
    private var refused: [WindowRefusal.Cause: UInt64] = [:]
    private var started: UInt64 = 0

    init(_ support: CollectionSupport, directory: AgentDirectory, budgetBytes: Int) {
        self.support = support
        self.directory = directory
        budget = ByteBudget(limitBytes: budgetBytes)
    }

    var underWay: Int { running.engine.count }

    /// - Returns: a ticket to ``abandon(_:)`` when the client has gone; `nil` when it was refused.
    func collect(_ request: Request, from source: NetworkSource, _ served: @escaping (Outcome) -> Void) -> Ticket? {
        if let same = running.engine.all.first(where: { $0.request == request && $0.outcome.agents.isEmpty }) {
            return running.join(same.id, served)
        }
        if !hasRoom, turns.waitingCount >= Self.maximumWaiting {
            guard let victim = turns.displaced(by: source) else {
                refused[.tooMany, default: 0] += 1
                running.deliver(.refused(.tooMany), served)
                return nil
            }
            refuse(victim, .displaced)
        }
        let number = running.begin(request, Collected(source: source))
        let ticket = running.join(number, served)
        startNext()
        return ticket
    }

    private var turns: WindowTurns {
        WindowTurns(
            running.engine.all.lazy.map {
                WindowTurns.Place(
                    id: $0.id, source: $0.outcome.source, isWaiting: $0.outcome.phase == .waiting)
            })
    }

    private var hasRoom: Bool {
        running.engine.all.lazy.filter { $0.outcome.phase != .waiting }.count < Self.maximumRunning
    }

    /// The client has gone. A window that nobody waits for any more is not collected any further.
    func abandon(_ ticket: Ticket) {
        if let number = running.abandon(ticket) { running.finish(number) }
    }

    // MARK: Starting

    private func startNext() {
        while hasRoom, let number = turns.next {
            let now = MonotonicClock.nowNanoseconds()
            running.note(in: number) { $0.phase = .starting(sinceNanoseconds: now) }
            start(number)
        }
    }

    private func start(_ number: UInt64) {
        guard let entry = running.engine[number], case .starting(let since) = entry.outcome.phase else { return }
        let now = MonotonicClock.nowNanoseconds()
        directory.refresh(nowNanoseconds: now)
        let refusal = refusal(for: entry.request, nowNanoseconds: now, canAsk: support.workers.takesCommands)
        guard let refusal else { return ask(entry.id, entry.request, nowNanoseconds: now) }
        guard now.elapsed(since: since) < Self.timeoutNanoseconds else { return refuse(number, refusal) }
        support.loop.assumeIsolated().scheduleTask(in: Self.lookAgain) { [weak self] in self?.start(number) }
    }

    private func ask(_ number: UInt64, _ request: Request, nowNanoseconds now: UInt64) {
        started += 1
        let deadline = now + Self.longestNanoseconds
        let command = CollectCommand(
            deadlineNanoseconds: deadline,
            window: .init(startNanoseconds: request.startNanoseconds, endNanoseconds: request.endNanoseconds),
            role: request.filter.role, podName: request.filter.podName)
        running.note(in: number) { $0.phase = .running }
        // A worker tells its deadline by itself; this is for the one that cannot any more.
        running.ask(number, .collectWindow, command.payload, deadlineNanoseconds: deadline) { collected, asked in
            collected.refusal = refusal(for: request, nowNanoseconds: now) { asked.positions[$0] != nil }
        }
        if let refusal = running.engine[number]?.outcome.refusal { refuse(number, refusal) }
    }

    /// Why the answer would lack agents that have what is asked for; `nil` when all can be asked.
    private func refusal(
        for request: Request, nowNanoseconds now: UInt64, canAsk: (Int) -> Bool
    ) -> WindowRefusal? {
        var lost: [String] = []
        for listed in directory.listed().values {
            guard let identity = listed.owner.identity, request.matches(identity) else { continue }
            if let worker = listed.worker(having: .metrics) {
                if !canAsk(worker) { return .workerLost(worker) }
            } else if let lostAt = listed.metricsLostAtNanoseconds,
                now.elapsed(since: lostAt) < Self.reconnectNanoseconds
            {
                lost.append(identity.identity.podName)
            }
        }
        return lost.isEmpty ? nil : .agentLost(lost)
    }

    // MARK: Events

    func arrived(number: UInt64, _ payload: RawSpan, from agent: RingAgent) {
        guard running.engine.contains(number), let tableNumber = WindowBatch.tableNumber(of: payload),
            let table = agent.table(number: tableNumber), let identity = directory.identity(of: agent),
            let batch = WindowBatch(payload: payload, table: table)
        else { return }
        let byteCount = payload.byteCount
        guard budget.take(byteCount) else { return refuse(number, .tooLarge(budgetBytes: budget.limitBytes)) }
        running.note(in: number) { collected in
            collected.recordsTaken += 1
            collected.byteCount += byteCount
            collected.agents[
                agent.entry.id,
                default: WindowAgent(
                    agentID: agent.entry.id.description, role: identity.role, podName: identity.identity.podName,
                    batches: [])
            ].batches.append(batch)
        }
    }

    /// - Parameter records: how many `window` records the worker has written.
    func roundEnded(number: UInt64, _ outcome: CollectionOutcome, records: UInt64, worker: Int) {
        let refusal = refusal(for: outcome, worker: worker)
        running.workerDone(worker, in: number) { collected, _ in
            // A number out of a ring.
            collected.recordsWritten = collected.recordsWritten.addingReportingOverflow(records).partialValue
            collected.refusal = collected.refusal ?? refusal
        }
        if let refusal = running.engine[number]?.outcome.refusal { refuse(number, refusal) }
    }

    private func refusal(for outcome: CollectionOutcome, worker: Int) -> WindowRefusal? {
        func pods(_ slots: [UInt32]) -> [String] { slots.map { directory.podName(slot: $0, worker: worker) ?? "" } }
        switch outcome.ending {
        case .busy, .draining: return .workerLost(worker)
        case .deadline: return .timeout
        case .complete: break
        }
        if !outcome.skipped.isEmpty { return .agentSilent(pods(outcome.skipped)) }
        if !outcome.unanswered.isEmpty { return .agentLost(pods(outcome.unanswered)) }
        return nil
    }

    func workerLost(_ worker: Int) {
        for entry in running.engine.all where entry.pending.contains(worker) { refuse(entry.id, .workerLost(worker)) }
    }

    func endAll() { running.finishAll { $0.refusal = .shutdown } }

    private func refuse(_ number: UInt64, _ refusal: WindowRefusal) {
        running.finish(number) { $0.refusal = refusal }
    }

    // MARK: Answers

    private func answers(to served: Running.Engine.Served) -> [(Ticket, Outcome)] {
        let entry = served.entry
        budget.giveBack(entry.outcome.byteCount)
        support.deliveries.add { [weak self, support] in
            for worker in entry.pending { support.workers.send(.windowDrop, [], number: entry.id, to: worker) }
            self?.startNext()
        }
        let outcome = outcome(of: entry.outcome, served.ending)
        if case .refused(let refusal) = outcome { refused[refusal.cause, default: 0] += UInt64(served.tickets.count) }
        return served.tickets.map { ($0, outcome) }
    }

    private func outcome(of collected: Collected, _ ending: Running.Engine.Ending) -> Outcome {
        if let refusal = collected.refusal { return .refused(refusal) }
        if ending == .deadline { return .refused(.timeout) }
        guard collected.recordsTaken >= collected.recordsWritten else { return .refused(.recordsLost) }
        return .done(collected.agents.values.sorted { $0.agentID < $1.agentID })
    }
}

extension Windows: MetricSource {
    func addMetrics(to families: inout FamilyBuilder) {
        families.add(
            "fodc_proxy_window_collections_total", .counter, "Collections of windows that were started.",
            Double(started))
        families.add(
            "fodc_proxy_window_requests_refused_total", .counter,
            "Window requests answered with 503, by cause: refused, or their answer was incomplete.",
            WindowRefusal.Cause.allCases.map { ([("cause", $0.rawValue)], Double(refused[$0] ?? 0)) })
    }
}
