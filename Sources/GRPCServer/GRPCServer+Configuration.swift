// SPDX-License-Identifier: Apache-2.0
import Platform

extension GRPCServer {
    /// Limits of the server and their times. Times count only while the server reads (see ``StallFreeClock``).
    public struct Configuration: Sendable {
        /// Where connections may come from; nil: anywhere. Others are closed before anything is read of them.
        public var allowedSources: AddressRanges?
        /// Of TLS handshakes.
        var handshakes = HandshakeAdmission.Limits()
        /// A longer message ends its stream with `RESOURCE_EXHAUSTED`. The agents themselves send no more than this.
        public var maxMessageBytes = 32 << 20
        /// Concurrent streams a connection: seven an agent, many agents behind one proxy.
        public var maxConcurrentStreams = 1024
        /// Silence after which a connection is asked for a sign of life.
        public var keepaliveIdle = Duration.seconds(30)
        /// How long it may take to give one; a frozen peer is found this way, its kernel keeps the connection up.
        public var keepaliveTimeout = Duration.seconds(20)
        /// From accept, or from the end of its TLS handshake, to the peer's first SETTINGS; a handshake has as long. A peer that only opens connections must not keep them.
        public var prefaceTimeout = Duration.seconds(10)
        /// After this a connection is closed that has had no call of anybody whom the service knows
        /// (``GRPCCall/keepsConnection``): its descriptor is not for keeping. An agent calls within moments of connecting,
        /// and one that was refused comes back after 5 s, on a new connection.
        public var idleTimeout = Duration.seconds(30)
        /// The same when descriptors or memory for new connections are short: those who wait are more likely to be agents.
        public var idleTimeoutWhenShort = Duration.seconds(5)
        /// Connections of one address on which nobody known calls; for one more the one that has been so for longest is
        /// closed. Above what the largest fleet behind one address has at a moment when it reconnects: a thousand agents
        /// that have connected and not registered yet, four times over.
        public var maxStrangersOfSource = 4096
        /// The same of all addresses together, where one of the address that has most is closed: a connection costs some
        /// 20 KiB.
        public var maxStrangers = 16_384
        /// Memory reserved for half-received messages over all connections, beyond which each connection has its share. At
        /// least twice `maxMessageBytes` is taken. See ``AssemblyBudget`` for what bounds it at twice this.
        public var assemblyBudgetBytes = 64 << 20
        /// With the budget used up, the message whose turn it is must be complete within this time, or the largest holders
        /// of messages older than this are cut back.
        public var assemblyStallTimeout = Duration.seconds(2)
        /// Bytes to be sent that may wait on one connection, socket buffers not counted. All that the proxy sends to an
        /// agent are requests of some ten bytes: who lets this much pile up does not read.
        public var maxQueuedBytes = 1 << 20
        /// Frames other than DATA that may wait on one connection after the socket has taken what it can.
        public var maxQueuedFrames = 4096
        /// Bytes that a stream may have under way, and those while a message larger than that comes in.
        public var streamWindowBytes = 64 << 10
        public var raisedStreamWindowBytes = 256 << 10
        /// The same for a connection.
        public var connectionWindowBytes = 256 << 10
        public var raisedConnectionWindowBytes = 4 << 20
        /// Frames that carry nothing (PING, SETTINGS, WINDOW_UPDATE, …): at once, and more each second.
        public var controlFrameBurst = 20_000
        public var controlFramesPerSecond = 2000
        /// Frames that break the protocol without ending the connection, and resets that these cause.
        public var badFrameBurst = 200
        public var badFramesPerSecond = 20
        /// Calls that the peer cancels (rapid reset, CVE-2023-44487), or that are refused. A call costs some 20 µs.
        public var resetBurst = 4096
        public var resetsPerSecond = 500
        /// A finished call whose last bytes the peer does not take is reset after this.
        public var lingerTimeout = Duration.seconds(10)
        /// From the first GOAWAY of a drain to the final one, when the peer does not answer the PING between them.
        public var goAwayTimeout = Duration.seconds(1)

        public init() {}
    }
}

extension Duration {
    /// In nanoseconds, at least 0 and at most `Int64.max`.
    var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, isOver) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        guard !isOver, product < UInt64(Int64.max) - 1_000_000_000 else { return UInt64(Int64.max) }
        return product + UInt64(attoseconds) / 1_000_000_000
    }
}
