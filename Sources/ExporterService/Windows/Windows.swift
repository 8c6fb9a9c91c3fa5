// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Metrics
import NIOCore
import Platform

/// The window collections under way and waiting. Requests for the same window share one.
final class Windows {
    /// Windows are large on every side: at the agents, in the lanes, here.
    static let maximumRunning = 8
    static let maximumWaiting = 16
    /// What somebody who is refused should wait.
    static let retryAfterSeconds = 5

    enum Outcome {
        case done([WindowAgent])
        /// As many run and wait as may.
        case tooMany
        /// The answers do not fit into ``Windows/budgetBytes``.
        case tooLarge
    }

    struct Request: Hashable {
        var startNanoseconds: Int64
        var endNanoseconds: Int64
        var role: String?
        var podName: String?
        var waitNanoseconds: UInt64
    }

    private final class Collection {
        let request: Request
        var number: UInt64?
        var pendingWorkers: Set<Int> = []
        var agents: [AgentID: WindowAgent] = [:]
        var bytes = 0
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
    private(set) var refused: UInt64 = 0
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
            refused += 1
            served(.tooMany)
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
            deadlineNanoseconds: now + request.waitNanoseconds,
            window: .init(startNanoseconds: request.startNanoseconds, endNanoseconds: request.endNanoseconds),
            role: request.role, podName: request.podName)
        let (number, asked) = workers.send(.collectWindow, command.payload)
        collection.number = number
        collection.pendingWorkers = asked
        running[number] = collection
        if asked.isEmpty { return finish(collection) }
        // A worker tells its deadline by itself; this is for the one that cannot any more.
        loop.assumeIsolated().scheduleTask(in: .nanoseconds(Int64(request.waitNanoseconds)) + .milliseconds(250)) {
            [weak self] in
            guard let self, let late = self.running[number] else { return }
            self.finish(late)
        }
    }

    // MARK: Events

    func arrived(number: UInt64, _ payload: RawSpan, from agent: LaneAgent) {
        guard let collection = running[number], let tableNumber = WindowBatch.tableNumber(of: payload),
            let table = agent.table(number: tableNumber), let identity = directory.identity(of: agent),
            let batch = WindowBatch(payload: payload, table: table)
        else { return }
        usedBytes += payload.byteCount
        collection.bytes += payload.byteCount
        if usedBytes > budgetBytes { return end(collection, .tooLarge) }
        collection.agents[
            agent.entry.id,
            default: WindowAgent(
                agentID: agent.entry.id.description, role: identity.role, podName: identity.identity.podName,
                batches: [])
        ].batches.append(batch)
    }

    func roundEnded(number: UInt64, worker: Int) {
        guard let collection = running[number], collection.pendingWorkers.remove(worker) != nil else { return }
        if collection.pendingWorkers.isEmpty { finish(collection) }
    }

    func workerLost(_ worker: Int) {
        for collection in Array(running.values) where collection.pendingWorkers.remove(worker) != nil {
            if collection.pendingWorkers.isEmpty { finish(collection) }
        }
    }

    func endAll() {
        for collection in Array(running.values) + waiting { finish(collection) }
    }

    private func finish(_ collection: Collection) {
        end(collection, .done(collection.agents.values.sorted { $0.agentID < $1.agentID }))
    }

    private func end(_ collection: Collection, _ outcome: Outcome) {
        if let number = collection.number { running[number] = nil }
        waiting.removeAll { $0 === collection }
        usedBytes -= collection.bytes
        collection.bytes = 0
        let waiters = collection.waiters
        collection.waiters = []
        for waiter in waiters { waiter.served(outcome) }
        while running.count < Self.maximumRunning, !waiting.isEmpty { start(waiting.removeFirst()) }
    }
}
