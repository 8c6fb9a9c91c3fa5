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
            ?? waiting.first(where: { $0.request == request })
        {
            same.waiters.append((ticket, served))
            return ticket
        }
        guard running.count < Self.maximumRunning || waiting.count < Self.maximumWaiting else {
            refused[.tooMany, default: 0] += 1
            served(.refused(.tooMany))
            return ticket
        }
        let collection = Collection(request: request)
        collection.waiters.append((ticket, served))
        if running.count < Self.maximumRunning { start(collection) } else { waiting.append(collection) }
        return ticket
    }

    /// The client has gone. A window that nobody waits for any more is not collected any further.
    func abandon(_ ticket: UInt64) {
        for collection in Array(running.values) + waiting {
            collection.waiters.removeAll { $0.id == ticket }
            if collection.waiters.isEmpty { end(collection, .done([])) }
        }
    }

    private func start(_ collection: Collection) {
        started += 1
        let request = collection.request
        let now = MonotonicClock.nowNanoseconds()
        let command = CollectCommand(
            deadlineNanoseconds: now + Self.longestNanoseconds,
            window: .init(startNanoseconds: request.startNanoseconds, endNanoseconds: request.endNanoseconds),
            role: request.role, podName: request.podName)
        let (number, asked) = workers.send(.collectWindow, command.payload)
        collection.number = number
        collection.pendingWorkers = asked
        running[number] = collection
        if let refusal = agentsNotAsked(request, asked: asked, nowNanoseconds: now) {
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

    /// Agents that have what is asked for, and cannot be asked at present.
    private func agentsNotAsked(_ request: Request, asked: Set<Int>, nowNanoseconds now: UInt64) -> WindowRefusal? {
        directory.refresh(nowNanoseconds: now)
        var lost: [String] = []
        for listed in directory.listed().values {
            guard let identity = listed.home.identity, request.matches(identity) else { continue }
            if let worker = listed.worker(having: .metrics) {
                if !asked.contains(worker) { return .workerLost(worker) }
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
        for collection in Array(running.values) + waiting { end(collection, .refused(.shutdown)) }
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
        waiting.removeAll { $0 === collection }
        usedBytes -= collection.bytes
        collection.bytes = 0
        let waiters = collection.waiters
        collection.waiters = []
        if case .refused(let refusal) = outcome { refused[refusal.cause, default: 0] += UInt64(waiters.count) }
        for waiter in waiters { waiter.served(outcome) }
        while running.count < Self.maximumRunning, !waiting.isEmpty { start(waiting.removeFirst()) }
    }
}
