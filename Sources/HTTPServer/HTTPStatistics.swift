// SPDX-License-Identifier: Apache-2.0
import TransportSecurity

/// Why a connection ended. The raw values are metric label values.
public enum HTTPCloseCause: String, CaseIterable, Sendable {
    /// The client closed it.
    case client
    /// The connection was reset or failed.
    case reset
    /// After its last answer, as asked for by the client or needed by the protocol.
    case finished
    /// No request for the idle timeout.
    case idleTimeout = "idle_timeout"
    /// A request's head was not complete in time.
    case readTimeout = "read_timeout"
    /// The client did not take its answer.
    case writeTimeout = "write_timeout"
    /// A body producer failed; the answer was cut.
    case bodyFailed = "body_failed"
    /// Closed to make room for another connection.
    case evicted
    /// The same, and it was taking its answer slowly; or the answers on their way took too much memory.
    case slowReader = "slow_reader"
    /// The server is stopping.
    case shutdown
}

/// Counters of the server since its start. Counters only grow.
public struct HTTPStatistics: Sendable {
    public internal(set) var connectionsOpen = 0
    public internal(set) var connectionsAccepted: UInt64 = 0
    public internal(set) var connectionsClosed: [HTTPCloseCause: UInt64] = [:]

    /// Answers by status; those that were cut before the status was sent are under 0.
    public internal(set) var requests: [Int: UInt64] = [:]

    /// Requests that the server refused by itself; they are in `requests` too.
    public internal(set) var rejections: [HTTPRejectionCause: UInt64] = [:]

    /// TLS handshakes that came to their end.
    public internal(set) var handshakes: UInt64 = 0

    public internal(set) var handshakeFailures: [HandshakeFailure: UInt64] = [:]

    /// Connections that were closed for the address they came from.
    public internal(set) var sourcesRefused: UInt64 = 0

    public internal(set) var bytesReceived: UInt64 = 0

    /// Bytes handed to the sockets.
    public internal(set) var bytesSent: UInt64 = 0

    public init() {}
}
