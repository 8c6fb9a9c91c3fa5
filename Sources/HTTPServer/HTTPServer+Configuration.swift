// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Platform
import TransportSecurity

extension HTTPServer {
    /// Limits and timeouts, and where finished requests are reported.
    public struct Configuration {
        public var limits = HTTPRequestLimits()

        /// Longest time from the connection's start, or a request's first byte, until its head is complete. Zero:
        /// no limit.
        public var readTimeout = TimeAmount.seconds(10)

        /// Longest time without progress in writing an answer, however long the whole answer takes. Progress is that
        /// the kernel has taken bytes; `unsentLowWaterBytes` says how fine that is. Zero: no limit.
        public var writeTimeout = TimeAmount.seconds(10)

        /// How long a connection is kept without a request; longer than the usual scrape intervals.
        public var idleTimeout = TimeAmount.minutes(2)

        /// How long the server, having closed its side, throws away what the client still sends: a close with unread
        /// input would make the kernel reset the connection, and the client could lose the answer (RFC 9112 section
        /// 9.6).
        public var lingerTimeout = TimeAmount.seconds(2)

        /// Most connections at one time; for one more the longest idle one is closed. Each may hold
        /// `highWaterMarkBytes` and a chunk for a slow reader, and one descriptor.
        public var maximumConnections = 1024

        /// Places beyond `maximumConnections`, for requests of `reservedPaths` when no connection can be closed for them. Anything else that
        /// is asked on such a connection is answered with 503.
        public var reservedConnections = 32

        /// Paths that are answered however many others wait: what monitors and probes ask.
        public var reservedPaths: Set<String> = []

        /// The part of the places that one source may hold while somebody waits for a place: when it holds more, it is
        /// its connections that are closed. A half, because all clients may be behind one address.
        public var placesShareOfSource = 0.5

        /// Bytes of answers that wait for the kernel to take them, of all connections together. Beyond that the slowest
        /// readers are cut, and what is made for the others is made in small pieces, one at a time.
        public var maximumUnsentBytes = 128 * 1024 * 1024

        /// Bodies are made while fewer than `highWaterMarkBytes` wait to be sent, and again from `lowWaterMarkBytes`
        /// on.
        public var lowWaterMarkBytes = 256 * 1024
        public var highWaterMarkBytes = 512 * 1024

        /// The number of bytes that a body producer is asked for at a time. With `sliceHeadroomBytes` it makes 256 KiB, a size that NIO's
        /// buffers have exactly.
        public var sliceBytes = 240 * 1024

        /// Unsent bytes that the kernel keeps for a connection (TCP_NOTSENT_LOWAT). Without it the kernel takes some
        /// MiB and asks for more only when a third of them is gone, which a client on a slow line may need longer for
        /// than the write timeout; and that memory is outside every limit here.
        public var unsentLowWaterBytes = 256 * 1024

        /// Length of the listening socket's queue. NIO sets it to 128 when it takes the socket over; it is set anew
        /// because scrapes wait in it while an exporter is restarted. The kernel caps it at `net.core.somaxconn`.
        public var backlog: Int32 = 4096

        /// TLS for connections that are accepted from now on; nil, or an answer of nil: plain HTTP. Asked for each.
        public var security: (() -> TLSServerContext?)?

        /// Where connections may come from; nil: anywhere. Others are closed before anything is read of them.
        public var allowedSources: AddressRanges?

        /// Called before each piece of an answer is made, on the event loop: hundreds of answers may begin in one turn, and
        /// the owner may have to show meanwhile that it lives.
        public var onWork: (() -> Void)?

        /// Called once for each request that was answered, refused or cut, on the event loop.
        public var onRequestEnd: ((HTTPRequestEnd) -> Void)?

        public init() {}
    }

    /// Room behind the slice for a producer that goes a little beyond its target (a line, a gzip block).
    static let sliceHeadroomBytes = 16 * 1024
}

/// How a request ended.
public struct HTTPRequestEnd: Sendable {
    /// The decoded path; nil when the request was refused before its target was understood.
    public var path: String?

    /// The status of the answer, 0 when it was cut before there was one.
    public var status: Int

    /// From the completed request head to the last byte's way into the socket.
    public var durationNanoseconds: UInt64

    /// Bytes handed to the socket, head included.
    public var bytesSent: Int

    /// False when the connection ended before the answer was complete.
    public var isComplete: Bool
}
