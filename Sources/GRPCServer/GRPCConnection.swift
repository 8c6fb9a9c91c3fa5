// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import HTTP2
import Logging
import NIOCore
import Platform

/// One client's connection. Lives on the server's event loop.
public final class GRPCConnection {
    /// Unique in the server's life.
    public let id: UInt64
    /// The client's address, `1.2.3.4:567` or `[::1]:567`.
    public let peer: String
    /// What limits per source count it to.
    public let source: NetworkSource
    /// Why it was closed; nil while it is open.
    public private(set) var end: GRPCConnectionEnd?

    let session: HTTP2Session
    /// Messages under way that are larger than a stream's basic window.
    var largeMessages = 0 {
        didSet { largeMessagesChanged(from: oldValue) }
    }

    /// Calls that are finished but not closed: their last bytes are not sent.
    var finishedCalls = 0
    /// Calls for which the connection is kept.
    var keepingCalls = 0 {
        didSet {
            if keepingCalls == 0 { idleSinceNanoseconds = server.clock.nowNanoseconds }
            assembly.isStranger = keepingCalls == 0
        }
    }
    /// Calls that were ended because of something that the client did.
    var refusedCalls = 0
    /// Its unfinished messages.
    let assembly: AssemblyHolder
    /// What the client sends is read.
    var mayBeHeard: Bool { isReading }

    private unowned let server: GRPCServer
    private let channel: any Channel
    private var calls: [Int32: GRPCCall] = [:]
    private var isReceiving = false
    private var isFlushing = false
    private var isFlushScheduled = false
    private var isReading = true
    private var isDraining = false
    private var hasPeerGoneAway = false
    /// To be closed as soon as nghttp2 has returned.
    private var pendingEnd: GRPCConnectionEnd?

    private var openedNanoseconds: UInt64
    /// Since when there has been no call for which it is kept.
    private var idleSinceNanoseconds: UInt64
    private var unheardSinceNanoseconds: UInt64 = 0
    private var hasSpokenHTTP2 = false
    private var keepalive: Keepalive
    private var abuse: AbuseGuard
    private var pings: [UInt64: Ping] = [:]
    private var nextPing: UInt64 = 1

    private struct Ping {
        var deadlineNanoseconds: UInt64
        var done: (Bool) -> Void
    }

    init(id: UInt64, channel: any Channel, server: GRPCServer) throws(HTTP2SessionError) {
        let configuration = server.configuration
        var sessionConfiguration = HTTP2Configuration(role: .server)
        sessionConfiguration.streamWindowBytes = configuration.streamWindowBytes
        sessionConfiguration.connectionWindowBytes = configuration.connectionWindowBytes
        sessionConfiguration.maxConcurrentStreams = configuration.maxConcurrentStreams
        session = try HTTP2Session(configuration: sessionConfiguration)
        self.id = id
        self.channel = channel
        self.server = server
        peer = GRPCConnection.describe(channel.remoteAddress)
        source = channel.remoteAddress?.ipAddress.map(NetworkSource.init(host:)) ?? .unknown
        assembly = AssemblyHolder(address: source)
        openedNanoseconds = server.clock.nowNanoseconds
        idleSinceNanoseconds = server.clock.nowNanoseconds
        keepalive = Keepalive(
            idleNanoseconds: configuration.keepaliveIdle.wholeNanoseconds,
            timeoutNanoseconds: configuration.keepaliveTimeout.wholeNanoseconds,
            nowNanoseconds: server.clock.nowNanoseconds)
        abuse = AbuseGuard(configuration)
        session.delegate = self
    }

    /// Asks the client for a sign of life. `done` gets false when none came in time or the connection ended before.
    public func ping(timeout: Duration, _ done: @escaping (Bool) -> Void) {
        guard end == nil else { return done(false) }
        let payload = nextPing
        nextPing += 1
        pings[payload] = Ping(
            deadlineNanoseconds: server.clock.nowNanoseconds + timeout.wholeNanoseconds, done: done)
        session.ping(payload: payload)
        scheduleFlush()
    }

    /// Ends the connection and with it all its calls.
    public func close() { close(.service) }

    private static func describe(_ address: SocketAddress?) -> String {
        guard let address, let port = address.port, let host = address.ipAddress else { return "unknown" }
        return AddressText.text(host: host, port: port)
    }
}

// MARK: - The socket's side

extension GRPCConnection {
    func received(_ bytes: RawSpan) {
        guard end == nil, pendingEnd == nil else { return }
        server.statistics.bytesReceived += bytes.byteCount
        keepalive.heard(nowNanoseconds: server.clock.nowNanoseconds)
        isReceiving = true
        do {
            try session.receive(bytes)
        } catch {
            pendingEnd = GRPCConnection.end(of: error)
        }
        isReceiving = false
        if !abuse.bears(session.counters, refusedCalls: refusedCalls, nowNanoseconds: server.clock.nowNanoseconds) {
            session.terminate(.enhanceYourCalm)
            pendingEnd = pendingEnd ?? .abuse
        }
    }

    /// Sends what there is, as far as the socket takes it, and closes what has come to its end.
    func flush() {
        isFlushScheduled = false
        guard end == nil, !isFlushing, !isReceiving else { return }
        isFlushing = true
        writeAll()
        isFlushing = false
        if let pendingEnd {
            close(pendingEnd)
        } else if session.queuedBytes > server.configuration.maxQueuedBytes
            || session.queuedFrames > server.configuration.maxQueuedFrames
        {
            close(.slowReader)
        } else if session.isFinished, !isWaitingForPeer {
            close(session.hasFailed ? .protocolError : isDraining ? .drained : hasPeerGoneAway ? .peer : .protocolError)
        }
    }

    /// Everything is said, and the peer is to close: it may be opening a stream at this moment, and would find the connection
    /// broken instead of refusing.
    private var isWaitingForPeer: Bool { isDraining && !session.hasFailed && !hasPeerGoneAway }

    /// How many bytes are handed to the socket at once.
    private static let writeBytes = 64 << 10
    /// What most answers fit into: WINDOW_UPDATE, PING, a request of some bytes.
    private static let smallWriteBytes = 256

    private func writeAll() {
        var hasWritten = false
        while channel.isWritable {
            var buffer = channel.allocator.buffer(capacity: GRPCConnection.smallWriteBytes)
            do {
                try session.send(into: &buffer, upTo: GRPCConnection.writeBytes)
            } catch {
                pendingEnd = GRPCConnection.end(of: error)
            }
            guard buffer.readableBytes > 0 else { break }
            server.statistics.bytesSent += buffer.readableBytes
            channel.write(buffer, promise: nil)
            hasWritten = true
        }
        if hasWritten { channel.flush() }
    }

    /// At the end of this turn of the event loop, so that everything that it makes goes out together.
    func scheduleFlush() {
        // After a read the handler flushes anyway.
        guard end == nil, !isFlushScheduled, !isReceiving else { return }
        isFlushScheduled = true
        server.flushSoon(self)
    }

    /// The channel is gone.
    func disconnected() { close(isDraining ? .drained : .peer) }

    /// At the hard limit of the budget for unfinished messages a connection that holds more than its share is not read.
    func updateReading() { setReading(server.mayRead(self)) }

    func setReading(_ shouldRead: Bool) {
        guard end == nil, shouldRead != isReading else { return }
        isReading = shouldRead
        let now = server.clock.nowNanoseconds
        if shouldRead {
            // Nobody could hear the peer in the meantime.
            keepalive.heard(nowNanoseconds: now)
            let unheardNanoseconds = now.elapsed(since: unheardSinceNanoseconds)
            openedNanoseconds += unheardNanoseconds
            idleSinceNanoseconds += unheardNanoseconds
            for payload in pings.keys { pings[payload]?.deadlineNanoseconds += unheardNanoseconds }
        } else {
            unheardSinceNanoseconds = now
        }
        channel.setReading(shouldRead)
    }

    /// Sends the client elsewhere as RFC 9113, section 6.8 says: a GOAWAY that lets streams come which are on their way, and
    /// the final one when the client has answered a PING that follows it. The client closes the connection.
    public func drain() {
        guard end == nil, !isDraining else { return }
        isDraining = true
        session.announceGoAway()
        scheduleFlush()
        // nghttp2 sends a PING ahead of what waits, so it is made when the GOAWAY has left.
        let bound = NIOLoopBound(self, eventLoop: server.eventLoop)
        server.eventLoop.execute { bound.value.endDraining() }
    }

    private func endDraining() {
        ping(timeout: server.configuration.goAwayTimeout) { [weak self] _ in
            guard let self, end == nil else { return }
            session.goAway(.noError)
            scheduleFlush()
        }
    }

    /// Closes at once, or, while nghttp2 is running, right after it.
    func close(_ cause: GRPCConnectionEnd) {
        guard end == nil else { return }
        if isReceiving || isFlushing {
            pendingEnd = pendingEnd ?? cause
            scheduleFlush()
            return
        }
        end = cause
        if let error = cause.farewell { session.terminate(error) }
        if channel.isActive { writeAll() }
        server.closed(self, cause)
        session.abandon(.internalError)
        let pings = pings
        self.pings = [:]
        for payload in pings.keys.sorted() { pings[payload]?.done(false) }
        channel.close(promise: nil)
    }

    private static func end(of error: any Error) -> GRPCConnectionEnd {
        switch error as? HTTP2SessionError {
        case .badPreface: .badPreface
        case .flooded: .abuse
        default: .internalError
        }
    }
}

// MARK: - Time

extension GRPCConnection {
    /// Called by the server's tick.
    func tick(nowNanoseconds: UInt64) {
        guard end == nil, isReading else { return }
        if !hasSpokenHTTP2 {
            if nowNanoseconds.elapsed(since: openedNanoseconds) >= server.configuration.prefaceTimeout.wholeNanoseconds
            {
                close(.prefaceTimeout)
            }
            return
        }
        if isIdle(for: server.configuration.idleTimeout, nowNanoseconds: nowNanoseconds) { return close(.idle) }
        switch keepalive.check(nowNanoseconds: nowNanoseconds) {
        case .none: break
        case .ping:
            server.statistics.keepalivePings += 1
            session.ping(payload: 0)
            scheduleFlush()
        case .dead: return close(.keepalive)
        }
        for (payload, ping) in pings where nowNanoseconds >= ping.deadlineNanoseconds {
            pings[payload] = nil
            ping.done(false)
        }
        if finishedCalls > 0 { resetLingering(nowNanoseconds: nowNanoseconds) }
    }

    /// Whether for so long there has been no call of anybody whom the service knows.
    func isIdle(for time: Duration, nowNanoseconds: UInt64) -> Bool {
        isReading && keepingCalls == 0
            && nowNanoseconds.elapsed(since: idleSinceNanoseconds) >= time.wholeNanoseconds
    }

    private func resetLingering(nowNanoseconds: UInt64) {
        let limit = server.configuration.lingerTimeout.wholeNanoseconds
        for call in calls.values {
            guard let finished = call.finishedNanoseconds, nowNanoseconds.elapsed(since: finished) >= limit else {
                continue
            }
            session.reset(call.stream, .cancel)
            scheduleFlush()
        }
    }

    private func largeMessagesChanged(from old: Int) {
        if old == 0, largeMessages > 0 {
            session.setWindow(of: nil, bytes: server.configuration.raisedConnectionWindowBytes)
        } else if old > 0, largeMessages == 0 {
            session.setWindow(of: nil, bytes: server.configuration.connectionWindowBytes)
        }
    }
}

// MARK: - The session's side

extension GRPCConnection: HTTP2SessionDelegate {
    public func session(_ session: HTTP2Session, opened stream: HTTP2Stream, headers: HTTP2Headers) {
        switch GRPCRequest.judge(headers) {
        case .refusedHTTP(let answer, let refusal):
            server.statistics.countRefused(refusal)
            session.respond(stream, answer, isEnd: true)
        case .refused(let status, let refusal):
            let request = GRPCRequest(path: "", timeoutNanoseconds: nil, metadata: [:])
            makeCall(request, stream).fail(status, refusal)
        case .accepted(let request):
            accept(request, stream)
        }
    }

    private func accept(_ request: GRPCRequest, _ stream: HTTP2Stream) {
        let call = makeCall(request, stream)
        let handler = server.service.open(call)
        call.forgetMetadata()
        if let handler {
            call.open(handler, timeoutNanoseconds: request.timeoutNanoseconds)
        } else {
            call.fail(GRPCStatus(.unimplemented, "unknown method \(request.path)"), .unknownPath)
        }
    }

    private func makeCall(_ request: GRPCRequest, _ stream: HTTP2Stream) -> GRPCCall {
        let call = GRPCCall(request: request, stream: stream, connection: self, server: server)
        stream.delegate = call
        calls[stream.id] = call
        return call
    }

    func removed(_ call: GRPCCall) {
        calls[call.stream.id] = nil
        if call.finishedNanoseconds != nil { finishedCalls -= 1 }
    }

    public func session(_ session: HTTP2Session, receivedPingAnswer payload: UInt64) {
        pings.removeValue(forKey: payload)?.done(true)
    }

    public func session(_ session: HTTP2Session, receivedGoAway error: HTTP2ErrorCode, lastStreamID: Int32) {
        hasPeerGoneAway = true
    }

    public func sessionReceivedSettings(_ session: HTTP2Session) { hasSpokenHTTP2 = true }
}
