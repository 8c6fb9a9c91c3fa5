// SPDX-License-Identifier: Apache-2.0

/// Why a request was refused by the server itself, before any handler saw it. The raw values are metric label values.
public enum HTTPRejectionCause: String, CaseIterable, Sendable {
    case malformedRequestLine = "malformed_request_line"
    case malformedHeader = "malformed_header"
    case malformedTarget = "malformed_target"
    case badHost = "bad_host"
    case badFraming = "bad_framing"
    case unsupportedVersion = "unsupported_version"
    case unsupportedExpectation = "unsupported_expectation"
    case methodNotAllowed = "method_not_allowed"
    case requestLineTooLong = "request_line_too_long"
    case headTooLarge = "head_too_large"
    case bodyTooLarge = "body_too_large"
    case readTimeout = "read_timeout"
    case noPlace = "no_place"
}

/// An answer that the server gives by itself: the status, and a sentence that names what was wrong.
struct RequestRejection: Error, Equatable {
    var status: Int
    var cause: HTTPRejectionCause
    var message: String

    /// Time that a client that was refused for lack of places should wait.
    static let retryAfterSeconds = 5

    static func badRequest(_ cause: HTTPRejectionCause, _ message: String) -> RequestRejection {
        RequestRejection(status: 400, cause: cause, message: message)
    }
}
