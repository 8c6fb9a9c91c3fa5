// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import HTTP2
import Logging
import NIOCore
import Platform
import TransportSecurity

/// One client's connection. Lives on the server's event loop.
public final class GRPCConnection {
    /// Unique in the server's life.
    public let id: UInt64
    /// The client's address, `1.2.3.4:567` or `[::1]:567`.
    public let peer: String
    /// The source that limits per source count it to.
    public let source: NetworkSource
    /// nil: it is without TLS.
    public let security: Security?
    /// Why it was closed; nil while it is open.
    public internal(set) var end: GRPCConnectionEnd?

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
            if end == nil {
                server.strangers.changed(source, wasStranger: oldValue == 0, isStranger: keepingCalls == 0)
            }
        }
    }
    /// Calls that were ended because of something that the client did.
    var refusedCalls = 0
    /// Its unfinished messages.
    let assembly: AssemblyHolder
    /// Whether the client's bytes are read.
    var isReadingEnabled: Bool { isReading }

    unowned let server: GRPCServer
    let channel: any Channel
    var calls: [Int32: GRPCCall] = [:]
    /// The present work: nghttp2 is not entered again from one of its callbacks.
    var activity = Activity.idle
    var isFlushScheduled = false
    var isReading = true
    var isDraining = false
    var hasPeerGoneAway = false
    /// To be closed as soon as nghttp2 has returned.
    var pendingEnd: GRPCConnectionEnd?

    var openedNanoseconds: UInt64
    /// Since when there has been no call for which it is kept.
    var idleSinceNanoseconds: UInt64
    var pausedSinceNanoseconds: UInt64 = 0
    var hasSpokenHTTP2 = false
    var keepalive: Keepalive
    var abuse: AbuseGuard
    var pings: [UInt64: Ping] = [:]
    private var nextPing: UInt64 = 1

    /// The outcome of a TLS handshake.
    public struct Security {
        /// The names in its certificate, which a known authority has signed; nil: it has presented none.
        public let peerNames: [CertificateName]?
    }

    enum Activity {
        case idle
        case receiving
        case flushing
    }

    struct Ping {
        var deadlineNanoseconds: UInt64
        var done: (Bool) -> Void
    }

    init(
        id: UInt64, channel: any Channel, server: GRPCServer, security: Security? = nil
    ) throws(HTTP2SessionError) {
        let configuration = server.configuration
        var sessionConfiguration = HTTP2Configuration(role: .server)
        sessionConfiguration.streamWindowBytes = configuration.streamWindowBytes
        sessionConfiguration.connectionWindowBytes = configuration.connectionWindowBytes
        sessionConfiguration.maxConcurrentStreams = configuration.maxConcurrentStreams
        session = try HTTP2Session(configuration: sessionConfiguration)
        self.id = id
        self.channel = channel
        self.server = server
        self.security = security
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

    static func describe(_ address: SocketAddress?) -> String {
        guard let address, let port = address.port, let host = address.ipAddress else { return "unknown" }
        return AddressText.text(host: host, port: port)
    }

    private func largeMessagesChanged(from old: Int) {
        if old == 0, largeMessages > 0 {
            session.setWindow(of: nil, bytes: server.configuration.raisedConnectionWindowBytes)
        } else if old > 0, largeMessages == 0 {
            session.setWindow(of: nil, bytes: server.configuration.connectionWindowBytes)
        }
    }
}
