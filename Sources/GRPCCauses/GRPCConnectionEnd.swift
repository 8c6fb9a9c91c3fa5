// SPDX-License-Identifier: Apache-2.0

/// Why a connection of an agent was closed, in the order of the ring's counters.
public enum GRPCConnectionEnd: Int, Sendable, CaseIterable {
    /// The peer closed it, or the network did.
    case peer
    /// The first bytes were not HTTP/2.
    case badPreface
    /// They did not come in time.
    case prefaceTimeout
    /// No sign of life within the keepalive timeout.
    case keepalive
    /// The peer broke HTTP/2, and was told so by GOAWAY.
    case protocolError
    /// Header blocks cut into too many CONTINUATION frames, too many settings, or answers to PING and SETTINGS that are
    /// not read.
    case abuse
    /// Too much waits for a peer that does not read.
    case slowReader
    /// The last stream after GOAWAY has ended.
    case drained
    /// `GRPCConnection.close()`.
    case service
    /// `GRPCServer.closeAll()`.
    case shutdown
    /// No memory, or an error inside nghttp2.
    case internalError
    /// Nobody whom the service knows has had a call on it for too long.
    case idle
    /// Its address has more connections on which nobody known calls than one may have, or there are too many in all.
    case crowded
    /// More frames that carry nothing (PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA) than an honest peer sends.
    case controlFrames
    /// More frames that break the protocol, or that make the server reset a stream.
    case badFrames
    /// More calls that the peer cancels, or that are refused.
    case resets

    /// As it stands in logs, and as the value of a metric's label.
    public var name: String {
        switch self {
        case .peer: "peer"
        case .badPreface: "bad_preface"
        case .prefaceTimeout: "preface_timeout"
        case .keepalive: "keepalive"
        case .protocolError: "protocol_error"
        case .abuse: "abuse"
        case .slowReader: "slow_reader"
        case .drained: "drained"
        case .service: "service"
        case .shutdown: "shutdown"
        case .internalError: "internal_error"
        case .idle: "idle"
        case .crowded: "crowded"
        case .controlFrames: "control_frames"
        case .badFrames: "bad_frames"
        case .resets: "resets"
        }
    }
}
