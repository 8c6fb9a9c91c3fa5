// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import TransportSecurity

/// Counters since the server's start, and a few present values (named so).
public struct GRPCStatistics: Sendable, Hashable {
    public internal(set) var connectionsAccepted = 0
    /// Connections from addresses that may not connect.
    public internal(set) var sourcesRefused = 0
    /// TLS handshakes that came to their end.
    public internal(set) var handshakes = 0
    /// Attempts to accept that failed for lack of descriptors or memory.
    public internal(set) var acceptsFailed = 0
    public internal(set) var messagesReceived = 0
    public internal(set) var messagesSent = 0
    /// On the wire, HTTP/2 framing included.
    public internal(set) var bytesReceived = 0
    public internal(set) var bytesSent = 0
    public internal(set) var keepalivePings = 0
    /// Present: bytes of messages that have not come in whole; the most there ever were.
    public internal(set) var assemblyBytes = 0
    public internal(set) var assemblyPeakBytes = 0

    private var handshakeFailures: [HandshakeFailure: Int] = [:]
    private var connections = [Int](repeating: 0, count: GRPCConnectionEnd.allCases.count)
    private var statuses = [Int](repeating: 0, count: GRPCStatusCode.count)
    private var refusals = [Int](repeating: 0, count: GRPCCallRefusal.allCases.count)

    public init() {}

    public func connectionsClosed(_ end: GRPCConnectionEnd) -> Int { connections[end.rawValue] }
    public func refused(_ refusal: GRPCCallRefusal) -> Int { refusals[refusal.rawValue] }

    public func handshakesFailed(_ failure: HandshakeFailure) -> Int { handshakeFailures[failure] ?? 0 }

    /// Calls that were answered with this status.
    public func callsEnded(_ code: GRPCStatusCode) -> Int {
        statuses.indices.contains(code.rawValue) ? statuses[code.rawValue] : 0
    }

    mutating func countClosed(_ end: GRPCConnectionEnd) { connections[end.rawValue] += 1 }
    mutating func countFailed(_ failure: HandshakeFailure) { handshakeFailures[failure, default: 0] += 1 }
    mutating func countRefused(_ refusal: GRPCCallRefusal) { refusals[refusal.rawValue] += 1 }

    mutating func countEnded(_ code: GRPCStatusCode) {
        // A service may make up codes; they count as UNKNOWN, which is what clients take them for.
        let index = statuses.indices.contains(code.rawValue) ? code.rawValue : GRPCStatusCode.unknown.rawValue
        statuses[index] += 1
    }
}
