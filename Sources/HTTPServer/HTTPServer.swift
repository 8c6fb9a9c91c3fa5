// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import NIOCore
import NIOPosix
import Platform
import TransportSecurity

/// An HTTP/1.1 server for GET and HEAD on one event loop; HTTP/1.0 is understood. Everything is called on that loop.
///
/// Request heads are parsed here and not by NIOHTTP1: its decoder hands on however many requests a client has sent
/// ahead, goes deaf after an `Upgrade` field (curl --http2 sends one), and tells a too long request line from too
/// many header fields and malformed input by one error; its encoder ends a chunked HEAD answer with a body.
public final class HTTPServer {
    /// TCP_NOTSENT_LOWAT of linux/tcp.h, the same on every architecture; Glibc's module does not show it.
    private static let unsentLowWaterOption: CInt = 25

    public let configuration: Configuration
    /// No more connections, and those that are there end with their present answer.
    public private(set) var isStopping = false
    /// No more connections, and those that are there end with one more answer.
    public private(set) var isRetiring = false
    /// Header fields of each answer, beside its own.
    public var additionalFields: [(String, String)] = []

    let eventLoop: any EventLoop
    let handler: any HTTPRequestHandler
    let logger: Logger
    var chunkBuffers: ChunkBufferPool
    var counts = HTTPStatistics()
    private var date = HTTPDate()
    private var listener: (any Channel)?
    private(set) var acceptGate: HTTPAcceptLimiter?
    private var connections: [ObjectIdentifier: HTTPConnection] = [:]
    private var connectionsOfSource: [NetworkSource: Int] = [:]
    /// Bytes of answers that were handed to channels and are not in the kernel yet.
    var unsentBytes = 0
    private var drainPromise: EventLoopPromise<Void>?

    public init(
        configuration: Configuration, eventLoop: any EventLoop, handler: any HTTPRequestHandler, logger: Logger
    ) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.handler = handler
        self.logger = logger
        chunkBuffers = ChunkBufferPool(capacityBytes: configuration.sliceBytes + Self.sliceHeadroomBytes)
    }

    /// Counters since the start.
    public var statistics: HTTPStatistics {
        var result = counts
        result.connectionsOpen = connections.count
        return result
    }

    public var connectionCount: Int { connections.count }

    /// Begins to accept from a listening, nonblocking socket, which may be shared with other processes. A duplicate of
    /// the descriptor is used: the caller's stays open, and the socket itself is never shut down.
    public func start(listeningDescriptor: Int32) -> EventLoopFuture<Void> {
        let descriptor = fcntl(listeningDescriptor, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else {
            return eventLoop.makeFailedFuture(IOError(errnoCode: errno, reason: "fcntl(F_DUPFD_CLOEXEC)"))
        }
        let gate = HTTPAcceptLimiter(server: self)
        acceptGate = gate
        let bound = NIOLoopBound((server: self, gate: gate), eventLoop: eventLoop)
        return ServerBootstrap(group: eventLoop)
            .serverChannelOption(.maxMessagesPerRead, value: HTTPAcceptLimiter.acceptsPerTurn)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(bound.value.gate)
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try bound.value.server.attach(channel)
                }
            }
            .withBoundSocket(descriptor)
            .assumeIsolated()
            .map { channel in
                _ = listen(descriptor, self.configuration.backlog)
                self.listener = channel
                if self.isStopping || self.isRetiring { channel.close(promise: nil) }
            }
            .nonisolated()
    }

    /// No more connections; those that are there go on, and each ends with its present answer.
    public func stopAccepting() {
        isStopping = true
        leaveListening()
    }

    private func leaveListening() {
        acceptGate?.stop()
        acceptGate = nil
        listener?.close(promise: nil)
        listener = nil
    }

    /// Another server accepts from the socket already: no new connections; each that is there goes on, and its next answer
    /// tells the client that it is the last. A client that keeps connections open so never finds one closed on which it
    /// has just asked something. The future succeeds when the last connection is gone; the caller bounds the time.
    public func retire() -> EventLoopFuture<Void> {
        isRetiring = true
        leaveListening()
        return whenEmpty()
    }

    /// Closes the connections that are not answering a request.
    public func closeIdle() {
        for connection in connections.values { connection.closeIfIdle(.shutdown) }
    }

    /// Cuts every connection, answers under way included.
    public func closeAll() {
        for connection in connections.values { connection.cut(.shutdown) }
    }

    /// Stops gracefully: no new connections, idle ones closed, the others end with their present answer. One that was
    /// accepted a moment ago has a request on its way, which is answered. The future succeeds when the last one is gone;
    /// the caller bounds the time and then calls `closeAll`.
    public func drain() -> EventLoopFuture<Void> {
        stopAccepting()
        for connection in connections.values where !connection.isNew { connection.closeIfIdle(.shutdown) }
        eventLoop.assumeIsolated().scheduleTask(in: HTTPConnection.graceOfTheNew) { [weak self] in self?.closeIdle() }
        return whenEmpty()
    }

    private func whenEmpty() -> EventLoopFuture<Void> {
        let promise = drainPromise ?? eventLoop.makePromise(of: Void.self)
        drainPromise = promise
        completeDrainIfEmpty()
        return promise.futureResult
    }

    private func completeDrainIfEmpty() {
        guard isStopping || isRetiring, connections.isEmpty else { return }
        drainPromise?.succeed()
    }
}

// MARK: For connections and the accepting side

extension HTTPServer {
    func attach(_ channel: any Channel) throws {
        let options = channel.syncOptions
        try options?.setOption(.allowRemoteHalfClosure, value: true)
        try options?.setOption(
            .writeBufferWaterMark,
            value: .init(low: configuration.lowWaterMarkBytes, high: configuration.highWaterMarkBytes))
        try options?.setOption(.recvAllocator, value: HTTPConnection.receiveAllocator)
        try options?.setOption(
            .tcpOption(.init(rawValue: Self.unsentLowWaterOption)), value: configuration.unsentLowWaterBytes)
        let security = configuration.security?()
        let connection = HTTPConnection(server: self, channel: channel, isSecured: security != nil)
        if let allowed = configuration.allowedSources, !allowed.contains(host: channel.remoteAddress?.ipAddress ?? "") {
            sourceRefused(connection.peer)
            // NIO closes a connection that cannot be set up.
            throw SourceRefused()
        }
        if let security {
            try security.secure(channel.pipeline.syncOperations, handshakeTimeout: handshakeTimeout) {
                [weak self, peer = connection.peer] in self?.handshakeEnded($0, peer: peer)
            }
        }
        try channel.pipeline.syncOperations.addHandler(connection)
        connections[ObjectIdentifier(connection)] = connection
        connectionsOfSource[connection.source, default: 0] += 1
        connection.isInReserve = !configuration.reservedPaths.isEmpty && !hasRoomForThoseThere
        counts.connectionsAccepted += 1
    }

    func connectionEnded(_ connection: HTTPConnection, cause: HTTPCloseCause) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        counts.connectionsClosed[cause, default: 0] += 1
        let rest = (connectionsOfSource[connection.source] ?? 1) - 1
        connectionsOfSource[connection.source] = rest > 0 ? rest : nil
        acceptGate?.resumeIfPossible()
        completeDrainIfEmpty()
    }

    /// An idle connection can be evicted, so accepting may go on.
    func connectionBecameIdle() {
        acceptGate?.resumeIfPossible()
    }

    /// Closes the connection that will be missed least; false when no connection can be closed.
    func evictOne() -> Bool { evictFirst(by: \.evictionRank) }

    /// Closes those that will be missed least until there is a place; false when there is still none.
    func makeRoom() -> Bool {
        while !hasRoom, evictOne() {}
        return hasRoom
    }

    /// Cuts the connection that takes its answer most slowly; false when none is slow.
    /// - Parameter holdsReport: whether only those count whose responder says that its body takes of a common budget.
    public func evictSlowReader(holdsReport: Bool = false) -> Bool {
        evictFirst { connection in
            guard !holdsReport || connection.exchange?.responder?.holdsReport == true else { return nil }
            return connection.slowReaderRank
        }
    }

    private func evictFirst(by rank: (HTTPConnection) -> EvictionRank?) -> Bool {
        guard let victim = first(by: rank) else { return false }
        victim.evict()
        return true
    }

    private func first(by rank: (HTTPConnection) -> EvictionRank?) -> HTTPConnection? {
        var victim: HTTPConnection?
        var best: EvictionRank?
        for connection in connections.values {
            guard let rank = rank(connection) else { continue }
            if let known = best, known <= rank { continue }
            best = rank
            victim = connection
        }
        return victim
    }

    var isShortOfMemory: Bool { unsentBytes > configuration.maximumUnsentBytes }

    var hasRoom: Bool { connections.count < configuration.maximumConnections }

    /// Whether nobody needs the reserve.
    var hasRoomForThoseThere: Bool { connections.count <= configuration.maximumConnections }

    /// Whether there is a place for a request of a reserved path.
    var hasReserve: Bool {
        !configuration.reservedPaths.isEmpty
            && connections.count < configuration.maximumConnections + configuration.reservedConnections
    }

    var canEvict: Bool { first(by: \.evictionRank) != nil }

    func isOverShare(_ source: NetworkSource) -> Bool {
        let share = Int(Double(configuration.maximumConnections) * configuration.placesShareOfSource)
        return connectionsOfSource[source] ?? 0 > share
    }

    func currentDate() -> String { date.now() }

    func received(byteCount: Int) { counts.bytesReceived += UInt64(byteCount) }
    func sent(byteCount: Int) { counts.bytesSent += UInt64(byteCount) }
    func rejected(_ cause: HTTPRejectionCause) { counts.rejections[cause, default: 0] += 1 }

    func ended(_ end: HTTPRequestEnd) {
        counts.requests[end.status, default: 0] += 1
        configuration.onRequestEnd?(end)
    }
}
