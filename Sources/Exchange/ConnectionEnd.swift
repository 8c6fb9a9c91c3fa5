// SPDX-License-Identifier: Apache-2.0

/// Why a connection of an agent ended, in the order of the lane's counters: the causes of `GRPCServer`, which the
/// exporter does not link.
public enum ConnectionEnd: Int, CaseIterable, Sendable {
    case peer
    case badPreface
    case prefaceTimeout
    case keepalive
    case protocolError
    case abuse
    case slowReader
    case drained
    case service
    case shutdown
    case internalError
    case idle

    /// As the value of a metric's label.
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
        }
    }
}
