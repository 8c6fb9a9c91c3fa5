// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Metrics
import NIOCore
import Platform

/// The window collections under way and waiting. Requests for the same window share one. An answer that is not whole is
/// refused (``WindowRefusal``).
final class Windows {
    /// Windows are large on every side: at the agents, in the lanes, here.
    static let maximumRunning = 8
    static let maximumWaiting = 16
    /// What somebody who is refused should wait.
    static let retryAfterSeconds = 5
    /// The longest wait (HTTP contract). Until then a window goes on as long as its agents send.
    static let longestNanoseconds: UInt64 = 300_000_000_000
    /// An agent whose metrics stream was lost less long ago is expected back: agents reconnect within milliseconds, and 5 s
    /// after an attempt that failed.
    static let reconnectNanoseconds: UInt64 = 6_000_000_000
    /// A window waits so long for agents that are expected back, and for workers, before it is refused.
    static let patienceNanoseconds: UInt64 = 2_000_000_000
    private static let lookAgain = TimeAmount.milliseconds(20)

    enum Outcome {
        case done([WindowAgent])
        case refused(WindowRefusal)
    }

    struct Request: Hashable {
        var startNanoseconds: Int64
        var endNanoseconds: Int64
        var role: String?
        var podName: String?

        func matches(_ identity: IdentityRecord) -> Bool {
            (role.map { $0 == identity.role } ?? true) && (podName.map { $0 == identity.identity.podName } ?? true)
        }
    }

    private final class Collection {
        let request: Request
        /// When it was first tried to start it, `CLOCK_MONOTONIC`.
        var triedAtNanoseconds: UInt64?
        var number: UInt64?
        var pendingWorkers: Set<Int> = []
        var agents: [AgentID: WindowAgent] = [:]
        var bytes = 0
        /// `window` records that have come, and those that the workers say they have written.
        var recordsTaken: UInt64 = 0
        var recordsWritten: UInt64 = 0
        var waiters: [(id: UInt64, served: (Outcome) -> Void)] = []

        init(request: Request) {
            self.request = request
        }
    }

    private let loop: any EventLoop
    private let workers: WorkerLines
    private let directory: AgentDirectory
    /// What the answers of all windows under way may take here together; the window that goes beyond is given up.
    let budgetBytes: Int
    private var running: [UInt64: Collection] = [:]
    /// Those that wait for agents that are expected back.
    private var starting: [Collection] = []
    /// Those that wait for others to end.
    private var waiting: [Collection] = []
    private var usedBytes = 0
    private var nextWaiter: UInt64 = 0
    private(set) var refused: [WindowRefusal.Cause: UInt64] = [:]
    private(set) var started: UInt64 = 0

    init(loop: any EventLoop, workers: WorkerLines, directory: AgentDirectory, budgetBytes: Int) {
        self.budgetBytes = budgetBytes
        self.loop = loop
        self.workers = workers
        self.directory = directory
    }

    /// - Returns: a ticket to ``abandon(_:)`` when the client has gone.
    func collect(_ request: Request, _ served: @escaping (Outcome) -> Void) -> UInt64 {
        nextWaiter += 1
        let ticket = nextWaiter
        if let same = running.values.first(where: { $0.request == request && $0.agents.isEmpty })
            ?? (starting + waiting).first(where: { $0.request == request })
        {
            same.waiters.append((ticket, served))
            return ticket
        }
        guard hasRoom || waiting.count < Self.maximumWaiting else {
            refused[.tooMany, default: 0] += 1
            served(.refused(.tooMany))
            return ticket
        }
        let collection = Collection(request: request)
        collection.waiters.append((ticket, served))
        if hasRoom { begin(collection) } else { waiting.append(collection) }
        return ticket
    }

    private var hasRoom: Bool { running.count + starting.count < Self.maximumRunning }

    /// The client has gone. A window that nobody waits for any more is not collected any further.
    func abandon(_ ticket: UInt64) {
        for collection in running.values + starting + waiting {
            collection.waiters.removeAll { $0.id == ticket }
            if collection.waiters.isEmpty { end(collection, .done([])) }
        }
    }

    private func begin(_ collection: Collection) {
        starting.append(collection)
        start(collection)
    }

    private func start(_ collection: Collection) {
        guard starting.contains(where: { $0 === collection }) else { return }
        let now = MonotonicClock.nowNanoseconds()
        directory.refresh(nowNanoseconds: now)
        if let refusal = refusal(for: collection.request, nowNanoseconds: now, canAsk: workers.takesCommands) {
            let triedAt = collection.triedAtNanoseconds ?? now
            collection.triedAtNanoseconds = triedAt
            guard now.elapsed(since: triedAt) < Self.patienceNanoseconds else {
                return end(collection, .refused(refusal))
            }
            loop.assumeIsolated().scheduleTask(in: Self.lookAgain) { [weak self] in self?.start(collection) }
            return
        }
        starting.removeAll { $0 === collection }
        ask(collection, nowNanoseconds: now)
    }

    private func ask(_ collection: Collection, nowNanoseconds now: UInt64) {
        started += 1
        let request = collection.request
        let command = CollectCommand(
            deadlineNanoseconds: now + Self.longestNanoseconds,
            window: .init(startNanoseconds: request.startNanoseconds, endNanoseconds: request.endNanoseconds),
            role: request.role, podName: request.podName)
        let (number, asked) = workers.send(.collectWindow, command.payload)
        collection.number = number
        collection.pendingWorkers = asked
        running[number] = collection
        if let refusal = refusal(for: request, nowNanoseconds: now, canAsk: asked.contains) {
            return end(collection, .refused(refusal))
        }
        if asked.isEmpty { return finish(collection) }
        // A worker tells its deadline by itself; this is for the one that cannot any more.
        loop.assumeIsolated().scheduleTask(in: .nanoseconds(Int64(Self.longestNanoseconds)) + .milliseconds(250)) {
            [weak self] in
            guard let self, let late = self.running[number] else { return }
            self.end(late, .refused(.timeout))
        }
    }

    /// Why the answer would lack agents that have what is asked for; `nil` when all can be asked.
    private func refusal(
        for request: Request, nowNanoseconds now: UInt64, canAsk: (Int) -> Bool
    ) -> WindowRefusal? {
        var lost: [String] = []
        for listed in directory.listed().values {
            guard let identity = listed.home.identity, request.matches(identity) else { continue }
            if let worker = listed.worker(having: .metrics) {
                if !canAsk(worker) { return .workerLost(worker) }
            } else if let lostAt = listed.metricsLostAtNanoseconds, now - min(now, lostAt) < Self.reconnectNanoseconds {
                lost.append(identity.identity.podName)
            }
        }
        return lost.isEmpty ? nil : .agentLost(lost)
    }

    // MARK: Events

    func arrived(number: UInt64, _ payload: RawSpan, from agent: LaneAgent) {
        guard let collection = running[number], let tableNumber = WindowBatch.tableNumber(of: payload),
            let table = agent.table(number: tableNumber), let identity = directory.identity(of: agent),
            let batch = WindowBatch(payload: payload, table: table)
        else { return }
        collection.recordsTaken += 1
        usedBytes += payload.byteCount
        collection.bytes += payload.byteCount
        if usedBytes > budgetBytes { return end(collection, .refused(.tooLarge(budgetBytes: budgetBytes))) }
        collection.agents[
            agent.entry.id,
            default: WindowAgent(
                agentID: agent.entry.id.description, role: identity.role, podName: identity.identity.podName,
                batches: [])
        ].batches.append(batch)
    }

    /// - Parameter records: how many `window` records the worker has written.
    func roundEnded(number: UInt64, _ outcome: RoundOutcome, records: UInt64, worker: Int) {
        guard let collection = running[number], collection.pendingWorkers.remove(worker) != nil else { return }
        collection.recordsWritten += records
        if let refusal = refusal(for: outcome, worker: worker) { return end(collection, .refused(refusal)) }
        if collection.pendingWorkers.isEmpty { finish(collection) }
    }

    private func refusal(for outcome: RoundOutcome, worker: Int) -> WindowRefusal? {
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
        for collection in Array(running.values) where collection.pendingWorkers.remove(worker) != nil {
            end(collection, .refused(.workerLost(worker)))
        }
    }

    func endAll() {
        for collection in running.values + starting + waiting { end(collection, .refused(.shutdown)) }
    }

    private func finish(_ collection: Collection) {
        guard collection.recordsTaken >= collection.recordsWritten else {
            return end(collection, .refused(.recordsLost))
        }
        end(collection, .done(collection.agents.values.sorted { $0.agentID < $1.agentID }))
    }

    private func end(_ collection: Collection, _ outcome: Outcome) {
        if let number = collection.number {
            running[number] = nil
            for worker in collection.pendingWorkers { workers.send(.windowDrop, [], number: number, to: worker) }
            collection.pendingWorkers = []
        }
        starting.removeAll { $0 === collection }
        waiting.removeAll { $0 === collection }
        usedBytes -= collection.bytes
        collection.bytes = 0
        let waiters = collection.waiters
        collection.waiters = []
        if case .refused(let refusal) = outcome { refused[refusal.cause, default: 0] += UInt64(waiters.count) }
        for waiter in waiters { waiter.served(outcome) }
        while hasRoom, !waiting.isEmpty { begin(waiting.removeFirst()) }
    }
}
