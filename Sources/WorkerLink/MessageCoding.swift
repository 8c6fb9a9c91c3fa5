// SPDX-License-Identifier: Apache-2.0

/// Messages of the worker socket as bytes: one byte says which, the rest is its content. What is not known or has the
/// wrong length is `nil`: a worker may be of another version than the supervisor during an update.
public enum MessageCoding {
    /// Bytes of a text in a message at most.
    public static let limitTextBytes = 1024

    private enum Kind: UInt8 {
        case drain = 1
        case stop = 2
        case logLevel = 3
        case ready = 65
        case status = 66
    }

    public static func encode(_ message: SupervisorMessage) -> [UInt8] {
        switch message {
        case .drain(let deadline):
            [Kind.drain.rawValue] + (0..<8).map { UInt8(truncatingIfNeeded: deadline >> ($0 * 8)) }
        case .stop: [Kind.stop.rawValue]
        case .logLevel(let level): [Kind.logLevel.rawValue] + text(level)
        }
    }

    public static func encode(_ message: WorkerMessage) -> [UInt8] {
        switch message {
        case .ready: [Kind.ready.rawValue]
        case .status(let status): [Kind.status.rawValue] + text(status)
        }
    }

    public static func decodeSupervisorMessage(_ bytes: [UInt8]) -> SupervisorMessage? {
        switch bytes.first.flatMap(Kind.init) {
        case .drain:
            guard bytes.count == 9 else { return nil }
            return .drain(deadlineNanoseconds: bytes.dropFirst().reversed().reduce(0) { $0 << 8 | UInt64($1) })
        case .stop: return bytes.count == 1 ? .stop : nil
        case .logLevel: return text(in: bytes).map(SupervisorMessage.logLevel)
        case .ready, .status, nil: return nil
        }
    }

    public static func decodeWorkerMessage(_ bytes: [UInt8]) -> WorkerMessage? {
        switch bytes.first.flatMap(Kind.init) {
        case .ready: bytes.count == 1 ? .ready : nil
        case .status: text(in: bytes).map(WorkerMessage.status)
        case .drain, .stop, .logLevel, nil: nil
        }
    }

    /// A cut in the middle of a character is repaired by the reader, which decodes leniently.
    private static func text(_ string: String) -> [UInt8] {
        Array(string.utf8.prefix(limitTextBytes))
    }

    private static func text(in bytes: [UInt8]) -> String? {
        guard bytes.count <= 1 + limitTextBytes else { return nil }
        return String(decoding: bytes.dropFirst(), as: UTF8.self)
    }
}
