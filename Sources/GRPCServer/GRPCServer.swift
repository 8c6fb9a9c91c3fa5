// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import Glibc
import HTTP2
import Logging
import NIOCore
import NIOPosix
import Platform
import TransportSecurity

/// A gRPC server on one event loop, on which everything here is to be called: HTTP/2 with prior knowledge or over TLS, streams
/// of messages in both directions, no compression. It knows nothing of what the messages mean.
public final class GRPCServer {
    public let configuration: Configuration
    public let eventLoop: any EventLoop

    let service: any GRPCService
    let pool = BufferPool()
    let budget: AssemblyBudget
    private(set) var clock: StallFreeClock

    let logger: Logger
    /// TLS handshakes under way, by the ids that their connections will have.
    var handshakes: [UInt64: Handshake] = [:] {
        didSet { onConnectionCount(takenCount) }
    }
    var admission: HandshakeAdmission
    var told = ToldSources()
    private let readBuffer = SharedReadBuffer()
    private var counters = GRPCStatistics()
    private var connections: [UInt64: GRPCConnection] = [:]
    var strangers = StrangerCounts()
    private var nextConnectionID: UInt64 = 1
    private var unflushed: [GRPCConnection] = []
    private var listeners: [(channel: any Channel, gate: AcceptLimiter)] = []
    private var ticker: RepeatedTask?
    var deadlines = CallDeadlines()
    var deadlineTimer: (atNanoseconds: UInt64, task: Scheduled<Void>)?
    private var isDraining = false
    private var acceptsNoMore = false
    private var leavesConnections = false

    struct Handshake {
        let channel: any Channel
        let source: NetworkSource
    }

    /// How finely time is told: keepalive, pings, stalls.
    static let tick = TimeAmount.milliseconds(250)

    /// Called with ``takenCount`` whenever it has changed.
    public var onConnectionCount: (Int) -> Void = { _ in }
    /// Asked before connections are taken from a socket that other processes take from as well.
    public var share: () -> AcceptShare = { .alone }

    public init(
        configuration: Configuration, eventLoop: any EventLoop, service: any GRPCService,
        logger: Logger = Logger(label: "fodc.grpc")
    ) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.service = service
        self.logger = logger
        admission = HandshakeAdmission(configuration.handshakes)
        clock = StallFreeClock(monotonicNanoseconds: eventLoop.now.uptimeNanoseconds)
        budget = AssemblyBudget(
            limitBytes: max(configuration.assemblyBudgetBytes, 2 * configuration.maxMessageBytes),
            stallNanoseconds: configuration.assemblyStallTimeout.wholeNanoseconds)
        budget.onPressureChange = { [unowned self] in updateReading() }
    }

    public var connectionCount: Int { connections.count }

    /// Connections, and those that are in the middle of their TLS handshake: a burst of these counts as taken at once, or one
    /// worker would take all of it.
    public var takenCount: Int { connections.count + handshakes.count }

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
    /// server works on a duplicate. May be called for several sockets.
    ///
    /// - Parameter security: asked for each connection; nil: they are without TLS.
    public func start(
        listeningDescriptor: Int32, security: (() -> TLSServerContext)? = nil
    ) -> EventLoopFuture<Void> {
        eventLoop.preconditionInEventLoop()
        let descriptor = fcntl(listeningDescriptor, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else {
            return eventLoop.makeFailedFuture(IOError(errnoCode: errno, reason: "dup of the listening socket"))
        }
        let bound = NIOLoopBound((server: self, security: security), eventLoop: eventLoop)
        let gate = NIOLoopBound(
            AcceptLimiter(server: self, descriptor: descriptor, logger: logger), eventLoop: eventLoop)
        return ServerBootstrap(group: eventLoop)
            .serverChannelOption(.maxMessagesPerRead, value: AcceptLimiter.acceptsPerTurn)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(gate.value)
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 32 << 10, high: 128 << 10))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try bound.value.server.accepted(channel, security: bound.value.security?())
                }
            }
            .withBoundSocket(descriptor)
            .map { channel in
                // NIO's `listen` has set the queue of the shared socket to its own default of 128; a thousand agents
                // reconnect at once.
                listen(descriptor, SOMAXCONN)
                bound.value.server.listening(on: channel, gate.value)
            }
    }

    private func listening(on channel: any Channel, _ gate: AcceptLimiter) {
        guard !acceptsNoMore else { return channel.close(promise: nil) }
        listeners.append((channel, gate))
        gate.isPaused = clock.isPaused || leavesConnections
        if ticker == nil { startTicking() }
    }

    func startTicking() {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        ticker = eventLoop.scheduleRepeatedTask(initialDelay: GRPCServer.tick, delay: GRPCServer.tick) { _ in
            bound.value.tick()
        }
    }

    func takeConnectionID() -> UInt64 {
        defer { nextConnectionID += 1 }
        return nextConnectionID
    }

    /// - Parameters:
    ///   - id: that it has had since its handshake began.
    ///   - security: nil: it is without TLS.
    func attach(_ channel: any Channel, id: UInt64? = nil, security: GRPCConnection.Security? = nil) throws {
        let connection = try GRPCConnection(
            id: id ?? takeConnectionID(), channel: channel, server: self, security: security)
        if security == nil {
            try channel.syncOptions?.setOption(
                .recvAllocator, value: SharedReadBufferAllocator(readBuffer, eventLoop: eventLoop))
        }
        // Bytes that TLS has decrypted come in buffers of their own.
        try channel.pipeline.syncOperations.addHandler(
            ConnectionHandler(connection: connection, readBuffer: security == nil ? readBuffer : nil))
        connections[connection.id] = connection
        counters.connectionsAccepted += 1
        strangers.changed(connection.source, wasStranger: false, isStranger: true)
        closeCrowded()
        onConnectionCount(takenCount)
        connection.setReading(mayRead(connection))
        if isDraining { connection.drain() }
        // Without TLS the channel becomes active in a moment.
        if security != nil { connection.scheduleFlush() }
    }

    func closed(_ connection: GRPCConnection, _ cause: GRPCConnectionEnd) {
        connections[connection.id] = nil
        strangers.changed(connection.source, wasStranger: connection.keepingCalls == 0, isStranger: false)
        onConnectionCount(takenCount)
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
        if let handshake = admission.crowdOut() { crowdOut(handshake) }
    }

    /// Closes connections that nobody known uses, while an address has, or all have, more of them than they may.
    private func closeCrowded() {
        while let source = strangers.crowd(
            limitOfSource: configuration.maxStrangersOfSource, limit: configuration.maxStrangers)
        {
            let crowd = connections.values.lazy.filter { $0.keepingCalls == 0 && $0.source == source }
            let oldest = crowd.min { ($0.idleSinceNanoseconds, $0.id) < ($1.idleSinceNanoseconds, $1.id) }
            guard let oldest else { return }
            oldest.close(.crowded)
            // In the middle of its own work it goes a moment later.
            guard oldest.end != nil else { return }
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
        updateGates()
        for connection in connections.values { connection.setReading(mayRead(connection)) }
    }

    func mayRead(_ connection: GRPCConnection) -> Bool {
        !clock.isPaused && budget.mayRead(connection.assembly)
    }

    // MARK: Ending

    /// False: connections wait in the listening socket for whoever else reads it, until this is true again.
    public func setAccepting(_ isAccepting: Bool) {
        leavesConnections = !isAccepting
        updateGates()
    }

    private func updateGates() {
        for listener in listeners { listener.gate.isPaused = clock.isPaused || leavesConnections }
    }

    /// ``share`` may have changed.
    public func shareChanged() {
        for listener in listeners { listener.gate.shareChanged() }
    }

    /// Takes no more connections, for good; those that are there go on. A peer that waits in the listening socket waits for
    /// whoever else reads it: only this process's descriptor of it is closed.
    public func stopAccepting() {
        acceptsNoMore = true
        for listener in listeners { listener.channel.close(promise: nil) }
        listeners = []
    }

    /// Sends GOAWAY everywhere: no new streams. The clients close their connections.
    public func drain() {
        isDraining = true
        endHandshakes()
        for connection in Array(connections.values) { connection.drain() }
    }

    /// Closes everything at once, for good.
    public func closeAll() {
        stopAccepting()
        ticker?.cancel()
        ticker = nil
        deadlineTimer?.task.cancel()
        deadlineTimer = nil
        endHandshakes()
        for connection in Array(connections.values) { connection.close(.shutdown) }
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
