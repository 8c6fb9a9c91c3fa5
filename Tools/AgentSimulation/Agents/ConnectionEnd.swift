// SPDX-License-Identifier: Apache-2.0

/// Why an agent's connection ended.
enum ConnectionEnd: Equatable, Sendable {
    case connectFailed(String)
    /// `success=false`.
    case refused(String)
    case streamEnded(AgentMethod, StreamStatus, wasRegistered: Bool)
    case protocolFailed(String)
    /// An answer that grpc-go would not send.
    case answerTooLarge
    /// The agent was told to: churn or the end of the run.
    case left

    /// Real agents wait only after a failed attempt to register; in all other cases they are back at once.
    var wasFailedAttempt: Bool {
        switch self {
        case .connectFailed, .refused, .protocolFailed: true
        case .streamEnded(_, _, let wasRegistered): !wasRegistered
        case .answerTooLarge, .left: false
        }
    }

    /// `nil`: not an error.
    var errorName: String? {
        switch self {
        case .connectFailed: "connect failed"
        case .refused: "refused"
        case .streamEnded(_, let status, _): status.name
        case .protocolFailed: "protocol"
        case .answerTooLarge: "answer too large"
        case .left: nil
        }
    }
}
