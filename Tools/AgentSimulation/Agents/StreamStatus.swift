// SPDX-License-Identifier: Apache-2.0

/// How a stream ended, as the agent sees it.
enum StreamStatus: Equatable, Sendable {
    case grpc(code: Int, message: String)
    case http(String)
    /// RST_STREAM with this code of HTTP/2.
    case reset(UInt32)
    case connectionLost
    case broken(String)

    /// A short name to count by: `UNAVAILABLE`, `http 415`, `reset 8`, `connection lost`.
    var name: String {
        switch self {
        case .grpc(let code, _): Self.codes.indices.contains(code) ? Self.codes[code] : "grpc \(code)"
        case .http(let code): "http \(code)"
        case .reset(let code): "reset \(code)"
        case .connectionLost: "connection lost"
        case .broken: "broken"
        }
    }

    /// The server does not know the method. A server that speaks HTTP only says so with 404.
    var isUnimplemented: Bool {
        switch self {
        case .grpc(let code, _): code == 12
        case .http(let code): code == "404"
        case .reset, .connectionLost, .broken: false
        }
    }

    private static let codes = [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
        "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
        "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ]
}
