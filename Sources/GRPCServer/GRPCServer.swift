// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import Glibc
import HTTP2
import Logging
import NIOCore
import NIOPosix

/// A gRPC server on one event loop, on which everything here is to be called: h2c with prior knowledge, streams of messages
/// in both directions, no compression. It knows nothing of what the messages mean.
public final class GRPCServer {
    public let configuration: Configuration
    public let eventLoop: any EventLoop

    let service: any GRPCService
    let pool = BufferPool()
    let budget: AssemblyBudget
    private(set) var clock: ReadingClock

    private let logger: Logger
    private let readBuffer = SharedReadBuffer()
    private var counters = GRPCStatistics()
    private var connections: [UInt64: GRPCConnection] = [:]
    private var nextConnectionID: UInt64 = 1
    private var unflushed: [GRPCConnection] = []
    private var listener: (any Channel)?
    private var gate: AcceptGate?
    private var ticker: RepeatedTask?
    private var deadlines = CallDeadlines()
    private var deadlineTimer: (atNanoseconds: UInt64, task: Scheduled<Void>)?
    private var isDraining = false
    private var acceptsNoMore = false
    private var leavesConnections = false

    /// How finely time is told: keepalive, pings, stalls.
    static let tick = TimeAmount.milliseconds(250)

    /// Called with the number of open connections whenever it has changed.
    public var onConnectionCount: (Int) -> Void = { _ in }
    /// Asked before connections are taken from a socket that other processes take from as well.
    public var standing: () -> AcceptStanding = { .alone }

    public init(
        configuration: Configuration, eventLoop: any EventLoop, service: any GRPCService,
        logger: Logger = Logger(label: "fodc.grpc")
    ) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.service = service
        self.logger = logger
        clock = ReadingClock(monotonicNanoseconds: eventLoop.now.uptimeNanoseconds)
        budget = AssemblyBudget(
            limitBytes: max(configuration.assemblyBudgetBytes, 2 * configuration.maxMessageBytes),
            stallNanoseconds: configuration.assemblyStallTimeout.wholeNanoseconds)
        budget.onPressureChange = { [unowned self] in updateReading() }
    }

    public var connectionCount: Int { connections.count }

    public internal(set) var statistics: GRPCStatistics {
        get {
            var result = counters
            result.assemblyBytes = budget.usedBytes
            result.assemblyPeakBytes = budget.peakBytes
            return result
        }
        _modify { yield &counters }
    }

    // MARK: Listening

    /// Accepts connections from a listening socket, which other processes may share. The descriptor stays the caller's: the
    /// server works on a duplicate.
    public func start(listeningDescriptor: Int32) -> EventLoopFuture<Void> {
        eventLoop.preconditionInEventLoop()
        let descriptor = fcntl(listeningDescriptor, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else {
            return eventLoop.makeFailedFuture(IOError(errnoCode: errno, reason: "dup of the listening socket"))
        }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let gate = NIOLoopBound(
            AcceptGate(server: self, descriptor: descriptor, logger: logger), eventLoop: eventLoop)
        return ServerBootstrap(group: eventLoop)
            .serverChannelOption(.maxMessagesPerRead, value: AcceptGate.acceptsPerTurn)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(gate.value)
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 32 << 10, high: 128 << 10))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try bound.value.attach(channel) }
            }
            .withBoundSocket(descriptor)
            .map { channel in
                // NIO's `listen` has set the queue of the shared socket to its own default of 128; a thousand agents
                // reconnect at once.
                listen(descriptor, SOMAXCONN)
                bound.value.listening(on: channel, gate.value)
            }
    }

    private func listening(on channel: any Channel, _ gate: AcceptGate) {
        guard !acceptsNoMore else { return channel.close(promise: nil) }
        listener = channel
        self.gate = gate
        gate.isPaused = clock.isPaused || leavesConnections
        startTicking()
    }

    func startTicking() {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        ticker = eventLoop.scheduleRepeatedTask(initialDelay: GRPCServer.tick, delay: GRPCServer.tick) { _ in
            bound.value.tick()
        }
    }

    func attach(_ channel: any Channel) throws {
        let connection = try GRPCConnection(id: nextConnectionID, channel: channel, server: self)
        nextConnectionID += 1
        try channel.syncOptions?.setOption(
            .recvAllocator, value: SharedReadBufferAllocator(readBuffer, eventLoop: eventLoop))
        try channel.pipeline.syncOperations.addHandler(
            ConnectionHandler(connection: connection, readBuffer: readBuffer))
        connections[connection.id] = connection
        counters.connectionsAccepted += 1
        onConnectionCount(connections.count)
        connection.setReading(mayRead(connection))
        if isDraining { connection.drain() }
    }

    func closed(_ connection: GRPCConnection, _ cause: GRPCConnectionEnd) {
        connections[connection.id] = nil
        onConnectionCount(connections.count)
        counters.countClosed(cause)
        logger.debug("connection closed", metadata: ["peer": "\(connection.peer)", "cause": "\(cause.name)"])
    }

    /// A new connection could not be accepted for lack of descriptors or memory: closes those that no known agent uses.
    func makeRoom() {
        let now = clock.nowNanoseconds
        let time = configuration.idleTimeoutWhenShort
        for connection in Array(connections.values) where connection.isIdle(for: time, nowNanoseconds: now) {
            connection.close(.idle)
        }
    }

    // MARK: Back-pressure

    /// Stops reading all connections, and accepting. Bytes that wait in the sockets make the peers wait; none is held to be
    /// silent for it.
    public func pauseReading() {
        clock.pause(at: eventLoop.now.uptimeNanoseconds)
        updateReading()
    }

    public func resumeReading() {
        clock.resume(at: eventLoop.now.uptimeNanoseconds)
        updateReading()
    }

    private func updateReading() {
        gate?.isPaused = clock.isPaused || leavesConnections
        for connection in connections.values { connection.setReading(mayRead(connection)) }
    }

    func mayRead(_ connection: GRPCConnection) -> Bool {
        !clock.isPaused && budget.mayRead(connection.assembly)
    }

    // MARK: Ending

    /// False: connections wait in the listening socket for whoever else reads it, until this is true again.
    public func setAccepting(_ isAccepting: Bool) {
        leavesConnections = !isAccepting
        gate?.isPaused = clock.isPaused || leavesConnections
    }

    /// ``standing`` may have changed.
    public func standingChanged() { gate?.standingChanged() }

    /// Takes no more connections, for good; those that are there go on. A peer that waits in the listening socket waits for
    /// whoever else reads it: only this process's descriptor of it is closed.
    public func stopAccepting() {
        acceptsNoMore = true
        listener?.close(promise: nil)
        listener = nil
        gate = nil
    }

    /// Sends GOAWAY everywhere: no new streams. The clients close their connections.
    public func drain() {
        isDraining = true
        for connection in Array(connections.values) { connection.drain() }
    }

    /// Closes everything at once, for good.
    public func closeAll() {
        stopAccepting()
        ticker?.cancel()
        ticker = nil
        deadlineTimer?.task.cancel()
        deadlineTimer = nil
        for connection in Array(connections.values) { connection.close(.shutdown) }
    }

    // MARK: Deadlines of calls

    /// Deadlines that are acted on in one turn: some 20 ms of work.
    private static let deadlinesPerTurn = 1000
    /// A later deadline is looked at again after this: NIO's clock has an end.
    private static let longestWaitNanoseconds: UInt64 = 3_600_000_000_000

    func schedule(_ call: GRPCCall, inNanoseconds timeout: Int64) -> CallDeadlines.Entry {
        let (at, isOver) = eventLoop.now.uptimeNanoseconds.addingReportingOverflow(UInt64(max(0, timeout)))
        let entry = CallDeadlines.Entry(atNanoseconds: isOver ? .max : at, call: call)
        deadlines.insert(entry)
        setDeadlineTimer()
        return entry
    }

    func cancel(_ entry: CallDeadlines.Entry) { deadlines.remove(entry) }

    /// There is one timer for all calls, which may be too early: NIO takes a timer out by looking through all that it has.
    private func setDeadlineTimer() {
        guard let earliest = deadlines.earliestNanoseconds else { return }
        let now = eventLoop.now.uptimeNanoseconds
        let at = min(earliest, now + Self.longestWaitNanoseconds)
        if let deadlineTimer {
            if deadlineTimer.atNanoseconds <= at { return }
            deadlineTimer.task.cancel()
        }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let task = eventLoop.scheduleTask(in: .nanoseconds(Int64(at - min(at, now)))) {
            bound.value.deadlineTimer = nil
            bound.value.actOnDeadlines()
        }
        deadlineTimer = (at, task)
    }

    private func actOnDeadlines() {
        let now = eventLoop.now.uptimeNanoseconds
        for _ in 0..<Self.deadlinesPerTurn {
            guard let due = deadlines.popDue(nowNanoseconds: now) else { break }
            due.call?.deadlinePassed()
        }
        setDeadlineTimer()
    }

    // MARK: Turns of the event loop

    func flushSoon(_ connection: GRPCConnection) {
        unflushed.append(connection)
        guard unflushed.count == 1 else { return }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute { bound.value.flushAll() }
    }

    private func flushAll() {
        // Messages that flushing makes others queue go out in the next turn.
        let batch = unflushed
        unflushed.removeAll(keepingCapacity: true)
        for connection in batch { connection.flush() }
    }

    private func tick() {
        clock.advance(to: eventLoop.now.uptimeNanoseconds)
        guard !clock.isPaused else { return }
        let now = clock.nowNanoseconds
        budget.tick(nowNanoseconds: now)
        for connection in Array(connections.values) { connection.tick(nowNanoseconds: now) }
    }
}
