// SPDX-License-Identifier: Apache-2.0

/// Why the gRPC server refused or ended a call of an agent, in the order of the ring's counters.
public enum GRPCCallRefusal: Int, CaseIterable, Sendable {
    case wrongMethod, wrongContentType, badTimeout, unsupportedEncoding, unknownPath, messageTooLarge, badMessageFrame,
        truncatedMessage, assemblyExhausted, deadlineExceeded, tooManySilent

    /// As it stands in logs, and as the value of a metric's label.
    public var name: String {
        switch self {
        case .wrongMethod: "wrong_method"
        case .wrongContentType: "wrong_content_type"
        case .badTimeout: "bad_timeout"
        case .unsupportedEncoding: "unsupported_encoding"
        case .unknownPath: "unknown_path"
        case .messageTooLarge: "message_too_large"
        case .badMessageFrame: "bad_message_frame"
        case .truncatedMessage: "truncated_message"
        case .assemblyExhausted: "assembly_exhausted"
        case .deadlineExceeded: "deadline_exceeded"
        case .tooManySilent: "too_many_silent"
        }
    }
}
